//! The configuration, loaded once and only when the first call needs it, and
//! one client a region.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, SdkConfig, environment::EnvironmentVariableRegionProvider,
    meta::region::RegionProviderChain, profile::ProfileFileRegionProvider,
};
use aws_sdk_ec2::{
    Client,
    config::{Builder, timeout::TimeoutConfig},
};
use tokio::sync::OnceCell;

use super::{prices::Prices, request_log::RequestLog};
use crate::model::{InstanceType, Region};

/// Time limits of a call. The SDK has none on operations of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For connecting, TLS included.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// For a call, retries and their pauses included. Of a call that is
    /// paginated: for each page.
    pub operation: Duration,
}

impl Timeouts {
    /// As the SDK takes them.
    pub(super) fn to_sdk(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }

    /// Limits that give up on a call after `operation`, three attempts included.
    pub fn within(operation: Duration) -> Self {
        let connect = Self::default().connect.min(operation);
        Self { connect, attempt: operation / 3, operation }
    }
}

impl Default for Timeouts {
    /// Connecting takes milliseconds where there is a network at all, so three
    /// seconds mean that there is none. EC2 answers within seconds, a
    /// `RunInstances` of many instances within some ten; and three attempts
    /// fit into a minute, which is as long as anyone watches a spinner.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(20),
            operation: Duration::from_mins(1),
        }
    }
}

/// EC2 through the AWS SDK.
#[derive(Debug)]
pub struct Ec2Cloud {
    timeouts: Timeouts,
    config: OnceCell<SdkConfig>,
    clients: Mutex<BTreeMap<Region, Client>>,
    prices: Prices,
}

impl Ec2Cloud {
    /// Takes its configuration from the environment and `~/.aws`, once the
    /// first call is made: this itself does nothing that takes time.
    pub fn from_env(timeouts: Timeouts) -> Self {
        Self::new(OnceCell::new(), timeouts)
    }

    /// Takes an existing configuration. Its region and its time
    /// limits are not used.
    pub fn from_config(config: SdkConfig, timeouts: Timeouts) -> Self {
        Self::new(OnceCell::new_with(Some(config)), timeouts)
    }

    fn new(config: OnceCell<SdkConfig>, timeouts: Timeouts) -> Self {
        Self { timeouts, config, clients: Mutex::default(), prices: Prices::default() }
    }

    /// What a call in `region` goes through.
    pub(super) async fn at(&self, region: &Region) -> RegionClient {
        let config = self.config.get_or_init(|| load(region)).await;
        RegionClient {
            client: self.client(config, region),
            region: region.clone(),
            endpoint: config.endpoint_url().map(str::to_owned),
            timeouts: self.timeouts,
        }
    }

    /// The configuration, for what belongs to no region.
    pub(super) async fn config(&self) -> &SdkConfig {
        let somewhere = Region::from("us-east-1");
        self.config.get_or_init(|| load(&somewhere)).await
    }

    /// Whether calls go to an endpoint other than AWS's, or would: nobody else
    /// is asked anything then.
    pub(super) async fn has_own_endpoint(&self) -> bool {
        let config = self.config().await;
        let named = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"];
        config.endpoint_url().is_some() || named.iter().any(|name| std::env::var_os(name).is_some())
    }

    /// US dollars an hour of those of `types` whose price can be had: of none
    /// where only EC2 has an endpoint of its own, since AWS's list does not
    /// hold there.
    pub(super) async fn prices(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> BTreeMap<InstanceType, f64> {
        let config = self.config().await;
        if config.endpoint_url().is_none() && self.has_own_endpoint().await {
            return BTreeMap::new();
        }
        self.prices.of(config, region, types).await
    }

    fn client(&self, config: &SdkConfig, region: &Region) -> Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Client::from_conf(self.client_config(config, region));
        clients.entry(region.clone()).or_insert_with(make).clone()
    }

    fn client_config(&self, config: &SdkConfig, region: &Region) -> aws_sdk_ec2::Config {
        let limits = self.timeouts.to_sdk();
        Builder::from(config)
            .region(sdk_region(region))
            .timeout_config(limits)
            .interceptor(RequestLog::new(region))
            .build()
    }
}

/// One region's client, and what errors have to say about it.
#[derive(Debug)]
pub(super) struct RegionClient {
    /// The client.
    pub(super) client: Client,
    /// Its region.
    pub(super) region: Region,
    /// `AWS_ENDPOINT_URL`, if set.
    pub(super) endpoint: Option<String>,
    /// The client's time limits.
    pub(super) timeouts: Timeouts,
}

/// Loads the configuration. Its region matters to credentials alone (STS is
/// regional): the user's own, else the one that is asked first. The SDK's
/// default chain would go on to ask the instance metadata service, which
/// everywhere but on EC2 only costs time.
async fn load(first: &Region) -> SdkConfig {
    let own = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(sdk_region(first));
    aws_config::defaults(BehaviorVersion::latest()).region(own).load().await
}

/// The region that the user's environment or profile names.
pub async fn own_region() -> Option<Region> {
    let own = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    own.region().await.map(|region| region.as_ref().into())
}

fn sdk_region(region: &Region) -> aws_sdk_ec2::config::Region {
    aws_sdk_ec2::config::Region::new(region.as_str().to_owned())
}
