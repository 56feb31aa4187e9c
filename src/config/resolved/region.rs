//! The document of one Ray config: what it says, and what was filled in.

use super::{Document, Open, tree::Tree, whole};
use crate::config::{
    NodeGroup, Origin, Project, RayConfig, RegionConfig, Sourced,
    yaml::{self, Node, Value},
};

const TYPES: &str = "available_node_types";
const NODE_CONFIG: &str = "node_config";

/// Keys without which Ray or EC2 choose, and what that comes to.
const OPEN: [(&str, &[&str], &str); 4] = [
    (
        "ImageId",
        &["ImageId"],
        "Ray has no default image in this region, and EC2 launches nothing without: name one",
    ),
    ("KeyName", &["KeyName"], "nobody could log in: say key_name in muster.yaml"),
    (
        "SubnetIds",
        &["SubnetIds", "SubnetId", "NetworkInterfaces"],
        "the default VPC's, which can't be peered: `muster fix` builds a network",
    ),
    (
        "SecurityGroupIds",
        &["SecurityGroupIds", "SecurityGroups", "NetworkInterfaces"],
        "the VPC's default group, which keeps peers out: `muster fix` makes one",
    ),
];

pub(super) fn document(
    project: &Project,
    (region, config): (&RegionConfig, &RayConfig),
    name: String,
) -> Document {
    let root = yaml::parse(&config.source, &mut Vec::new());
    let mut tree = root.as_ref().map_or_else(|| Tree::Map(Vec::new()), Tree::read);
    fill_in(project, (region, config), &mut tree);
    Document {
        name,
        path: Some(config.source.path.to_path_buf()),
        region: Some(config.region.value.clone()),
        open: open(&tree),
        tree,
    }
}

fn fill_in(project: &Project, (region, config): (&RegionConfig, &RayConfig), tree: &mut Tree) {
    let groups = || region.groups_of(config);
    let ray = |reason| Origin::Default(reason);
    tree.fill(&["auth", "ssh_user"], || Tree::of(&config.ssh_user));
    if let Some(key) = &config.ssh_private_key {
        tree.set(&["auth", "ssh_private_key"], Tree::text(whole(key), key.origin.clone()));
    }
    for (to, from) in &config.file_mounts.files {
        tree.set(&["file_mounts", to], Tree::text(whole(from), from.origin.clone()));
    }
    tree.fill(&["provider", "use_internal_ips"], || Tree::plain("false", ray("Ray's own")));
    if tree.get(&[TYPES]).is_some() {
        let head = groups().find(|group| group.kind == crate::model::NodeKind::Head);
        if let Some(head) = head {
            let why = "the only node type, or the one of Ray's own name";
            tree.fill(&["head_node_type"], || Tree::text(head.node_type.value.clone(), ray(why)));
        }
    }
    for group in groups() {
        fill_in_group(project, config, group, tree);
    }
    let why = "Ray's own, without its autoscaler";
    let starts = [
        ("head_start_ray_commands", &config.commands.head_start_ray),
        ("worker_start_ray_commands", &config.commands.worker_start_ray),
    ];
    for (key, commands) in starts {
        let list = || commands.iter().map(|one| Tree::text(one.clone(), ray(why))).collect();
        tree.fill(&[key], || Tree::List(list()));
    }
}

/// What the project gives to nodes whose config leaves it open.
fn fill_in_group(project: &Project, config: &RayConfig, group: &NodeGroup, tree: &mut Tree) {
    let at = |key| [TYPES, group.node_type.as_str(), NODE_CONFIG, key];
    if tree.get(&[TYPES, &group.node_type, NODE_CONFIG]).is_none() {
        return;
    }
    if let (Some(key), Some(_)) = (&group.template.key_name, &project.key_name) {
        tree.fill(&at("KeyName"), || Tree::of(key));
    }
    if let Some(image) = &group.template.image {
        tree.fill(&at("ImageId"), || Tree::of(image));
    }
    let groups = &group.template.security_groups;
    if !groups.is_empty() && groups.iter().all(|one| !is_own(config, one)) {
        tree.fill(&at("SecurityGroupIds"), || Tree::List(groups.iter().map(Tree::of).collect()));
    }
}

/// Whether a value is written in the config itself.
fn is_own<T>(config: &RayConfig, value: &Sourced<T>) -> bool {
    value.location().is_some_and(|location| location.file == config.source.path)
}

/// What some node's config says nothing of.
fn open(tree: &Tree) -> Vec<Open> {
    let Some(Tree::Map(types)) = tree.get(&[TYPES]) else { return Vec::new() };
    let configs: Vec<_> = types.iter().filter_map(|(_, one)| one.get(&[NODE_CONFIG])).collect();
    let is_open = |keys: &[&str]| {
        configs.iter().any(|config| keys.iter().all(|key| config.get(&[key]).is_none()))
    };
    let open = OPEN.iter().filter(|(_, keys, _)| is_open(keys));
    open.map(|(key, _, why)| Open { key, why }).collect()
}

/// The tree of a project file, if it is a map.
pub(super) fn root(source: &crate::config::Source) -> Option<Node> {
    let root = yaml::parse(source, &mut Vec::new());
    root.filter(|root| matches!(root.value, Value::Map(_)))
}
