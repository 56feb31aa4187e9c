//! `provider.security_group`: the group that Ray makes for the node types that
//! name none, and that `fix` makes in its place.

use ipnet::Ipv4Net;

use crate::{
    cloud::{InboundRule, PortRange, Source},
    config::{
        GroupToMake, NodeGroup,
        diagnostic::ids,
        reader::{ConfigReader, Cursor},
        text,
    },
};

/// Reads it. Where every group of nodes has groups of its own, Ray reads past it.
pub(super) fn read(
    config: &Cursor<'_>,
    groups: &[NodeGroup],
    reader: &mut ConfigReader,
) -> GroupToMake {
    let place = config.get("provider").and_then(|provider| provider.get("security_group"));
    let Some(place) = place.filter(|place| !place.node.is_empty()) else {
        return GroupToMake::default();
    };
    let Some(place) = reader.map(place) else { return GroupToMake::default() };
    let named = |group: &NodeGroup| {
        !group.template.security_groups.is_empty() || !group.template.group_names().is_empty()
    };
    if groups.iter().all(named) {
        let message = "`security_group` has no effect: every node type names its own groups";
        let help = "Ray reads past it as well: remove it, or the node types' groups";
        reader.report(place.warning(ids::WITHOUT_EFFECT, message).help(help));
    }
    let rules = place.get("IpPermissions").map(|list| reader.list(&list)).unwrap_or_default();
    let rules: Vec<_> = rules.into_iter().flat_map(|rule| self::rules(rule, reader)).collect();
    GroupToMake {
        name: place.get("GroupName").and_then(|name| reader.text(&name)),
        rules: without_wide(rules, reader),
    }
}

/// Leaves out the rules that open a port to everybody, or to a large part of the
/// internet, by themselves or together.
fn without_wide(
    rules: Vec<(InboundRule, Cursor<'_>)>,
    reader: &mut ConfigReader,
) -> Vec<InboundRule> {
    let all: Vec<_> = rules.iter().map(|(rule, _)| rule).collect();
    let wide = InboundRule::wide(&all);
    let mut narrow = Vec::new();
    for (number, (rule, place)) in rules.into_iter().enumerate() {
        if !wide.contains(&number) {
            narrow.push(rule);
            continue;
        }
        let message = match &rule.source {
            Source::Cidr(cidr) if cidr.prefix_len() == 0 => {
                "`fix` opens no port to everybody".to_owned()
            }
            _ if InboundRule::wide(&[&rule]).is_empty() => {
                "`fix` opens no port to a large part of the internet, which this rule is together \
                 with others"
                    .to_owned()
            }
            _ => "`fix` opens no port to a large part of the internet".to_owned(),
        };
        let help = "name who needs it, or add this rule by hand once the group is there";
        reader.report(place.warning(ids::WITHOUT_EFFECT, message).help(help));
    }
    narrow
}

/// One of `IpPermissions`: a rule for each of its CIDRs.
fn rules<'a>(place: Cursor<'a>, reader: &mut ConfigReader) -> Vec<(InboundRule, Cursor<'a>)> {
    let Some(place) = reader.map(place) else { return Vec::new() };
    let Some(ports) = ports(&place, reader) else { return Vec::new() };
    let ranges = place.get("IpRanges").map(|list| reader.list(&list)).unwrap_or_default();
    let cidrs = ranges.into_iter().filter_map(|range| cidr(range, reader));
    let rule = |(cidr, description, place): (Ipv4Net, Option<String>, Cursor<'a>)| {
        let description = description.unwrap_or_else(|| "provider.security_group".into());
        (InboundRule { ports, source: Source::Cidr(cidr), description }, place)
    };
    cidrs.map(rule).collect()
}

/// The ports of a rule that `fix` can add.
fn ports(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<PortRange> {
    let protocol = reader.required(place, "IpProtocol", "name the protocol: `tcp`")?;
    // `-1` is a number to YAML.
    let name = protocol.node.text().to_lowercase();
    if !matches!(name.as_str(), "tcp" | "6") {
        let message = format!("`fix` adds no rules for the protocol `{}`", text::shown(&name));
        let help = "it adds rules for TCP only: add this one by hand once the group is there";
        reader.report(protocol.warning(ids::WITHOUT_EFFECT, message).help(help));
        return None;
    }
    let port = |key: &str, reader: &mut ConfigReader| {
        let place = reader.required(place, key, "give the first and the last port")?;
        reader.count::<u16>(&place)
    };
    let (from, to) = (port("FromPort", reader), port("ToPort", reader));
    Some(PortRange { from: from?, to: to? })
}

/// The addresses of a range, its description, and where it stands.
fn cidr<'a>(
    place: Cursor<'a>,
    reader: &mut ConfigReader,
) -> Option<(Ipv4Net, Option<String>, Cursor<'a>)> {
    let place = reader.map(place)?;
    let cidr_place = reader.required(&place, "CidrIp", "say whom to let in: `203.0.113.7/32`")?;
    let cidr = reader.parsed::<Ipv4Net>(&cidr_place, "203.0.113.7/32")?.value;
    let description = place.get("Description").and_then(|text| reader.any_text(&text));
    Some((cidr, description.map(|text| text.value), cidr_place))
}
