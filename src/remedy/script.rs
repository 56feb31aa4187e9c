//! A plan as a shell script of `aws ec2` commands, for whoever has the rights
//! that the operator has not: it stops at the first error, carries ids in
//! variables, and waits where EC2 needs time.

use serde_json::{Value, json};

use super::plan::{Action, Plan, Rewrite, Step, Target, Until, Written};
use crate::{
    cloud::{Change, InboundRule, Ref, Slot, Source, Tags, Via},
    model::Region,
};

/// Marks a variable within a word until it is quoted: a character of private
/// use, which JSON leaves as it is.
const MARK: char = '\u{e000}';

/// The script.
pub fn script(plan: &Plan, project: &str) -> String {
    let mut lines = vec![
        "#!/bin/sh".to_owned(),
        format!("# What `muster fix` would do for {}.", one_line(project)),
        "set -eu".to_owned(),
        "tmp=$(mktemp -d)".to_owned(),
        "trap 'rm -rf \"$tmp\"' EXIT".to_owned(),
    ];
    for step in &plan.steps {
        lines.push(String::new());
        lines.push(format!("# {}", one_line(&super::describe::title(step))));
        lines.extend(commands(step));
    }
    for left in &plan.left {
        let problem = &left.problem;
        let what = format!("# left: {} {}: {}", problem.check, problem.subject, left.why);
        lines.extend([String::new(), one_line(&what)]);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn commands(step: &Step) -> Vec<String> {
    match &step.action {
        Action::Change { region, change } => of_change(step, region, change),
        Action::Wait { region, until } => wait(region, until),
        Action::Rewrite(rewrites) => rewrites.iter().map(tell).collect(),
    }
}

fn of_change(step: &Step, region: &Region, change: &Change) -> Vec<String> {
    let (verb, answer, mut arguments) = arguments(change);
    let mut lines = Vec::new();
    if let Change::ImportKeyPair { public_key, .. } = change {
        let key = format!("{} {}", public_key.algorithm, public_key.base64);
        lines.push(format!("printf '%s\\n' {} > \"$tmp/key.pub\"", quote(&key)));
        let file = format!("fileb://{MARK}tmp{MARK}/key.pub");
        arguments.extend(["--public-key-material".to_owned(), file]);
    }
    let words: Vec<_> = arguments.iter().map(|word| quote(word)).collect();
    let call = format!("aws ec2 {verb} --region {} {}", quote(region.as_str()), words.join(" "));
    lines.push(match answer {
        Some(answer) => {
            format!("{}=$({call} --query {answer} --output text)", variable(&step.slot))
        }
        None => format!("{call} > \"$tmp/answer\""),
    });
    lines
}

/// The command, where in its answer the new id stands, and its arguments.
fn arguments(change: &Change) -> (&'static str, Option<&'static str>, Vec<String>) {
    match change {
        Change::ImportKeyPair { .. }
        | Change::CopyImage { .. }
        | Change::CreateSecurityGroup { .. }
        | Change::CreateVpc { .. }
        | Change::CreateSubnet { .. }
        | Change::CreateInternetGateway { .. }
        | Change::CreateRouteTable { .. }
        | Change::CreatePeering { .. } => making(change),
        Change::AuthorizeIngress { group, rules, tags } => {
            let rules = Value::Array(rules.iter().map(permission).collect()).to_string();
            let mut all = words([("--group-id", id(group)), ("--ip-permissions", rules)]);
            all.extend(tagged(&["security-group-rule"], tags));
            ("authorize-security-group-ingress", None, all)
        }
        Change::AcceptPeering { peering } => {
            ("accept-vpc-peering-connection", None, peering_id(peering))
        }
        Change::DeletePeering { peering } => {
            ("delete-vpc-peering-connection", None, peering_id(peering))
        }
        Change::CreateRoute { table, destination, via } => {
            ("create-route", None, route(table, *destination, via))
        }
        Change::ReplaceRoute { table, destination, via } => {
            ("replace-route", None, route(table, *destination, via))
        }
        Change::CreateTags { resources, tags } => {
            let mut all = vec!["--resources".to_owned()];
            all.extend(resources.iter().map(id));
            all.extend(["--tags".to_owned(), tag_list(tags).to_string()]);
            ("create-tags", None, all)
        }
        _ => plain(change),
    }
}

/// Calls that make something.
fn making(change: &Change) -> (&'static str, Option<&'static str>, Vec<String>) {
    let with = |all: Vec<String>, kinds: &[&str], tags: &Tags| {
        all.into_iter().chain(tagged(kinds, tags)).collect::<Vec<_>>()
    };
    match change {
        Change::ImportKeyPair { name, tags, .. } => {
            let all = words([("--key-name", name.to_string())]);
            ("import-key-pair", Some("KeyPairId"), with(all, &["key-pair"], tags))
        }
        Change::CopyImage { name, image, from, token, tags } => {
            let all = words([
                ("--name", name.clone()),
                ("--source-image-id", image.to_string()),
                ("--source-region", from.to_string()),
                ("--client-token", token.clone()),
            ]);
            ("copy-image", Some("ImageId"), with(all, &["image", "snapshot"], tags))
        }
        Change::CreateSecurityGroup { name, description, vpc, tags } => {
            let all = words([
                ("--group-name", name.clone()),
                ("--description", description.clone()),
                ("--vpc-id", id(vpc)),
            ]);
            ("create-security-group", Some("GroupId"), with(all, &["security-group"], tags))
        }
        Change::CreateVpc { cidr, tags } => {
            let all = words([("--cidr-block", cidr.to_string())]);
            ("create-vpc", Some("Vpc.VpcId"), with(all, &["vpc"], tags))
        }
        Change::CreateSubnet { vpc, zone, cidr, tags } => {
            let all = words([
                ("--vpc-id", id(vpc)),
                ("--availability-zone", zone.to_string()),
                ("--cidr-block", cidr.to_string()),
            ]);
            ("create-subnet", Some("Subnet.SubnetId"), with(all, &["subnet"], tags))
        }
        Change::CreateInternetGateway { tags } => {
            let answer = Some("InternetGateway.InternetGatewayId");
            ("create-internet-gateway", answer, with(Vec::new(), &["internet-gateway"], tags))
        }
        Change::CreateRouteTable { vpc, tags } => {
            let all = words([("--vpc-id", id(vpc))]);
            (
                "create-route-table",
                Some("RouteTable.RouteTableId"),
                with(all, &["route-table"], tags),
            )
        }
        Change::CreatePeering { vpc, peer_region, peer_vpc, tags } => {
            let all = words([
                ("--vpc-id", id(vpc)),
                ("--peer-region", peer_region.to_string()),
                ("--peer-vpc-id", id(peer_vpc)),
            ]);
            let answer = Some("VpcPeeringConnection.VpcPeeringConnectionId");
            ("create-vpc-peering-connection", answer, with(all, &["vpc-peering-connection"], tags))
        }
        other => plain(other),
    }
}

/// Calls that name ids and nothing else.
fn plain(change: &Change) -> (&'static str, Option<&'static str>, Vec<String>) {
    let (verb, arguments) = match change {
        Change::MapPublicIp { subnet } => {
            let mut all = words([("--subnet-id", id(subnet))]);
            all.push("--map-public-ip-on-launch".into());
            ("modify-subnet-attribute", all)
        }
        Change::AttachInternetGateway { gateway, vpc } => {
            ("attach-internet-gateway", gateway_and_vpc(gateway, vpc))
        }
        Change::DetachInternetGateway { gateway, vpc } => {
            ("detach-internet-gateway", gateway_and_vpc(gateway, vpc))
        }
        Change::AssociateRouteTable { table, subnet } => (
            "associate-route-table",
            words([("--route-table-id", id(table)), ("--subnet-id", id(subnet))]),
        ),
        Change::DeleteSecurityGroup { group } => {
            ("delete-security-group", words([("--group-id", id(group))]))
        }
        Change::DeleteSubnet { subnet } => ("delete-subnet", words([("--subnet-id", id(subnet))])),
        Change::DeleteRouteTable { table } => {
            ("delete-route-table", words([("--route-table-id", id(table))]))
        }
        Change::DeleteInternetGateway { gateway } => {
            ("delete-internet-gateway", words([("--internet-gateway-id", id(gateway))]))
        }
        Change::DeleteVpc { vpc } => ("delete-vpc", words([("--vpc-id", id(vpc))])),
        other => return arguments(other),
    };
    (verb, None, arguments)
}

fn gateway_and_vpc(gateway: &Ref, vpc: &Ref) -> Vec<String> {
    words([("--internet-gateway-id", id(gateway)), ("--vpc-id", id(vpc))])
}

fn peering_id(peering: &Ref) -> Vec<String> {
    words([("--vpc-peering-connection-id", id(peering))])
}

fn route(table: &Ref, destination: ipnet::Ipv4Net, via: &Via) -> Vec<String> {
    let through = match via {
        Via::Peering(peering) => ("--vpc-peering-connection-id", id(peering)),
        Via::Gateway(gateway) => ("--gateway-id", id(gateway)),
    };
    let destination = destination.to_string();
    words([("--route-table-id", id(table)), ("--destination-cidr-block", destination), through])
}

fn permission(rule: &InboundRule) -> Value {
    let description = &rule.description;
    let (key, source) = match &rule.source {
        Source::Cidr(cidr) => {
            ("IpRanges", json!([{ "CidrIp": cidr.to_string(), "Description": description }]))
        }
        Source::Group(group) => {
            ("UserIdGroupPairs", json!([{ "GroupId": id(group), "Description": description }]))
        }
    };
    json!({ "IpProtocol": "tcp", "FromPort": rule.ports.from, "ToPort": rule.ports.to, key: source })
}

fn tagged(kinds: &[&str], tags: &Tags) -> Vec<String> {
    let of_kind = |kind: &&str| json!({ "ResourceType": kind, "Tags": tag_list(tags) });
    let specifications = Value::Array(kinds.iter().map(of_kind).collect());
    vec!["--tag-specifications".to_owned(), specifications.to_string()]
}

fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

fn words<const N: usize>(pairs: [(&str, String); N]) -> Vec<String> {
    pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
}

fn wait(region: &Region, until: &Until) -> Vec<String> {
    let region = quote(region.as_str());
    let of = quote(&id(until.subject()));
    match until {
        Until::ImageAvailable(_) => {
            vec![format!("aws ec2 wait image-available --region {region} --image-ids {of}")]
        }
        Until::PeeringThere { .. } => {
            peering_until(&region, &of, "pending-acceptance|active|provisioning")
        }
        Until::PeeringActive { .. } => peering_until(&region, &of, "active"),
    }
}

/// aws-cli has no waiter for a peering connection's state.
fn peering_until(region: &str, id: &str, states: &str) -> Vec<String> {
    vec![
        "tries=0".into(),
        format!(
            "until aws ec2 describe-vpc-peering-connections --region {region} \
             --vpc-peering-connection-ids {id} \
             --query 'VpcPeeringConnections[0].Status.Code' --output text 2> \"$tmp/error\" \
             | grep -qxE '{states}'; do"
        ),
        "  tries=$((tries + 1))".into(),
        "  if [ \"$tries\" -gt 60 ]; then".into(),
        format!("    printf 'still not %s: %s\\n' '{states}' {id} >&2"),
        "    cat \"$tmp/error\" >&2".into(),
        "    exit 1".into(),
        "  fi".into(),
        "  sleep 2".into(),
        "done".into(),
    ]
}

/// Configs are not the account's: the script says what to write into them.
fn tell(rewrite: &Rewrite) -> String {
    let (place, key) = match &rewrite.target {
        Target::At { location, key, .. } => (location.to_string(), *key),
        Target::NodeConfig { file, node_type, key } => {
            (format!("{}: {node_type}", file.display()), *key)
        }
    };
    let value = match &rewrite.value {
        Written::One(one) => id(one),
        Written::List(all) => format!("[{}]", all.iter().map(id).collect::<Vec<_>>().join(", ")),
    };
    format!("printf '%s\\n' {}", quote(&format!("write into {place}: {key}: {value}")))
}

/// The id, or the variable that holds it.
fn id(reference: &Ref) -> String {
    match reference {
        Ref::Id(id) => id.clone(),
        Ref::Made(slot) => format!("{MARK}{}{MARK}", variable(slot)),
    }
}

fn variable(slot: &Slot) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    format!("id_{}", slot.0.chars().map(letter).collect::<String>())
}

/// One word for the shell: variables in double quotes, all else in single ones
/// where it needs any.
fn quote(word: &str) -> String {
    let part = |(index, part): (usize, &str)| match index % 2 {
        0 => single(part),
        _ => format!("\"${part}\""),
    };
    let quoted: String = word.split(MARK).enumerate().map(part).collect();
    if quoted.is_empty() { "''".into() } else { quoted }
}

fn single(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_variables_are_not() {
        let slot = Slot("eu-west-1/vpc".into());
        let id = id(&Ref::Made(slot));
        assert_eq!(quote(&id), "\"$id_eu_west_1_vpc\"");
        assert_eq!(
            quote(&format!("{{\"GroupId\":\"{id}\"}}")),
            "'{\"GroupId\":\"'\"$id_eu_west_1_vpc\"'\"}'"
        );
        assert_eq!(quote("it's; rm -rf $HOME"), "'it'\\''s; rm -rf $HOME'");
        assert_eq!(quote(""), "''");
    }
}
