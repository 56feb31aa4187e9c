//! The arguments that reach `RunInstances` as they are written, read by the
//! table of keys.

use serde_json::{Value, json};

use crate::{
    cloud::Arguments,
    config::{
        form::{Form, Place},
        keys::{Kind, NODE_CONFIG, Use},
    },
};

/// All of them in a `node_config`.
pub(super) fn read(place: &Place<'_>, form: &mut Form) -> Arguments {
    for device in place.get("BlockDeviceMappings").iter().flat_map(Place::items) {
        form.required(&device, "DeviceName", "give the device, such as `/dev/sda1`");
    }
    map("", place, form)
}

/// The entries of a map whose keys are those below `pattern` in the table.
fn map(pattern: &str, place: &Place<'_>, form: &mut Form) -> Arguments {
    let read = |(entry, value): (&crate::config::yaml::Entry, Place<'_>)| {
        let (path, Use::Passed(kind)) = NODE_CONFIG.row(pattern, &entry.key)? else {
            return None;
        };
        Some((entry.key.clone(), self::value(path, kind, value, form)?))
    };
    place.entries().filter_map(read).collect()
}

fn value(path: &str, kind: Kind, place: Place<'_>, form: &mut Form) -> Option<Value> {
    match kind {
        Kind::Text => form.any_text(&place).map(|text| json!(text.value)),
        Kind::Count => form.count::<i32>(&place).map(|number| json!(number)),
        Kind::Flag => form.flag(&place).map(|flag| json!(flag)),
        Kind::Texts => {
            let texts = form.texts(&place).into_iter().map(|text| text.value);
            Some(json!(texts.collect::<Vec<_>>()))
        }
        Kind::Map => form.map(place).map(|place| Value::Object(map(path, &place, form))),
        Kind::List => {
            let items = form.list(&place).into_iter();
            let maps = items.filter_map(|item| value(path, Kind::Map, item, form));
            Some(Value::Array(maps.collect()))
        }
    }
}
