//! Files copied to a node.

use std::fs;

use muster::{
    model::Secret,
    remote::{Exit, Mount, Session},
};
use tokio::sync::mpsc;

use super::{TestHost, World, connect};

/// Writes `content` to `path`; returns the lines printed and the exit.
async fn put(session: &dyn Session, path: &str, content: &str) -> (Vec<String>, Exit) {
    let (sender, mut lines) = mpsc::channel(8);
    let secret = Secret::new(content);
    let (exit, output) = tokio::join!(session.put(path, 0o600, &secret, sender), async {
        let mut output = Vec::new();
        while let Some(line) = lines.recv().await {
            output.push(line);
        }
        output
    });
    (output, exit.unwrap())
}

pub(super) async fn a_file_is_put_there_with_its_mode_and_again_over_itself(world: &dyn World) {
    let session = connect(world, TestHost::Reachable).await;
    for content in ["first\n", "it's $HOME `x` \"y\" \\ and more\nlines", ""] {
        let (output, exit) = put(&*session, ".aws/credentials", content).await;
        assert_eq!((output, exit), (Vec::new(), Exit::Status(0)));
        let kept = world.file(".aws/credentials").await.unwrap();
        assert_eq!(kept, (0o600, content.as_bytes().to_vec()));
    }
    session.close().await;
}

pub(super) async fn a_file_mount_is_copied_to_the_home_folder(world: &dyn World) {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("it's a query.py");
    fs::write(&from, "print(1)\n").unwrap();
    let session = connect(world, TestHost::Reachable).await;
    let (exclude, filter) = (vec!["*.tmp".into()], vec![".gitignore".into()]);
    let mount = Mount { from, to: "~/jobs/query.py".into(), exclude, filter };
    let (sender, mut lines) = mpsc::channel(64);
    let exit = session.sync(&mount, sender).await;
    assert_eq!(exit.unwrap(), Exit::Status(0));
    assert!(lines.recv().await.is_some(), "rsync prints its progress");
    let (_, content) = world.file("jobs/query.py").await.unwrap();
    assert_eq!(content, b"print(1)\n");
    session.close().await;
}
