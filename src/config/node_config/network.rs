//! Where the nodes are and who is let in: `SubnetIds` and `SecurityGroupIds`,
//! or what the network interfaces name.

use crate::{
    config::{
        Sourced,
        diagnostic::ids,
        form::{Form, Place},
    },
    model::{SecurityGroupId, SubnetId},
};

use super::{id, ids as list_of_ids};

/// What stands beside `NetworkInterfaces` neither for Ray nor for EC2.
const BESIDE_INTERFACES: [&str; 4] =
    ["SubnetId", "SubnetIds", "SecurityGroupIds", "SecurityGroups"];
/// What stands beside `SecurityGroups` not for EC2.
const BESIDE_NAMES: [&str; 3] = ["SubnetId", "SubnetIds", "SecurityGroupIds"];

/// The subnets in order of preference, and the groups by id and by name.
#[derive(Default)]
pub(super) struct Network {
    pub subnets: Vec<Sourced<SubnetId>>,
    pub security_groups: Vec<Sourced<SecurityGroupId>>,
    pub named_groups: Vec<Sourced<String>>,
}

pub(super) fn read(place: &Place<'_>, form: &mut Form) -> Network {
    if let Some(interfaces) = place.get("NetworkInterfaces") {
        let help = "each of `NetworkInterfaces` has its own `SubnetId` and `Groups`: remove it";
        conflicts(place, &BESIDE_INTERFACES, help, form);
        return of_interfaces(&interfaces, form);
    }
    let names = place.get("SecurityGroups");
    if names.is_some() {
        let help = "EC2 looks for groups by name in the default VPC alone: name them in \
                    `SecurityGroupIds`, and remove `SecurityGroups`";
        conflicts(place, &BESIDE_NAMES, help, form);
    }
    Network {
        subnets: subnets(place, form),
        security_groups: list_of_ids(place, "SecurityGroupIds", "sg", form),
        named_groups: names.map(|names| form.texts(&names)).unwrap_or_default(),
    }
}

fn conflicts(place: &Place<'_>, keys: &[&str], help: &str, form: &mut Form) {
    let other = if place.get("NetworkInterfaces").is_some() {
        "NetworkInterfaces"
    } else {
        "SecurityGroups"
    };
    for key in keys {
        if let Some(given) = place.get(key) {
            let message = format!("`{key}` and `{other}` are both given");
            form.report(given.error(ids::CONFLICT, message).help(help));
        }
    }
}

fn subnets(place: &Place<'_>, form: &mut Form) -> Vec<Sourced<SubnetId>> {
    let mut subnets = list_of_ids(place, "SubnetIds", "subnet", form);
    if let Some(one) = place.get("SubnetId") {
        if place.get("SubnetIds").is_some() {
            let message = "`SubnetId` and `SubnetIds` are both given";
            form.report(one.error(ids::CONFLICT, message).help("keep `SubnetIds`"));
        }
        subnets.extend(id(&one, "subnet", form));
    }
    subnets
}

/// The primary interface says where the nodes are and who reaches them. Ray
/// wants a subnet and groups of every one.
fn of_interfaces(list: &Place<'_>, form: &mut Form) -> Network {
    let items = list.items().filter(|item| !item.node.entries().is_empty());
    let mut networks: Vec<(i64, Network)> =
        items.map(|item| (device_index(&item), of_interface(&item, form))).collect();
    networks.sort_by_key(|(index, _)| *index);
    networks.into_iter().next().map(|(_, network)| network).unwrap_or_default()
}

fn device_index(interface: &Place<'_>) -> i64 {
    interface.get("DeviceIndex").and_then(|index| index.node.int()).unwrap_or(0)
}

fn of_interface(interface: &Place<'_>, form: &mut Form) -> Network {
    // One that exists has both already.
    if interface.get("NetworkInterfaceId").is_some() {
        return Network::default();
    }
    let why = "every interface needs its subnet";
    let subnet = form.required(interface, "SubnetId", why);
    form.required(interface, "Groups", "every interface needs its security groups");
    Network {
        subnets: subnet.and_then(|subnet| id(&subnet, "subnet", form)).into_iter().collect(),
        security_groups: list_of_ids(interface, "Groups", "sg", form),
        named_groups: Vec::new(),
    }
}
