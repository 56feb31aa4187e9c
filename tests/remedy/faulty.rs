//! A door to an account behind which every call of one operation meets a fault.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use muster::{
    cloud::{
        Change, Cloud, CloudError, ErrorKind, Image, ImageName, Instance, InstanceFilter,
        InstanceState, InstanceTypeInfo, Interface, KeyPair, LaunchRequest, Offering, Peering,
        RegionInfo, Result, RouteTable, SecurityGroup, Subnet, SubnetFilter, Tagged, Vpc,
    },
    model::{ImageId, InstanceId, InstanceType, KeyName, Region, SecurityGroupId, VpcId},
};

/// After which the real adapter gives a call up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
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

/// Every fault.
pub const FAULTS: [Fault; 5] =
    [Fault::Denied, Fault::Throttled, Fault::Broken, Fault::Lost, Fault::Hang];

/// The door.
pub struct Faulty {
    inner: Arc<dyn Cloud>,
    /// The operation and what its calls meet from now on.
    fault: Mutex<Option<(&'static str, Fault)>>,
    met: Mutex<u32>,
}

impl Faulty {
    /// One behind which nothing is amiss yet.
    pub fn new(inner: Arc<dyn Cloud>) -> Arc<Self> {
        Arc::new(Self { inner, fault: Mutex::default(), met: Mutex::default() })
    }

    /// Lets every call of `operation` meet `fault` from now on.
    pub fn breaks(&self, operation: &'static str, fault: Fault) {
        *self.fault.lock().unwrap() = Some((operation, fault));
    }

    /// Nothing is amiss from now on.
    pub fn heals(&self) {
        *self.fault.lock().unwrap() = None;
    }

    /// How many calls met a fault.
    pub fn met(&self) -> u32 {
        *self.met.lock().unwrap()
    }

    fn fault_of(&self, operation: &str) -> Option<Fault> {
        let fault = (*self.fault.lock().unwrap())?;
        (fault.0 == operation).then_some(fault.1)
    }

    /// The fault of `operation`, if it has one now.
    async fn meet(&self, region: &Region, operation: &'static str) -> Result<()> {
        let Some(fault) = self.fault_of(operation) else { return Ok(()) };
        *self.met.lock().unwrap() += 1;
        let (kind, code) = match fault {
            Fault::Denied => (ErrorKind::Denied, Some("UnauthorizedOperation")),
            Fault::Throttled => (ErrorKind::Throttled, Some("RequestLimitExceeded")),
            Fault::Broken => (ErrorKind::Service, Some("InternalError")),
            Fault::Lost | Fault::Hang => {
                tokio::time::sleep(PATIENCE).await;
                (ErrorKind::NoAnswer, None)
            }
        };
        Err(CloudError {
            kind,
            code: code.map(str::to_owned),
            message: "as the test wants it".into(),
            region: region.clone(),
            operation,
        })
    }
}

#[async_trait::async_trait]
impl Cloud for Faulty {
    fn is_simulated(&self) -> bool {
        self.inner.is_simulated()
    }

    async fn change(&self, region: &Region, change: &Change) -> Result<Option<String>> {
        if self.fault_of(change.operation()) == Some(Fault::Lost) {
            let _ = self.inner.change(region, change).await;
        }
        self.meet(region, change.operation()).await?;
        self.inner.change(region, change).await
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

    async fn regions(&self, from: &Region) -> Result<Vec<RegionInfo>> {
        self.meet(from, "DescribeRegions").await?;
        self.inner.regions(from).await
    }

    async fn images(&self, region: &Region, ids: &[ImageId]) -> Result<Vec<Image>> {
        self.meet(region, "DescribeImages").await?;
        self.inner.images(region, ids).await
    }

    async fn key_pairs(&self, region: &Region, names: &[KeyName]) -> Result<Vec<KeyPair>> {
        self.meet(region, "DescribeKeyPairs").await?;
        self.inner.key_pairs(region, names).await
    }

    async fn security_groups(
        &self,
        region: &Region,
        ids: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroup>> {
        self.meet(region, "DescribeSecurityGroups").await?;
        self.inner.security_groups(region, ids).await
    }

    async fn security_groups_named(
        &self,
        region: &Region,
        names: &[String],
    ) -> Result<Vec<SecurityGroup>> {
        self.meet(region, "DescribeSecurityGroups").await?;
        self.inner.security_groups_named(region, names).await
    }

    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>> {
        self.meet(region, "DescribeSubnets").await?;
        self.inner.subnets(region, filter).await
    }

    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>> {
        self.meet(region, "DescribeVpcs").await?;
        self.inner.vpcs(region, ids).await
    }

    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
        self.meet(region, "DescribeRouteTables").await?;
        self.inner.route_tables(region, vpcs).await
    }

    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
        self.meet(region, "DescribeVpcPeeringConnections").await?;
        self.inner.peerings(region, vpcs).await
    }

    async fn instance_types(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> Result<Vec<InstanceTypeInfo>> {
        self.meet(region, "DescribeInstanceTypes").await?;
        self.inner.instance_types(region, types).await
    }

    async fn offerings(&self, region: &Region, types: &[InstanceType]) -> Result<Vec<Offering>> {
        self.meet(region, "DescribeInstanceTypeOfferings").await?;
        self.inner.offerings(region, types).await
    }

    async fn instances(&self, region: &Region, filter: &InstanceFilter) -> Result<Vec<Instance>> {
        self.meet(region, "DescribeInstances").await?;
        self.inner.instances(region, filter).await
    }

    async fn dry_run(&self, region: &Region, request: &LaunchRequest) -> Result<()> {
        self.meet(region, "RunInstances").await?;
        self.inner.dry_run(region, request).await
    }

    async fn images_named(
        &self,
        region: &Region,
        owner: &str,
        name: &ImageName,
    ) -> Result<Vec<Image>> {
        self.meet(region, "DescribeImages").await?;
        self.inner.images_named(region, owner, name).await
    }

    async fn all_vpcs(&self, region: &Region) -> Result<Vec<Vpc>> {
        self.meet(region, "DescribeVpcs").await?;
        self.inner.all_vpcs(region).await
    }

    async fn tagged(&self, region: &Region, keys: &[&str]) -> Result<Vec<Tagged>> {
        self.meet(region, "DescribeTags").await?;
        self.inner.tagged(region, keys).await
    }

    async fn interfaces(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Interface>> {
        self.meet(region, "DescribeNetworkInterfaces").await?;
        self.inner.interfaces(region, vpcs).await
    }
}
