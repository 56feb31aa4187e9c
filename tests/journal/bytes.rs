//! A cluster of six nodes, and the next muster with a damaged journal: cut after any
//! byte, with flipped bits, or without a journal. `up` launches no node twice, and
//! `down` terminates all.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    path::Path,
    sync::Arc,
};

use muster::{
    cloud::InstanceFilter,
    config::{Files, Overrides},
    engine::{self, Command, DownPlan, Handle, Parts, Update},
    journal::{JournalFile, Store},
    model::{ClusterId, InstanceId},
    sim::{Scenario, World},
};

pub const CLUSTER: &str = "story-abc123";

/// A world with a running cluster, and its journal.
pub struct Scene {
    world: Arc<World>,
    files: Files,
    pub journal: Vec<u8>,
    pub ids: BTreeSet<InstanceId>,
}

/// An engine on a given journal.
pub struct Engine {
    pub handle: Handle,
}

impl Scene {
    pub async fn new() -> Self {
        let scenario = Scenario::parse(include_str!("../engine/two_regions.toml")).unwrap();
        let files = scenario.files(Overrides::default());
        let (world, journal) = (World::new(&scenario), Vec::new());
        let mut scene = Self { world, files, journal, ids: BTreeSet::new() };
        let folder = Scene::folder_with(b"");
        let mut engine = scene.engine(folder.path());
        engine.up().await;
        engine.end().await;
        scene.journal = std::fs::read(journal_in(folder.path())).unwrap();
        scene.ids = scene.ids().await;
        assert_eq!(scene.ids.len(), 6);
        scene
    }

    /// Returns a state directory with this journal of the cluster.
    pub fn folder_with(journal: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = journal_in(folder.path());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, journal).unwrap();
        folder
    }

    /// Starts the next process.
    pub fn engine(&self, state_dir: &Path) -> Engine {
        let store = Store::open(state_dir, "story").unwrap();
        assert_eq!(store.cluster().as_str(), CLUSTER, "its folder names it");
        let handle = engine::start(Parts {
            project: Arc::new(self.files.load().project.unwrap()),
            files: self.files.clone(),
            cloud: self.world.cloud(),
            remote: self.world.remote(),
            clock: self.world.clock(),
            store,
        });
        Engine { handle }
    }

    /// Returns the instances that carry the cluster's id and are not terminated.
    pub async fn ids(&self) -> BTreeSet<InstanceId> {
        let cloud = self.world.cloud();
        let filter = InstanceFilter::cluster(&ClusterId::new(CLUSTER));
        let mut ids = BTreeSet::new();
        for region in self.files.load().project.unwrap().region_names() {
            let found = cloud.instances(&region, &filter).await.unwrap();
            ids.extend(found.into_iter().filter(|one| one.state.is_live()).map(|one| one.id));
        }
        ids
    }

    /// On `journal` `down` would terminate the six, and `up` ends with them and no other.
    async fn comes_up_with(&self, journal: &[u8], what: &str) {
        let folder = Self::folder_with(journal);
        let mut engine = self.engine(folder.path());
        let plan = DownPlan::clone(&*engine.plan_down().await).including_unrecorded();
        let reached: BTreeSet<_> = plan.terminate.into_iter().map(|(_, one)| one.id).collect();
        assert_eq!(reached, self.ids, "{what}: {:?}", engine.handle.damage);
        engine.up().await;
        assert_eq!(self.ids().await, self.ids, "{what}: {:?}", engine.handle.damage);
        engine.end().await;
    }
}

impl Engine {
    /// Sends `command` and waits for its answer.
    pub async fn answer<T>(
        &mut self,
        command: Command,
        answer: impl Fn(&Update) -> Option<T>,
    ) -> T {
        self.handle.commands.send(command).unwrap();
        loop {
            let update = self.handle.updates.recv().await.unwrap();
            if let Some(answer) = answer(&update) {
                return answer;
            }
        }
    }

    pub async fn up(&mut self) {
        self.answer(Command::Up, |update| match update {
            Update::Refused(failure) => panic!("{failure}"),
            update => matches!(update, Update::UpEnded).then_some(()),
        })
        .await;
    }

    async fn plan_down(&mut self) -> Arc<DownPlan> {
        let planned = |update: &Update| match update {
            Update::DownPlan(plan) => Some(plan.clone()),
            _ => None,
        };
        self.answer(Command::PlanDown, planned).await
    }

    /// Terminates everything that carries the cluster's id.
    pub async fn down(&mut self) -> bool {
        let plan = self.plan_down().await;
        let plan = Arc::new(DownPlan::clone(&plan).including_unrecorded());
        let ended = |update: &Update| match update {
            Update::DownEnded(unfinished) => Some(unfinished.is_empty()),
            _ => None,
        };
        self.answer(Command::Down(plan), ended).await
    }

    async fn end(mut self) {
        self.handle.commands.send(Command::Shutdown).unwrap();
        while self.handle.updates.recv().await.is_some() {}
    }
}

fn journal_in(state_dir: &Path) -> std::path::PathBuf {
    state_dir.join("story").join(CLUSTER).join("journal.jsonl")
}

/// A random number generator (splitmix64) with a new seed in each run;
/// `MUSTER_SEED` repeats a run.
struct Random(u64);

impl Random {
    fn seeded() -> (Self, u64) {
        let seed = std::env::var("MUSTER_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        // Also when the test fails.
        println!("MUSTER_SEED={seed}");
        (Self(seed), seed)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

/// Incomplete lines are lost, and nothing else.
#[tokio::test(start_paused = true)]
async fn cut_after_any_byte_it_is_read_up_to_there() {
    let scene = Scene::new().await;
    let whole = JournalFile::read(&journal_in(Scene::folder_with(&scene.journal).path())).unwrap();
    let folder = Scene::folder_with(b"");
    let path = journal_in(folder.path());
    for cut in (0..=scene.journal.len()).step_by(29) {
        std::fs::write(&path, &scene.journal[..cut]).unwrap();
        let contents = JournalFile::read(&path).unwrap();
        let lines = scene.journal[..cut].split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(contents.records, whole.records[..lines], "{cut} bytes");
        assert_eq!(contents.unreadable, [], "{cut} bytes");
    }
}

/// At the end of each record, and a byte before and behind it.
#[tokio::test(start_paused = true)]
async fn cut_at_any_boundary_up_launches_none_that_runs() {
    let scene = Scene::new().await;
    let ends = scene.journal.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let cuts: BTreeSet<_> = ends.flat_map(|(at, _)| [at, at + 1, at + 2]).collect();
    for cut in cuts.into_iter().filter(|cut| *cut <= scene.journal.len()) {
        scene.comes_up_with(&scene.journal[..cut], &format!("{cut} bytes")).await;
    }
}

/// Five hundred cuts, in two tests that run side by side.
#[tokio::test(start_paused = true)]
async fn cut_after_random_bytes_up_launches_none_that_runs() {
    cut_after_random_bytes(250).await;
}

#[tokio::test(start_paused = true)]
async fn cut_after_other_random_bytes_up_launches_none_that_runs() {
    cut_after_random_bytes(250).await;
}

async fn cut_after_random_bytes(times: usize) {
    let scene = Scene::new().await;
    let (mut random, seed) = Random::seeded();
    for _ in 0..times {
        let cut = random.below(scene.journal.len() + 1);
        scene.comes_up_with(&scene.journal[..cut], &format!("seed {seed}, {cut} bytes")).await;
    }
}

/// With checksums, a flipped bit loses one record, or two if it was a line feed, and
/// changes none.
#[tokio::test(start_paused = true)]
async fn a_flipped_bit_changes_no_record() {
    let scene = Scene::new().await;
    let folder = Scene::folder_with(&scene.journal);
    let path = journal_in(folder.path());
    let whole = JournalFile::read(&path).unwrap().records;
    let (mut random, seed) = Random::seeded();
    for _ in 0..300 {
        let (text, what) = flipped(&scene.journal, &mut random);
        std::fs::write(&path, &text).unwrap();
        let contents = JournalFile::read(&path).unwrap();
        let lost = whole.len() - contents.records.len();
        assert!(lost <= 2, "seed {seed}, {what}: {lost} lost");
        assert!(
            contents.records.iter().all(|record| whole.contains(record)),
            "seed {seed}, {what}: a record is another one"
        );
    }
}

fn flipped(text: &[u8], random: &mut Random) -> (Vec<u8>, String) {
    let (at, bit) = (random.below(text.len()), random.below(8));
    let mut flipped = text.to_vec();
    flipped[at] ^= 1 << bit;
    (flipped, format!("byte {at}, bit {bit}"))
}

/// Any other byte in the place of one.
#[tokio::test(start_paused = true)]
async fn with_another_byte_up_launches_none_that_runs() {
    let scene = Scene::new().await;
    let (mut random, seed) = Random::seeded();
    for _ in 0..200 {
        let mut text = scene.journal.clone();
        let at = random.below(text.len());
        text[at] ^= 1 + u8::try_from(random.below(255)).unwrap();
        scene.comes_up_with(&text, &format!("seed {seed}, byte {at} is {}", text[at])).await;
    }
}

/// Without checksums, as format 1 has none: a record may even be another one.
#[tokio::test(start_paused = true)]
async fn with_a_flipped_bit_up_launches_none_that_runs() {
    let scene = Scene::new().await;
    let text = String::from_utf8(scene.journal.clone()).unwrap();
    let lines = text.lines().map(|line| line.split_once(",\"sum\"").unwrap().0);
    let without = lines.collect::<Vec<_>>().join("}\n") + "}\n";
    let (mut random, seed) = Random::seeded();
    for turn in 0..200 {
        let text = if turn % 4 == 0 { &scene.journal[..] } else { without.as_bytes() };
        let (text, what) = flipped(text, &mut random);
        scene.comes_up_with(&text, &format!("seed {seed}, {what}, turn {turn}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn down_terminates_all_whatever_the_journal_holds() {
    let (mut random, seed) = Random::seeded();
    for kind in 0..12 {
        let scene = Scene::new().await;
        let text = match kind {
            0 => Vec::new(),
            1 => vec![0; 4096],
            2 => (0..2000).map(|_| random.byte()).collect(),
            3 => b"{}\n[]\nnull\n\"\"\n".to_vec(),
            4 => "[".repeat(100_000).into_bytes(),
            5 => scene.journal[..random.below(scene.journal.len())].to_vec(),
            _ => flipped(&scene.journal, &mut random).0,
        };
        let folder = Scene::folder_with(&text);
        let mut engine = scene.engine(folder.path());
        assert!(engine.down().await, "seed {seed}, kind {kind}");
        assert!(scene.ids().await.is_empty(), "seed {seed}, kind {kind}");
        engine.end().await;
        let left = std::fs::read(journal_in(folder.path())).unwrap();
        assert!(kind > 4 || left.starts_with(&text), "bytes that are no record are kept");
    }
}
