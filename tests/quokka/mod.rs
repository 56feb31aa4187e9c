//! A Quokka cluster that runs queries: the real binary, moto's EC2 API, and for each
//! instance a machine built from Linux namespaces, with its own network, processes,
//! file system and host name. A machine has only its private address; the public
//! addresses are routed to it from the operator's side only, and the security groups
//! filter incoming packets. The machines run the real Ray, Redis and pyquokka.
//!
//! All of it runs in namespaces that no packet leaves and that end with the test.
//! They need root, iproute2, nftables, redis-server and an environment with
//! pyquokka. If one is missing, the tests print that and are skipped; in CI they fail.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

mod filter;
mod machine;
mod network;
mod project;
mod sandbox;
mod scene;
mod site;

use self::{sandbox::sandboxed, scene::Scene};

/// Two regions with a head and a worker each, the built-in recipe.
#[test]
fn two_regions_compute() {
    sandboxed("quokka::two_regions_compute", async {
        let scene = Scene::new().await;
        // Quokka gives every node the leader's public address, where it finds no
        // Redis. Everything seems to work, and the first query hangs.
        scene.set_redirect(false);
        let ran = scene.muster(&["up", "--yes"]).await;
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        let output = ran.out + &ran.err;
        assert!(output.contains("likeliest the redirect on this node"), "{output}");

        scene.set_redirect(true);
        let ran = scene.muster(&["up", "--yes", "--query"]).await;
        scene.succeeded(&ran);
        assert!(ran.out.contains("right: the sums of"), "up ends with a query: {ran:#?}");
        scene.all_in_ray().await;
        scene.sums_are_right().await;

        // Only through SSH.
        scene.shut_client_ports().await;
        let forward = scene.forward().await;
        let ran = scene.dashboard().await;
        scene.succeeded(&ran);
        scene.exported_sums_are_right().await;

        // One machine loses power, so that none of its Quokka processes run, while
        // the other nodes keep their connections to it.
        scene.reset("eu-west-1/worker-1");
        let ran = scene.muster(&["up", "--restart", "--yes", "--no-query"]).await;
        scene.succeeded(&ran);
        scene.all_in_ray().await;
        let ran = scene.muster(&["query"]).await;
        scene.succeeded(&ran);
        assert!(ran.out.contains("right: the sums of"), "{ran:#?}");
        drop(forward);

        let ran = scene.muster(&["down", "--yes"]).await;
        scene.succeeded(&ran);
        scene.nothing_runs().await;
    });
}

/// The instances are stopped and started with other public addresses, one of them
/// is lost and replaced, and finally the configs start Ray and nft is missing.
#[test]
fn queries_run_again_after_a_stop_and_with_the_configs_own_ray() {
    let name = "quokka::queries_run_again_after_a_stop_and_with_the_configs_own_ray";
    sandboxed(name, async {
        let scene = Scene::new().await;
        let ran = scene.muster(&["up", "--yes", "--no-query"]).await;
        scene.succeeded(&ran);
        let before = scene.addresses();
        let forward = scene.forward().await;

        let ran = scene.muster(&["stop", "--yes"]).await;
        scene.succeeded(&ran);
        scene.nothing_runs().await;
        assert_eq!(sandbox::running(&["raylet", "redis-server", "sshd"]), [""; 0]);
        let ran = scene.muster(&["query"]).await;
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(ran.err.contains("muster start"), "{ran:#?}");

        let ran = scene.muster(&["start", "--yes"]).await;
        scene.succeeded(&ran);
        let now = scene.addresses();
        for (node, (public, private)) in &before {
            assert_ne!(*public, now[node].0, "{node} has another public address");
            assert_eq!(*private, now[node].1, "{node}");
            scene.redirects_to_the_leader_alone(node).await;
        }
        scene.all_in_ray().await;
        scene.sums_are_right().await;
        // The same `muster forward` has reconnected to the new address.
        scene.exported_sums_are_right().await;
        assert!(scene.export_goes_through_a_forward());
        drop(forward);

        // An instance is terminated and replaced.
        scene.terminate("eu-west-1/worker-1").await;
        let ran = scene.muster(&["up", "--yes", "--query"]).await;
        scene.succeeded(&ran);
        assert!(ran.out.contains("right: the sums of"), "{ran:#?}");
        scene.all_in_ray_and_no_other().await;

        // Machines without nft, and Ray as the configs start it.
        scene.take_nft_away().await;
        scene.take_the_configs_ray().await;
        let ran = scene.muster(&["up", "--restart", "--yes", "--query"]).await;
        scene.succeeded(&ran);
        assert!(ran.out.contains("right: the sums of"), "{ran:#?}");
        scene.all_in_ray().await;
        scene.sums_are_right().await;
        let look = "iptables -t nat -S MUSTER; cat /tmp/ray/ray_current_cluster";
        let ran = scene.on("eu-west-1/head", look).await;
        assert!(ran.out.trim().ends_with(":6379"), "the configs' port: {ran:#?}");
        assert!(ran.out.contains(&scene.public_ip("us-west-2/head")), "{ran:#?}");

        let ran = scene.muster(&["down", "--yes"]).await;
        scene.succeeded(&ran);
        scene.nothing_runs().await;
    });
}

/// Two clusters of `ray up`, whose autoscalers would replace terminated instances.
#[test]
fn a_ray_up_cluster_is_adopted() {
    sandboxed("quokka::a_ray_up_cluster_is_adopted", async {
        let scene = Scene::new().await;
        for region in ["us-west-2", "eu-west-1"] {
            let ran = scene.ray_up(region).await;
            scene.succeeded(&ran);
        }
        let made = scene.all_launched_by_ray().await;
        let ran = scene.muster(&["up", "--adopt", "--yes", "--no-query"]).await;
        scene.succeeded(&ran);
        assert_eq!(scene.instances(), made, "adopted unchanged");
        scene.all_in_ray().await;
        scene.sums_are_right().await;
    });
}
