//! Unusable input: each case gives one clear error that names the place and what
//! to do, exits with code 2, and leaves nothing behind.

use crate::support::muster::{Muster, Ran};

const GOOD: &str = include_str!("../../assets/demo/us.yaml");

/// What is wrong, the file's content, and texts that the error must contain.
type Case<'a> = (&'a str, String, &'a [&'a str]);

#[test]
fn configs_that_can_not_be_used() {
    let without_region = GOOD.replace("  region: us-west-2\n", "");
    let unknown_region = GOOD.replace("region: us-west-2\n", "region: us-wets-2\n");
    let unknown_key = GOOD.replace("ImageId:", "ImagId:");
    let cases: &[Case<'_>] = &[
        ("not YAML", "cluster_name: [".into(), &["config.yaml-syntax", "us.yaml:1:15"]),
        ("empty", String::new(), &["config.empty", "us.yaml"]),
        ("a list", "- 1\n- 2\n".into(), &["config.not-a-config", "us.yaml:1:1"]),
        ("of something else", "services:\n  web: {}\n".into(), &["us.yaml:1:1", "provider"]),
        ("no provider.region", without_region, &["config.missing-key", "provider", "region"]),
        ("unknown region", unknown_region, &["config.region", "us-wets-2", "us-west-2"]),
        ("unknown key", unknown_key, &["config.unknown-key", "ImagId", "`ImageId`", "^^^^^^"]),
    ];
    for (what, text, texts) in cases {
        let muster = Muster::new();
        muster.file("us.yaml", text);
        let ran = muster.run(&["check", "us.yaml"]);
        assert_is_refused(what, &ran, texts);
        assert_eq!(muster.left_behind(&["us.yaml"]), Vec::<std::path::PathBuf>::new(), "{what}");
    }
}

/// A build without the SDK validates the configs first, too, and reports only
/// their errors.
#[cfg(not(feature = "aws"))]
#[test]
fn real_configs_need_the_sdk() {
    let muster = Muster::new();
    muster.file("us.yaml", GOOD);
    let ran = muster.run(&["check", "us.yaml"]);
    assert_is_refused("no SDK", &ran, &["no AWS SDK", "muster demo"]);
}

#[test]
fn no_such_file() {
    let muster = Muster::new();
    for command in ["check", "up", "status", "logs", "down"] {
        let ran = muster.run(&[command, "eu.yaml"]);
        assert_is_refused(command, &ran, &["config.file-missing", "eu.yaml"]);
    }
    assert!(muster.left_behind(&[]).is_empty());
}

#[test]
fn nothing_to_open() {
    let muster = Muster::new();
    let ran = muster.run::<&str>(&[]);
    assert_is_refused("alone", &ran, &["no muster.yaml", "`muster demo`", "`muster init`"]);
    let ran = muster.run(&["check"]);
    assert_is_refused("check", &ran, &["config.no-files", "muster us.yaml eu.yaml"]);
}

#[test]
fn a_command_that_is_mistyped() {
    let muster = Muster::new();
    let ran = muster.run(&["chekc", "us.yaml"]);
    assert_is_refused("mistyped", &ran, &["chekc", "`muster check`"]);
}

#[test]
fn flags_that_can_not_be_used() {
    let muster = Muster::new();
    let ran = muster.run(&["check", "--operator-cidr", "home", "us.yaml"]);
    assert_is_refused("no network", &ran, &["--operator-cidr", "home"]);
    let ran = muster.run(&["check", "--scenario", "paradise"]);
    assert_is_refused("no scenario", &ran, &["paradise", "healthy"]);
}

#[test]
fn json_stays_json_when_configs_are_wrong() {
    let muster = Muster::new();
    muster.file("us.yaml", GOOD.replace("ImageId:", "ImagId:"));
    let ran = muster.run(&["check", "--format", "json", "us.yaml"]);
    assert_eq!(ran.code, Some(2));
    let document: serde_json::Value = ran.json();
    assert_eq!(document["exit_code"], 2);
    assert_eq!(document["diagnostics"][0]["id"], "config.unknown-key");
    assert_eq!(document["diagnostics"][0]["location"]["file"], "us.yaml");
    for command in ["up", "status", "logs", "down", "fix"] {
        let ran = muster.run(&[command, "--format", "json", "us.yaml"]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(2), ""), "{command}");
        let document: serde_json::Value = ran.json();
        assert_eq!(document["exit_code"], 2, "{command}");
        let diagnostic = &document["diagnostics"][0];
        assert_eq!(diagnostic["id"], "config.unknown-key", "{command}");
        assert_eq!(
            diagnostic["key_path"],
            "available_node_types.ray.head.default.node_config.ImagId"
        );
        assert!(diagnostic["help"].to_string().contains("ImageId"), "{command}: {diagnostic}");
    }
    let of_init = ["init", "--format", "json", "--from", "us.yaml", "--regions", "eu-west-1"];
    let others: [&[&str]; 4] = [
        &[&of_init[..], &["--offline", "--yes"]].concat(),
        &["export", "--json", "us.yaml"],
        &["config", "--format", "json", "us.yaml"],
        &["exec", "--format", "json", "us.yaml", "--", "true"],
    ];
    for args in others {
        let ran = muster.run(args);
        assert_eq!((ran.code, ran.err.as_str()), (Some(2), ""), "{args:?}");
        assert_eq!(ran.json()["diagnostics"][0]["id"], "config.unknown-key", "{args:?}");
    }
}

/// Asserts exit code 2 and an error on stderr that contains all `texts`.
fn assert_is_refused(what: &str, ran: &Ran, texts: &[&str]) {
    assert_eq!(ran.code, Some(2), "{what}: {ran:#?}");
    assert_eq!(ran.out, "", "{what}");
    for text in texts {
        assert!(ran.err.contains(text), "{what}: {text:?} is missing:\n{}", ran.err);
    }
    ran.assert_is_calm();
}
