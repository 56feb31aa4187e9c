//! The arguments that reach `RunInstances` as they are written, read by the
//! table of keys.

use serde_json::{Value, json};

use crate::{
    cloud::Arguments,
    config::{
        keys::{Kind, Level, NODE_CONFIG, Use},
        reader::{ConfigReader, Cursor},
    },
};

/// All of them in a `node_config`.
pub(super) fn read(place: &Cursor<'_>, reader: &mut ConfigReader) -> Arguments {
    for device in place.get("BlockDeviceMappings").iter().flat_map(Cursor::items) {
        reader.required(&device, "DeviceName", "give the device, such as `/dev/sda1`");
    }
    map(NODE_CONFIG.top(), place, reader)
}

/// The entries of a map whose keys are those of `level`.
fn map(level: &Level, place: &Cursor<'_>, reader: &mut ConfigReader) -> Arguments {
    let mut arguments = Arguments::new();
    for entry in place.node.entries() {
        let Some(key) = level.find(&entry.key) else { continue };
        let Use::Passed(kind) = key.usage else { continue };
        if let Some(value) = value(&key.below, kind, place.value_of(entry), reader) {
            arguments.insert(entry.key.clone(), value);
        }
    }
    arguments
}

/// A value, what is below it by the keys of `level`.
fn value(level: &Level, kind: Kind, place: Cursor<'_>, reader: &mut ConfigReader) -> Option<Value> {
    match kind {
        Kind::Text => reader.any_text(&place).map(|text| json!(text.value)),
        Kind::Count => reader.count::<i32>(&place).map(|number| json!(number)),
        Kind::Flag => reader.flag(&place).map(|flag| json!(flag)),
        Kind::Texts => {
            let texts = reader.texts(&place).into_iter().map(|text| text.value);
            Some(json!(texts.collect::<Vec<_>>()))
        }
        Kind::Map => reader.map(place).map(|place| Value::Object(map(level, &place, reader))),
        Kind::List => {
            let items = reader.list(&place).into_iter();
            let maps = items.filter_map(|item| value(level, Kind::Map, item, reader));
            Some(Value::Array(maps.collect()))
        }
    }
}
