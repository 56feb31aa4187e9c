//! Key pairs: the operator's own public key, imported where it is missing;
//! under a new name everywhere where the name is somebody else's key. No key
//! pair is ever deleted or replaced.

use std::collections::BTreeSet;

use crate::{
    check::{Finding, key::private_keys},
    cloud::{Change, PublicKey, StepId, Tags},
    config::{Project, RegionConfig, Sourced},
    model::{KeyName, Region},
    survey::{Absent, RegionSurvey, Survey, named},
};

use super::{
    builder::{Builder, is_open},
    facts::RegionFacts,
    plan::{Problem, Rewrite, Target, Written},
};

const EXISTS: &str = "key.exists";
const SAME: &str = "key.same-material";
/// New names tried.
const TRIES: usize = 5;

/// The names that a new key might get, should one be needed.
pub(super) fn candidates(project: &Project, findings: &[Finding]) -> Vec<KeyName> {
    let foreign = findings.iter().any(|finding| finding.check == SAME && is_open(finding));
    if !foreign {
        return Vec::new();
    }
    all_names(project).into_iter().flat_map(new_names).collect()
}

/// The name of the key pair that a step imports, by the step's name.
pub(super) fn name_of(slot: &str) -> Option<KeyName> {
    slot.split_once("/key-pair-").map(|(_, name)| KeyName::new(name))
}

/// `quokka-muster`, `quokka-muster-2`, …
fn new_names(name: &KeyName) -> impl Iterator<Item = KeyName> {
    let first = format!("{name}-muster");
    (1..=TRIES).map(move |n| match n {
        1 => KeyName::new(first.clone()),
        n => KeyName::new(format!("{first}-{n}")),
    })
}

fn all_names(project: &Project) -> BTreeSet<&KeyName> {
    let names = project.regions.iter().flat_map(named::key_names);
    names.map(|name| &name.value).collect()
}

/// Plans fixes for key pairs.
pub(super) fn plan(project: &Project, survey: &Survey, plan: &mut Builder<'_>) {
    for name in all_names(project) {
        let problems = of_name(project, survey, plan, name);
        if problems.foreign.is_empty() {
            import_missing(project, survey, plan, name);
        } else {
            rename(project, survey, plan, name, &problems.all());
        }
    }
}

/// What is wrong with the pairs of one name.
struct Problems {
    missing: Vec<Problem>,
    foreign: Vec<Problem>,
}

impl Problems {
    fn all(&self) -> Vec<Problem> {
        self.foreign.iter().chain(&self.missing).cloned().collect()
    }
}

fn of_name(project: &Project, survey: &Survey, plan: &Builder<'_>, name: &KeyName) -> Problems {
    let mut problems = Problems { missing: Vec::new(), foreign: Vec::new() };
    for config in naming(project, name) {
        let region = &config.region.value;
        let missing = is_missing(survey, region, name);
        problems.missing.extend(plan.wants_in(EXISTS, region).filter(|_| missing));
        problems.foreign.extend(plan.wants_in(SAME, region).filter(|_| !missing));
    }
    problems
}

fn naming<'a>(project: &'a Project, name: &KeyName) -> impl Iterator<Item = &'a RegionConfig> {
    let names_it =
        |config: &&RegionConfig| named::key_names(config).iter().any(|n| n.value == *name);
    project.regions.iter().filter(move |config| names_it(config))
}

fn is_missing(survey: &Survey, region: &Region, name: &KeyName) -> bool {
    let facts = survey.regions.get(region);
    facts.is_some_and(|facts: &RegionSurvey| facts.key_pair(name) == Err(Absent::Missing))
}

fn import_missing(project: &Project, survey: &Survey, plan: &mut Builder<'_>, name: &KeyName) {
    for config in naming(project, name) {
        let region = &config.region.value;
        let Some(problem) = plan.wants_in(EXISTS, region) else { continue };
        if !is_missing(survey, region, name) {
            continue;
        }
        let problems = [problem];
        match local_key(survey, config, name) {
            Ok(key) => _ = import(plan, region, name, key, &problems),
            Err(why) => plan.leave(&problems, &why),
        }
    }
}

fn import(
    plan: &mut Builder<'_>,
    region: &Region,
    name: &KeyName,
    key: &PublicKey,
    fixes: &[Problem],
) -> StepId {
    let slot = format!("{region}/key-pair-{name}");
    let (name, public_key) = (name.clone(), key.clone());
    let change = Change::ImportKeyPair { name, public_key, tags: Tags::new() };
    plan.change(&slot, region, change, fixes);
    StepId(slot)
}

/// The public half of the private key that SSH will use in a region for the
/// nodes with the key pair `name`.
fn local_key<'a>(
    survey: &'a Survey,
    region: &RegionConfig,
    name: &KeyName,
) -> Result<&'a PublicKey, String> {
    let mut paths = private_keys(region, name).into_iter();
    let Some(path) = paths.next() else {
        return Err("no private key is named: add auth.ssh_private_key to the config, or \
                    key_location to muster.yaml"
            .into());
    };
    if let Some(other) = paths.next() {
        return Err(format!(
            "{name} is one key, and the configs of {} name two private ones, {} and {}",
            *region.region,
            path.display(),
            other.display()
        ));
    }
    let known = survey.local_keys.get(path.as_path()).and_then(|fact| fact.known());
    known.ok_or_else(|| format!("{} can't be used; see key.local", path.display()))
}

/// One new name in every region: Quokka takes one for all.
fn rename(
    project: &Project,
    survey: &Survey,
    plan: &mut Builder<'_>,
    old: &KeyName,
    problems: &[Problem],
) {
    let keys = match local_keys(project, survey, plan, old) {
        Ok(keys) => keys,
        Err(why) => return plan.leave(problems, &why),
    };
    let Some(new) = new_names(old).find(|name| keys.iter().all(|key| key.may_take(name))) else {
        return plan.leave(problems, &format!("{old}-muster and {TRIES} more names are taken"));
    };
    let mut after = Vec::new();
    for key in keys.iter().filter(|key| !key.has(&new)) {
        after.push(import(plan, key.region, &new, key.public, problems));
    }
    match rewrites(project, old, &new) {
        Ok(rewrites) => plan.rewrite("configs/key-name", rewrites, after, problems),
        Err(why) => plan.leave(problems, &why),
    }
}

/// What a region's operator key is, and which names are taken there.
struct Local<'a> {
    region: &'a Region,
    public: &'a PublicKey,
    facts: &'a RegionFacts,
}

impl Local<'_> {
    fn pair(&self, name: &KeyName) -> Option<&crate::cloud::KeyPair> {
        self.facts.key_pairs.iter().find(|pair| pair.name == *name)
    }

    /// Whether `name` is the operator's key here already.
    fn has(&self, name: &KeyName) -> bool {
        self.pair(name).is_some_and(|pair| pair.public_key.as_ref() == Some(self.public))
    }

    /// Whether `name` is free here, or the operator's key already.
    fn may_take(&self, name: &KeyName) -> bool {
        self.pair(name).is_none() || self.has(name)
    }
}

fn local_keys<'a>(
    project: &'a Project,
    survey: &'a Survey,
    plan: &Builder<'a>,
    name: &KeyName,
) -> Result<Vec<Local<'a>>, String> {
    let of_region = |config: &'a RegionConfig| {
        let region = &config.region.value;
        let facts = plan.facts.of(region).map_err(|failure| failure.to_string())?;
        Ok(Local { region, public: local_key(survey, config, name)?, facts })
    };
    naming(project, name).map(of_region).collect()
}

/// Every place where `old` is written, each once.
fn rewrites(project: &Project, old: &KeyName, new: &KeyName) -> Result<Vec<Rewrite>, String> {
    let templates = project.regions.iter().flat_map(|config| &config.groups);
    let in_configs = templates.filter_map(|group| group.template.key_name.as_ref());
    let mut rewrites: Vec<Rewrite> = Vec::new();
    for name in in_configs.chain(&project.key_name).filter(|name| name.value == *old) {
        let target = place(project, name)?;
        let rewrite = Rewrite { target, value: Written::One(new.as_str().into()) };
        if !rewrites.contains(&rewrite) {
            rewrites.push(rewrite);
        }
    }
    Ok(rewrites)
}

fn place(project: &Project, name: &Sourced<KeyName>) -> Result<Target, String> {
    let location = name.location().cloned();
    let location = location.ok_or("the name comes from --key-name: give another one there")?;
    let in_config = project.configs().any(|config| config.source.path == location.file);
    let key = if in_config { "KeyName" } else { "key_name" };
    Ok(Target::At { location, key, old: name.value.to_string() })
}
