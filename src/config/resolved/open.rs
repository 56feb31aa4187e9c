//! What a config gives nowhere: what Ray would fill in, what is done here in its
//! place, and what fixes it where that can't do across regions.

use super::Open;
use crate::{
    config::{NodeGroup, RayConfig, RegionConfig},
    model::NodeKind,
};

/// The keys of `node_config` that some node of `config` is without.
pub(super) fn of(region: &RegionConfig, config: &RayConfig) -> Vec<Open> {
    let any = |is_open: &dyn Fn(&NodeGroup) -> bool| region.groups_of(config).any(is_open);
    let name = &*config.region;
    let image = || {
        format!("Ray has no default image in {name}, and EC2 launches nothing without: name one")
    };
    let key = || {
        format!(
            "Ray would make or find ray-autoscaler_{name}, another key in each region, and Quokka \
             takes one for all: say key_name in muster.yaml"
        )
    };
    let subnets = || {
        "the default VPC's, where Ray would take the public ones of any one VPC; it can't be \
         peered: `muster fix` builds a network"
            .to_owned()
    };
    let profile = || {
        "none: Ray's ray-autoscaler-v1 lets its head launch instances, which muster does; for S3 \
         name one, or say `aws_credentials: copy` in muster.yaml"
            .to_owned()
    };
    let rows: [(&str, bool, &dyn Fn() -> String); 5] = [
        ("ImageId", any(&|group| group.template.image.is_none()), &image),
        ("KeyName", any(&|group| group.template.key_name.is_none()), &key),
        ("SubnetIds", any(&|group| group.template.subnets.is_empty()), &subnets),
        ("SecurityGroupIds", any(&|group| group.template.security_groups.is_empty()), &|| {
            groups(region, config)
        }),
        ("IamInstanceProfile", any(&is_head_without_profile), &profile),
    ];
    let open = rows.into_iter().filter(|(_, is_open, _)| *is_open);
    open.map(|(key, _, why)| Open { key, why: why() }).collect()
}

/// Ray gives its own profile to heads alone.
fn is_head_without_profile(group: &NodeGroup) -> bool {
    group.kind == NodeKind::Head && group.template.iam_profile.is_none()
}

fn groups(region: &RegionConfig, config: &RayConfig) -> String {
    let names = region.groups_of(config).flat_map(|group| region.named_groups(group));
    let mut names: Vec<&str> = names.map(|name| name.as_str()).collect();
    names.dedup();
    if !names.is_empty() {
        let (groups, are) = if names.len() == 1 { ("group", "is") } else { ("groups", "are") };
        let vpc = "found by name in the VPC of the nodes";
        return format!("the {groups} {}, which {are} {vpc}", names.join(" and "));
    }
    format!(
        "the VPC's default group, where Ray would make ray-autoscaler-{} for SSH and itself; peers \
         stay out: `muster fix` makes one",
        *config.cluster_name
    )
}
