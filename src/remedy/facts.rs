//! What a plan needs to know beyond the survey: what muster made before, every
//! VPC's addresses, the same image elsewhere, names that are taken. Read only
//! when a plan is asked for, all regions side by side, in two rounds of calls.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::{
    check::{Finding, network::is_alive},
    cloud::{
        Cloud, Image, ImageName, KeyPair, Peering, Result, RouteTable, SecurityGroup, Slot, Subnet,
        SubnetFilter, Tagged, Vpc, tags,
    },
    config::{Project, RegionConfig},
    model::{Failure, ImageId, KeyName, Region, VpcId},
    survey::{Fact, Survey, named},
};

use super::key;

/// The extra facts of every region.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// By region.
    pub regions: BTreeMap<Region, Fact<RegionFacts>>,
}

/// The extra facts of one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegionFacts {
    /// What muster made for this project and still is there, by the step that made it.
    pub made: BTreeMap<Slot, Tagged>,
    /// Every VPC of the region.
    pub vpcs: Vec<Vpc>,
    /// The subnets among what was made.
    pub subnets: Vec<Subnet>,
    /// The security groups among what was made.
    pub groups: Vec<SecurityGroup>,
    /// The route tables of VPCs among what was made.
    pub tables: Vec<RouteTable>,
    /// The peering connections of VPCs among what was made.
    pub peerings: Vec<Peering>,
    /// Images of the same name and owner as those that are named here and are
    /// another region's, by the id that is named.
    pub same_images: BTreeMap<ImageId, Vec<Image>>,
    /// Those key pairs that exist of the names that a new key might get.
    pub key_pairs: Vec<KeyPair>,
}

impl Facts {
    /// Asks all regions.
    pub async fn read(
        project: &Project,
        survey: &Survey,
        findings: &[Finding],
        cloud: &dyn Cloud,
    ) -> Self {
        let new_names = key::candidates(project, findings);
        let of_region = |config: &'_ RegionConfig| {
            let (region, names) = (config.region.value.clone(), new_names.clone());
            let images = lost_images(project, survey, config);
            let project = project.name.value.clone();
            async move {
                let facts = read_region(cloud, &region, &project, &images, &names).await;
                (region, Fact::from(facts))
            }
        };
        Self {
            regions: join_all(project.regions.iter().map(of_region)).await.into_iter().collect(),
        }
    }

    /// What is known of `region`, or why it is not.
    pub fn of(&self, region: &Region) -> std::result::Result<&RegionFacts, Failure> {
        match self.regions.get(region) {
            Some(Fact::Known(facts)) => Ok(facts),
            Some(Fact::Unknown(failure)) => Err(failure.clone()),
            None => Err(Failure::new(format!("{region} was not asked"))),
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
    project: &str,
    images: &[Image],
    names: &[KeyName],
) -> Result<RegionFacts> {
    let same = join_all(images.iter().map(|image| async {
        let name = ImageName::Exact(image.name.clone());
        let found = cloud.images_named(region, &image.owner, &name).await?;
        Ok((image.id.clone(), found))
    }));
    let keys = async {
        if names.is_empty() { Ok(Vec::new()) } else { cloud.key_pairs(region, names).await }
    };
    let (made, vpcs, same, key_pairs) =
        tokio::join!(made(cloud, region, project), cloud.all_vpcs(region), same, keys);
    let facts = RegionFacts {
        made: made?,
        vpcs: vpcs?,
        same_images: same.into_iter().collect::<Result<_>>()?,
        key_pairs: key_pairs?,
        ..RegionFacts::default()
    };
    read_made(cloud, region, facts).await
}

/// Resource types that come with another one, under its tags.
const BESIDE: [&str; 2] = ["snapshot", "security-group-rule"];

/// What muster made for `project`, by the step that made it. Instances are no remedy's.
async fn made(cloud: &dyn Cloud, region: &Region, project: &str) -> Result<BTreeMap<Slot, Tagged>> {
    let tagged = cloud.tagged(region, &[tags::PROJECT, tags::REMEDY]).await?;
    let own = tagged.into_iter().filter(|one| {
        let ours = one.tags.get(tags::PROJECT).is_some_and(|name| name == project);
        ours && !BESIDE.contains(&one.kind.as_str())
    });
    let by_slot = own.filter_map(|one| Some((Slot(one.tags.get(tags::REMEDY)?.clone()), one)));
    Ok(by_slot.collect())
}

/// Describes what was made: how far an earlier run came with it.
async fn read_made(
    cloud: &dyn Cloud,
    region: &Region,
    mut facts: RegionFacts,
) -> Result<RegionFacts> {
    let vpcs = facts.ids::<VpcId>("vpc");
    let (subnets, groups) = (facts.ids("subnet"), facts.ids("security-group"));
    let subnet_filter = SubnetFilter::Ids(subnets.clone());
    let (subnets, groups, tables, peerings) = tokio::join!(
        some(!subnets.is_empty(), cloud.subnets(region, &subnet_filter)),
        some(!groups.is_empty(), cloud.security_groups(region, &groups)),
        some(!vpcs.is_empty(), cloud.route_tables(region, &vpcs)),
        some(!vpcs.is_empty(), cloud.peerings(region, &vpcs)),
    );
    (facts.subnets, facts.groups, facts.tables, facts.peerings) =
        (subnets?, groups?, tables?, peerings?);
    facts.forget_what_is_gone();
    Ok(facts)
}

/// EC2 takes an empty list for "all".
async fn some<T: Default>(wanted: bool, call: impl Future<Output = Result<T>>) -> Result<T> {
    if wanted { call.await } else { Ok(T::default()) }
}

impl RegionFacts {
    /// The id of what the step `slot` made, if it still is there.
    pub fn made(&self, slot: &Slot) -> Option<&str> {
        self.made.get(slot).map(|one| one.id.as_str())
    }

    /// Tags may be told longer than what they are on.
    fn forget_what_is_gone(&mut self) {
        let Self { made, vpcs, subnets, groups, tables, peerings, .. } = self;
        made.retain(|_, one| {
            let id = one.id.as_str();
            match one.kind.as_str() {
                "vpc" => vpcs.iter().any(|vpc| vpc.id.as_str() == id),
                "subnet" => subnets.iter().any(|subnet| subnet.id.as_str() == id),
                "security-group" => groups.iter().any(|group| group.id.as_str() == id),
                "route-table" => tables.iter().any(|table| table.id.as_str() == id),
                "vpc-peering-connection" => {
                    let gone = |one: &Peering| one.id.as_str() == id && !is_alive(one);
                    !peerings.iter().any(gone)
                }
                _ => true,
            }
        });
    }

    fn ids<T: From<String>>(&self, kind: &str) -> Vec<T> {
        let of_kind = self.made.values().filter(|one| one.kind == kind);
        of_kind.map(|one| T::from(one.id.clone())).collect()
    }
}
