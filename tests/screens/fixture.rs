//! A project, a survey, findings and the events of a run, always the same.

use std::{collections::VecDeque, path::Path, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use muster::{
    check::{Finding, Level, Subject},
    cloud::{InstanceState, InstanceTypeInfo, Vpc},
    config::{self, Location, Overrides, Project, Reading, Source},
    engine::{
        Event, LaunchedInstance, LogLine, LogStore, Phase, RunState, Stamped, StepOutcome, Update,
    },
    model::{Clock, Failure, GroupKey, NodeKind, NodeName, Region},
    sim::Scenario,
    survey::{Fact, RegionSurvey, Survey},
    tui::{Model, Plans, Work},
    waits::Waits,
};

/// The regions, the leader's first.
pub const REGIONS: [&str; 3] = ["us-west-2", "eu-west-1", "ap-southeast-2"];

/// Returns the timestamp of `second` in the fixture's time.
pub fn at(second: i64) -> Timestamp {
    let start: Timestamp = "2026-11-05T14:02:11Z".parse().unwrap();
    Timestamp::from_second(start.as_second() + second).unwrap()
}

/// Returns a model without any update, at second `second`.
pub fn model(second: i64) -> Model {
    model_of(project(), second)
}

fn model_of(project: Project, second: i64) -> Model {
    let project = Arc::new(project);
    let configs = Reading { sources: project.sources.clone(), ..Reading::default() };
    let mut state = RunState::default();
    state.plan(&project.planned_nodes());
    Model {
        as_of: std::collections::BTreeMap::new(),
        project,
        state,
        survey: None,
        findings: None,
        refreshing: Some(at(0)),
        busy: Vec::new(),
        notices: VecDeque::new(),
        down_plan: None,
        plans: Plans::default(),
        fix_plan: None,
        planning: false,
        fix_refused: None,
        fix_preview: None,
        leftovers: None,
        configs: Arc::new(configs),
        changed_files: Vec::new(),
        forwarded: None,
        waits: Waits::default(),
        logs: Arc::new(LogStore::in_memory()),
        clock: stopped(second),
        zone: TimeZone::UTC,
        simulated: false,
        read_only: None,
        scenarios: Vec::new(),
        scenario: None,
        work: Work::None,
        work_before: Work::None,
        ending: false,
    }
}

/// A clock that stands at second `second` while a test runs: it follows a time
/// that has not begun.
pub fn stopped(second: i64) -> Clock {
    let start = tokio::time::Instant::now() + Duration::from_hours(1);
    Clock::Follows { base: at(second), start }
}

/// The same with a second config in us-west-2.
pub fn with_gpus(second: i64) -> Model {
    let us = include_str!("project/us.yaml");
    let gpu = us.replace("cluster_name: tpch-us", "cluster_name: gpu");
    model_of(project_with(&[("gpu.yaml", &gpu)]), second)
}

fn project() -> Project {
    project_with(&[])
}

fn project_with(more: &[(&str, &str)]) -> Project {
    let source =
        |name: &str, text: &str| Source { path: Path::new(name).into(), text: text.into() };
    let own = [
        ("us.yaml", include_str!("project/us.yaml")),
        ("eu.yaml", include_str!("project/eu.yaml")),
        ("ap.yaml", include_str!("project/ap.yaml")),
    ];
    let regions = own.iter().chain(more).map(|(name, text)| source(name, text)).collect();
    let project = source("muster.yaml", include_str!("project/muster.yaml"));
    let recipe = source("recipe.yaml", include_str!("project/recipe.yaml"));
    let folder = Path::new("/home/ada/tpch");
    let overrides = Overrides::default();
    let loaded = config::load_sources(folder, Some(project), regions, Some(recipe), &overrides);
    loaded.project.unwrap()
}

/// Returns a survey with what the screens show: instance types with prices, and VPCs.
fn survey(regions: &[Region]) -> Survey {
    let known = |index: usize| {
        let mut survey = RegionSurvey::unknown(&Failure::new("not asked"));
        let price = [("m5.2xlarge", 0.384), ("r5.2xlarge", 0.504)];
        survey.instance_types = Fact::Known(
            price
                .map(|(name, usd)| InstanceTypeInfo {
                    name: name.into(),
                    vcpus: 8,
                    memory_mib: 65_536,
                    architectures: vec!["x86_64".into()],
                    usd_per_hour: Some(usd),
                })
                .to_vec(),
        );
        let cidr = format!("10.{}.0.0/16", index + 1).parse().unwrap();
        let id = format!("vpc-{index}").into();
        survey.vpcs =
            Fact::Known(vec![Vpc { id, cidrs: vec![cidr], is_default: false, name: None }]);
        survey
    };
    let regions = regions.iter().enumerate();
    Survey {
        at: at(1),
        local_keys: [].into(),
        regions: regions.map(|(index, name)| (name.clone(), known(index))).collect(),
        copied_keys_last: None,
        not_asked: None,
    }
}

fn finding(check: &'static str, level: Level, subject: Subject, title: &str) -> Finding {
    Finding {
        check,
        level,
        subject,
        title: title.into(),
        evidence: Vec::new(),
        impact: None,
        todo: None,
        location: None,
    }
}

fn region(name: &str) -> Subject {
    Subject::Region(name.into())
}

fn pair(from: &str, to: &str) -> Subject {
    Subject::Pair(from.into(), to.into())
}

/// Returns the passed findings of every region and every pair of regions.
fn passes() -> Vec<Finding> {
    let of_region = [
        ("key.exists", "key pair quokka is there"),
        ("key.same-material", "key pair quokka is your key"),
        ("ami.exists", "the image is available"),
        ("ami.architecture", "image and type are both x86_64"),
        ("sg.exists", "the security group is there"),
        ("sg.same-vpc", "the security group is in the subnets' VPC"),
        ("sg.operator-ssh", "your SSH is let in"),
        ("sg.peers", "all nodes are let in"),
        ("subnet.exists", "2 subnets with room"),
        ("type.offered", "both types are offered"),
    ];
    let [us, eu, ap] = REGIONS;
    let mut all: Vec<_> = of_region
        .iter()
        .flat_map(|(id, title)| REGIONS.map(|name| finding(id, Level::Pass, region(name), title)))
        .collect();
    all.push(finding("key.local", Level::Pass, Subject::Local, "~/.ssh/quokka.pem is a key"));
    for (a, b) in [(us, eu), (us, ap), (eu, ap)] {
        all.push(finding("vpc.cidr-overlap", Level::Pass, pair(a, b), "different addresses"));
        all.push(finding("peering.active", Level::Pass, pair(a, b), "the peering is active"));
        all.push(finding("route.peering", Level::Pass, pair(a, b), "the routes lead there"));
        all.push(finding("route.peering", Level::Pass, pair(b, a), "the routes lead there"));
    }
    all
}

/// The six classic mistakes, and one warning.
fn mistakes() -> Vec<Finding> {
    let [us, eu, ap] = REGIONS;
    let fail = |check, subject, title: &str, impact: &str| Finding {
        impact: Some(impact.into()),
        ..finding(check, Level::Fail, subject, title)
    };
    let location = |file: &str, line, column, width| {
        Some(Location { file: Path::new(file).into(), line, column, width })
    };
    vec![
        Finding {
            location: location("eu.yaml", 18, 16, 6),
            todo: Some("aws ec2 import-key-pair --region eu-west-1 --key-name quokka --public-key-material fileb://quokka.pub".into()),
            ..fail("key.exists", region(eu), "key pair quokka is missing", "RunInstances would answer InvalidKeyPair.NotFound")
        },
        Finding {
            evidence: vec![
                "us-west-2       ssh-rsa …9dQ2Xw (your quokka.pem)".into(),
                "ap-southeast-2  ssh-rsa …71kPzA".into(),
                "the public keys themselves were compared, since fingerprints of one key differ between regions".into(),
            ],
            todo: Some("import your public key under another name in all regions\nand set KeyName to it in all configs".into()),
            location: location("ap.yaml", 18, 16, 6),
            ..fail("key.same-material", region(ap), "key pair quokka is another key", "Permission denied (publickey) on 3 nodes, after the launch")
        },
        Finding {
            location: location("eu.yaml", 19, 26, 20),
            ..fail("sg.same-vpc", region(eu), "security group sg-0b7e14d5c3a29f860 is in vpc-default", "RunInstances would answer InvalidGroup.NotFound")
        },
        Finding {
            evidence: vec!["the same image here: ami-07c1d9e3b5a2f4860".into()],
            location: location("eu.yaml", 17, 16, 21),
            ..fail("ami.exists", region(eu), "ami-0530ca8899fac469f is an image of us-west-2", "RunInstances would answer InvalidAMIID.NotFound")
        },
        fail("peering.active", pair(us, eu), "the peering waits for acceptance", "silence between the nodes of the two regions"),
        fail("route.peering", pair(eu, ap), "no route back", "packets to 10.3.0.0/16 leave through the internet gateway"),
        finding("sg.operator-ssh", Level::Warn, region(ap), "port 22 is open to 0.0.0.0/0"),
    ]
}

/// Applies the findings of a broken world.
pub fn broken(model: &mut Model) {
    let mut findings = mistakes();
    let is_replaced = |pass: &Finding| {
        mistakes().iter().any(|other| other.check == pass.check && other.subject == pass.subject)
    };
    findings.extend(passes().into_iter().filter(|pass| !is_replaced(pass)));
    looked(model, findings);
}

/// Applies the findings of a healthy world.
pub fn healthy(model: &mut Model) {
    looked(model, passes());
}

/// Applies the findings when nothing could be read.
pub fn unknown(model: &mut Model) {
    let unread = |name: &&str| {
        finding("key.exists", Level::Unknown, region(name), "the key pairs could not be read")
    };
    looked(model, REGIONS.iter().map(unread).collect());
}

/// Reloads the files, with `from` replaced by `to` in `file`.
pub fn read_again(model: &mut Model, file: &str, from: &str, to: &str) {
    let mut sources = model.configs.sources.clone();
    let source = sources.iter_mut().find(|source| source.path.as_os_str() == file).unwrap();
    assert!(source.text.contains(from), "{from}");
    source.text = source.text.replace(from, to).into();
    let mut left = sources.clone().into_iter();
    let (project, recipe) = (left.next(), left.next_back());
    let overrides = Overrides::default();
    let folder = model.project.folder.clone();
    let loaded = config::load_sources(&folder, project, left.collect(), recipe, &overrides);
    let refused = match &loaded.project {
        Some(_) => None,
        None => Some(Failure::new("the configs can't be loaded")),
    };
    let (sources, diagnostics) = (loaded.sources, loaded.diagnostics);
    let reading = Reading { sources, diagnostics, refused, in_memory: false };
    model.fold(Update::Configs(Arc::new(reading)));
    if let Some(project) = loaded.project {
        model.fold(Update::Project(Arc::new(project)));
    }
}

/// Applies the end of a survey.
pub fn looked(model: &mut Model, findings: Vec<Finding>) {
    let survey = Arc::new(survey(&model.project.region_names()));
    model.fold(Update::Refreshed { survey, findings: findings.into() });
}

/// Applies an event at `second`.
pub fn event(model: &mut Model, second: i64, event: Event) {
    let stamped = Stamped { seq: model.state.seq + 1, at: at(second), event };
    model.fold(Update::Event(stamped));
}

/// Returns the groups with their nodes, in the order of the plan.
fn groups(project: &Project) -> Vec<(GroupKey, Vec<NodeName>)> {
    let mut groups: Vec<(GroupKey, Vec<NodeName>)> = Vec::new();
    for node in project.planned_nodes() {
        match groups.last_mut().filter(|(group, _)| *group == node.group) {
            Some((_, nodes)) => nodes.push(node.name),
            None => groups.push((node.group, vec![node.name])),
        }
    }
    groups
}

/// All groups are launched at second 3 and answered at second 5.
pub fn launched(model: &mut Model) {
    let created = Event::ClusterCreated {
        cluster: "tpch-demo-k3x9ab".into(),
        project: "tpch-demo".into(),
        leader: model.project.leader.value.clone(),
        regions: model.project.region_names(),
    };
    event(model, 2, created);
    for (index, (group, nodes)) in groups(&model.project).into_iter().enumerate() {
        let token = format!("token-{index}");
        let intent = Event::LaunchIntended {
            token: token.as_str().into(),
            group: group.clone(),
            nodes: nodes.clone(),
            subnet: None,
            request: None,
        };
        event(model, 3, intent);
        let instances = nodes.iter().enumerate();
        let instances =
            instances.map(|(place, node)| instance(&group, index, place, node)).collect();
        event(model, 5, Event::LaunchSucceeded { token: token.as_str().into(), instances });
    }
}

fn instance(group: &GroupKey, index: usize, place: usize, node: &NodeName) -> LaunchedInstance {
    let number = index * 10 + place;
    let head = group.kind == NodeKind::Head;
    LaunchedInstance {
        node: node.clone(),
        id: format!("i-0a1b2c3d4e5f60{number:03}").into(),
        instance_type: if head { "m5.2xlarge" } else { "r5.2xlarge" }.into(),
        vcpus: Some(8),
        zone: format!("{}a", group.region).into(),
        private_ip: format!("10.{}.0.{}", index / 2 + 1, 10 + number).parse().ok(),
        public_ip: format!("203.0.113.{}", 10 + number).parse().ok(),
    }
}

/// Takes `node` through `steps` of the recipe, each of ten seconds; it runs at second
/// 25 and answers SSH at second 27.
pub fn bootstrapped(model: &mut Model, node: &str, steps: &[&str]) {
    let node = NodeName::from(node);
    running(model, &node);
    event(model, 25, Event::NodePhase { node: node.clone(), phase: Phase::Connecting });
    event(model, 27, Event::NodePhase { node: node.clone(), phase: Phase::Bootstrapping });
    for (second, step) in (27..).step_by(10).zip(steps) {
        started(model, second, &node, step, 1);
        ended(model, second + 10, &node, step, 1, StepOutcome::Succeeded);
        print(model, &node, second + 1, step, &format!("{step}: doing what it does"));
        print(model, &node, second + 9, step, &format!("{step}: done"));
    }
}

fn running(model: &mut Model, node: &NodeName) {
    let info = model.state.nodes[node].instance.clone().unwrap();
    let changed = Event::InstanceChanged {
        instance: info.id,
        region: info.region,
        state: InstanceState::Running,
        reason: None,
        private_ip: info.private_ip,
        public_ip: info.public_ip,
    };
    event(model, 25, changed);
}

/// A step begins.
pub fn started(model: &mut Model, second: i64, node: &NodeName, step: &str, attempt: u32) {
    let (node, step) = (node.clone(), step.to_owned());
    event(model, second, Event::StepStarted { node, step, attempt });
}

/// A step ends.
pub fn ended(
    model: &mut Model,
    second: i64,
    node: &NodeName,
    step: &str,
    attempt: u32,
    outcome: StepOutcome,
) {
    let (node, step) = (node.clone(), step.to_owned());
    event(model, second, Event::StepEnded { node, step, attempt, outcome });
}

/// A node prints a line.
pub fn print(model: &Model, node: &NodeName, second: i64, step: &str, text: &str) {
    log(&model.logs, node, second, step, text);
}

/// The same, into a log store.
pub fn log(logs: &LogStore, node: &NodeName, second: i64, step: &str, text: &str) {
    let line = LogLine { at: at(second), step: format!("{step}.1"), text: text.into() };
    logs.push(node, line).unwrap();
}

/// Makes `node` ready, with all its steps done.
pub fn ready(model: &mut Model, node: &str) {
    let own = if node == "us-west-2/head" { "ray-leader" } else { "ray-members" };
    bootstrapped(model, node, &["packages", "python", "requirements", "spill", own, "flight"]);
    event(model, 87, Event::NodePhase { node: node.into(), phase: Phase::Ready });
}

/// Returns a launching cluster: one node ready, some in bootstrap, one failed.
pub fn launching() -> Model {
    let mut model = model(90);
    healthy(&mut model);
    launched(&mut model);
    ready(&mut model, "us-west-2/head");
    bootstrapped(&mut model, "us-west-2/worker-1", &["packages", "python", "requirements"]);
    started(&mut model, 57, &"us-west-2/worker-1".into(), "spill", 1);
    bootstrapped(&mut model, "us-west-2/worker-2", &["packages", "python"]);
    started(&mut model, 47, &"us-west-2/worker-2".into(), "requirements", 1);
    bootstrapped(&mut model, "eu-west-1/head", &["packages"]);
    started(&mut model, 37, &"eu-west-1/head".into(), "python", 1);
    fails(&mut model, &"eu-west-1/worker-1".into());
    let connecting =
        Event::NodePhase { node: "ap-southeast-2/head".into(), phase: Phase::Connecting };
    event(&mut model, 70, connecting);
    model.work = Work::Up;
    model.busy = vec!["waiting for ap-southeast-2 to run 2 instances".into()];
    model
}

/// `node` fails its first step on the second try.
fn fails(model: &mut Model, node: &NodeName) {
    bootstrapped(model, node.as_str(), &[]);
    let lines = [
        "Get:14 http://archive.ubuntu.com libpython3.10-dev 4.8 MB",
        "Unpacking unzip (6.0-26) …",
        "\u{1b}[31mE: Could not get lock /var/lib/dpkg/lock-frontend\u{1b}[0m",
    ];
    for (second, text) in (28..).zip(lines) {
        print(model, node, second, "packages", text);
    }
    let last_lines: Vec<_> = lines.map(str::to_owned).to_vec();
    for attempt in [1, 2] {
        let second = 27 + i64::from(attempt - 1) * 20;
        started(model, second, node, "packages", attempt);
        let outcome = StepOutcome::Failed { status: 100, last_lines: last_lines.clone() };
        ended(model, second + 18, node, "packages", attempt, outcome);
    }
    let failure =
        Failure::new("packages exited with 100: E: Could not get lock /var/lib/dpkg/lock-frontend")
            .hint("something else installs packages: wait, then try the node again");
    event(model, 65, Event::NodeFailed { node: node.clone(), failure });
}

/// Every node ready.
pub fn all_ready() -> Model {
    let mut model = model(120);
    healthy(&mut model);
    launched(&mut model);
    let names: Vec<_> = model.state.nodes.keys().cloned().collect();
    for name in names {
        ready(&mut model, name.as_str());
    }
    event(&mut model, 88, Event::BootstrapEnded { ready: 9, failed: 0 });
    model
}

/// Returns ten launching regions of ten nodes, with some findings on each pair of regions.
pub fn large() -> Model {
    let scenario = Scenario::scale(10, 10).unwrap();
    let mut model = model_of(scenario.load_project().project.unwrap(), 90);
    let regions = model.project.region_names();
    let about = |name: &Region| Subject::Region(name.clone());
    let mut findings = Vec::new();
    for (index, from) in regions.iter().enumerate() {
        let level = if index % 3 == 2 { Level::Fail } else { Level::Pass };
        findings.push(finding("key.exists", level, about(from), "key pair quokka"));
        for to in regions.iter().filter(|to| *to != from) {
            let level = if index == 4 { Level::Fail } else { Level::Pass };
            let subject = Subject::Pair(from.clone(), to.clone());
            findings.push(finding("route.peering", level, subject, "the way there"));
        }
    }
    findings.sort_by_key(|finding| finding.level);
    looked(&mut model, findings);
    launched(&mut model);
    model.work = Work::Up;
    let names: Vec<_> = model.nodes_in_order().iter().map(|node| node.name.clone()).collect();
    for name in &names[..35] {
        bootstrapped(&mut model, name.as_str(), &[]);
        print(&model, name, 30, "setup", "a line");
    }
    model
}
