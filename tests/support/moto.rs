//! A local EC2: a separate moto server for each test, on a free port of 127.0.0.1.
//!
//! moto deviates from EC2 as follows, as far as it matters here; the tests note it
//! where it has an effect.
//! - `ClientToken` is neither honored nor returned, and can't be filtered by.
//! - A dry run is answered before anything except the instance profile is validated.
//! - A route through a peering connection that is not active is still `active`.
//! - A group and a subnet need not share a VPC.
//! - Without a subnet, an instance's private address is outside of its VPC.
//! - Instances are `running` at the first read, and stopped or terminated at once.
//! - All named instances are stopped, spot instances too, in whatever state they are.
//! - Deleted resources keep their tags; copied images and snapshots never have any.
//! - A key pair is deleted only by its name; an id deletes nothing, without an error.
//! - A peering connection can be rejected; none ever expires or fails.
//! - A group, a subnet or a gateway in use can still be deleted or detached.
//! - A deleted subnet stays associated with its route table.
//! - A peering connection works once it is accepted; its other VPC is looked up at once, and
//!   overlapping addresses are accepted.
//! - A copied image is available at once; the same token creates another one.
use std::{env, process::Command};

use aws_config::SdkConfig;
use aws_sdk_ec2::{
    Client,
    config::{Builder, Region},
};
use muster::cloud::ec2::{Ec2Cloud, Timeouts};

use super::{endpoint, server::Server};

/// A running moto server with its own account; it ends when dropped.
pub struct Moto(Server);

impl Moto {
    /// Starts a server that refuses what EC2 refuses, and waits until it listens.
    pub fn start() -> Self {
        let program = env::var_os("MUSTER_MOTO_SERVER").unwrap_or_else(|| "moto_server".into());
        let mut command = Command::new(&program);
        command
            .args(["--host", "127.0.0.1", "--port", "0"])
            .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "true")
            .env("MOTO_ENABLE_AMI_VALIDATION", "true")
            .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true");
        Self(Server::start(command, "Running on "))
    }

    /// Returns its URL, as for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// Returns the configuration of SDK clients for it.
    pub fn config(&self) -> SdkConfig {
        endpoint::config(self.url())
    }

    /// Returns muster's adapter for it.
    pub fn cloud(&self) -> Ec2Cloud {
        Ec2Cloud::from_config(self.config(), Timeouts::default())
    }

    /// Returns an SDK client for it, for calls that muster itself never makes.
    pub fn client(&self, region: &str) -> Client {
        let region = Region::new(region.to_owned());
        Client::from_conf(Builder::from(&self.config()).region(region).build())
    }
}
