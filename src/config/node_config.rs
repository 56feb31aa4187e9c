//! `node_config`: the arguments of `RunInstances`.
//!
//! What muster works with is read into types of its own; every other argument
//! is taken as it is written, by the table of keys.

mod market;
mod network;
mod passed;

use serde_json::{Value, json};

use super::{
    NodeTemplate, Sourced, aws,
    diagnostic::ids,
    keys::{self, NODE_CONFIG},
    reader::{ConfigReader, Cursor},
    text,
};
use crate::{
    cloud::{IamProfile, Market, Tags},
    model::{ImageId, InstanceType, KeyName},
};

/// What EC2 takes as user data at most, in bytes before base64.
const MAX_USER_DATA: usize = 16 * 1024;

/// Reads a `node_config`. `None` where there is no usable `InstanceType`; what
/// else is wrong is reported.
pub(super) fn read(place: Cursor<'_>, reader: &mut ConfigReader) -> Option<NodeTemplate> {
    let place = reader.map(place)?;
    keys::check(&NODE_CONFIG, &place, reader);
    let instance_type = instance_type(&place, reader);
    let network = network::read(&place, reader);
    let (tags, other_tags) = tags(&place, reader);
    let mut more = passed::read(&place, reader);
    if !other_tags.is_empty() {
        more.insert("TagSpecifications".into(), other_tags.into());
    }
    let template = NodeTemplate {
        instance_type: instance_type.unwrap_or_else(|| place.sourced(InstanceType::default())),
        image: place.get("ImageId").and_then(|image| image_id(&image, reader)),
        key_name: place.get("KeyName").and_then(|name| wrapped::<KeyName>(&name, reader)),
        security_groups: network.security_groups,
        named_groups: network.named_groups,
        subnets: network.subnets,
        iam_profile: place.get("IamInstanceProfile").and_then(|profile| iam(profile, reader)),
        tags,
        user_data: place.get("UserData").and_then(|data| user_data(&data, reader)),
        market: place
            .get("InstanceMarketOptions")
            .map_or_else(Market::default, |options| market::read(options, reader)),
        more,
    };
    (!template.instance_type.as_str().is_empty()).then_some(template)
}

fn instance_type(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<InstanceType>> {
    let place =
        reader.required(place, "InstanceType", "give the EC2 instance type, such as `m5.large`")?;
    let name = reader.text(&place)?;
    if !aws::is_instance_type(&name) {
        let message = format!("`{}` is no EC2 instance type", text::shown(&name));
        reader.report(place.error(ids::INVALID_VALUE, message).help("write it like `m5.large`"));
        return None;
    }
    Some(place.sourced(name.value.into()))
}

fn wrapped<T: From<String>>(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<T>> {
    reader.text(place).map(|text| place.sourced(text.value.into()))
}

fn image_id(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<ImageId>> {
    let image = reader.text(place)?;
    // Ray's own name for its default image, which is filled in if none is named.
    if image.eq_ignore_ascii_case("latest_dlami") {
        return None;
    }
    if image.starts_with("resolve:ssm:") {
        let message = format!("muster does not resolve the image `{}` yet", text::shown(&image));
        let help = "give the image's id in this region, `ami-…`";
        reader.not_yet(&place.location(), &place.path(), message, help);
        return Some(place.sourced(image.value.into()));
    }
    id(place, "ami", reader)
}

/// An EC2 id with the given prefix.
fn id<T: From<String>>(
    place: &Cursor<'_>,
    prefix: &str,
    reader: &mut ConfigReader,
) -> Option<Sourced<T>> {
    let text = reader.text(place)?;
    if !aws::is_id(&text, prefix) {
        let message = format!("`{}` is not an id", text::shown(&text));
        let help = format!("an id here is `{prefix}-` and letters and digits");
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
        return None;
    }
    Some(place.sourced(text.value.into()))
}

fn ids<T: From<String>>(
    map: &Cursor<'_>,
    key: &str,
    prefix: &str,
    reader: &mut ConfigReader,
) -> Vec<Sourced<T>> {
    let items = map.get(key).map(|list| reader.list(&list)).unwrap_or_default();
    items.iter().filter_map(|item| id(item, prefix, reader)).collect()
}

fn iam(place: Cursor<'_>, reader: &mut ConfigReader) -> Option<Sourced<IamProfile>> {
    let place = reader.map(place)?;
    let given = (place.get("Arn"), place.get("Name"));
    let profile = match given {
        (Some(arn), None) => reader.text(&arn)?.map(IamProfile::Arn),
        (None, Some(name)) => reader.text(&name)?.map(IamProfile::Name),
        (both, _) => {
            let message = if both.is_some() {
                "an instance profile is given by `Arn` and by `Name`"
            } else {
                "an instance profile needs its `Arn` or its `Name`"
            };
            reader.report(place.error(ids::CONFLICT, message).help("give one of the two"));
            return None;
        }
    };
    Some(profile)
}

/// `TagSpecifications`: the tags of instances, which their volumes get too, and
/// those of other types, as they are written.
fn tags(place: &Cursor<'_>, reader: &mut ConfigReader) -> (Tags, Vec<Value>) {
    let items = place.get("TagSpecifications").map(|list| reader.list(&list)).unwrap_or_default();
    let (mut own, mut others) = (Tags::new(), Vec::new());
    for item in items {
        let Some(item) = reader.map(item) else { continue };
        let kind = reader.required(&item, "ResourceType", "give `ResourceType: instance`");
        let kind = kind.and_then(|kind| reader.text(&kind));
        let list = reader.required(&item, "Tags", "list them as `Key` and `Value`");
        let list = list.map(|list| reader.list(&list)).unwrap_or_default();
        let tags: Tags = list.into_iter().filter_map(|tag| self::tag(tag, reader)).collect();
        match kind {
            Some(kind) if *kind != "instance" => others.push(specification(&kind, tags)),
            Some(_) => own.extend(tags),
            None => {}
        }
    }
    (own, others)
}

fn specification(kind: &str, tags: Tags) -> Value {
    let tags: Vec<Value> =
        tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    json!({"ResourceType": kind, "Tags": tags})
}

fn tag(place: Cursor<'_>, reader: &mut ConfigReader) -> Option<(String, String)> {
    let place = reader.map(place)?;
    let key_place = reader.required(&place, "Key", "a tag has a `Key` and a `Value`")?;
    let value = reader.required(&place, "Value", "a tag has a `Key` and a `Value`")?;
    let (key, value) = (reader.text(&key_place)?, reader.any_text(&value)?);
    if key.starts_with("aws:") {
        let message = format!("the tag `{}` begins with `aws:`", text::shown(&key));
        reader.report(
            key_place.error(ids::INVALID_VALUE, message).help("AWS keeps those for itself"),
        );
        return None;
    }
    Some((key.value, value.value))
}

fn user_data(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<String> {
    let data = reader.any_text(place)?.value;
    if data.len() > MAX_USER_DATA {
        let message = format!("{} bytes of user data are more than EC2 takes", data.len());
        let help = format!("it takes {MAX_USER_DATA}; let the script fetch the rest");
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
        return None;
    }
    Some(data)
}
