//! The commands for a running cluster, on the simulated world.

use serde_json::Value;

use crate::support::muster::{FAST, Muster, Ran};

fn fast(args: &[&str]) -> Ran {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    run(&muster, args)
}

fn run(muster: &Muster, args: &[&str]) -> Ran {
    let (options, command) = match args.iter().position(|word| *word == "--") {
        Some(at) => args.split_at(at),
        None => (args, &[][..]),
    };
    let ran = muster.run(&[options, &["--scenario", "fast.toml"], command].concat());
    ran.assert_is_calm();
    ran
}

#[test]
fn export_prints_each_form() {
    let muster = Muster::new();
    muster.file("fast.toml", FAST);
    let state = muster.folder().join("state");
    let state = state.to_str().unwrap_or_default();
    let up = run(&muster, &["up", "--yes", "--state-dir", state]);
    assert_eq!(up.code, Some(0), "{up:#?}");
    let export = |form: &str| {
        let ran = run(&muster, &["export", form, "--state-dir", state]);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        ran
    };
    let document = export("--json").json();
    assert_eq!(document["instance_ids"].as_array().map(Vec::len), Some(9), "{document}");
    let leader = document["leader_public_ip"].as_str().unwrap_or_default().to_owned();
    assert!(export("--env").out.contains(&format!("RAY_ADDRESS='ray://{leader}:10001'")));
    let python = export("--python").out;
    assert!(python.contains(&format!("_RAY_CLIENT = ('{leader}', 10001)")), "{python}");
    assert_eq!(python, run(&muster, &["export", "--state-dir", state]).out, "the usual form");

    let ran = run(&muster, &["export", "-o", "tpch.py", "--state-dir", state]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:#?}");
    let written = std::fs::read_to_string(muster.folder().join("tpch.py"));
    assert_eq!(written.unwrap_or_default(), python);
    let ran = run(&muster, &["export", "-o", "nowhere/tpch.py", "--state-dir", state]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("nowhere/tpch.py"), "{}", ran.err);
}

#[test]
fn exec_prefixes_each_line_with_its_node() {
    let ran = fast(&["exec", "--on", "us-west-2,members", "--", "hostname"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let nodes: Vec<_> = ran.out.lines().filter_map(|line| line.split_once('|')).collect();
    assert_eq!(nodes.len(), 9, "each node once: {}", ran.out);
    assert!(nodes.iter().all(|(_, output)| output.starts_with(" ip-10-")), "{}", ran.out);
    let leader = fast(&["exec", "--on", "leader", "--", "hostname"]);
    assert!(leader.out.starts_with("us-west-2/head | ip-10-"), "{leader:#?}");
}

#[test]
fn exec_names_the_nodes_that_failed() {
    let muster = Muster::new();
    let steps = "[[steps]]\nstep = \"df\"\nnodes = [\"eu-west-1/worker-2\"]\n\
                 output = \"a line\"\nerrors = \"No space left\"\nexit = 3\n";
    muster.file("fast.toml", format!("{FAST}{steps}"));
    let ran = run(&muster, &["exec", "--on", "eu-west-1", "--", "df", "-h"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.out.contains("eu-west-1/worker-2 | a line"), "{}", ran.out);
    assert!(ran.err.contains("eu-west-1/worker-2 | No space left"), "{}", ran.err);
    let summary = "failed on 1 of 3 nodes\n  eu-west-1/worker-2  exit status 3";
    assert!(ran.err.contains(summary), "{}", ran.err);

    let ran = run(&muster, &["exec", "--on", "eu-west-1", "--format", "json", "--", "df", "-h"]);
    let lines: Vec<Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
    let of = |stream: &str| {
        let line = lines.iter().find(|line| line["stream"] == stream);
        line.map(|line| (line["node"].clone(), line["text"].clone()))
    };
    assert_eq!(of("stdout"), Some(("eu-west-1/worker-2".into(), "a line".into())));
    assert_eq!(of("stderr"), Some(("eu-west-1/worker-2".into(), "No space left".into())));
    let ended = lines.iter().filter(|line| line["event"] == "ended");
    assert_eq!(ended.filter(|line| line["exit"] == 0).count(), 2, "{}", ran.out);
    let summary =
        serde_json::json!({"event": "summary", "nodes": 3, "failed": ["eu-west-1/worker-2"]});
    assert_eq!(lines.last(), Some(&summary));
}

#[test]
fn a_node_that_is_not_there_names_the_nearest() {
    let ran = fast(&["exec", "--on", "eu-west-1/wroker-1", "--", "true"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("there is no node eu-west-1/wroker-1"), "{}", ran.err);
    assert!(ran.err.contains("the nearest are eu-west-1/worker-1"), "{}", ran.err);
    let ran = fast(&["exec", "--on", "worker-2", "--", "true"]);
    assert!(ran.err.contains("worker-2 may be any of 3 nodes"), "{}", ran.err);
}

#[test]
fn commands_that_need_real_nodes_report_that_in_one_line() {
    for command in [&["ssh", "leader"][..], &["ssh-config"], &["forward"], &["query"]] {
        let ran = fast(command);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:#?}");
        let what = format!("error: `muster {}` needs real nodes\n", command[0]);
        assert!(ran.err.contains(&what) && ran.err.lines().count() <= 2, "{}", ran.err);
    }
}

#[test]
fn forms_exclude_each_other() {
    let ran = fast(&["export", "--json", "--env"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
}
