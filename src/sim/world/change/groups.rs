//! Security groups.

use ipnet::Ipv4Net;

use super::{Checked, Kind, MadeId, Refusal, Scene, id};
use crate::{
    cloud::{InboundRule, InstanceState, IpPermission, SecurityGroup, Source, Tags},
    model::SecurityGroupId,
    sim::world::snapshot::SecurityGroupRule,
};

impl Scene<'_> {
    pub(super) fn create_group(&mut self, name: &str, vpc: &str, tags: &Tags) -> Checked<MadeId> {
        self.check(Kind::Vpc, vpc)?;
        let mut groups = self.held.groups.iter();
        if groups.any(|group| group.vpc.as_str() == vpc && group.name == name) {
            let message = format!("The security group '{name}' already exists for VPC '{vpc}'");
            return Err(Refusal::new("InvalidGroup.Duplicate", message));
        }
        let id = self.make(Kind::Group, "", tags);
        self.held.groups.push(SecurityGroup {
            id: SecurityGroupId::new(&id),
            name: name.to_owned(),
            vpc: vpc.into(),
            inbound: Vec::new(),
        });
        Ok(Some(id))
    }

    /// Adds all of `rules`, or none.
    pub(super) fn authorize(
        &mut self,
        group: &str,
        rules: &[InboundRule],
        tags: &Tags,
    ) -> Checked<MadeId> {
        self.check(Kind::Group, group)?;
        for (index, rule) in rules.iter().enumerate() {
            if let Source::Group(source) = &rule.source {
                self.check(Kind::Group, id(source))?;
            }
            let same =
                |other: &InboundRule| other.ports == rule.ports && other.source == rule.source;
            if rules[..index].iter().any(same) || self.held.permits(group, rule) {
                return Err(duplicate(rule));
            }
        }
        for (index, rule) in rules.iter().enumerate() {
            let id = self.make(Kind::Rule, &index.to_string(), tags);
            let rule = rule.clone();
            self.held.rules.push(SecurityGroupRule { id, group: group.into(), rule: rule.clone() });
            let mut groups = self.held.groups.iter_mut();
            if let Some(held) = groups.find(|held| held.id.as_str() == group) {
                admit(&mut held.inbound, &rule);
            }
        }
        Ok(None)
    }

    pub(super) fn delete_group(&mut self, group: &str) -> Checked<MadeId> {
        self.check(Kind::Group, group)?;
        let is = |held: &&SecurityGroup| held.id.as_str() == group;
        if self.held.groups.iter().find(is).is_some_and(|held| held.name == "default") {
            let message = format!("the specified group: \"{group}\" cannot be deleted by a user");
            return Err(Refusal::new("CannotDelete", message));
        }
        if self.is_used(&group.into()) {
            let message = format!("resource {group} has a dependent object");
            return Err(Refusal::new("DependencyViolation", message));
        }
        self.drop_group(group);
        Ok(None)
    }

    /// By an instance, or by a rule of another group.
    fn is_used(&self, group: &SecurityGroupId) -> bool {
        let mut machines = self.held.machines.values();
        let others = self.held.groups.iter().filter(|held| held.id != *group);
        machines.any(|machine| {
            machine.about.groups.contains(group)
                && machine.state_at(self.now) != InstanceState::Terminated
        }) || others.flat_map(|held| &held.inbound).any(|rule| rule.groups.contains(group))
    }

    /// Takes away a group with its rules.
    pub(super) fn drop_group(&mut self, group: &str) {
        let of = |rule: &&SecurityGroupRule| rule.group.as_str() == group;
        let rules: Vec<_> = self.held.rules.iter().filter(of).map(|rule| rule.id.clone()).collect();
        for rule in rules {
            self.forget(&rule);
        }
        self.held.rules.retain(|rule| rule.group.as_str() != group);
        self.held.groups.retain(|held| held.id.as_str() != group);
        self.forget(group);
    }
}

fn duplicate(rule: &InboundRule) -> Refusal {
    let peer = match &rule.source {
        Source::Cidr(cidr) => cidr.to_string(),
        Source::Group(group) => group.to_string(),
    };
    let (from, to) = (rule.ports.from, rule.ports.to);
    let message = format!(
        "the specified rule \"peer: {peer}, TCP, from port: {from}, to port: {to}, ALLOW\" already \
         exists"
    );
    Refusal::new("InvalidPermission.Duplicate", message)
}

/// EC2 lists rules for the same ports as one, with all their sources.
fn admit(inbound: &mut Vec<IpPermission>, rule: &InboundRule) {
    let (cidrs, groups): (Vec<Ipv4Net>, Vec<SecurityGroupId>) = match &rule.source {
        Source::Cidr(cidr) => (vec![cidr.trunc()], Vec::new()),
        Source::Group(group) => (Vec::new(), vec![id(group).into()]),
    };
    let mut same = inbound.iter_mut();
    let same = same.find(|own| own.protocol == "tcp" && own.ports == Some(rule.ports));
    match same {
        Some(own) => {
            own.cidrs.extend(cidrs);
            own.groups.extend(groups);
        }
        None => inbound.push(IpPermission {
            protocol: "tcp".into(),
            ports: Some(rule.ports),
            cidrs,
            ipv6_cidrs: Vec::new(),
            prefix_lists: Vec::new(),
            groups,
        }),
    }
}

impl super::RegionState {
    /// Whether `group` has exactly this rule already.
    fn permits(&self, group: &str, rule: &InboundRule) -> bool {
        let own = self.groups.iter().filter(|held| held.id.as_str() == group);
        own.flat_map(|held| &held.inbound).any(|permission| {
            permission.protocol == "tcp"
                && permission.ports == Some(rule.ports)
                && match &rule.source {
                    Source::Cidr(cidr) => permission.cidrs.contains(&cidr.trunc()),
                    Source::Group(source) => permission.groups.contains(&id(source).into()),
                }
        })
    }
}
