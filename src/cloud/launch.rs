//! The request that one `RunInstances` call carries.

mod pace;
mod recorded;
mod template;

pub use pace::CallPace;
pub use recorded::RecordedRequest;
pub use template::{GroupSelection, LaunchTemplate, ResolvedGroups};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Tags;
use crate::model::{ClientToken, ImageId, InstanceType, KeyName, SecurityGroupId, SubnetId};

/// Arguments of `RunInstances` under its own names: texts, whole numbers,
/// booleans, lists and maps of them. In the order of their names, so that the
/// same arguments are the same request, token and all.
pub type Arguments = Map<String, Value>;

/// What to launch: one node group, in one call. Complete: a config makes a
/// [`LaunchTemplate`], and only with resolved security groups does it become a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchRequest {
    /// `ImageId`.
    pub image: ImageId,
    /// `InstanceType`.
    pub instance_type: InstanceType,
    /// `KeyName`.
    pub key_name: Option<KeyName>,
    /// `SubnetId`; without it EC2 takes a default subnet.
    pub subnet: Option<SubnetId>,
    /// `SecurityGroupIds`.
    pub security_groups: Vec<SecurityGroupId>,
    /// `IamInstanceProfile`.
    pub iam_profile: Option<IamProfile>,
    /// `UserData` as written, not yet in base64.
    pub user_data: Option<String>,
    /// `InstanceMarketOptions`.
    pub market: Market,
    /// Every other argument, as the config gives it; of `TagSpecifications`
    /// those of other types than `instance`.
    pub more: Arguments,
    /// Tags of the instances and their volumes, set in the call itself.
    pub tags: Tags,
    /// Both `MinCount` and `MaxCount`: a group comes whole or not at all, so
    /// that no half of one is paid for.
    pub count: u32,
    /// `ClientToken`.
    pub token: ClientToken,
}

/// An instance profile, as `RunInstances` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IamProfile {
    /// By name.
    Name(String),
    /// By ARN.
    Arn(String),
}

/// On demand or spot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Market {
    /// The usual.
    #[default]
    OnDemand,
    /// One-time spot instances that end when they are interrupted.
    Spot(Spot),
    /// Another `MarketType`, such as `capacity-block`.
    Other(String),
}

/// `SpotOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// US dollars an hour, as text since EC2 takes text; none: the on-demand price.
    pub max_price: Option<String>,
    /// `ValidUntil`: until when the request is open.
    pub valid_until: Option<Timestamp>,
    /// `BlockDurationMinutes`.
    pub block_duration_minutes: Option<i32>,
}

impl Market {
    /// Whether these are spot instances.
    pub fn is_spot(&self) -> bool {
        matches!(self, Self::Spot(_))
    }
}

impl LaunchRequest {
    /// Whether the subnet and the groups are named by `NetworkInterfaces`,
    /// which `RunInstances` rejects together with `SubnetId` or `SecurityGroupIds`.
    pub fn has_interfaces(&self) -> bool {
        self.more.contains_key("NetworkInterfaces")
    }
}
