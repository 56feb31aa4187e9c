//! Files that change while muster runs are noticed, and loaded on request.

use std::{fs, path::Path};

use muster::{
    config::{Files, LoadRequest, Overrides},
    engine::{Command, Update},
    journal::Store,
    model::ClusterId,
    sim::World,
};
use tempfile::TempDir;

use super::two_regions;
use crate::support::run::Run;

const TWO: &str = "min_workers: 2";
const ONE: &str = "min_workers: 1";

/// An engine on the two regions whose configs are real files.
struct Watched {
    run: Run,
    folder: TempDir,
}

impl Watched {
    fn new() -> Self {
        let scenario = two_regions("");
        let folder = tempfile::tempdir().unwrap();
        for source in scenario.load_project().sources {
            fs::write(folder.path().join(&source.path), &*source.text).unwrap();
        }
        let recipe = Some(folder.path().join("recipe.yaml"));
        let files = Files::real(LoadRequest {
            folder: folder.path().into(),
            files: vec!["us.yaml".into(), "eu.yaml".into()],
            overrides: Overrides { recipe, ..Overrides::default() },
        });
        let loaded = files.load();
        assert_eq!(loaded.diagnostics, []);
        let project = loaded.project.unwrap().into();
        let store = Store::in_memory(ClusterId::new("test-000001"));
        Self { run: Run::on(World::new(&scenario), project, files, store), folder }
    }

    /// Replaces `old` by `new` in the file `name` as an editor does, with a new file
    /// under the old name.
    fn edit(&self, name: &str, old: &str, new: &str) {
        let (path, next) = (self.folder.path().join(name), self.folder.path().join("next"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(&next, text.replace(old, new)).unwrap();
        fs::rename(next, path).unwrap();
    }

    /// Returns the next list of changed files.
    async fn changed(&mut self) -> Vec<String> {
        let update = self.run.until(|update, _| matches!(update, Update::FilesChanged(_))).await;
        let Update::FilesChanged(files) = update else { unreachable!() };
        let name = |file: &std::sync::Arc<Path>| {
            file.file_name().unwrap_or_default().to_string_lossy().into_owned()
        };
        files.iter().map(name).collect()
    }

    /// Requests a reload of changed files; returns whether anything was loaded, judged
    /// by the refresh that follows. The refresh requested here ends the wait.
    async fn reload_changed(&mut self) -> bool {
        self.run.send(Command::ReloadChanged);
        self.run.send(Command::PlanDown);
        let mut loaded = false;
        loop {
            match self.run.next().await.unwrap() {
                Update::Configs(_) => loaded = true,
                Update::DownPlan(_) => return loaded,
                _ => {}
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_from_outside_is_reported_and_loaded_on_request() {
    let mut watched = Watched::new();
    watched.run.send(Command::WatchFiles);
    watched.edit("us.yaml", TWO, ONE);
    assert_eq!(watched.changed().await, ["us.yaml"]);
    assert_eq!(watched.run.project.planned_nodes().len(), 6, "not before a reload is requested");
    watched.edit("eu.yaml", TWO, ONE);
    assert_eq!(watched.changed().await, ["us.yaml", "eu.yaml"]);
    assert!(watched.reload_changed().await);
    assert_eq!(watched.run.project.planned_nodes().len(), 4);
    assert_eq!(watched.changed().await, [""; 0], "the loaded files are current");
}

/// Watching twice has the effect of watching once; otherwise each change would be reported twice.
#[tokio::test(start_paused = true)]
async fn a_reverted_change_is_no_change() {
    let mut watched = Watched::new();
    watched.run.send(Command::WatchFiles);
    watched.run.send(Command::WatchFiles);
    watched.edit("recipe.yaml", "timeout: 30m", "timeout: 20m");
    assert_eq!(watched.changed().await, ["recipe.yaml"]);
    watched.edit("recipe.yaml", "timeout: 20m", "timeout: 30m");
    assert_eq!(watched.changed().await, [""; 0]);
    fs::remove_file(watched.folder.path().join("eu.yaml")).unwrap();
    assert_eq!(watched.changed().await, ["eu.yaml"]);
}

#[tokio::test(start_paused = true)]
async fn unchanged_files_are_not_reloaded() {
    let mut watched = Watched::new();
    assert!(!watched.reload_changed().await);
    // Rewritten with the same text, as by `touch` or a save without changes.
    watched.edit("us.yaml", TWO, TWO);
    assert!(!watched.reload_changed().await);
    watched.edit("us.yaml", TWO, ONE);
    assert!(watched.reload_changed().await);
    assert!(!watched.reload_changed().await, "it is loaded already");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_can_not_be_loaded_is_reported_once_and_the_plan_stays() {
    let mut watched = Watched::new();
    watched.edit("eu.yaml", "region: eu-west-1", "regoin: eu-west-1");
    assert!(watched.reload_changed().await);
    let [notice] = &watched.run.notices[..] else { unreachable!("{:?}", watched.run.notices) };
    assert!(notice.starts_with("cannot load the configs: eu.yaml:"), "{notice}");
    assert_eq!(watched.run.project.planned_nodes().len(), 6);
    assert!(!watched.reload_changed().await, "it was read, but not loaded");
    watched.edit("eu.yaml", "regoin", "region");
    assert!(watched.reload_changed().await);
    assert_eq!(watched.run.notices.len(), 1);
    watched.run.up().await;
    assert!(watched.run.all_ready(), "{:?}", watched.run.notices);
}
