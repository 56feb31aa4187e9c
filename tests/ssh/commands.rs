//! Commands and forwarded ports, which belong to a connection and end with it.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use muster::remote::{Printed, RemoteErrorKind, Session, answer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    sync::mpsc,
    time::timeout,
};

use super::{Bench, until};
use crate::support::sshd::Sshd;

/// Runs `command`; returns its lines, with a `!` before those of its stderr.
async fn exec(session: &dyn Session, command: &str) -> (Vec<String>, i32) {
    let (sender, mut receiver) = mpsc::channel(8);
    let gather = async {
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(match line {
                Printed::Out(line) => line,
                Printed::Err(line) => format!("!{line}"),
            });
        }
        lines
    };
    let (status, lines) = tokio::join!(session.exec(command, sender), gather);
    (lines, status.unwrap())
}

#[tokio::test]
async fn an_answer_that_floods_is_cut_and_its_command_ended() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let all = answer(&*session, "seq 3; echo noise >&2", 3).await.unwrap();
    assert_eq!((all.lines.join(" "), all.cut), ("1 2 3".to_owned(), false));
    // Without an end, on its standard error as well.
    let flood = "echo $$ >~/flood; yes >&2 & yes $(seq 1000)";
    let some = answer(&*session, flood, 100_000).await.unwrap();
    assert!(some.cut && some.lines.iter().map(String::len).sum::<usize>() <= 100_000);
    let pid = fs::read_to_string(bench.sshd.home().join("flood")).unwrap();
    let is_there = || fs::exists(format!("/proc/{}", pid.trim())).unwrap();
    until("the command ended", || !is_there()).await;
}

#[tokio::test]
async fn a_command_is_a_line_for_the_shell() {
    let bench = Bench::new();
    fs::write(bench.sshd.home().join(".bashrc"), "echo Welcome; printf 'unfinished '").unwrap();
    let session = bench.connect().await;
    for (command, lines, status) in [
        ("echo one; echo two >&2; exit 3", &["one", "!two"][..], 3),
        ("printf 'no end'", &["no end"], 0),
        ("echo; echo two >&2; echo >&2; echo", &["", "", "!two", "!"], 0),
        // Background processes are not waited for.
        ("sleep 1000 & echo $! >sleeper; echo continued", &["continued"], 0),
        ("kill $(cat sleeper)", &[], 0),
        ("echo \"it's $((1 + 1))\" | tr 2 3", &["it's 3"], 0),
        ("cat; echo nothing on stdin", &["nothing on stdin"], 0),
        ("kill -9 $$", &[], 137),
        ("muster-has-no-such-program 2>/dev/null", &[], 127),
    ] {
        let (mut output, exit) = exec(&*session, command).await;
        // The relative order of the two streams is undefined.
        output.sort_by_key(|line| line.starts_with('!'));
        assert_eq!(
            (output, exit),
            (lines.iter().map(|&one| one.to_owned()).collect(), status),
            "{command}"
        );
    }
    let many = exec(&*session, "seq 20000; seq 20000 >&2").await.0;
    assert_eq!(many.iter().filter(|line| !line.starts_with('!')).count(), 20000);
    assert_eq!(many.len(), 40000);
    session.close().await;
    until("nothing is left on the node", || bench.sshd.processes().is_empty()).await;
}

#[tokio::test]
async fn no_process_of_a_command_outlives_its_connection() {
    // With everything that processes can do to survive.
    let command = "trap '' HUP TERM; (sleep 1000; true) & echo on; sleep 1000; sleep 1000";
    for close in [false, true] {
        let bench = Bench::new();
        let session = bench.connect().await;
        let (sender, mut lines) = mpsc::channel(8);
        tokio::select! {
            status = session.exec(command, sender) => panic!("it sleeps: {status:?}"),
            line = lines.recv() => assert_eq!(line, Some(Printed::Out("on".into()))),
        }
        // The future is dropped; the connection stays, or is closed too.
        if close {
            drop(session);
            until("nothing is left on the node", || bench.sshd.processes().is_empty()).await;
        } else {
            let has_ended = || {
                let text = |pid: u32| {
                    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
                };
                !bench.sshd.processes().into_iter().any(|pid| text(pid).contains("1000"))
            };
            until("the command has ended", has_ended).await;
            assert_eq!(exec(&*session, "echo still").await.0, ["still"]);
            session.close().await;
        }
    }
}

#[tokio::test]
async fn a_node_without_setsid_also_ends_the_command() {
    let bin = tempfile::tempdir().unwrap();
    for tool in ["cat", "sleep", "sh"] {
        std::os::unix::fs::symlink(format!("/bin/{tool}"), bin.path().join(tool)).unwrap();
    }
    fs::set_permissions(bin.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let bench = Bench::of(Sshd::start_with(&format!("PATH={}", bin.path().display())));
    let session = bench.connect().await;
    let (sender, mut lines) = mpsc::channel(8);
    tokio::select! {
        status = session.exec("echo on; exec sleep 1000", sender) => panic!("it sleeps: {status:?}"),
        line = lines.recv() => assert_eq!(line, Some(Printed::Out("on".into()))),
    }
    drop(session);
    until("nothing is left on the node", || bench.sshd.processes().is_empty()).await;
}

#[tokio::test]
async fn a_port_of_the_node_is_at_a_socket_here_until_the_connection_is_lost() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let session = bench.connect().await;
    let socket = session.forward(listener.local_addr().unwrap()).await.unwrap();
    let client = async {
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        stream.write_all(b"to the node").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let node = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        stream.write_all(text.to_uppercase().as_bytes()).await.unwrap();
    };
    let (answer, ()) = tokio::join!(client, node);
    assert_eq!(answer, "TO THE NODE");

    assert!(timeout(Duration::from_millis(100), session.lost()).await.is_err());
    bench.sshd.cut();
    let error = session.lost().await;
    assert_eq!(error.kind, RemoteErrorKind::Lost);
    assert!(error.message.contains("lost"), "{error}");
    session.close().await;
}
