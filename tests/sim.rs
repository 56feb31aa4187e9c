//! The simulated world: what it refuses, and that its machines and shells
//! keep time. All on paused time.

#![expect(clippy::unwrap_used, reason = "a test that can't get its world has failed")]

use std::{
    collections::BTreeSet, net::IpAddr, path::PathBuf, slice::from_ref, sync::Arc, time::Duration,
};

use muster::{
    cloud::{
        CloudError, ErrorKind, Instance, InstanceFilter, InstanceState, LaunchRequest, Market,
        OptIn, SubnetFilter, tags,
    },
    model::{ClientToken, InstanceId, NodeName, Region},
    remote::{Exit, Host, RemoteErrorKind, Script, Session},
    sim::{Scenario, World},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpz8RAWQ7yZy2QK2k8bQEphHmdBEt+5IXesx/6JvjDL";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxqa9B7XvdYNUHVUH3XICDqbi3Zhxb7VsniNnCVkxLX";

/// One region with all that a launch needs; `more` is appended to it.
fn scenario(more: &str) -> Scenario {
    let base = include_str!("sim/small.toml").replace("{KEY}", KEY).replace("{OTHER}", OTHER);
    Scenario::parse(&format!("{base}\n{more}")).unwrap_or_else(|error| panic_with(&error))
}

#[expect(clippy::panic, reason = "the message has line breaks, which unwrap would hide")]
fn panic_with(error: &dyn std::fmt::Display) -> ! {
    panic!("{error}")
}

fn world(more: &str) -> Arc<World> {
    World::new(&scenario(more))
}

fn west() -> Region {
    Region::new("us-west-2")
}

/// A launch of two workers that nothing speaks against.
fn request(token: &str) -> LaunchRequest {
    LaunchRequest {
        image: "ami-0aaa".into(),
        instance_type: "m5.large".into(),
        key_name: Some("quokka".into()),
        subnet: Some("subnet-0a".into()),
        security_groups: vec!["sg-01".into()],
        iam_profile: None,
        block_devices: Vec::new(),
        user_data: None,
        market: Market::OnDemand,
        tags: [(tags::RAY_NODE_TYPE.to_owned(), "worker".to_owned())].into(),
        count: 2,
        token: ClientToken::new(token),
    }
}

async fn launch(world: &Arc<World>, request: &LaunchRequest) -> Vec<Instance> {
    world.cloud().launch(&west(), request).await.unwrap()
}

async fn refusal(world: &Arc<World>, request: &LaunchRequest) -> CloudError {
    world.cloud().launch(&west(), request).await.unwrap_err()
}

async fn describe(world: &Arc<World>, id: &InstanceId) -> Option<Instance> {
    let filter = InstanceFilter::Ids(vec![id.clone()]);
    world.cloud().instances(&west(), &filter).await.unwrap().pop()
}

/// The host that muster would connect to for `instance`, which runs by now.
async fn host(world: &Arc<World>, instance: &Instance) -> Host {
    Host {
        node: NodeName::worker(&west(), instance.launch_index + 1),
        instance: instance.id.clone(),
        address: describe(world, &instance.id).await.unwrap().public_ip.unwrap(),
        user: "ubuntu".into(),
        private_key: Some(PathBuf::from("/home/me/.ssh/quokka.pem")),
    }
}

/// The first worker, as soon as it answers ssh.
async fn first_worker(world: &Arc<World>) -> Host {
    let instances = launch(world, &request("first")).await;
    sleep(Duration::from_secs(16)).await;
    host(world, &instances[0]).await
}

async fn connect(world: &Arc<World>, host: &Host) -> Box<dyn Session> {
    world.remote().connect(host).await.unwrap()
}

fn script(key: &str) -> Script {
    Script {
        key: key.into(),
        text: String::new(),
        env: [].into(),
        timeout: Duration::from_mins(10),
    }
}

/// Runs `script`; answers its lines and how it ended.
async fn run(
    session: &dyn Session,
    script: &Script,
    skip: u64,
) -> (Vec<String>, muster::remote::Result<Exit>) {
    let (sender, mut receiver) = mpsc::channel(8);
    let mut lines = Vec::new();
    let gather = async {
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
    };
    let (exit, ()) = tokio::join!(session.run(script, skip, sender), gather);
    (lines, exit)
}

#[tokio::test(start_paused = true)]
async fn a_launch_is_refused_with_the_codes_of_ec2() {
    type Spoil = fn(&mut LaunchRequest);
    let cases: [(&str, ErrorKind, Spoil); 12] = [
        ("InvalidAMIID.NotFound", ErrorKind::NotFound, |it| it.image = "ami-0ccc".into()),
        ("InvalidAMIID.Malformed", ErrorKind::Invalid, |it| it.image = "ubuntu".into()),
        ("InvalidAMIID.Unavailable", ErrorKind::Invalid, |it| it.image = "ami-0ddd".into()),
        ("InvalidKeyPair.NotFound", ErrorKind::NotFound, |it| it.key_name = Some("none".into())),
        ("InvalidSubnetID.NotFound", ErrorKind::NotFound, |it| it.subnet = Some("subnet-9".into())),
        ("InvalidGroup.NotFound", ErrorKind::NotFound, |it| {
            it.security_groups = vec!["sg-09".into()];
        }),
        // There, but in another VPC than the subnet.
        ("InvalidGroup.NotFound", ErrorKind::NotFound, |it| {
            it.security_groups = vec!["sg-02".into()];
        }),
        ("InvalidParameterValue", ErrorKind::Invalid, |it| it.instance_type = "m5.huge".into()),
        // An arm64 type with an x86_64 image.
        ("InvalidParameterValue", ErrorKind::Invalid, |it| it.instance_type = "m6g.large".into()),
        ("Unsupported", ErrorKind::Capacity, |it| it.instance_type = "c5.xlarge".into()),
        ("VcpuLimitExceeded", ErrorKind::Quota, |it| it.count = 40),
        ("InsufficientInstanceCapacity", ErrorKind::Capacity, |it| it.count = 9),
    ];
    let world = world("");
    for (code, kind, spoil) in cases {
        let mut request = request(code);
        spoil(&mut request);
        let error = refusal(&world, &request).await;
        assert_eq!((error.code.as_deref(), error.kind), (Some(code), kind), "{error}");
    }
    assert_eq!(world.snapshot().regions[&west()].instances, []);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_looks_at_names_but_not_at_room() {
    let world = world("");
    let region = west();
    assert!(world.cloud().dry_run(&region, &request("a")).await.is_ok());
    let many = LaunchRequest { count: 40, ..request("b") };
    assert!(world.cloud().dry_run(&region, &many).await.is_ok());
    let unknown = LaunchRequest { image: "ami-0ccc".into(), ..request("c") };
    let error = world.cloud().dry_run(&region, &unknown).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("InvalidAMIID.NotFound"));
    assert_eq!(world.snapshot().regions[&region].instances, []);
}

#[tokio::test(start_paused = true)]
async fn a_token_launches_once_and_is_zonal() {
    let world = world("");
    let first = launch(&world, &request("token")).await;
    let again = launch(&world, &request("token")).await;
    let ids = |instances: &[Instance]| -> Vec<InstanceId> {
        instances.iter().map(|instance| instance.id.clone()).collect()
    };
    assert_eq!(ids(&first), ids(&again));

    let other = LaunchRequest { count: 1, ..request("token") };
    assert_eq!(refusal(&world, &other).await.kind, ErrorKind::TokenMismatch);

    let elsewhere = LaunchRequest { subnet: Some("subnet-0b".into()), ..request("token") };
    assert_ne!(ids(&launch(&world, &elsewhere).await), ids(&first));
    assert_eq!(world.snapshot().regions[&west()].instances.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_machine_boots_in_its_time_and_ends_after_terminate() {
    let world = world("[api]\nlatency_s = 1");
    let began = Instant::now();
    let instances = launch(&world, &request("boot")).await;
    assert_eq!(began.elapsed(), Duration::from_secs(1), "RunInstances takes its latency");
    let id = &instances[0].id;
    let state = async || describe(&world, id).await.unwrap().state;

    assert_eq!(instances[0].state, InstanceState::Pending);
    assert_eq!(state().await, InstanceState::Pending);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(state().await, InstanceState::Running);

    let ended = world.cloud().terminate(&west(), from_ref(id)).await.unwrap();
    assert_eq!(ended, [(id.clone(), InstanceState::ShuttingDown)]);
    sleep(Duration::from_secs(20)).await;
    let told = describe(&world, id).await.unwrap();
    assert_eq!(told.state, InstanceState::Terminated);
    assert_eq!((told.private_ip, told.public_ip), (None, None));
    assert_eq!(told.state_reason.as_deref(), Some("Client.UserInitiatedShutdown"));
}

#[tokio::test(start_paused = true)]
async fn reads_lag_behind_writes() {
    let world = world("[api]\nlag_s = 5\nlatency_s = 0");
    let id = launch(&world, &request("lag")).await.remove(0).id;
    assert_eq!(describe(&world, &id).await, None, "EC2 does not tell of it yet");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(describe(&world, &id).await.unwrap().state, InstanceState::Pending);
    sleep(Duration::from_secs(20)).await;
    world.cloud().terminate(&west(), from_ref(&id)).await.unwrap();
    assert_eq!(describe(&world, &id).await.unwrap().state, InstanceState::Running);
}

#[tokio::test(start_paused = true)]
async fn ssh_answers_some_time_after_the_machine_runs() {
    let world = world("");
    let instances = launch(&world, &request("ssh")).await;
    sleep(Duration::from_secs(10)).await;
    let host = host(&world, &instances[0]).await;
    let error = world.remote().connect(&host).await.err().unwrap();
    assert_eq!(error.kind, RemoteErrorKind::Unreachable);
    assert!(error.message.contains("refused"), "{error}");
    sleep(Duration::from_secs(5)).await;
    connect(&world, &host).await.close().await;
}

#[tokio::test(start_paused = true)]
async fn ssh_needs_the_right_user_key_group_and_route() {
    type Case = (&'static str, RemoteErrorKind, fn(&mut LaunchRequest), fn(&mut Host));
    let cases: [Case; 6] = [
        ("another user", RemoteErrorKind::Denied, |_| {}, |host| host.user = "ec2-user".into()),
        (
            "a key pair of other material",
            RemoteErrorKind::Denied,
            |it| it.key_name = Some("other".into()),
            |_| {},
        ),
        ("no key pair", RemoteErrorKind::Denied, |it| it.key_name = None, |_| {}),
        (
            "a group that is shut",
            RemoteErrorKind::Unreachable,
            |it| it.security_groups = vec!["sg-03".into()],
            |_| {},
        ),
        (
            "a subnet without a way out",
            RemoteErrorKind::Unreachable,
            |it| it.subnet = Some("subnet-0c".into()),
            |_| {},
        ),
        (
            "a private key that is not there",
            RemoteErrorKind::Local,
            |_| {},
            |host| host.private_key = Some("/none".into()),
        ),
    ];
    for (what, kind, launched, connected) in cases {
        let world = world("");
        let mut request = request(what);
        launched(&mut request);
        let instances = launch(&world, &request).await;
        sleep(Duration::from_secs(30)).await;
        let mut host = host(&world, &instances[0]).await;
        connected(&mut host);
        let error = world.remote().connect(&host).await.err().unwrap();
        assert_eq!(error.kind, kind, "{what}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_address_costs_the_whole_timeout() {
    let world = world("");
    let instances = launch(&world, &request("silent")).await;
    sleep(Duration::from_secs(30)).await;
    let mut host = host(&world, &instances[0]).await;
    host.address = IpAddr::from([198, 51, 100, 200]);
    let began = Instant::now();
    let error = world.remote().connect(&host).await.err().unwrap();
    assert_eq!(error.kind, RemoteErrorKind::Unreachable);
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

const STEPS: &str = r#"
[[steps]]
step = "packages"
nodes = ["us-west-2/worker-1"]
attempts = [1]
output = "one\ntwo"
takes_s = 3
exit = 100

[[steps]]
step = "packages"
output = "one on {node}\ntwo\nthree"
takes_s = 6

[[steps]]
step = "cut"
output = "1\n2\n3\n4"
takes_s = 8
connection_lost_after = 2

[[steps]]
step = "stuck"
output = "waiting"
hangs = true
"#;

#[tokio::test(start_paused = true)]
async fn a_step_prints_its_lines_over_its_time_and_fails_on_the_try_it_is_told_to() {
    let world = world(STEPS);
    let session = connect(&world, &first_worker(&world).await).await;
    let (lines, exit) = run(&*session, &script("packages.1"), 0).await;
    assert_eq!(lines, ["one", "two"]);
    assert_eq!(exit.unwrap(), Exit::Status(100));

    let began = Instant::now();
    let (lines, exit) = run(&*session, &script("packages.2"), 0).await;
    assert_eq!(lines, ["one on us-west-2/worker-1", "two", "three"]);
    assert_eq!(exit.unwrap(), Exit::Status(0));
    assert_eq!(began.elapsed(), Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_connection_breaks_goes_on_and_is_attached_to() {
    let world = world(STEPS);
    let host = first_worker(&world).await;
    let began = Instant::now();
    let (lines, exit) = run(&*connect(&world, &host).await, &script("cut.1"), 0).await;
    assert_eq!(lines, ["1", "2"]);
    assert_eq!(exit.unwrap_err().kind, RemoteErrorKind::Lost);

    sleep(Duration::from_secs(20)).await;
    let (rest, exit) = run(&*connect(&world, &host).await, &script("cut.1"), 2).await;
    assert_eq!(rest, ["3", "4"]);
    assert_eq!(exit.unwrap(), Exit::Status(0));
    assert!(began.elapsed() < Duration::from_secs(30), "it did not start again");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_hangs_meets_its_time_limit() {
    let world = world(STEPS);
    let session = connect(&world, &first_worker(&world).await).await;
    let began = Instant::now();
    let (lines, exit) = run(&*session, &script("stuck.1"), 0).await;
    assert_eq!((lines.len(), exit.unwrap()), (1, Exit::TimedOut));
    assert_eq!(began.elapsed(), Duration::from_mins(10));
}

#[tokio::test(start_paused = true)]
async fn a_terminated_machine_drops_its_connections_at_once() {
    let world = world(STEPS);
    let host = first_worker(&world).await;
    let session = connect(&world, &host).await;
    let end = async {
        sleep(Duration::from_secs(4)).await;
        world.cloud().terminate(&west(), from_ref(&host.instance)).await.unwrap();
    };
    let began = Instant::now();
    let stuck = script("stuck.1");
    let ((_, exit), ()) = tokio::join!(run(&*session, &stuck, 0), end);
    assert_eq!(exit.unwrap_err().kind, RemoteErrorKind::Lost);
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn faults_meet_the_calls_that_they_are_for() {
    let world = world(
        r#"
        [[faults]]
        operation = "DescribeKeyPairs"
        calls = [2]
        answer = { error = "RequestLimitExceeded" }
        [[faults]]
        operation = "DescribeVpcs"
        from_s = 60
        until_s = 90
        answer = "unreachable"
        [[faults]]
        operation = "DescribeImages"
        answer = "hang"
        [[faults]]
        operation = "RunInstances"
        dry_run = true
        answer = { error = "UnauthorizedOperation" }
        [[faults]]
        operation = "DescribeSubnets"
        answer = { slow = 20 }
        "#,
    );
    let (cloud, west) = (world.cloud(), west());
    assert!(cloud.key_pairs(&west, &[]).await.is_ok());
    let throttled = cloud.key_pairs(&west, &[]).await.unwrap_err();
    assert_eq!(throttled.kind, ErrorKind::Throttled);
    assert!(cloud.key_pairs(&west, &[]).await.is_ok());

    let denied = cloud.dry_run(&west, &request("dry")).await.unwrap_err();
    assert_eq!(denied.kind, ErrorKind::Denied);
    launch(&world, &request("real")).await;

    let began = Instant::now();
    let hung = cloud.images(&west, &[]).await.unwrap_err();
    assert_eq!((hung.kind, began.elapsed()), (ErrorKind::NoAnswer, Duration::from_secs(30)));
    assert!(cloud.vpcs(&west, &[]).await.is_ok());
    let began = Instant::now();
    cloud.subnets(&west, &SubnetFilter::DefaultForZones).await.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(20));
    sleep(Duration::from_secs(15)).await;
    assert_eq!(cloud.vpcs(&west, &[]).await.unwrap_err().kind, ErrorKind::Unreachable);
    sleep(Duration::from_secs(30)).await;
    assert!(cloud.vpcs(&west, &[]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_leaves_the_instances_behind() {
    let world =
        world("[[faults]]\noperation = \"RunInstances\"\ncalls = [1]\nanswer = \"lost-answer\"");
    let error = refusal(&world, &request("lost")).await;
    assert_eq!((error.kind, error.outcome_unknown()), (ErrorKind::NoAnswer, true));
    let filter = InstanceFilter::Token("lost".into());
    let found = world.cloud().instances(&west(), &filter).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(launch(&world, &request("lost")).await.len(), 2, "the token finds them again");
    assert_eq!(world.snapshot().regions[&west()].instances.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_may_have_launched() {
    let world = world("[api]\nlatency_s = 2");
    for (patience, left) in [(500, 0), (1500, 2)] {
        let cloud = world.cloud();
        let (west, request) = (west(), request("gone"));
        let call = cloud.launch(&west, &request);
        assert!(timeout(Duration::from_millis(patience), call).await.is_err());
        assert_eq!(world.snapshot().regions[&west].instances.len(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn regions_that_are_not_enabled_or_not_there_say_so() {
    let world = world("[regions.af-south-1]\nopt_in = \"not-opted-in\"\nzones = [\"a\"]");
    let cloud = world.cloud();
    let disabled = cloud.vpcs(&"af-south-1".into(), &[]).await.unwrap_err();
    assert_eq!(
        (disabled.code.as_deref(), disabled.kind),
        (Some("OptInRequired"), ErrorKind::OptIn)
    );
    let nowhere = cloud.vpcs(&"xx-north-1".into(), &[]).await.unwrap_err();
    assert_eq!((nowhere.code, nowhere.kind), (None, ErrorKind::Unreachable));
    let regions = cloud.regions(&west()).await.unwrap();
    assert_eq!(
        regions.iter().map(|region| region.opt_in).collect::<Vec<_>>(),
        [OptIn::NotOptedIn, OptIn::NotRequired]
    );
}

#[tokio::test(start_paused = true)]
async fn odd_nodes_are_odd_in_their_own_way() {
    let world = world(
        r#"
        [nodes."us-west-2/worker-1"]
        never_runs = true
        [nodes."us-west-2/worker-2"]
        reclaimed_after_s = 30
        "#,
    );
    let instances = launch(&world, &request("odd")).await;
    sleep(Duration::from_secs(12)).await;
    let failed = describe(&world, &instances[0].id).await.unwrap();
    assert_eq!(failed.state_reason.as_deref(), Some("Server.InternalError"));
    let state = async || describe(&world, &instances[1].id).await.unwrap().state;
    assert_eq!(state().await, InstanceState::Running);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(state().await, InstanceState::ShuttingDown);
    let taken = describe(&world, &instances[1].id).await.unwrap();
    assert_eq!(taken.state_reason.as_deref(), Some("Server.SpotInstanceTermination"));
}

#[tokio::test(start_paused = true)]
async fn nodes_refuse_stay_silent_and_change_their_host_keys() {
    let world = world(
        r#"
        [nodes."us-west-2/worker-1"]
        refuses = 1
        other_host_key_from = 3
        [nodes."us-west-2/worker-2"]
        silent = true
        "#,
    );
    let instances = launch(&world, &request("ssh")).await;
    sleep(Duration::from_secs(30)).await;
    let (remote, first) = (world.remote(), host(&world, &instances[0]).await);
    let kind = async |host: &Host| remote.connect(host).await.err().map(|error| error.kind);
    assert_eq!(kind(&first).await, Some(RemoteErrorKind::Unreachable));
    assert_eq!(kind(&first).await, None);
    assert_eq!(kind(&first).await, Some(RemoteErrorKind::HostKeyChanged));
    let second = host(&world, &instances[1]).await;
    assert_eq!(kind(&second).await, Some(RemoteErrorKind::Unreachable));
}

#[tokio::test(start_paused = true)]
async fn ended_instances_are_told_of_for_a_while_and_free_their_room() {
    let world = world("[api]\nremembers_s = 60");
    let id = launch(&world, &LaunchRequest { count: 8, ..request("all") }).await.remove(0).id;
    let one = LaunchRequest { count: 1, ..request("one") };
    assert_eq!(refusal(&world, &one).await.kind, ErrorKind::Capacity);
    world.cloud().terminate(&west(), from_ref(&id)).await.unwrap();
    assert_eq!(launch(&world, &one).await.len(), 1);
    sleep(Duration::from_secs(75)).await;
    assert_eq!(describe(&world, &id).await.unwrap().state, InstanceState::Terminated);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(describe(&world, &id).await, None);
    let unknown = world.cloud().terminate(&west(), &["i-1".into()]).await.unwrap_err();
    assert_eq!(unknown.code.as_deref(), Some("InvalidInstanceID.NotFound"));
}

#[tokio::test(start_paused = true)]
async fn instances_that_were_there_before_are_found_by_tag_only() {
    let world = world(
        r#"
        [[regions.us-west-2.instances]]
        id = "i-0foreign"
        instance_type = "m5.large"
        subnet = "subnet-0a"
        tags = { ray-cluster-name = "tpch" }
        "#,
    );
    launch(&world, &request("ours")).await;
    let filter = InstanceFilter::Tag("ray-cluster-name".into(), "tpch".into());
    let found = world.cloud().instances(&west(), &filter).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.as_str(), found[0].state), ("i-0foreign", InstanceState::Running));
}

#[tokio::test(start_paused = true)]
async fn steps_that_no_scenario_knows_print_what_their_commands_would() {
    let world = world("");
    let session = connect(&world, &first_worker(&world).await).await;
    let text = "sudo apt-get install -y unzip jq\npip3 install ray==2.6.3 && echo done";
    let script = Script { text: text.into(), ..script("own.1") };
    let (lines, exit) = run(&*session, &script, 0).await;
    assert_eq!(exit.unwrap(), Exit::Status(0));
    for expected in ["Setting up unzip ...", "Successfully installed ray", "done"] {
        assert!(lines.iter().any(|line| line == expected), "{expected}: {lines:#?}");
    }
    let (again, _) = run(&*session, &Script { key: "own.2".into(), ..script }, 0).await;
    assert_eq!(lines, again);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_machines_in_ten_regions_take_no_longer_than_one() {
    let scenario = Scenario::scale(10, 100).unwrap();
    let world = World::new(&scenario);
    let regions = world.cloud().regions(&west()).await.unwrap();
    assert_eq!(regions.len(), 10);
    let began = Instant::now();
    let launches = world.snapshot().regions.into_iter().map(|(region, held)| {
        let request = LaunchRequest {
            image: held.images[0].id.clone(),
            subnet: Some(held.subnets[0].id.clone()),
            security_groups: vec![held.security_groups[0].id.clone()],
            count: 100,
            ..request("scale")
        };
        let cloud = world.cloud();
        async move { cloud.launch(&region, &request).await.map(|instances| instances.len()) }
    });
    let counts = futures_util::future::try_join_all(launches).await.unwrap();
    assert_eq!(counts.iter().sum::<usize>(), 1000);
    assert!(began.elapsed() < Duration::from_secs(1));
    let snapshot = world.snapshot();
    let all = snapshot.regions.values().flat_map(|region| &region.instances);
    let ids: BTreeSet<_> = all.clone().map(|instance| instance.id.clone()).collect();
    let addresses: BTreeSet<_> = all.map(|instance| instance.public_ip).collect();
    assert_eq!((ids.len(), addresses.len()), (1000, 1000));
}

#[test]
fn every_built_in_scenario_is_sound_and_listed_with_its_own_summary() {
    for (name, summary) in Scenario::names() {
        let scenario = Scenario::built_in(name).unwrap();
        assert_eq!((scenario.name(), scenario.summary()), (*name, *summary));
    }
    assert!(Scenario::built_in("nonsense").is_none());
    assert!(Scenario::scale(99, 1).is_err());
}

#[test]
fn a_wrong_scenario_is_refused_with_its_place() {
    let parse = |text: &str| Scenario::parse(text).unwrap_err().to_string();
    let unknown = parse("summary = \"x\"\nspeeed = 2\n");
    assert!(unknown.contains("line 2") && unknown.contains("speeed"), "{unknown}");
    let extended = parse("summary = \"x\"\nextends = \"healthy\"\n[boot]\nssh_s = \"soon\"\n");
    assert!(extended.contains("line 4"), "{extended}");
    let nowhere = parse("summary = \"x\"\nextends = \"nonsense\"\n");
    assert!(nowhere.contains("nonsense"), "{nowhere}");
    let dangling = parse(
        "summary = \"x\"\n[regions.a-b-1]\nzones = [\"a\"]\n[[regions.a-b-1.subnets]]\n\
         id = \"subnet-1\"\nvpc = \"vpc-1\"\nzone = \"a-b-1z\"\ncidr = \"10.0.0.0/24\"\n",
    );
    assert!(dangling.contains("no VPC vpc-1") && dangling.contains("no zone a-b-1z"), "{dangling}");
}

#[test]
fn every_built_in_scenario_has_a_project_without_a_complaint() {
    for (name, _) in Scenario::names() {
        let loaded = Scenario::built_in(name).unwrap().load_project();
        assert_eq!(loaded.diagnostics, [], "{name}");
        let project = loaded.project.unwrap();
        assert_eq!((&**project.name, project.planned_nodes().len()), ("tpch-demo", 9), "{name}");
    }
    let loaded = Scenario::scale(10, 100).unwrap().load_project();
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.project.unwrap().planned_nodes().len(), 1000);
}
