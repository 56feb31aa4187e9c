//! The key pair of each region, and the private key on this machine.

use std::path::{Path, PathBuf};

use crate::{
    cloud::PublicKey,
    config::{NodeGroup, RayConfig, RegionConfig, Sourced},
    model::KeyName,
    survey::{Absent, Fact, named},
};

use super::{
    Finding, Level, Subject,
    context::{Context, RegionView, count},
};

/// `key.exists`
pub(super) fn exists(ctx: &Context<'_>) -> Vec<Finding> {
    ctx.places("key.exists").iter().flat_map(region_keys).collect()
}

fn region_keys(place: &RegionView<'_>) -> Vec<Finding> {
    let named = named::key_names(place.config).into_iter();
    named.map(|name| key_exists(place, name)).chain(unnamed(place)).collect()
}

fn key_exists(place: &RegionView<'_>, name: &Sourced<KeyName>) -> Finding {
    let finding = match place.facts.key_pair(name) {
        Ok(_) => place.pass(format!("key pair {} exists", **name)),
        Err(Absent::Missing) => {
            let own = private_keys(place.config, name).first().map(|path| path.as_path());
            place
                .fail(format!("key pair {} is missing", **name))
                .impact("RunInstances would fail with InvalidKeyPair.NotFound")
                .todo(format!("import your own key there: {}", import(place, own, name.as_str())))
        }
        Err(absent) => place.absent(absent, "the key pairs"),
    };
    finding.at(name.location())
}

/// The private keys that SSH will use for nodes with the key pair `name`, each
/// once. There is one unless configs of a region differ, which can't work.
pub(crate) fn private_keys<'a>(
    region: &'a RegionConfig,
    name: &KeyName,
) -> Vec<&'a Sourced<PathBuf>> {
    let named = |group: &&NodeGroup| group.template.key_name.as_deref() == Some(name);
    let mut keys: Vec<&Sourced<PathBuf>> = Vec::new();
    for group in region.groups.iter().filter(named) {
        let own = region.config_of(group).ssh_private_key.as_ref();
        let new = own.filter(|own| keys.iter().all(|key| key.value != own.value));
        keys.extend(new);
    }
    keys
}

/// The commands that import the operator's own public key as `name`.
fn import(place: &RegionView<'_>, private: Option<&Path>, name: &str) -> String {
    let private = private.unwrap_or(Path::new("KEY.pem")).display();
    let region = place.region();
    format!(
        "ssh-keygen -y -f {private} > {name}.pub && aws ec2 import-key-pair --region {region} \
         --key-name {name} --public-key-material fileb://{name}.pub"
    )
}

fn unnamed<'a>(place: &'a RegionView<'_>) -> impl Iterator<Item = Finding> + 'a {
    place.by_config(|group| group.template.key_name.is_none()).into_iter().map(|groups| {
        let nodes = groups.iter().map(|group| group.count).sum::<u32>();
        place
            .fail(format!("no KeyName for {}", place.types(&groups)))
            .impact(denied(nodes))
            .todo("add KeyName to the node_config, or key_name to muster.yaml")
            .at(groups[0].node_type.location())
    })
}

/// `key.same-material`. Fingerprints are never compared: those of one RSA key
/// differ between the region that made it and one that it was imported to.
pub(super) fn same_material(ctx: &Context<'_>) -> Vec<Finding> {
    let places = ctx.places("key.same-material");
    let Some(leader) = places.first() else { return Vec::new() };
    let of_region = |place: &RegionView<'_>| -> Vec<Finding> {
        let names = named::key_names(place.config).into_iter();
        names.flat_map(|name| same(ctx, leader, place, name)).collect()
    };
    places.iter().flat_map(of_region).collect()
}

/// One finding for each private key that SSH will use with the pair.
fn same(
    ctx: &Context<'_>,
    leader: &RegionView<'_>,
    place: &RegionView<'_>,
    name: &Sourced<KeyName>,
) -> Vec<Finding> {
    let key = match public_key(place, name) {
        Ok(key) => key,
        Err(hidden) => return vec![not_readable(place, place, name, hidden).at(name.location())],
    };
    let keys = private_keys(place.config, name);
    let local = keys.iter().filter_map(|path| Some((*path, local_key(ctx, path)?)));
    let found = local.map(|(path, local)| {
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let finding = compare(place, name, key, local, &format!("your {file}"));
        let several = keys.len() > 1;
        let differs = several && finding.level == Level::Fail;
        let todo = format!("{} is one key: name its private half in every config here", **name);
        if differs { finding.todo(todo).at(path.location()) } else { finding.at(name.location()) }
    });
    let found: Vec<_> = found.collect();
    if !found.is_empty() {
        return found;
    }
    vec![without_local(leader, place, (name, key)).at(name.location())]
}

/// Judged by the leader's pair.
fn without_local(
    leader: &RegionView<'_>,
    place: &RegionView<'_>,
    (name, key): (&KeyName, &PublicKey),
) -> Finding {
    if place.leads {
        return nothing_local(place, name).seen(line(place, key));
    }
    match named::key_names(leader.config).first().map(|name| (name, public_key(leader, name))) {
        Some((_, Ok(other))) => compare(place, name, key, other, leader.region().as_str()),
        Some((name, Err(hidden))) => not_readable(place, leader, name, hidden),
        None => place.skipped(format!("not judged: {} names no key pair", leader.region())),
    }
}

/// Why the public key of a pair is not known.
#[derive(Clone, Copy)]
enum Hidden<'a> {
    Absent(Absent<'a>),
    /// EC2 keeps no public key of some old pairs.
    NotReturned,
}

fn public_key<'a>(place: &RegionView<'a>, name: &KeyName) -> Result<&'a PublicKey, Hidden<'a>> {
    let pair = place.facts.key_pair(name).map_err(Hidden::Absent)?;
    pair.public_key.as_ref().ok_or(Hidden::NotReturned)
}

/// The key of `place` can't be compared since that of `of` is not known.
fn not_readable(
    place: &RegionView<'_>,
    of: &RegionView<'_>,
    name: &KeyName,
    hidden: Hidden<'_>,
) -> Finding {
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
        Hidden::NotReturned => place
            .finding(Level::Unknown, format!("EC2 does not return the public key of {name}"))
            .seen(format!("the answer of DescribeKeyPairs in {} lacks it", of.region()))
            .todo("import your key under a new name in every region, and name that in the configs"),
    }
}

/// The public half of a private key on this machine, where it is known.
fn local_key<'a>(ctx: &Context<'a>, path: &Path) -> Option<&'a PublicKey> {
    ctx.survey.local_keys.get(path)?.known()
}

fn nothing_local(place: &RegionView<'_>, name: &KeyName) -> Finding {
    let why = match private_keys(place.config, name).first() {
        Some(path) => format!("{} could not be used", path.display()),
        None => "no auth.ssh_private_key is given".into(),
    };
    place.skipped(format!("key pair {name} has nothing to be compared with: {why}"))
}

fn compare(
    place: &RegionView<'_>,
    name: &KeyName,
    key: &PublicKey,
    reference: &PublicKey,
    whose: &str,
) -> Finding {
    if key == reference {
        return place.pass(format!("key pair {name} is {whose}")).seen(line(place, key));
    }
    place
        .fail(format!("key pair {name} has different key material"))
        .seen(format!("{whose}  {}", reference.short()))
        .seen(line(place, key))
        .seen("the public keys were compared; fingerprints differ anyway between created and imported keys")
        .impact(denied(place.nodes()))
        .todo(rename(place, name))
}

fn line(place: &RegionView<'_>, key: &PublicKey) -> String {
    format!("{}  {}", place.region(), key.short())
}

fn denied(nodes: u32) -> String {
    format!("Permission denied (publickey) on {}, after launch", count(nodes, "node"))
}

/// A new name everywhere: the other key stays for those who use it.
fn rename(place: &RegionView<'_>, name: &KeyName) -> String {
    let new = format!("{name}-muster");
    format!(
        "import your own key as {new} in every region and set KeyName to it: {}",
        import(place, private_keys(place.config, name).first().map(|path| path.as_path()), &new)
    )
}

/// `key.local`
pub(super) fn local(ctx: &Context<'_>) -> Vec<Finding> {
    let mut seen: Vec<&Path> = Vec::new();
    let mut findings = Vec::new();
    let places = ctx.places("key.local");
    let all = places.iter().flat_map(|one| one.config.configs.iter().map(move |own| (one, own)));
    for (place, config) in all {
        match &config.ssh_private_key {
            Some(path) if seen.contains(&path.as_path()) => {}
            Some(path) => {
                seen.push(path);
                findings.push(local_file(ctx, path).at(path.location()));
            }
            None => findings.push(no_file(place, config)),
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
                .impact("Permission denied (publickey) on every node that it is for")
        }
        None => new(Level::Unknown, format!("{} was not read", path.display())).todo("refresh"),
    }
}

fn no_file(place: &RegionView<'_>, config: &RayConfig) -> Finding {
    place
        .warn("no auth.ssh_private_key: SSH takes what your ssh config and agent offer")
        .todo("add auth.ssh_private_key to the config, or key_location to muster.yaml")
        .at(config.region.location())
}
