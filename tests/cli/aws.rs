//! The real cloud when it can't be asked, and keys that ssh would not take.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{fs::Permissions, net::TcpListener, os::unix::fs::PermissionsExt, path::PathBuf};

use crate::support::{
    moto::Moto,
    muster::{Muster, Ran},
};

const US: &str = include_str!("../../assets/demo/us.yaml");

/// A folder with a config in it, and nothing known of AWS.
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

/// Every command that asks AWS says why it can't, with exit code 3.
fn assert_not_asked(muster: &Muster, says: &[&str]) {
    for command in ["check", "fix", "up", "status", "down"] {
        let ran = muster.run(&[command, "--aws-timeout", "3", "us.yaml"]);
        assert_eq!(ran.code, Some(3), "{command}: {ran:#?}");
        let told = format!("{}{}", ran.out, ran.err);
        for text in says {
            assert!(told.contains(text), "{command}: {text:?} is missing:\n{told}");
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
    // The system takes connections; nobody ever answers on them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    assert_not_asked(&with_credentials(folder(), &url), &["no answer", &url]);
}

#[test]
fn not_being_asked_is_told_in_json_as_well() {
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
    for (file, says) in cases {
        let path: PathBuf = muster.folder().join(file);
        let ran = muster.run(&["check", "--key-location", path.to_str().unwrap(), "us.yaml"]);
        assert_eq!(ran.code, Some(1), "{file}: {ran:#?}");
        let finding = finding(&ran, "key.local");
        for text in says {
            assert!(finding.contains(text), "{file}: {text:?} is missing:\n{finding}");
        }
        ran.assert_is_calm();
    }
}

/// What is said in full of a check that fails.
fn finding(ran: &Ran, check: &str) -> String {
    let told = |part: &&str| part.starts_with('✗') && part.contains(&format!("({check})"));
    ran.out.split("\n\n").find(told).unwrap_or_default().to_owned()
}
