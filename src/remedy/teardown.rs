//! Taking away the networks that muster built, and nothing else: refused while
//! anything else has an address in them.

use futures_util::future::join_all;

use crate::{
    check::Subject,
    cloud::{
        Change, Cloud, Interface, Peering, PeeringState, Ref, Result, Slot, Tagged, Vpc, tags,
    },
    model::{Region, VpcId},
    survey::Fact,
};

use super::plan::{Action, Left, Plan, Problem, Step};

/// The name under which what can't be removed is told.
const CHECK: &str = "network.teardown";

/// What is known of the networks that muster built for a project.
pub struct Teardown {
    regions: Vec<(Region, Fact<Built>)>,
}

/// What muster built in one region.
#[derive(Default)]
struct Built {
    own: Vec<Tagged>,
    vpcs: Vec<Vpc>,
    peerings: Vec<Peering>,
    interfaces: Vec<Interface>,
}

impl Teardown {
    /// Asks `regions`.
    pub async fn read(project: &str, regions: &[Region], cloud: &dyn Cloud) -> Self {
        let of_region = |region: &Region| {
            let region = region.clone();
            async move {
                let built = read(project, &region, cloud).await;
                (region, Fact::from(built))
            }
        };
        Self { regions: join_all(regions.iter().map(of_region)).await }
    }

    /// What removes them, in order.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        for (region, built) in &self.regions {
            match built {
                Fact::Known(built) => built.plan(region, &mut plan),
                Fact::Unknown(failure) => plan.left.push(left(region, failure.to_string())),
            }
        }
        // One that can't go keeps all of them: half a mesh is no use to anybody.
        if !plan.left.is_empty() {
            plan.steps.clear();
        }
        plan
    }
}

async fn read(project: &str, region: &Region, cloud: &dyn Cloud) -> Result<Built> {
    let tagged = cloud.tagged(region, &[tags::PROJECT, tags::REMEDY]).await?;
    let ours = |one: &Tagged| {
        one.tags.get(tags::PROJECT).is_some_and(|name| name == project)
            && one.tags.contains_key(tags::REMEDY)
    };
    let own: Vec<_> = tagged.into_iter().filter(ours).collect();
    let vpcs = own.iter().filter(|one| one.kind == "vpc");
    let vpcs: Vec<_> = vpcs.map(|one| VpcId::new(one.id.clone())).collect();
    if vpcs.is_empty() {
        return Ok(Built::default());
    }
    let (found, peerings, interfaces) = tokio::join!(
        cloud.vpcs(region, &vpcs),
        cloud.peerings(region, &vpcs),
        cloud.interfaces(region, &vpcs),
    );
    Ok(Built { own, vpcs: found?, peerings: peerings?, interfaces: interfaces? })
}

impl Built {
    fn plan(&self, region: &Region, plan: &mut Plan) {
        if self.vpcs.is_empty() {
            return;
        }
        plan.left.extend(self.users().map(|why| left(region, why)));
        let peerings = self.delete_peerings(region, plan);
        let inside = self.delete_inside(region, plan);
        for vpc in &self.vpcs {
            let slot = format!("{region}/delete-{}", vpc.id);
            let delete = Change::DeleteVpc { vpc: vpc.id.as_str().into() };
            let after = peerings.iter().chain(&inside).cloned().collect();
            push(plan, region, slot, delete, after);
        }
    }

    /// Who else uses the networks.
    fn users(&self) -> impl Iterator<Item = String> {
        let interfaces = self.interfaces.iter().map(|one| {
            let who = one.instance.as_ref().map_or(one.description.as_str(), |id| id.as_str());
            format!("{} is still used: {} {who}", one.vpc, one.id)
        });
        let foreign =
            self.peerings.iter().filter(|one| is_alive(one) && !self.made(one.id.as_str()));
        interfaces.chain(foreign.map(|one| format!("{} is not muster's and still there", one.id)))
    }

    fn made(&self, id: &str) -> bool {
        self.own.iter().any(|one| one.id == id)
    }

    /// The side that asked deletes; the other side's VPC goes without it.
    fn delete_peerings(&self, region: &Region, plan: &mut Plan) -> Vec<Slot> {
        let mut slots = Vec::new();
        for peering in
            self.peerings.iter().filter(|one| is_alive(one) && self.made(one.id.as_str()))
        {
            let slot = format!("delete-{}", peering.id);
            slots.push(Slot(slot.clone()));
            if peering.requester.region == *region {
                let delete = Change::DeletePeering { peering: peering.id.as_str().into() };
                push(plan, region, slot, delete, Vec::new());
            }
        }
        slots
    }

    fn delete_inside(&self, region: &Region, plan: &mut Plan) -> Vec<Slot> {
        let mut all = Vec::new();
        let in_network = |one: &&Tagged| {
            let slot = one.tags.get(tags::REMEDY).map(String::as_str);
            // A group that muster made in a VPC of somebody else's stays.
            one.kind != "security-group" || slot == Some(&format!("{region}/group"))
        };
        for one in self.own.iter().filter(in_network) {
            for (slot, change) in self.deletes(region, one) {
                let after = after(&slot, &change, region, self);
                all.push(Slot(slot.clone()));
                push(plan, region, slot, change, after);
            }
        }
        all
    }

    fn deletes(&self, region: &Region, one: &Tagged) -> Vec<(String, Change)> {
        let slot = format!("{region}/delete-{}", one.id);
        let id = Ref::from(one.id.as_str());
        let change = match one.kind.as_str() {
            "security-group" => Change::DeleteSecurityGroup { group: id },
            "subnet" => Change::DeleteSubnet { subnet: id },
            "route-table" => Change::DeleteRouteTable { table: id },
            "internet-gateway" => {
                let Some(vpc) = self.vpcs.first() else { return Vec::new() };
                let vpc = Ref::from(vpc.id.as_str());
                let detach = Change::DetachInternetGateway { gateway: id.clone(), vpc };
                let first = format!("{region}/detach-{}", one.id);
                return vec![
                    (first, detach),
                    (slot, Change::DeleteInternetGateway { gateway: id }),
                ];
            }
            _ => return Vec::new(),
        };
        vec![(slot, change)]
    }
}

/// Tables go after the subnets that use them, a gateway after its detaching.
fn after(slot: &str, change: &Change, region: &Region, built: &Built) -> Vec<Slot> {
    match change {
        Change::DeleteRouteTable { .. } | Change::DetachInternetGateway { .. } => {
            let subnets = built.own.iter().filter(|one| one.kind == "subnet");
            subnets.map(|one| Slot(format!("{region}/delete-{}", one.id))).collect()
        }
        Change::DeleteInternetGateway { .. } => vec![Slot(slot.replacen("delete-", "detach-", 1))],
        _ => Vec::new(),
    }
}

fn push(plan: &mut Plan, region: &Region, slot: String, change: Change, after: Vec<Slot>) {
    let action = Action::Change { region: region.clone(), change };
    plan.steps.push(Step { slot: Slot(slot), action, after, mends: Vec::new() });
}

fn is_alive(peering: &Peering) -> bool {
    !matches!(
        peering.state,
        PeeringState::Deleted
            | PeeringState::Deleting
            | PeeringState::Failed
            | PeeringState::Expired
            | PeeringState::Rejected
    )
}

fn left(region: &Region, why: String) -> Left {
    Left { problem: Problem { check: CHECK, subject: Subject::Region(region.clone()) }, why }
}
