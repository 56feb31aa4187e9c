//! What a node group's config asks of `RunInstances`.

use serde_json::json;

use crate::{
    cloud::{Arguments, GroupSelection, LaunchTemplate, Tags, tags},
    model::ClusterId,
};

use super::{NodeGroup, Project, RegionConfig};

impl RegionConfig {
    /// Returns what `group`'s config asks for, with Ray's tags and muster's, so
    /// that no instance ever lives untagged. `None` where the config names no
    /// image: EC2 would refuse it.
    pub fn launch_template(
        &self,
        project: &Project,
        group: &NodeGroup,
        cluster: &ClusterId,
    ) -> Option<LaunchTemplate> {
        let template = &group.template;
        Some(LaunchTemplate {
            image: template.image.as_ref()?.value.clone(),
            instance_type: template.instance_type.value.clone(),
            key_name: template.key_name.as_ref().map(|name| name.value.clone()),
            subnets: template.subnets.iter().map(|subnet| subnet.value.clone()).collect(),
            groups: self.group_selection(group),
            iam_profile: template.iam_profile.as_ref().map(|profile| profile.value.clone()),
            user_data: template.user_data.clone(),
            market: template.market.clone(),
            more: self.arguments(group),
            tags: self.tags(project, group, cluster),
        })
    }

    /// Names under `SecurityGroups` are arguments that EC2 itself resolves.
    fn group_selection(&self, group: &NodeGroup) -> GroupSelection {
        let template = &group.template;
        let names = match template.group_names().as_slice() {
            [] => self.named_groups(group),
            _ => Vec::new(),
        };
        if names.is_empty() {
            GroupSelection::Ids(
                template.security_groups.iter().map(|id| id.value.clone()).collect(),
            )
        } else {
            GroupSelection::Names(names.into_iter().map(|name| name.value.clone()).collect())
        }
    }

    /// Groups by name leave no room for a subnet, so that the zone has to say where.
    fn arguments(&self, group: &NodeGroup) -> Arguments {
        let mut more = group.template.more.clone();
        let named = group.template.group_names();
        if let (Some(zone), false) = (self.config_of(group).zones.first(), named.is_empty()) {
            let placement = more.entry("Placement").or_insert_with(|| json!({}));
            if let Some(placement) = placement.as_object_mut() {
                placement.entry("AvailabilityZone").or_insert_with(|| json!(zone.as_str()));
            }
        }
        more
    }

    /// The user's own tags, overridden by Ray's and muster's.
    fn tags(&self, project: &Project, group: &NodeGroup, cluster: &ClusterId) -> Tags {
        let kind = group.kind.as_str();
        let cluster_name = &self.config_of(group).cluster_name;
        let own = [
            (tags::CLUSTER, cluster.to_string()),
            (tags::PROJECT, project.name.value.clone()),
            (tags::RAY_CLUSTER_NAME, cluster_name.value.clone()),
            (tags::RAY_NODE_TYPE, kind.to_owned()),
            (tags::RAY_USER_NODE_TYPE, group.node_type.value.clone()),
            (tags::RAY_NODE_STATUS, "uninitialized".to_owned()),
        ];
        let mut all = group.template.tags.clone();
        all.entry(tags::NAME.into()).or_insert(format!("ray-{}-{kind}", **cluster_name));
        all.extend(own.map(|(key, value)| (key.to_owned(), value)));
        all
    }
}
