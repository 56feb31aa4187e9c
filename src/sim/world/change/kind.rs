//! What an id is of.

use crate::sim::world::{rules::Refusal, state::RegionState};

/// A kind of resource that carries tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim::world) enum Kind {
    Gateway,
    Group,
    Image,
    Instance,
    Key,
    Peering,
    Rule,
    Snapshot,
    Subnet,
    Table,
    Volume,
    Vpc,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Gateway,
        Self::Group,
        Self::Image,
        Self::Instance,
        Self::Key,
        Self::Peering,
        Self::Rule,
        Self::Snapshot,
        Self::Subnet,
        Self::Table,
        Self::Volume,
        Self::Vpc,
    ];

    /// By the id's prefix.
    pub fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| id.starts_with(kind.prefix()))
    }

    /// What its ids begin with.
    pub fn prefix(self) -> &'static str {
        self.texts().0
    }

    /// Its resource type, as `DescribeTags` has it.
    pub fn name(self) -> &'static str {
        self.texts().1
    }

    /// EC2's no to an id that is nobody's.
    pub fn missing(self, id: &str) -> Refusal {
        let (_, name, code) = self.texts();
        Refusal::new(code, format!("The {} '{id}' does not exist", name.replace('-', " ")))
    }

    /// Prefix, resource type, error code.
    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Gateway => ("igw-", "internet-gateway", "InvalidInternetGatewayID.NotFound"),
            Self::Group => ("sg-", "security-group", "InvalidGroup.NotFound"),
            Self::Image => ("ami-", "image", "InvalidAMIID.NotFound"),
            Self::Instance => ("i-", "instance", "InvalidInstanceID.NotFound"),
            Self::Key => ("key-", "key-pair", "InvalidKeyPair.NotFound"),
            Self::Peering => {
                ("pcx-", "vpc-peering-connection", "InvalidVpcPeeringConnectionID.NotFound")
            }
            Self::Rule => ("sgr-", "security-group-rule", "InvalidSecurityGroupRuleId.NotFound"),
            Self::Snapshot => ("snap-", "snapshot", "InvalidSnapshot.NotFound"),
            Self::Subnet => ("subnet-", "subnet", "InvalidSubnetID.NotFound"),
            Self::Table => ("rtb-", "route-table", "InvalidRouteTableID.NotFound"),
            Self::Volume => ("vol-", "volume", "InvalidVolume.NotFound"),
            Self::Vpc => ("vpc-", "vpc", "InvalidVpcID.NotFound"),
        }
    }
}

impl RegionState {
    /// Whether there is a `kind` of this id. Peering connections belong to two
    /// regions and are not here; of a snapshot or a volume there is nothing but its tags.
    pub(super) fn has(&self, kind: Kind, id: &str) -> bool {
        match kind {
            Kind::Gateway => self.gateways.iter().any(|one| one.id == id),
            Kind::Group => self.groups.iter().any(|one| one.id.as_str() == id),
            Kind::Image => self.images.iter().any(|one| one.image.id.as_str() == id),
            Kind::Instance => self.machines.contains_key(&id.into()),
            Kind::Key => self.keys.iter().any(|one| one.id == id),
            Kind::Peering => false,
            Kind::Rule => self.rules.iter().any(|one| one.id == id),
            Kind::Snapshot | Kind::Volume => self.tags.contains_key(id),
            Kind::Subnet => self.subnet(&id.into()).is_some(),
            Kind::Table => self.tables.iter().any(|one| one.id.as_str() == id),
            Kind::Vpc => self.vpcs.iter().any(|one| one.id.as_str() == id),
        }
    }
}
