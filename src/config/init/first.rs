//! The first configs of a project, out of nothing.

use std::{collections::BTreeMap, path::Path};

use granit_parser::ScalarStyle;

use super::{Left, Plan, Planned, Settings, names, project};
use crate::{
    config::edit::quote::scalar,
    model::{ImageId, InstanceType, Region},
};

/// What the first configs are to hold.
#[derive(Clone, Debug)]
pub struct First {
    /// The regions, the leader's first.
    pub regions: Vec<Region>,
    /// The type of all nodes.
    pub instance_type: InstanceType,
    /// The number of workers of each region, in addition to its head.
    pub workers: u32,
    /// What holds for all.
    pub settings: Settings,
    /// The image of each region where it is known, and the note on it.
    pub images: BTreeMap<Region, (ImageId, String)>,
}

/// One config a region, and the `muster.yaml` that lists them, in `folder`.
pub fn first(scope: &First, folder: &Path) -> Plan {
    let mut files: Vec<_> =
        scope.regions.iter().map(|region| config(scope, region, folder)).collect();
    let listed = files.iter().filter_map(|file| file.path.file_name());
    let listed: Vec<String> = listed.map(|name| name.to_string_lossy().into_owned()).collect();
    if let Some(leader) = scope.regions.first() {
        let text = project::text(&scope.settings, &listed, leader);
        let path = folder.join(crate::config::project_file::NAME).into();
        files.push(Planned { path, text, from: None, region: None, left: Vec::new() });
    }
    Plan { files }
}

fn config(scope: &First, region: &Region, folder: &Path) -> Planned {
    // As if each had been made from the file of a region of the same first word.
    let stem = names::short(region, &scope.regions);
    let text = text(scope, region);
    Planned {
        path: folder.join(format!("{stem}.yaml")).into(),
        left: left(&text),
        text,
        from: None,
        region: Some(region.clone()),
    }
}

/// What is open of the image.
fn left(text: &str) -> Vec<Left> {
    let mut lines = (1..).zip(text.lines());
    let Some((line, image)) = lines.find(|(_, line)| line.contains("ImageId: ")) else {
        return Vec::new();
    };
    let what = match image.split_once("# muster: ") {
        Some((_, note)) => format!("ImageId: {note}"),
        None if image.trim_start().starts_with('#') => {
            "ImageId: none is known here; put an Ubuntu 22.04 image of this region".to_owned()
        }
        None => return Vec::new(),
    };
    vec![Left { line, by_fix: image.contains("# muster: "), what }]
}

const TEMPLATE: &str = include_str!("../../../assets/init/first.yaml");

fn text(scope: &First, region: &Region) -> String {
    let plain = |text: &str| scalar(text, ScalarStyle::Plain, false);
    let settings = &scope.settings;
    let name = settings.name.as_deref().unwrap_or("quokka");
    let image = match scope.images.get(region) {
        Some((id, name)) => format!("ImageId: {id} # {name}"),
        None => "# ImageId: ami-… # an Ubuntu 22.04 image of this region".to_owned(),
    };
    let key_name =
        settings.key_name.as_ref().map(|key| format!("KeyName: {}", plain(key.as_str())));
    let private_key = settings.key_location.as_ref();
    let private_key =
        private_key.map(|path| format!("ssh_private_key: {}", plain(&path.to_string_lossy())));
    let values = [
        ("<region>", region.to_string()),
        ("<cluster>", plain(&format!("{name}-{region}"))),
        ("<workers>", scope.workers.to_string()),
        ("<workers and one>", (scope.workers.saturating_add(1)).to_string()),
        ("<instance type>", plain(scope.instance_type.as_str())),
        ("<image>", image),
        ("<key name>", key_name.unwrap_or_else(|| "# KeyName: that of muster.yaml".into())),
        (
            "<private key>",
            private_key.unwrap_or_else(|| "# ssh_private_key: ~/.ssh/quokka.pem".into()),
        ),
    ];
    let mut text = TEMPLATE.to_owned();
    for (name, value) in values {
        text = text.replace(name, &value);
    }
    text
}
