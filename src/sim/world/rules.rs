//! What EC2 refuses of a `RunInstances` call, with its codes and in about the
//! order in which it looks.

use super::{
    addresses,
    fault::Call,
    state::{HeldImage, HeldKey, HeldSubnet, RegionState},
};
use crate::{
    cloud::{
        CloudError, IamProfile, ImageState, InstanceTypeInfo, LaunchRequest, PublicKey,
        SecurityGroup,
    },
    model::{Region, SecurityGroupId, SubnetId, Zone},
    sim::scenario::format::{RegionSpec, Spec},
};
use tokio::time::Instant;

type Checked<T> = Result<T, Refusal>;

/// A no, with EC2's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: String,
    message: String,
}

impl Refusal {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// As the answer to `call`.
    pub fn of(self, call: &Call) -> CloudError {
        CloudError::answered(&call.region, call.operation, self.code, self.message)
    }
}

/// A request that names only what exists, with what that is.
pub(super) struct Order {
    pub subnet: SubnetId,
    pub zone: Zone,
    pub vcpus: u32,
    pub user: String,
    pub key: Option<PublicKey>,
    pub ebs_root: bool,
    pub groups: Vec<SecurityGroupId>,
}

impl RegionState {
    /// Looks up all that `request` names. This is all that a dry run does.
    pub fn check(&self, spec: &Spec, region: &Region, request: &LaunchRequest) -> Checked<Order> {
        check_numbers(request)?;
        let image = self.check_image(request)?;
        let key = self.check_key(request)?;
        let info = self.check_type(request, &image.image.architecture)?;
        let held = self.check_subnet(request)?;
        let groups = self.check_groups(request, held)?;
        check_profile(spec, request)?;
        let zone = held.subnet.zone.clone();
        self.check_offered(region, request, &zone)?;
        Ok(Order {
            subnet: held.subnet.id.clone(),
            zone,
            vcpus: info.vcpus,
            user: image.user.clone(),
            key,
            ebs_root: !image.instance_store,
            groups,
        })
    }

    fn check_image(&self, request: &LaunchRequest) -> Checked<&HeldImage> {
        let id = &request.image;
        if !id.as_str().starts_with("ami-") {
            let message = format!("Invalid id: \"{id}\" (expecting \"ami-...\")");
            return Err(Refusal::new("InvalidAMIID.Malformed", message));
        }
        let missing = || {
            let message = format!("The image id '[{id}]' does not exist");
            Refusal::new("InvalidAMIID.NotFound", message)
        };
        let is = |held: &&HeldImage| held.image.id == *id && self.is_visible(id.as_str());
        let held = self.images.iter().find(is).ok_or_else(missing)?;
        if held.at(Instant::now()).state != ImageState::Available {
            let message = format!("The image id '[{id}]' is not available");
            return Err(Refusal::new("InvalidAMIID.Unavailable", message));
        }
        Ok(held)
    }

    fn check_key(&self, request: &LaunchRequest) -> Checked<Option<PublicKey>> {
        let Some(name) = &request.key_name else { return Ok(None) };
        let missing = || {
            let message = format!("The key pair '{name}' does not exist");
            Refusal::new("InvalidKeyPair.NotFound", message)
        };
        let is = |held: &&HeldKey| held.pair.name == *name && self.is_visible(&held.id);
        let held = self.keys.iter().find(is).ok_or_else(missing)?;
        Ok(held.material.clone())
    }

    fn check_type(
        &self,
        request: &LaunchRequest,
        architecture: &str,
    ) -> Checked<&InstanceTypeInfo> {
        let name = &request.instance_type;
        let unknown = || invalid_value(format!("Invalid value '{name}' for InstanceType."));
        let info = self.types.get(name).ok_or_else(unknown)?;
        if info.architectures.iter().any(|own| own == architecture) {
            return Ok(info);
        }
        Err(invalid_value(format!(
            "The architecture '{}' of the specified instance type does not match the architecture \
             '{architecture}' of the specified AMI. Specify an instance type and an AMI that have \
             matching architectures, and try again.",
            info.architectures.join(",")
        )))
    }

    fn check_subnet(&self, request: &LaunchRequest) -> Checked<&HeldSubnet> {
        let Some(id) = &request.subnet else { return self.default_subnet(request) };
        let missing = || {
            let message = format!("The subnet ID '{id}' does not exist");
            Refusal::new("InvalidSubnetID.NotFound", message)
        };
        self.subnet(id).filter(|_| self.is_visible(id.as_str())).ok_or_else(missing)
    }

    /// Where EC2 puts what names no subnet: a default one, in a zone that has the type.
    fn default_subnet(&self, request: &LaunchRequest) -> Checked<&HeldSubnet> {
        let offered = |held: &&HeldSubnet| self.offers(request, &held.subnet.zone);
        let defaults = || self.subnets.iter().filter(|held| held.default);
        let missing = || {
            let message = "No default VPC for this user. GroupName is only supported for \
                           EC2-Classic and default VPC.";
            Refusal::new("VPCIdNotSpecified", message)
        };
        defaults().find(offered).or_else(|| defaults().next()).ok_or_else(missing)
    }

    /// The groups that the instances get: those of the ids, and those of the names
    /// under `SecurityGroups`, which exclude a subnet.
    fn check_groups(
        &self,
        request: &LaunchRequest,
        held: &HeldSubnet,
    ) -> Checked<Vec<SecurityGroupId>> {
        let vpc = &held.subnet.vpc;
        let mut groups = request.security_groups.clone();
        for id in &request.security_groups {
            let visible = |group: &&SecurityGroup| group.id == *id && self.is_visible(id.as_str());
            let group = self.groups.iter().find(visible);
            let message = match group {
                Some(group) if group.vpc == *vpc => continue,
                Some(_) => format!("The security group '{id}' does not exist in VPC '{vpc}'"),
                None => format!("The security group '{id}' does not exist"),
            };
            return Err(Refusal::new("InvalidGroup.NotFound", message));
        }
        let names = request.more.get("SecurityGroups").and_then(|names| names.as_array());
        for name in names.into_iter().flatten().filter_map(|name| name.as_str()) {
            let is_it = |group: &&SecurityGroup| group.name == name && group.vpc == *vpc;
            let found =
                self.groups.iter().find(|one| is_it(one) && self.is_visible(one.id.as_str()));
            groups.push(found.map(|group| group.id.clone()).ok_or_else(|| {
                let message =
                    format!("The security group '{name}' does not exist in default VPC '{vpc}'");
                Refusal::new("InvalidGroup.NotFound", message)
            })?);
        }
        Ok(groups)
    }

    fn check_offered(&self, region: &Region, request: &LaunchRequest, zone: &Zone) -> Checked<()> {
        if self.offers(request, zone) {
            return Ok(());
        }
        let name = &request.instance_type;
        let message = format!(
            "Your requested instance type ({name}) is not supported in your requested \
             Availability Zone ({zone}). Please retry your request by not specifying an \
             Availability Zone or choosing another one of {region}."
        );
        Err(Refusal::new("Unsupported", message))
    }

    fn offers(&self, request: &LaunchRequest, zone: &Zone) -> bool {
        self.offerings
            .iter()
            .any(|offer| offer.instance_type == request.instance_type && offer.zone == *zone)
    }

    /// Whether the account may have, and the zone does have, that much more.
    pub fn check_room(
        &self,
        spec: &RegionSpec,
        request: &LaunchRequest,
        order: &Order,
        now: Instant,
    ) -> Checked<()> {
        self.check_quota(spec, request, order, now)?;
        self.check_addresses(request, order)?;
        self.check_capacity(spec, request, order, now)
    }

    fn check_quota(
        &self,
        spec: &RegionSpec,
        request: &LaunchRequest,
        order: &Order,
        now: Instant,
    ) -> Checked<()> {
        let spot = request.market.is_spot();
        let Some(quota) = (if spot { spec.spot_vcpu_quota } else { spec.vcpu_quota }) else {
            return Ok(());
        };
        let used: u32 = self
            .machines
            .values()
            .filter(|machine| machine.about.spot == spot && machine.is_held_at(now))
            .map(|machine| machine.about.vcpus)
            .sum();
        if used.saturating_add(order.vcpus.saturating_mul(request.count)) <= quota {
            return Ok(());
        }
        Err(if spot {
            Refusal::new("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
        } else {
            Refusal::new("VcpuLimitExceeded", vcpu_limit(quota))
        })
    }

    fn check_addresses(&self, request: &LaunchRequest, order: &Order) -> Checked<()> {
        let held = self.subnet(&order.subnet);
        let left = held.map_or(0, |held| addresses::left(held.subnet.cidr, held.next));
        if request.count <= left {
            return Ok(());
        }
        let message = format!(
            "There are not enough free addresses in subnet '{}' to satisfy the requested number \
             of instances.",
            order.subnet
        );
        Err(Refusal::new("InsufficientFreeAddressesInSubnet", message))
    }

    fn check_capacity(
        &self,
        spec: &RegionSpec,
        request: &LaunchRequest,
        order: &Order,
        now: Instant,
    ) -> Checked<()> {
        let wanted = &request.instance_type;
        let limits = spec.capacity.iter().filter(|limit| {
            limit.zone == order.zone && limit.instance_type.as_ref().is_none_or(|own| own == wanted)
        });
        for limit in limits {
            let counts = |name| limit.instance_type.as_ref().is_none_or(|own| own == name);
            let used = self.machines.values().filter(|machine| {
                machine.about.zone == order.zone
                    && counts(&machine.about.instance_type)
                    && machine.about.token.is_some()
                    && machine.is_held_at(now)
            });
            let used = u32::try_from(used.count()).unwrap_or(u32::MAX);
            if used.saturating_add(request.count) > limit.instances {
                return Err(self.no_capacity(request, &order.zone));
            }
        }
        Ok(())
    }

    fn no_capacity(&self, request: &LaunchRequest, zone: &Zone) -> Refusal {
        let wanted = &request.instance_type;
        let others: Vec<&str> = self
            .offerings
            .iter()
            .filter(|offer| offer.instance_type == *wanted && offer.zone != *zone)
            .map(|offer| offer.zone.as_str())
            .collect();
        let message = format!(
            "We currently do not have sufficient {wanted} capacity in the Availability Zone you \
             requested ({zone}). Our system will be working on provisioning additional capacity. \
             You can currently get {wanted} capacity by not specifying an Availability Zone in \
             your request or choosing {}.",
            others.join(", ")
        );
        Refusal::new("InsufficientInstanceCapacity", message)
    }
}

fn check_numbers(request: &LaunchRequest) -> Checked<()> {
    if request.count == 0 {
        return Err(invalid_value(
            "Value (0) for parameter minCount is invalid. Must be greater than 0.".into(),
        ));
    }
    let token = request.token.as_str();
    if token.len() <= 64 && token.is_ascii() {
        return Ok(());
    }
    Err(invalid_value(format!(
        "Value ({token}) for parameter clientToken is invalid. It may have at most 64 ASCII characters."
    )))
}

fn check_profile(spec: &Spec, request: &LaunchRequest) -> Checked<()> {
    let Some(profile) = &request.iam_profile else { return Ok(()) };
    let (name, parameter) = match profile {
        IamProfile::Name(name) => (name.as_str(), "name"),
        IamProfile::Arn(arn) => (arn.rsplit('/').next().unwrap_or(arn), "arn"),
    };
    if spec.api.instance_profiles.iter().any(|own| own == name) {
        return Ok(());
    }
    Err(invalid_value(format!(
        "Value ({name}) for parameter iamInstanceProfile.{parameter} is invalid. Invalid IAM \
         Instance Profile {parameter}"
    )))
}

fn invalid_value(message: String) -> Refusal {
    Refusal::new("InvalidParameterValue", message)
}

fn vcpu_limit(quota: u32) -> String {
    format!(
        "You have requested more vCPU capacity than your current vCPU limit of {quota} allows for \
         the instance bucket that the specified instance type belongs to. Please visit \
         http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
    )
}
