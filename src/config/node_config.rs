//! `node_config`: the arguments of `RunInstances`.

use super::{
    NodeTemplate, Sourced, aws,
    diagnostic::ids,
    form::{Form, Place},
    keys::{self, NODE_CONFIG},
    text,
};
use crate::{
    cloud::{BlockDevice, IamProfile, Market, Tags},
    model::{ImageId, InstanceType, KeyName, SecurityGroupId, SubnetId},
};

/// What EC2 takes as user data at most, in bytes before base64.
const MAX_USER_DATA: usize = 16 * 1024;

/// Reads a `node_config`. `None` where there is no usable `InstanceType`; what
/// else is wrong is reported.
pub(super) fn read(place: Place<'_>, form: &mut Form) -> Option<NodeTemplate> {
    let place = form.map(place)?;
    keys::check(NODE_CONFIG, &place, form);
    let instance_type = instance_type(&place, form);
    let template = NodeTemplate {
        instance_type: instance_type.unwrap_or_else(|| place.sourced(InstanceType::default())),
        image: place.get("ImageId").and_then(|image| image_id(&image, form)),
        key_name: place.get("KeyName").and_then(|name| wrapped::<KeyName>(&name, form)),
        security_groups: ids::<SecurityGroupId>(&place, "SecurityGroupIds", "sg", form),
        subnets: subnets(&place, form),
        iam_profile: place.get("IamInstanceProfile").and_then(|profile| iam(profile, form)),
        block_devices: block_devices(&place, form),
        tags: tags(&place, form),
        user_data: place.get("UserData").and_then(|data| user_data(&data, form)),
        market: place
            .get("InstanceMarketOptions")
            .map_or_else(Market::default, |m| market(m, form)),
    };
    (!template.instance_type.as_str().is_empty()).then_some(template)
}

fn instance_type(place: &Place<'_>, form: &mut Form) -> Option<Sourced<InstanceType>> {
    let place =
        form.required(place, "InstanceType", "give the EC2 instance type, such as `m5.large`")?;
    let name = form.text(&place)?;
    if !aws::is_instance_type(&name) {
        let message = format!("`{}` is no EC2 instance type", text::shown(&name));
        form.report(place.error(ids::INVALID_VALUE, message).help("write it like `m5.large`"));
        return None;
    }
    Some(place.sourced(name.value.into()))
}

fn wrapped<T: From<String>>(place: &Place<'_>, form: &mut Form) -> Option<Sourced<T>> {
    form.text(place).map(|text| place.sourced(text.value.into()))
}

fn image_id(place: &Place<'_>, form: &mut Form) -> Option<Sourced<ImageId>> {
    let image = form.text(place)?;
    if image.starts_with("resolve:ssm:") || *image == "latest_dlami" {
        let message = format!("muster does not resolve the image `{}` yet", text::shown(&image));
        let help = "give the image's id in this region, `ami-…`";
        form.report(place.error(ids::NOT_SUPPORTED, message).help(help));
        return None;
    }
    id(place, "ami", form)
}

/// An EC2 id of the kind that `prefix` says.
fn id<T: From<String>>(place: &Place<'_>, prefix: &str, form: &mut Form) -> Option<Sourced<T>> {
    let text = form.text(place)?;
    if !aws::is_id(&text, prefix) {
        let message = format!("`{}` is not an id", text::shown(&text));
        let help = format!("an id here is `{prefix}-` and letters and digits");
        form.report(place.error(ids::INVALID_VALUE, message).help(help));
        return None;
    }
    Some(place.sourced(text.value.into()))
}

fn ids<T: From<String>>(
    map: &Place<'_>,
    key: &str,
    prefix: &str,
    form: &mut Form,
) -> Vec<Sourced<T>> {
    let items = map.get(key).map(|list| form.list(&list)).unwrap_or_default();
    items.iter().filter_map(|item| id(item, prefix, form)).collect()
}

fn subnets(place: &Place<'_>, form: &mut Form) -> Vec<Sourced<SubnetId>> {
    let mut subnets = ids(place, "SubnetIds", "subnet", form);
    if let Some(one) = place.get("SubnetId") {
        if place.get("SubnetIds").is_some() {
            let message = "`SubnetId` and `SubnetIds` are both given";
            form.report(one.error(ids::CONFLICT, message).help("keep `SubnetIds`"));
        }
        subnets.extend(id(&one, "subnet", form));
    }
    subnets
}

fn iam(place: Place<'_>, form: &mut Form) -> Option<Sourced<IamProfile>> {
    let place = form.map(place)?;
    let given = (place.get("Arn"), place.get("Name"));
    let profile = match given {
        (Some(arn), None) => form.text(&arn)?.map(IamProfile::Arn),
        (None, Some(name)) => form.text(&name)?.map(IamProfile::Name),
        (both, _) => {
            let message = if both.is_some() {
                "an instance profile is given by `Arn` and by `Name`"
            } else {
                "an instance profile needs its `Arn` or its `Name`"
            };
            form.report(place.error(ids::CONFLICT, message).help("give one of the two"));
            return None;
        }
    };
    Some(profile)
}

fn block_devices(place: &Place<'_>, form: &mut Form) -> Vec<BlockDevice> {
    let items = place.get("BlockDeviceMappings").map(|list| form.list(&list)).unwrap_or_default();
    items.into_iter().filter_map(|item| block_device(item, form)).collect()
}

fn block_device(place: Place<'_>, form: &mut Form) -> Option<BlockDevice> {
    let place = form.map(place)?;
    let name = form.required(&place, "DeviceName", "give the device, such as `/dev/sda1`")?;
    let name = form.text(&name)?;
    let ebs = place.get("Ebs").and_then(|ebs| form.map(ebs));
    let ebs = |key: &str| ebs.as_ref().and_then(|ebs| ebs.get(key));
    let mut text = |place: Option<Place<'_>>| form.text(&place?).map(|text| text.value);
    Some(BlockDevice {
        device_name: name.value,
        volume_type: text(ebs("VolumeType")),
        snapshot: text(ebs("SnapshotId")),
        virtual_name: text(place.get("VirtualName")),
        volume_size_gib: ebs("VolumeSize").and_then(|size| form.count(&size)),
        iops: ebs("Iops").and_then(|iops| form.count(&iops)),
        throughput_mib_s: ebs("Throughput").and_then(|throughput| form.count(&throughput)),
        delete_on_termination: ebs("DeleteOnTermination").and_then(|delete| form.flag(&delete)),
        encrypted: ebs("Encrypted").and_then(|encrypted| form.flag(&encrypted)),
    })
}

fn tags(place: &Place<'_>, form: &mut Form) -> Tags {
    let items = place.get("TagSpecifications").map(|list| form.list(&list)).unwrap_or_default();
    let mut tags = Tags::new();
    for item in items {
        let Some(item) = form.map(item) else { continue };
        let own = is_of_instances(&item, form);
        let list = form.required(&item, "Tags", "list them as `Key` and `Value`");
        for tag in list.map(|list| form.list(&list)).unwrap_or_default() {
            tags.extend(self::tag(tag, form).filter(|_| own));
        }
    }
    tags
}

/// Whether the tags are for instances. The volumes get the same ones, and
/// nothing else is made.
fn is_of_instances(item: &Place<'_>, form: &mut Form) -> bool {
    let why = "give `ResourceType: instance`";
    let Some(place) = form.required(item, "ResourceType", why) else { return false };
    let Some(kind) = form.text(&place) else { return false };
    if *kind == "instance" {
        return true;
    }
    let message = format!("tags of the type `{}` have no effect in muster", text::shown(&kind));
    let help = "instances and their volumes get the tags of `ResourceType: instance`";
    form.report(place.warning(ids::WITHOUT_EFFECT, message).help(help));
    false
}

fn tag(place: Place<'_>, form: &mut Form) -> Option<(String, String)> {
    let place = form.map(place)?;
    let key_place = form.required(&place, "Key", "a tag has a `Key` and a `Value`")?;
    let value = form.required(&place, "Value", "a tag has a `Key` and a `Value`")?;
    let (key, value) = (form.text(&key_place)?, form.any_text(&value)?);
    if key.starts_with("aws:") {
        let message = format!("the tag `{}` begins with `aws:`", text::shown(&key));
        form.report(
            key_place.error(ids::INVALID_VALUE, message).help("AWS keeps those for itself"),
        );
        return None;
    }
    Some((key.value, value.value))
}

fn user_data(place: &Place<'_>, form: &mut Form) -> Option<String> {
    let data = form.any_text(place)?.value;
    if data.len() > MAX_USER_DATA {
        let message = format!("{} bytes of user data are more than EC2 takes", data.len());
        let help = format!("it takes {MAX_USER_DATA}; let the script fetch the rest");
        form.report(place.error(ids::INVALID_VALUE, message).help(help));
        return None;
    }
    Some(data)
}

fn market(place: Place<'_>, form: &mut Form) -> Market {
    let Some(place) = form.map(place) else { return Market::OnDemand };
    let kind = place.get("MarketType").and_then(|kind| only(&kind, &["spot", "on-demand"], form));
    let options = place.get("SpotOptions").and_then(|options| form.map(options));
    let option = |key: &str| options.as_ref().and_then(|options| options.get(key));
    if let Some(kind) = option("SpotInstanceType") {
        only(&kind, &["one-time"], form);
    }
    if let Some(behaviour) = option("InstanceInterruptionBehavior") {
        only(&behaviour, &["terminate"], form);
    }
    let max_price = option("MaxPrice").and_then(|price| max_price(&price, form));
    match kind.as_deref() {
        Some("spot") => Market::Spot { max_price },
        _ => Market::OnDemand,
    }
}

/// Text that is one of those which muster carries out.
fn only(place: &Place<'_>, supported: &[&str], form: &mut Form) -> Option<String> {
    let text = form.text(place)?.value;
    if supported.contains(&text.as_str()) {
        return Some(text);
    }
    let message = format!("muster does not carry out `{}` here", text::shown(&text));
    let help = format!("it knows {}", supported.join(" and "));
    form.report(place.error(ids::NOT_SUPPORTED, message).help(help));
    None
}

fn max_price(place: &Place<'_>, form: &mut Form) -> Option<String> {
    let price = form.text(place)?.value;
    let valid = price.parse::<f64>().is_ok_and(|price| price.is_finite() && price > 0.0);
    if !valid {
        let message = format!("`{}` is not a price", text::shown(&price));
        let help = "give US dollars an hour as text: \"0.05\"";
        form.report(place.error(ids::INVALID_VALUE, message).help(help));
    }
    valid.then_some(price)
}
