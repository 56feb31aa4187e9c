//! `muster.yaml`, the project file, as written: nothing is resolved yet.

use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use super::{
    Diagnostic, HostKeyPolicy, Source, Sourced,
    diagnostic::ids,
    keys::{self, PROJECT},
    ports,
    quokka_keys::{QuokkaKeys, chosen},
    reader::{ConfigReader, Cursor},
    text,
    yaml::{Node, Value},
};
use crate::model::{KeyName, Region};

/// Its name in a folder.
pub(super) const NAME: &str = "muster.yaml";

/// A project file's content.
#[derive(Clone, Debug, Default)]
pub(super) struct ProjectFile {
    /// `name`.
    pub name: Option<Sourced<String>>,
    /// `regions`, relative to the project file.
    pub regions: Vec<Sourced<PathBuf>>,
    /// `leader`.
    pub leader: Option<Sourced<Region>>,
    /// `key_name`.
    pub key_name: Option<Sourced<KeyName>>,
    /// `key_location`.
    pub key_location: Option<Sourced<PathBuf>>,
    /// `security_group`.
    pub security_group: Option<Sourced<String>>,
    /// `requirements`.
    pub requirements: Vec<Sourced<String>>,
    /// `spill_dir`.
    pub spill_dir: Option<Sourced<PathBuf>>,
    /// `recipe`, relative to the project file.
    pub recipe: Option<Sourced<PathBuf>>,
    /// `ssh.config`.
    pub ssh_config: Option<Sourced<PathBuf>>,
    /// `python`, `versions`, `aws_credentials`, `ray`.
    pub quokka: QuokkaKeys,
    /// `host_keys`.
    pub host_keys: Option<Sourced<HostKeyPolicy>>,
    /// `operator_cidr`.
    pub operator_cidr: Option<Sourced<Ipv4Net>>,
    /// `operator_ports`.
    pub operator_ports: Vec<Sourced<u16>>,
}

/// Whether the file is a project file: by its name, or since it lists regions
/// and describes none.
pub(super) fn is_project_file(path: &Path, root: Option<&Node>) -> bool {
    let by_name = path.file_name().is_some_and(|name| name == NAME || name == "muster.yml");
    let by_content =
        root.is_some_and(|root| root.get("regions").is_some() && root.get("provider").is_none());
    by_name || by_content
}

/// Reads the tree of a project file.
pub(super) fn read(source: &Source, root: &Node, reader: &mut ConfigReader) -> ProjectFile {
    let place = Cursor::root(root);
    if let Some(wrong) = not_a_project(source, &place) {
        reader.report(wrong);
        return ProjectFile::default();
    }
    keys::check(&PROJECT, &place, reader);
    let ssh = place.get("ssh").and_then(|ssh| reader.map(ssh));
    let ssh_config = ssh.and_then(|ssh| ssh.get("config"));
    ProjectFile {
        name: place.get("name").and_then(|name| reader.text(&name)),
        regions: regions(&place, reader),
        leader: place
            .get("leader")
            .and_then(|leader| Some(reader.text(&leader)?.map(Region::from))),
        key_name: place.get("key_name").and_then(|key| Some(reader.text(&key)?.map(KeyName::from))),
        key_location: path(place.get("key_location"), reader),
        security_group: place.get("security_group").and_then(|group| reader.text(&group)),
        requirements: place.get("requirements").map(|list| reader.texts(&list)).unwrap_or_default(),
        spill_dir: path(place.get("spill_dir"), reader),
        recipe: path(place.get("recipe"), reader),
        ssh_config: path(ssh_config, reader),
        quokka: QuokkaKeys::read(&place, reader),
        host_keys: chosen(&place, "host_keys", &HostKeyPolicy::NAMES, reader),
        operator_cidr: place
            .get("operator_cidr")
            .and_then(|cidr| reader.parsed(&cidr, "203.0.113.7/32")),
        operator_ports: operator_ports(&place, reader),
    }
}

fn not_a_project(source: &Source, place: &Cursor<'_>) -> Option<Diagnostic> {
    let name = text::shown(&source.path.to_string_lossy());
    if place.get("provider").is_some() {
        let message = format!("`{name}` is a region config under the name of a project file");
        let help = "rename it, say to us.yaml, and list it under `regions:` in muster.yaml";
        return Some(place.error(ids::NOT_A_CONFIG, message).help(help));
    }
    if matches!(place.node.value, Value::Map(_)) {
        return None;
    }
    let message = format!("`{name}` is not a project file: it is {}", place.node.describe());
    let help = "a project file has keys such as `name:` and `regions:`";
    Some(place.error(ids::NOT_A_CONFIG, message).help(help))
}

fn regions(place: &Cursor<'_>, reader: &mut ConfigReader) -> Vec<Sourced<PathBuf>> {
    let why = "list the region configs: one file each, in `- ` lines";
    let Some(list) = reader.required(place, "regions", why) else { return Vec::new() };
    let files = reader.texts(&list);
    if list.node.is_empty() && matches!(list.node.value, Value::List(_)) {
        reader.report(list.error(ids::INVALID_VALUE, "`regions` lists no files").help(why));
    }
    files.into_iter().map(|file| file.map(PathBuf::from)).collect()
}

/// Ports of the leader that may be opened in addition to SSH.
fn operator_ports(place: &Cursor<'_>, reader: &mut ConfigReader) -> Vec<Sourced<u16>> {
    let list = place.get("operator_ports").map(|list| reader.list(&list)).unwrap_or_default();
    let mut ports = Vec::new();
    for place in list {
        let Some(port) = reader.count::<u16>(&place) else { continue };
        if ports::on_request().any(|one| one.ports.from == port) {
            ports.push(place.sourced(port));
            continue;
        }
        let known = ports::on_request().map(|one| format!("{} ({})", one.numbers(), one.what));
        let help = format!("it takes {}", known.collect::<Vec<_>>().join(", "));
        let message = format!("the operator does not connect to port {port} of the leader");
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    }
    ports
}

fn path(place: Option<Cursor<'_>>, reader: &mut ConfigReader) -> Option<Sourced<PathBuf>> {
    Some(reader.text(&place?)?.map(PathBuf::from))
}
