//! Newtypes over the strings that EC2 and muster name things by, so that a
//! subnet can't be passed where a VPC is meant.

macro_rules! string_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps `value` as it is; nothing is checked.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The text inside.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(value: &str) -> Self {
                Self(value.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(value: String) -> Self {
                Self(value)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

string_id! {
    /// An AWS region: `us-west-2`.
    Region,
    /// An availability zone: `us-west-2a`.
    Zone,
    /// An EC2 instance: `i-0123…`.
    InstanceId,
    /// An EC2 instance type: `m5.large`.
    InstanceType,
    /// An Amazon Machine Image, regional: `ami-0123…`.
    ImageId,
    /// The name of an EC2 key pair, regional.
    KeyName,
    /// A VPC: `vpc-0123…`.
    VpcId,
    /// A subnet: `subnet-0123…`.
    SubnetId,
    /// A security group: `sg-0123…`.
    SecurityGroupId,
    /// A VPC peering connection: `pcx-0123…`.
    PeeringId,
    /// A route table: `rtb-0123…`.
    RouteTableId,
    /// The id that muster gives a cluster and tags on everything it makes:
    /// `<project>-<six characters>`.
    ClusterId,
    /// EC2's idempotency token of one `RunInstances` call, at most 64 ASCII characters.
    ClientToken,
    /// A node by the name that people use: `us-west-2/head`, `eu-west-1/worker-2`.
    NodeName,
}

impl NodeName {
    /// The head of `region`.
    pub fn head(region: &Region) -> Self {
        Self(format!("{region}/head"))
    }

    /// The worker number `number` (from 1) of `region`.
    pub fn worker(region: &Region, number: u32) -> Self {
        Self(format!("{region}/worker-{number}"))
    }

    /// The part behind the region: `head`, `worker-2`.
    pub fn short(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, short)| short)
    }
}
