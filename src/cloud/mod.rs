//! The port to EC2: the trait [`Cloud`], in muster's own types. No SDK type
//! passes it. `ec2` is the real adapter, [`crate::sim`] the simulated one;
//! one contract suite runs against both.
//!
//! Reads are filtered: what does not exist is absent from the answer, not an
//! error. Every call takes the region, has a time limit of its own, follows
//! pagination to the end, and may be made side by side with any other.

mod change;
mod console;
mod credentials;
#[cfg(feature = "aws")]
pub mod ec2;
mod error;
mod launch;
mod registered;
pub mod tags;
mod types;

pub use change::{Change, InboundRule, Interface, Made, Ref, Source, StepId, Tagged, Via};
pub use console::ConsoleOutput;
pub use credentials::{CREDENTIALS_MARK, Credentials};
pub use error::{CloudError, ErrorKind, Result};
pub use launch::{
    Arguments, CallPace, GroupSelection, IamProfile, LaunchRequest, LaunchTemplate, Market,
    RecordedRequest, ResolvedGroups, Spot,
};
pub use registered::Registered;
pub use types::{
    Image, ImageName, ImageState, Instance, InstanceFilter, InstanceState, InstanceTypeInfo,
    InternetGateway, IpPermission, KeyPair, Offering, OptIn, Peering, PeeringSide, PeeringState,
    PortRange, PublicKey, RegionInfo, Route, RouteState, RouteTable, RouteTarget, SecurityGroup,
    Subnet, Tags, Vpc,
};

use std::net::Ipv4Addr;

use ipnet::IpNet;

use crate::model::{
    Failure, ImageId, InstanceId, InstanceType, KeyName, Region, SecurityGroupId, SubnetId, VpcId,
};

/// Which subnets to describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubnetFilter {
    /// These, by id.
    Ids(Vec<SubnetId>),
    /// The default subnets of the default VPC, one a zone: where Ray and EC2
    /// put an instance that names no subnet.
    DefaultForZones,
}

/// EC2, as far as muster needs it.
#[async_trait::async_trait]
pub trait Cloud: Send + Sync {
    /// Whether this world is simulated; every screen shows that it is.
    fn is_simulated(&self) -> bool;

    /// The operator's own credentials, for `aws_credentials: copy`; never kept.
    /// `Err` where there are none.
    async fn credentials(&self) -> std::result::Result<Credentials, Failure> {
        Err(Failure::new("this world has no AWS credentials"))
    }

    /// All regions that the account can see, with their opt-in state (`DescribeRegions`).
    /// Asked of `from`, since every region knows the list.
    async fn regions(&self, from: &Region) -> Result<Vec<RegionInfo>>;

    /// The images of these ids that exist here (`DescribeImages`).
    async fn images(&self, region: &Region, ids: &[ImageId]) -> Result<Vec<Image>>;

    /// The key pairs of these names, with their public keys (`DescribeKeyPairs`).
    async fn key_pairs(&self, region: &Region, names: &[KeyName]) -> Result<Vec<KeyPair>>;

    /// The groups of these ids, with their inbound rules (`DescribeSecurityGroups`).
    async fn security_groups(
        &self,
        region: &Region,
        ids: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroup>>;

    /// The groups of these names, in whatever VPC (`DescribeSecurityGroups`): a name
    /// is one group's in a VPC, and may be another one's in each.
    async fn security_groups_named(
        &self,
        region: &Region,
        names: &[String],
    ) -> Result<Vec<SecurityGroup>>;

    /// The address ranges in the prefix list of this id (`GetManagedPrefixListEntries`).
    async fn prefix_list(&self, region: &Region, id: &str) -> Result<Vec<IpNet>>;

    /// Subnets (`DescribeSubnets`).
    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>>;

    /// VPCs by id, with all their CIDRs (`DescribeVpcs`).
    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>>;

    /// All route tables of these VPCs (`DescribeRouteTables`).
    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>>;

    /// The internet gateways of these ids that exist here (`DescribeInternetGateways`).
    async fn internet_gateways(
        &self,
        region: &Region,
        ids: &[String],
    ) -> Result<Vec<InternetGateway>>;

    /// All peering connections that have one of these VPCs on either side
    /// (`DescribeVpcPeeringConnections`), including those that ended, while EC2 still describes them.
    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>>;

    /// What these instance types are (`DescribeInstanceTypes`).
    async fn instance_types(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> Result<Vec<InstanceTypeInfo>>;

    /// In which zones these types are offered (`DescribeInstanceTypeOfferings`).
    async fn offerings(&self, region: &Region, types: &[InstanceType]) -> Result<Vec<Offering>>;

    /// Instances in every state that EC2 still describes (`DescribeInstances`).
    async fn instances(&self, region: &Region, filter: &InstanceFilter) -> Result<Vec<Instance>>;

    /// What the instance `id` has printed on its console (`GetConsoleOutput`); none
    /// while EC2 has nothing of it. It shows up minutes late on instances that are
    /// not of the Nitro system.
    async fn console_output(
        &self,
        region: &Region,
        id: &InstanceId,
    ) -> Result<Option<ConsoleOutput>>;

    /// Asks whether `request` would be allowed (`RunInstances` with `DryRun`).
    /// `Ok` where EC2 answers `DryRunOperation`; its own error otherwise. Reveals
    /// nothing about capacity or quota.
    async fn dry_run(&self, region: &Region, request: &LaunchRequest) -> Result<()>;

    /// Launches (`RunInstances`), all of `request.count` or none. The same
    /// token with the same request answers with the instances it made before,
    /// where the service honours tokens. Instances come in launch order.
    async fn launch(&self, region: &Region, request: &LaunchRequest) -> Result<Vec<Instance>>;

    /// Terminates (`TerminateInstances`); answers each one's state after the call.
    async fn terminate(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>>;

    /// Stops (`StopInstances`), all of them or none; answers each one's state
    /// after the call. Instances keep their volumes and private addresses and
    /// lose their public ones. One that is stopped already stays so.
    async fn stop(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>>;

    /// Starts what is stopped (`StartInstances`), all of them or none; answers
    /// each one's state after the call. Public addresses are new ones.
    async fn start(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>>;

    /// Images by their owner's account id and name (`DescribeImages`): the same image
    /// has the same name in every region that its owner published it to.
    async fn images_named(
        &self,
        region: &Region,
        owner: &str,
        name: &ImageName,
    ) -> Result<Vec<Image>>;

    /// Every VPC of the region (`DescribeVpcs`), for choosing addresses that none has.
    async fn all_vpcs(&self, region: &Region) -> Result<Vec<Vpc>>;

    /// Everything that carries a tag of one of these keys (`DescribeTags`), with those
    /// tags, by id.
    async fn tagged(&self, region: &Region, keys: &[&str]) -> Result<Vec<Tagged>>;

    /// Everything that has an address in these VPCs (`DescribeNetworkInterfaces`).
    async fn interfaces(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Interface>>;

    /// The address of this machine's connections as this cloud sees it, if it
    /// can be determined.
    async fn own_address(&self) -> Option<Ipv4Addr> {
        None
    }

    /// Makes one change, and answers the id of what it made, if it makes something
    /// ([`Change::makes`]). Every [`Ref`] in it has to be an id by now.
    ///
    /// It is tried once: of these calls most know no idempotency token, so after
    /// an error whose outcome is unknown the caller looks before it tries again.
    async fn change(&self, region: &Region, change: &Change) -> Result<Option<String>>;
}
