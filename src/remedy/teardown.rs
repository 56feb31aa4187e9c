//! Taking away the networks that are on record as this project's, and nothing
//! else: refused while anything else has an address in them. What only carries
//! the project's tags is shown and stays.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::{
    check::{Subject, network::is_alive},
    cloud::{Change, Cloud, Interface, InternetGateway, Ref, Result, StepId},
    model::{Region, VpcId},
    survey::Fact,
};

use super::{
    facts::{Candidates, Owner, RegionFacts, tagged},
    plan::{Action, Plan, Problem, Step, Unfixed},
    record::{Created, Record},
    unrecorded::Unrecorded,
};

/// The check name under which resources that cannot be removed are reported.
const CHECK: &str = "network.teardown";

/// What is known of the networks that are on record as a project's.
pub struct Teardown {
    regions: Vec<(Region, Fact<Built>)>,
}

/// What is on record in one region.
#[derive(Default)]
struct Built {
    facts: RegionFacts,
    interfaces: Vec<Interface>,
    /// The connections that are on record, in whichever region.
    peerings: BTreeSet<String>,
}

impl Teardown {
    /// Asks `regions`.
    pub async fn read(owner: Owner<'_>, regions: &[Region], cloud: &dyn Cloud) -> Self {
        let of_region = |region: &Region| {
            let region = region.clone();
            async move {
                let built = read(owner, &region, cloud).await;
                (region, Fact::from(built))
            }
        };
        Self { regions: join_all(regions.iter().map(of_region)).await }
    }

    /// What is on record as created, and what EC2 does not describe.
    pub fn missing(&self) -> impl Iterator<Item = &Created> {
        self.known().flat_map(|(_, built)| &built.facts.missing)
    }

    /// What calls without an answer have created, and shows only now.
    pub fn late(&self, record: &Record) -> Vec<Unrecorded> {
        self.known().flat_map(|(_, built)| built.facts.late(record)).cloned().collect()
    }

    fn known(&self) -> impl Iterator<Item = (&Region, &Built)> {
        self.regions.iter().filter_map(|(region, built)| Some((region, built.known()?)))
    }

    /// What removes them, in order.
    pub fn plan(&self) -> Plan {
        let vpcs = self.known().flat_map(|(_, built)| built.ids("vpc-")).cloned().collect();
        let mut plan = Plan::default();
        for (region, built) in &self.regions {
            match built {
                Fact::Known(built) => Here { region, built, vpcs: &vpcs }.inside(&mut plan),
                Fact::Unknown(failure) => plan.left.push(left(region, failure.to_string())),
            }
        }
        for (region, built) in self.known() {
            Here { region, built, vpcs: &vpcs }.delete_vpcs(&mut plan);
        }
        // One that can't go keeps all of them: half a mesh is no use to anybody.
        if !plan.left.is_empty() {
            plan.steps.clear();
        }
        plan
    }
}

async fn read(owner: Owner<'_>, region: &Region, cloud: &dyn Cloud) -> Result<Built> {
    let own: Vec<Created> = owner.record.own(region).cloned().collect();
    let (tagged, vpcs) = tokio::join!(tagged(cloud, region, owner), cloud.all_vpcs(region));
    let (tagged, vpcs) = (tagged?, vpcs?);
    let mut facts = Candidates::of(&own, &tagged, &[]).read(cloud, region, &vpcs).await?;
    facts.vpcs = vpcs;
    facts.sort(own, tagged, region, owner);
    let mut built = Built { facts, ..Built::default() };
    let vpcs: Vec<VpcId> = built.ids("vpc-").map(|id| VpcId::new(id.clone())).collect();
    if !vpcs.is_empty() {
        built.interfaces = cloud.interfaces(region, &vpcs).await?;
        // Connections of others' keep a VPC as well.
        let of_vpcs = cloud.peerings(region, &vpcs).await?;
        built.facts.peerings.extend(of_vpcs);
    }
    let ids = built.facts.peerings.iter().map(|one| one.id.to_string());
    built.peerings = ids.filter(|id| owner.record.owns(id)).collect();
    Ok(built)
}

impl Built {
    /// The ids on record of one kind.
    fn ids<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a String> {
        let own = self.facts.all_own().map(|(_, id)| id);
        own.filter(move |id| id.starts_with(prefix))
    }

    fn owns(&self, id: &str) -> bool {
        self.facts.all_own().any(|(_, own)| own == id)
    }
}

/// One region, and the VPCs on record in all of them.
struct Here<'a> {
    region: &'a Region,
    built: &'a Built,
    vpcs: &'a BTreeSet<String>,
}

impl Here<'_> {
    /// All but the VPCs themselves.
    fn inside(&self, plan: &mut Plan) {
        plan.unrecorded.extend(self.built.facts.unrecorded.iter().cloned());
        plan.left.extend(self.users().map(|why| left(self.region, why)));
        self.delete_peerings(plan);
        self.delete_groups(plan);
        self.delete_subnets(plan);
        self.delete_tables(plan);
        self.delete_gateways(plan);
    }

    /// After all that is here, and after every connection.
    fn delete_vpcs(&self, plan: &mut Plan) {
        let first = |step: &&Step| {
            let is_here = step.region() == Some(self.region) && !is_of_vpc(step);
            is_here || is_of_peering(step)
        };
        let after: Vec<_> = plan.steps.iter().filter(first).map(|step| step.slot.clone()).collect();
        for vpc in self.built.ids("vpc-") {
            let delete = Change::DeleteVpc { vpc: vpc.as_str().into() };
            self.push(plan, "delete", vpc, delete, after.clone());
        }
    }

    /// Who else uses the networks.
    fn users(&self) -> impl Iterator<Item = String> {
        let built = self.built;
        let interfaces = built.interfaces.iter().map(|one| {
            let who = one.instance.as_ref().map_or(one.description.as_str(), |id| id.as_str());
            format!("{} is still used: {} {who}", one.vpc, one.id)
        });
        let joins = |one: &crate::cloud::Peering| {
            [&one.requester, &one.accepter]
                .iter()
                .any(|side| side.region == *self.region && built.owns(side.vpc.as_str()))
        };
        let ids = built.facts.peerings.iter().filter(|one| is_alive(one) && joins(one));
        let ids: BTreeSet<_> = ids.map(|one| one.id.as_str()).collect();
        let foreign = ids.into_iter().filter(|id| !built.peerings.contains(*id));
        let foreign = foreign.map(|id| {
            format!("{id} joins a VPC of this project's, and is in none of its journals")
        });
        let unrecorded = built
            .facts
            .unrecorded
            .iter()
            .filter(|one| built.facts.vpc_of(&one.id).is_some_and(|vpc| built.owns(&vpc)));
        let unrecorded = unrecorded.map(|one| {
            format!("{} is in a VPC of this project's, and in none of its journals", one.id)
        });
        let gateways = self.gateways().filter_map(|one| {
            let vpc = one.vpc.as_ref().filter(|vpc| !built.owns(vpc.as_str()))?;
            Some(format!("{} is attached to {vpc}, which is not this project's", one.id))
        });
        interfaces.chain(foreign).chain(unrecorded).chain(gateways).collect::<Vec<_>>().into_iter()
    }

    fn gateways(&self) -> impl Iterator<Item = &InternetGateway> {
        self.built.facts.gateways.iter().filter(|one| self.built.owns(&one.id))
    }

    /// The side that asked deletes; the other side's VPC goes after it.
    fn delete_peerings(&self, plan: &mut Plan) {
        let ids: BTreeSet<_> = self.built.ids("pcx-").collect();
        for id in ids {
            let Some(peering) = self.built.facts.peering(id) else { continue };
            let sides = [&peering.requester.vpc, &peering.accepter.vpc];
            // One between VPCs of the user's stays, as the groups in them do.
            if sides.iter().any(|vpc| self.vpcs.contains(vpc.as_str())) {
                let delete = Change::DeletePeering { peering: id.as_str().into() };
                self.push(plan, "delete", id, delete, Vec::new());
            }
        }
    }

    fn delete_groups(&self, plan: &mut Plan) {
        let own = self.built.facts.groups.iter().filter(|one| self.built.owns(one.id.as_str()));
        // A group in a VPC of the user's stays: nodes may be in it.
        for group in own.filter(|one| self.vpcs.contains(one.vpc.as_str())) {
            let id = group.id.as_str();
            let delete = Change::DeleteSecurityGroup { group: id.into() };
            self.push(plan, "delete", id, delete, Vec::new());
        }
    }

    fn delete_subnets(&self, plan: &mut Plan) {
        for id in self.built.ids("subnet-") {
            let delete = Change::DeleteSubnet { subnet: id.as_str().into() };
            self.push(plan, "delete", id, delete, Vec::new());
        }
    }

    /// Tables go after the subnets that use them.
    fn delete_tables(&self, plan: &mut Plan) {
        for id in self.built.ids("rtb-") {
            let vpc = self.built.facts.vpc_of(id);
            let delete = Change::DeleteRouteTable { table: id.as_str().into() };
            self.push(plan, "delete", id, delete, self.after_subnets(vpc.as_deref()));
        }
    }

    /// Each gateway leaves the VPC that it is attached to, if any, before it goes.
    fn delete_gateways(&self, plan: &mut Plan) {
        for gateway in self.gateways() {
            let id = Ref::from(gateway.id.as_str());
            let mut after = Vec::new();
            if let Some(vpc) = &gateway.vpc {
                let (gateway, vpc_ref) = (id.clone(), Ref::from(vpc.as_str()));
                let detach = Change::DetachInternetGateway { gateway, vpc: vpc_ref };
                let subnets = self.after_subnets(Some(vpc.as_str()));
                after.push(self.push(plan, "detach", id.id().unwrap_or_default(), detach, subnets));
            }
            let delete = Change::DeleteInternetGateway { gateway: id };
            self.push(plan, "delete", &gateway.id, delete, after);
        }
    }

    /// The deletions of the subnets in `vpc`.
    fn after_subnets(&self, vpc: Option<&str>) -> Vec<StepId> {
        let own = self.built.facts.subnets.iter().filter(|one| self.built.owns(one.id.as_str()));
        let own = own.filter(|one| Some(one.vpc.as_str()) == vpc);
        own.map(|one| self.slot("delete", one.id.as_str())).collect()
    }

    fn slot(&self, verb: &str, id: &str) -> StepId {
        StepId(format!("{}/{verb}-{id}", self.region))
    }

    fn push(
        &self,
        plan: &mut Plan,
        verb: &str,
        id: &str,
        change: Change,
        after: Vec<StepId>,
    ) -> StepId {
        let slot = self.slot(verb, id);
        let action = Action::Change { region: self.region.clone(), change };
        plan.steps.push(Step { slot: slot.clone(), action, after, fixes: Vec::new() });
        slot
    }
}

fn is_of_peering(step: &Step) -> bool {
    matches!(step.action, Action::Change { change: Change::DeletePeering { .. }, .. })
}

fn is_of_vpc(step: &Step) -> bool {
    matches!(step.action, Action::Change { change: Change::DeleteVpc { .. }, .. })
}

fn left(region: &Region, why: String) -> Unfixed {
    Unfixed { problem: Problem { check: CHECK, subject: Subject::Region(region.clone()) }, why }
}
