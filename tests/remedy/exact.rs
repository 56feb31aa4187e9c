//! Asserts that an account changed exactly as a plan listed, by the ids of created
//! resources and of those that the plan's calls name.

use std::collections::BTreeSet;

use super::{
    account::{Snapshot, difference},
    harness::Fixed,
};
use muster::{
    cloud::{Change, Made, Ref, Via},
    engine::Event,
    remedy::Action,
};

/// Fails unless the difference between the two is what `fixed` planned to change.
#[track_caller]
pub fn assert_exact(fixed: &Fixed, before: &Snapshot, after: &Snapshot) {
    let planned = Planned::of(fixed);
    for line in difference(before, after) {
        let (sign, key) = line.split_at(2);
        let value = after.get(key).map(String::as_str).unwrap_or_default();
        let fits = match sign {
            "+ " => planned.makes(&Entry::of(key), value, before),
            "~ " => {
                let followed = || planned.follows(&before[&key.to_owned()], value);
                planned.touched.contains(&Entry::of(key).id) || followed()
            }
            _ => false,
        };
        assert!(fits, "not in the plan: {line}: {value}");
    }
    planned.all_is_there(before, after);
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

/// What a plan's calls create and change.
#[derive(Default)]
struct Planned {
    made: BTreeSet<String>,
    keys: BTreeSet<String>,
    touched: BTreeSet<String>,
    /// How many rules each group gets.
    rules: Vec<(String, usize)>,
    copies: bool,
}

impl Planned {
    fn of(fixed: &Fixed) -> Self {
        let ids = fixed.events.iter().filter_map(|event| match event {
            Event::ChangeDone { slot, made } => Some((slot.clone(), made.clone()?)),
            _ => None,
        });
        let ids: Made = ids.collect();
        let mut planned = Self { made: ids.values().cloned().collect(), ..Self::default() };
        for step in &fixed.plan.steps {
            if let Action::Change { change, .. } = &step.action {
                planned.add(&change.clone().with(&ids));
            }
        }
        planned
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

    /// Returns whether a new resource was planned, or comes with a planned one.
    fn makes(&self, new: &Entry, value: &str, before: &Snapshot) -> bool {
        let made = |id: &String| self.made.contains(id);
        let of_made = || self.made.iter().any(|id| value.contains(id.as_str()));
        match new.kind.as_str() {
            "key_pairs" => self.keys.contains(&new.id),
            // A VPC comes with a main table and a default group, a group with an
            // outbound rule.
            "route_tables" | "security_groups" => made(&new.id) || of_made(),
            "security_group_rules" => {
                let group = group_of(value);
                let is_new = !before.keys().any(|key| Entry::of(key).id == group);
                self.touched.contains(group) || is_new
            }
            "tags" => {
                let is_implied = new.id.starts_with("sgr-") && !self.rules.is_empty()
                    || new.id.starts_with("snap-") && self.copies;
                made(&new.id) || self.touched.contains(&new.id) || is_implied
            }
            _ => made(&new.id),
        }
    }

    /// Returns whether only a route's state changed, because a connection was accepted.
    fn follows(&self, before: &str, after: &str) -> bool {
        let about = self.touched.iter().any(|id| after.contains(id.as_str()));
        about && before.replace("blackhole", "active") == after.replace("blackhole", "active")
    }

    /// Asserts that each planned resource exists, and each rule once.
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
            let expected: usize =
                self.rules.iter().filter(|(own, _)| own == group).map(|(_, count)| count).sum();
            let of_group = |(key, value): &&(&String, &String)| {
                Entry::of(key).kind == "security_group_rules"
                    && !is_outbound(value)
                    && group_of(value) == group.as_str()
            };
            assert_eq!(new.iter().filter(of_group).count(), expected, "rules of {group}");
        }
    }
}

/// Returns whether it is moto's default outbound rule; the simulated world has none.
fn is_outbound(rule: &str) -> bool {
    rule.contains("is_egress: Some(true)")
}

/// Returns the group of a rule: the first one in its description, in both accounts.
fn group_of(rule: &str) -> &str {
    let at = rule.find("sg-").unwrap_or(rule.len());
    let end = rule[at..].find('"').map_or(rule.len(), |end| at + end);
    &rule[at..end]
}
