//! The figures that muster stands for: `cargo bench --no-default-features`.
//!
//! The first ones are printed, since a benchmark's average says nothing of
//! them: the time to the first frame, and virtual time. divan does the rest.
#![expect(clippy::unwrap_used, reason = "a measurement that can't be made should say so")]

use std::{
    io::Read,
    sync::Arc,
    time::{Duration, Instant},
};

use divan::Bencher;
use muster::{
    check,
    config::{Overrides, Project},
    engine::{self, Command, Handle, Parts, Update},
    journal::Store,
    model::ClusterId,
    sim::{Scenario, World},
    survey::{self, Survey, SurveyOptions},
};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tokio::runtime::Runtime;

fn main() {
    println!("first frame of the dashboard, from the start of the process (wanted: under 50 ms)");
    println!("  demo           {}", Spread::of(30, || first_frame(&["demo"])));
    #[cfg(feature = "aws")]
    println!("  real configs   {}", Spread::of(30, || first_frame(&REAL)));

    println!("\ncheck, each call to EC2 taking the same virtual time (wanted: no growth)");
    for regions in [1, 2, 5, 10, 17] {
        let took = paused().block_on(async { look(regions).await.0 });
        println!("  {regions:>2} regions     {:.2} s", took.as_secs_f64());
    }

    println!("\nup, 10 regions of 100 nodes, virtual time (wanted: at most 5 % over the slowest)");
    let (all, slowest) = paused().block_on(thousand());
    println!("  all nodes      {:.2} s", all.as_secs_f64());
    let more = (all.as_secs_f64() / slowest.as_secs_f64() - 1.0) * 100.0;
    println!("  the slowest    {:.2} s ({more:+.2} %)\n", slowest.as_secs_f64());

    divan::main();
}

/// The checks over a survey of ten regions.
#[divan::bench]
fn checks_of_ten_regions(bencher: Bencher) {
    let (_, project, survey) = paused().block_on(look(10));
    bencher.bench(|| check::run(&project, &survey, None));
}

/// The configs of ten regions, from text to project.
#[divan::bench]
fn configs_of_ten_regions(bencher: Bencher) {
    let scenario = Scenario::scale(10, 100).unwrap();
    bencher.bench(|| scenario.load_project());
}

#[cfg(feature = "aws")]
const REAL: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/us.yaml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/eu.yaml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/ap.yaml"),
];

/// From the start of the process to the first frame on its terminal.
fn first_frame(args: &[&str]) -> Duration {
    let home = tempfile::tempdir().unwrap();
    let size = PtySize { rows: 48, cols: 160, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut screen = pair.master.try_clone_reader().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_muster"));
    command.args(args);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    command.env("HOME", home.path());
    command.env("XDG_STATE_HOME", home.path());
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    // Nobody listens there: what is asked of AWS after the first frame fails at once.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let begun = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let (mut seen, mut buffer) = (Vec::new(), [0; 8192]);
    // The frame's last line, so that all of it is there.
    while !String::from_utf8_lossy(&seen).contains("quit") {
        let read = screen.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..read]);
    }
    let took = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    took
}

/// What several measurements of one thing gave.
struct Spread(Vec<Duration>);

impl Spread {
    fn of(times: usize, measure: impl Fn() -> Duration) -> Self {
        let mut all: Vec<_> = (0..times).map(|_| measure()).collect();
        all.sort();
        Self(all)
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = &self.0;
        let ms = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        let (least, middle, most) = (all[0], all[all.len() / 2], all[all.len() - 1]);
        write!(f, "{:.1} ms (from {:.1} to {:.1})", ms(middle), ms(least), ms(most))
    }
}

/// A runtime whose clock jumps to whatever is waited for.
fn paused() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// A survey of so many regions, and the virtual time that it took.
async fn look(regions: usize) -> (Duration, Project, Survey) {
    let scenario = Scenario::scale(regions, 3).unwrap();
    let project = scenario.load_project().project.unwrap();
    let world = World::new(&scenario);
    let (cloud, remote) = (world.cloud(), world.remote());
    let options = SurveyOptions { dry_run: true, cluster: None };
    let begun = tokio::time::Instant::now();
    let survey = survey::take(&project, &*cloud, &*remote, &world.clock(), options).await;
    (begun.elapsed(), project, survey)
}

/// A thousand nodes from nothing to ready: how long all took, and how long
/// the slowest would have taken alone.
async fn thousand() -> (Duration, Duration) {
    let scenario = Scenario::scale(10, 100).unwrap();
    let world = World::new(&scenario);
    let files = scenario.files(Overrides::default());
    let mut handle = engine::start(Parts {
        project: Arc::new(files.load().project.unwrap()),
        files,
        cloud: world.cloud(),
        remote: world.remote(),
        clock: world.clock(),
        store: Store::in_memory(ClusterId::new("bench-000001")),
    });
    let begun = tokio::time::Instant::now();
    handle.commands.send(Command::Up).unwrap();
    while let Some(update) = handle.updates.recv().await {
        match update {
            Update::Event(stamped) => handle.state.apply(&stamped),
            Update::UpEnded => break,
            _ => {}
        }
    }
    (begun.elapsed(), slowest(&world, &handle))
}

/// The longest of: a machine's boot and its steps' own times.
fn slowest(world: &World, handle: &Handle) -> Duration {
    let own = handle.state.nodes.values().map(|node| {
        let info = node.instance.as_ref().unwrap();
        let steps = node
            .steps
            .values()
            .filter_map(|step| Duration::try_from(step.ended?.duration_since(step.started)).ok());
        world.boot_time(&info.region, &info.id).unwrap() + steps.sum::<Duration>()
    });
    own.max().unwrap()
}
