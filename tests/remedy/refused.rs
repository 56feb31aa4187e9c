//! Refused, throttled, failing and hanging at each call in turn: a clear end,
//! nothing half said; and once the cause is gone, the next fix ends well.

#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::sync::{Arc, Mutex};

use super::{account::Account, bench::Bench, network::nothing};
use muster::{
    cloud::{
        Change, Cloud, CloudError, ErrorKind, Image, Instance, InstanceFilter, InstanceState,
        InstanceTypeInfo, Interface, KeyPair, LaunchRequest, Offering, Peering, RegionInfo, Result,
        RouteTable, SecurityGroup, Subnet, SubnetFilter, Tagged, Vpc,
    },
    engine::Event,
    model::{ImageId, InstanceId, InstanceType, KeyName, Region, SecurityGroupId, VpcId},
    remedy::Wish,
};

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Denied,
    /// Until the caller gives up.
    Throttled,
    /// The service fails and has done nothing.
    Broken,
    /// No answer, though it has done it.
    Lost,
    /// No answer, and it has done nothing.
    Hang,
}

const FAULTS: [Fault; 5] =
    [Fault::Denied, Fault::Throttled, Fault::Broken, Fault::Lost, Fault::Hang];

/// A door behind which every call of one operation meets a fault.
struct Faulty {
    inner: Arc<dyn Cloud>,
    operation: &'static str,
    fault: Fault,
    met: Mutex<u32>,
}

impl Faulty {
    fn error(&self, region: &Region, operation: &'static str) -> CloudError {
        let (kind, code) = match self.fault {
            Fault::Denied => (ErrorKind::Denied, Some("UnauthorizedOperation")),
            Fault::Throttled => (ErrorKind::Throttled, Some("RequestLimitExceeded")),
            Fault::Broken => (ErrorKind::Service, Some("InternalError")),
            Fault::Lost | Fault::Hang => (ErrorKind::NoAnswer, None),
        };
        CloudError {
            kind,
            code: code.map(str::to_owned),
            message: "as the test wants it".into(),
            region: region.clone(),
            operation,
        }
    }
}

#[async_trait::async_trait]
impl Cloud for Faulty {
    fn is_simulated(&self) -> bool {
        self.inner.is_simulated()
    }

    async fn change(&self, region: &Region, change: &Change) -> Result<Option<String>> {
        if change.operation() != self.operation {
            return self.inner.change(region, change).await;
        }
        *self.met.lock().unwrap() += 1;
        if self.fault == Fault::Lost {
            let _ = self.inner.change(region, change).await;
        }
        Err(self.error(region, change.operation()))
    }

    async fn regions(&self, from: &Region) -> Result<Vec<RegionInfo>> {
        self.inner.regions(from).await
    }

    async fn images(&self, region: &Region, ids: &[ImageId]) -> Result<Vec<Image>> {
        self.inner.images(region, ids).await
    }

    async fn key_pairs(&self, region: &Region, names: &[KeyName]) -> Result<Vec<KeyPair>> {
        self.inner.key_pairs(region, names).await
    }

    async fn security_groups(
        &self,
        region: &Region,
        ids: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroup>> {
        self.inner.security_groups(region, ids).await
    }

    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>> {
        self.inner.subnets(region, filter).await
    }

    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>> {
        self.inner.vpcs(region, ids).await
    }

    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
        self.inner.route_tables(region, vpcs).await
    }

    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
        self.inner.peerings(region, vpcs).await
    }

    async fn instance_types(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> Result<Vec<InstanceTypeInfo>> {
        self.inner.instance_types(region, types).await
    }

    async fn offerings(&self, region: &Region, types: &[InstanceType]) -> Result<Vec<Offering>> {
        self.inner.offerings(region, types).await
    }

    async fn instances(&self, region: &Region, filter: &InstanceFilter) -> Result<Vec<Instance>> {
        self.inner.instances(region, filter).await
    }

    async fn dry_run(&self, region: &Region, request: &LaunchRequest) -> Result<()> {
        self.inner.dry_run(region, request).await
    }

    async fn launch(&self, region: &Region, request: &LaunchRequest) -> Result<Vec<Instance>> {
        self.inner.launch(region, request).await
    }

    async fn stop(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        self.inner.stop(region, ids).await
    }

    async fn start(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        self.inner.start(region, ids).await
    }

    async fn terminate(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        self.inner.terminate(region, ids).await
    }

    async fn images_named(&self, region: &Region, owner: &str, name: &str) -> Result<Vec<Image>> {
        self.inner.images_named(region, owner, name).await
    }

    async fn all_vpcs(&self, region: &Region) -> Result<Vec<Vpc>> {
        self.inner.all_vpcs(region).await
    }

    async fn tagged(&self, region: &Region, keys: &[&str]) -> Result<Vec<Tagged>> {
        self.inner.tagged(region, keys).await
    }

    async fn interfaces(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Interface>> {
        self.inner.interfaces(region, vpcs).await
    }
}

/// Every operation that building the network takes.
const OPERATIONS: [&str; 14] = [
    "ImportKeyPair",
    "CreateVpc",
    "CreateInternetGateway",
    "AttachInternetGateway",
    "CreateRouteTable",
    "CreateRoute",
    "CreateSubnet",
    "ModifySubnetAttribute",
    "AssociateRouteTable",
    "CreateSecurityGroup",
    "AuthorizeSecurityGroupIngress",
    "CreateVpcPeeringConnection",
    "AcceptVpcPeeringConnection",
    "CreateTags",
];

#[tokio::test(start_paused = true)]
async fn whatever_a_call_meets_the_end_is_clear_and_the_next_fix_ends_well() {
    for operation in OPERATIONS {
        for fault in FAULTS {
            let mut bench = nothing(Account::simulated()).await;
            let inner = bench.account.cloud.clone();
            let faulty =
                Arc::new(Faulty { inner: inner.clone(), operation, fault, met: Mutex::default() });
            bench.account.cloud = faulty.clone();
            ends_clearly(&bench, operation, fault).await;
            assert!(*faulty.met.lock().unwrap() > 0, "{operation} was never called");
            bench.account.cloud = inner;
            let fixed = bench.fix(Wish::default()).await;
            assert!(fixed.complete, "{operation} {fault:?}: {:#?}", fixed.events);
            assert_eq!(bench.failing_checks().await, [""; 0], "{operation} {fault:?}");
        }
    }
}

/// Every step that was begun has an end, and every failure says what and why.
async fn ends_clearly(bench: &Bench, operation: &str, fault: Fault) {
    let fixed = bench.fix(Wish::default()).await;
    let mut open = std::collections::BTreeSet::new();
    let mut failures = Vec::new();
    for event in &fixed.events {
        match event {
            Event::ChangeIntended { slot } => _ = open.insert(slot.clone()),
            Event::ChangeDone { slot, .. } => assert!(open.remove(slot), "{slot}"),
            Event::ChangeFailed { slot, failure } => {
                assert!(open.remove(slot), "{slot}");
                failures.push(failure.to_string());
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{operation} {fault:?}: {open:?}");
    assert!(matches!(fixed.events.last(), Some(Event::FixEnded { .. })), "{operation} {fault:?}");
    // What was made though nobody answered is found; then nothing has failed.
    let may_succeed = fault == Fault::Lost;
    assert_eq!(fixed.complete, failures.is_empty(), "{operation} {fault:?}");
    assert!(may_succeed || !fixed.complete, "{operation} {fault:?}");
    for failure in &failures {
        assert!(failure.contains(operation), "{operation} {fault:?}: {failure}");
    }
}
