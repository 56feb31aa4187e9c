//! The commands on the simulated world.

use crate::support::muster::{FAST, Muster};

#[test]
fn check_finds_the_classic_mistakes() {
    let ran = Muster::new().run(&["check", "--scenario", "mistakes"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.out.contains("SIMULATED"), "{}", ran.out);
    for check in [
        "key.exists",
        "key.same-material",
        "sg.same-vpc",
        "ami.exists",
        "peering.active",
        "route.peering",
    ] {
        let failed = |line: &str| line.starts_with('✗') && line.contains(&format!("({check})"));
        assert!(ran.out.lines().any(failed), "{check} does not fail:\n{}", ran.out);
    }
    assert!(ran.out.contains("eu.yaml:"), "no finding has a location:\n{}", ran.out);
    let last = ran.out.lines().last().unwrap_or_default();
    assert!(last.contains("`muster fix`"), "what next?\n{}", ran.out);
    ran.assert_is_calm();
}

#[test]
fn check_as_json_is_one_document() {
    let ran = Muster::new().run(&["check", "--scenario", "mistakes", "--format", "json"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let document = ran.json();
    assert_eq!(document["exit_code"], 1);
    assert_eq!(document["simulated"], true);
    assert!(document["summary"]["fail"].as_u64() >= Some(6), "{document}");
}

#[test]
fn check_passes_in_a_healthy_world() {
    let ran = Muster::new().run(&["check", "--scenario", "healthy"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(!ran.out.contains('✗') && !ran.out.contains("fix"), "{}", ran.out);
}

#[test]
fn up_refuses_what_is_known_to_fail() {
    let muster = Muster::new();
    let ran = muster.run(&["up", "--yes", "--scenario", "mistakes"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    for text in ["nothing was launched", "`muster fix`", "--force", "InvalidKeyPair.NotFound"] {
        assert!(ran.err.contains(text), "{text} is missing:\n{}", ran.err);
    }
    assert!(muster.left_behind(&[]).is_empty());
}

#[test]
fn up_asks_before_money_is_spent() {
    let ran = Muster::new().run(&["up", "--scenario", "healthy"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    assert!(ran.out.contains("us-west-2") && ran.out.contains("/h"), "no plan:\n{}", ran.out);
}

#[test]
fn up_launches_a_cluster_and_writes_its_journal_to_the_given_folder() {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    let state = muster.folder().join("state");
    let state = state.to_str().unwrap_or_default();
    let up = ["up", "--yes", "--logs", "--scenario", "fast.toml", "--state-dir", state];
    let ran = muster.run(&up);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("9 of 9 nodes are ready"), "{}", ran.out);
    assert!(ran.out.contains("✓ ready    us-west-2/head"), "{}", ran.out);
    let logs = muster.run(&["logs", "--scenario", "fast.toml", "--state-dir", state]);
    assert_eq!(logs.code, Some(0), "{logs:#?}");
    let of_head = |line: &&str| line.contains(" us-west-2/head ");
    assert!(logs.out.lines().filter(of_head).count() > 3, "{}", logs.out);
    let one = ["logs", "--scenario", "fast.toml", "--state-dir", state, "-n", "eu-west-1/worker-1"];
    let one = muster.run(&one);
    assert!(
        !one.out.is_empty() && one.out.lines().all(|line| line.contains(" eu-west-1/worker-1 "))
    );
}

#[test]
fn up_as_json_is_a_line_an_event() {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    let ran = muster.run(&["up", "--yes", "--scenario", "fast.toml", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let events: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
    assert_eq!(events.first().map(|event| &event["event"]), Some(&"checked".into()));
    let ended = events.iter().find(|event| event["event"] == "bootstrap-ended");
    assert_eq!(
        ended.map(|event| (&event["ready"], &event["failed"])),
        Some((&9.into(), &0.into()))
    );
}

#[test]
fn the_worlds_are_named() {
    let ran = Muster::new().run(&["demo", "--list"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("mistakes") && ran.out.contains("healthy"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let muster = Muster::new();
    let mut command = muster.command(&["check", "--scenario", "healthy"]);
    let child = command.stdout(std::process::Stdio::piped()).spawn();
    let mut child = child.expect("the binary starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().ok().and_then(|status| status.code()), Some(0));
}

#[test]
fn up_shows_each_host_key_and_which_are_not_verified() {
    let muster = Muster::new();
    let odd = "[nodes.\"us-west-2/worker-1\"]\nimpostor = true\n\
               [nodes.\"eu-west-1/worker-1\"]\nconsole_s = 1e7\n";
    muster.file("odd.toml", format!("{FAST}{odd}"));
    let ran = muster.run(&["up", "--scenario", "odd.toml", "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let has = |words: &str| assert!(ran.out.contains(words), "{words}: {}", ran.out);
    has("host key   us-west-2/head: ED25519 SHA256:");
    has("us-west-2/worker-1: HOST KEY MISMATCH: ");
    has("✓ ready    eu-west-1/worker-1, host key not verified\n");
    has("✓ ready    us-west-2/head\n");
}
