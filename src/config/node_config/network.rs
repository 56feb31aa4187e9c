//! Where the nodes are and who is let in: `SubnetIds` and `SecurityGroupIds`,
//! or what the network interfaces name.

use crate::{
    config::{
        Sourced,
        diagnostic::ids,
        reader::{ConfigReader, Cursor},
    },
    model::{SecurityGroupId, SubnetId},
};

use super::{id, ids as list_of_ids};

/// The keys that neither Ray nor EC2 accepts together with `NetworkInterfaces`.
const BESIDE_INTERFACES: [&str; 4] =
    ["SubnetId", "SubnetIds", "SecurityGroupIds", "SecurityGroups"];
/// The keys that EC2 does not accept together with `SecurityGroups`.
const BESIDE_NAMES: [&str; 3] = ["SubnetId", "SubnetIds", "SecurityGroupIds"];

/// The subnets in order of preference, and the groups by id and by name.
#[derive(Default)]
pub(super) struct Network {
    pub subnets: Vec<Sourced<SubnetId>>,
    pub security_groups: Vec<Sourced<SecurityGroupId>>,
    pub named_groups: Vec<Sourced<String>>,
}

pub(super) fn read(place: &Cursor<'_>, reader: &mut ConfigReader) -> Network {
    if let Some(interfaces) = place.get("NetworkInterfaces") {
        let help = "each of `NetworkInterfaces` has its own `SubnetId` and `Groups`: remove it";
        conflicts(place, &BESIDE_INTERFACES, help, reader);
        return of_interfaces(&interfaces, reader);
    }
    let names = place.get("SecurityGroups");
    if names.is_some() {
        let help = "EC2 resolves groups by name only in the default VPC: name them in \
                    `SecurityGroupIds`, and remove `SecurityGroups`";
        conflicts(place, &BESIDE_NAMES, help, reader);
    }
    Network {
        subnets: subnets(place, reader),
        security_groups: list_of_ids(place, "SecurityGroupIds", "sg", reader),
        named_groups: names.map(|names| reader.texts(&names)).unwrap_or_default(),
    }
}

fn conflicts(place: &Cursor<'_>, keys: &[&str], help: &str, reader: &mut ConfigReader) {
    let other = if place.get("NetworkInterfaces").is_some() {
        "NetworkInterfaces"
    } else {
        "SecurityGroups"
    };
    for key in keys {
        if let Some(given) = place.get(key) {
            let message = format!("`{key}` and `{other}` are both given");
            reader.report(given.error(ids::CONFLICT, message).help(help));
        }
    }
}

fn subnets(place: &Cursor<'_>, reader: &mut ConfigReader) -> Vec<Sourced<SubnetId>> {
    let mut subnets = list_of_ids(place, "SubnetIds", "subnet", reader);
    if let Some(one) = place.get("SubnetId") {
        if place.get("SubnetIds").is_some() {
            let message = "`SubnetId` and `SubnetIds` are both given";
            reader.report(one.error(ids::CONFLICT, message).help("keep `SubnetIds`"));
        }
        subnets.extend(id(&one, "subnet", reader));
    }
    subnets
}

/// The primary interface sets the subnet and the groups of the nodes. Ray
/// wants a subnet and groups of every one.
fn of_interfaces(list: &Cursor<'_>, reader: &mut ConfigReader) -> Network {
    let items = list.items().filter(|item| !item.node.entries().is_empty());
    let mut networks: Vec<(i64, Network)> =
        items.map(|item| (device_index(&item), of_interface(&item, reader))).collect();
    networks.sort_by_key(|(index, _)| *index);
    networks.into_iter().next().map(|(_, network)| network).unwrap_or_default()
}

fn device_index(interface: &Cursor<'_>) -> i64 {
    interface.get("DeviceIndex").and_then(|index| index.node.int()).unwrap_or(0)
}

fn of_interface(interface: &Cursor<'_>, reader: &mut ConfigReader) -> Network {
    // One that exists has both already.
    if interface.get("NetworkInterfaceId").is_some() {
        return Network::default();
    }
    let why = "every interface needs its subnet";
    let subnet = reader.required(interface, "SubnetId", why);
    reader.required(interface, "Groups", "every interface needs its security groups");
    Network {
        subnets: subnet.and_then(|subnet| id(&subnet, "subnet", reader)).into_iter().collect(),
        security_groups: list_of_ids(interface, "Groups", "sg", reader),
        named_groups: Vec::new(),
    }
}
