//! Two engines on one cluster's folder: the second is read-only, and writes once the
//! first has ended, however it ended.

use std::{path::Path, sync::Arc};

use muster::{
    config::{Files, Overrides},
    engine::{self, Command, Event, Handle, Parts, Phase, RunState, Update},
    journal::Store,
    sim::World,
};

use super::two_regions;

/// The world, the project, and the cluster's folder of both engines.
struct Scene {
    world: Arc<World>,
    files: Files,
    folder: tempfile::TempDir,
}

/// An engine and the updates received from it so far.
struct RunningEngine {
    handle: Handle,
    state: RunState,
    refused: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let scenario = two_regions("");
        let files = scenario.files(Overrides::default());
        Self { world: World::new(&scenario), files, folder: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> Store {
        Store::open(self.folder.path(), "story").unwrap()
    }

    fn engine(&self) -> RunningEngine {
        let handle = engine::start(Parts {
            project: Arc::new(self.files.load().project.unwrap()),
            files: self.files.clone(),
            cloud: self.world.cloud(),
            remote: self.world.remote(),
            clock: self.world.clock(),
            store: self.open(),
        });
        RunningEngine { state: handle.state.clone(), handle, refused: Vec::new() }
    }
}

impl RunningEngine {
    fn send(&self, command: Command) {
        self.handle.commands.send(command).unwrap();
    }

    async fn until(&mut self, fits: impl Fn(&Update, &RunState) -> bool) -> Update {
        loop {
            let update = self.handle.updates.recv().await.unwrap();
            match &update {
                Update::Event(stamped) => self.state.apply(stamped),
                Update::Refused(failure) => self.refused.push(failure.to_string()),
                _ => {}
            }
            if fits(&update, &self.state) {
                return update;
            }
        }
    }

    async fn kill(self) {
        self.handle.task.abort();
        assert!(self.handle.task.await.unwrap_err().is_cancelled());
    }
}

fn half_ready(state: &RunState) -> bool {
    state.nodes.values().any(|node| node.phase == Phase::Ready)
}

/// Returns the sequence numbers of a cluster's records on disk.
fn numbers(folder: &Path) -> Vec<u64> {
    let store = Store::peek(folder, "story").unwrap();
    let mut store = store.unwrap();
    store.take_records().iter().map(|record| record.seq).collect()
}

#[tokio::test(start_paused = true)]
async fn once_the_writer_is_killed_the_reader_becomes_the_writer() {
    let scene = Scene::new();
    let mut first = scene.engine();
    first.send(Command::Up);
    first.until(|_, state| state.cluster.is_some()).await;
    let mut second = scene.engine();
    assert!(second.handle.read_only.is_some());
    second.until(|_, state| half_ready(state)).await;
    second.send(Command::Up);
    second.until(|update, _| matches!(update, Update::Refused(_))).await;
    assert!(second.refused[0].contains("another muster"), "{:?}", second.refused);

    first.kill().await;
    second.until(|update, _| matches!(update, Update::ReadOnly(None))).await;
    second.send(Command::Up);
    second.until(|update, _| matches!(update, Update::UpEnded)).await;
    assert!(second.state.nodes.values().all(|node| node.phase == Phase::Ready));
    let on_record = numbers(scene.folder.path());
    assert_eq!(on_record, (1..=on_record.len() as u64).collect::<Vec<_>>(), "without gaps");
    assert!(scene.open().read_only().is_some(), "it is the writer now");
}

/// There was no cluster when the second began; the first launched one and ended.
#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_launched_meanwhile_is_not_launched_again() {
    let scene = Scene::new();
    let mut first = scene.engine();
    let mut second = scene.engine();
    first.send(Command::Up);
    first.until(|update, _| matches!(update, Update::UpEnded)).await;
    let cluster = first.state.cluster.clone().unwrap();
    first.kill().await;

    let update = second.until(|update, _| matches!(update, Update::ReadOnly(Some(_)))).await;
    let Update::ReadOnly(Some(why)) = update else { unreachable!() };
    assert!(why.contains(cluster.as_str()) && why.contains("restart muster"), "{why}");
    second.send(Command::Up);
    second.until(|update, _| matches!(update, Update::Refused(_))).await;
    assert!(second.refused[0].contains(cluster.as_str()), "{:?}", second.refused);
    assert_eq!(scene.world.calls("RunInstances"), 4, "launched once");
    assert_eq!(
        scene.open().cluster(),
        &cluster,
        "its lock is free: the next muster continues with it"
    );
}

/// A refresh sees instances terminate that the termination sees as well.
#[tokio::test(start_paused = true)]
async fn each_change_of_an_instance_is_journaled_once() {
    let scene = Scene::new();
    let mut engine = scene.engine();
    engine.send(Command::Up);
    engine.until(|update, _| matches!(update, Update::UpEnded)).await;
    engine.send(Command::PlanDown);
    let planned = engine.until(|update, _| matches!(update, Update::DownPlan(_))).await;
    let Update::DownPlan(plan) = planned else { unreachable!() };
    engine.send(Command::Down(plan));
    engine.send(Command::Refresh);
    let ended = |update: &Update| matches!(update, Update::DownEnded(left) if left.is_empty());
    engine.until(|update, _| ended(update)).await;
    let mut store = Store::peek(scene.folder.path(), "story").unwrap();
    let records = store.as_mut().map(Store::take_records).unwrap_or_default();
    assert!(records.is_empty(), "terminated, so not current");
    let journal = std::fs::read_dir(scene.folder.path().join("story")).unwrap();
    let folder = journal.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    let text = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    let mut changes = std::collections::BTreeMap::<String, u32>::new();
    for line in text.lines() {
        let stamped: engine::Stamped = serde_json::from_str(line).unwrap();
        if let Event::InstanceChanged { instance, state, .. } = stamped.event {
            *changes.entry(format!("{instance} {state:?}")).or_default() += 1;
        }
    }
    let ends = changes.keys().filter(|key| key.ends_with("Terminated")).count();
    assert_eq!(ends, 6, "{changes:#?}");
    let twice: Vec<_> =
        changes.iter().filter(|(key, n)| key.contains("Terminated") && **n > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
}
