//! Connections that succeed, break, or fail.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use muster::{
    model::Fingerprint,
    remote::{Exit, Host, Remote, RemoteErrorKind},
};
use tokio::{io::AsyncWriteExt, sync::mpsc};

use super::{Bench, remote, run, script, try_run, until};
use crate::support::sshd::{ShutPort, Sshd, keygen, write_ssh_config};

#[tokio::test]
async fn a_broken_connection_is_picked_up() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = "echo one; echo two; until [ -e go ]; do sleep 0.05; done; echo three; exit 5";
    let step = script("lost.1", text);
    let (sender, mut lines) = mpsc::channel(10);
    let cut = async {
        lines.recv().await.unwrap();
        assert_eq!(lines.recv().await.unwrap(), "two");
        bench.sshd.cut();
    };
    let (outcome, ()) = tokio::join!(session.run(&step, 0, sender), cut);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, RemoteErrorKind::Lost, "{error}");
    assert!(error.message.contains("lost"), "{error}");
    session.close().await;

    fs::write(bench.sshd.home().join("go"), "").unwrap();
    let session = bench.connect().await;
    let (lines, exit) = try_run(&*session, &step, 2).await;
    assert_eq!((lines, exit.unwrap()), (vec!["three".into()], Exit::Status(5)));
    session.close().await;
}

#[tokio::test]
async fn a_dropped_connection_ends_here_and_not_there() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let text = "echo on; until [ -e go ]; do sleep 0.05; done; touch continued";
    let step = script("drop.1", text);
    let (sender, mut lines) = mpsc::channel(10);
    tokio::select! {
        _ = session.run(&step, 0, sender) => panic!("it waits"),
        line = lines.recv() => assert_eq!(line.unwrap(), "on"),
    }
    let begun = Instant::now();
    drop(session);
    assert!(begun.elapsed() < Duration::from_millis(200), "dropping blocks nobody");
    until("no ssh of ours runs", || bench.masters() == 0).await;
    fs::write(bench.sshd.home().join("go"), "").unwrap();
    until("the script went on", || bench.sshd.home().join("continued").exists()).await;
    until("nothing is left on the node", || bench.sshd.processes().is_empty()).await;
}

#[tokio::test]
async fn closing_leaves_nothing_behind() {
    let bench = Bench::new();
    let session = bench.connect().await;
    assert_eq!(bench.masters(), 1, "one ssh for all commands");
    run(&*session, &script("close.1", "true")).await;
    session.close().await;
    assert_eq!(bench.masters(), 0);
    until("nothing is left on the node", || bench.sshd.processes().is_empty()).await;
}

#[tokio::test]
async fn closing_does_not_wait_for_a_node_that_went_silent() {
    let bench = Bench::new();
    let session = bench.connect().await;
    bench.sshd.freeze();
    let begun = Instant::now();
    session.close().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(bench.masters(), 0);
}

#[tokio::test]
async fn two_connections_share_one_run() {
    let bench = Bench::new();
    let (one, two) = tokio::join!(bench.connect(), bench.connect());
    let step = script("twice.1", "echo run >>count; sleep 0.3; cat count");
    let (first, second) = tokio::join!(run(&*one, &step), run(&*two, &step));
    assert_eq!(first, (vec!["run".into()], Exit::Status(0)));
    assert_eq!(first, second);
    tokio::join!(one.close(), two.close());
}

#[tokio::test]
async fn many_nodes_at_once() {
    let bench = Bench::new();
    let connect = async |number: usize| {
        let host = bench.host(&format!("i-{number}"));
        loop {
            // sshd's default MaxStartups drops some of many simultaneous connections.
            match bench.remote.connect(&host).await {
                Ok(session) => break session,
                Err(error) => assert!(error.kind.is_transient(), "{error}"),
            }
        }
    };
    let one = async |number: usize| {
        let session = connect(number).await;
        let (lines, exit) = run(&*session, &script("many.1", "echo \"$0\"")).await;
        session.close().await;
        assert_eq!(exit, Exit::Status(0));
        lines[0].clone()
    };
    let outputs = join_all((0..20).map(one)).await;
    for (number, line) in outputs.iter().enumerate() {
        assert!(line.ends_with(&format!("/i-{number}/many.1/script")), "{line}");
    }
    let known = fs::read_to_string(bench.folder.path().join("known_hosts")).unwrap();
    let mut pinned: Vec<_> = known.lines().map(|line| line.split(' ').next().unwrap()).collect();
    pinned.sort_unstable();
    pinned.dedup();
    assert_eq!(pinned.len(), 20, "{known}");
}

#[tokio::test]
async fn another_machine_at_the_same_address() {
    let mut bench = Bench::new();
    bench.connect().await.close().await;
    bench.sshd.change_host_key();
    let error = bench.refused(&bench.host("i-1")).await;
    assert_eq!(error.kind, RemoteErrorKind::HostKeyChanged);
    let known_hosts = bench.folder.path().join("known_hosts");
    let place = format!("pinned in {}:1", known_hosts.display());
    assert!(error.message.contains(&place), "{}", error.message);
    // Another instance at that address may have that key.
    bench.remote.connect(&bench.host("i-2")).await.unwrap().close().await;
}

#[tokio::test]
async fn another_machine_with_a_key_of_another_type() {
    let mut bench = Bench::new();
    bench.connect().await.close().await;
    let first = bench.remote.pinned_host_keys(&bench.host("i-1")).unwrap();
    let own = Fingerprint::of_public_key(&bench.sshd.host_key()).unwrap();
    assert_eq!(first, [own]);
    bench.sshd.change_host_key_to("ecdsa");
    let error = bench.refused(&bench.host("i-1")).await;
    assert_eq!(error.kind, RemoteErrorKind::HostKeyChanged, "{error}");
    assert_eq!(bench.remote.pinned_host_keys(&bench.host("i-1")).unwrap(), first);
    assert_eq!(bench.remote.pinned_host_keys(&bench.host("i-2")).unwrap(), []);
}

#[tokio::test]
async fn nobody_listens() {
    let bench = Bench::new();
    let config = bench.folder.path().join("nowhere");
    let shut = ShutPort::take();
    write_ssh_config(&config, shut.number());
    let remote = remote(&bench.folder.path().join("other"), &config);
    let error = remote.connect(&bench.host("i-1")).await.err().unwrap();
    assert_eq!(error.kind, RemoteErrorKind::Unreachable);
    assert!(error.message.contains("Connection refused"), "{}", error.message);
    assert!(!error.message.starts_with("ssh: "), "{}", error.message);
}

/// Three kinds of silence in one test, since each takes seconds.
#[tokio::test]
async fn silence_is_noticed() {
    let began = Instant::now();
    tokio::join!(no_banner(), no_handshake(), no_answer_any_more());
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

async fn no_banner() {
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    silent_listener(&mute, "connected, but no SSH banner within 5 s").await;
}

async fn no_handshake() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let greet = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-half\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = greet => {}
        () = silent_listener(&listener, "connected, but no shell on 192.0.2.7 within 15 s") => {}
    }
}

async fn silent_listener(listener: &tokio::net::TcpListener, what: &str) {
    let bench = Bench::new();
    let config = bench.folder.path().join("config");
    write_ssh_config(&config, listener.local_addr().unwrap().port());
    let remote = remote(&bench.folder.path().join("other"), &config);
    let error = remote.connect(&bench.host("i-1")).await.err().unwrap();
    assert_eq!(error.kind, RemoteErrorKind::Unresponsive, "{error}");
    assert!(error.message.contains(what), "{error}");
    let hint = muster::model::Failure::from(&error).hint.unwrap();
    assert!(hint.contains("console output") && !hint.contains("port 22"), "{hint}");
    until("no ssh of ours runs", || bench.masters() == 0).await;
}

async fn no_answer_any_more() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let (sender, mut lines) = mpsc::channel(1);
    let freeze = async {
        lines.recv().await.unwrap();
        bench.sshd.freeze();
    };
    let step = script("silent.1", "echo on; exec sleep 1000");
    let (outcome, ()) = tokio::join!(session.run(&step, 0, sender), freeze);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, RemoteErrorKind::Lost);
    assert!(error.message.contains("not responding"), "{error}");
    session.close().await;
}

/// A logout removes the user's runtime folder, including sockets and ssh's config.
#[tokio::test]
async fn a_runtime_folder_that_was_removed_is_created_again() {
    let bench = Bench::new();
    let session = bench.connect().await;
    let config = bench.ssh_config_in_use();
    fs::remove_dir_all(config.parent().unwrap()).unwrap();
    let (_, outcome) = try_run(&*session, &script("before.1", "true"), 0).await;
    assert_eq!(outcome.unwrap_err().kind, RemoteErrorKind::Lost, "the step is picked up");
    session.close().await;
    let session = bench.connect().await;
    let (lines, exit) = run(&*session, &script("after.1", "echo here")).await;
    assert_eq!((lines, exit), (vec!["here".into()], Exit::Status(0)));
    assert_ne!(bench.ssh_config_in_use(), config);
    session.close().await;
}

#[tokio::test]
async fn a_key_that_is_not_let_in() {
    let bench = Bench::new();
    let key = bench.folder.path().join("other_key");
    keygen(&key, &["-t", "ed25519"]);
    let host = Host { private_key: Some(key), ..bench.host("i-1") };
    let error = bench.refused(&host).await;
    assert_eq!(error.kind, RemoteErrorKind::Denied);
    assert!(error.message.contains("Permission denied (publickey)"), "{}", error.message);
}

#[tokio::test]
async fn an_unusable_key_for_ssh() {
    let bench = Bench::new();
    let garbage = bench.folder.path().join("garbage");
    fs::write(&garbage, "not a key").unwrap();
    fs::set_permissions(&garbage, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let open = bench.folder.path().join("open");
    fs::copy(bench.sshd.private_key(), &open).unwrap();
    fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    for key in [garbage, open, bench.folder.path().join("missing")] {
        let host = Host { private_key: Some(key.clone()), ..bench.host("i-1") };
        let error = bench.refused(&host).await;
        assert_eq!(error.kind, RemoteErrorKind::Local, "{error}");
        assert!(error.message.contains(key.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn an_unreadable_ssh_config() {
    let bench = Bench::new();
    let config = bench.folder.path().join("broken");
    fs::write(&config, "Host *\n    Prot 22\n").unwrap();
    let remote = remote(&bench.folder.path().join("other"), &config);
    let error = remote.connect(&bench.host("i-1")).await.err().unwrap();
    assert_eq!(error.kind, RemoteErrorKind::Local);
    assert!(error.message.contains("broken") && error.message.contains("prot"), "{error}");
}

#[tokio::test]
async fn the_operators_own_settings_do_not_get_in_the_way() {
    let sshd = Sshd::start();
    let own = tempfile::tempdir().unwrap();
    let config = own.path().join("config");
    let text = format!(
        "Host *\n HostName 127.0.0.1\n Port {port}\n User nobody\n ControlMaster auto\n \
         ControlPath {folder}/%h\n ControlPersist yes\n RemoteCommand false\n RequestTTY force\n \
         LogLevel QUIET\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n \
         LocalForward {port} localhost:1\n ExitOnForwardFailure yes\n HostKeyAlias everyone\n",
        port = sshd.port(),
        folder = own.path().display(),
    );
    fs::write(&config, text).unwrap();
    let mut bench = Bench::with_config(sshd, &config);
    let session = bench.connect().await;
    let (lines, _) = run(&*session, &script("own.1", "tty")).await;
    assert_eq!(lines, ["not a tty"]);
    session.close().await;
    assert_eq!(fs::read_dir(own.path()).unwrap().count(), 1, "no control socket of its own");
    assert_eq!(bench.masters(), 0);
    bench.sshd.change_host_key();
    let error = bench.refused(&bench.host("i-1")).await;
    assert_eq!(error.kind, RemoteErrorKind::HostKeyChanged, "{error}");
}

#[tokio::test]
async fn through_a_jump_host() {
    let sshd = Sshd::start();
    let own = tempfile::tempdir().unwrap();
    let config = own.path().join("config");
    let text = format!(
        "Host bastion\n HostName 127.0.0.1\n Port {port}\n User {user}\n IdentityFile {key}\n \
         UserKnownHostsFile {folder}/bastion_keys\n\
         Host 192.0.2.*\n HostName 127.0.0.1\n Port {port}\n ProxyJump bastion\n",
        port = sshd.port(),
        user = Sshd::user(),
        key = sshd.private_key().display(),
        folder = own.path().display(),
    );
    fs::write(&config, text).unwrap();
    let bench = Bench::with_config(sshd, &config);
    let session = bench.connect().await;
    let (lines, _) = run(&*session, &script("jump.1", "echo there")).await;
    assert_eq!(lines, ["there"]);
    session.close().await;
    until("both connections are closed", || bench.masters() == 0).await;
    let bastion = fs::read_to_string(own.path().join("bastion_keys")).unwrap();
    assert!(!bastion.is_empty(), "pinned where the operator's config specifies");
    let known = fs::read_to_string(bench.folder.path().join("known_hosts")).unwrap();
    assert!(known.starts_with("i-1 ") && known.lines().count() == 1, "{known}");
}

#[tokio::test]
async fn through_a_proxy_command_that_is_given_the_instance_s_id() {
    let sshd = Sshd::start();
    let own = tempfile::tempdir().unwrap();
    let (config, asked) = (own.path().join("config"), own.path().join("asked"));
    fs::write(&config, "").unwrap();
    let command = format!(
        "sh -c 'echo %h:%p > {}; exec busybox nc 127.0.0.1 {}'",
        asked.display(),
        sshd.port(),
    );
    let bench = Bench::with_config(sshd, &config);
    for (by_id, expected) in [(true, "i-1:22\n"), (false, "192.0.2.7:22\n")] {
        let proxy_command = Some(command.clone());
        let host = Host { proxy_command, proxy_by_id: by_id, ..bench.host("i-1") };
        let session = bench.remote.connect(&host).await.unwrap();
        let (lines, _) = run(&*session, &script("proxy.1", "echo there")).await;
        assert_eq!(lines, ["there"]);
        session.close().await;
        assert_eq!(fs::read_to_string(&asked).unwrap(), expected);
    }
    let known = fs::read_to_string(bench.folder.path().join("known_hosts")).unwrap();
    assert!(known.starts_with("i-1 ") && known.lines().count() == 1, "{known}");
}
