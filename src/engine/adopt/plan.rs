//! Which instances of `ray up` would become which nodes, where they differ
//! from the configs, and what prevents adopting them.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;

use crate::{
    cloud::{CloudError, Instance, InstanceFilter, InstanceState, tags},
    config::{RayConfig, RegionConfig},
    engine::{host::not_planned, shared::Shared},
    model::{ClusterId, Failure, GroupKey, InstanceId, NodeKind, NodeName, Region},
    remote::{Host, RemoteErrorKind},
};

/// How long a running instance may take to accept an SSH connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_secs(1);

/// What an adoption would take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdoptPlan {
    /// The cluster that they would be.
    pub cluster: ClusterId,
    /// The instances and the nodes that they would become, by region as given, the
    /// head first.
    pub nodes: Vec<Adoptee>,
    /// What is not as the configs have it, a sentence each.
    pub notes: Vec<String>,
    /// Why it can't be done; empty where it can.
    pub refused: Vec<Failure>,
}

/// An instance that would become a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoptee {
    /// The node.
    pub node: NodeName,
    /// Its group, according to the instance's own tags.
    pub group: GroupKey,
    /// The instance.
    pub instance: Instance,
}

impl Adoptee {
    /// Whether it is its region's head.
    pub fn is_head(&self) -> bool {
        self.group.kind == NodeKind::Head
    }
}

impl AdoptPlan {
    /// The regions in which instances would be adopted.
    pub fn regions(&self) -> Vec<Region> {
        let mut regions: Vec<_> = self.nodes.iter().map(|one| one.group.region.clone()).collect();
        regions.dedup();
        regions
    }

    /// The instances of `region`.
    pub fn ids_in(&self, region: &Region) -> Vec<InstanceId> {
        let of_region = self.nodes.iter().filter(|one| one.group.region == *region);
        of_region.map(|one| one.instance.id.clone()).collect()
    }

    fn refuse(&mut self, why: String, hint: &str) {
        self.refused.push(Failure::new(why).hint(hint));
    }
}

/// Reads all regions, and tests an SSH login on every instance. Changes nothing.
pub(in crate::engine) async fn plan(shared: &Shared) -> AdoptPlan {
    let mut plan = AdoptPlan { cluster: shared.cluster.clone(), ..AdoptPlan::default() };
    let own = shared.state().nodes.values().find(|node| is_own(node)).map(|node| node.name.clone());
    if let Some(node) = own {
        let what = format!("this cluster already has instances of its own, {node} among them");
        plan.refuse(
            what,
            "terminate it first (`muster down`); instances of `ray up` are adopted all together",
        );
        return plan;
    }
    let project = shared.project();
    let regions = project.regions.iter();
    let all =
        regions.flat_map(|region| (0..region.configs.len()).map(move |index| (region, index)));
    let wanted: Vec<_> = all.map(|(region, index)| Wanted { region, index }).collect();
    let asked = wanted.iter().map(|one| named(shared, one.config()));
    for (one, answer) in wanted.iter().zip(join_all(asked).await) {
        match answer {
            Ok(found) => of_config(shared, *one, found, &mut plan),
            Err(error) => plan.refused.push(Failure::from(&error)),
        }
    }
    if plan.refused.is_empty() {
        let tried = join_all(plan.nodes.iter().map(|one| try_ssh(shared, one))).await;
        plan.refused.extend(tried.into_iter().filter_map(Result::err));
    }
    plan
}

fn is_own(node: &crate::engine::NodeState) -> bool {
    node.is_live() && node.instance.as_ref().is_some_and(|info| !info.adopted)
}

/// Returns the instances tagged with the config's Ray cluster name that are not terminated.
async fn named(shared: &Shared, config: &RayConfig) -> Result<Vec<Instance>, CloudError> {
    let name = config.cluster_name.value.clone();
    let filter = InstanceFilter::Tag(tags::RAY_CLUSTER_NAME.into(), name);
    let mut found = shared.cloud.instances(&config.region, &filter).await?;
    found.retain(|one| one.state.is_live());
    // The same order every time, as they were launched.
    found.sort_by(|a, b| {
        (a.launched, a.launch_index, &a.id).cmp(&(b.launched, b.launch_index, &b.id))
    });
    Ok(found)
}

/// A config whose instances are searched for.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    region: &'a RegionConfig,
    /// Which of the region's.
    index: usize,
}

impl<'a> Wanted<'a> {
    fn config(self) -> &'a RayConfig {
        &self.region.configs[self.index]
    }

    /// The group by Ray's own tag; without it, the first of the kind in the config.
    fn group(self, kind: NodeKind, instance: &Instance) -> GroupKey {
        let tagged = instance.tags.get(tags::RAY_USER_NODE_TYPE).cloned();
        let mut own = self.region.groups_of(self.config());
        let mut first = || own.find(|group| group.kind == kind);
        let named = tagged.or_else(|| Some(first()?.node_type.value.clone()));
        GroupKey {
            region: self.region.region.value.clone(),
            cluster_name: self.region.further_name(self.index),
            kind,
            node_type: named.unwrap_or_default(),
        }
    }

    /// Whether nodes of `key` are this config's.
    fn has(self, key: &GroupKey) -> bool {
        key.region == *self.region.region
            && key.cluster_name == self.region.further_name(self.index)
    }

    /// The workers that the config plans, with their groups.
    fn planned_workers(self, shared: &Shared) -> Vec<(NodeName, GroupKey)> {
        let planned = shared.project().planned_nodes().into_iter();
        let workers =
            planned.filter(|node| self.has(&node.group) && node.group.kind == NodeKind::Worker);
        workers.map(|node| (node.name, node.group)).collect()
    }
}

fn of_config(shared: &Shared, wanted: Wanted<'_>, found: Vec<Instance>, plan: &mut AdoptPlan) {
    let on_record = |one: &Instance| shared.state().node_of(&one.id).is_some();
    let found: Vec<_> = {
        let all = found.len();
        let new: Vec<_> = found.into_iter().filter(|one| !on_record(one)).collect();
        if new.is_empty() && all > 0 {
            // Taken over before an earlier adoption was cut off elsewhere.
            return;
        }
        new
    };
    let refused = plan.refused.len();
    judge(shared, wanted.config(), &found, plan);
    if plan.refused.len() > refused {
        return;
    }
    let (heads, workers): (Vec<_>, Vec<_>) = found.into_iter().partition(is_head);
    let head = heads.into_iter().map(|instance| {
        let group = wanted.group(NodeKind::Head, &instance);
        Adoptee { node: group.node(1), group, instance }
    });
    plan.nodes.extend(head);
    let mut free = wanted.planned_workers(shared);
    let planned = free.clone();
    let mut next = planned.len();
    for instance in workers {
        let group = wanted.group(NodeKind::Worker, &instance);
        let place = free.iter().position(|(_, own)| *own == group);
        let node = if let Some(place) = place {
            free.remove(place).0
        } else {
            next += 1;
            group.node(u32::try_from(next).unwrap_or(u32::MAX))
        };
        plan.nodes.push(Adoptee { node, group, instance });
    }
    differences(wanted, &planned, plan);
}

fn is_head(instance: &Instance) -> bool {
    instance.tags.get(tags::RAY_NODE_TYPE).is_some_and(|kind| kind == "head")
}

/// What speaks against taking `found` over.
fn judge(shared: &Shared, config: &RayConfig, found: &[Instance], plan: &mut AdoptPlan) {
    let (region, name) = (&*config.region, &*config.cluster_name);
    if found.is_empty() {
        let what = format!("no instance in {region} carries ray-cluster-name = {name}");
        let hint = format!("launch them with `ray up {}`", config.source.path.display());
        return plan.refuse(what, &hint);
    }
    let foreign = found.iter().filter_map(|one| {
        let id = one.tags.get(tags::CLUSTER)?;
        (*id != *shared.cluster.as_str()).then_some((one, id))
    });
    for (one, id) in foreign {
        let what = format!("{} in {region} belongs to muster's cluster {id}", one.id);
        plan.refuse(what, &format!("`muster down --cluster {id}` terminates that cluster"));
    }
    for one in found.iter().filter(|one| one.state != InstanceState::Running) {
        let what = format!("{} in {region} is {}", one.id, one.state.as_str());
        plan.refuse(what, "all of them have to run: start it, or terminate it and wait a minute");
    }
    match found.iter().filter(|one| is_head(one)).count() {
        1 => {}
        0 => plan.refuse(
            format!("none of the instances named {name} in {region} is a head (ray-node-type)"),
            "wait until `ray up` is done, or run it again",
        ),
        count => plan.refuse(
            format!("{count} instances named {name} in {region} are tagged as the head"),
            "terminate those that are not, or remove their ray-cluster-name tag",
        ),
    }
}

/// Counts and types that are not the config's.
fn differences(wanted: Wanted<'_>, planned: &[(NodeName, GroupKey)], plan: &mut AdoptPlan) {
    let region = wanted.region.title_of(wanted.config());
    let here = || plan.nodes.iter().filter(|one| wanted.has(&one.group));
    let mut notes = Vec::new();
    let found: BTreeSet<_> =
        here().filter(|one| !one.is_head()).map(|one| one.group.node_type.clone()).collect();
    let all: BTreeSet<_> =
        planned.iter().map(|(_, group)| group.node_type.clone()).chain(found).collect();
    for node_type in all {
        let of_type = |one: &&Adoptee| !one.is_head() && one.group.node_type == node_type;
        let found = here().filter(of_type).count();
        let wanted = planned.iter().filter(|(_, group)| group.node_type == node_type).count();
        if found < wanted {
            notes.push(format!(
                "{region}: {found} of {wanted} {node_type} (min_workers) are there; `muster up` \
                 afterwards launches the others"
            ));
        } else if found > wanted {
            notes.push(format!(
                "{region}: {found} {node_type} where the config plans {wanted} (min_workers): all \
                 of them are taken over"
            ));
        }
    }
    for one in here() {
        let group = wanted.region.group(&one.group);
        let wanted = group.map(|group| &group.template.instance_type.value);
        if let Some(wanted) = wanted.filter(|wanted| **wanted != one.instance.instance_type) {
            let is = &one.instance.instance_type;
            notes.push(format!("{} is an {is}; the config specifies {wanted}", one.node));
        }
    }
    plan.notes.extend(notes);
}

/// How to reach the instance.
pub(super) fn host(shared: &Shared, one: &Adoptee) -> Result<Host, Failure> {
    let project = shared.project();
    let config = project.config_of(&one.group).ok_or_else(|| not_planned(&one.group))?;
    let public = one.instance.public_ip;
    let private = one.instance.private_ip.map(Into::into);
    let proxy_by_id = config.ssh_by_id();
    let address = if config.use_internal_ips || proxy_by_id { private } else { public };
    let address = address.ok_or_else(|| {
        Failure::new(format!("{} ({}) has no public address", one.node, one.instance.id))
            .hint("set provider.use_internal_ips: true to use its private one")
    })?;
    Ok(Host {
        node: one.node.clone(),
        instance: one.instance.id.clone(),
        address,
        user: config.ssh_user.value.clone(),
        private_key: config.ssh_private_key.as_ref().map(|path| path.value.clone()),
        proxy_command: config.ssh_proxy.as_ref().map(|proxy| proxy.command.value.clone()),
        proxy_by_id,
    })
}

/// Tests an SSH login; runs nothing.
async fn try_ssh(shared: &Shared, one: &Adoptee) -> Result<(), Failure> {
    let host = host(shared, one)?;
    let begun = tokio::time::Instant::now();
    loop {
        let error = match shared.remote.connect(&host).await {
            Ok(session) => {
                session.close().await;
                return Ok(());
            }
            Err(error) => error,
        };
        // It runs for long: who is not let in now never will be.
        let is_final = error.kind == RemoteErrorKind::Denied || !error.kind.is_transient();
        if is_final || begun.elapsed() >= PATIENCE {
            let failure = Failure::from(&error);
            let message = format!("{} ({}): {}", one.node, one.instance.id, failure.message);
            return Err(Failure { message, ..failure });
        }
        tokio::time::sleep(PAUSE).await;
    }
}
