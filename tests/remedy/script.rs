//! The printed script, run by the real `aws`, has the same result as `fix`.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    account::{Account, Snapshot},
    harness::FixHarness,
    network::nothing,
    site::{Flaw, flawed},
};
use muster::remedy::{self, FixScope};

/// Normalizes what differs between accounts: ids, the operator's key, and times; and
/// the order of routes in a table, which is that of the calls.
fn alike(snapshot: &Snapshot) -> Vec<String> {
    let line = |(key, value): (&String, &String)| {
        let plain = plain(&format!("{key} {value}"));
        let mut parts: Vec<_> = plain.split(", ").collect();
        parts.sort_unstable();
        parts.join(", ")
    };
    let mut all: Vec<_> = snapshot.iter().map(line).collect();
    all.sort();
    all
}

/// Asserts that two normalized snapshots are equal.
#[track_caller]
pub fn assert_alike(scripted: &Snapshot, fixed: &Snapshot) {
    let (scripted, fixed) = (alike(scripted), alike(fixed));
    let only = |of: &[String], other: &[String]| {
        of.iter().filter(|one| !other.contains(one)).cloned().collect::<Vec<_>>()
    };
    let (more, less) = (only(&scripted, &fixed), only(&fixed, &scripted));
    assert!(more.is_empty() && less.is_empty(), "script only: {more:#?}\nfix only: {less:#?}");
    assert_eq!(scripted.len(), fixed.len());
}

/// Removes ids, keys, fingerprints and times.
fn plain(text: &str) -> String {
    let word = |word: &str| {
        let hex = |part: &str| part.len() >= 8 && part.chars().all(|c| c.is_ascii_hexdigit());
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let time = digits >= 9 && word.len() - digits <= 6;
        let key = word.len() > 40;
        if time || key || word.split('-').next_back().is_some_and(hex) {
            "…".to_owned()
        } else {
            word.to_owned()
        }
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-+/=:".contains(c);
    let mut plain = String::new();
    let mut rest = text;
    while let Some(end) = rest.find(|c| !is_word(c)) {
        plain.push_str(&word(&rest[..end]));
        let next = end + rest[end..].chars().next().map_or(0, char::len_utf8);
        plain.push_str(&rest[end..next]);
        rest = &rest[next..];
    }
    plain + &word(rest)
}

/// Returns the `aws` next to moto's server, in the same environment.
fn aws() -> PathBuf {
    let server = env::var_os("MUSTER_MOTO_SERVER").unwrap();
    Path::new(&server).with_file_name("aws")
}

/// Runs the plan's script against the account, as somebody with the permissions would.
async fn run_script(harness: &FixHarness) -> String {
    let plan = harness.plan(FixScope::default()).await;
    let (out, err) = run(harness, &remedy::script(&plan.plan, "harness").unwrap()).await;
    assert_eq!(err, "", "it prints nothing unexpected");
    out
}

/// Runs a script of `aws` commands against the account; returns its stdout and
/// stderr.
pub async fn run(harness: &FixHarness, script: &str) -> (String, String) {
    let path = harness.folder().join("fix.sh");
    std::fs::write(&path, script).unwrap();
    let folder = aws().parent().unwrap().to_owned();
    let paths = env::join_paths([folder, "/usr/bin".into(), "/bin".into()]).unwrap();
    let url = harness.account.url().to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new("sh")
            .arg(path)
            .env_clear()
            .env("PATH", paths)
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_PAGER", "")
            .stdin(Stdio::null())
            .output()
    });
    let ran = ran.await.unwrap().unwrap();
    let err = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{err}\n{script}");
    (String::from_utf8_lossy(&ran.stdout).into_owned(), err)
}

#[tokio::test]
async fn the_network_from_nothing_is_the_same_by_script() {
    let (fixed, scripted) = (nothing(Account::moto()).await, nothing(Account::moto()).await);
    assert!(fixed.fix(FixScope::default()).await.complete);
    let output = run_script(&scripted).await;
    let (fixed, scripted) = (fixed.account.snapshot().await, scripted.account.snapshot().await);
    assert_alike(&scripted, &fixed);
    assert_eq!(output.matches("SubnetIds: [subnet-").count(), 6, "{output}");
    assert_eq!(output.matches("SecurityGroupIds: [sg-").count(), 6, "{output}");
}

#[tokio::test]
async fn single_fixes_are_the_same_by_script() {
    for flaw in [Flaw::KeyForeign, Flaw::ImageOnlyThere, Flaw::GroupElsewhere, Flaw::NotAccepted] {
        let fixed = flawed(Account::moto(), Some(flaw)).await;
        let scripted = flawed(Account::moto(), Some(flaw)).await;
        assert!(fixed.fix(FixScope::default()).await.complete);
        run_script(&scripted).await;
        let (fixed, scripted) = (fixed.account.snapshot().await, scripted.account.snapshot().await);
        assert_alike(&scripted, &fixed);
    }
}
