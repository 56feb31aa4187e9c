//! Performance figures that muster guarantees: `cargo bench --no-default-features`.
//!
//! The time to the first frame and virtual times are printed, because an average
//! does not apply to them. divan measures the rest.
#![expect(clippy::unwrap_used, reason = "a measurement that can't be made should fail")]

use std::{
    io::Read,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use divan::Bencher;
use muster::{
    check,
    config::{LoadRequest, Overrides, Project, load},
    engine::{self, Command, Handle, Parts, Update},
    journal::Store,
    model::ClusterId,
    sim::{Scenario, World},
    survey::{self, Survey, SurveyOptions},
};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tokio::runtime::Runtime;

fn main() {
    println!("first frame of the dashboard, from process start (target: under 50 ms)");
    println!("  demo           {}", Spread::of(30, || first_frame(&["demo"])));
    #[cfg(feature = "aws")]
    println!("  real configs   {}", Spread::of(30, || first_frame(&REAL)));

    println!("\ncheck, each call to EC2 taking the same virtual time (target: no growth)");
    for regions in [1, 2, 5, 10, 17] {
        let took = paused().block_on(async { look(regions).await.0 });
        println!("  {regions:>2} regions     {:.2} s", took.as_secs_f64());
    }

    println!("\nup, 10 regions of 100 nodes, virtual time (target: at most 5 % over the slowest)");
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

/// 34 configs of 300 lines, read from files, cross-checked into one project
/// (target: under 20 ms).
#[divan::bench]
fn configs_of_34_regions_of_300_lines(bencher: Bencher) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = REGIONS
        .iter()
        .map(|region| {
            let name = PathBuf::from(format!("{region}.yaml"));
            std::fs::write(folder.path().join(&name), config_of(region, 300)).unwrap();
            name
        })
        .collect();
    let overrides = Overrides::default();
    let request = LoadRequest { folder: folder.path().into(), files, overrides };
    let loaded = load(&request);
    assert!(loaded.project.is_some(), "{:#?}", loaded.diagnostics);
    bencher.bench(|| load(&request));
}

/// A config of 10 MB with a mistake in every node type (target: under 2 s).
#[divan::bench(sample_count = 5)]
fn diagnostics_of_ten_megabytes(bencher: Bencher) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = config_of("us-west-2", 20);
    for n in 0.. {
        if text.len() > 10 * 1024 * 1024 {
            break;
        }
        text += &node_type(&format!("type-{n}")).replace("VolumeSize", "VolumSize");
    }
    std::fs::write(folder.path().join("us.yaml"), text).unwrap();
    let (files, overrides) = (vec!["us.yaml".into()], Overrides::default());
    let request = LoadRequest { folder: folder.path().into(), files, overrides };
    assert!(load(&request).diagnostics.len() > 1_000);
    bencher.bench(|| load(&request));
}

const REGIONS: [&str; 34] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Returns a config of about `lines` lines.
fn config_of(region: &str, lines: usize) -> String {
    let mut text = format!(
        "cluster_name: tpch-{region}\nmax_workers: 1000\nprovider:\n  type: aws\n  region: {region}\n\
         head_node_type: type-0-{region}\nsetup_commands:\n  - echo hello\navailable_node_types:\n"
    );
    for n in 0.. {
        if n > 0 && text.lines().count() >= lines {
            break;
        }
        text += &node_type(&format!("type-{n}-{region}"));
    }
    text
}

fn node_type(name: &str) -> String {
    format!(
        "  {name}:\n    min_workers: 1\n    resources: {{CPU: 4, custom: 1}}\n    node_config:\n      \
         InstanceType: m5.xlarge\n      ImageId: ami-0530ca8899fac469f\n      KeyName: quokka\n      \
         SecurityGroupIds: [sg-11111111, sg-22222222]\n      SubnetIds:\n        - subnet-11111111\n        \
         - subnet-22222222\n      BlockDeviceMappings:\n        - DeviceName: /dev/sda1\n          \
         Ebs:\n            VolumeSize: 100\n            VolumeType: gp3\n      \
         MetadataOptions: {{HttpTokens: required}} # a comment\n"
    )
}

#[cfg(feature = "aws")]
const REAL: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/us.yaml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/eu.yaml"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/ap.yaml"),
];

/// Measures the time from process start to the first frame on its terminal.
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
    // Nothing listens there, so calls to AWS after the first frame fail at once.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let begun = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let (mut seen, mut buffer) = (Vec::new(), [0; 8192]);
    // The frame's last line, so that the frame is complete.
    while !String::from_utf8_lossy(&seen).contains("quit") {
        let read = screen.read(&mut buffer).unwrap();
        seen.extend_from_slice(&buffer[..read]);
    }
    let took = begun.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    took
}

/// The results of repeated measurements.
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

/// Returns a runtime whose clock advances to the next timer at once.
fn paused() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Takes a survey of `regions` regions; returns it with its virtual duration.
async fn look(regions: usize) -> (Duration, Project, Survey) {
    let scenario = Scenario::scale(regions, 3).unwrap();
    let project = scenario.load_project().project.unwrap();
    let world = World::new(&scenario);
    let (cloud, remote) = (world.cloud(), world.remote());
    let options = SurveyOptions { dry_run: true, ..SurveyOptions::default() };
    let begun = tokio::time::Instant::now();
    let survey = survey::take(&project, &*cloud, &*remote, &world.clock(), options).await;
    (begun.elapsed(), project, survey)
}

/// Launches a thousand nodes until ready; returns the total duration and that of
/// the slowest node alone.
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

/// Returns the longest sum of an instance's boot time and its steps' durations.
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
