//! `muster.yaml`, as muster writes it.

use granit_parser::ScalarStyle;

use super::{Settings, names};
use crate::{
    config::{
        RayConfig, Source, assemble,
        edit::quote::scalar,
        yaml::{self, Value},
    },
    model::Region,
};

/// The project's name after the cluster's, if that can be one.
pub(super) fn name(config: &RayConfig) -> Option<String> {
    let name = names::bare(&config.cluster_name, &config.region);
    assemble::is_name(name).then(|| name.to_owned())
}

/// A `muster.yaml` with comments.
pub(super) fn text(settings: &Settings, regions: &[String], leader: &Region) -> String {
    let plain = |text: &str, in_flow| scalar(text, ScalarStyle::Plain, in_flow);
    let mut lines = vec!["# One Quokka cluster out of several AWS regions.".to_owned()];
    lines.extend(settings.name.as_ref().map(|name| format!("name: {}", plain(name, false))));
    let regions: Vec<_> = regions.iter().map(|file| plain(file, true)).collect();
    lines.extend([
        String::new(),
        "# One Ray cluster-launcher config per region; the head of the leader's region".into(),
        "# leads the whole cluster.".into(),
        format!("regions: [{}]", regions.join(", ")),
        format!("leader: {leader}"),
        String::new(),
        "# Quokka logs in to every node with one key.".into(),
    ]);
    lines.push(match &settings.key_name {
        Some(key) => format!("key_name: {}", plain(key.as_str(), false)),
        None => "# key_name: the name of an EC2 key pair".into(),
    });
    lines.push(match &settings.key_location {
        Some(path) => format!("key_location: {}", plain(&path.to_string_lossy(), false)),
        None => "# key_location: ~/.ssh/quokka.pem".into(),
    });
    lines.extend([
        String::new(),
        "# Where this machine's connections come from, as the nodes see it. Without it,".into(),
        "# `muster fix` asks AWS.".into(),
        match settings.operator_cidr {
            Some(cidr) => format!("operator_cidr: {cidr}"),
            None => "# operator_cidr: 203.0.113.7/32".into(),
        },
    ]);
    lines.join("\n") + "\n"
}

/// The files that a `muster.yaml` lists, as written.
pub(super) fn listed(source: &Source) -> Vec<String> {
    let text = crate::config::read::normalized(&source.text).into();
    let root = yaml::parse(&Source { text, ..source.clone() }, &mut Vec::new());
    let regions = root.as_ref().and_then(|root| root.get("regions"));
    match regions.map(|regions| &regions.value) {
        Some(Value::List(items)) => items.iter().map(|item| item.text().to_owned()).collect(),
        _ => Vec::new(),
    }
}
