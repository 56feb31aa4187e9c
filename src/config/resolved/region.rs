//! The document of one Ray config: what it sets, and what was filled in.

use super::{Document, open, tree::Tree, whole};
use crate::config::{
    NodeGroup, Origin, Project, RayConfig, RegionConfig, Sourced,
    region::place_of,
    yaml::{self, Node, Value},
};

const TYPES: &str = "available_node_types";

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
        open: open::of(region, config),
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
    let place = place_of(&group.node_type);
    // An empty `head_node` stands for Ray's own head.
    if !matches!(tree.get(&place), Some(Tree::Map(entries)) if !entries.is_empty()) {
        return;
    }
    let at = |key| [place.as_slice(), &[key]].concat();
    if let (Some(key), Some(_)) = (&group.template.key_name, &project.key_name) {
        tree.fill(&at("KeyName"), || Tree::of(key));
    }
    if let Some(image) = &group.template.image {
        // Ray's word for its default image stands for the one named here.
        if is_own(config, image) {
            tree.fill(&at("ImageId"), || Tree::of(image));
        } else {
            tree.set(&at("ImageId"), Tree::of(image));
        }
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

/// The tree of a project file, if it is a map.
pub(super) fn root(source: &crate::config::Source) -> Option<Node> {
    let root = yaml::parse(source, &mut Vec::new());
    root.filter(|root| matches!(root.value, Value::Map(_)))
}
