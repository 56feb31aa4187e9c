//! The changes that muster makes to an account in addition to launching: one mutating
//! EC2 call each, with its exact parameters, as plain data. The same value is shown,
//! printed as an `aws` command, journalled and applied.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::{CloudError, ErrorKind, PortRange, PublicKey, Result, Tags};
use crate::model::{ImageId, InstanceId, KeyName, Region, VpcId, Zone, breadth};

/// A resource: an existing one, or one that an earlier step of the same
/// plan creates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ref {
    /// There already, by its id.
    Id(String),
    /// Made by the step of this name.
    Made(StepId),
}

/// The name of a step, unique in a plan and the same in every run of it:
/// `eu-west-1/vpc`. What a step makes carries it as the tag `muster:remedy`,
/// by which a later run finds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

/// Whom an inbound rule admits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Addresses.
    Cidr(Ipv4Net),
    /// All members of the group.
    Group(Ref),
}

/// One inbound rule to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundRule {
    /// TCP ports.
    pub ports: PortRange,
    /// From whom.
    pub source: Source,
    /// What the console shows next to it: at most 255 characters of EC2's own set.
    pub description: String,
}

impl InboundRule {
    /// Those of `rules`, by their places, that open a port to more public addresses
    /// than one site has, by themselves or together.
    pub fn wide(rules: &[&Self]) -> BTreeSet<usize> {
        let opens = |port: u16| {
            let at = rules.iter().enumerate();
            let at = at.filter(move |(_, rule)| (rule.ports.from..=rule.ports.to).contains(&port));
            let net = |(place, rule): (usize, &&Self)| match rule.source {
                Source::Cidr(cidr) => Some((place, cidr.into())),
                Source::Group(_) => None,
            };
            breadth::wide(at.filter_map(net).collect())
        };
        // Between two first ports the same rules apply, or fewer.
        let firsts: BTreeSet<u16> = rules.iter().map(|rule| rule.ports.from).collect();
        firsts.into_iter().flat_map(opens).map(|(place, _)| place).collect()
    }
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// A peering connection.
    Peering(Ref),
    /// An internet gateway.
    Gateway(Ref),
}

/// One mutating call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub enum Change {
    /// `ImportKeyPair`; makes a key pair, and answers its `key-…` id.
    ImportKeyPair {
        /// Its name.
        name: KeyName,
        /// The public half.
        public_key: PublicKey,
        /// Its tags.
        tags: Tags,
    },
    /// `CopyImage` into the region; makes an image.
    CopyImage {
        /// The copy's name.
        name: String,
        /// What to copy.
        image: ImageId,
        /// From where.
        from: Region,
        /// `ClientToken`.
        token: String,
        /// Tags of the image and its snapshots.
        tags: Tags,
    },
    /// `CreateSecurityGroup`; makes a group without inbound rules.
    CreateSecurityGroup {
        /// Its name, unique in the VPC.
        name: String,
        /// Its description.
        description: String,
        /// Its VPC.
        vpc: Ref,
        /// Its tags.
        tags: Tags,
    },
    /// `AuthorizeSecurityGroupIngress`.
    AuthorizeIngress {
        /// The group.
        group: Ref,
        /// What to let in.
        rules: Vec<InboundRule>,
        /// Tags of the rules.
        tags: Tags,
    },
    /// `CreateVpcPeeringConnection`, requested by the region; creates a peering connection.
    CreatePeering {
        /// The VPC here.
        vpc: Ref,
        /// The other region.
        peer_region: Region,
        /// The VPC there.
        peer_vpc: Ref,
        /// Its tags; EC2 keeps them on this side alone.
        tags: Tags,
    },
    /// `AcceptVpcPeeringConnection`, in the accepter's region.
    AcceptPeering {
        /// The connection.
        peering: Ref,
    },
    /// `CreateRoute`.
    CreateRoute {
        /// The table.
        table: Ref,
        /// For these addresses.
        destination: Ipv4Net,
        /// Through this.
        via: Via,
    },
    /// `ReplaceRoute`.
    ReplaceRoute {
        /// The table.
        table: Ref,
        /// The destination of the existing route.
        destination: Ipv4Net,
        /// Through this from now on.
        via: Via,
    },
    /// `CreateVpc`; makes a VPC.
    CreateVpc {
        /// Its addresses.
        cidr: Ipv4Net,
        /// Its tags.
        tags: Tags,
    },
    /// `CreateSubnet`; makes a subnet.
    CreateSubnet {
        /// In this VPC.
        vpc: Ref,
        /// In this zone.
        zone: Zone,
        /// Its addresses.
        cidr: Ipv4Net,
        /// Its tags.
        tags: Tags,
    },
    /// `ModifySubnetAttribute`: instances get a public address at launch.
    MapPublicIp {
        /// The subnet.
        subnet: Ref,
    },
    /// `CreateInternetGateway`; makes a gateway.
    CreateInternetGateway {
        /// Its tags.
        tags: Tags,
    },
    /// `AttachInternetGateway`.
    AttachInternetGateway {
        /// The gateway.
        gateway: Ref,
        /// To this VPC.
        vpc: Ref,
    },
    /// `CreateRouteTable`; makes a table.
    CreateRouteTable {
        /// In this VPC.
        vpc: Ref,
        /// Its tags.
        tags: Tags,
    },
    /// `AssociateRouteTable`.
    AssociateRouteTable {
        /// The table.
        table: Ref,
        /// With this subnet.
        subnet: Ref,
    },
    /// `CreateTags`, on what another call made without tags.
    CreateTags {
        /// What to tag.
        resources: Vec<Ref>,
        /// With these.
        tags: Tags,
    },
    /// `DeleteVpcPeeringConnection`.
    DeletePeering {
        /// The connection.
        peering: Ref,
    },
    /// `DeleteSecurityGroup`.
    DeleteSecurityGroup {
        /// The group.
        group: Ref,
    },
    /// `DeleteSubnet`, with its associations.
    DeleteSubnet {
        /// The subnet.
        subnet: Ref,
    },
    /// `DeleteRouteTable`.
    DeleteRouteTable {
        /// The table.
        table: Ref,
    },
    /// `DetachInternetGateway`.
    DetachInternetGateway {
        /// The gateway.
        gateway: Ref,
        /// From this VPC.
        vpc: Ref,
    },
    /// `DeleteInternetGateway`.
    DeleteInternetGateway {
        /// The gateway.
        gateway: Ref,
    },
    /// `DeleteVpc`.
    DeleteVpc {
        /// The VPC.
        vpc: Ref,
    },
}

/// Something in a region that carries tags of muster's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tagged {
    /// Its id.
    pub id: String,
    /// What it is, as EC2 names resource types: `vpc`, `security-group`, `key-pair`.
    pub kind: String,
    /// The requested tags that it has.
    pub tags: Tags,
}

/// A network interface: something that has an address in a VPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its id: `eni-…`.
    pub id: String,
    /// Its VPC.
    pub vpc: VpcId,
    /// The instance that it belongs to, if it is one's.
    pub instance: Option<InstanceId>,
    /// What it is for, as its creator wrote it.
    pub description: String,
}

/// The ids of what the steps of a plan have made.
pub type Made = BTreeMap<StepId, String>;

impl Ref {
    /// The id, if it is known already.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Made(_) => None,
        }
    }

    /// The step that creates it, if it does not exist yet.
    pub fn slot(&self) -> Option<&StepId> {
        match self {
            Self::Id(_) => None,
            Self::Made(slot) => Some(slot),
        }
    }

    /// The same by its id, where that is known by now.
    #[must_use]
    pub fn with(&self, made: &Made) -> Self {
        let id = self.slot().and_then(|slot| made.get(slot));
        id.map_or_else(|| self.clone(), |id| Self::Id(id.clone()))
    }
}

impl From<&str> for Ref {
    fn from(id: &str) -> Self {
        Self::Id(id.to_owned())
    }
}

impl std::fmt::Display for Ref {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => f.pad(id),
            Self::Made(slot) => f.pad(&format!("<{slot}>")),
        }
    }
}

impl std::fmt::Display for StepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl Change {
    /// The API operation: `CreateVpc`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::ImportKeyPair { .. } => "ImportKeyPair",
            Self::CopyImage { .. } => "CopyImage",
            Self::CreateSecurityGroup { .. } => "CreateSecurityGroup",
            Self::AuthorizeIngress { .. } => "AuthorizeSecurityGroupIngress",
            Self::CreatePeering { .. } => "CreateVpcPeeringConnection",
            Self::AcceptPeering { .. } => "AcceptVpcPeeringConnection",
            Self::CreateRoute { .. } => "CreateRoute",
            Self::ReplaceRoute { .. } => "ReplaceRoute",
            Self::CreateVpc { .. } => "CreateVpc",
            Self::CreateSubnet { .. } => "CreateSubnet",
            Self::MapPublicIp { .. } => "ModifySubnetAttribute",
            Self::CreateInternetGateway { .. } => "CreateInternetGateway",
            Self::AttachInternetGateway { .. } => "AttachInternetGateway",
            Self::CreateRouteTable { .. } => "CreateRouteTable",
            Self::AssociateRouteTable { .. } => "AssociateRouteTable",
            Self::CreateTags { .. } => "CreateTags",
            Self::DeletePeering { .. } => "DeleteVpcPeeringConnection",
            Self::DeleteSecurityGroup { .. } => "DeleteSecurityGroup",
            Self::DeleteSubnet { .. } => "DeleteSubnet",
            Self::DeleteRouteTable { .. } => "DeleteRouteTable",
            Self::DetachInternetGateway { .. } => "DetachInternetGateway",
            Self::DeleteInternetGateway { .. } => "DeleteInternetGateway",
            Self::DeleteVpc { .. } => "DeleteVpc",
        }
    }

    /// Whether EC2 answers with the id of something new.
    pub fn makes(&self) -> bool {
        matches!(
            self,
            Self::ImportKeyPair { .. }
                | Self::CopyImage { .. }
                | Self::CreateSecurityGroup { .. }
                | Self::CreatePeering { .. }
                | Self::CreateVpc { .. }
                | Self::CreateSubnet { .. }
                | Self::CreateInternetGateway { .. }
                | Self::CreateRouteTable { .. }
        )
    }

    /// Whether EC2 refuses to make a second one: of a name, of addresses in a
    /// VPC, between two VPCs, with a token.
    pub fn is_unique(&self) -> bool {
        matches!(
            self,
            Self::ImportKeyPair { .. }
                | Self::CopyImage { .. }
                | Self::CreateSecurityGroup { .. }
                | Self::CreatePeering { .. }
                | Self::CreateSubnet { .. }
        )
    }

    /// Whether it takes something away.
    pub fn deletes(&self) -> bool {
        matches!(
            self,
            Self::DeletePeering { .. }
                | Self::DeleteSecurityGroup { .. }
                | Self::DeleteSubnet { .. }
                | Self::DeleteRouteTable { .. }
                | Self::DetachInternetGateway { .. }
                | Self::DeleteInternetGateway { .. }
                | Self::DeleteVpc { .. }
        )
    }

    /// The same call with the ids of what has been created meanwhile.
    #[must_use]
    pub fn with(mut self, made: &Made) -> Self {
        for reference in self.refs_mut() {
            *reference = reference.with(made);
        }
        self
    }

    /// What it refers to that is not known by its id yet.
    pub fn waits_for(&self) -> Vec<StepId> {
        let mut own = self.clone();
        own.refs_mut().into_iter().filter_map(|one| one.slot().cloned()).collect()
    }

    /// The ids of what it refers to, as far as they are known.
    pub fn ids(&self) -> Vec<String> {
        let mut own = self.clone();
        own.refs_mut().into_iter().filter_map(|one| one.id().map(str::to_owned)).collect()
    }

    /// What it deletes.
    pub fn deleted(&self) -> Option<&Ref> {
        match self {
            Self::DeletePeering { peering: one }
            | Self::DeleteSecurityGroup { group: one }
            | Self::DeleteSubnet { subnet: one }
            | Self::DeleteRouteTable { table: one }
            | Self::DeleteInternetGateway { gateway: one }
            | Self::DeleteVpc { vpc: one } => Some(one),
            _ => None,
        }
    }

    /// Whether everything that it refers to is known by its id, as it has to
    /// be before it is carried out.
    pub(crate) fn check_settled(&self, region: &Region) -> Result<()> {
        let Some(slot) = self.waits_for().into_iter().next() else { return Ok(()) };
        Err(CloudError {
            kind: ErrorKind::Other,
            code: None,
            message: format!("a mistake of muster's: nothing has been made by {slot} yet"),
            region: region.clone(),
            operation: self.operation(),
        })
    }

    /// The tags that it sets, for adding those that everything carries.
    pub fn tags_mut(&mut self) -> Option<&mut Tags> {
        match self {
            Self::ImportKeyPair { tags, .. }
            | Self::CopyImage { tags, .. }
            | Self::CreateSecurityGroup { tags, .. }
            | Self::AuthorizeIngress { tags, .. }
            | Self::CreatePeering { tags, .. }
            | Self::CreateVpc { tags, .. }
            | Self::CreateSubnet { tags, .. }
            | Self::CreateInternetGateway { tags }
            | Self::CreateRouteTable { tags, .. }
            | Self::CreateTags { tags, .. } => Some(tags),
            _ => None,
        }
    }

    fn refs_mut(&mut self) -> Vec<&mut Ref> {
        match self {
            Self::ImportKeyPair { .. }
            | Self::CopyImage { .. }
            | Self::CreateVpc { .. }
            | Self::CreateInternetGateway { .. } => Vec::new(),
            Self::CreateSecurityGroup { vpc, .. }
            | Self::CreateSubnet { vpc, .. }
            | Self::CreateRouteTable { vpc, .. }
            | Self::DeleteVpc { vpc } => vec![vpc],
            Self::AuthorizeIngress { group, rules, .. } => {
                let sources = rules.iter_mut().filter_map(|rule| match &mut rule.source {
                    Source::Group(group) => Some(group),
                    Source::Cidr(_) => None,
                });
                std::iter::once(group).chain(sources).collect()
            }
            Self::CreatePeering { vpc, peer_vpc, .. } => vec![vpc, peer_vpc],
            Self::AcceptPeering { peering } | Self::DeletePeering { peering } => vec![peering],
            Self::CreateRoute { table, via, .. } | Self::ReplaceRoute { table, via, .. } => {
                let (Via::Peering(through) | Via::Gateway(through)) = via;
                vec![table, through]
            }
            Self::MapPublicIp { subnet } | Self::DeleteSubnet { subnet } => vec![subnet],
            Self::AttachInternetGateway { gateway, vpc }
            | Self::DetachInternetGateway { gateway, vpc } => vec![gateway, vpc],
            Self::AssociateRouteTable { table, subnet } => vec![table, subnet],
            Self::CreateTags { resources, .. } => resources.iter_mut().collect(),
            Self::DeleteSecurityGroup { group } => vec![group],
            Self::DeleteRouteTable { table } => vec![table],
            Self::DeleteInternetGateway { gateway } => vec![gateway],
        }
    }
}
