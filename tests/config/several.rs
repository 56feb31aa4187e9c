//! Several configs of one region, and one `cluster_name` in several regions.

use std::path::Path;

use muster::{
    config::{Loaded, Overrides, Project, ids, load_sources},
    model::{GroupKey, NodeKind},
};

use super::{configs, load_case, source};

/// Two configs of us-west-2, and the first one's name in eu-west-1 as well.
fn project() -> Project {
    load_case(&configs("valid"), Path::new("several")).project.unwrap()
}

fn names(project: &Project) -> Vec<String> {
    project.planned_nodes().iter().map(|node| node.name.to_string()).collect()
}

/// Loads the corpus's files, changed by `change`, in this order.
fn changed(files: &[&str], change: impl Fn(&str, String) -> String) -> Loaded {
    let folder = configs("valid/several");
    let read = |name: &&str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        source(name, &change(name, text))
    };
    let regions = files.iter().map(read).collect();
    let own =
        Some(source("muster.yaml", &format!("name: several\nregions: [{}]\n", files.join(", "))));
    load_sources(&folder, own, regions, None, &Overrides::default())
}

#[test]
fn each_region_is_there_once_with_the_nodes_of_all_its_configs() {
    let project = project();
    let regions: Vec<_> = project.regions.iter().map(|one| one.region.as_str()).collect();
    assert_eq!(regions, ["us-west-2", "eu-west-1"], "in order of first occurrence");
    let expected = [
        "us-west-2/head",
        "us-west-2/worker-1",
        "us-west-2/worker-2",
        "us-west-2/gpu-head",
        "us-west-2/gpu-worker-1",
        "eu-west-1/head",
        "eu-west-1/worker-1",
    ];
    assert_eq!(names(&project), expected);
    let leaders: Vec<_> = project.planned_nodes().into_iter().filter(|node| node.leader).collect();
    assert_eq!(leaders.len(), 1, "only the head of the first config");
    assert_eq!(leaders[0].name.as_str(), "us-west-2/head");
}

#[test]
fn a_node_goes_by_its_own_config() {
    let project = project();
    for node in project.planned_nodes() {
        let config = project.config_of(&node.group).unwrap();
        let gpu = node.name.short().starts_with("gpu-");
        assert_eq!(*config.cluster_name, if gpu { "gpu" } else { "tpch" });
        assert_eq!(*config.ssh_user, if gpu { "ec2-user" } else { "ubuntu" });
        assert_eq!(config.use_internal_ips, gpu);
        assert_eq!(config.commands.setup, [if gpu { "echo gpus" } else { "echo plain" }]);
        let key = config.ssh_private_key.as_ref().unwrap();
        assert!(key.ends_with(if gpu { "gpu.pem" } else { "quokka.pem" }), "{key:?}");
    }
    let us = &project.regions[0];
    let zones = us.groups.iter().map(|group| us.config_of(group).zones[0].as_str());
    assert_eq!(zones.collect::<Vec<_>>(), ["us-west-2a", "us-west-2a", "us-west-2b", "us-west-2b"]);
    let titles: Vec<_> = us.configs.iter().map(|config| us.title_of(config)).collect();
    assert_eq!(titles, ["us-west-2 tpch", "us-west-2 gpu"]);
    assert_eq!(project.regions[1].title_of(&project.regions[1].configs[0]), "eu-west-1");
}

/// The group keys of a region's first config have no `cluster_name`, as in older journals.
#[test]
fn keys_of_a_first_config_are_written_as_ever() {
    let project = project();
    let us = &project.regions[0];
    let keys: Vec<_> = us.groups.iter().map(|group| us.key_of(group)).collect();
    let first = r#"{"region":"us-west-2","kind":"head","node_type":"head"}"#;
    assert_eq!(serde_json::to_string(&keys[0]).unwrap(), first);
    assert_eq!(serde_json::from_str::<GroupKey>(first).unwrap(), keys[0]);
    let further = r#"{"region":"us-west-2","cluster_name":"gpu","kind":"head","node_type":"head"}"#;
    assert_eq!(serde_json::to_string(&keys[2]).unwrap(), further);
    assert_eq!(serde_json::from_str::<GroupKey>(further).unwrap(), keys[2]);
    assert_eq!(keys[0].to_string(), "us-west-2 head (head)");
    assert_eq!(keys[2].to_string(), "us-west-2 gpu head (head)");
    let kinds: Vec<_> = keys.iter().map(|key| key.kind).collect();
    assert_eq!(kinds, [NodeKind::Head, NodeKind::Worker, NodeKind::Head, NodeKind::Worker]);
}

#[test]
fn names_stay_while_counts_and_further_configs_change() {
    let more = changed(&["us.yaml", "eu.yaml", "gpu.yaml"], |_, text| {
        text.replace("min_workers: 2", "min_workers: 5")
    });
    let names_now = names(&more.project.unwrap());
    assert!(names_now.contains(&"us-west-2/worker-5".into()), "{names_now:?}");
    let gpus = names_now.iter().filter(|name| name.contains("gpu"));
    assert_eq!(gpus.collect::<Vec<_>>(), ["us-west-2/gpu-head", "us-west-2/gpu-worker-1"]);

    let alone = changed(&["us.yaml", "eu.yaml"], |_, text| text);
    let alone = names(&alone.project.unwrap());
    let all = names(&project());
    assert!(alone.iter().all(|name| all.contains(name)), "{alone:?}");
}

#[test]
fn a_third_config_shifts_none_of_the_second() {
    let files = ["us.yaml", "eu.yaml", "gpu.yaml"];
    let third = |name: &str, text: String| match name {
        "eu.yaml" => text
            .replace("region: eu-west-1", "region: us-west-2")
            .replace("cluster_name: tpch", "cluster_name: spot"),
        _ => text,
    };
    let loaded = changed(&files, third);
    assert_eq!(loaded.diagnostics, []);
    let project = loaded.project.unwrap();
    let expected = [
        "us-west-2/head",
        "us-west-2/worker-1",
        "us-west-2/worker-2",
        "us-west-2/spot-head",
        "us-west-2/spot-worker-1",
        "us-west-2/gpu-head",
        "us-west-2/gpu-worker-1",
    ];
    assert_eq!(names(&project), expected);
}

#[test]
fn one_key_name_is_needed_over_all_configs() {
    let loaded = changed(&["us.yaml", "eu.yaml", "gpu.yaml"], |name, text| match name {
        "gpu.yaml" => text.replace("KeyName: quokka", "KeyName: other"),
        _ => text,
    });
    assert!(loaded.project.is_none());
    let diagnostic = &loaded.diagnostics[0];
    assert_eq!(diagnostic.id, ids::KEY_NAME);
    assert_eq!(&*diagnostic.location.as_ref().unwrap().file, Path::new("gpu.yaml"));
}

/// Names become file names, and some file systems ignore case.
#[test]
fn names_that_differ_in_case_alone_are_the_same() {
    let loaded = changed(&["us.yaml", "gpu.yaml"], |name, text| match name {
        "gpu.yaml" => text.replace("cluster_name: gpu", "cluster_name: TPCH"),
        _ => text,
    });
    assert!(loaded.project.is_none());
    let [diagnostic] = &loaded.diagnostics[..] else { panic!("{:#?}", loaded.diagnostics) };
    assert_eq!(diagnostic.id, ids::CLUSTER_TWICE);
    assert_eq!(diagnostic.location.as_ref().unwrap().to_string(), "gpu.yaml:1:15");
    assert!(
        diagnostic.help.as_ref().unwrap().starts_with("us.yaml:2:15 is the other"),
        "{diagnostic:?}"
    );
}
