//! The simulated world: what it refuses, and the timing of its instances and
//! shells. All on paused time.

#![expect(clippy::unwrap_used, reason = "a test that can't get its world has failed")]

mod changes;
mod demo;
mod faults;
mod launch;
mod scenarios;
mod ssh;

use std::{path::PathBuf, sync::Arc, time::Duration};

use muster::{
    cloud::{CloudError, Instance, InstanceFilter, LaunchRequest, Market, tags},
    model::{ClientToken, InstanceId, NodeName, Region},
    remote::{Exit, Host, Script, Session},
    sim::{Scenario, World},
};
use tokio::{sync::mpsc, time::sleep};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHpz8RAWQ7yZy2QK2k8bQEphHmdBEt+5IXesx/6JvjDL";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxqa9B7XvdYNUHVUH3XICDqbi3Zhxb7VsniNnCVkxLX";

/// Returns one region with all that a launch needs, with `more` appended.
fn scenario(more: &str) -> Scenario {
    let base = include_str!("sim/small.toml").replace("{KEY}", KEY).replace("{OTHER}", OTHER);
    Scenario::parse(&format!("{base}\n{more}")).unwrap_or_else(|error| panic_with(&error))
}

#[expect(clippy::panic, reason = "the message has line breaks, which unwrap would hide")]
fn panic_with(error: &dyn std::fmt::Display) -> ! {
    panic!("{error}")
}

fn world(more: &str) -> Arc<World> {
    World::new(&scenario(more))
}

fn west() -> Region {
    Region::new("us-west-2")
}

/// Returns a valid launch of two workers.
fn request(token: &str) -> LaunchRequest {
    LaunchRequest {
        image: "ami-0aaa".into(),
        instance_type: "m5.large".into(),
        key_name: Some("quokka".into()),
        subnet: Some("subnet-0a".into()),
        security_groups: vec!["sg-01".into()],
        iam_profile: None,
        more: muster::cloud::Arguments::new(),
        user_data: None,
        market: Market::OnDemand,
        tags: [(tags::RAY_NODE_TYPE.to_owned(), "worker".to_owned())].into(),
        count: 2,
        token: ClientToken::new(token),
    }
}

async fn launch(world: &Arc<World>, request: &LaunchRequest) -> Vec<Instance> {
    world.cloud().launch(&west(), request).await.unwrap()
}

async fn refusal(world: &Arc<World>, request: &LaunchRequest) -> CloudError {
    world.cloud().launch(&west(), request).await.unwrap_err()
}

async fn describe(world: &Arc<World>, id: &InstanceId) -> Option<Instance> {
    let filter = InstanceFilter::Ids(vec![id.clone()]);
    world.cloud().instances(&west(), &filter).await.unwrap().pop()
}

/// Returns the host that muster would connect to for the running `instance`.
async fn host(world: &Arc<World>, instance: &Instance) -> Host {
    Host {
        node: NodeName::worker(&west(), instance.launch_index + 1),
        instance: instance.id.clone(),
        address: describe(world, &instance.id).await.unwrap().public_ip.unwrap(),
        user: "ubuntu".into(),
        private_key: Some(PathBuf::from("/home/me/.ssh/quokka.pem")),
        proxy_command: None,
        proxy_by_id: false,
    }
}

/// Returns the first worker, as soon as it answers SSH.
async fn first_worker(world: &Arc<World>) -> Host {
    let instances = launch(world, &request("first")).await;
    sleep(Duration::from_secs(16)).await;
    host(world, &instances[0]).await
}

async fn connect(world: &Arc<World>, host: &Host) -> Box<dyn Session> {
    world.remote().connect(host).await.unwrap()
}

fn script(key: &str) -> Script {
    Script {
        key: key.into(),
        text: String::new(),
        env: [].into(),
        timeout: Duration::from_mins(10),
    }
}

/// Runs `script`; returns its lines and exit.
async fn run(
    session: &dyn Session,
    script: &Script,
    skip: u64,
) -> (Vec<String>, muster::remote::Result<Exit>) {
    let (sender, mut receiver) = mpsc::channel(8);
    let mut lines = Vec::new();
    let gather = async {
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
    };
    let (exit, ()) = tokio::join!(session.run(script, skip, sender), gather);
    (lines, exit)
}
