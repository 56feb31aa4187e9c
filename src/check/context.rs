//! What a check sees: the project and the survey, region by region with the
//! leader's first, and pair by pair.

use crate::{
    cloud::{OptIn, SecurityGroup, Subnet, Vpc},
    config::{Location, NodeGroup, Project, RegionConfig, Sourced},
    model::{ClusterId, Failure, Region, SecurityGroupId, VpcId},
    survey::{Absent, Fact, RegionSurvey, Survey, named},
};

use super::{Finding, Level, Subject};
pub(crate) use crate::model::count;

/// What the checks work on.
pub(crate) struct Context<'a> {
    pub project: &'a Project,
    pub survey: &'a Survey,
    /// The cluster whose instances are ours.
    pub own: Option<&'a ClusterId>,
    /// Stands in for a region that the survey does not hold.
    unsurveyed: RegionSurvey,
}

/// What a check needs, or the finding that explains why it cannot judge.
pub(crate) type Judged<T> = Result<T, Box<Finding>>;

/// The finding, whichever way it came.
pub(crate) fn settle(judged: Judged<Finding>) -> Finding {
    judged.unwrap_or_else(|finding| *finding)
}

/// One region, seen by one check.
#[derive(Clone, Copy)]
pub(crate) struct RegionView<'a> {
    check: &'static str,
    pub config: &'a RegionConfig,
    pub facts: &'a RegionSurvey,
    /// Whether its head leads the cluster.
    pub leads: bool,
}

impl<'a> Context<'a> {
    pub fn new(project: &'a Project, survey: &'a Survey, own: Option<&'a ClusterId>) -> Self {
        let reason = Failure::new("the region was not surveyed").hint("refresh");
        Self { project, survey, own, unsurveyed: RegionSurvey::unknown(&reason) }
    }

    /// Every region for the check `check`, the leader's first, then in the order given.
    pub fn places(&'a self, check: &'static str) -> Vec<RegionView<'a>> {
        let configs = self.project.regions.iter();
        let mut places: Vec<_> = configs.map(|config| self.place(check, config)).collect();
        places.sort_by_key(|place| !place.leads);
        places
    }

    fn place(&'a self, check: &'static str, config: &'a RegionConfig) -> RegionView<'a> {
        let facts = self.survey.regions.get(&config.region.value).unwrap_or(&self.unsurveyed);
        RegionView { check, config, facts, leads: *self.project.leader == *config.region }
    }
}

/// Every two of `places`, each pair once.
pub(crate) fn pairs<'a>(places: &[RegionView<'a>]) -> Vec<(RegionView<'a>, RegionView<'a>)> {
    let with_later = |(i, a): (usize, &RegionView<'a>)| {
        places[i + 1..].iter().map(|b| (*a, *b)).collect::<Vec<_>>()
    };
    places.iter().enumerate().flat_map(with_later).collect()
}

impl<'a> RegionView<'a> {
    pub fn region(&self) -> &'a Region {
        &self.config.region
    }

    /// Those node groups here that `fits`, config by config: each file is to be
    /// corrected by itself.
    pub fn by_config(&self, fits: impl Fn(&NodeGroup) -> bool) -> Vec<Vec<&'a NodeGroup>> {
        let mut found: Vec<Vec<&NodeGroup>> = Vec::new();
        for group in self.config.groups.iter().filter(|group| fits(group)) {
            match found.last_mut().filter(|last| last[0].config == group.config) {
                Some(last) => last.push(group),
                None => found.push(vec![group]),
            }
        }
        found
    }

    /// ` of gpu`, where the group is of a further config of the region.
    pub fn of_config(&self, group: &NodeGroup) -> String {
        let name = self.config.further_name(group.config);
        name.map(|name| format!(" of {name}")).unwrap_or_default()
    }

    /// The names of the node types of `groups`, all of one config, each once.
    pub fn types(&self, groups: &[&NodeGroup]) -> String {
        let mut names: Vec<_> = groups.iter().map(|group| group.node_type.as_str()).collect();
        names.dedup();
        and(names) + &groups.first().map(|group| self.of_config(group)).unwrap_or_default()
    }

    /// How many nodes are to run here.
    pub fn nodes(&self) -> u32 {
        self.config.groups.iter().map(|group| group.count).sum()
    }

    pub fn finding(&self, level: Level, title: impl Into<String>) -> Finding {
        Finding::new(self.check, level, self.subject(), title)
    }

    pub fn pass(&self, title: impl Into<String>) -> Finding {
        self.finding(Level::Pass, title)
    }

    pub fn fail(&self, title: impl Into<String>) -> Finding {
        self.finding(Level::Fail, title)
    }

    pub fn warn(&self, title: impl Into<String>) -> Finding {
        self.finding(Level::Warn, title)
    }

    pub fn skipped(&self, title: impl Into<String>) -> Finding {
        self.finding(Level::Skipped, title)
    }

    fn subject(&self) -> Subject {
        Subject::Region(self.region().clone())
    }

    /// The config line that the region's network goes back to.
    pub fn network_location(&self) -> Option<&'a Location> {
        let subnet = named::subnets(self.config).first().and_then(|id| id.location());
        subnet.or_else(|| self.config.region.location())
    }

    /// A finding about this region and another one.
    pub fn with(&self, other: &RegionView<'_>, level: Level, title: impl Into<String>) -> Finding {
        let subject = Subject::Pair(self.region().clone(), other.region().clone());
        Finding::new(self.check, level, subject, title).at(self.network_location())
    }

    /// `what` (`the key pairs`) of this region can't be judged.
    pub fn absent(&self, absent: Absent<'_>, what: &str) -> Finding {
        self.absent_for(&self.subject(), absent, what)
    }

    /// The same in a finding about something wider than the region.
    pub fn absent_for(&self, subject: &Subject, absent: Absent<'_>, what: &str) -> Finding {
        let new = |level, title| Finding::new(self.check, level, subject.clone(), title);
        match absent {
            Absent::Missing => new(
                Level::Skipped,
                format!("not judged: {what} of {} have to exist first", self.region()),
            ),
            Absent::Unknown(failure) => match self.out_of_reach() {
                Some(why) => new(Level::Skipped, format!("not judged: {} {why}", self.region())),
                None => new(Level::Unknown, format!("{what} could not be read")).because(failure),
            },
        }
    }

    /// Why the region cannot be read; `region.enabled` reports it.
    pub fn out_of_reach(&self) -> Option<&'static str> {
        match self.facts.opt_in {
            Fact::Known(None) => Some("is not a region"),
            Fact::Known(Some(OptIn::NotOptedIn)) => Some("is not enabled"),
            _ => self.facts.not_asked.as_ref().map(|_| "could not be read"),
        }
    }

    /// The subnets that any node here may be launched into, each once.
    pub fn subnets(&self) -> Result<Vec<&'a Subnet>, Absent<'a>> {
        self.subnets_for(|_| true)
    }

    /// The same for the nodes of those groups that `fits`.
    pub fn subnets_for(
        &self,
        fits: impl Fn(&NodeGroup) -> bool,
    ) -> Result<Vec<&'a Subnet>, Absent<'a>> {
        let mut all: Vec<&Subnet> = Vec::new();
        for group in self.config.groups.iter().filter(|group| fits(group)) {
            all.extend(self.facts.subnets_of(self.config, group)?);
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.dedup_by(|a, b| a.id == b.id);
        Ok(all)
    }

    /// The VPCs of those subnets: one, unless the config is wrong.
    pub fn vpcs(&self) -> Result<Vec<&'a Vpc>, Absent<'a>> {
        let mut ids: Vec<_> = self.subnets()?.into_iter().map(|subnet| &subnet.vpc).collect();
        ids.sort();
        ids.dedup();
        ids.into_iter().map(|id| self.facts.vpc(id)).collect()
    }

    /// The sets of security groups that node groups here carry, each once.
    pub fn security_group_sets(&self) -> Vec<GroupSet<'a>> {
        let mut sets: Vec<GroupSet<'a>> = Vec::new();
        for group in &self.config.groups {
            // `sg.exists` reports those that can't be found by their names.
            let ids = self.facts.groups_of(self.config, group).unwrap_or_default();
            match sets.iter_mut().find(|set| set.same_ids(&ids)) {
                Some(set) => set.carriers.push(group),
                None => sets.push(GroupSet { ids, carriers: vec![group] }),
            }
        }
        sets.retain(|set| !set.ids.is_empty());
        sets
    }
}

/// Security groups that apply together, and the node groups that carry them.
pub(crate) struct GroupSet<'a> {
    pub ids: Vec<Sourced<SecurityGroupId>>,
    pub carriers: Vec<&'a NodeGroup>,
}

impl<'a> GroupSet<'a> {
    fn same_ids(&self, other: &[Sourced<SecurityGroupId>]) -> bool {
        let within = |a: &[Sourced<SecurityGroupId>], b: &[Sourced<SecurityGroupId>]| {
            a.iter().all(|id| b.iter().any(|other| other.value == id.value))
        };
        within(&self.ids, other) && within(other, &self.ids)
    }

    /// `sg-1 and sg-2`
    pub fn names(&self) -> String {
        and(self.ids.iter().map(|id| &id.value))
    }

    /// The first one: where rules are added.
    pub fn first(&self) -> Option<&Sourced<SecurityGroupId>> {
        self.ids.first()
    }

    /// Whether the nodes of `place` that carry these groups can be in `vpc`.
    fn in_other_vpc(&self, place: &RegionView<'a>, vpc: &VpcId) -> bool {
        let subnets = self
            .carriers
            .iter()
            .filter_map(|group| place.facts.subnets_of(place.config, group).ok());
        subnets.flatten().any(|subnet| subnet.vpc != *vpc)
    }

    /// The groups themselves, where they exist and are of the nodes' VPC.
    pub fn resolve(&self, place: &RegionView<'a>) -> Judged<Vec<&'a SecurityGroup>> {
        let find = |id: &Sourced<SecurityGroupId>| match place.facts.security_group(id) {
            Ok(group) if self.in_other_vpc(place, &group.vpc) => {
                Err(Box::new(place.skipped(format!("not judged: {} is in another VPC", **id))))
            }
            Ok(group) => Ok(group),
            Err(Absent::Missing) => {
                Err(Box::new(place.skipped(format!("not judged: {} is missing", **id))))
            }
            Err(absent) => Err(Box::new(place.absent(absent, "the security groups"))),
        };
        self.ids.iter().map(find).collect()
    }
}

/// `a`, `a and b`, `a, b and c`
pub(crate) fn and<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let mut items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    let Some(last) = items.pop() else { return String::new() };
    if items.is_empty() { last } else { format!("{} and {last}", items.join(", ")) }
}
