//! Taking the survey: its calls, its duration, and what it keeps of refused calls.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use ipnet::IpNet;
use muster::{
    check::{self, Level},
    cloud::{
        Change, Cloud, CloudError, ConsoleOutput, Image, ImageName, Instance, InstanceFilter,
        InstanceState, InstanceTypeInfo, Interface, InternetGateway, IpPermission, KeyPair,
        LaunchRequest, Offering, Peering, PublicKey, RegionInfo, Result, RouteTable, SecurityGroup,
        Subnet, SubnetFilter, Tagged, Vpc,
    },
    model::{
        Clock, Failure, Fingerprint, ImageId, InstanceId, InstanceType, KeyName, Region,
        SecurityGroupId, SubnetId, VpcId,
    },
    remote::{self, Host, Remote, Session},
    survey::{self, Fact, RegionSurvey, Survey, SurveyOptions},
};
use tokio::time::{Instant, sleep};

use super::world::{World, image};

/// The duration of each call.
const LATENCY: Duration = Duration::from_millis(120);

/// EC2 with the contents of a [`World`]; each call returns after [`LATENCY`].
struct Ec2 {
    survey: Survey,
    /// The calls that are refused or lost, by region and operation.
    errors: fn(&Region, &'static str) -> Option<CloudError>,
    /// Region and operation of every call.
    calls: Mutex<Vec<(Region, &'static str)>>,
}

impl Ec2 {
    async fn answer<T>(
        &self,
        region: &Region,
        operation: &'static str,
        value: impl FnOnce(&RegionSurvey) -> T,
    ) -> Result<T> {
        self.calls.lock().unwrap().push((region.clone(), operation));
        sleep(LATENCY).await;
        match (self.errors)(region, operation) {
            Some(error) => Err(error),
            None => Ok(value(&self.survey.regions[region])),
        }
    }

    fn calls(&self, operation: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|(_, name)| *name == operation).count()
    }
}

fn all<T: Clone>(fact: &Fact<Vec<T>>) -> Vec<T> {
    fact.known().unwrap().clone()
}

#[async_trait]
impl Cloud for Ec2 {
    fn is_simulated(&self) -> bool {
        true
    }

    async fn regions(&self, from: &Region) -> Result<Vec<RegionInfo>> {
        let regions = self.survey.regions.iter().filter_map(|(name, facts)| {
            Some(RegionInfo { name: name.clone(), opt_in: (*facts.opt_in.known()?)? })
        });
        self.answer(from, "DescribeRegions", |_| regions.collect()).await
    }

    async fn images(&self, region: &Region, ids: &[ImageId]) -> Result<Vec<Image>> {
        assert!(!ids.is_empty());
        self.answer(region, "DescribeImages", |facts| all(&facts.images)).await
    }

    async fn key_pairs(&self, region: &Region, names: &[KeyName]) -> Result<Vec<KeyPair>> {
        assert!(!names.is_empty());
        self.answer(region, "DescribeKeyPairs", |facts| all(&facts.key_pairs)).await
    }

    async fn security_groups(
        &self,
        region: &Region,
        ids: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroup>> {
        assert!(!ids.is_empty());
        self.answer(region, "DescribeSecurityGroups", |facts| all(&facts.security_groups)).await
    }

    async fn security_groups_named(
        &self,
        region: &Region,
        names: &[String],
    ) -> Result<Vec<SecurityGroup>> {
        assert!(!names.is_empty());
        self.answer(region, "DescribeSecurityGroups", |facts| all(&facts.security_groups)).await
    }

    async fn prefix_list(&self, region: &Region, id: &str) -> Result<Vec<IpNet>> {
        let list = self.survey.regions[region].prefix_lists[id].known().unwrap().clone();
        self.answer(region, "GetManagedPrefixListEntries", |_| list).await
    }

    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>> {
        assert_ne!(*filter, SubnetFilter::Ids(Vec::new()));
        let wanted = |facts: &RegionSurvey, subnet: &Subnet| match filter {
            SubnetFilter::Ids(ids) => ids.contains(&subnet.id),
            SubnetFilter::DefaultForZones => {
                facts.default_subnets.known().unwrap().contains(&subnet.id)
            }
        };
        self.answer(region, "DescribeSubnets", |facts| {
            all(&facts.subnets).into_iter().filter(|subnet| wanted(facts, subnet)).collect()
        })
        .await
    }

    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>> {
        assert!(!ids.is_empty());
        self.answer(region, "DescribeVpcs", |facts| all(&facts.vpcs)).await
    }

    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
        assert!(!vpcs.is_empty());
        self.answer(region, "DescribeRouteTables", |facts| all(&facts.route_tables)).await
    }

    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
        assert!(!vpcs.is_empty());
        self.answer(region, "DescribeVpcPeeringConnections", |facts| all(&facts.peerings)).await
    }

    async fn instance_types(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> Result<Vec<InstanceTypeInfo>> {
        assert!(!types.is_empty());
        self.answer(region, "DescribeInstanceTypes", |facts| all(&facts.instance_types)).await
    }

    async fn offerings(&self, region: &Region, types: &[InstanceType]) -> Result<Vec<Offering>> {
        assert!(!types.is_empty());
        self.answer(region, "DescribeInstanceTypeOfferings", |facts| all(&facts.offerings)).await
    }

    async fn instances(&self, region: &Region, filter: &InstanceFilter) -> Result<Vec<Instance>> {
        assert_eq!(*filter, InstanceFilter::Tag("ray-cluster-name".into(), "tpch".into()));
        self.answer(region, "DescribeInstances", |facts| all(&facts.instances)).await
    }

    async fn console_output(
        &self,
        region: &Region,
        _: &InstanceId,
    ) -> Result<Option<ConsoleOutput>> {
        Err(CloudError::answered(region, "GetConsoleOutput", "Test", "not asked"))
    }

    async fn dry_run(&self, region: &Region, _: &LaunchRequest) -> Result<()> {
        self.answer(region, "RunInstances", |_| ()).await
    }

    async fn launch(&self, region: &Region, _: &LaunchRequest) -> Result<Vec<Instance>> {
        Err(CloudError::answered(region, "RunInstances", "Test", "a survey launches nothing"))
    }

    async fn terminate(
        &self,
        region: &Region,
        _: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        Err(CloudError::answered(region, "TerminateInstances", "Test", "nor does it end anything"))
    }

    async fn stop(
        &self,
        region: &Region,
        _: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        Err(CloudError::answered(region, "StopInstances", "Test", "or stop it"))
    }

    async fn start(
        &self,
        region: &Region,
        _: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        Err(CloudError::answered(region, "StartInstances", "Test", "or start it"))
    }

    async fn images_named(&self, region: &Region, _: &str, _: &ImageName) -> Result<Vec<Image>> {
        Err(CloudError::answered(region, "DescribeImages", "Test", "it knows images by id"))
    }

    async fn all_vpcs(&self, region: &Region) -> Result<Vec<Vpc>> {
        Err(CloudError::answered(region, "DescribeVpcs", "Test", "and VPCs as well"))
    }

    async fn internet_gateways(
        &self,
        region: &Region,
        _: &[String],
    ) -> Result<Vec<InternetGateway>> {
        Err(CloudError::answered(region, "DescribeInternetGateways", "Test", "not asked"))
    }

    async fn interfaces(&self, region: &Region, _: &[VpcId]) -> Result<Vec<Interface>> {
        Err(CloudError::answered(region, "DescribeNetworkInterfaces", "Test", "not asked"))
    }

    async fn tagged(&self, region: &Region, _: &[&str]) -> Result<Vec<Tagged>> {
        Err(CloudError::answered(region, "DescribeTags", "Test", "tags are nothing to it"))
    }

    async fn change(&self, region: &Region, change: &Change) -> Result<Option<String>> {
        Err(CloudError::answered(region, change.operation(), "Test", "it changes nothing"))
    }
}

/// Reads one private key after [`LATENCY`].
struct Keys(Fact<PublicKey>);

#[async_trait]
impl Remote for Keys {
    async fn public_key(&self, _: &Path) -> std::result::Result<PublicKey, Failure> {
        sleep(LATENCY).await;
        match &self.0 {
            Fact::Known(key) => Ok(key.clone()),
            Fact::Unknown(failure) => Err(failure.clone()),
        }
    }

    async fn connect(&self, host: &Host) -> remote::Result<Box<dyn Session>> {
        Err(remote::RemoteError {
            kind: remote::RemoteErrorKind::Local,
            node: host.node.clone(),
            message: "a survey connects to nothing".into(),
        })
    }

    fn pinned_host_keys(&self, _: &Host) -> std::result::Result<Vec<Fingerprint>, Failure> {
        Ok(Vec::new())
    }
}

/// Takes a survey of `world` on a separate task, as the engine does.
async fn take(
    world: World,
    dry_run: bool,
    errors: fn(&Region, &'static str) -> Option<CloudError>,
) -> (World, Survey, Arc<Ec2>) {
    let survey = world.survey();
    let ec2 = Arc::new(Ec2 { survey, errors, calls: Mutex::default() });
    let cloud = Arc::clone(&ec2);
    let (world, survey) = tokio::spawn(async move {
        let keys = Keys(world.local_key.clone());
        let clock = Clock::starting_at(super::world::NOW.parse().unwrap());
        let options = SurveyOptions { dry_run, ..SurveyOptions::default() };
        let survey = survey::take(&world.project, &*cloud, &keys, &clock, options).await;
        (world, survey)
    })
    .await
    .unwrap();
    (world, survey, ec2)
}

fn no_errors(_: &Region, _: &'static str) -> Option<CloudError> {
    None
}

const TEN: [&str; 10] = [
    "us-west-2",
    "eu-west-1",
    "ap-southeast-2",
    "ca-central-1",
    "sa-east-1",
    "me-south-1",
    "af-south-1",
    "il-central-1",
    "mx-central-1",
    "cn-north-1",
];

#[tokio::test(start_paused = true)]
async fn all_is_read_as_it_is() {
    let world = World::healthy();
    let expected = world.survey();
    let (_, survey, _) = take(world, true, no_errors).await;
    assert_eq!(survey, expected);
}

/// A healthy world in which rules of one region name two prefix lists.
fn listing() -> World {
    let mut world = World::healthy();
    let region = world.region("us-west-2");
    for id in ["pl-1", "pl-2"] {
        let nets = Fact::Known(vec!["203.0.113.0/24".parse().unwrap()]);
        region.prefix_lists.insert(id.into(), nets);
    }
    let lists = vec!["pl-1".into(), "pl-2".into()];
    let rule = super::world::rule(443, 443, &[], &[]);
    region.groups[0].inbound.push(IpPermission { prefix_lists: lists, ..rule });
    world
}

#[tokio::test(start_paused = true)]
async fn prefix_lists_are_read_where_rules_name_them() {
    fn denied(region: &Region, operation: &'static str) -> Option<CloudError> {
        (operation == "GetManagedPrefixListEntries")
            .then(|| CloudError::answered(region, operation, "UnauthorizedOperation", "no"))
    }
    let here: Region = "us-west-2".into();
    let listed = listing().survey();
    let (_, survey, ec2) = take(listing(), false, no_errors).await;
    assert_eq!(survey.regions[&here].prefix_lists, listed.regions[&here].prefix_lists);
    assert_eq!(ec2.calls("GetManagedPrefixListEntries"), 2, "and in no other region");
    let (_, survey, _) = take(listing(), false, denied).await;
    let Fact::Unknown(why) = &survey.regions[&here].prefix_lists["pl-1"] else { unreachable!() };
    assert_eq!(why.code.as_deref(), Some("UnauthorizedOperation"));
}

#[test]
fn a_survey_can_be_written_as_json() {
    let json = serde_json::to_value(World::healthy().survey()).unwrap();
    let region = &json["regions"]["us-west-2"];
    assert!(region["dry_runs"]["us-west-2 head (ray.head.default)"].is_object(), "{region:#}");
}

#[tokio::test(start_paused = true)]
async fn ten_regions_take_as_long_as_one() {
    let mut durations = Vec::new();
    for regions in [&TEN[..1], &TEN[..]] {
        let start = Instant::now();
        let (_, survey, ec2) = take(World::of(regions), true, no_errors).await;
        durations.push(start.elapsed());
        assert_eq!(survey.regions.len(), regions.len());
        assert_eq!(ec2.calls("DescribeImages"), regions.len());
    }
    assert_eq!(durations[0], durations[1]);
    assert_eq!(durations[1], 2 * LATENCY, "two rounds");
}

#[tokio::test(start_paused = true)]
async fn each_group_has_a_dry_run_only_on_request() {
    let (world, first, ec2) = take(World::healthy(), true, no_errors).await;
    assert_eq!(ec2.calls("RunInstances"), 6);
    let (world, mut again, ec2) = take(world, false, no_errors).await;
    assert_eq!(ec2.calls("RunInstances"), 0);
    assert!(again.regions.values().all(|region| region.dry_runs.is_empty()));
    again.keep_dry_runs(&first);
    assert_eq!(again, first);
    assert!(check::run(&world.project, &again, None).iter().all(|it| it.level == Level::Pass));
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_would_be_refused_for_known_reasons_is_not_asked() {
    type Break = fn(&mut World);
    let breaks: [Break; 7] = [
        |world| world.region("eu-west-1").images.clear(),
        |world| world.region("eu-west-1").key_pairs.clear(),
        |world| world.region("eu-west-1").groups.clear(),
        |world| world.region("eu-west-1").subnets.clear(),
        |world| world.region("eu-west-1").types.clear(),
        |world| world.region("eu-west-1").groups[0].vpc = "vpc-else".into(),
        |world| world.templates("eu-west-1", |template| template.image = None),
    ];
    for (i, break_it) in breaks.into_iter().enumerate() {
        let mut world = World::healthy();
        break_it(&mut world);
        let (_, survey, ec2) = take(world, true, no_errors).await;
        assert_eq!(ec2.calls("RunInstances"), 4, "break {i}");
        assert!(survey.regions[&"eu-west-1".into()].dry_runs.is_empty(), "break {i}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_dry_run_is_an_answer_and_a_lost_one_is_not() {
    fn denied(region: &Region, operation: &'static str) -> Option<CloudError> {
        (operation == "RunInstances")
            .then(|| CloudError::answered(region, operation, "UnauthorizedOperation", "no"))
    }
    fn throttled(region: &Region, operation: &'static str) -> Option<CloudError> {
        (operation == "RunInstances")
            .then(|| CloudError::answered(region, operation, "RequestLimitExceeded", "slow down"))
    }
    let levels = |world: &World, survey: &Survey| -> Vec<Level> {
        let findings = check::run(&world.project, survey, None);
        findings.iter().filter(|it| it.check == "iam.launch").map(|it| it.level).collect()
    };
    let (world, survey, _) = take(World::of(&["us-west-2"]), true, denied).await;
    assert_eq!(levels(&world, &survey), [Level::Fail]);
    let (world, survey, _) = take(world, true, throttled).await;
    assert_eq!(levels(&world, &survey), [Level::Unknown]);
}

#[tokio::test(start_paused = true)]
async fn facts_that_depend_on_unreadable_subnets_are_unknown() {
    fn denied(region: &Region, operation: &'static str) -> Option<CloudError> {
        (operation == "DescribeSubnets" && region.as_str() == "eu-west-1")
            .then(|| CloudError::answered(region, operation, "UnauthorizedOperation", "no"))
    }
    let (_, survey, ec2) = take(World::healthy(), false, denied).await;
    let facts = &survey.regions[&"eu-west-1".into()];
    let Fact::Unknown(failure) = &facts.route_tables else { unreachable!("{facts:?}") };
    assert_eq!(
        failure.message,
        "not read, since the subnets could not be read: DescribeSubnets in eu-west-1: no"
    );
    assert_eq!(failure.code.as_deref(), Some("UnauthorizedOperation"));
    assert_eq!(ec2.calls("DescribeVpcs"), 2);
    assert_eq!(survey.not_asked, None);
    assert!(facts.images.known().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_default_subnets_are_asked_for_where_a_group_names_none() {
    let mut world = World::healthy();
    world.config("eu-west-1").groups[1].template.subnets.clear();
    let facts = world.region("eu-west-1");
    facts.subnets.push(Subnet { id: "subnet-default".into(), ..facts.subnets[0].clone() });
    facts.default_subnets = vec!["subnet-default"];
    let (world, survey, ec2) = take(world, false, no_errors).await;
    assert_eq!(ec2.calls("DescribeSubnets"), 4);
    let facts = &survey.regions[&"eu-west-1".into()];
    assert_eq!(facts.default_subnets, Fact::Known(vec![SubnetId::from("subnet-default")]));
    let config = world.project.region(&"eu-west-1".into()).unwrap();
    let ids = |group: usize| -> Vec<&str> {
        let subnets = facts.subnets_of(config, &config.groups[group]).unwrap();
        subnets.into_iter().map(|subnet| subnet.id.as_str()).collect()
    };
    assert_eq!(ids(0), ["subnet-eu"]);
    assert_eq!(ids(1), ["subnet-default"]);
}

#[tokio::test(start_paused = true)]
async fn not_asked_only_if_no_region_answered() {
    fn lost(region: &Region, operation: &'static str) -> CloudError {
        use muster::cloud::ErrorKind::{Credentials, NoAnswer};
        let kind = if region.as_str() == "eu-west-1" { Credentials } else { NoAnswer };
        let message = "the token expired".into();
        CloudError { kind, code: None, message, region: region.clone(), operation }
    }
    fn but_one(region: &Region, operation: &'static str) -> Option<CloudError> {
        (region.as_str() != "us-west-2").then(|| lost(region, operation))
    }
    let (world, survey, _) =
        take(World::healthy(), true, |region, operation| Some(lost(region, operation))).await;
    let failure = survey.not_asked.as_ref().unwrap();
    assert!(
        failure.message.contains("eu-west-1"),
        "the credentials error is the most specific: {failure}"
    );
    let findings = check::run(&world.project, &survey, None);
    assert!(findings.iter().all(|it| it.level != Level::Pass || it.check == "key.local"));
    let (world, survey, _) = take(world, true, but_one).await;
    assert_eq!(survey.not_asked, None);
    let (_, survey, _) = take(world, true, |region, operation| {
        Some(CloudError::answered(region, operation, "UnauthorizedOperation", "no"))
    })
    .await;
    assert_eq!(survey.not_asked, None, "a refusal is an answer");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_region_is_detected_by_the_others() {
    fn unreachable(region: &Region, operation: &'static str) -> Option<CloudError> {
        (region.as_str() == "eu-west-1").then(|| CloudError {
            kind: muster::cloud::ErrorKind::Unreachable,
            code: None,
            message: "no such host".into(),
            region: region.clone(),
            operation,
        })
    }
    let mut world = World::healthy();
    world.region("eu-west-1").opt_in = None;
    let (world, survey, _) = take(world, true, unreachable).await;
    let findings = check::run(&world.project, &survey, None);
    let fails: Vec<_> = findings.iter().filter(|it| it.level == Level::Fail).collect();
    assert_eq!(fails.len(), 1, "{fails:#?}");
    assert_eq!(fails[0].check, "region.enabled");
}

#[tokio::test(start_paused = true)]
async fn each_region_is_asked_for_the_images_of_all() {
    let mut world = World::healthy();
    world.region("us-west-2").images.push(image("ami-eu"));
    world.region("eu-west-1").images.clear();
    let (world, survey, _) = take(world, false, no_errors).await;
    let findings = check::run(&world.project, &survey, None);
    assert_eq!(findings[0].title, "ami-eu is an image of us-west-2");
}
