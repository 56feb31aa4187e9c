//! Nodes that lack what muster expects.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use muster::remote::{Exit, RemoteErrorKind, Script};
use tokio::sync::mpsc;

use super::{Bench, run, runs, script, try_run, until};
use crate::support::sshd::Sshd;

#[tokio::test]
async fn a_login_shell_may_talk() {
    let bench = Bench::new();
    fs::write(bench.sshd.home().join(".bashrc"), "echo Welcome; printf 'unfinished '").unwrap();
    let session = bench.connect().await;
    let (lines, _) = run(&*session, &script("talk.1", "echo mine")).await;
    assert_eq!(lines, ["mine"]);
    session.close().await;
}

#[tokio::test]
async fn a_node_with_few_tools() {
    let bin = tempfile::tempdir().unwrap();
    few_tools(bin.path());
    let bench = Bench::of(Sshd::start_with(&format!("PATH={}", bin.path().display())));
    steps_run_and_end(&bench).await;
}

#[tokio::test]
async fn a_node_with_busybox() {
    let bin = tempfile::tempdir().unwrap();
    let mut install = Command::new("busybox");
    install.args(["--install", "-s"]).arg(bin.path());
    let installed = install.status().expect("busybox is not there: run ./scripts/test");
    assert!(installed.success());
    let bench = Bench::of(Sshd::start_with(&format!("PATH={}", bin.path().display())));
    steps_run_and_end(&bench).await;
    let stubborn = "echo $$; trap '' TERM; while :; do sleep 1; done";
    time_out(&bench, &script("stubborn.1", stubborn)).await;
}

async fn steps_run_and_end(bench: &Bench) {
    let session = bench.connect().await;
    let text = "echo one; sleep 0.3; echo two >&2; sleep 0.3; printf three; exit 4";
    let (lines, exit) = run(&*session, &script("few.1", text)).await;
    assert_eq!((lines.join(" "), exit), ("one two three".into(), Exit::Status(4)));
    let (lines, _) = try_run(&*session, &script("few.1", text), 2).await;
    assert_eq!(lines, ["three"]);
    session.close().await;
    time_out(bench, &script("few.2", "echo $$; exec sleep 1000")).await;
}

/// Runs `script`, which prints its pid and runs forever, until it times out.
async fn time_out(bench: &Bench, script: &Script) {
    let session = bench.connect().await;
    let script = Script { timeout: Duration::from_secs(1), ..script.clone() };
    let (lines, exit) = run(&*session, &script).await;
    assert_eq!(exit, Exit::TimedOut);
    assert!(!runs(&lines[0]), "{lines:?} has exited");
    session.close().await;
}

/// Fills `bin` with few tools: no setsid, a tail without `--pid`, and bash as sh.
fn few_tools(bin: &Path) {
    for tool in ["cat", "mkdir", "mv", "rm", "sleep", "nohup"] {
        symlink(which(tool), bin.join(tool)).unwrap();
    }
    symlink("/bin/bash", bin.join("sh")).unwrap();
    let tail = format!(
        "#!/bin/sh\ncase \" $* \" in *--*) exit 1;; esac\nexec {} \"$@\"\n",
        which("tail").display()
    );
    fs::write(bin.join("tail"), tail).unwrap();
    fs::set_permissions(bin.join("tail"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn which(tool: &str) -> PathBuf {
    let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
    found.into_iter().find(|path| path.exists()).unwrap()
}

#[tokio::test]
async fn a_node_that_has_restarted_runs_the_step_again() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = "echo started; [ -e again ] || { touch again; exec sleep 1000; }; echo done";
    let step = script("boot.1", text);
    let (sender, mut lines) = mpsc::channel(10);
    tokio::select! {
        _ = session.run(&step, 0, sender) => panic!("it sleeps"),
        line = lines.recv() => assert_eq!(line.unwrap(), "started"),
    }
    // As after a power cut: the processes have ended and the boot id has changed.
    let folder = bench.on_the_node("boot.1");
    let wrapper = fs::read_to_string(folder.join("pid")).unwrap();
    super::end_session_of(&wrapper);
    until("the wrapper has exited", || !runs(&wrapper)).await;
    fs::remove_file(folder.join("status")).ok();
    fs::write(folder.join("boot"), "another-boot 1\n").unwrap();

    let (lines, exit) = try_run(&*session, &step, 1).await;
    assert_eq!(exit.unwrap(), Exit::Status(0));
    let note = "muster: the node has restarted; this step runs again";
    assert_eq!(lines, [note, "started", "done"]);
    session.close().await;
}

#[tokio::test]
async fn a_step_that_was_killed_with_its_wrapper_has_failed() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let step = script("oom.1", "printf 'half a line'; exec sleep 1000");
    let (sender, _lines) = mpsc::channel(10);
    let kill = async {
        let pid = bench.on_the_node("oom.1").join("pid");
        until("it runs", || {
            fs::read(bench.on_the_node("oom.1").join("log")).is_ok_and(|log| !log.is_empty())
        })
        .await;
        super::end_session_of(&fs::read_to_string(pid).unwrap());
    };
    let (exit, ()) = tokio::join!(session.run(&step, 0, sender), kill);
    assert_eq!(exit.unwrap(), Exit::Status(137));
    let (lines, exit) = run(&*session, &step).await;
    assert_eq!(exit, Exit::Status(137));
    assert_eq!(lines, ["half a line", "muster: something on the node killed this step"]);
    session.close().await;
}

#[tokio::test]
async fn a_node_with_a_read_only_disk_is_reported() {
    let bench = Bench::new();
    fs::write(bench.sshd.home().join(".muster"), "a file, where a folder has to be").unwrap();
    let session = bench.connect().await;
    let (lines, exit) = run(&*session, &script("full.1", "true")).await;
    assert_eq!(exit, Exit::Status(126));
    assert!(lines[0].starts_with("muster: can't make ") && lines.len() == 1, "{lines:?}");
    session.close().await;
}

#[tokio::test]
async fn an_account_without_a_shell_is_not_let_in() {
    let mut bench = Bench::new();
    bench.sshd.force_command("echo Please log in as ubuntu; exit 142");
    let error = bench.refused(&bench.host("i-1")).await;
    assert_eq!(error.kind, RemoteErrorKind::Denied);
    assert!(error.message.contains("Please log in as ubuntu"), "{}", error.message);
}
