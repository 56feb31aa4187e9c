//! The arguments that reach `RunInstances` as they are written, read by the
//! table of keys.

use serde_json::{Value, json};

use crate::{
    cloud::Arguments,
    config::{
        form::{Form, Place},
        keys::{Kind, Level, NODE_CONFIG, Use},
    },
};

/// All of them in a `node_config`.
pub(super) fn read(place: &Place<'_>, form: &mut Form) -> Arguments {
    for device in place.get("BlockDeviceMappings").iter().flat_map(Place::items) {
        form.required(&device, "DeviceName", "give the device, such as `/dev/sda1`");
    }
    map(NODE_CONFIG.top(), place, form)
}

/// The entries of a map whose keys are those of `level`.
fn map(level: &Level, place: &Place<'_>, form: &mut Form) -> Arguments {
    let mut arguments = Arguments::new();
    for entry in place.node.entries() {
        let Some(key) = level.find(&entry.key) else { continue };
        let Use::Passed(kind) = key.usage else { continue };
        if let Some(value) = value(&key.below, kind, place.value_of(entry), form) {
            arguments.insert(entry.key.clone(), value);
        }
    }
    arguments
}

/// A value, what is below it by the keys of `level`.
fn value(level: &Level, kind: Kind, place: Place<'_>, form: &mut Form) -> Option<Value> {
    match kind {
        Kind::Text => form.any_text(&place).map(|text| json!(text.value)),
        Kind::Count => form.count::<i32>(&place).map(|number| json!(number)),
        Kind::Flag => form.flag(&place).map(|flag| json!(flag)),
        Kind::Texts => {
            let texts = form.texts(&place).into_iter().map(|text| text.value);
            Some(json!(texts.collect::<Vec<_>>()))
        }
        Kind::Map => form.map(place).map(|place| Value::Object(map(level, &place, form))),
        Kind::List => {
            let items = form.list(&place).into_iter();
            let maps = items.filter_map(|item| value(level, Kind::Map, item, form));
            Some(Value::Array(maps.collect()))
        }
    }
}
