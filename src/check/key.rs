//! The key pair of each region, and the private key on this machine.

use std::path::Path;

use crate::{
    cloud::PublicKey,
    config::{NodeGroup, Sourced},
    model::KeyName,
    survey::{Absent, Fact, named},
};

use super::{
    Finding, Level, Subject,
    context::{Context, Place, and, count},
};

/// `key.exists`
pub(super) fn exists(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("key.exists").iter().flat_map(region_keys).collect()
}

fn region_keys(place: &Place<'_>) -> Vec<Finding> {
    let named = named::key_names(place.config).into_iter();
    named.map(|name| key_exists(place, name)).chain(unnamed(place)).collect()
}

fn key_exists(place: &Place<'_>, name: &Sourced<KeyName>) -> Finding {
    let finding = match place.facts.key_pair(name) {
        Ok(_) => place.pass(format!("key pair {} exists", **name)),
        Err(Absent::Missing) => place
            .fail(format!("key pair {} is missing", **name))
            .leads_to("RunInstances would answer InvalidKeyPair.NotFound")
            .todo(format!("import your own key there: {}", import(place, name.as_str()))),
        Err(absent) => place.absent(absent, "the key pairs"),
    };
    finding.at(name.location())
}

/// The commands that import the operator's own public key as `name`.
fn import(place: &Place<'_>, name: &str) -> String {
    let own = place.config.ssh_private_key.as_ref();
    let private = own.map_or(Path::new("KEY.pem"), |path| path.as_path()).display();
    let region = place.region();
    format!(
        "ssh-keygen -y -f {private} > {name}.pub && aws ec2 import-key-pair --region {region} \
         --key-name {name} --public-key-material fileb://{name}.pub"
    )
}

fn unnamed(place: &Place<'_>) -> Option<Finding> {
    let without = |group: &&NodeGroup| group.template.key_name.is_none();
    let groups: Vec<_> = place.config.groups.iter().filter(without).collect();
    let nodes = groups.iter().map(|group| group.count).sum::<u32>();
    let title = format!("no KeyName for {}", types(&groups));
    let denied = format!("Permission denied (publickey) on {}, after launch", count(nodes, "node"));
    Some(
        place
            .fail(title)
            .leads_to(denied)
            .todo("add KeyName to the node_config, or key_name to muster.yaml")
            .at(groups.first()?.node_type.location()),
    )
}

/// The names of node types, each once.
pub(super) fn types(groups: &[&NodeGroup]) -> String {
    let mut names: Vec<_> = groups.iter().map(|group| group.node_type.as_str()).collect();
    names.dedup();
    and(names)
}

/// `key.same-material`. Fingerprints are never compared: those of one RSA key
/// differ between the region that made it and one that it was imported to.
pub(super) fn same_material(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("key.same-material");
    let Some(leader) = places.first() else { return Vec::new() };
    let of_region = |place: &Place<'_>| -> Vec<Finding> {
        let names = named::key_names(place.config).into_iter();
        names.map(|name| same(ctx, leader, place, name).at(name.location())).collect()
    };
    places.iter().flat_map(of_region).collect()
}

fn same(ctx: &Context<'_>, leader: &Place<'_>, place: &Place<'_>, name: &KeyName) -> Finding {
    let key = match told(place, name) {
        Ok(key) => key,
        Err(hidden) => return not_told(place, place, name, hidden),
    };
    if let Some((path, local)) = local_key(ctx, place) {
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        return compare(place, name, key, local, &format!("your {file}"));
    }
    if place.leads {
        return nothing_local(place, name).seen(line(place, key));
    }
    match named::key_names(leader.config).first().map(|name| (name, told(leader, name))) {
        Some((_, Ok(other))) => compare(place, name, key, other, leader.region().as_str()),
        Some((name, Err(hidden))) => not_told(place, leader, name, hidden),
        None => place.skipped(format!("not judged: {} names no key pair", leader.region())),
    }
}

/// Why the public key of a pair is not known.
#[derive(Clone, Copy)]
enum Hidden<'a> {
    Absent(Absent<'a>),
    /// EC2 keeps no public key of some old pairs.
    Untold,
}

fn told<'a>(place: &Place<'a>, name: &KeyName) -> Result<&'a PublicKey, Hidden<'a>> {
    let pair = place.facts.key_pair(name).map_err(Hidden::Absent)?;
    pair.public_key.as_ref().ok_or(Hidden::Untold)
}

/// The key of `place` can't be compared since that of `of` is not known.
fn not_told(place: &Place<'_>, of: &Place<'_>, name: &KeyName, hidden: Hidden<'_>) -> Finding {
    match hidden {
        Hidden::Absent(Absent::Missing) => {
            place.skipped(format!("not judged: key pair {name} is missing in {}", of.region()))
        }
        Hidden::Absent(absent) => {
            let subject = Subject::Region(place.region().clone());
            let elsewhere = of.region() != place.region();
            let whose = if elsewhere { format!(" of {}", of.region()) } else { String::new() };
            of.absent_for(&subject, absent, &format!("the key pairs{whose}"))
        }
        Hidden::Untold => place
            .finding(Level::Unknown, format!("EC2 does not tell the public key of {name}"))
            .seen(format!("DescribeKeyPairs in {} answers without it", of.region()))
            .todo("import your key under a new name in every region, and name that in the configs"),
    }
}

/// The private key that SSH will use in a region, where its public half is known.
fn local_key<'a>(ctx: &Context<'a>, place: &Place<'a>) -> Option<(&'a Path, &'a PublicKey)> {
    let path = place.config.ssh_private_key.as_ref()?;
    Some((path, ctx.survey.local_keys.get(path.as_path())?.known()?))
}

fn nothing_local(place: &Place<'_>, name: &KeyName) -> Finding {
    let why = match &place.config.ssh_private_key {
        Some(path) => format!("{} could not be used", path.display()),
        None => "no auth.ssh_private_key is given".into(),
    };
    place.skipped(format!("key pair {name} has nothing to be compared with: {why}"))
}

fn compare(
    place: &Place<'_>,
    name: &KeyName,
    key: &PublicKey,
    reference: &PublicKey,
    whose: &str,
) -> Finding {
    if key == reference {
        return place.pass(format!("key pair {name} is {whose}")).seen(line(place, key));
    }
    place
        .fail(format!("key pair {name} is another key"))
        .seen(format!("{whose}  {}", reference.short()))
        .seen(line(place, key))
        .seen("the public keys were compared; fingerprints differ anyway between created and imported keys")
        .leads_to(denied(place))
        .todo(rename(place, name))
}

fn line(place: &Place<'_>, key: &PublicKey) -> String {
    format!("{}  {}", place.region(), key.short())
}

fn denied(place: &Place<'_>) -> String {
    format!("Permission denied (publickey) on {}, after launch", count(place.nodes(), "node"))
}

/// A new name everywhere: the other key stays for those who use it.
fn rename(place: &Place<'_>, name: &KeyName) -> String {
    let new = format!("{name}-muster");
    format!(
        "import your own key as {new} in every region and set KeyName to it: {}",
        import(place, &new)
    )
}

/// `key.local`
pub(super) fn local(ctx: &Context<'_>) -> Vec<Finding> {
    let mut seen: Vec<&Path> = Vec::new();
    let mut findings = Vec::new();
    for place in ctx.places("key.local") {
        match &place.config.ssh_private_key {
            Some(path) if seen.contains(&path.as_path()) => {}
            Some(path) => {
                seen.push(path);
                findings.push(local_file(ctx, path).at(path.location()));
            }
            None => findings.push(no_file(&place)),
        }
    }
    findings
}

fn local_file(ctx: &Context<'_>, path: &Path) -> Finding {
    let new = |level, title| Finding::new("key.local", level, Subject::Local, title);
    match ctx.survey.local_keys.get(path) {
        Some(Fact::Known(key)) => {
            new(Level::Pass, format!("{} can be used", path.display())).seen(key.short())
        }
        Some(Fact::Unknown(failure)) => {
            new(Level::Fail, format!("{} can't be used", path.display()))
                .because(failure)
                .leads_to("Permission denied (publickey) on every node that it is for")
        }
        None => new(Level::Unknown, format!("{} was not read", path.display())).todo("look again"),
    }
}

fn no_file(place: &Place<'_>) -> Finding {
    place
        .warn("no auth.ssh_private_key: SSH takes what your ssh config and agent offer")
        .todo("add auth.ssh_private_key to the config, or key_location to muster.yaml")
        .at(place.config.region.location())
}
