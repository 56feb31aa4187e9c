//! Files that change while muster runs: noticed, and taken over when asked.

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

    /// Writes `new` in place of `old` in the file `name`, as an editor does: a
    /// new file under the old name.
    fn edit(&self, name: &str, old: &str, new: &str) {
        let (path, next) = (self.folder.path().join(name), self.folder.path().join("next"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(&next, text.replace(old, new)).unwrap();
        fs::rename(next, path).unwrap();
    }

    /// The next answer to which files have changed.
    async fn changed(&mut self) -> Vec<String> {
        let told = self.run.until(|update, _| matches!(update, Update::FilesChanged(_))).await;
        let Update::FilesChanged(files) = told else { unreachable!() };
        let name = |file: &std::sync::Arc<Path>| {
            file.file_name().unwrap_or_default().to_string_lossy().into_owned()
        };
        files.iter().map(name).collect()
    }

    /// Asks for what has changed to be loaded; whether anything was, by the look
    /// that follows on it. The look that is asked for here ends the waiting.
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
async fn a_change_from_outside_is_told_and_taken_over_when_asked() {
    let mut watched = Watched::new();
    watched.run.send(Command::WatchFiles);
    watched.edit("us.yaml", TWO, ONE);
    assert_eq!(watched.changed().await, ["us.yaml"]);
    assert_eq!(watched.run.project.planned_nodes().len(), 6, "not before it is asked for");
    watched.edit("eu.yaml", TWO, ONE);
    assert_eq!(watched.changed().await, ["us.yaml", "eu.yaml"]);
    assert!(watched.reload_changed().await);
    assert_eq!(watched.run.project.planned_nodes().len(), 4);
    assert_eq!(watched.changed().await, [""; 0], "what is read is what is there");
}

/// Watching twice is watching once: else each change would be told twice.
#[tokio::test(start_paused = true)]
async fn what_is_changed_back_is_no_change() {
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
async fn what_has_not_changed_is_not_loaded_again() {
    let mut watched = Watched::new();
    assert!(!watched.reload_changed().await);
    // Written anew with the same text, as by `touch` or a save of nothing.
    watched.edit("us.yaml", TWO, TWO);
    assert!(!watched.reload_changed().await);
    watched.edit("us.yaml", TWO, ONE);
    assert!(watched.reload_changed().await);
    assert!(!watched.reload_changed().await, "it is taken over");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_can_not_be_loaded_is_said_once_and_the_plan_stays() {
    let mut watched = Watched::new();
    watched.edit("eu.yaml", "region: eu-west-1", "regoin: eu-west-1");
    assert!(watched.reload_changed().await);
    let [said] = &watched.run.notices[..] else { unreachable!("{:?}", watched.run.notices) };
    assert!(said.starts_with("the configs can't be loaded: eu.yaml:"), "{said}");
    assert_eq!(watched.run.project.planned_nodes().len(), 6);
    assert!(!watched.reload_changed().await, "it was read, though nothing came of it");
    watched.edit("eu.yaml", "regoin", "region");
    assert!(watched.reload_changed().await);
    assert_eq!(watched.run.notices.len(), 1);
    watched.run.up().await;
    assert!(watched.run.all_ready(), "{:?}", watched.run.notices);
}
