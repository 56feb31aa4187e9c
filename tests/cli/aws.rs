//! The real cloud when AWS is unreachable, and keys that ssh would reject.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't set up should fail")]

use std::{fs::Permissions, net::TcpListener, os::unix::fs::PermissionsExt, path::PathBuf};

use crate::support::{
    moto::Moto,
    muster::{Muster, Ran},
};

const US: &str = include_str!("../../assets/demo/us.yaml");

/// Returns a folder with a config, and no AWS settings.
fn folder() -> Muster {
    let muster = Muster::new();
    muster.file("us.yaml", US);
    muster
}

fn with_credentials(muster: Muster, endpoint: &str) -> Muster {
    muster
        .env("AWS_ACCESS_KEY_ID", "AKIATEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", endpoint)
}

/// Asserts that every command that calls AWS reports why it can't, with exit code 3.
fn assert_not_asked(muster: &Muster, texts: &[&str]) {
    for command in ["check", "fix", "up", "status", "down"] {
        let ran = muster.run(&[command, "--aws-timeout", "3", "us.yaml"]);
        assert_eq!(ran.code, Some(3), "{command}: {ran:#?}");
        let output = format!("{}{}", ran.out, ran.err);
        for text in texts {
            assert!(output.contains(text), "{command}: {text:?} is missing:\n{output}");
        }
        ran.assert_is_calm();
    }
}

#[test]
fn no_credentials() {
    assert_not_asked(&folder(), &["no AWS credentials"]);
}

#[test]
fn an_endpoint_that_refuses() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    assert_not_asked(&with_credentials(folder(), &url), &[&url]);
}

#[test]
fn an_endpoint_that_is_no_url() {
    let muster = with_credentials(folder(), "localhost");
    assert_not_asked(&muster, &["AWS_ENDPOINT_URL", "is no URL"]);
    let ran = muster.run(&["check", "us.yaml"]);
    assert!(!ran.err.contains("SdkBody"), "{}", ran.err);
}

#[test]
fn an_endpoint_that_hangs() {
    // The kernel accepts connections; nothing ever answers on them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    assert_not_asked(&with_credentials(folder(), &url), &["no answer", &url]);
}

#[test]
fn a_skipped_aws_call_is_reported_in_json_as_well() {
    let ran = folder().run(&["check", "--format", "json", "us.yaml"]);
    assert_eq!(ran.code, Some(3), "{ran:#?}");
    let document = ran.json();
    assert_eq!(document["exit_code"], 3);
    assert!(document["not_asked"]["hint"].is_string(), "{document}");
}

#[test]
fn private_keys_that_ssh_would_not_take() {
    let moto = Moto::start();
    let muster = with_credentials(folder(), moto.url());
    let open = muster.file("open.pem", "nothing secret");
    std::fs::set_permissions(&open, Permissions::from_mode(0o640)).unwrap();
    let text = muster.file("text.pem", "not a key");
    std::fs::set_permissions(&text, Permissions::from_mode(0o600)).unwrap();
    std::fs::create_dir(muster.folder().join("folder.pem")).unwrap();
    let cases = [
        ("missing.pem", &["missing.pem", "does not exist"][..]),
        ("folder.pem", &["folder.pem"]),
        ("open.pem", &["open.pem", "chmod 600"]),
        ("text.pem", &["text.pem", "not a private key"]),
    ];
    for (file, texts) in cases {
        let path: PathBuf = muster.folder().join(file);
        let ran = muster.run(&["check", "--key-location", path.to_str().unwrap(), "us.yaml"]);
        assert_eq!(ran.code, Some(1), "{file}: {ran:#?}");
        let finding = finding(&ran, "key.local");
        for text in texts {
            assert!(finding.contains(text), "{file}: {text:?} is missing:\n{finding}");
        }
        ran.assert_is_calm();
    }
}

/// Returns the full report of a failed check.
fn finding(ran: &Ran, check: &str) -> String {
    let is_failure = |part: &&str| part.starts_with('✗') && part.contains(&format!("({check})"));
    ran.out.split("\n\n").find(is_failure).unwrap_or_default().to_owned()
}

/// The log has the request id of each attempt and nothing secret at any level.
#[test]
fn the_log_has_request_ids_and_no_secrets() {
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG";
    let moto = Moto::start();
    let muster = with_credentials(folder(), moto.url())
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEToken")
        .env("MUSTER_LOG", "trace");
    let ran = muster.run(&["check", "--log-file", "log", "--trace-json", "trace", "us.yaml"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let read = |name| std::fs::read_to_string(muster.folder().join(name)).unwrap();
    let log = read("log");
    let attempt = log.lines().find(|line| line.contains("operation=\"DescribeKeyPairs\""));
    let attempt = attempt.unwrap_or_else(|| panic!("{log}"));
    assert!(attempt.contains("status=") && attempt.contains("request_id="), "{attempt}");
    for text in [log, read("trace"), ran.out, ran.err] {
        for secret in [SECRET, "FwoGZXIvYXdzEToken", "AKIATEST"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}
