//! The request that one `RunInstances` call carries.

use serde::{Deserialize, Serialize};

use super::Tags;
use crate::model::{ClientToken, ImageId, InstanceType, KeyName, SecurityGroupId, SubnetId};

/// What to launch: one node group, in one call.
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
    /// `BlockDeviceMappings`.
    pub block_devices: Vec<BlockDevice>,
    /// `UserData` as written, not yet in base64.
    pub user_data: Option<String>,
    /// `InstanceMarketOptions`.
    pub market: Market,
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
    /// One-time spot instances.
    Spot {
        /// US dollars an hour, as text since EC2 takes text; none: the on-demand price.
        max_price: Option<String>,
    },
}

/// One entry of `BlockDeviceMappings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDevice {
    /// `DeviceName`: `/dev/sda1`.
    pub device_name: String,
    /// `Ebs.VolumeSize`, in GiB.
    pub volume_size_gib: Option<i32>,
    /// `Ebs.VolumeType`: `gp3`.
    pub volume_type: Option<String>,
    /// `Ebs.Iops`.
    pub iops: Option<i32>,
    /// `Ebs.Throughput`, in MiB/s.
    pub throughput_mib_s: Option<i32>,
    /// `Ebs.DeleteOnTermination`.
    pub delete_on_termination: Option<bool>,
    /// `Ebs.Encrypted`.
    pub encrypted: Option<bool>,
    /// `Ebs.SnapshotId`.
    pub snapshot: Option<String>,
    /// `VirtualName`: `ephemeral0`.
    pub virtual_name: Option<String>,
}
