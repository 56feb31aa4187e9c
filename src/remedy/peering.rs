//! Peering connections and the routes through them. A connection that waits is
//! accepted; one that failed or expired is left alone and requested again. A
//! route with a live target is never changed; a blackhole route is
//! replaced only with the user's consent.

use ipnet::Ipv4Net;

use crate::{
    check::network::is_alive,
    cloud::{
        Change, Peering, PeeringState, Ref, Route, RouteState, RouteTarget, StepId, Tags, Via, tags,
    },
    model::Region,
};

use super::{
    builder::Builder,
    network::{Network, Table},
    plan::{Problem, Until},
};

const PEERING: &str = "peering.active";
const ROUTE: &str = "route.peering";

/// Plans what joins every two networks. `replaces`: blackholes may be replaced.
pub(super) fn plan(networks: &[Network<'_>], replaces: bool, plan: &mut Builder<'_>) {
    for (index, a) in networks.iter().enumerate() {
        for b in &networks[index + 1..] {
            Pair { a, b, replaces }.plan(plan);
        }
    }
}

struct Pair<'a> {
    a: &'a Network<'a>,
    b: &'a Network<'a>,
    replaces: bool,
}

impl Pair<'_> {
    fn regions(&self) -> (&Region, &Region) {
        (self.a.place.region(), self.b.place.region())
    }

    fn slot(&self, what: &str) -> String {
        let (a, b) = self.regions();
        format!("{a}+{b}/{what}")
    }

    /// The findings of new networks, which are in vain without this.
    fn moves(&self) -> Vec<Problem> {
        let new = [self.a, self.b].into_iter().filter_map(|network| network.new.as_ref());
        new.flat_map(|new| new.fixes.iter().cloned()).collect()
    }

    fn plan(&self, plan: &mut Builder<'_>) {
        let (a, b) = self.regions();
        let moves = self.moves();
        let peering: Vec<_> = plan.wants_between(PEERING, a, b);
        let routes: Vec<_> = plan.wants_between(ROUTE, a, b);
        if moves.is_empty() && peering.is_empty() && routes.is_empty() {
            return;
        }
        let fixes: Vec<_> = moves.into_iter().chain(peering).collect();
        let (id, state, active) = self.connection(plan, &fixes);
        let fixes: Vec<_> = fixes.into_iter().chain(routes).collect();
        let link = Through { id: &id, state, active: &active };
        self.direction((self.a, self.b), &link, &fixes, plan);
        self.direction((self.b, self.a), &link, &fixes, plan);
    }

    /// The connection, by what is there or will be, and the step that it is active after.
    fn connection(
        &self,
        plan: &mut Builder<'_>,
        fixes: &[Problem],
    ) -> (Ref, Option<PeeringState>, Vec<StepId>) {
        let present = self.present(plan);
        if let Some(peering) = &present
            && self.lacks_tags(plan, peering.id.as_str())
        {
            self.tag_there(plan, &peering.id.as_str().into(), fixes);
        }
        match present {
            Some(peering) if peering.state == PeeringState::Active => {
                (peering.id.as_str().into(), Some(PeeringState::Active), Vec::new())
            }
            Some(peering) => {
                let id = Ref::from(peering.id.as_str());
                let accepter = peering.accepter.region.clone();
                let (requester, state) = (peering.requester.region.clone(), peering.state);
                let accepts = state != PeeringState::Provisioning;
                let active = self.activate(plan, &id, (&requester, &accepter), accepts, fixes);
                (id, Some(state), active)
            }
            None => {
                let (a, b) = self.regions();
                let id = self.request(plan, fixes);
                let active = self.activate(plan, &id, (a, b), true, fixes);
                (id, None, active)
            }
        }
    }

    /// The most usable connection that there is between the two.
    fn present(&self, plan: &Builder<'_>) -> Option<Peering> {
        let (a, b) = self.regions();
        let (vpc_a, vpc_b) = (self.a.vpc.id()?, self.b.vpc.id()?);
        let surveyed =
            [self.a, self.b].into_iter().filter_map(|one| one.place.facts.peerings.known());
        let made = [a, b].into_iter().filter_map(|region| plan.facts.of(region).ok());
        let all = surveyed.flatten().chain(made.flat_map(|facts| &facts.peerings));
        let joins = |one: &&Peering| {
            let sides = [&one.requester, &one.accepter];
            let has = |region: &Region, vpc: &str| {
                sides.iter().any(|side| side.region == *region && side.vpc.as_str() == vpc)
            };
            has(a, vpc_a) && has(b, vpc_b)
        };
        let alive = all.filter(joins).filter(|one| is_alive(one));
        alive.min_by_key(|one| one.state != PeeringState::Active).cloned()
    }

    fn request(&self, plan: &mut Builder<'_>, fixes: &[Problem]) -> Ref {
        let (a, b) = self.regions();
        let slot = self.slot("peering");
        let change = Change::CreatePeering {
            vpc: self.a.vpc.clone(),
            peer_region: b.clone(),
            peer_vpc: self.b.vpc.clone(),
            tags: Tags::new(),
        };
        let id = plan.change(&slot, a, change, fixes);
        let there = Until::PeeringThere { peering: id.clone(), vpc: self.b.vpc.clone() };
        plan.wait(&self.slot("peering-there"), b, there, fixes);
        self.tag_there(plan, &id, fixes);
        plan.after(&self.slot("peering-tags"), [StepId(self.slot("peering-there"))]);
        id
    }

    /// EC2 keeps the tags of the request on the side that asked.
    fn tag_there(&self, plan: &mut Builder<'_>, id: &Ref, fixes: &[Problem]) {
        let (_, there) = self.regions();
        let tags = Tags::from([(tags::REMEDY.to_owned(), self.slot("peering"))]);
        let tag = Change::CreateTags { resources: vec![id.clone()], tags };
        plan.change(&self.slot("peering-tags"), there, tag, fixes);
    }

    /// Whether an earlier run made the connection, and was ended before it
    /// could tag the other side.
    fn lacks_tags(&self, plan: &Builder<'_>, id: &str) -> bool {
        let slot = StepId(self.slot("peering"));
        let (here, there) = self.regions();
        let own =
            plan.facts.of(here).is_ok_and(|facts| facts.own(&slot).iter().any(|one| one == id));
        own && plan.facts.of(there).is_ok_and(|facts| !facts.is_tagged(id))
    }

    fn activate(
        &self,
        plan: &mut Builder<'_>,
        id: &Ref,
        (requester, accepter): (&Region, &Region),
        accepts: bool,
        fixes: &[Problem],
    ) -> Vec<StepId> {
        let accept = self.slot("peering-accepted");
        let mut after = Vec::new();
        if accepts {
            plan.change(&accept, accepter, Change::AcceptPeering { peering: id.clone() }, fixes);
            plan.after(
                &accept,
                [StepId(self.slot("peering-there"))].into_iter().filter(|_| id.id().is_none()),
            );
            after.push(StepId(accept));
        }
        let sides = [("peering-active-here", requester), ("peering-active-there", accepter)];
        let wait = |(name, region): (&str, &Region)| {
            let own = if region == self.a.place.region() { self.a } else { self.b };
            let until = Until::PeeringActive { peering: id.clone(), vpc: own.vpc.clone() };
            let slot = plan.wait(&self.slot(name), region, until, fixes);
            plan.after(&slot.0, after.clone());
            slot
        };
        sides.into_iter().map(wait).collect()
    }

    /// Routes from the one network to the other.
    fn direction(
        &self,
        (from, to): (&Network<'_>, &Network<'_>),
        link: &Through<'_>,
        fixes: &[Problem],
        plan: &mut Builder<'_>,
    ) {
        for table in &from.tables {
            for cidr in &to.cidrs {
                self.route((from, to), table, *cidr, link, fixes, plan);
            }
        }
    }

    fn route(
        &self,
        (from, to): (&Network<'_>, &Network<'_>),
        table: &Table,
        cidr: Ipv4Net,
        link: &Through<'_>,
        fixes: &[Problem],
        plan: &mut Builder<'_>,
    ) {
        let region = from.place.region();
        let via = Via::Peering(link.id.clone());
        let slot = format!("{region}/route-{}-{}", table.name, cidr.to_string().replace('/', "-"));
        let id = table.id.clone();
        let change = match link.way(&table.routes, cidr) {
            Way::There => return,
            Way::Open => Change::CreateRoute { table: id, destination: cidr, via },
            Way::Blackhole if self.replaces => {
                Change::ReplaceRoute { table: id, destination: cidr, via }
            }
            Way::Blackhole => {
                let why = format!(
                    "{} has a blackhole for {cidr}: add --replace-blackholes to replace it",
                    table.id
                );
                return plan.leave(&concerning(fixes, region, to.place.region()), &why);
            }
            Way::Taken(route) => {
                let why = format!(
                    "{} sends {} elsewhere; muster changes no route that works",
                    table.id, route.destination
                );
                return plan.leave(&concerning(fixes, region, to.place.region()), &why);
            }
        };
        plan.change(&slot, region, change, fixes);
        plan.after(&slot, link.active.iter().cloned());
    }
}

/// Of several findings those that a route is about.
fn concerning(fixes: &[Problem], from: &Region, to: &Region) -> Vec<Problem> {
    let subject = crate::check::Subject::Pair(from.clone(), to.clone());
    let own = fixes.iter().filter(|one| one.check == ROUTE && one.subject == subject);
    let own: Vec<_> = own.cloned().collect();
    if own.is_empty() { vec![Problem { check: ROUTE, subject }] } else { own }
}

/// The connection that routes are to lead through.
struct Through<'a> {
    id: &'a Ref,
    /// Its state now; none where it does not exist yet.
    state: Option<PeeringState>,
    active: &'a [StepId],
}

/// What a table does with an address now.
enum Way<'a> {
    There,
    Open,
    Blackhole,
    Taken(&'a Route),
}

impl Through<'_> {
    fn way<'r>(&self, routes: &'r [Route], cidr: Ipv4Net) -> Way<'r> {
        let leads_here = |route: &Route| match &route.target {
            RouteTarget::Peering(id) => Some(id.as_str()) == self.id.id(),
            _ => false,
        };
        let part = |route: &&Route| cidr.contains(&route.destination) && route.destination != cidr;
        if let Some(other) = routes.iter().filter(part).find(|route| !leads_here(route)) {
            return Way::Taken(other);
        }
        match routes.iter().find(|route| route.destination == cidr) {
            Some(route) if leads_here(route) && self.comes_up(route) => Way::There,
            Some(route) if route.state == RouteState::Blackhole => Way::Blackhole,
            Some(route) => Way::Taken(route),
            None if self.covered(routes, cidr, &leads_here) => Way::There,
            None => Way::Open,
        }
    }

    /// A wider route does as well, as long as it is the longest prefix.
    fn covered(
        &self,
        routes: &[Route],
        cidr: Ipv4Net,
        leads_here: &dyn Fn(&Route) -> bool,
    ) -> bool {
        let covering = routes.iter().filter(|route| route.destination.contains(&cidr));
        let best = covering.max_by_key(|route| route.destination.prefix_len());
        best.is_some_and(|route| leads_here(route) && self.comes_up(route))
    }

    /// A route to a connection that is not active yet works once that is.
    fn comes_up(&self, route: &Route) -> bool {
        route.state == RouteState::Active || self.state != Some(PeeringState::Active)
    }
}
