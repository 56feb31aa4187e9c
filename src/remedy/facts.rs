//! What a plan needs to know beyond the survey: what muster made before, every
//! VPC's addresses, the same image elsewhere, names that are taken. Read only
//! when a plan is asked for, all regions side by side, in two rounds of calls.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use crate::{
    check::Finding,
    cloud::{
        Cloud, Image, ImageName, InternetGateway, KeyPair, Peering, Result, RouteTable,
        SecurityGroup, StepId, Subnet, SubnetFilter, Tagged, Vpc, tags,
    },
    config::{Project, RegionConfig},
    model::{Failure, ImageId, KeyName, Region, VpcId},
    survey::{Fact, Survey, named},
};

use super::{
    key,
    plan::Surplus,
    record::{Created, Record},
    unrecorded::Unrecorded,
};

/// Whose resources are read: the project by its record, its random id and its name.
#[derive(Clone, Copy)]
pub struct Owner<'a> {
    /// The project's name.
    pub name: &'a str,
    /// The project's random id.
    pub id: &'a str,
    /// What the project's journals say.
    pub record: &'a Record,
}

/// The extra facts of every region.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By region.
    pub regions: BTreeMap<Region, Fact<RegionFacts>>,
}

/// The extra facts of one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegionFacts {
    /// What is on record as created and EC2 describes, by the step that created it.
    own: BTreeMap<StepId, Vec<String>>,
    /// What is on record as created, and what EC2 does not describe.
    pub missing: Vec<Created>,
    /// What carries the project's name as a tag, but is not on record.
    pub unrecorded: Vec<Unrecorded>,
    /// What carries the tag of a step here.
    tagged: BTreeSet<String>,
    /// Every VPC of the region.
    pub vpcs: Vec<Vpc>,
    /// The subnets that are on record or tagged.
    pub subnets: Vec<Subnet>,
    /// The security groups that are on record or tagged.
    pub groups: Vec<SecurityGroup>,
    /// The route tables of VPCs that are on record or tagged.
    pub tables: Vec<RouteTable>,
    /// The internet gateways that are on record or tagged.
    pub gateways: Vec<InternetGateway>,
    /// The peering connections of the region's VPCs, where any is on record or tagged.
    pub peerings: Vec<Peering>,
    /// The images that are on record or tagged.
    images: Vec<Image>,
    /// Images of the same name and owner as those that are named here and are
    /// another region's, by the id that is named.
    pub same_images: BTreeMap<ImageId, Vec<Image>>,
    /// Those key pairs that exist of the names that a new key might get, and of
    /// those on record or tagged.
    pub key_pairs: Vec<KeyPair>,
}

impl Facts {
    /// Asks all regions.
    pub async fn read(
        project: &Project,
        survey: &Survey,
        findings: &[Finding],
        cloud: &dyn Cloud,
        owner: Owner<'_>,
    ) -> Self {
        let new_names = key::candidates(project, findings);
        let of_region = |config: &'_ RegionConfig| {
            let (region, names) = (config.region.value.clone(), new_names.clone());
            let images = lost_images(project, survey, config);
            async move {
                let facts = read_region(cloud, &region, owner, &images, &names).await;
                (region, Fact::from(facts))
            }
        };
        Self {
            regions: join_all(project.regions.iter().map(of_region)).await.into_iter().collect(),
        }
    }

    /// What is on record as created, and what EC2 does not describe.
    pub fn missing(&self) -> impl Iterator<Item = &Created> {
        self.regions.values().filter_map(|facts| facts.known()).flat_map(|facts| &facts.missing)
    }

    /// What carries the project's name as a tag, but is not on record.
    pub fn unrecorded(&self) -> impl Iterator<Item = &Unrecorded> {
        self.regions.values().filter_map(|facts| facts.known()).flat_map(|facts| &facts.unrecorded)
    }

    /// What was created twice and is not used.
    pub(super) fn surplus(&self) -> Vec<Surplus> {
        let known =
            self.regions.iter().filter_map(|(region, facts)| Some((region, facts.known()?)));
        let of_region = |(region, facts): (&Region, &'_ RegionFacts)| {
            let surplus = facts.surplus().map(|(slot, id)| Surplus {
                region: region.clone(),
                slot: slot.clone(),
                id: id.clone(),
            });
            surplus.collect::<Vec<_>>()
        };
        known.flat_map(of_region).collect()
    }

    /// What calls without an answer have created, and shows only now.
    pub fn late(&self, record: &Record) -> Vec<Unrecorded> {
        let known = self.regions.values().filter_map(|facts| facts.known());
        known.flat_map(|facts| facts.late(record)).cloned().collect()
    }

    /// What is known of `region`, or why it is not.
    pub fn of(&self, region: &Region) -> std::result::Result<&RegionFacts, Failure> {
        match self.regions.get(region) {
            Some(Fact::Known(facts)) => Ok(facts),
            Some(Fact::Unknown(failure)) => Err(failure.clone()),
            None => Err(Failure::new(format!("{region} was not read"))),
        }
    }
}

/// The images that `config` names and that only another region has.
fn lost_images(project: &Project, survey: &Survey, config: &RegionConfig) -> Vec<Image> {
    let Some(here) = survey.regions.get(&config.region.value) else { return Vec::new() };
    let missing = named::images(config)
        .into_iter()
        .filter(|id| here.image(id).is_err_and(|absent| absent == crate::survey::Absent::Missing));
    let elsewhere = |id: &ImageId| {
        let mut others = project
            .regions
            .iter()
            .filter_map(|other| survey.regions.get(&other.region.value)?.image(id).ok());
        others.next().cloned()
    };
    missing.filter_map(|id| elsewhere(id)).collect()
}

async fn read_region(
    cloud: &dyn Cloud,
    region: &Region,
    owner: Owner<'_>,
    images: &[Image],
    names: &[KeyName],
) -> Result<RegionFacts> {
    let same = join_all(images.iter().map(|image| async {
        let name = ImageName::Exact(image.name.clone());
        let found = cloud.images_named(region, &image.owner, &name).await?;
        Ok((image.id.clone(), found))
    }));
    let (tagged, vpcs, same) =
        tokio::join!(tagged(cloud, region, owner), cloud.all_vpcs(region), same);
    let (tagged, vpcs) = (tagged?, vpcs?);
    let own: Vec<Created> = owner.record.own(region).cloned().collect();
    let candidates = Candidates::of(&own, &tagged, names);
    let mut facts = candidates.read(cloud, region, &vpcs).await?;
    facts.vpcs = vpcs;
    facts.same_images = same.into_iter().collect::<Result<_>>()?;
    facts.tagged = tagged.iter().map(|one| one.id.clone()).collect();
    facts.sort(own, tagged, region, owner);
    Ok(facts)
}

/// Whether resources of this type come with another one, under its tags.
pub fn is_beside(kind: &str) -> bool {
    ["snapshot", "security-group-rule"].contains(&kind)
}

/// What carries the project's name and the tag of a step.
pub(super) async fn tagged(
    cloud: &dyn Cloud,
    region: &Region,
    owner: Owner<'_>,
) -> Result<Vec<Tagged>> {
    let tagged = cloud.tagged(region, &[tags::PROJECT, tags::REMEDY, tags::PROJECT_ID]).await?;
    let own = tagged.into_iter().filter(|one| {
        let ours = one.tags.get(tags::PROJECT).is_some_and(|name| name == owner.name);
        ours && one.tags.contains_key(tags::REMEDY) && !is_beside(&one.kind)
    });
    Ok(own.collect())
}

/// The ids to be described: those on record, and those that are tagged.
pub(super) struct Candidates {
    ids: BTreeSet<String>,
    key_names: Vec<KeyName>,
}

impl Candidates {
    pub(super) fn of(own: &[Created], tagged: &[Tagged], names: &[KeyName]) -> Self {
        let ids = own.iter().map(|one| &one.id).chain(tagged.iter().map(|one| &one.id));
        let slots = own.iter().map(|one| one.slot.0.as_str());
        let tags = tagged.iter().filter_map(|one| one.tags.get(tags::REMEDY));
        let made = slots.chain(tags.map(String::as_str)).filter_map(key::name_of);
        let mut key_names: Vec<_> = names.iter().cloned().chain(made).collect();
        key_names.sort();
        key_names.dedup();
        Self::new(ids.cloned().collect(), key_names)
    }

    pub(super) fn new(ids: BTreeSet<String>, key_names: Vec<KeyName>) -> Self {
        Self { ids, key_names }
    }

    fn ids<T: From<String>>(&self, prefix: &str) -> Vec<T> {
        let own = self.ids.iter().filter(|id| id.starts_with(prefix));
        own.map(|id| T::from(id.clone())).collect()
    }

    /// Describes them. Tables and connections can be asked for by VPC alone.
    pub(super) async fn read(
        &self,
        cloud: &dyn Cloud,
        region: &Region,
        vpcs: &[Vpc],
    ) -> Result<RegionFacts> {
        let all: Vec<VpcId> = vpcs.iter().map(|vpc| vpc.id.clone()).collect();
        let has = |prefix: &str| self.ids.iter().any(|id| id.starts_with(prefix));
        let vpcs_of = |wanted: bool| if wanted { all.clone() } else { self.ids::<VpcId>("vpc-") };
        let (of_tables, of_peerings) = (vpcs_of(has("rtb-")), vpcs_of(has("pcx-")));
        let (subnets, groups) = (self.ids("subnet-"), self.ids("sg-"));
        let (gateways, images) = (self.ids::<String>("igw-"), self.ids("ami-"));
        let subnet_filter = SubnetFilter::Ids(subnets.clone());
        let (subnets, groups, tables, gateways, peerings, images, keys) = tokio::join!(
            some(!subnets.is_empty(), cloud.subnets(region, &subnet_filter)),
            some(!groups.is_empty(), cloud.security_groups(region, &groups)),
            some(!of_tables.is_empty(), cloud.route_tables(region, &of_tables)),
            some(!gateways.is_empty(), cloud.internet_gateways(region, &gateways)),
            some(!of_peerings.is_empty(), cloud.peerings(region, &of_peerings)),
            some(!images.is_empty(), cloud.images(region, &images)),
            some(!self.key_names.is_empty(), cloud.key_pairs(region, &self.key_names)),
        );
        Ok(RegionFacts {
            subnets: subnets?,
            groups: groups?,
            tables: tables?,
            gateways: gateways?,
            peerings: peerings?,
            images: images?,
            key_pairs: keys?,
            ..RegionFacts::default()
        })
    }
}

/// EC2 takes an empty list for "all".
async fn some<T: Default>(wanted: bool, call: impl Future<Output = Result<T>>) -> Result<T> {
    if wanted { call.await } else { Ok(T::default()) }
}

impl RegionFacts {
    /// The ids of what the step `slot` created and EC2 describes, the first first.
    pub fn own(&self, slot: &StepId) -> &[String] {
        self.own.get(slot).map_or(&[], Vec::as_slice)
    }

    /// All that is on record and described, by step.
    pub fn all_own(&self) -> impl Iterator<Item = (&StepId, &String)> {
        self.own.iter().flat_map(|(slot, ids)| ids.iter().map(move |id| (slot, id)))
    }

    /// What of the unrecorded a call may have created of which nothing showed so far.
    pub(super) fn late(&self, record: &Record) -> impl Iterator<Item = &Unrecorded> {
        self.unrecorded.iter().filter(|one| {
            one.same_project
                && record.may_have_created(&one.region, &one.slot)
                && self.is_as_created(&one.id)
        })
    }

    /// Whether nobody has changed `id` since it was created: its rules are added,
    /// and it is attached, only once it is on record.
    fn is_as_created(&self, id: &str) -> bool {
        let mut groups = self.groups.iter().filter(|one| one.id.as_str() == id);
        let mut gateways = self.gateways.iter().filter(|one| one.id == id);
        groups.all(|one| one.inbound.is_empty()) && gateways.all(|one| one.vpc.is_none())
    }

    /// Whether `id` carries the tag of a step here.
    pub fn is_tagged(&self, id: &str) -> bool {
        self.tagged.contains(id)
    }

    /// Sorts what is on record, what of it EC2 does not describe, and
    /// what is only tagged.
    pub(super) fn sort(
        &mut self,
        own: Vec<Created>,
        tagged: Vec<Tagged>,
        region: &Region,
        owner: Owner<'_>,
    ) {
        for one in own {
            if self.describes(&one.id, &one.slot) {
                self.own.entry(one.slot).or_default().push(one.id);
            } else {
                self.missing.push(one);
            }
        }
        let others = tagged.into_iter().filter(|one| !owner.record.knows(&one.id));
        let others = others.filter_map(|one| Unrecorded::of(region, &one, owner.id));
        let mut others: Vec<_> = others.filter(|one| self.describes(&one.id, &one.slot)).collect();
        for one in &mut others {
            one.details = self.details(&one.id);
        }
        self.unrecorded = others;
    }

    /// Whether EC2 describes what `slot` created as `id`. A key pair is asked
    /// for by its name, which is in the step's.
    fn describes(&self, id: &str, slot: &StepId) -> bool {
        let is_key = |name| self.key_pairs.iter().any(|pair| pair.name == name);
        self.describes_id(id) || id.starts_with("key-") && key::name_of(&slot.0).is_some_and(is_key)
    }

    /// Whether EC2 describes `id`, which is not of a key pair.
    pub(super) fn describes_id(&self, id: &str) -> bool {
        match id.split('-').next().unwrap_or_default() {
            "vpc" => self.vpcs.iter().any(|one| one.id.as_str() == id),
            "subnet" => self.subnets.iter().any(|one| one.id.as_str() == id),
            "sg" => self.groups.iter().any(|one| one.id.as_str() == id),
            "rtb" => self.tables.iter().any(|one| one.id.as_str() == id),
            "igw" => self.gateways.iter().any(|one| one.id == id),
            "pcx" => self.peering(id).is_some(),
            "ami" => self.images.iter().any(|one| one.id.as_str() == id),
            _ => false,
        }
    }

    /// The VPC that `id` is in or attached to, where that is described.
    pub(super) fn vpc_of(&self, id: &str) -> Option<String> {
        let subnets = self.subnets.iter().map(|one| (one.id.as_str(), Some(&one.vpc)));
        let groups = self.groups.iter().map(|one| (one.id.as_str(), Some(&one.vpc)));
        let tables = self.tables.iter().map(|one| (one.id.as_str(), Some(&one.vpc)));
        let gateways = self.gateways.iter().map(|one| (one.id.as_str(), one.vpc.as_ref()));
        let mut all = subnets.chain(groups).chain(tables).chain(gateways);
        all.find(|(own, _)| *own == id)?.1.map(ToString::to_string)
    }

    /// Returns a connection that exists or is being created.
    pub fn peering(&self, id: &str) -> Option<&Peering> {
        let alive = |one: &&Peering| one.id.as_str() == id && crate::check::network::is_alive(one);
        self.peerings.iter().find(alive)
    }
}
