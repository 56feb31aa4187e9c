//! Finds what a config names in a region's facts.

use crate::{
    cloud::{Image, InstanceTypeInfo, KeyPair, SecurityGroup, Subnet, Vpc},
    config::{NodeGroup, RayConfig, RegionConfig, Sourced},
    model::{Failure, ImageId, InstanceType, KeyName, SecurityGroupId, SubnetId, VpcId},
};

use super::{Fact, RegionSurvey};

/// Why something named was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent<'a> {
    /// The region was read and does not have it.
    Missing,
    /// The region could not be read.
    Unknown(&'a Failure),
}

impl<T> Fact<T> {
    /// The value, or why it is not known, for use with `?`.
    pub fn get(&self) -> Result<&T, Absent<'_>> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(failure) => Err(Absent::Unknown(failure)),
        }
    }
}

impl<T> Fact<Vec<T>> {
    fn find(&self, wanted: impl Fn(&T) -> bool) -> Result<&T, Absent<'_>> {
        self.get()?.iter().find(|item| wanted(item)).ok_or(Absent::Missing)
    }
}

impl RegionSurvey {
    /// The image `id`.
    pub fn image(&self, id: &ImageId) -> Result<&Image, Absent<'_>> {
        self.images.find(|image| image.id == *id)
    }

    /// The key pair `name`.
    pub fn key_pair(&self, name: &KeyName) -> Result<&KeyPair, Absent<'_>> {
        self.key_pairs.find(|pair| pair.name == *name)
    }

    /// The security group `id`.
    pub fn security_group(&self, id: &SecurityGroupId) -> Result<&SecurityGroup, Absent<'_>> {
        self.security_groups.find(|group| group.id == *id)
    }

    /// The ids of the security groups that nodes of `group` would carry, each
    /// where it is named: by id, or by a name in the VPC of their subnets.
    /// Missing where one of the names is no group there.
    pub fn groups_of(
        &self,
        config: &RegionConfig,
        group: &NodeGroup,
    ) -> Result<Vec<Sourced<SecurityGroupId>>, Absent<'_>> {
        let names = config.named_groups(group);
        if names.is_empty() {
            return Ok(group.template.security_groups.clone());
        }
        let subnets = self.subnets_of(config, group)?;
        let vpc = subnets.first().map(|subnet| &subnet.vpc).ok_or(Absent::Missing)?;
        let id_of = |name: &&Sourced<String>| {
            let found = self.group_named(vpc, name)?;
            Ok(Sourced { value: found.id.clone(), origin: name.origin.clone() })
        };
        names.iter().map(id_of).collect()
    }

    /// The security group of this name in `vpc`.
    pub fn group_named(&self, vpc: &VpcId, name: &str) -> Result<&SecurityGroup, Absent<'_>> {
        self.security_groups.find(|group| group.vpc == *vpc && group.name == name)
    }

    /// The subnet `id`.
    pub fn subnet(&self, id: &SubnetId) -> Result<&Subnet, Absent<'_>> {
        self.subnets.find(|subnet| subnet.id == *id)
    }

    /// The VPC `id`.
    pub fn vpc(&self, id: &VpcId) -> Result<&Vpc, Absent<'_>> {
        self.vpcs.find(|vpc| vpc.id == *id)
    }

    /// The instance type `name`.
    pub fn instance_type(&self, name: &InstanceType) -> Result<&InstanceTypeInfo, Absent<'_>> {
        self.instance_types.find(|info| info.name == *name)
    }

    /// The subnets that nodes of `group` may be launched into, at least one:
    /// those that it names, in its order, as far as they exist; where it
    /// names none, the default ones in the zones of its config. `region`: theirs.
    pub fn subnets_of(
        &self,
        region: &RegionConfig,
        group: &NodeGroup,
    ) -> Result<Vec<&Subnet>, Absent<'_>> {
        let ids = match group.template.subnets.as_slice() {
            [] => self.default_subnets.get()?.clone(),
            named => named.iter().map(|id| id.value.clone()).collect(),
        };
        let all = self.subnets.get()?;
        let config = region.config_of(group);
        let found: Vec<_> = ids
            .iter()
            .filter_map(|id| all.iter().find(|subnet| subnet.id == *id))
            .filter(|subnet| !group.template.subnets.is_empty() || allows_zone(config, subnet))
            .collect();
        if found.is_empty() { Err(Absent::Missing) } else { Ok(found) }
    }
}

/// Whether `availability_zone` lets a default subnet be used.
fn allows_zone(config: &RayConfig, subnet: &Subnet) -> bool {
    config.zones.is_empty() || config.zones.iter().any(|zone| **zone == subnet.zone)
}
