//! The real [`Cloud`]: the AWS SDK. A file per resource, each with the call
//! and the conversion from the SDK's types to ours; `client` loads the
//! configuration and keeps one client a region, `error` sorts what goes wrong.
//!
//! Credentials, profile, endpoint and proxy come the way every AWS tool takes
//! them: `AWS_PROFILE`, `AWS_ENDPOINT_URL`, `~/.aws`, SSO, instance roles.
//! Retries are the SDK's own (standard mode, three attempts); changes are
//! tried once.

mod change;
mod checkip;
mod client;
mod console;
mod credentials;
mod error;
mod filter;
mod gateways;
mod images;
mod instance_types;
mod instances;
mod interfaces;
mod key_pairs;
mod launch;
mod made;
mod parse;
mod peerings;
mod prefix_lists;
mod prices;
mod regions;
mod request_log;
mod route_tables;
mod security_groups;
mod subnets;
mod tags;
mod vpcs;

pub use client::{Ec2Cloud, Timeouts, own_region};
pub use launch::ARGUMENTS;

use std::net::Ipv4Addr;

use ipnet::IpNet;

use super::{
    Change, Cloud, ConsoleOutput, Image, ImageName, Instance, InstanceFilter, InstanceState,
    InstanceTypeInfo, Interface, InternetGateway, KeyPair, LaunchRequest, Offering, Peering,
    RegionInfo, Result, RouteTable, SecurityGroup, Subnet, SubnetFilter, Tagged, Vpc,
};
use crate::model::{
    Failure, ImageId, InstanceId, InstanceType, KeyName, Region, SecurityGroupId, VpcId,
};

#[async_trait::async_trait]
impl Cloud for Ec2Cloud {
    fn is_simulated(&self) -> bool {
        false
    }

    async fn credentials(&self) -> std::result::Result<super::Credentials, Failure> {
        credentials::resolve(self.config().await).await
    }

    async fn regions(&self, from: &Region) -> Result<Vec<RegionInfo>> {
        regions::describe(&self.at(from).await).await
    }

    async fn images(&self, region: &Region, ids: &[ImageId]) -> Result<Vec<Image>> {
        images::describe(&self.at(region).await, ids).await
    }

    async fn key_pairs(&self, region: &Region, names: &[KeyName]) -> Result<Vec<KeyPair>> {
        key_pairs::describe(&self.at(region).await, names).await
    }

    async fn security_groups(
        &self,
        region: &Region,
        ids: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroup>> {
        security_groups::describe(&self.at(region).await, ids).await
    }

    async fn security_groups_named(
        &self,
        region: &Region,
        names: &[String],
    ) -> Result<Vec<SecurityGroup>> {
        security_groups::named(&self.at(region).await, names).await
    }

    async fn prefix_list(&self, region: &Region, id: &str) -> Result<Vec<IpNet>> {
        prefix_lists::entries(&self.at(region).await, id).await
    }

    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>> {
        subnets::describe(&self.at(region).await, filter).await
    }

    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>> {
        vpcs::describe(&self.at(region).await, ids).await
    }

    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
        route_tables::describe(&self.at(region).await, vpcs).await
    }

    async fn internet_gateways(
        &self,
        region: &Region,
        ids: &[String],
    ) -> Result<Vec<InternetGateway>> {
        gateways::describe(&self.at(region).await, ids).await
    }

    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
        peerings::describe(&self.at(region).await, vpcs).await
    }

    async fn instance_types(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> Result<Vec<InstanceTypeInfo>> {
        let at = self.at(region).await;
        let (described, prices) =
            tokio::join!(instance_types::describe(&at, types), self.prices(region, types));
        let mut infos = described?;
        for info in &mut infos {
            info.usd_per_hour = prices.get(&info.name).copied();
        }
        Ok(infos)
    }

    async fn offerings(&self, region: &Region, types: &[InstanceType]) -> Result<Vec<Offering>> {
        instance_types::offerings(&self.at(region).await, types).await
    }

    async fn instances(&self, region: &Region, filter: &InstanceFilter) -> Result<Vec<Instance>> {
        instances::describe(&self.at(region).await, filter).await
    }

    async fn console_output(
        &self,
        region: &Region,
        id: &InstanceId,
    ) -> Result<Option<ConsoleOutput>> {
        console::read(&self.at(region).await, id).await
    }

    async fn dry_run(&self, region: &Region, request: &LaunchRequest) -> Result<()> {
        launch::dry_run(&self.at(region).await, request).await
    }

    async fn launch(&self, region: &Region, request: &LaunchRequest) -> Result<Vec<Instance>> {
        launch::run(&self.at(region).await, request).await
    }

    async fn terminate(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        instances::terminate(&self.at(region).await, ids).await
    }

    async fn stop(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        instances::stop(&self.at(region).await, ids).await
    }

    async fn start(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        instances::start(&self.at(region).await, ids).await
    }

    async fn images_named(
        &self,
        region: &Region,
        owner: &str,
        name: &ImageName,
    ) -> Result<Vec<Image>> {
        images::named(&self.at(region).await, owner, name).await
    }

    async fn all_vpcs(&self, region: &Region) -> Result<Vec<Vpc>> {
        vpcs::all(&self.at(region).await).await
    }

    async fn tagged(&self, region: &Region, keys: &[&str]) -> Result<Vec<Tagged>> {
        tags::describe(&self.at(region).await, keys).await
    }

    async fn interfaces(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Interface>> {
        interfaces::describe(&self.at(region).await, vpcs).await
    }

    async fn own_address(&self) -> Option<Ipv4Addr> {
        if self.has_own_endpoint().await { None } else { checkip::ask(checkip::SERVICE).await }
    }

    async fn change(&self, region: &Region, change: &Change) -> Result<Option<String>> {
        change::make(&self.at(region).await, change).await
    }
}
