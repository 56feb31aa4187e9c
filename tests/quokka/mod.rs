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
        // Quokka hands every node the leader's public address, where it finds no
        // Redis; all looks well, and the first query hangs.
        scene.set_redirect(false);
        let ran = scene.muster(&["up", "--yes"]).await;
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        let said = ran.out + &ran.err;
        assert!(said.contains("likeliest the redirect on this node"), "{said}");

        scene.set_redirect(true);
        let ran = scene.muster(&["up", "--yes", "--query"]).await;
        scene.succeeded(&ran);
        assert!(ran.out.contains("right: the sums of"), "up ends with a query: {ran:#?}");
        scene.all_in_ray().await;
        scene.sums_are_right().await;

        // Through SSH alone.
        scene.shut_client_ports().await;
        let forward = scene.forward().await;
        let ran = scene.dashboard().await;
        scene.succeeded(&ran);
        scene.exported_sums_are_right().await;

        // One machine loses its power, so that nothing of Quokka runs there any
        // more, while the others hold on to what it was.
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

/// The machines are stopped and started with other public addresses, one of them
/// is lost and replaced, and at last the configs start Ray and there is no nft.
#[test]
fn it_computes_again_after_a_stop_and_with_the_configs_own_ray() {
    let name = "quokka::it_computes_again_after_a_stop_and_with_the_configs_own_ray";
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
        // The same `muster forward` has found its way to the new address.
        scene.exported_sums_are_right().await;
        assert!(scene.export_goes_through_a_forward());
        drop(forward);

        // A machine is gone for good, and another one takes its place.
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

/// Two clusters of `ray up`, whose autoscalers would bring back what others end.
#[test]
fn what_ray_up_made_is_adopted() {
    sandboxed("quokka::what_ray_up_made_is_adopted", async {
        let scene = Scene::new().await;
        for region in ["us-west-2", "eu-west-1"] {
            let ran = scene.ray_up(region).await;
            scene.succeeded(&ran);
        }
        let made = scene.all_launched_by_ray().await;
        let ran = scene.muster(&["up", "--adopt", "--yes", "--no-query"]).await;
        scene.succeeded(&ran);
        assert_eq!(scene.instances(), made, "taken as they are");
        scene.all_in_ray().await;
        scene.sums_are_right().await;
    });
}
