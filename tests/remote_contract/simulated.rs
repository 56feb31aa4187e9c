//! The contract's world in the simulation.

use std::{path::PathBuf, sync::Arc, time::Duration};

use muster::{
    cloud::{InstanceFilter, LaunchRequest, Market},
    model::{ClientToken, NodeName, Region},
    remote::{Host, Remote},
    sim,
};

use super::{Key, Step, TestHost, World};

struct Simulated {
    world: Arc<sim::World>,
    hosts: Vec<Host>,
}

/// Returns a world whose three instances have booted.
pub(super) async fn world() -> impl World {
    let scenario = sim::Scenario::parse(include_str!("world.toml")).unwrap();
    let world = sim::World::new(&scenario);
    let region = Region::new("us-west-2");
    let launched = world.cloud().launch(&region, &request()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let filter = InstanceFilter::Ids(launched.iter().map(|one| one.id.clone()).collect());
    let mut instances = world.cloud().instances(&region, &filter).await.unwrap();
    instances.sort_by_key(|one| one.launch_index);
    let host = |(number, instance): (u32, &muster::cloud::Instance)| Host {
        node: NodeName::worker(&region, number),
        instance: instance.id.clone(),
        address: instance.public_ip.unwrap(),
        user: "ubuntu".into(),
        private_key: Some("/keys/right".into()),
        proxy_command: None,
        proxy_by_id: false,
    };
    let hosts = (1..).zip(&instances).map(host).collect();
    Simulated { world, hosts }
}

fn request() -> LaunchRequest {
    LaunchRequest {
        image: "ami-0aaa".into(),
        instance_type: "m5.large".into(),
        key_name: Some("right".into()),
        subnet: Some("subnet-0a".into()),
        security_groups: vec!["sg-01".into()],
        iam_profile: None,
        more: muster::cloud::Arguments::new(),
        user_data: None,
        market: Market::OnDemand,
        tags: [].into(),
        count: 3,
        token: ClientToken::new("contract"),
    }
}

#[async_trait::async_trait]
impl World for Simulated {
    fn remote(&self) -> Arc<dyn Remote> {
        self.world.remote()
    }

    fn host(&self, host: TestHost) -> Host {
        let number = match host {
            TestHost::Reachable => 0,
            TestHost::Closed => 1,
            TestHost::Rekeyed => 2,
        };
        self.hosts[number].clone()
    }

    fn key(&self, key: Key) -> PathBuf {
        let name = match key {
            Key::Right => "right",
            Key::Other => "other",
            Key::Missing => "missing",
            Key::ReadableByOthers => "open",
            Key::Passphrase => "locked",
            Key::Garbage => "garbage",
        };
        PathBuf::from("/keys").join(name)
    }

    fn text(&self, _step: &Step) -> String {
        String::new()
    }

    fn command(&self, step: &Step) -> String {
        format!("{} --with arguments", step.name)
    }

    async fn file(&self, path: &str) -> Option<(u32, Vec<u8>)> {
        self.world.file(&self.hosts[0].instance, path)
    }

    async fn cut(&self) {}

    async fn change(&self) {}
}
