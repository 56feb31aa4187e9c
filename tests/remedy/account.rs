//! An account to mend: a simulated one, or one in moto. What is set up in it
//! and what is mended goes through the same door in both.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{any::Any, collections::BTreeMap, sync::Arc};

use muster::{
    cloud::{Change, Cloud, PeeringState, Ref},
    model::Region,
    sim::{Scenario, World},
};

/// Every resource by its kind and id, with all that is told of it.
pub type Snapshot = BTreeMap<String, String>;

/// An account.
pub struct Account {
    /// The door to it.
    pub cloud: Arc<dyn Cloud>,
    /// The world, where it is simulated.
    pub world: Option<Arc<World>>,
    #[cfg(feature = "aws")]
    moto: Option<crate::support::moto::Moto>,
    _keeps: Box<dyn Any + Send>,
}

impl Account {
    /// A simulated account: default VPCs in three regions and nothing else.
    pub fn simulated() -> Self {
        let scenario = Scenario::parse(include_str!("world.toml")).unwrap();
        let world = World::new(&scenario);
        Self {
            cloud: world.cloud(),
            world: Some(world),
            #[cfg(feature = "aws")]
            moto: None,
            _keeps: Box::new(()),
        }
    }

    /// The same in a moto server of the test's own.
    #[cfg(feature = "aws")]
    pub fn moto() -> Self {
        let moto = crate::support::moto::Moto::start();
        let cloud = Arc::new(moto.cloud());
        Self { cloud, world: None, moto: Some(moto), _keeps: Box::new(()) }
    }

    /// Makes a change that the test needs, and answers the id of what it made.
    pub async fn make(&self, region: &str, change: Change) -> String {
        let made = self.cloud.change(&Region::from(region), &change).await;
        made.unwrap_or_else(|error| unreachable!("{}: {error}", change.operation()))
            .unwrap_or_default()
    }

    /// Ends a peering connection that waits, as somebody else or EC2 itself
    /// would. moto lets one be rejected and knows no other such end.
    #[cfg_attr(not(feature = "aws"), expect(clippy::unused_async, reason = "moto has to be asked"))]
    pub async fn end_peering(&self, region: &str, peering: &str, state: PeeringState) {
        if let Some(world) = &self.world {
            return world.end_peering(&peering.into(), state);
        }
        #[cfg(feature = "aws")]
        if let Some(moto) = &self.moto {
            assert_eq!(state, PeeringState::Rejected, "the only end that moto knows");
            let reject = moto.client(region).reject_vpc_peering_connection();
            reject.vpc_peering_connection_id(peering).send().await.unwrap();
        }
        let _ = region;
    }

    /// Where moto listens.
    #[cfg(feature = "aws")]
    pub fn url(&self) -> &str {
        self.moto.as_ref().map_or("", crate::support::moto::Moto::url)
    }

    /// All that is there.
    #[cfg_attr(not(feature = "aws"), expect(clippy::unused_async, reason = "moto has to be asked"))]
    pub async fn snapshot(&self) -> Snapshot {
        if let Some(world) = &self.world {
            return simulated(world);
        }
        #[cfg(feature = "aws")]
        if let Some(moto) = &self.moto {
            return super::moto::snapshot(moto).await;
        }
        Snapshot::new()
    }
}

fn simulated(world: &World) -> Snapshot {
    let all = serde_json::to_value(world.snapshot()).unwrap();
    let mut flat = Snapshot::new();
    flatten("", &all, &mut flat);
    flat
}

/// Lists become entries of their own, so that what is added shows as such.
fn flatten(path: &str, value: &serde_json::Value, flat: &mut Snapshot) {
    match value {
        serde_json::Value::Object(map) if !is_resource(map) => {
            for (key, value) in map {
                flatten(&format!("{path}/{key}"), value, flat);
            }
        }
        serde_json::Value::Array(all) => {
            for value in all {
                let id = value.get("id").or_else(|| value.get("name"));
                let id =
                    id.and_then(|id| id.as_str()).map_or_else(|| value.to_string(), str::to_owned);
                flat.insert(format!("{path}/{id}"), value.to_string());
            }
        }
        other => _ = flat.insert(path.to_owned(), other.to_string()),
    }
}

fn is_resource(map: &serde_json::Map<String, serde_json::Value>) -> bool {
    map.contains_key("id")
}

/// A reference to what is there.
pub fn id(id: &str) -> Ref {
    Ref::Id(id.to_owned())
}

/// What was added, taken away and changed from one snapshot to the next.
pub fn difference(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| format!("- {key}"));
    let changed = after.iter().filter_map(|(key, value)| match before.get(key) {
        None => Some(format!("+ {key}")),
        Some(old) if old != value => Some(format!("~ {key}")),
        Some(_) => None,
    });
    gone.chain(changed).collect()
}
