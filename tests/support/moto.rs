//! A local EC2: a moto server of the test's own, on a free port of 127.0.0.1.
//!
//! moto deviates from EC2 in what matters here as follows; the tests say so
//! where it shows.
//! - `ClientToken` is neither honoured nor told, and can't be filtered by.
//! - A dry run is answered before anything but the instance profile is looked at.
//! - A route through a peering connection that is not active is still `active`.
//! - A group and a subnet need not share a VPC.
//! - Without a subnet, an instance's private address is outside of its VPC.
//! - Instances are `running` at the first look, and stopped or gone at once.
//! - Whatever is named is stopped, spot instances too, in whatever state it is.
//! - What is deleted keeps its tags; copied images and snapshots never have any.
//! - A key pair is deleted by its name alone; an id deletes nothing, without an error.
//! - A peering connection can be rejected; none ever expires or fails.
//! - A group, a subnet or a gateway that is in use can be deleted or detached all the same.
//! - A subnet that is deleted stays associated with its route table.
//! - A peering connection works once it is accepted; its other VPC is looked for at once, and
//!   that addresses overlap does not matter.
//! - A copied image is available at once, and another one for the same token.
use std::{env, process::Command};

use aws_config::SdkConfig;
use aws_sdk_ec2::{
    Client,
    config::{Builder, Region},
};
use muster::cloud::ec2::{Ec2Cloud, Timeouts};

use super::{endpoint, server::Server};

/// A running moto server with an account of its own; dropping it ends it.
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

    /// Where it listens; what `AWS_ENDPOINT_URL` takes.
    pub fn url(&self) -> &str {
        self.0.url()
    }

    /// What an SDK client needs in order to talk to it.
    pub fn config(&self) -> SdkConfig {
        endpoint::config(self.url())
    }

    /// Muster's own adapter on it.
    pub fn cloud(&self) -> Ec2Cloud {
        Ec2Cloud::from_config(self.config(), Timeouts::default())
    }

    /// The SDK on it, for what muster itself never does.
    pub fn client(&self, region: &str) -> Client {
        let region = Region::new(region.to_owned());
        Client::from_conf(Builder::from(&self.config()).region(region).build())
    }
}
