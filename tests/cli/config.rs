//! `muster config`: the project as muster reads it.

use crate::support::muster::Muster;

const US: &str = "cluster_name: tpch
provider: {type: aws, region: us-west-2}
available_node_types:
  ray.head.default:
    node_config: &node
      InstanceType: m5.large
      ImageId: ami-0530ca8899fac469f
      UserData: |
        #!/bin/sh
        export DB_PASSWORD=hunter2
  worker:
    min_workers: 1
    node_config: *node
setup_commands: [\"echo it's\"]
";

fn folder() -> Muster {
    let muster = Muster::new();
    muster.file("us.yaml", US);
    muster
}

const ARGS: [&str; 6] =
    ["config", "us.yaml", "--key-name", "tpch", "--key-location", "/keys/tpch.pem"];

#[test]
fn each_value_has_its_line_its_flag_or_its_reason() {
    let ran = folder().run(&ARGS);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    // The version and the reason depend on the local Python.
    let lines = ran.out.lines().filter(|line| !line.trim().starts_with("python:"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    assert!(!ran.out.contains("hunter2"));
}

#[test]
fn json_reports_the_same() {
    let ran = folder().run(&[&ARGS[..], &["--format", "json"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let document = ran.json();
    let values = document["files"][1]["values"].as_array().cloned().unwrap_or_default();
    let of = |key: &str| values.iter().find(|one| one["key"] == key).cloned().unwrap_or_default();
    let image = of("available_node_types.worker.node_config.ImageId");
    assert_eq!(
        (&image["value"], &image["from"]["file"]["line"]),
        (&"ami-0530ca8899fac469f".into(), &7.into())
    );
    assert_eq!(of("auth.ssh_private_key")["from"]["flag"], "--key-location");
    assert_eq!(of("auth.ssh_user")["from"]["default"], "Ray's default for AWS");
    assert_eq!(document["files"][1]["open"][0]["key"], "SubnetIds");
    assert!(!ran.out.contains("hunter2"));
}

#[test]
fn the_yaml_output_is_a_complete_project() {
    let muster = folder();
    let ran = muster.run(&[&ARGS[..], &["--format", "yaml", "-o", "other"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let own = muster.run(&[&ARGS[..], &["--format", "json"]].concat()).json();
    let other = muster.run(&["config", "other/muster.yaml", "--format", "json"]);
    assert_eq!((other.code, other.err.as_str()), (Some(0), ""), "{other:#?}");
    let plain = |document: &serde_json::Value| {
        let files = document["files"].as_array().cloned().unwrap_or_default();
        let values = files.iter().filter_map(|file| file["values"].as_array().cloned());
        let values = values.flatten().map(|one| format!("{} {}", one["key"], one["value"]));
        let mut values: Vec<_> = values.collect();
        values.sort();
        values
    };
    assert_eq!(plain(&other.json()), plain(&own));
    let again = muster.run(&[&ARGS[..4], &["--format", "yaml", "-o", "other"]].concat());
    assert_eq!(again.code, Some(2), "nothing is overwritten: {again:#?}");
}

#[test]
fn output_is_for_files() {
    let ran = folder().run(&["config", "us.yaml", "-o", "other"]);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
}
