//! Plain data that every other module speaks in: names, nodes, time. No I/O.

pub mod breadth;
mod clock;
mod count;
mod elapsed;
mod failure;
mod host_key;
mod host_key_check;
mod ids;
mod link_check;
mod node;
mod plain;
mod ports;
mod price;
mod secret;
mod shortened;
mod ssh;
mod visible;

pub use clock::Clock;
pub use count::count;
pub use elapsed::{duration, elapsed};
pub use failure::Failure;
pub use host_key::{Fingerprint, HostKeyType};
pub use host_key_check::{HostKeyCheck, fingerprints};
pub use ids::{
    ClientToken, ClusterId, ImageId, InstanceId, InstanceType, KeyName, NodeName, PeeringId,
    Region, RouteTableId, SecurityGroupId, SubnetId, VpcId, Zone,
};
pub use link_check::{LinkCheck, Probe};
pub use node::{GroupKey, NodeKind};
pub use plain::plain;
pub use ports::{Forwarded, Ports};
pub use price::Price;
pub use secret::Secret;
pub(crate) use shortened::shortened;
pub use ssh::{is_ssh_command, is_ssh_word};
pub use visible::{is_hidden, json_line, json_pretty, visible};
