//! An account to fix: a simulated one, or one in moto. Setup and fixes go through
//! the same adapter in both.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{any::Any, collections::BTreeMap, sync::Arc};

use muster::{
    cloud::{Change, Cloud, PeeringState, Ref},
    model::Region,
    sim::{Scenario, World},
};

/// Every resource by its kind and id, with its full description.
pub type Snapshot = BTreeMap<String, String>;

/// An account.
pub struct Account {
    /// The adapter to it.
    pub cloud: Arc<dyn Cloud>,
    /// The world, where it is simulated.
    pub world: Option<Arc<World>>,
    #[cfg(feature = "aws")]
    moto: Option<crate::support::moto::Moto>,
    _keeps: Box<dyn Any + Send>,
}

impl Account {
    /// Creates a simulated account with only default VPCs in three regions.
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

    /// Creates the same in a new moto server.
    #[cfg(feature = "aws")]
    pub fn moto() -> Self {
        let moto = crate::support::moto::Moto::start();
        let cloud = Arc::new(moto.cloud());
        Self { cloud, world: None, moto: Some(moto), _keeps: Box::new(()) }
    }

    /// Applies a change that the test needs; returns the id of the created resource.
    pub async fn make(&self, region: &str, change: Change) -> String {
        let made = self.cloud.change(&Region::from(region), &change).await;
        made.unwrap_or_else(|error| unreachable!("{}: {error}", change.operation()))
            .unwrap_or_default()
    }

    /// Ends a pending peering connection, as somebody else or EC2 itself would. moto
    /// supports only rejection.
    #[cfg_attr(not(feature = "aws"), expect(clippy::unused_async, reason = "moto has to be asked"))]
    pub async fn end_peering(&self, region: &str, peering: &str, state: PeeringState) {
        if let Some(world) = &self.world {
            return world.end_peering(&peering.into(), state);
        }
        #[cfg(feature = "aws")]
        if let Some(moto) = &self.moto {
            assert_eq!(state, PeeringState::Rejected, "the only one that moto supports");
            let reject = moto.client(region).reject_vpc_peering_connection();
            reject.vpc_peering_connection_id(peering).send().await.unwrap();
        }
        let _ = region;
    }

    /// Returns moto's URL.
    #[cfg(feature = "aws")]
    pub fn url(&self) -> &str {
        self.moto.as_ref().map_or("", crate::support::moto::Moto::url)
    }

    /// Returns all existing resources.
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

/// Flattens lists into separate entries, so that additions show as such.
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

/// Returns a reference to an existing resource.
pub fn id(id: &str) -> Ref {
    Ref::Id(id.to_owned())
}

/// Returns what was added, removed and changed from one snapshot to the next.
pub fn difference(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let removed =
        before.keys().filter(|key| !after.contains_key(*key)).map(|key| format!("- {key}"));
    let changed = after.iter().filter_map(|(key, value)| match before.get(key) {
        None => Some(format!("+ {key}")),
        Some(old) if old != value => Some(format!("~ {key}")),
        Some(_) => None,
    });
    removed.chain(changed).collect()
}
