//! The environment of programs that muster starts.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{fs, os::unix::fs::PermissionsExt};

use super::shell;

/// Stand-in for ssh and Python: records its environment, and fails.
const NOTES: &str = "#!/bin/sh\nenv >> \"$HOME/seen.$(basename \"$0\")\"\nexit 3\n";

#[test]
fn no_child_gets_the_operators_credentials() {
    let muster = shell::muster(NOTES)
        .env("AWS_SESSION_TOKEN", "secret-token")
        .env("AWS_PROFILE", "work")
        .env("GITHUB_TOKEN", "secret-token");
    let python = muster.file("py", NOTES);
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let home = muster.folder().with_file_name("home");
    for args in [
        &["ssh", "--state-dir", "state", "leader"][..],
        &["ssh-config", "--state-dir", "state"],
        &["exec", "--state-dir", "state", "--on", "leader", "--", "true"],
        &["query", "--state-dir", "state", "--python", "./py"],
    ] {
        let ran = muster.run(args);
        assert_ne!(ran.code, Some(0), "{args:?}: {ran:#?}");
    }
    for (name, has_profile) in [("ssh", true), ("py", false)] {
        let seen = fs::read_to_string(home.join(format!("seen.{name}"))).unwrap();
        assert!(seen.contains("PATH="), "{seen}");
        for secret in ["AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN="] {
            assert!(!seen.contains(secret), "{name}: {seen}");
        }
        assert_eq!(seen.contains("AWS_PROFILE=work"), has_profile, "{name}: {seen}");
        assert_eq!(seen.contains("GITHUB_TOKEN="), has_profile, "{name}: {seen}");
    }
}
