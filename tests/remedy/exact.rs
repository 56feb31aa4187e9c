//! Whether what changed in an account is what a plan said and nothing else:
//! by the ids of what was made and of what the plan's calls are about.

use std::collections::BTreeSet;

use super::{
    account::{Snapshot, difference},
    bench::Fixed,
};
use muster::{
    cloud::{Change, Made, Ref, Via},
    engine::Event,
    remedy::Action,
};

/// Fails unless the difference between the two is what `fixed` was to change.
#[track_caller]
pub fn assert_exact(fixed: &Fixed, before: &Snapshot, after: &Snapshot) {
    let said = Said::of(fixed);
    for line in difference(before, after) {
        let (sign, key) = line.split_at(2);
        let value = after.get(key).map(String::as_str).unwrap_or_default();
        let fits = match sign {
            "+ " => said.makes(&Entry::of(key), value, before),
            "~ " => {
                let followed = || said.follows(&before[&key.to_owned()], value);
                said.touched.contains(&Entry::of(key).id) || followed()
            }
            _ => false,
        };
        assert!(fits, "nobody said {line}: {value}");
    }
    said.all_is_there(before, after);
}

/// `regions/eu-west-1/tags/vpc-0…/Name`, `peerings/pcx-0…`.
struct Entry {
    kind: String,
    id: String,
}

impl Entry {
    fn of(key: &str) -> Self {
        let mut parts = key.trim_start_matches('/').split(['/', ' ']);
        let mut kind = parts.next().unwrap_or_default();
        if kind == "regions" {
            kind = parts.nth(1).unwrap_or_default();
        }
        Self { kind: kind.to_owned(), id: parts.next().unwrap_or_default().to_owned() }
    }
}

/// What a plan's calls make and change.
#[derive(Default)]
struct Said {
    made: BTreeSet<String>,
    keys: BTreeSet<String>,
    touched: BTreeSet<String>,
    /// How many rules each group gets.
    rules: Vec<(String, usize)>,
    copies: bool,
}

impl Said {
    fn of(fixed: &Fixed) -> Self {
        let ids = fixed.events.iter().filter_map(|event| match event {
            Event::ChangeDone { slot, made } => Some((slot.clone(), made.clone()?)),
            _ => None,
        });
        let ids: Made = ids.collect();
        let mut said = Self { made: ids.values().cloned().collect(), ..Self::default() };
        for step in &fixed.plan.steps {
            if let Action::Change { change, .. } = &step.action {
                said.add(&change.clone().with(&ids));
            }
        }
        said
    }

    fn add(&mut self, change: &Change) {
        let id = |one: &Ref| one.id().unwrap_or_default().to_owned();
        let touched = match change {
            Change::ImportKeyPair { name, .. } => {
                self.keys.insert(name.to_string());
                return;
            }
            Change::CopyImage { .. } => {
                self.copies = true;
                return;
            }
            Change::AuthorizeIngress { group, rules, .. } => {
                self.rules.push((id(group), rules.len()));
                vec![id(group)]
            }
            Change::AcceptPeering { peering } => vec![id(peering)],
            Change::CreateRoute { table, via: Via::Peering(_) | Via::Gateway(_), .. }
            | Change::ReplaceRoute { table, .. } => vec![id(table)],
            Change::CreateTags { resources, .. } => resources.iter().map(id).collect(),
            _ => Vec::new(),
        };
        self.touched.extend(touched);
    }

    /// Whether what is new was to be made, or came with what was.
    fn makes(&self, new: &Entry, value: &str, before: &Snapshot) -> bool {
        let made = |id: &String| self.made.contains(id);
        let of_made = || self.made.iter().any(|id| value.contains(id.as_str()));
        match new.kind.as_str() {
            "key_pairs" => self.keys.contains(&new.id),
            // A VPC comes with a main table and a default group, a group with
            // a rule for what leaves.
            "route_tables" | "security_groups" => made(&new.id) || of_made(),
            "security_group_rules" => {
                let group = group_of(value);
                let is_new = !before.keys().any(|key| Entry::of(key).id == group);
                self.touched.contains(group) || is_new
            }
            "tags" => {
                let beside = new.id.starts_with("sgr-") && !self.rules.is_empty()
                    || new.id.starts_with("snap-") && self.copies;
                made(&new.id) || self.touched.contains(&new.id) || beside
            }
            _ => made(&new.id),
        }
    }

    /// Whether nothing but a route's state changed, with a connection that was accepted.
    fn follows(&self, before: &str, after: &str) -> bool {
        let about = self.touched.iter().any(|id| after.contains(id.as_str()));
        about && before.replace("blackhole", "active") == after.replace("blackhole", "active")
    }

    /// Each thing that was to be made is there, each rule once.
    #[track_caller]
    fn all_is_there(&self, before: &Snapshot, after: &Snapshot) {
        let new: Vec<_> = after.iter().filter(|(key, _)| !before.contains_key(*key)).collect();
        for id in self.made.iter().filter(|id| !id.starts_with("key-")) {
            assert!(new.iter().any(|(key, _)| Entry::of(key).id == *id), "{id} is not there");
        }
        for name in &self.keys {
            let is = |key: &str| Entry::of(key).kind == "key_pairs" && Entry::of(key).id == *name;
            assert!(new.iter().any(|(key, _)| is(key)), "{name} is not there");
        }
        let mut groups: Vec<&String> = self.rules.iter().map(|(group, _)| group).collect();
        groups.dedup();
        for group in groups {
            let told: usize =
                self.rules.iter().filter(|(own, _)| own == group).map(|(_, count)| count).sum();
            let of_group = |(key, value): &&(&String, &String)| {
                Entry::of(key).kind == "security_group_rules"
                    && !is_outbound(value)
                    && group_of(value) == group.as_str()
            };
            assert_eq!(new.iter().filter(of_group).count(), told, "rules of {group}");
        }
    }
}

/// Of moto's own rule for what leaves; the simulated world has none.
fn is_outbound(rule: &str) -> bool {
    rule.contains("is_egress: Some(true)")
}

/// The group that a rule is of: the first that is told of it, in both accounts.
fn group_of(rule: &str) -> &str {
    let at = rule.find("sg-").unwrap_or(rule.len());
    let end = rule[at..].find('"').map_or(rule.len(), |end| at + end);
    &rule[at..end]
}
