//! What machines cost, as far as the survey knows their prices.

use super::model::Model;
use crate::{
    engine::NodeState,
    model::{InstanceType, Price, Region},
};

impl Model {
    /// The on-demand price of `instance_type` in US dollars an hour.
    pub fn usd_per_hour(&self, region: &Region, instance_type: &InstanceType) -> Option<f64> {
        self.survey.as_ref()?.usd_per_hour(region, instance_type)
    }

    /// What all planned nodes cost an hour.
    pub fn planned_price(&self) -> Price {
        Price::sum(self.state.nodes.values().map(|node| self.price_of(node)))
    }

    /// What `node` costs an hour.
    pub fn price_of(&self, node: &NodeState) -> Option<f64> {
        self.usd_per_hour(&node.group.region, &node.instance_type)
    }

    /// What the machines on record that run cost an hour.
    pub fn running_price(&self) -> Price {
        let billed = self.state.billed();
        Price::sum(billed.map(|info| self.usd_per_hour(&info.region, &info.instance_type)))
    }

    /// What all machines on record have cost up to now, as far as is known;
    /// volumes are left out.
    pub fn spent(&self) -> Price {
        let now = self.now();
        Price::sum(self.state.instances().map(|info| {
            let usd = self.usd_per_hour(&info.region, &info.instance_type)?;
            Some(usd * info.billed_for(now).as_secs_f64() / 3_600.0)
        }))
    }
}
