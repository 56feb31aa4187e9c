//! Security groups: a group of muster's own where the one that is named can't
//! do, and rules for whoever is kept out. No rule is ever taken away, and none
//! admits everybody.

use ipnet::Ipv4Net;

use crate::{
    check::{
        context::{GroupSet, Place},
        rules::{Rules, one},
    },
    cloud::{Change, InboundRule, PortRange, Ref, SecurityGroup, Slot, Source, Tags},
    config::{NodeGroup, Project},
    model::Region,
    survey::Absent,
};

use super::{
    builder::Builder,
    foreign_rules,
    network::Network,
    plan::{Problem, Rewrite, Target, Written},
};

const EXISTS: &str = "sg.exists";
const SAME_VPC: &str = "sg.same-vpc";
const OPERATOR: &str = "sg.operator-ssh";
const PEERS: &str = "sg.peers";
const KEY: &str = "SecurityGroupIds";

/// The ports that Ray and Quokka use between nodes.
pub(super) const NODE_PORTS: PortRange = PortRange { from: 1024, to: u16::MAX };
/// What the operator needs, each with what it is for: SSH, Ray's client server,
/// Quokka's Redis.
const OPERATOR_PORTS: [(u16, &str); 3] =
    [(22, "SSH"), (10001, "Ray client"), (6800, "Quokka Redis")];

/// A new group in a region.
pub(super) struct NewGroup {
    pub region: Region,
    pub id: Ref,
    /// The steps after which it admits what it has to.
    pub ready: Vec<Slot>,
}

/// Whom groups have to admit.
struct Needs<'a> {
    project: &'a Project,
    operator: Option<Ipv4Net>,
    networks: &'a [Network<'a>],
}

/// Plans what mends security groups; answers the new ones of new networks.
pub(super) fn plan(
    project: &Project,
    operator: Option<Ipv4Net>,
    networks: &[Network<'_>],
    plan: &mut Builder<'_>,
) -> Vec<NewGroup> {
    let needs = Needs { project, operator, networks };
    let of_new = networks.iter().filter_map(|network| {
        let new = network.new.as_ref()?;
        let slot = format!("{}/group", network.place.region());
        Some(needs.create(&slot, network, &new.mends, plan))
    });
    let groups: Vec<NewGroup> = of_new.collect();
    for network in networks.iter().filter(|network| network.new.is_none()) {
        needs.replace(network, plan);
        needs.admit(network, plan);
    }
    groups
}

impl Needs<'_> {
    /// A group in the nodes' VPC with all the rules that it needs.
    fn create(
        &self,
        slot: &str,
        network: &Network<'_>,
        mends: &[Problem],
        plan: &mut Builder<'_>,
    ) -> NewGroup {
        let region = network.place.region();
        let project = &self.project.name.value;
        let own_name =
            || slot.replace('/', "-").replacen(region.as_str(), &format!("muster-{project}"), 1);
        let configs = &network.place.config.configs;
        let wanted = || configs.iter().map(|config| &config.group_to_make);
        let change = Change::CreateSecurityGroup {
            name: wanted()
                .find_map(|group| group.name.as_ref())
                .map_or_else(own_name, |name| name.value.clone()),
            description: "nodes of a Ray cluster, made by muster".into(),
            vpc: network.vpc.clone(),
            tags: Tags::new(),
        };
        let id = plan.change(slot, region, change, mends);
        let made = id.id().and_then(|id| {
            let groups = &plan.facts.of(region).ok()?.groups;
            groups.iter().find(|group| group.id.as_str() == id)
        });
        let made: Vec<_> = made.into_iter().collect();
        let mut rules = self.missing(network, &id, &made);
        let asked: Vec<_> = wanted().flat_map(|group| &group.rules).collect();
        rules.extend(asked_for(&asked, &Rules::of(&made)));
        self.judge_unrecorded(slot, network, &asked, plan);
        let mut all = mends.to_vec();
        all.extend([PEERS, OPERATOR].iter().filter_map(|check| plan.wants_in(check, region)));
        let ready = authorize(&format!("{slot}/rules"), region, &id, rules, &all, plan);
        if self.operator.is_none() {
            plan.leave(
                &[Problem {
                    check: OPERATOR,
                    subject: crate::check::Subject::Region(region.clone()),
                }],
                "your address is not known: say operator_cidr in muster.yaml, or --operator-cidr",
            );
        }
        NewGroup { region: region.clone(), id, ready }
    }

    /// Refuses groups of this step that are on no record and admit anything else.
    fn judge_unrecorded(
        &self,
        slot: &str,
        network: &Network<'_>,
        asked: &[&InboundRule],
        plan: &mut Builder<'_>,
    ) {
        let Ok(facts) = plan.facts.of(network.place.region()) else { return };
        let networks = foreign_rules::networks(plan);
        for one in facts.unrecorded.iter().filter(|one| one.slot.0 == slot) {
            let Some(group) = facts.groups.iter().find(|group| group.id.as_str() == one.id) else {
                continue;
            };
            let mut wanted = self.missing(network, &Ref::Id(one.id.clone()), &[]);
            wanted.extend(asked.iter().copied().cloned());
            if let Some(rule) = foreign_rules::foreign_rule(group, &wanted, &networks) {
                plan.refuse_takeover(&one.id, &format!("it admits {rule}, which `fix` would not"));
            }
        }
    }

    /// What `groups`, taken together and called `own`, do not admit yet.
    fn missing(
        &self,
        network: &Network<'_>,
        own: &Ref,
        groups: &[&SecurityGroup],
    ) -> Vec<InboundRule> {
        let rules = Rules::of(groups);
        let mut missing = self.missing_operator(&rules);
        missing.extend(self.missing_nodes(network, own, &rules, groups));
        missing
    }

    fn missing_operator(&self, rules: &Rules<'_>) -> Vec<InboundRule> {
        let Some(operator) = self.operator else { return Vec::new() };
        let closed =
            OPERATOR_PORTS.into_iter().filter(|(port, _)| !rules.admit(operator, one(*port)));
        let rule = |(port, what): (u16, &str)| InboundRule {
            ports: one(port),
            source: Source::Cidr(operator),
            description: format!("muster: {what} from the operator"),
        };
        closed.map(rule).collect()
    }

    fn missing_nodes(
        &self,
        network: &Network<'_>,
        own: &Ref,
        rules: &Rules<'_>,
        groups: &[&SecurityGroup],
    ) -> Vec<InboundRule> {
        let ids: Vec<_> = groups.iter().map(|group| &group.id).collect();
        let own_cidrs = &network.cidrs;
        let inside = rules.admit_group(&ids, NODE_PORTS)
            || own_cidrs.iter().all(|cidr| rules.admit(*cidr, NODE_PORTS));
        let itself = (!inside).then(|| InboundRule {
            ports: NODE_PORTS,
            source: Source::Group(own.clone()),
            description: "muster: between the nodes here".into(),
        });
        let others =
            self.networks.iter().filter(|other| other.place.region() != network.place.region());
        let peers = others.flat_map(|other| {
            let closed = other.cidrs.iter().filter(|cidr| !rules.admit(**cidr, NODE_PORTS));
            closed.map(|cidr| InboundRule {
                ports: NODE_PORTS,
                source: Source::Cidr(*cidr),
                description: format!("muster: nodes in {}", other.place.region()),
            })
        });
        itself.into_iter().chain(peers).collect()
    }

    /// A new group in place of one that is missing, or of another VPC.
    fn replace(&self, network: &Network<'_>, plan: &mut Builder<'_>) {
        let region = network.place.region();
        let mends: Vec<_> =
            [EXISTS, SAME_VPC].iter().filter_map(|check| plan.wants_in(check, region)).collect();
        if mends.is_empty() {
            return;
        }
        let Some(vpc) = network.vpc.id() else { return };
        let slot = format!("{region}/group-{vpc}");
        let new = self.create(&slot, network, &mends, plan);
        match rewrites(&network.place, vpc, &new.id) {
            Ok(rewrites) => {
                plan.rewrite(&format!("{region}/security-group-ids"), rewrites, new.ready, &mends);
            }
            Err(why) => plan.leave(&mends, &why),
        }
    }

    /// Rules for whoever the present groups keep out.
    fn admit(&self, network: &Network<'_>, plan: &mut Builder<'_>) {
        let place = &network.place;
        let region = place.region();
        let (peers, ssh) = (plan.wants_in(PEERS, region), plan.wants_in(OPERATOR, region));
        let moved = self.networks.iter().any(|other| other.new.is_some());
        if peers.is_none() && ssh.is_none() && !moved {
            return;
        }
        if let (Some(problem), None) = (&ssh, self.operator) {
            let why =
                "your address is not known: say operator_cidr in muster.yaml, or --operator-cidr";
            plan.leave(std::slice::from_ref(problem), why);
        }
        for set in place.security_group_sets() {
            let (Ok(groups), Some(first)) = (set.resolve(place), set.first()) else { continue };
            let own = Ref::from(first.as_str());
            let rules = Rules::of(&groups);
            let mut missing = Vec::new();
            if ssh.is_some() {
                missing.extend(self.missing_operator(&rules));
            }
            if peers.is_some() || moved {
                missing.extend(self.missing_nodes(network, &own, &rules, &groups));
                missing.extend(other_sets(place, &set, &rules));
            }
            let mends: Vec<_> = peers.iter().chain(&ssh).cloned().collect();
            let slot = format!("{region}/rules-{}", first.as_str());
            authorize(&slot, region, &own, missing, &mends, plan);
        }
    }
}

/// The rules of the configs' `provider.security_group` that are not there yet, each once.
fn asked_for(asked: &[&InboundRule], present: &Rules<'_>) -> Vec<InboundRule> {
    let closed = asked.iter().filter(|rule| match rule.source {
        Source::Cidr(cidr) => !present.admit(cidr, rule.ports),
        Source::Group(_) => true,
    });
    let mut rules: Vec<InboundRule> = Vec::new();
    for rule in closed {
        let same = |other: &InboundRule| other.ports == rule.ports && other.source == rule.source;
        if !rules.iter().any(same) {
            rules.push((*rule).clone());
        }
    }
    rules
}

/// Nodes of this region that carry other groups.
fn other_sets(place: &Place<'_>, set: &GroupSet<'_>, rules: &Rules<'_>) -> Vec<InboundRule> {
    let sets = place.security_group_sets();
    let others = sets.iter().filter(|other| other.names() != set.names());
    let closed = others.filter_map(|other| {
        let ids: Vec<_> = other.ids.iter().map(|id| &id.value).collect();
        let first = other.first()?;
        (!rules.admit_group(&ids, NODE_PORTS)).then(|| InboundRule {
            ports: NODE_PORTS,
            source: Source::Group(first.as_str().into()),
            description: "muster: between the nodes here".into(),
        })
    });
    closed.collect()
}

fn authorize(
    slot: &str,
    region: &Region,
    group: &Ref,
    rules: Vec<InboundRule>,
    mends: &[Problem],
    plan: &mut Builder<'_>,
) -> Vec<Slot> {
    if rules.is_empty() {
        return Vec::new();
    }
    let change = Change::AuthorizeIngress { group: group.clone(), rules, tags: Tags::new() };
    plan.change(slot, region, change, mends);
    vec![Slot(slot.to_owned())]
}

/// The places that name a group which can't be used in `vpc`, or that name none.
fn rewrites(place: &Place<'_>, vpc: &str, new: &Ref) -> Result<Vec<Rewrite>, String> {
    let mut rewrites: Vec<Rewrite> = Vec::new();
    for group in &place.config.groups {
        for rewrite in of_group(place, group, vpc, new)? {
            if !rewrites.contains(&rewrite) {
                rewrites.push(rewrite);
            }
        }
    }
    Ok(rewrites)
}

fn of_group(
    place: &Place<'_>,
    group: &NodeGroup,
    vpc: &str,
    new: &Ref,
) -> Result<Vec<Rewrite>, String> {
    let by_name = !place.config.named_groups(group).is_empty();
    if by_name && place.facts.groups_of(place.config, group).is_ok() {
        return Ok(Vec::new());
    }
    let config = place.config.config_of(group);
    let named = &group.template.security_groups;
    let bad = named.iter().filter(|id| match place.facts.security_group(id) {
        Ok(found) => found.vpc.as_str() != vpc,
        Err(absent) => absent == Absent::Missing,
    });
    let bad: Vec<_> = bad.collect();
    if bad.iter().any(|id| matches!(id.origin, crate::config::Origin::Flag(_))) {
        return Err("the group comes from --security-group: leave it out".into());
    }
    if let (Some(why), true) = (group.template.pinned_network(), bad.len() != 1) {
        return Err(why.into());
    }
    let whole = || Rewrite {
        target: Target::NodeConfig {
            file: config.source.path.clone(),
            node_type: group.node_type.value.clone(),
            key: KEY,
        },
        value: Written::List(vec![new.clone()]),
    };
    // A group of muster.yaml is every region's, and this one is of this region alone.
    let here = |id: &&crate::config::Sourced<crate::model::SecurityGroupId>| {
        let location = id.location().filter(|location| location.file == config.source.path)?;
        Some(Rewrite {
            target: Target::At { location: location.clone(), key: KEY, old: id.value.to_string() },
            value: Written::One(new.clone()),
        })
    };
    let one_by_one: Option<Vec<_>> = bad.iter().map(here).collect();
    Ok(match one_by_one {
        _ if named.is_empty() => vec![whole()],
        // Two of a list would become the same group twice.
        Some(all) if all.len() < 2 => all,
        _ => vec![whole()],
    })
}
