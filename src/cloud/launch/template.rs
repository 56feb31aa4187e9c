//! The launch template of a config, and how it becomes a `RunInstances` request.

use super::{Arguments, IamProfile, LaunchRequest, Market};
use crate::{
    cloud::{Tags, tags},
    model::{ClientToken, ImageId, InstanceType, KeyName, SecurityGroupId, SubnetId},
};

/// One node group as its config describes it. It is no request yet: the subnet
/// is still to be chosen, and security groups may be known by name only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchTemplate {
    /// `ImageId`.
    pub image: ImageId,
    /// `InstanceType`.
    pub instance_type: InstanceType,
    /// `KeyName`.
    pub key_name: Option<KeyName>,
    /// The subnets to try, in order of preference; empty: the default ones.
    pub subnets: Vec<SubnetId>,
    /// The security groups.
    pub groups: GroupSelection,
    /// `IamInstanceProfile`.
    pub iam_profile: Option<IamProfile>,
    /// `UserData` as written, not yet in base64.
    pub user_data: Option<String>,
    /// `InstanceMarketOptions`.
    pub market: Market,
    /// Every other argument, as the config gives it.
    pub more: Arguments,
    /// Tags of the instances and their volumes, without that of the launch.
    pub tags: Tags,
}

/// The security groups of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupSelection {
    /// By id. Empty: EC2's default group, or those that the arguments name.
    Ids(Vec<SecurityGroupId>),
    /// By name, in the VPC of the subnet.
    Names(Vec<String>),
}

/// Security groups by id. [`GroupSelection::resolve`] is the only way to them,
/// so that no request is made before each name has its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedGroups(Vec<SecurityGroupId>);

impl GroupSelection {
    /// Resolves the groups; `find` returns the id of a name.
    pub fn resolve<E>(
        &self,
        find: impl FnMut(&str) -> Result<SecurityGroupId, E>,
    ) -> Result<ResolvedGroups, E> {
        let ids = match self {
            Self::Ids(ids) => Ok(ids.clone()),
            Self::Names(names) => names.iter().map(String::as_str).map(find).collect(),
        };
        ids.map(ResolvedGroups)
    }
}

impl LaunchTemplate {
    /// Returns the request for `count` nodes in `subnet` (none: EC2 takes a
    /// default one). The token is a tag as well, so that what a lost call
    /// launched can be found.
    pub fn request(
        self,
        subnet: Option<SubnetId>,
        groups: ResolvedGroups,
        count: u32,
        token: ClientToken,
    ) -> LaunchRequest {
        let mut tags = self.tags;
        tags.insert(tags::LAUNCH.into(), token.to_string());
        LaunchRequest {
            image: self.image,
            instance_type: self.instance_type,
            key_name: self.key_name,
            subnet,
            security_groups: groups.0,
            iam_profile: self.iam_profile,
            user_data: self.user_data,
            market: self.market,
            more: self.more,
            tags,
            count,
            token,
        }
    }
}
