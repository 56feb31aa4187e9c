//! Connections that succeed or fail, and their keys.

use futures_util::future::join_all;
use muster::remote::{Exit, Host, RemoteErrorKind};

use super::{Key, PRINTS, TestHost, World, connect, refused, run};

pub(super) async fn connection_refused(world: &dyn World) {
    let error = refused(world, &world.host(TestHost::Closed)).await;
    assert_eq!(error.kind, RemoteErrorKind::Unreachable, "{error}");
    assert!(error.kind.is_transient(), "it may still boot");
    assert_eq!(error.node, world.host(TestHost::Closed).node);
    assert!(error.message.contains("Connection refused"), "{error}");
}

pub(super) async fn a_key_that_the_node_does_not_know(world: &dyn World) {
    let host = Host { private_key: Some(world.key(Key::Other)), ..world.host(TestHost::Reachable) };
    let error = refused(world, &host).await;
    assert_eq!(error.kind, RemoteErrorKind::Denied, "{error}");
    assert!(error.kind.is_transient(), "cloud-init may still write it");
    assert!(error.message.contains("Permission denied (publickey)"), "{error}");
}

pub(super) async fn a_key_file_that_is_not_there(world: &dyn World) {
    let host =
        Host { private_key: Some(world.key(Key::Missing)), ..world.host(TestHost::Reachable) };
    let error = refused(world, &host).await;
    assert_eq!(error.kind, RemoteErrorKind::Local, "{error}");
    assert!(!error.kind.is_transient());
    assert!(error.message.contains(world.key(Key::Missing).to_str().unwrap()), "{error}");
}

pub(super) async fn another_machine_at_the_same_address(world: &dyn World) {
    connect(world, TestHost::Rekeyed).await.close().await;
    world.change().await;
    let error = refused(world, &world.host(TestHost::Rekeyed)).await;
    assert_eq!(error.kind, RemoteErrorKind::HostKeyChanged, "{error}");
    assert!(!error.kind.is_transient());
}

pub(super) async fn many_connections_at_once(world: &dyn World) {
    let one = async || {
        let session = loop {
            // A real sshd drops some of many simultaneous connections.
            match world.remote().connect(&world.host(TestHost::Reachable)).await {
                Ok(session) => break session,
                Err(error) => assert!(error.kind.is_transient(), "{error}"),
            }
        };
        let (lines, exit) = run(world, &*session, &PRINTS, 0).await;
        session.close().await;
        assert_eq!((lines.len(), exit.unwrap()), (PRINTS.lines.len(), Exit::Status(0)));
    };
    join_all((0..20).map(|_| one())).await;
}

pub(super) async fn private_keys_show_their_public_half(world: &dyn World) {
    let (right, other) = (world.key(Key::Right), world.key(Key::Other));
    let remote = world.remote();
    let (right, other) = (remote.public_key(&right).await, remote.public_key(&other).await);
    let (right, other) = (right.unwrap(), other.unwrap());
    assert_eq!(right.algorithm, "ssh-ed25519");
    assert_ne!(right, other);
}

pub(super) async fn private_keys_that_can_not_be_used(world: &dyn World) {
    for (key, hint) in [
        (Key::Missing, "auth.ssh_private_key"),
        (Key::ReadableByOthers, "chmod 600 "),
        (Key::Passphrase, "ssh-add "),
        (Key::Garbage, "auth.ssh_private_key"),
    ] {
        let path = world.key(key);
        let failure = world.remote().public_key(&path).await.unwrap_err();
        assert!(failure.message.contains(path.to_str().unwrap()), "{key:?}: {failure}");
        assert!(failure.hint.clone().unwrap().contains(hint), "{key:?}: {:?}", failure.hint);
    }
}
