//! Changes, refused where EC2 refuses them, with its codes. A file a family;
//! each change first looks at all that it needs and then has its effect, so
//! that a refused one has none.

mod gateways;
mod groups;
mod images;
mod keys;
mod kind;
mod peerings;
mod routes;
mod subnets;
mod tags;
mod vpcs;

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

pub(super) use self::kind::Kind;
use super::{
    World,
    hazards::Shows,
    rules::Refusal,
    state::{HeldImage, HeldPeering, RegionState, State},
};
use crate::{
    cloud::{Change, Ref, Tags, Vpc},
    model::{Region, VpcId},
    sim::{Pace, dice, scenario::format::HazardSpec},
};

type Checked<T> = Result<T, Refusal>;
/// The id of what a change made, if it makes something.
type MadeId = Option<String>;

/// A change under way: the region that it is made in, and what time it is.
struct Scene<'a> {
    change: &'a Change,
    region: &'a Region,
    held: &'a mut RegionState,
    peerings: &'a mut Vec<HeldPeering>,
    made: &'a mut BTreeSet<String>,
    now: Instant,
    today: Timestamp,
    times: Times,
}

/// How long things take.
struct Times {
    lag: Duration,
    provisioning: Duration,
    image_copy: Duration,
    remembers: Duration,
    hazards: HazardSpec,
    pace: Pace,
}

impl World {
    /// Makes `change`; the id of what it made.
    pub(super) fn change_in(
        &self,
        state: &mut State,
        region: &Region,
        change: &Change,
    ) -> Checked<MadeId> {
        let elsewhere = Elsewhere::of(state, change);
        let api = &self.spec.api;
        let times = Times {
            lag: self.pace.of(api.change_lag_s),
            provisioning: self.pace.of(api.provisioning_s),
            image_copy: self.pace.of(api.image_copy_s),
            remembers: self.pace.of(api.remembers_s),
            hazards: self.spec.hazards.clone(),
            pace: self.pace,
        };
        let State { regions, peerings, made } = state;
        let Some(held) = regions.get_mut(region) else { return Ok(None) };
        let (now, today) = (Instant::now(), self.clock.now());
        let mut scene = Scene { change, region, held, peerings, made, now, today, times };
        let answer = scene.play(elsewhere)?;
        if let Change::DeletePeering { peering } = change {
            // Of all things this alone can have tags in two regions.
            for held in regions.values_mut() {
                held.tags.remove(id(peering));
            }
        }
        Ok(answer)
    }
}

/// What a change needs to know of another region.
#[derive(Default)]
struct Elsewhere {
    vpc: Option<Vpc>,
    image: Option<HeldImage>,
}

impl Elsewhere {
    fn of(state: &State, change: &Change) -> Self {
        match change {
            Change::CreatePeering { peer_region, peer_vpc, .. } => {
                let vpc = state.vpc(peer_region, &VpcId::new(id(peer_vpc)));
                Self { vpc: vpc.cloned(), image: None }
            }
            Change::CopyImage { image, from, .. } => {
                let images = state.regions.get(from).map(|held| &held.images);
                let is = |held: &&HeldImage| held.image.id == *image;
                let image = images.and_then(|images| images.iter().find(is));
                Self { vpc: None, image: image.cloned() }
            }
            _ => Self::default(),
        }
    }
}

impl Scene<'_> {
    fn play(&mut self, elsewhere: Elsewhere) -> Checked<MadeId> {
        match self.change {
            Change::ImportKeyPair { name, public_key, tags } => {
                self.import_key_pair(name, public_key, tags)
            }
            Change::CopyImage { name, image, token, tags, .. } => {
                self.copy_image(name, (image, elsewhere.image), token, tags)
            }
            Change::CreateSecurityGroup { name, vpc, tags, .. } => {
                self.create_group(name, id(vpc), tags)
            }
            Change::AuthorizeIngress { group, rules, tags } => {
                self.authorize(id(group), rules, tags)
            }
            Change::CreatePeering { vpc, peer_region, peer_vpc, tags } => {
                self.create_peering(id(vpc), (peer_region, id(peer_vpc), elsewhere.vpc), tags)
            }
            Change::AcceptPeering { peering } => self.accept_peering(id(peering)),
            Change::CreateRoute { table, destination, via } => {
                self.create_route(id(table), *destination, via)
            }
            Change::ReplaceRoute { table, destination, via } => {
                self.replace_route(id(table), *destination, via)
            }
            Change::CreateVpc { cidr, tags } => self.create_vpc(*cidr, tags),
            Change::CreateSubnet { vpc, zone, cidr, tags } => {
                self.create_subnet(id(vpc), zone, *cidr, tags)
            }
            Change::MapPublicIp { subnet } => self.map_public_ip(id(subnet)),
            Change::CreateInternetGateway { tags } => Ok(Some(self.create_gateway(tags))),
            Change::AttachInternetGateway { gateway, vpc } => {
                self.attach_gateway(id(gateway), id(vpc))
            }
            Change::CreateRouteTable { vpc, tags } => self.create_table(id(vpc), tags),
            Change::AssociateRouteTable { table, subnet } => self.associate(id(table), id(subnet)),
            Change::CreateTags { resources, tags } => self.create_tags(resources, tags),
            Change::DeletePeering { peering } => self.delete_peering(id(peering)),
            Change::DeleteSecurityGroup { group } => self.delete_group(id(group)),
            Change::DeleteSubnet { subnet } => self.delete_subnet(id(subnet)),
            Change::DeleteRouteTable { table } => self.delete_table(id(table)),
            Change::DetachInternetGateway { gateway, vpc } => {
                self.detach_gateway(id(gateway), id(vpc))
            }
            Change::DeleteInternetGateway { gateway } => self.delete_gateway(id(gateway)),
            Change::DeleteVpc { vpc } => self.delete_vpc(id(vpc)),
        }
    }

    /// An id that nothing had before, drawn from the change and not from the
    /// order of changes; `role` distinguishes what one change creates.
    fn new_id(&mut self, kind: Kind, role: &str) -> String {
        let change = serde_json::to_string(self.change).unwrap_or_default();
        let prefix = kind.prefix();
        let mut nth = 0_u32;
        loop {
            let seed = [self.region.as_str(), prefix, role, &change, &nth.to_string()];
            let id = format!("{prefix}{}", dice::hex17(&seed));
            if self.made.insert(id.clone()) {
                return id;
            }
            nth += 1;
        }
    }

    /// The id of something new, which carries `tags` and which calls know of
    /// after the scenario's lag.
    fn make(&mut self, kind: Kind, role: &str, tags: &Tags) -> String {
        let id = self.new_id(kind, role);
        let drawn = self.times.hazards.lag(self.times.pace, &id);
        if !(self.times.lag + drawn).is_zero() {
            let shows = Shows::after(self.times.lag, drawn, &id);
            self.held.visible_from.insert(id.clone(), shows);
        }
        self.delay_tags(&id);
        if !tags.is_empty() {
            self.held.tags.insert(id.clone(), tags.clone());
        }
        id
    }

    /// Has the tags of `id` show late.
    fn delay_tags(&mut self, id: &str) {
        let drawn = self.times.hazards.tag_lag(self.times.pace, id);
        if !drawn.is_zero() {
            let shows = Shows::after(Duration::ZERO, drawn, id);
            self.held.tags_from.insert(id.to_owned(), shows);
        }
    }

    /// Something in the VPC was deleted: EC2 takes a while to see it.
    fn keep_busy(&mut self, vpc: &VpcId) {
        let lasts = self.times.hazards.busy(self.times.pace, vpc.as_str());
        if !lasts.is_zero() {
            self.held.busy_until.insert(vpc.clone(), self.now + lasts);
        }
    }

    /// Takes back what goes with everything that has an id.
    fn forget(&mut self, id: &str) {
        self.held.tags.remove(id);
        self.held.visible_from.remove(id);
        self.held.tags_from.remove(id);
    }

    /// Whether there is a `kind` of this id that calls see.
    fn check(&self, kind: Kind, id: &str) -> Checked<()> {
        let there = match kind {
            Kind::Peering => self
                .peerings
                .iter()
                .any(|one| one.peering.id.as_str() == id && one.is_visible(self.region, self.now)),
            _ => self.held.has(kind, id) && self.held.is_visible(id),
        };
        if there { Ok(()) } else { Err(kind.missing(id)) }
    }
}

/// The id that a reference is by now.
fn id(reference: &Ref) -> &str {
    reference.id().unwrap_or_default()
}

fn dependent(what: &str, id: &str) -> Refusal {
    let message = format!("The {what} '{id}' has dependencies and cannot be deleted.");
    Refusal::new("DependencyViolation", message)
}

fn invalid(message: String) -> Refusal {
    Refusal::new("InvalidParameterValue", message)
}
