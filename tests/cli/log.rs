//! muster's own diagnostics: the log and the trace.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't set up should fail")]

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::muster::Muster;

const CHECK: [&str; 3] = ["check", "--scenario", "healthy"];

fn read(muster: &Muster, name: &str) -> String {
    std::fs::read_to_string(muster.folder().join(name)).unwrap()
}

#[test]
fn the_log_file_has_every_call_with_its_region_and_duration() {
    let muster = Muster::new();
    let ran = muster.run(&[&CHECK[..], &["--log-file", "muster.log"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:#?}");
    let log = read(&muster, "muster.log");
    let line = log.lines().find(|line| line.contains("DescribeVpcs") && line.contains("ended"));
    let line = line.unwrap_or_else(|| panic!("no call in {log}"));
    for part in ["DEBUG", "command{name=\"check\"}", "scope=us-west-2", "elapsed_ms="] {
        assert!(line.contains(part), "{part} is missing: {line}");
    }
    assert!(!log.contains('\x1b'), "{log:?}");
    let mode = muster.folder().join("muster.log").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "names and addresses are nobody else's business");
}

#[test]
fn a_level_alone_logs_to_stderr_and_leaves_stdout_as_it_is() {
    let plain = Muster::new().run(&CHECK);
    let ran = Muster::new().env("MUSTER_LOG", "debug").run(&CHECK);
    assert_eq!((ran.code, &ran.out), (Some(0), &plain.out), "{ran:#?}");
    assert!(ran.err.contains("DescribeVpcs"), "{}", ran.err);
    assert_eq!(Muster::new().env("MUSTER_LOG", "error").run(&CHECK).err, "");
}

#[test]
fn the_trace_is_a_document_for_chrome() {
    let muster = Muster::new();
    let ran = muster.run(&[&CHECK[..], &["--trace-json", "trace.json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let trace: Vec<Value> = serde_json::from_str(&read(&muster, "trace.json")).unwrap();
    let calls = |phase| {
        let is = |one: &&Value| one["name"] == "call" && one["ph"] == phase;
        trace.iter().filter(is).count()
    };
    assert!(calls("b") > 10, "{trace:#?}");
    assert_eq!(calls("b"), calls("e"), "every call ends");
}

#[test]
fn a_wrong_level_and_a_file_that_can_not_be_written_are_refused() {
    let ran = Muster::new().env("MUSTER_LOG", "loud").run(&CHECK);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:#?}");
    assert!(ran.err.contains("MUSTER_LOG=loud is not a level"), "{}", ran.err);
    for option in ["--log-file", "--trace-json"] {
        let ran = Muster::new().run(&[&CHECK[..], &[option, "missing/file"]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:#?}");
        assert!(ran.err.contains("cannot write missing/file"), "{}", ran.err);
    }
}
