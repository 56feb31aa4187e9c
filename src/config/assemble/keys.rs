//! One key name for all nodes: Quokka takes one for all regions.

use crate::{
    config::{
        Diagnostic, NodeGroup, RegionConfig, Sourced, diagnostic::ids, reader::ConfigReader, text,
    },
    model::KeyName,
};

/// The key name of all groups: the project's, else the first one written.
/// Groups without one get the project's; what differs is reported.
pub(super) fn unify(
    project: Option<Sourced<KeyName>>,
    regions: &mut [RegionConfig],
    reader: &mut ConfigReader,
) -> Option<Sourced<KeyName>> {
    let of_project = project.is_some();
    let expected = project.or_else(|| first(regions))?;
    for group in regions.iter_mut().flat_map(|region| &mut region.groups) {
        match &group.template.key_name {
            Some(own) if **own != *expected => reader.report(differs(group, own, &expected)),
            Some(_) => {}
            None if of_project => group.template.key_name = Some(expected.clone()),
            None => reader.report(missing(group, &expected)),
        }
    }
    Some(expected)
}

fn first(regions: &[RegionConfig]) -> Option<Sourced<KeyName>> {
    let mut groups = regions.iter().flat_map(|region| &region.groups);
    groups.find_map(|group| group.template.key_name.clone())
}

fn differs(group: &NodeGroup, own: &Sourced<KeyName>, expected: &Sourced<KeyName>) -> Diagnostic {
    let message = format!(
        "the key name is `{}` here and `{}` {}",
        text::shown(own.as_str()),
        text::shown(expected.as_str()),
        place(expected),
    );
    let help = "Quokka takes one key name for all regions: import one key under one name in each";
    let mut diagnostic = Diagnostic::error(ids::KEY_NAME, message).key(path(group)).help(help);
    diagnostic.location = own.location().cloned();
    diagnostic
}

fn missing(group: &NodeGroup, expected: &Sourced<KeyName>) -> Diagnostic {
    let name = text::shown(expected.as_str());
    let message = format!(
        "the node type `{}` names no key, and `{name}` is named {}",
        text::shown(&group.node_type),
        place(expected),
    );
    let help = format!(
        "add `KeyName: {name}` to its `node_config`, or `key_name: {name}` to muster.yaml for all"
    );
    let mut diagnostic = Diagnostic::error(ids::KEY_NAME, message).key(path(group)).help(help);
    diagnostic.location = group.node_type.location().cloned();
    diagnostic
}

fn path(group: &NodeGroup) -> String {
    format!("available_node_types.{}.node_config.KeyName", text::shown(&group.node_type))
}

fn place(value: &Sourced<KeyName>) -> String {
    use crate::config::Origin::{Default, File, Flag};
    match &value.origin {
        File(location) => format!("in {location}"),
        Flag(flag) => format!("by {flag}"),
        Default(reason) => format!("({reason})"),
    }
}
