//! Whole stories with keys only, on simulated worlds.

use muster::tui::Outcome;

use super::{super::SIZES, Live, SLOW, play, simulated};

#[tokio::test(start_paused = true)]
async fn the_six_mistakes_are_seen_each_with_its_cause() {
    for size in SIZES {
        let story = |live: Live| async move {
            live.until("Preflight ✗6").await;
            let text = live.test_terminal.text();
            for mistake in [
                "key pair quokka is missing",
                "key pair quokka has different key material",
                "is an image of us-west-2",
                "security group sg-0b7e14d5c3a29f860 is in the default VPC",
                "peering is pending acceptance",
                "has no route to 10.3.0.0/16",
                "SIMULATED",
            ] {
                assert!(text.contains(mistake), "{mistake} is missing:\n{text}");
            }
            for (key, cause) in [
                ("", "InvalidKeyPair.NotFound"),
                ("j", "Permission denied (publickey)"),
                ("j", "InvalidAMIID.NotFound"),
                ("j", "InvalidGroup.NotFound"),
                ("j", "peering"),
                ("j", "rtb-04d5e6f7a8b9c0122"),
            ] {
                live.press(key);
                live.press("enter");
                live.until("3 [Preflight]").await;
                live.until(cause).await;
                live.press("1");
                live.until("1 [Overview]").await;
            }
            live.press("q");
        };
        let (outcome, _) = play(simulated("mistakes"), size, SLOW, story).await;
        assert_eq!(outcome, Outcome::Quit);
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_world_is_launched_watched_and_left() {
    let story = |live: Live| async move {
        live.until("Nothing stands in the way").await;
        live.press("u");
        live.until("Launch tpch-demo").await;
        assert!(live.test_terminal.text().contains("9 machines"), "{}", live.test_terminal.text());
        live.press("L");
        live.until("4 [Bootstrap]").await;
        live.until("▶").await;
        live.press("2");
        live.until("▶ booting").await;
        live.until("▶ bootstrap").await;
        live.press("5");
        live.until("muster-check").await;
        live.press("1");
        live.until("the cluster is ready: 9 of 9 nodes").await;
        live.until("us-west-2/head leads").await;
        live.press("2 y q");
        live.until("Quit muster?").await;
        live.press("q");
    };
    let (outcome, copied) = play(simulated("healthy"), (120, 40), SLOW, story).await;
    assert_eq!(outcome, Outcome::Quit);
    assert!(copied.len() == 1 && copied[0].starts_with("i-"), "{copied:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_ended_after_it_was_shown() {
    let story = |live: Live| async move {
        live.until("Nothing stands in the way").await;
        live.press("u L 1");
        live.until("9 of 9 ready").await;
        live.press("D");
        live.until("to terminate 9 instances").await;
        live.press("'terminate' enter");
        live.until("all instances of the cluster are terminated").await;
        live.press("1");
        live.until("nothing runs and nothing is billed").await;
        // Nothing is under way, so there is no prompt.
        live.press("q");
    };
    let (outcome, _) = play(simulated("healthy"), (80, 24), SLOW, story).await;
    assert_eq!(outcome, Outcome::Quit);
}

#[tokio::test(start_paused = true)]
async fn another_world_is_a_key_away() {
    let story = |live: Live| async move {
        live.until("Preflight ✗6").await;
        live.press("w");
        live.until("★ this one").await;
        live.press("j enter");
    };
    let (outcome, _) = play(simulated("mistakes"), (80, 24), SLOW, story).await;
    assert_eq!(outcome, Outcome::OpenScenario("healthy".into()));
}

/// From six failures to ready for launch, with keys only.
#[tokio::test(start_paused = true)]
async fn six_mistakes_are_fixed_by_keys() {
    for size in SIZES {
        let story = |live: Live| async move {
            live.until("Preflight ✗6").await;
            live.until("import your key").await;
            live.press("F");
            live.until("[ Change ]").await;
            live.press("C");
            live.until("No check fails").await;
            live.press("esc");
            live.until("Nothing stands in the way").await;
            live.press("q");
        };
        let (outcome, _) = play(simulated("mistakes"), size, SLOW, story).await;
        assert_eq!(outcome, Outcome::Quit);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_stopped_started_and_its_services_restarted() {
    for size in SIZES {
        let story = |live: Live| async move {
            live.until("Nothing stands in the way").await;
            live.press("u L 1");
            live.until("the cluster is ready: 9 of 9 nodes").await;
            live.press("p");
            live.until("9 machines would be stopped").await;
            live.press("Y");
            live.until("every machine is stopped").await;
            live.press("1");
            live.until("P starts the instances").await;
            live.press("P");
            live.until("9 machines would be started").await;
            live.press("Y");
            live.until("4 [Bootstrap]").await;
            live.press("1");
            live.until("9 of 9 ready").await;
            live.press("U");
            live.until("On 9 nodes these steps run again").await;
            live.press("Y 1");
            live.until("0 of 9 ready").await;
            live.until("9 of 9 ready").await;
            live.press("q q");
        };
        let (outcome, _) = play(simulated("healthy"), size, SLOW, story).await;
        assert_eq!(outcome, Outcome::Quit);
    }
}
