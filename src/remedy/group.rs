//! Security groups: a new group of muster's own where the named one cannot be used,
//! and rules for the addresses that are not admitted. No rule is ever removed, and none
//! admits everybody, or a large part of the internet.

use ipnet::Ipv4Net;

use crate::{
    check::{
        context::{Context, GroupSet, RegionView},
        operator_ports,
        rules::{Rules, one},
    },
    cloud::{Change, InboundRule, PortRange, Ref, SecurityGroup, Source, StepId, Tags},
    config::{NodeGroup, ports::NodePorts},
    model::{Region, breadth},
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
const EXPOSED: &str = "sg.exposed";
const OPERATOR_PORTS: &str = "sg.operator-ports";
const KEY: &str = "SecurityGroupIds";
const SSH: u16 = 22;
/// Groups of a network interface, where the quota was not raised (L-2AFB9258).
const MOST_GROUPS: usize = 5;
const NO_ADDRESS: &str =
    "your address is not known: give operator_cidr in muster.yaml, or --operator-cidr";
const WIDE_ADDRESS: &str =
    "operator_cidr is a large part of the internet, which no fix lets in: give your own address";

/// A new group in a region.
pub(super) struct NewGroup {
    pub region: Region,
    pub id: Ref,
    /// The steps after which it admits what it has to.
    pub ready: Vec<StepId>,
}

/// Whom groups have to admit.
struct Needs<'a> {
    ctx: &'a Context<'a>,
    operator: Option<Ipv4Net>,
    /// Why there is none.
    no_operator: &'static str,
    networks: &'a [Network<'a>],
}

/// Plans fixes for security groups; returns the new ones of new networks.
pub(super) fn plan(
    ctx: &Context<'_>,
    operator: Option<Ipv4Net>,
    networks: &[Network<'_>],
    plan: &mut Builder<'_>,
) -> Vec<NewGroup> {
    let too_wide = operator.is_some_and(|operator| breadth::is_wide([operator.into()]));
    let no_operator = if too_wide { WIDE_ADDRESS } else { NO_ADDRESS };
    let operator = operator.filter(|_| !too_wide);
    let needs = Needs { ctx, operator, no_operator, networks };
    let of_new = networks.iter().filter_map(|network| {
        let new = network.new.as_ref()?;
        let slot = format!("{}/group", network.place.region());
        Some(needs.create(&slot, network, &new.fixes, plan))
    });
    let groups: Vec<NewGroup> = of_new.collect();
    for network in networks.iter().filter(|network| network.new.is_none()) {
        needs.replace(network, plan);
        needs.admit(network, plan);
        needs.admit_on_request(network, plan);
    }
    groups
}

impl Needs<'_> {
    /// A group in the nodes' VPC with all the rules that it needs.
    fn create(
        &self,
        slot: &str,
        network: &Network<'_>,
        fixes: &[Problem],
        plan: &mut Builder<'_>,
    ) -> NewGroup {
        let region = network.place.region();
        let project = &self.ctx.project.name.value;
        let own_name =
            || slot.replace('/', "-").replacen(region.as_str(), &format!("muster-{project}"), 1);
        let configs = &network.place.config.configs;
        let wanted = || configs.iter().map(|config| &config.group_to_make);
        let carriers: Vec<_> = network.place.config.groups.iter().collect();
        let ports = self.node_ports(network, &carriers, plan);
        let asked: Vec<_> = wanted().flat_map(|group| &group.rules).collect();
        let change = Change::CreateSecurityGroup {
            name: wanted()
                .find_map(|group| group.name.as_ref())
                .map_or_else(own_name, |name| name.value.clone()),
            description: "nodes of a Ray cluster, made by muster".into(),
            vpc: network.vpc.clone(),
            tags: Tags::new(),
        };
        let id = plan.change(slot, region, change, fixes);
        let made = id.id().and_then(|id| {
            let groups = &plan.facts.of(region).ok()?.groups;
            groups.iter().find(|group| group.id.as_str() == id)
        });
        let made: Vec<_> = made.into_iter().collect();
        let lists = &network.place.facts.prefix_lists;
        let present = Rules::of(&made, lists);
        let mut rules = self.missing_operator(&present);
        rules.extend(self.missing_nodes(network, &id, &present, &made, &ports));
        rules.extend(asked_for(region, &asked, &present, plan));
        self.judge_unrecorded(slot, network, &asked, &ports, plan);
        let mut all = fixes.to_vec();
        all.extend([PEERS, OPERATOR].iter().filter_map(|check| plan.wants_in(check, region)));
        let ready = authorize(&format!("{slot}/rules"), region, &id, (rules, &made), &all, plan);
        if self.operator.is_none() {
            plan.leave(
                &[Problem {
                    check: OPERATOR,
                    subject: crate::check::Subject::Region(region.clone()),
                }],
                self.no_operator,
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
        ports: &[PortRange],
        plan: &mut Builder<'_>,
    ) {
        let Ok(facts) = plan.facts.of(network.place.region()) else { return };
        let networks = foreign_rules::networks(plan);
        for one in facts.unrecorded.iter().filter(|one| one.slot.0 == slot) {
            let Some(group) = facts.groups.iter().find(|group| group.id.as_str() == one.id) else {
                continue;
            };
            let (id, none) = (Ref::Id(one.id.clone()), Rules::none());
            let mut wanted = self.missing_operator(&none);
            wanted.extend(self.missing_nodes(network, &id, &none, &[], ports));
            wanted.extend(asked.iter().copied().cloned());
            if let Some(rule) = foreign_rules::foreign_rule(group, &wanted, &networks) {
                plan.refuse_takeover(&one.id, &format!("it admits {rule}, which `fix` would not"));
            }
        }
    }

    /// The ports that the nodes of `carriers` need from all others; none where Ray
    /// would take random ones, which is left to the user.
    fn node_ports(
        &self,
        network: &Network<'_>,
        carriers: &[&NodeGroup],
        plan: &mut Builder<'_>,
    ) -> Vec<PortRange> {
        let config = network.place.config;
        let ports = NodePorts::of(self.ctx.project, config, carriers);
        if ports.unpinned.is_empty() {
            return ports.pinned;
        }
        let problem = plan.wants_in(PEERS, network.place.region());
        let why = format!(
            "the start commands leave Ray's ports to chance, and no fix opens all of them: pin {} \
             there, or use `ray: built-in`",
            ports.unpinned.join(" and ")
        );
        plan.leave(problem.as_slice(), &why);
        Vec::new()
    }

    fn missing_operator(&self, rules: &Rules<'_>) -> Vec<InboundRule> {
        let closed = self.operator.filter(|operator| !rules.admit(*operator, one(SSH)));
        let rule = |operator| InboundRule {
            ports: one(SSH),
            source: Source::Cidr(operator),
            description: "muster: SSH from the operator".into(),
        };
        closed.map(rule).into_iter().collect()
    }

    /// The rules that `groups`, taken together and called `own`, lack: the node ports
    /// from the nodes here, and from the subnets of the other regions' nodes.
    fn missing_nodes(
        &self,
        network: &Network<'_>,
        own: &Ref,
        rules: &Rules<'_>,
        groups: &[&SecurityGroup],
        ports: &[PortRange],
    ) -> Vec<InboundRule> {
        let ids: Vec<_> = groups.iter().map(|group| &group.id).collect();
        let region = network.place.region();
        let inside = |range: &PortRange| {
            rules.admit_group(&ids, *range)
                || network.subnets.iter().all(|cidr| rules.admit(*cidr, *range))
        };
        let own_rules = ports.iter().copied().filter(|range| !inside(range)).map(|ports| {
            let description = "muster: between the nodes here".into();
            InboundRule { ports, source: Source::Group(own.clone()), description }
        });
        let others = self.networks.iter().filter(|other| other.place.region() != region);
        let cidrs = others
            .flat_map(|other| other.subnets.iter().map(move |cidr| (*cidr, other.place.region())));
        let peers = cidrs.flat_map(|(cidr, peer)| {
            let closed = ports.iter().copied().filter(move |range| !rules.admit(cidr, *range));
            closed.map(move |ports| InboundRule {
                ports,
                source: Source::Cidr(cidr),
                description: format!("muster: nodes in {peer}"),
            })
        });
        own_rules.chain(peers).collect()
    }

    /// A new group in place of one that is missing, or of another VPC.
    fn replace(&self, network: &Network<'_>, plan: &mut Builder<'_>) {
        let region = network.place.region();
        let fixes: Vec<_> =
            [EXISTS, SAME_VPC].iter().filter_map(|check| plan.wants_in(check, region)).collect();
        if fixes.is_empty() {
            return;
        }
        let Some(vpc) = network.vpc.id() else { return };
        let slot = format!("{region}/group-{vpc}");
        let new = self.create(&slot, network, &fixes, plan);
        match rewrites(&network.place, vpc, &new.id) {
            Ok(rewrites) => {
                plan.rewrite(&format!("{region}/security-group-ids"), rewrites, new.ready, &fixes);
            }
            Err(why) => plan.leave(&fixes, &why),
        }
    }

    /// Adds rules for the addresses that the present groups do not admit.
    fn admit(&self, network: &Network<'_>, plan: &mut Builder<'_>) {
        let place = &network.place;
        let region = place.region();
        let (peers, ssh) = (plan.wants_in(PEERS, region), plan.wants_in(OPERATOR, region));
        let moved = self.networks.iter().any(|other| other.new.is_some());
        if peers.is_none() && ssh.is_none() && !moved {
            return;
        }
        if let (Some(problem), None) = (&ssh, self.operator) {
            plan.leave(std::slice::from_ref(problem), self.no_operator);
        }
        for set in place.security_group_sets() {
            let (Ok(groups), Some(first)) = (set.resolve(place), set.first()) else { continue };
            let own = Ref::from(first.as_str());
            let rules = Rules::of(&groups, &place.facts.prefix_lists);
            let mut missing = Vec::new();
            if ssh.is_some() {
                missing.extend(self.missing_operator(&rules));
            }
            if peers.is_some() || moved {
                let ports = self.node_ports(network, &set.carriers, plan);
                missing.extend(self.missing_nodes(network, &own, &rules, &groups, &ports));
                missing.extend(other_sets(place, &set, &rules, &ports));
            }
            let fixes: Vec<_> = peers.iter().chain(&ssh).cloned().collect();
            let slot = format!("{region}/rules-{}", first.as_str());
            authorize(&slot, region, &own, (missing, &groups), &fixes, plan);
        }
    }

    /// The leader's ports that `operator_ports` asks for, in a group that no other node carries.
    fn admit_on_request(&self, network: &Network<'_>, plan: &mut Builder<'_>) {
        let place = &network.place;
        let region = place.region();
        let Some(problem) = plan.wants_in(OPERATOR_PORTS, region) else { return };
        let (Some(operator), Some(own)) =
            (self.operator, operator_ports::own_group(self.ctx, place))
        else {
            return;
        };
        let Ok(group) = place.facts.security_group(&own) else { return };
        let present = Rules::of(&[group], &place.facts.prefix_lists);
        let closed = operator_ports::closed(self.ctx, operator, &present);
        let rule = |port| InboundRule {
            ports: one(port),
            source: Source::Cidr(operator),
            description: "muster: operator_ports".into(),
        };
        let rules = closed.into_iter().map(rule).collect();
        let slot = format!("{region}/operator-ports-{}", own.as_str());
        authorize(&slot, region, &Ref::from(own.as_str()), (rules, &[group]), &[problem], plan);
    }
}

/// The rules of the configs' `provider.security_group` that are not there yet, each
/// once. Each config has none that is too wide; together they may have.
fn asked_for(
    region: &Region,
    asked: &[&InboundRule],
    present: &Rules<'_>,
    plan: &mut Builder<'_>,
) -> Vec<InboundRule> {
    let wide = InboundRule::wide(asked);
    if !wide.is_empty() {
        let subject = crate::check::Subject::Region(region.clone());
        let sources: Vec<_> = wide
            .iter()
            .filter_map(|place| match &asked[*place].source {
                Source::Cidr(cidr) => Some(cidr.to_string()),
                Source::Group(_) => None,
            })
            .collect();
        let why = format!(
            "provider.security_group of the configs would admit {}, together a large part of \
             the internet: none of these rules is added",
            sources.join(", ")
        );
        plan.leave(&[Problem { check: EXPOSED, subject }], &why);
    }
    let narrow = asked.iter().enumerate().filter(|(place, _)| !wide.contains(place));
    let mut rules: Vec<InboundRule> = Vec::new();
    for (_, rule) in narrow {
        let same = |other: &InboundRule| other.ports == rule.ports && other.source == rule.source;
        let closed = match rule.source {
            Source::Cidr(cidr) => !present.admit(cidr, rule.ports),
            Source::Group(_) => true,
        };
        if closed && !rules.iter().any(same) {
            rules.push((*rule).clone());
        }
    }
    rules
}

/// Nodes of this region that carry other groups.
fn other_sets(
    place: &RegionView<'_>,
    set: &GroupSet<'_>,
    rules: &Rules<'_>,
    ports: &[PortRange],
) -> Vec<InboundRule> {
    let sets = place.security_group_sets();
    let others = sets.iter().filter(|other| other.names() != set.names());
    let closed = others.flat_map(|other| {
        let ids: Vec<_> = other.ids.iter().map(|id| &id.value).collect();
        let closed = ports.iter().copied().filter(|range| !rules.admit_group(&ids, *range));
        let closed: Vec<_> = closed.collect();
        let first = other.first().map(|id| id.as_str().to_owned()).unwrap_or_default();
        closed.into_iter().map(move |ports| InboundRule {
            ports,
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
    (rules, present): (Vec<InboundRule>, &[&SecurityGroup]),
    fixes: &[Problem],
    plan: &mut Builder<'_>,
) -> Vec<StepId> {
    let mut present = present.iter().filter(|one| group.id() == Some(one.id.as_str()));
    let held = present.next().map_or(0, |one| one.ipv4_rules());
    if rules.is_empty() {
        return Vec::new();
    }
    plan.count_rules(region, group, held + rules.len());
    let change = Change::AuthorizeIngress { group: group.clone(), rules, tags: Tags::new() };
    plan.change(slot, region, change, fixes);
    vec![StepId(slot.to_owned())]
}

/// The places that name a group which can't be used in `vpc`, or that name none.
fn rewrites(place: &RegionView<'_>, vpc: &str, new: &Ref) -> Result<Vec<Rewrite>, String> {
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
    place: &RegionView<'_>,
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
    if named.len() > MOST_GROUPS {
        let count = named.len();
        return Err(format!(
            "the node type names {count} security groups, and EC2 takes {MOST_GROUPS} at a network \
             interface: join some of them, or raise the quota \"Security groups per network interface\""
        ));
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
