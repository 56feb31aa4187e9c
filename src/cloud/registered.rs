//! [`Cloud`] whose every call is registered while its answer is awaited.
//!
//! Each method of the trait is forwarded here, those with a default as well:
//! one that is missing would use the trait's default.

use std::{net::Ipv4Addr, sync::Arc};

use ipnet::IpNet;

use super::{
    Change, Cloud, ConsoleOutput, Credentials, Image, ImageName, Instance, InstanceFilter,
    InstanceState, InstanceTypeInfo, Interface, InternetGateway, KeyPair, LaunchRequest, Offering,
    Peering, RegionInfo, Result, RouteTable, SecurityGroup, Subnet, SubnetFilter, Tagged, Vpc,
};
use crate::{
    model::{Failure, ImageId, InstanceId, InstanceType, KeyName, Region, SecurityGroupId, VpcId},
    waits::{Scope, Waits},
};

/// A cloud and the registry that its calls enter.
pub struct Registered {
    inner: Arc<dyn Cloud>,
    waits: Waits,
}

impl Registered {
    /// Registers each call to `inner` in `waits`.
    pub fn new(inner: Arc<dyn Cloud>, waits: Waits) -> Self {
        Self { inner, waits }
    }
}

#[async_trait::async_trait]
impl Cloud for Registered {
    fn is_simulated(&self) -> bool {
        self.inner.is_simulated()
    }

    async fn credentials(&self) -> std::result::Result<Credentials, Failure> {
        let _wait = self.waits.answer(Scope::Local, "the AWS credential chain");
        self.inner.credentials().await
    }

    async fn regions(&self, from: &Region) -> Result<Vec<RegionInfo>> {
        let _wait = self.waits.answer(from, "DescribeRegions");
        self.inner.regions(from).await
    }

    async fn images(&self, region: &Region, ids: &[ImageId]) -> Result<Vec<Image>> {
        let _wait = self.waits.answer(region, "DescribeImages");
        self.inner.images(region, ids).await
    }

    async fn key_pairs(&self, region: &Region, names: &[KeyName]) -> Result<Vec<KeyPair>> {
        let _wait = self.waits.answer(region, "DescribeKeyPairs");
        self.inner.key_pairs(region, names).await
    }

    async fn security_groups(
        &self,
        region: &Region,
        ids: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroup>> {
        let _wait = self.waits.answer(region, "DescribeSecurityGroups");
        self.inner.security_groups(region, ids).await
    }

    async fn security_groups_named(
        &self,
        region: &Region,
        names: &[String],
    ) -> Result<Vec<SecurityGroup>> {
        let _wait = self.waits.answer(region, "DescribeSecurityGroups");
        self.inner.security_groups_named(region, names).await
    }

    async fn prefix_list(&self, region: &Region, id: &str) -> Result<Vec<IpNet>> {
        let _wait = self.waits.answer(region, "GetManagedPrefixListEntries");
        self.inner.prefix_list(region, id).await
    }

    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>> {
        let _wait = self.waits.answer(region, "DescribeSubnets");
        self.inner.subnets(region, filter).await
    }

    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>> {
        let _wait = self.waits.answer(region, "DescribeVpcs");
        self.inner.vpcs(region, ids).await
    }

    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
        let _wait = self.waits.answer(region, "DescribeRouteTables");
        self.inner.route_tables(region, vpcs).await
    }

    async fn internet_gateways(
        &self,
        region: &Region,
        ids: &[String],
    ) -> Result<Vec<InternetGateway>> {
        let _wait = self.waits.answer(region, "DescribeInternetGateways");
        self.inner.internet_gateways(region, ids).await
    }

    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
        let _wait = self.waits.answer(region, "DescribeVpcPeeringConnections");
        self.inner.peerings(region, vpcs).await
    }

    async fn instance_types(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> Result<Vec<InstanceTypeInfo>> {
        let _wait = self.waits.answer(region, "DescribeInstanceTypes");
        self.inner.instance_types(region, types).await
    }

    async fn offerings(&self, region: &Region, types: &[InstanceType]) -> Result<Vec<Offering>> {
        let _wait = self.waits.answer(region, "DescribeInstanceTypeOfferings");
        self.inner.offerings(region, types).await
    }

    async fn instances(&self, region: &Region, filter: &InstanceFilter) -> Result<Vec<Instance>> {
        let _wait = self.waits.answer(region, "DescribeInstances");
        self.inner.instances(region, filter).await
    }

    async fn console_output(
        &self,
        region: &Region,
        id: &InstanceId,
    ) -> Result<Option<ConsoleOutput>> {
        let _wait = self.waits.answer(region, "GetConsoleOutput");
        self.inner.console_output(region, id).await
    }

    async fn dry_run(&self, region: &Region, request: &LaunchRequest) -> Result<()> {
        let _wait = self.waits.answer(region, "RunInstances");
        self.inner.dry_run(region, request).await
    }

    async fn launch(&self, region: &Region, request: &LaunchRequest) -> Result<Vec<Instance>> {
        let _wait = self.waits.answer(region, "RunInstances");
        self.inner.launch(region, request).await
    }

    async fn terminate(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        let _wait = self.waits.answer(region, "TerminateInstances");
        self.inner.terminate(region, ids).await
    }

    async fn stop(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        let _wait = self.waits.answer(region, "StopInstances");
        self.inner.stop(region, ids).await
    }

    async fn start(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        let _wait = self.waits.answer(region, "StartInstances");
        self.inner.start(region, ids).await
    }

    async fn images_named(
        &self,
        region: &Region,
        owner: &str,
        name: &ImageName,
    ) -> Result<Vec<Image>> {
        let _wait = self.waits.answer(region, "DescribeImages");
        self.inner.images_named(region, owner, name).await
    }

    async fn all_vpcs(&self, region: &Region) -> Result<Vec<Vpc>> {
        let _wait = self.waits.answer(region, "DescribeVpcs");
        self.inner.all_vpcs(region).await
    }

    async fn tagged(&self, region: &Region, keys: &[&str]) -> Result<Vec<Tagged>> {
        let _wait = self.waits.answer(region, "DescribeTags");
        self.inner.tagged(region, keys).await
    }

    async fn interfaces(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Interface>> {
        let _wait = self.waits.answer(region, "DescribeNetworkInterfaces");
        self.inner.interfaces(region, vpcs).await
    }

    async fn own_address(&self) -> Option<Ipv4Addr> {
        let _wait = self.waits.answer(Scope::Local, "checkip.amazonaws.com");
        self.inner.own_address().await
    }

    async fn change(&self, region: &Region, change: &Change) -> Result<Option<String>> {
        let _wait = self.waits.answer(region, change.operation());
        self.inner.change(region, change).await
    }
}
