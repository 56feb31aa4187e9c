//! What a node group's config asks of `RunInstances`.

use serde_json::json;

use crate::{
    cloud::{Arguments, LaunchRequest, Tags, tags},
    model::{ClientToken, ClusterId, SubnetId},
};

use super::{NodeGroup, Project, RegionConfig};

impl RegionConfig {
    /// The request that launches `group` into `subnet`, with Ray's tags and
    /// muster's in the call itself, so that no instance ever lives untagged.
    /// `None` where the config names no image: EC2 would refuse it.
    pub fn launch_request(
        &self,
        project: &Project,
        group: &NodeGroup,
        cluster: &ClusterId,
        subnet: Option<SubnetId>,
        token: ClientToken,
    ) -> Option<LaunchRequest> {
        let template = &group.template;
        Some(LaunchRequest {
            image: template.image.as_ref()?.value.clone(),
            instance_type: template.instance_type.value.clone(),
            key_name: template.key_name.as_ref().map(|name| name.value.clone()),
            subnet,
            security_groups: template.security_groups.iter().map(|id| id.value.clone()).collect(),
            iam_profile: template.iam_profile.as_ref().map(|profile| profile.value.clone()),
            user_data: template.user_data.clone(),
            market: template.market.clone(),
            more: self.arguments(group),
            tags: self.tags(project, group, cluster, &token),
            count: group.count,
            token,
        })
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
    fn tags(
        &self,
        project: &Project,
        group: &NodeGroup,
        cluster: &ClusterId,
        token: &ClientToken,
    ) -> Tags {
        let kind = group.kind.as_str();
        let cluster_name = &self.config_of(group).cluster_name;
        let own = [
            (tags::CLUSTER, cluster.to_string()),
            (tags::PROJECT, project.name.value.clone()),
            (tags::LAUNCH, token.to_string()),
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
