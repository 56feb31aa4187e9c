//! A request as the journal keeps it, so that exactly it can be repeated.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{GroupSelection, LaunchRequest, LaunchTemplate};
use crate::model::ClientToken;

/// A request without its user data, which may hold secrets: of that only a
/// digest is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    request: LaunchRequest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_data_digest: Option<String>,
}

impl From<&LaunchRequest> for RecordedRequest {
    fn from(request: &LaunchRequest) -> Self {
        Self {
            user_data_digest: digest(&request.token, request.user_data.as_deref()),
            request: LaunchRequest { user_data: None, ..request.clone() },
        }
    }
}

impl RecordedRequest {
    /// Returns the same request again, the user data taken from `template`.
    /// `None` where the config asks for something else by now: what nobody
    /// wants any more must not be launched.
    pub fn repeated(&self, template: &LaunchTemplate) -> Option<LaunchRequest> {
        let Self { request, user_data_digest } = self;
        let same = template.image == request.image
            && template.instance_type == request.instance_type
            && template.key_name == request.key_name
            && template.iam_profile == request.iam_profile
            && template.market == request.market
            && template.more == request.more
            && self.is_placed_as(template)
            && digest(&request.token, template.user_data.as_deref()) == *user_data_digest;
        let user_data = template.user_data.clone();
        same.then(|| LaunchRequest { user_data, ..request.clone() })
    }

    /// Whether EC2 looks for the token of `request` where it looked for that of this
    /// one: tokens are zonal where a request names a subnet or a zone.
    pub fn is_in_zone_of(&self, request: &LaunchRequest) -> bool {
        let own = &self.request;
        own.subnet == request.subnet
            && ["NetworkInterfaces", "Placement"]
                .iter()
                .all(|name| own.more.get(*name) == request.more.get(*name))
    }

    /// Names are not compared: the ids that they had are what was asked for.
    fn is_placed_as(&self, template: &LaunchTemplate) -> bool {
        let subnet = self.request.subnet.as_ref();
        let in_subnet = template.subnets.is_empty()
            || subnet.is_some_and(|subnet| template.subnets.contains(subnet));
        let in_groups = match &template.groups {
            GroupSelection::Ids(ids) => *ids == self.request.security_groups,
            GroupSelection::Names(names) => names.len() == self.request.security_groups.len(),
        };
        in_subnet && in_groups
    }
}

/// The token is part of it, so that the same user data never has the same digest twice.
fn digest(token: &ClientToken, user_data: Option<&str>) -> Option<String> {
    let of_token = Uuid::new_v5(&Uuid::NAMESPACE_OID, token.as_str().as_bytes());
    user_data.map(|text| Uuid::new_v5(&of_token, text.as_bytes()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cloud::{Arguments, Market, Tags},
        model::SecurityGroupId,
    };

    fn template() -> LaunchTemplate {
        LaunchTemplate {
            image: "ami-1".into(),
            instance_type: "m5.large".into(),
            key_name: None,
            subnets: vec!["subnet-1".into(), "subnet-2".into()],
            groups: GroupSelection::Names(vec!["quokka".into()]),
            iam_profile: None,
            user_data: Some("#!/bin/sh\nexport PASSWORD=hunter2\n".into()),
            market: Market::OnDemand,
            more: Arguments::new(),
            tags: Tags::new(),
        }
    }

    fn request() -> LaunchRequest {
        let found = |_: &str| Ok::<SecurityGroupId, ()>("sg-1".into());
        let groups = template().groups.resolve(found).expect("each name has an id");
        template().request(Some("subnet-2".into()), groups, 2, "token-1".into())
    }

    #[test]
    fn what_was_recorded_is_repeated_exactly() {
        let json = serde_json::to_string(&RecordedRequest::from(&request())).expect("json");
        assert!(!json.contains("hunter2"), "{json}");
        let read: RecordedRequest = serde_json::from_str(&json).expect("a record");
        assert_eq!(read.repeated(&template()), Some(request()));
    }

    #[test]
    fn what_the_config_no_longer_asks_for_is_not_repeated() {
        let recorded = RecordedRequest::from(&request());
        let changes: [fn(&mut LaunchTemplate); 6] = [
            |one| one.user_data = Some("#!/bin/sh\n".into()),
            |one| one.user_data = None,
            |one| one.instance_type = "m5.xlarge".into(),
            |one| one.subnets = vec!["subnet-3".into()],
            |one| one.groups = GroupSelection::Ids(vec!["sg-2".into()]),
            |one| one.market = Market::Spot(crate::cloud::Spot::default()),
        ];
        for change in changes {
            let mut now = template();
            change(&mut now);
            assert_eq!(recorded.repeated(&now), None, "{now:?}");
        }
    }
}
