//! The checks on the built-in simulated worlds.

use muster::{
    check::{self, Finding, Level},
    sim::{Scenario, World},
    survey::{self, Survey, SurveyOptions},
};
use tokio::time::{Duration, Instant};

use super::world::short;

/// Loads and surveys a world; returns its findings and the survey's duration.
async fn look(scenario: &Scenario) -> (Survey, Vec<Finding>, Duration) {
    let project = scenario.load_project().project.unwrap();
    let world = World::new(scenario);
    let (cloud, remote) = (world.cloud(), world.remote());
    let options = SurveyOptions { dry_run: true, ..SurveyOptions::default() };
    let start = Instant::now();
    let survey = survey::take(&project, &*cloud, &*remote, &world.clock(), options).await;
    let took = start.elapsed();
    let findings = check::run(&project, &survey, None);
    (survey, findings, took)
}

async fn findings(name: &str) -> Vec<Finding> {
    look(&Scenario::built_in(name).unwrap()).await.1
}

fn of_level(findings: &[Finding], level: Level) -> Vec<String> {
    findings.iter().filter(|finding| finding.level == level).map(short).collect()
}

#[tokio::test(start_paused = true)]
async fn the_six_mistakes_are_six_failures() {
    let findings = findings("mistakes").await;
    assert_eq!(
        of_level(&findings, Level::Fail),
        [
            "✗ key.exists eu-west-1: key pair quokka is missing",
            "✗ key.same-material ap-southeast-2: key pair quokka has different key material",
            "✗ ami.exists eu-west-1: ami-0530ca8899fac469f is an image of us-west-2",
            "✗ sg.same-vpc eu-west-1: security group sg-0b7e14d5c3a29f860 is in the default VPC",
            "✗ peering.active us-west-2 ↔ eu-west-1: peering is pending acceptance",
            "✗ route.peering eu-west-1 ↔ ap-southeast-2: rtb-04d5e6f7a8b9c0122 has no route to 10.3.0.0/16",
        ]
    );
    assert!(of_level(&findings, Level::Unknown).is_empty());
    assert!(of_level(&findings, Level::Warn).is_empty());
    for finding in findings.iter().filter(|finding| finding.level == Level::Fail) {
        assert!(finding.location.is_some() && finding.todo.is_some(), "{finding:#?}");
        assert!(!finding.impact.as_ref().unwrap().is_empty(), "{finding:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_healthy_world_is_healthy() {
    let findings = findings("healthy").await;
    let bad: Vec<_> = findings.iter().filter(|finding| finding.level != Level::Pass).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_survey_of_ten_regions_takes_no_longer_than_one() {
    let (survey, findings, ten) = look(&Scenario::scale(10, 3).unwrap()).await;
    assert_eq!(survey.regions.len(), 10);
    assert_eq!(of_level(&findings, Level::Fail), Vec::<String>::new());
    let (_, _, one) = look(&Scenario::scale(1, 3).unwrap()).await;
    assert!(ten <= one, "{ten:?} for ten regions, {one:?} for one");
}

#[tokio::test(start_paused = true)]
async fn denied_reads_are_unknown_and_the_dry_run_reports_them() {
    let findings = findings("denied").await;
    let refused = |region| format!("✗ iam.launch {region}: the launch would be refused");
    let unread = |check, region| format!("? {check} {region}: the key pairs could not be read");
    let regions = ["us-west-2", "eu-west-1", "ap-southeast-2"];
    assert_eq!(of_level(&findings, Level::Fail), regions.map(refused));
    let unknown = ["key.exists", "key.same-material"];
    let unknown = unknown.map(|check| regions.map(|region| unread(check, region)));
    assert_eq!(of_level(&findings, Level::Unknown), unknown.concat());
}

#[tokio::test(start_paused = true)]
async fn a_region_that_never_answers_is_reported_once_and_awaited_once() {
    let (survey, findings, took) = look(&Scenario::built_in("hang").unwrap()).await;
    assert_eq!(survey.not_asked, None, "the others answer");
    assert_eq!(of_level(&findings, Level::Fail), Vec::<String>::new());
    assert_eq!(
        of_level(&findings, Level::Unknown),
        ["? region.enabled ap-southeast-2: the region could not be read"]
    );
    assert_eq!(check::exit_code(&findings, false), 4);
    assert_eq!(took, Duration::from_secs(30), "the timeout of one call");
}
