//! Two regions with their own networks, peered and routed, created call by call, so
//! that a test can omit one part.

use muster::cloud::{Change, InboundRule, PeeringState, PortRange, Source, Tags, Via};

use super::{
    account::{Account, id},
    harness::{Config, FixHarness, OPERATOR},
};

/// What can be missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Ireland has no key pair.
    KeyMissing,
    /// Ireland's key pair is somebody else's.
    KeyForeign,
    /// Ireland's config names Oregon's image.
    ImageForeign,
    /// Ireland's config names an image that only Oregon has.
    ImageOnlyThere,
    /// Ireland's config names a missing group.
    GroupMissing,
    /// Ireland's config names a group of the default VPC.
    GroupElsewhere,
    /// Ireland's group does not admit Oregon's nodes.
    PeersKeptOut,
    /// Ireland's group does not admit the operator.
    OperatorKeptOut,
    /// No peering connection was requested.
    NotPeered,
    /// It was not accepted.
    NotAccepted,
    /// It was requested, and was rejected, expired or failed.
    PeeringEnded(PeeringState),
    /// Ireland has no route back.
    NoRouteBack,
    /// Ireland's route back is in the main table, and its subnet uses another.
    RouteInMainTable,
    /// Ireland's network has the same addresses as Oregon's.
    SameAddresses,
}

/// One region's network.
#[derive(Clone, Debug)]
pub struct Site {
    pub region: &'static str,
    pub vpc: String,
    pub subnet: String,
    pub table: String,
    pub group: String,
}

const US: &str = "us-west-2";
const EU: &str = "eu-west-1";

/// Creates a project in which only `flaw` is wrong.
pub async fn flawed(account: Account, flaw: Option<Flaw>) -> FixHarness {
    let mut harness = FixHarness::new(account);
    let us = site(&harness, US, 1, 2, None).await;
    let number = if flaw == Some(Flaw::SameAddresses) { 1 } else { 2 };
    let eu = site(&harness, EU, number, 1, flaw).await;
    join(&harness.account, &us, &eu, flaw).await;
    keys(&harness, flaw).await;
    let group = match flaw {
        Some(Flaw::GroupMissing) => "sg-0123456789abcdef0".to_owned(),
        Some(Flaw::GroupElsewhere) => elsewhere(&harness.account).await,
        _ => eu.group.clone(),
    };
    let (us_image, eu_image) = images(&harness, flaw).await;
    let config = |site: &Site, group: &str, image: String| Config {
        group: Some(group.to_owned()),
        subnets: vec![site.subnet.clone()],
        ..Config::bare(site.region, image)
    };
    let configs = [config(&us, &us.group, us_image), config(&eu, &group, eu_image)];
    harness.write(&configs);
    harness
}

async fn site(
    harness: &FixHarness,
    region: &'static str,
    number: u8,
    peer: u8,
    flaw: Option<Flaw>,
) -> Site {
    let account = &harness.account;
    let make = async |change| account.make(region, change).await;
    let cidr = format!("10.{number}.0.0/16").parse().unwrap_or_default();
    let vpc = make(Change::CreateVpc { cidr, tags: Tags::new() }).await;
    let zone = format!("{region}a").into();
    let cidr = format!("10.{number}.0.0/20").parse().unwrap_or_default();
    let subnet = make(Change::CreateSubnet { vpc: id(&vpc), zone, cidr, tags: Tags::new() }).await;
    make(Change::MapPublicIp { subnet: id(&subnet) }).await;
    let gateway = make(Change::CreateInternetGateway { tags: Tags::new() }).await;
    make(Change::AttachInternetGateway { gateway: id(&gateway), vpc: id(&vpc) }).await;
    let table = make(Change::CreateRouteTable { vpc: id(&vpc), tags: Tags::new() }).await;
    make(Change::AssociateRouteTable { table: id(&table), subnet: id(&subnet) }).await;
    route(account, region, &table, "0.0.0.0/0", Via::Gateway(id(&gateway))).await;
    let group = group(account, region, &vpc, "nodes").await;
    let mut rules = vec![rule(1024, u16::MAX, Source::Group(id(&group)))];
    if flaw != Some(Flaw::PeersKeptOut) {
        rules.push(rule(1024, u16::MAX, from(&format!("10.{peer}.0.0/16"))));
    }
    if flaw != Some(Flaw::OperatorKeptOut) {
        rules.push(rule(22, 22, from(OPERATOR)));
    }
    make(Change::AuthorizeIngress { group: id(&group), rules, tags: Tags::new() }).await;
    Site { region, vpc, subnet, table, group }
}

async fn group(account: &Account, region: &str, vpc: &str, name: &str) -> String {
    let change = Change::CreateSecurityGroup {
        name: name.into(),
        description: "of the test".into(),
        vpc: id(vpc),
        tags: Tags::new(),
    };
    account.make(region, change).await
}

async fn elsewhere(account: &Account) -> String {
    let cidr = "10.9.0.0/16".parse().unwrap_or_default();
    let vpc = account.make(EU, Change::CreateVpc { cidr, tags: Tags::new() }).await;
    group(account, EU, &vpc, "elsewhere").await
}

/// Returns the images that the configs name.
async fn images(harness: &FixHarness, flaw: Option<Flaw>) -> (String, String) {
    let us = harness.image(US, "harness").await;
    if flaw == Some(Flaw::ImageOnlyThere) {
        return (us.clone(), us);
    }
    let eu = harness.image(EU, "harness").await;
    if flaw == Some(Flaw::ImageForeign) { (us.clone(), us) } else { (us, eu) }
}

async fn keys(harness: &FixHarness, flaw: Option<Flaw>) {
    for region in [US, EU] {
        let public_key = match flaw {
            Some(Flaw::KeyMissing) if region == EU => continue,
            Some(Flaw::KeyForeign) if region == EU => harness.make_key("other"),
            _ => harness.public_key("key"),
        };
        let change =
            Change::ImportKeyPair { name: "harness".into(), public_key, tags: Tags::new() };
        harness.account.make(region, change).await;
    }
}

async fn join(account: &Account, us: &Site, eu: &Site, flaw: Option<Flaw>) {
    if matches!(flaw, Some(Flaw::NotPeered | Flaw::SameAddresses)) {
        return;
    }
    let request = Change::CreatePeering {
        vpc: id(&us.vpc),
        peer_region: EU.into(),
        peer_vpc: id(&eu.vpc),
        tags: Tags::new(),
    };
    let peering = account.make(US, request).await;
    if let Some(Flaw::PeeringEnded(state)) = flaw {
        return account.end_peering(EU, &peering, state).await;
    }
    if flaw != Some(Flaw::NotAccepted) {
        account.make(EU, Change::AcceptPeering { peering: id(&peering) }).await;
        active(account, us, &peering).await;
    }
    let via = || Via::Peering(id(&peering));
    route(account, US, &us.table, "10.2.0.0/16", via()).await;
    let table = match flaw {
        Some(Flaw::NoRouteBack) => return,
        Some(Flaw::RouteInMainTable) => main_table(account, eu).await,
        _ => eu.table.clone(),
    };
    route(account, EU, &table, "10.1.0.0/16", via()).await;
}

async fn main_table(account: &Account, site: &Site) -> String {
    let (region, vpcs) = (site.region.into(), [site.vpc.as_str().into()]);
    let tables = account.cloud.route_tables(&region, &vpcs).await.unwrap_or_default();
    tables.iter().find(|table| table.is_main).map(|table| table.id.to_string()).unwrap_or_default()
}

async fn active(account: &Account, us: &Site, peering: &str) {
    let vpcs = [us.vpc.as_str().into()];
    let is_active = |one: &muster::cloud::Peering| {
        one.id.as_str() == peering && one.state == muster::cloud::PeeringState::Active
    };
    while !account
        .cloud
        .peerings(&US.into(), &vpcs)
        .await
        .is_ok_and(|all| all.iter().any(is_active))
    {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn route(account: &Account, region: &str, table: &str, to: &str, via: Via) {
    let destination = to.parse().unwrap_or_default();
    account.make(region, Change::CreateRoute { table: id(table), destination, via }).await;
}

fn rule(first: u16, last: u16, source: Source) -> InboundRule {
    let ports = PortRange { from: first, to: last };
    InboundRule { ports, source, description: "of the test".into() }
}

fn from(cidr: &str) -> Source {
    Source::Cidr(cidr.parse().unwrap_or_default())
}
