//! An adapter to an account that injects faults into calls, and whose reads lag
//! behind its writes.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ipnet::IpNet;
use muster::{
    cloud::{
        Change, Cloud, CloudError, ConsoleOutput, ErrorKind, Image, ImageName, Instance,
        InstanceFilter, InstanceState, InstanceTypeInfo, Interface, InternetGateway, KeyPair,
        LaunchRequest, Offering, Peering, RegionInfo, Result, RouteTable, SecurityGroup, Subnet,
        SubnetFilter, Tagged, Vpc,
    },
    model::{ImageId, InstanceId, InstanceType, KeyName, Region, SecurityGroupId, VpcId},
};

use tokio::sync::Notify;

use super::lag::Lag;

/// The timeout of the real adapter.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fault of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Denied,
    /// Throttled until the caller gives up.
    Throttled,
    /// The service fails without an effect.
    Broken,
    /// No answer, but the call took effect.
    Lost,
    /// No answer, and no effect.
    Hang,
    /// Something still depends on the resource to delete.
    InUse,
    /// The process is killed before the call takes effect.
    KilledBefore,
    /// The process is killed after the call took effect.
    KilledAfter,
}

/// Every fault that the process survives.
pub const FAULTS: [Fault; 5] =
    [Fault::Denied, Fault::Throttled, Fault::Broken, Fault::Lost, Fault::Hang];

/// The calls with a fault.
#[derive(Clone, Copy)]
struct Breaks {
    operation: &'static str,
    /// Only in this region.
    region: Option<&'static str>,
    /// Only the first of them.
    once: bool,
    fault: Fault,
}

/// The adapter.
pub struct Faulty {
    inner: Arc<dyn Cloud>,
    breaks: Mutex<Vec<Breaks>>,
    met: Mutex<u32>,
    /// Notified when a call kills the process.
    pub killed: Notify,
    /// Whether the calling process is dead: then no call takes effect.
    dead: AtomicBool,
    lag: Arc<Lag>,
}

impl Faulty {
    /// Creates an adapter without faults.
    pub fn new(inner: Arc<dyn Cloud>) -> Arc<Self> {
        Self::with(inner, Arc::default())
    }

    /// Creates an adapter whose reads lag behind its writes by `lag`.
    pub fn lagging(inner: Arc<dyn Cloud>, lag: Duration) -> Arc<Self> {
        Self::with(inner, Arc::new(Lag::of(lag)))
    }

    fn with(inner: Arc<dyn Cloud>, lag: Arc<Lag>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            breaks: Mutex::default(),
            met: Mutex::default(),
            killed: Notify::new(),
            dead: AtomicBool::new(false),
            lag,
        })
    }

    /// Returns the account as the next process finds it; calls of this one have no effect.
    pub fn next_process(&self) -> Arc<Self> {
        self.dead.store(true, Ordering::Relaxed);
        Self::with(self.inner.clone(), self.lag.clone())
    }

    /// Injects `fault` into every call of `operation` from now on.
    pub fn breaks(&self, operation: &'static str, fault: Fault) {
        let breaks = Breaks { operation, region: None, once: false, fault };
        self.breaks.lock().unwrap().push(breaks);
    }

    /// Injects `fault` into the next call of `operation` in `region`.
    pub fn breaks_once(&self, operation: &'static str, region: &'static str, fault: Fault) {
        let breaks = Breaks { operation, region: Some(region), once: true, fault };
        self.breaks.lock().unwrap().push(breaks);
    }

    /// Removes all faults.
    pub fn heals(&self) {
        self.breaks.lock().unwrap().clear();
    }

    /// Returns the number of calls with a fault.
    pub fn met(&self) -> u32 {
        *self.met.lock().unwrap()
    }

    /// Returns the fault of this call.
    fn fault_of(&self, region: &Region, operation: &str) -> Option<Fault> {
        let mut held = self.breaks.lock().unwrap();
        let hits = |one: &Breaks| {
            one.operation == operation && one.region.is_none_or(|own| region.as_str() == own)
        };
        let index = held.iter().position(hits)?;
        let breaks = held[index];
        if breaks.once {
            held.remove(index);
        }
        *self.met.lock().unwrap() += 1;
        Some(breaks.fault)
    }

    /// Refuses the call if it has a fault.
    async fn meet(&self, region: &Region, operation: &'static str) -> Result<()> {
        if self.dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        match self.fault_of(region, operation) {
            Some(fault) => Err(self.failed(region, operation, fault).await),
            None => Ok(()),
        }
    }

    async fn failed(&self, region: &Region, operation: &'static str, fault: Fault) -> CloudError {
        let (kind, code) = match fault {
            Fault::Denied => (ErrorKind::Denied, Some("UnauthorizedOperation")),
            Fault::Throttled => (ErrorKind::Throttled, Some("RequestLimitExceeded")),
            Fault::Broken => (ErrorKind::Service, Some("InternalError")),
            Fault::InUse => (ErrorKind::Other, Some("DependencyViolation")),
            Fault::Lost | Fault::Hang => {
                tokio::time::sleep(PATIENCE).await;
                (ErrorKind::NoAnswer, None)
            }
            Fault::KilledBefore | Fault::KilledAfter => {
                self.killed.notify_one();
                std::future::pending().await
            }
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
        if self.dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let operation = change.operation();
        let fault = self.fault_of(region, operation);
        if let Some(fault) = fault.filter(|one| !matches!(one, Fault::Lost | Fault::KilledAfter)) {
            return Err(self.failed(region, operation, fault).await);
        }
        self.lag.check(region, change)?;
        let made = self.inner.change(region, change).await;
        if let Ok(made) = &made {
            self.lag.written(change, made.as_deref());
        }
        match fault {
            Some(fault) => Err(self.failed(region, operation, fault).await),
            None => made,
        }
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
        Ok(self.lag.groups(self.inner.security_groups(region, ids).await?))
    }

    async fn security_groups_named(
        &self,
        region: &Region,
        names: &[String],
    ) -> Result<Vec<SecurityGroup>> {
        self.meet(region, "DescribeSecurityGroups").await?;
        self.inner.security_groups_named(region, names).await
    }

    async fn prefix_list(&self, region: &Region, id: &str) -> Result<Vec<IpNet>> {
        self.meet(region, "GetManagedPrefixListEntries").await?;
        self.inner.prefix_list(region, id).await
    }

    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>> {
        self.meet(region, "DescribeSubnets").await?;
        Ok(self.lag.subnets(self.inner.subnets(region, filter).await?))
    }

    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>> {
        self.meet(region, "DescribeVpcs").await?;
        Ok(self.lag.vpcs(self.inner.vpcs(region, ids).await?))
    }

    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
        self.meet(region, "DescribeRouteTables").await?;
        Ok(self.lag.tables(self.inner.route_tables(region, vpcs).await?))
    }

    async fn internet_gateways(
        &self,
        region: &Region,
        ids: &[String],
    ) -> Result<Vec<InternetGateway>> {
        self.meet(region, "DescribeInternetGateways").await?;
        Ok(self.lag.gateways(self.inner.internet_gateways(region, ids).await?))
    }

    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
        self.meet(region, "DescribeVpcPeeringConnections").await?;
        Ok(self.lag.peerings(self.inner.peerings(region, vpcs).await?))
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

    async fn console_output(
        &self,
        region: &Region,
        id: &InstanceId,
    ) -> Result<Option<ConsoleOutput>> {
        self.meet(region, "GetConsoleOutput").await?;
        self.inner.console_output(region, id).await
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
        Ok(self.lag.vpcs(self.inner.all_vpcs(region).await?))
    }

    async fn tagged(&self, region: &Region, keys: &[&str]) -> Result<Vec<Tagged>> {
        self.meet(region, "DescribeTags").await?;
        Ok(self.lag.tagged(self.inner.tagged(region, keys).await?))
    }

    async fn interfaces(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Interface>> {
        self.meet(region, "DescribeNetworkInterfaces").await?;
        self.inner.interfaces(region, vpcs).await
    }
}
