//! The result of loading valid projects.

use std::path::Path;

use muster::{
    config::{
        self, Action, AwsCredentials, ConfigCommands, HostKeyPolicy, LoadRequest, NodeGroup, On,
        Origin, Overrides, Project, Python, RayStart,
    },
    model::NodeKind,
};

use super::{configs, load_case, load_text};

fn project() -> Project {
    load_case(&configs("valid"), Path::new("project")).project.unwrap()
}

#[test]
fn the_project_file_sets_what_applies_to_all_regions() {
    let project = project();
    assert_eq!(*project.name, "tpch-demo");
    assert_eq!(project.leader.as_str(), "eu-west-1");
    assert_eq!(project.spill_dir.as_path(), Path::new("/mnt/spill"));
    assert_eq!(project.operator_cidr.unwrap().value, "203.0.113.7/32".parse().unwrap());
    assert_eq!(*project.host_keys, HostKeyPolicy::Pin);
    assert_eq!(project.ssh_config.unwrap().value, configs("valid/project/ssh_config"));
    let requirements: Vec<&str> = project.requirements.iter().map(|r| r.as_str()).collect();
    assert_eq!(requirements, ["polars==0.18.6", "pyarrow==12.0.1"]);
    let paths: Vec<_> = project.sources.iter().map(|source| source.path.to_path_buf()).collect();
    assert_eq!(paths, ["muster.yaml", "us.yaml", "eu.yaml", "recipe.yaml"].map(Path::new));
}

#[test]
fn quokka_settings_are_read_as_written() {
    let quokka = project().quokka;
    assert_eq!(*quokka.python, Python::V3_10);
    assert_eq!(quokka.python.location().unwrap().to_string(), "muster.yaml:14:9");
    assert_eq!(*quokka.aws_credentials, AwsCredentials::Copy);
    assert_eq!(*quokka.ray, RayStart::Config);
    let constraints = quokka.constraints();
    assert!(constraints.contains("polars==0.18.7\n") && constraints.contains("numpy<1.26\n"));
}

/// The operator's own Python is a default, not a flag.
#[test]
fn the_operator_s_python_is_the_default() {
    let load = |overrides: Overrides| {
        let request =
            LoadRequest { folder: configs("valid"), files: vec!["minimal.yaml".into()], overrides };
        config::load(&request).project.unwrap().quokka
    };
    assert_eq!(*load(Overrides::default()).python, Python::V3_11);
    let own = Overrides { operator_python: Some(Python::V3_10), ..Overrides::default() };
    assert_eq!(*load(own).python, Python::V3_10);
    assert_eq!(*load(Overrides::default()).ray, RayStart::BuiltIn);
}

#[test]
fn nodes_come_as_ray_up_launches_them() {
    let planned: Vec<String> = project()
        .planned_nodes()
        .iter()
        .map(|node| {
            let lead = if node.leader { " leads" } else { "" };
            format!("{} {} {}{lead}", node.name, node.group.node_type, node.instance_type)
        })
        .collect();
    let expected = [
        "us-west-2/head ray.head.default m5.large",
        "us-west-2/worker-1 ray.worker.default m5.xlarge",
        "us-west-2/worker-2 ray.worker.default m5.xlarge",
        "us-west-2/worker-3 ray.head.default m5.large",
        "eu-west-1/head only m5.large leads",
        "eu-west-1/worker-1 only m5.large",
    ];
    assert_eq!(planned, expected);
}

#[test]
fn a_node_config_is_read_whole() {
    let project = project();
    let workers = &project.regions[0].groups[1];
    let template = &workers.template;
    insta::assert_debug_snapshot!((
        &workers.resources,
        &template.iam_profile.as_ref().unwrap().value,
        &template.more,
        &template.tags,
        &template.user_data,
        &template.market,
    ));
}

/// A merge key adds the entries that the map itself lacks.
#[test]
fn anchors_and_merge_keys_are_resolved() {
    let project = project();
    let groups = &project.regions[0].groups;
    let head = groups.iter().find(|group| group.kind == NodeKind::Head).unwrap();
    assert_eq!(head.template.instance_type.as_str(), "m5.large");
    assert_eq!(head.template.market, muster::cloud::Market::OnDemand);
    assert_eq!(head.template.tags, groups[1].template.tags);
    let line = |group: &NodeGroup| group.template.image.as_ref().unwrap().location().unwrap().line;
    assert_eq!(line(head), line(&groups[1]), "the image has its original location");
}

#[test]
fn values_that_regions_leave_open_are_filled_in() {
    let project = project();
    let [us, eu] = &project.regions[..] else { panic!("two regions") };
    let only = &eu.groups[0].template;
    let (us, region, eu) = (&us.configs[0], us, &eu.configs[0]);
    assert_eq!(only.key_name.as_ref().unwrap().as_str(), "quokka");
    assert_eq!(only.security_groups[0].as_str(), "sg-0b7a11c2");
    assert_eq!(
        eu.ssh_private_key.as_ref().unwrap().value,
        configs("valid/project/keys/quokka.pem")
    );
    assert_eq!(*eu.ssh_user, "ubuntu");
    assert!(eu.use_internal_ips && !us.use_internal_ips);
    assert_eq!(region.groups[0].template.security_groups.len(), 2);
    let own_key = us.ssh_private_key.as_ref().unwrap();
    assert!(own_key.is_absolute() && own_key.ends_with(".ssh/quokka.pem"));
    let zones: Vec<&str> = us.zones.iter().map(|zone| zone.as_str()).collect();
    assert_eq!(zones, ["us-west-2a", "us-west-2b"]);
}

#[test]
fn only_an_absent_start_list_is_ray_s_own() {
    let project = project();
    let [us, eu] = &project.configs().collect::<Vec<_>>()[..] else { panic!("two regions") };
    assert!(us.commands.head_start_ray.is_empty());
    assert_eq!(us.commands.worker_setup, ["echo folded"]);
    assert!(eu.commands.head_start_ray.last().unwrap().contains("ray start --head"));
    assert!(eu.commands.worker_start_ray.last().unwrap().contains("$RAY_HEAD_IP:6379"));
    assert!(!eu.commands.head_start_ray.concat().contains("--autoscaling-config"));
}

#[test]
fn a_custom_recipe_replaces_the_built_in_one() {
    let recipe = project().recipe;
    assert_eq!(recipe.name, "recipe.yaml");
    let [hello, start] = &recipe.steps[..] else { panic!("two steps") };
    assert_eq!(hello.action, Action::Run("echo hello".into()));
    assert_eq!((hello.timeout.as_secs(), hello.retries, hello.on), (90, 2, On::All));
    assert_eq!(start.action, Action::Config(ConfigCommands::StartRayCommands));
    assert_eq!((start.timeout.as_secs(), start.retries, start.on), (600, 0, On::Leader));
    assert_eq!(start.needs, ["hello"]);
}

#[test]
fn every_value_knows_its_place() {
    let project = project();
    let us = &project.regions[0];
    let place = |location: Option<&muster::config::Location>| location.unwrap().to_string();
    assert_eq!(place(us.region.location()), "us.yaml:6:11");
    assert_eq!(us.region.location().unwrap().width, 9);
    let worker = &us.groups[1];
    assert_eq!(place(worker.node_type.location()), "us.yaml:13:3");
    assert_eq!(place(worker.template.subnets[1].location()), "us.yaml:22:36");
    assert_eq!(place(project.leader.location()), "muster.yaml:5:9");
    assert_eq!(project.source_line(Path::new("us.yaml"), 6), Some("  region: us-west-2"));
}

#[test]
fn flags_go_over_the_project_file() {
    let overrides = Overrides {
        name: Some("by-flag".into()),
        leader: Some("us-west-2".into()),
        key_location: Some("flag.pem".into()),
        security_group: Some("sg-ff".into()),
        recipe: None,
        spill_dir: Some("/spill".into()),
        requirements: vec!["redis".into()],
        ssh_config: Some("project/ssh_config".into()),
        operator_cidr: Some("198.51.100.0/24".parse().unwrap()),
        key_name: None,
        operator_python: Some(Python::V3_11),
    };
    let folder = configs("valid");
    let files = vec!["project/muster.yaml".into()];
    let request = LoadRequest { folder: folder.clone(), files, overrides };
    let project = config::load(&request).project.unwrap();
    assert_eq!(*project.quokka.python, Python::V3_10, "set by the project");
    assert_eq!(*project.name, "by-flag");
    assert_eq!(project.name.origin, Origin::Flag("--name"));
    assert_eq!(project.leader.as_str(), "us-west-2");
    assert_eq!(project.spill_dir.as_path(), Path::new("/spill"));
    assert_eq!(project.requirements[0].as_str(), "redis");
    assert_eq!(project.ssh_config.as_ref().unwrap().value, folder.join("project/ssh_config"));
    for config in project.configs() {
        assert_eq!(config.ssh_private_key.as_ref().unwrap().value, folder.join("flag.pem"));
    }
    assert_eq!(project.regions[1].groups[0].template.security_groups[0].as_str(), "sg-ff");
    assert_eq!(
        project.folder,
        folder.join("project"),
        "its own folder, not the one muster runs in"
    );
    assert_eq!(&*project.sources[1].path, Path::new("project/us.yaml"));
}

#[test]
fn region_configs_that_are_named_take_the_place_of_the_list() {
    let files = vec!["muster.yaml".into(), "eu.yaml".into()];
    let loaded = super::load_files(&configs("valid/project"), files);
    let regions = loaded.project.unwrap().region_names();
    assert_eq!(regions, ["eu-west-1".into()]);
}

/// Only the named file is opened, not a `muster.yaml` next to it.
#[test]
fn a_project_file_that_is_not_named_is_not_read() {
    let loaded = super::load_files(&configs("valid/project"), vec!["eu.yaml".into()]);
    let project = loaded.project.unwrap();
    assert_eq!(*project.name, "quokka-eu");
    assert_eq!(project.spill_dir.as_path(), Path::new("/data"));
    assert_eq!(project.recipe.name, "built-in");
    assert_eq!(project.key_name, None);
}

#[test]
fn flags_that_do_not_fit_are_explained_without_a_place() {
    let overrides = Overrides {
        leader: Some("eu-west-1".into()),
        name: Some("a/b".into()),
        ..Overrides::default()
    };
    let files = vec!["minimal.yaml".into()];
    let request = LoadRequest { folder: configs("valid"), files, overrides };
    insta::assert_snapshot!(super::render(&muster::config::load(&request).diagnostics));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_no_matter() {
    let text = std::fs::read_to_string(configs("valid/minimal.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    std::fs::write(folder.path().join("us.yaml"), windows).unwrap();
    let loaded = super::load_files(folder.path(), vec!["us.yaml".into()]);
    let own = &loaded.project.unwrap().regions[0];
    assert_eq!(own.region.location().unwrap().to_string(), "us.yaml:5:11");
    let plain = load_text(&text).project.unwrap();
    assert_eq!(
        own.groups[0].template.instance_type,
        plain.regions[0].groups[0].template.instance_type
    );
}
