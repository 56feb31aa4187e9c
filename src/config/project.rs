//! The project: everything that the user asked for, resolved and checked
//! against itself, before AWS is asked anything.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ipnet::Ipv4Net;

use super::{FileMounts, HostKeyPolicy, Location, Quokka, Recipe, Source, Sourced};
use crate::{
    cloud::{Arguments, IamProfile, InboundRule, Market, Tags},
    model::{
        GroupKey, ImageId, InstanceType, KeyName, NodeKind, NodeName, Region, SecurityGroupId,
        SubnetId, Zone,
    },
};

/// What to assemble.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name, which identifies its cluster on this machine: `name` of
    /// `muster.yaml`, else the leader's `cluster_name`.
    pub name: Sourced<String>,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
    /// The regions in the order given; each region once.
    pub regions: Vec<RegionConfig>,
    /// The region whose head leads: `leader`, else the first.
    pub leader: Sourced<Region>,
    /// The one `KeyName` of all regions, if any is given.
    pub key_name: Option<Sourced<KeyName>>,
    /// The recipe, read and checked.
    pub recipe: Recipe,
    /// `requirements`: pip requirements for every node.
    pub requirements: Vec<Sourced<String>>,
    /// `spill_dir`.
    pub spill_dir: Sourced<PathBuf>,
    /// `python`, `versions`, `aws_credentials` and `ray`.
    pub quokka: Quokka,
    /// `ssh.config`: an ssh config to include; none: the user's own.
    pub ssh_config: Option<Sourced<PathBuf>>,
    /// `host_keys`: what is asked of a node's host key.
    pub host_keys: Sourced<HostKeyPolicy>,
    /// `operator_cidr`: where this machine's connections come from, as the nodes see it.
    pub operator_cidr: Option<Sourced<Ipv4Net>>,
    /// `operator_ports`: ports of the leader that the operator uses without `muster forward`.
    pub operator_ports: Vec<Sourced<u16>>,
    /// Every file that was read, for showing lines of it.
    pub sources: Vec<Source>,
}

/// One region: the Ray configs that describe its nodes. All its nodes are in
/// one VPC, whichever config they are of.
#[derive(Clone, Debug)]
pub struct RegionConfig {
    /// `provider.region`, as its first config has it.
    pub region: Sourced<Region>,
    /// Its configs in the order given, at least one; no two of one `cluster_name`.
    pub configs: Vec<RayConfig>,
    /// The node groups of all its configs in that order, each config's head
    /// first, empty ones left out.
    pub groups: Vec<NodeGroup>,
}

/// One Ray config: what its file sets apart from node types.
#[derive(Clone, Debug)]
pub struct RayConfig {
    /// Its file.
    pub source: Source,
    /// `cluster_name`. Ray distinguishes clusters by region and name.
    pub cluster_name: Sourced<String>,
    /// `provider.region`.
    pub region: Sourced<Region>,
    /// `provider.availability_zone`, split at commas; empty: any.
    pub zones: Vec<Sourced<Zone>>,
    /// `provider.use_internal_ips`: SSH goes to private addresses.
    pub use_internal_ips: bool,
    /// `auth.ssh_user`.
    pub ssh_user: Sourced<String>,
    /// `auth.ssh_proxy_command`, with the node's id for its address if
    /// `ssh_proxy_use_node_id` is set.
    pub ssh_proxy: Option<SshProxy>,
    /// `auth.ssh_private_key` or the project's `key_location`, with `~` expanded.
    pub ssh_private_key: Option<Sourced<PathBuf>>,
    /// The command lists.
    pub commands: Commands,
    /// `file_mounts`, `rsync_exclude` and `rsync_filter`.
    pub file_mounts: FileMounts,
    /// `provider.security_group`: the group that Ray would make.
    pub group_to_make: GroupToMake,
    /// What muster can't carry out; nothing is launched with it.
    pub unsupported: Vec<Unsupported>,
}

/// `auth.ssh_proxy_command`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshProxy {
    /// ssh's `ProxyCommand`.
    pub command: Sourced<String>,
    /// `ssh_proxy_use_node_id`: ssh is given the instance's id as its host.
    pub by_id: bool,
}

/// `provider.security_group`: what Ray makes where no `SecurityGroupIds` are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupToMake {
    /// `GroupName`.
    pub name: Option<Sourced<String>>,
    /// `IpPermissions`, each CIDR a rule of its own.
    pub rules: Vec<InboundRule>,
}

/// Something that a config asks for and muster can't carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Its key path.
    pub key: String,
    /// Where it stands.
    pub location: Location,
    /// What can't be carried out, one sentence.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The command lists of a region config.
///
/// Where a start list is absent, it holds Ray's own default without
/// `--autoscaling-config`, since muster owns the nodes; where it is `[]`, it is
/// empty. Ray's defaults of the other lists are not taken: they install a
/// nightly build of Ray.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// `initialization_commands`.
    pub initialization: Vec<String>,
    /// `setup_commands`.
    pub setup: Vec<String>,
    /// `head_setup_commands`.
    pub head_setup: Vec<String>,
    /// `worker_setup_commands`.
    pub worker_setup: Vec<String>,
    /// `head_start_ray_commands`.
    pub head_start_ray: Vec<String>,
    /// `worker_start_ray_commands`.
    pub worker_start_ray: Vec<String>,
}

/// Nodes of one type and kind: one `RunInstances` call.
#[derive(Clone, Debug)]
pub struct NodeGroup {
    /// Its config: the place in [`RegionConfig::configs`].
    pub config: usize,
    /// Head or worker.
    pub kind: NodeKind,
    /// The key under `available_node_types`, and where it stands.
    pub node_type: Sourced<String>,
    /// How many: 1 for the head, `min_workers` for workers.
    pub count: u32,
    /// `resources`.
    pub resources: BTreeMap<String, f64>,
    /// `node_config`.
    pub template: NodeTemplate,
}

/// `node_config`: the arguments of `RunInstances`.
#[derive(Clone, Debug)]
pub struct NodeTemplate {
    /// `InstanceType`.
    pub instance_type: Sourced<InstanceType>,
    /// `ImageId`.
    pub image: Option<Sourced<ImageId>>,
    /// `KeyName`.
    pub key_name: Option<Sourced<KeyName>>,
    /// `SecurityGroupIds`.
    pub security_groups: Vec<Sourced<SecurityGroupId>>,
    /// Groups by name, where none is named by id: `SecurityGroups`, else
    /// muster.yaml's `security_group`. They are of the VPC of the subnets.
    pub named_groups: Vec<Sourced<String>>,
    /// `SubnetIds` or `SubnetId`, in order of preference.
    pub subnets: Vec<Sourced<SubnetId>>,
    /// `IamInstanceProfile`.
    pub iam_profile: Option<Sourced<IamProfile>>,
    /// `TagSpecifications` of resource type `instance`.
    pub tags: Tags,
    /// `UserData` as written.
    pub user_data: Option<String>,
    /// `InstanceMarketOptions`.
    pub market: Market,
    /// Every other argument, as it is written.
    pub more: Arguments,
}

/// A node as it is planned, before it exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedNode {
    /// Its name.
    pub name: NodeName,
    /// Its group.
    pub group: GroupKey,
    /// Whether it leads the cluster.
    pub leader: bool,
    /// Its type.
    pub instance_type: InstanceType,
}

impl Project {
    /// What is planned in `region`.
    pub fn region(&self, region: &Region) -> Option<&RegionConfig> {
        self.regions.iter().find(|config| *config.region == *region)
    }

    /// The Ray config that the nodes of `key` are of.
    pub fn config_of(&self, key: &GroupKey) -> Option<&RayConfig> {
        self.region(&key.region)?.config(key)
    }

    /// Every Ray config, by region.
    pub fn configs(&self) -> impl Iterator<Item = &RayConfig> {
        self.regions.iter().flat_map(|region| &region.configs)
    }

    /// Where `key` stands in the order of the project: its region, its config
    /// there, the head before workers. What no config names comes last.
    pub fn order_of(&self, key: &GroupKey) -> (usize, usize, NodeKind) {
        let region = self.regions.iter().position(|region| *region.region == key.region);
        let index = region.and_then(|index| self.regions[index].index_of(key));
        (region.unwrap_or(usize::MAX), index.unwrap_or(usize::MAX), key.kind)
    }

    /// All regions, in the order given.
    pub fn region_names(&self) -> Vec<Region> {
        self.regions.iter().map(|config| config.region.value.clone()).collect()
    }

    /// Every node that is to exist, in a stable order: by region as given, then
    /// by config, its head first, workers numbered through the config's groups.
    pub fn planned_nodes(&self) -> Vec<PlannedNode> {
        self.regions
            .iter()
            .flat_map(|region| region.planned_nodes(*self.leader == *region.region))
            .collect()
    }

    /// The text of line `line` (from 1) of the file at `path`.
    pub fn source_line(&self, path: &Path, line: u32) -> Option<&str> {
        let source = self.sources.iter().find(|source| &*source.path == path)?;
        source.text.lines().nth(line.checked_sub(1)? as usize)
    }
}

impl NodeTemplate {
    /// A node of this type, everything else left open.
    pub fn of_type(instance_type: Sourced<InstanceType>) -> Self {
        Self {
            instance_type,
            image: None,
            key_name: None,
            security_groups: Vec::new(),
            named_groups: Vec::new(),
            subnets: Vec::new(),
            iam_profile: None,
            tags: Tags::new(),
            user_data: None,
            market: Market::OnDemand,
            more: Arguments::new(),
        }
    }

    /// Whether `NetworkInterfaces` name the subnet and the groups.
    pub fn has_interfaces(&self) -> bool {
        self.more.contains_key("NetworkInterfaces")
    }

    /// Whether the primary network interface gets a public address; `None`:
    /// as set by its subnet.
    pub fn public_address(&self) -> Option<bool> {
        let interfaces = self.more.get("NetworkInterfaces")?.as_array()?;
        let index = |one: &&serde_json::Value| one["DeviceIndex"].as_i64().unwrap_or(0);
        interfaces.iter().min_by_key(index)?.get("AssociatePublicIpAddress")?.as_bool()
    }

    /// Why remedies can't rewrite the subnet and the groups of this template:
    /// they are not `SubnetIds` and `SecurityGroupIds`.
    pub fn pinned_network(&self) -> Option<&'static str> {
        if self.has_interfaces() {
            Some("its NetworkInterfaces name the subnet and the groups: change them by hand")
        } else if self.group_names().is_empty() {
            None
        } else {
            Some("its SecurityGroups are names: write SecurityGroupIds in their place by hand")
        }
    }

    /// `SecurityGroups`: groups by name, which EC2 resolves in the default VPC.
    pub fn group_names(&self) -> Vec<&str> {
        let names = self.more.get("SecurityGroups").and_then(|names| names.as_array());
        names.into_iter().flatten().filter_map(|name| name.as_str()).collect()
    }
}

impl RayConfig {
    /// Whether ssh is given instances' ids, so that no address has to be reached.
    pub fn ssh_by_id(&self) -> bool {
        self.ssh_proxy.as_ref().is_some_and(|proxy| proxy.by_id)
    }
}

impl RegionConfig {
    /// The config that `group`, one of this region's, is of.
    pub fn config_of(&self, group: &NodeGroup) -> &RayConfig {
        &self.configs[group.config]
    }

    /// The security groups of `group` that have to be found by their names, in
    /// the VPC of its subnets: what Ray would find, too, where no id is given.
    pub fn named_groups<'a>(&'a self, group: &'a NodeGroup) -> Vec<&'a Sourced<String>> {
        let template = &group.template;
        if !template.security_groups.is_empty() || template.has_interfaces() {
            return Vec::new();
        }
        match template.named_groups.as_slice() {
            [] => self.config_of(group).group_to_make.name.iter().collect(),
            named => named.iter().collect(),
        }
    }

    /// The key of one of this region's groups.
    pub fn key_of(&self, group: &NodeGroup) -> GroupKey {
        GroupKey {
            region: self.region.value.clone(),
            cluster_name: self.further_name(group.config),
            kind: group.kind,
            node_type: group.node_type.value.clone(),
        }
    }

    /// The group with this key.
    pub fn group(&self, key: &GroupKey) -> Option<&NodeGroup> {
        self.groups.iter().find(|group| self.key_of(group) == *key)
    }

    /// The config that nodes with this key are of, whatever their node type.
    pub fn config(&self, key: &GroupKey) -> Option<&RayConfig> {
        self.configs.get(self.index_of(key)?)
    }

    /// The groups of one of its configs.
    pub fn groups_of(&self, config: &RayConfig) -> impl Iterator<Item = &NodeGroup> {
        let same = |own: &RayConfig| own.cluster_name.value == config.cluster_name.value;
        let index = self.configs.iter().position(same);
        self.groups.iter().filter(move |group| Some(group.config) == index)
    }

    /// What distinguishes the config number `index` (from 0) in keys and nodes'
    /// names: nothing for the first, so that adding another config renames nothing.
    pub fn further_name(&self, index: usize) -> Option<String> {
        let config = self.configs.get(index).filter(|_| index > 0)?;
        Some(config.cluster_name.value.clone())
    }

    /// What to call one of its configs among others: the region, and the
    /// `cluster_name` where there are several.
    pub fn title_of(&self, config: &RayConfig) -> String {
        match &self.configs[..] {
            [_] => self.region.to_string(),
            _ => format!("{} {}", *self.region, *config.cluster_name),
        }
    }

    fn index_of(&self, key: &GroupKey) -> Option<usize> {
        match &key.cluster_name {
            None => Some(0),
            Some(name) => self.configs.iter().position(|config| *config.cluster_name == *name),
        }
    }

    fn planned_nodes(&self, leads: bool) -> Vec<PlannedNode> {
        let mut workers = vec![0; self.configs.len()];
        let mut nodes = Vec::new();
        for group in &self.groups {
            let key = self.key_of(group);
            for _ in 0..group.count {
                workers[group.config] += u32::from(group.kind == NodeKind::Worker);
                nodes.push(PlannedNode {
                    name: key.node(workers[group.config]),
                    leader: leads && key.may_lead(),
                    group: key.clone(),
                    instance_type: group.template.instance_type.value.clone(),
                });
            }
        }
        nodes
    }
}
