//! The tokens of launches. Each is derived from what it launches, so that a
//! process whose records are lost sends the same token as the one before: EC2
//! then answers with the instances that it has, and launches none twice.

use uuid::Uuid;

use crate::{
    engine::RunState,
    model::{ClientToken, ClusterId, GroupKey, NodeName},
};

/// Returns the token of the next launch of `nodes`: the first one of theirs
/// that is not on record.
pub(super) fn next(
    state: &RunState,
    cluster: &ClusterId,
    group: &GroupKey,
    nodes: &[NodeName],
) -> ClientToken {
    let mut turn = 1;
    loop {
        let token = of(cluster, group, nodes, turn);
        if !state.launches.contains_key(&token) {
            return token;
        }
        turn += 1;
    }
}

/// No part of it may run into the next one: names hold no line feed.
fn of(cluster: &ClusterId, group: &GroupKey, nodes: &[NodeName], turn: u32) -> ClientToken {
    let mut text = format!("{cluster}\n{turn}\n{group}");
    for node in nodes {
        text.push('\n');
        text.push_str(node.as_str());
    }
    ClientToken::new(Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::NodeKind;

    fn group(cluster_name: Option<&str>) -> GroupKey {
        GroupKey {
            region: "eu-west-1".into(),
            cluster_name: cluster_name.map(str::to_owned),
            kind: NodeKind::Worker,
            node_type: "worker".to_owned(),
        }
    }

    #[test]
    fn each_launch_has_its_own_and_the_same_one_in_every_process() {
        let (one, two): (NodeName, NodeName) = ("eu-west-1/worker-1".into(), "eu-west-1/b".into());
        let launches = [
            of(&"a-1".into(), &group(None), std::slice::from_ref(&one), 1),
            of(&"a-1".into(), &group(None), std::slice::from_ref(&one), 2),
            of(&"a-1".into(), &group(None), &[one.clone(), two.clone()], 1),
            of(&"a-1".into(), &group(None), &[two, one.clone()], 1),
            of(&"a-1".into(), &group(Some("b")), std::slice::from_ref(&one), 1),
            of(&"a-2".into(), &group(None), std::slice::from_ref(&one), 1),
        ];
        let all: BTreeSet<_> = launches.iter().collect();
        assert_eq!(all.len(), launches.len());
        assert_eq!(launches[0].as_str(), "dc101bc0-3a17-54be-b3dc-1259ca11f2f9");
    }
}
