//! The nodes' side: logins, and the behavior of scripts.

use std::{net::IpAddr, slice::from_ref, time::Duration};

use muster::{
    cloud::LaunchRequest,
    remote::{Exit, Host, RemoteErrorKind, Script},
};
use tokio::time::{Instant, sleep};

use super::{connect, first_worker, host, launch, request, run, script, west, world};

#[tokio::test(start_paused = true)]
async fn ssh_answers_some_time_after_the_instance_runs() {
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
async fn a_step_prints_its_lines_over_its_duration_and_fails_on_the_configured_try() {
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
    assert!(began.elapsed() < Duration::from_secs(30), "it did not restart");
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
async fn a_terminated_instance_drops_its_connections_at_once() {
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
