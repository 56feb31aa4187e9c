//! A Quokka cluster that computes: the real binary, EC2's API as moto speaks
//! it, and for each instance a machine of its own as far as Linux can lend one
//! out: network, processes, file system and host name. Each holds nothing but its
//! private address; the public ones lead to it from the operator's side only,
//! and what comes in is what the security groups admit. On them run the real
//! Ray, Redis and pyquokka.
//!
//! All of it happens in namespaces that no packet leaves and that end with the
//! test. They take root, iproute2, nftables, redis-server and an environment
//! with pyquokka; where one is missing, the tests say so and do nothing, which in
//! CI is a failure.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

mod filter;
mod machine;
mod network;
mod sandbox;
mod scene;
mod site;

use self::{sandbox::sandboxed, scene::Scene};

/// Two regions with a head and a worker each.
#[test]
fn two_regions_compute() {
    sandboxed("quokka::two_regions_compute", async {
        let scene = Scene::new().await;
        let ran = scene.muster(&["up", "--yes"]).await;
        scene.succeeded(&ran);
        scene.all_in_ray().await;
        scene.sums_are_right().await;

        // What the whole is about: without its redirect a node finds no way to
        // the address of Redis that Quokka hands it.
        let redis = format!("redis-cli -h {} -p 6800 ping", scene.public_ip("us-west-2/head"));
        let ran = scene.on("eu-west-1/worker-1", &redis).await;
        assert_eq!(ran.out.trim(), "PONG", "{}", ran.err);
        let ran = scene.on("eu-west-1/worker-1", &format!("nft flush ruleset; {redis}")).await;
        assert!(ran.err.contains("No route to host"), "{}{}", ran.out, ran.err);
    });
}
