//! Journals of a newer version: unknown events are skipped, and a newer format allows
//! only reports and termination.

use std::path::Path;

use muster::{
    engine::{Command, Update},
    journal::{FORMAT, JournalFile, Store},
};

use super::bytes::Scene;

const EVENT: &str =
    "{\"seq\":9,\"at\":\"2027-01-01T00:00:00Z\",\"event\":\"node-renamed\",\"node\":{}}";

fn newer_run(format: u32) -> String {
    let run = "\"event\":\"run-started\",\"version\":\"9.0.0\"";
    format!("{{\"seq\":9,\"at\":\"2027-01-01T00:00:00Z\",{run},\"format\":{format}}}")
}

fn journal(scene: &Scene, lines: &[&str]) -> Vec<u8> {
    let mut text = scene.journal.clone();
    for line in lines {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    text
}

#[tokio::test(start_paused = true)]
async fn an_unknown_event_is_kept_and_ignored() {
    let scene = Scene::new().await;
    let text = journal(&scene, &[EVENT]);
    let folder = Scene::folder_with(&text);
    let mut engine = scene.engine(folder.path());
    let damage = engine.handle.damage.clone().unwrap().to_string();
    assert!(damage.contains("event `node-renamed` of a newer version"), "{damage}");
    engine.up().await;
    assert_eq!(scene.ids().await, scene.ids);
    let after = std::fs::read(path(folder.path())).unwrap();
    assert!(after.starts_with(&text), "kept as it is");
}

#[tokio::test(start_paused = true)]
async fn a_newer_format_is_only_reported_and_terminated_by() {
    let scene = Scene::new().await;
    let folder = Scene::folder_with(&journal(&scene, &[&newer_run(FORMAT + 1), EVENT]));
    let contents = JournalFile::read(&path(folder.path())).unwrap();
    assert_eq!(contents.format, FORMAT + 1);
    let mut engine = scene.engine(folder.path());
    for command in [Command::Up, Command::RetryNode("eu-west-1/head".into()), Command::Restart] {
        let refused = engine.answer(command, |update| match update {
            Update::Refused(failure) => Some(failure.clone()),
            _ => None,
        });
        let refused = refused.await;
        assert!(refused.message.contains("a newer version of muster"), "{refused}");
        assert!(refused.hint.unwrap().contains("`muster down`"));
    }
    engine.down().await;
    assert!(scene.ids().await.is_empty());
    assert!(Store::peek(folder.path(), "story").unwrap().is_none(), "terminated");
}

fn path(state_dir: &Path) -> std::path::PathBuf {
    state_dir.join("story").join(super::bytes::CLUSTER).join("journal.jsonl")
}
