//! What Ray fills in where a config leaves it open, as far as it is known
//! without asking AWS.
//!
//! Not taken over: the instance profile `ray-autoscaler-v1`, which lets a head
//! launch instances (muster launches them itself); a key pair for each region
//! (Quokka takes one for all); the security group that admits nobody but
//! itself and the world's SSH. Checks say so, and `fix` offers what works.

use std::path::{Path, PathBuf};

use crate::{
    config::{
        NodeGroup, RayConfig, Sourced, paths,
        reader::{ConfigReader, Cursor},
    },
    model::{ImageId, KeyName},
};

/// Gives `config` and its `groups` what Ray would give them.
pub(super) fn fill_in(
    config: &mut RayConfig,
    groups: &mut [NodeGroup],
    place: &Cursor<'_>,
    reader: &mut ConfigReader,
) {
    fill_in_key_pair(config, groups, place, reader);
    let Some(image) = default_image(config.region.as_str()) else { return };
    for group in groups {
        let image = || Sourced::default(image.clone(), "Ray's default image of the region");
        group.template.image.get_or_insert_with(image);
    }
}

/// `provider.key_pair` names the key that Ray creates or finds, and keeps in
/// `~/.ssh`; with `ssh_private_key` Ray ignores it.
fn fill_in_key_pair(
    config: &mut RayConfig,
    groups: &mut [NodeGroup],
    place: &Cursor<'_>,
    reader: &mut ConfigReader,
) {
    let pair = place.get("provider").and_then(|provider| provider.get("key_pair"));
    let Some(pair) = pair.filter(|pair| !pair.node.is_empty()).and_then(|pair| reader.map(pair))
    else {
        return;
    };
    let name = pair.get("key_name").and_then(|name| reader.text(&name));
    let Some(name) = name.filter(|_| config.ssh_private_key.is_none()) else { return };
    let file = PathBuf::from(format!("~/.ssh/{}.pem", name.value));
    let file = paths::resolve(Path::new(""), &file);
    config.ssh_private_key = Some(Sourced::default(file, "where Ray keeps `provider.key_pair`"));
    for group in groups {
        let key = || name.clone().map(KeyName::from);
        group.template.key_name.get_or_insert_with(key);
    }
}

/// "AWS Deep Learning AMI (Ubuntu 18.04) V71.0", from Ray 2.60.0's
/// `ray/autoscaler/_private/aws/config.py`.
const IMAGES: [(&str, &str); 15] = [
    ("ap-northeast-1", "ami-03e45b1f18378ea97"),
    ("ap-northeast-2", "ami-095bae3e623e2ff99"),
    ("ap-northeast-3", "ami-02fd0ba69c1ef37ad"),
    ("ap-southeast-1", "ami-03ef1223872072e95"),
    ("ap-southeast-2", "ami-0bcf4f75e44e0a866"),
    ("ca-central-1", "ami-044b98bea12677052"),
    ("eu-central-1", "ami-004d285ecf53fb335"),
    ("eu-west-1", "ami-0e17ed40febe794a6"),
    ("eu-west-2", "ami-0ad9e6b9d4e22df1a"),
    ("eu-west-3", "ami-05698775025146698"),
    ("sa-east-1", "ami-004b19c7ed8d790bc"),
    ("us-east-1", "ami-0271ce88f6c03e149"),
    ("us-east-2", "ami-0ce21b0ce8e0f5a37"),
    ("us-west-1", "ami-030896954b2b72361"),
    ("us-west-2", "ami-0a2b85e15b7c0ac34"),
];

fn default_image(region: &str) -> Option<ImageId> {
    let (_, id) = IMAGES.iter().find(|(name, _)| *name == region)?;
    Some(ImageId::from((*id).to_owned()))
}
