//! `a`: ssh has the terminal, and muster has it afterwards.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

use crate::support::{
    muster::{FAST, Muster},
    terminal::Terminal,
};

/// Stand-in for ssh: records its arguments and exits on request.
const SSH: &str = "#!/bin/sh\n\
    printf '%s\\n' \"$@\" > called\n\
    echo this is the node\n\
    read line\n\
    echo \"$line\" > typed\n\
    exit 3\n";

/// Returns the demo's project with a cluster on record, this program in place of
/// ssh, and without AWS.
pub fn muster(ssh: &str) -> Muster {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    let up = ["up", "--yes", "--scenario", "fast.toml", "--state-dir", "state"];
    assert_eq!(muster.run(&up).code, Some(0));
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo");
    for name in ["muster.yaml", "us.yaml", "eu.yaml", "ap.yaml"] {
        muster.file(name, fs::read(format!("{demo}/{name}")).unwrap());
    }
    let ssh = muster.file("ssh", ssh);
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", muster.folder().display(), std::env::var("PATH").unwrap());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    muster
        .env("PATH", path)
        .env("AWS_ACCESS_KEY_ID", "AKIATEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", format!("http://{closed}"))
}

#[test]
fn ssh_has_the_terminal_until_it_ends() {
    let muster = muster(SSH);
    let mut terminal = Terminal::start(&muster, &["--state-dir", "state"], 120, 40);
    terminal.sees("AWS could not be asked");
    terminal.keys("2");
    terminal.sees("2 [Instances]");
    terminal.assert_taken();
    terminal.keys("a");
    terminal.sees("this is the node");
    terminal.assert_restored();
    // muster must not read the input that ssh leaves: `qq` would quit it.
    terminal.keys("q is for the node\rqq");
    terminal.sees("2 [Instances]");
    terminal.sees("us-west-2/worker-1");
    terminal.assert_taken();
    let read = |name: &str| fs::read_to_string(muster.folder().join(name)).unwrap();
    assert_eq!(read("typed"), "q is for the node\n");
    let called = read("called");
    assert!(called.contains("-l\nubuntu\n") && called.contains("HostKeyAlias=i-"), "{called}");
    assert!(called.contains("known_hosts"), "{called}");
    terminal.keys("8");
    terminal.sees("8 [Connect]");
    terminal.sees("ray://");
    terminal.keys("qq");
    assert_eq!(terminal.exit_code(), 0);
    terminal.assert_restored();
}
