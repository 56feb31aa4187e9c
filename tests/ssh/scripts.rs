//! Scripts on a real node.

use std::{fmt::Write, fs, time::Duration};

use muster::remote::{Exit, Script};

use super::{Bench, run, runs, script, until};

#[tokio::test]
async fn stdout_and_stderr_come_in_the_order_they_were_written() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = "i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done";
    let (lines, exit) = run(&*session, &script("order.1", text)).await;
    let expected: Vec<_> =
        (0..500).flat_map(|i| [format!("out {i}"), format!("err {i}")]).collect();
    assert_eq!(exit, Exit::Status(0));
    assert_eq!(lines, expected);
    session.close().await;
}

#[tokio::test]
async fn output_of_every_kind_arrives_as_lines() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = r"printf 'one\r\n10 %%\r100 %%\n\n'; printf 'caf\351\n'
        head -c 20000 /dev/zero | tr '\0' x; echo; printf end; exit 7";
    let (lines, exit) = run(&*session, &script("kinds.1", text)).await;
    assert_eq!(exit, Exit::Status(7));
    assert_eq!(lines[..4], ["one", "100 %", "", "caf\u{fffd}"]);
    assert!(lines[4].ends_with("x … (3616 more bytes)"), "{}", lines[4]);
    assert_eq!(lines[5..], ["end"], "a last line without its ending counts");
    session.close().await;
}

#[tokio::test]
async fn lines_come_while_the_script_runs() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let go_on = bench.sshd.home().join("go on");
    let text = "echo waiting; until [ -e \"$HOME/go on\" ]; do sleep 0.05; done; echo done";
    let (sender, mut lines) = tokio::sync::mpsc::channel(1);
    let waits = script("stream.1", text);
    let watch = async {
        assert_eq!(lines.recv().await.unwrap(), "waiting");
        fs::write(&go_on, "").unwrap();
        assert_eq!(lines.recv().await.unwrap(), "done");
    };
    let (exit, ()) = tokio::join!(session.run(&waits, 0, sender), watch);
    assert_eq!(exit.unwrap(), Exit::Status(0));
    session.close().await;
}

#[tokio::test]
async fn text_and_environment_arrive_as_they_are() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let odd = "it's \"$HOME\" `id` \\ %s\n  second line é !!";
    let mut quoting =
        script("quote.1", "printf '%s|' \"$ODD\"; cat <<'EOF'\n$HOME 'x' \"y\" \\n\nEOF");
    quoting.env.insert("ODD".into(), odd.into());
    let (lines, exit) = run(&*session, &quoting).await;
    assert_eq!(exit, Exit::Status(0));
    assert_eq!(lines.join("\n"), format!("{odd}|$HOME 'x' \"y\" \\n"));
    session.close().await;
}

#[tokio::test]
async fn a_script_may_be_longer_than_a_command_line() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let mut text = String::new();
    for number in 0..10_000 {
        writeln!(text, ": line {number} of a text that no argument list takes").unwrap();
    }
    let (lines, exit) = run(&*session, &script("long.1", &(text + "echo end"))).await;
    assert_eq!((lines, exit), (vec!["end".into()], Exit::Status(0)));
    session.close().await;
}

#[tokio::test]
async fn a_script_finds_the_surroundings_of_a_login() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = "pwd; umask; read -r line || echo no input; echo \"$0\" | grep -c test-abc123";
    let (lines, _) = run(&*session, &script("where.1", text)).await;
    assert_eq!(lines, [bench.sshd.home().to_str().unwrap(), "0022", "no input", "1"]);
    session.close().await;
}

#[tokio::test]
async fn the_process_list_does_not_show_the_script() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = "for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$p; echo; done 2>/dev/null; : mark";
    let mut listing = script("list.1", &format!("{text} OPEN{}SESAME", ""));
    listing.env.insert("WORD".into(), "abra-cadabra".into());
    let (lines, _) = run(&*session, &listing).await;
    assert!(lines.iter().any(|line| line.contains("list.1/script")), "{lines:?}");
    let shown = |word: &str| lines.iter().any(|line| line.contains(word));
    assert!(!shown("OPENSESAME") && !shown("abra-cadabra"));
    session.close().await;
}

#[tokio::test]
async fn the_time_limit_ends_the_whole_process_group() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = "(trap '' TERM; echo $$; sh -c 'echo $PPID; trap \"\" TERM; while :; do sleep 1; done') & wait";
    let stubborn = Script { timeout: Duration::from_secs(1), ..script("limit.1", text) };
    let (lines, exit) = run(&*session, &stubborn).await;
    assert_eq!(exit, Exit::TimedOut);
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|pid| !runs(pid)), "{lines:?} have exited");
    // A second run reports the same.
    assert_eq!(run(&*session, &stubborn).await, (lines, Exit::TimedOut));
    session.close().await;
}

#[tokio::test]
async fn background_processes_of_a_script_keep_running() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let (lines, exit) = run(&*session, &script("daemon.1", "sleep 1000 & echo $!")).await;
    assert_eq!(exit, Exit::Status(0));
    assert!(runs(&lines[0]), "a daemon outlives its step");
    session.close().await;
    assert!(runs(&lines[0]), "and the connection");
    let others = || {
        let daemon: u32 = lines[0].parse().unwrap();
        bench.sshd.processes().into_iter().filter(|pid| *pid != daemon).collect::<Vec<_>>()
    };
    until("nothing else runs on the node", || others().is_empty()).await;
}

#[tokio::test]
async fn odd_keys_and_names_are_refused_here() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let mut named = script("env.1", "true");
    named.env.insert("A B".into(), String::new());
    for refused in [script("../up", "true"), script("nul.1", "a\0b"), named] {
        let (_, outcome) = super::try_run(&*session, &refused, 0).await;
        assert_eq!(outcome.unwrap_err().kind, muster::remote::RemoteErrorKind::Local);
    }
    session.close().await;
}
