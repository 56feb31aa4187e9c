//! One config becomes many, with a simulated world and offline.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use super::{US, folder, init, names, read};
use crate::support::muster::Muster;

const FROM: [&str; 4] = ["--from", "us.yaml", "--regions", "eu-west-1,ap-southeast-2"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    FROM.iter().chain(more).copied().collect()
}

#[test]
fn images_and_zones_are_those_of_the_new_regions() {
    let muster = folder();
    let ran = init(&muster, &with(&["--scenario", "healthy", "--yes"]));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    insta::assert_snapshot!(ran.out);
    assert_eq!(names(&muster.folder()), ["ap.yaml", "eu.yaml", "muster.yaml", "us.yaml"]);
    assert_eq!(read(&muster, "us.yaml"), US);
    let checked = muster.run(&["config"]);
    assert_eq!(checked.code, Some(0), "{checked:#?}");
}

#[test]
fn without_aws_what_it_knows_is_marked() {
    let muster = folder();
    let ran = init(&muster, &with(&["--offline", "--yes"]));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("AWS was not asked"), "{}", ran.out);
    let eu = read(&muster, "eu.yaml");
    let changed = US.lines().zip(eu.lines()).filter(|(old, new)| old != new);
    let changed: Vec<_> = changed.map(|(_, new)| new).collect();
    insta::assert_snapshot!(changed.join("\n"));
    assert_eq!(eu.lines().count(), US.lines().count());
}

#[test]
fn a_dry_run_writes_nothing_and_neither_does_a_missing_yes() {
    let muster = folder();
    let ran = init(&muster, &with(&["--offline", "--dry-run"]));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains("Nothing was written."), "{}", ran.out);
    let ran = init(&muster, &with(&["--offline"]));
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.err.contains("pass --yes"), "{}", ran.err);
    assert_eq!(names(&muster.folder()), ["us.yaml"]);
}

#[test]
fn nothing_is_overwritten() {
    for present in ["ap.yaml", "muster.yaml"] {
        let muster = folder();
        muster.file(present, US.replace("us-west-2", "eu-west-3"));
        let ran = init(&muster, &with(&["--offline", "--yes"]));
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.err.contains(present), "{}", ran.err);
        assert_eq!(names(&muster.folder()), [present, "us.yaml"]);
    }
}

#[test]
fn a_region_is_added_to_an_existing_project() {
    let muster = folder();
    assert_eq!(init(&muster, &with(&["--offline", "--yes"])).code, Some(0));
    let old = read(&muster, "muster.yaml");
    let more = ["--from", "us.yaml", "--regions", "us-east-1", "--offline", "--yes"];
    let ran = init(&muster, &more);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let expected = old.replace("ap.yaml]", "ap.yaml, us-east-1.yaml]");
    assert_eq!(read(&muster, "muster.yaml"), expected);
    let files = names(&muster.folder());
    assert!(files.iter().any(|name| name.starts_with("muster.yaml.before-init-")), "{files:?}");
    let again = init(&muster, &more);
    assert_eq!(again.code, Some(2), "{again:#?}");
    assert!(again.err.contains("us-east-1 has a config already: us-east-1.yaml"), "{}", again.err);
}

#[test]
fn it_writes_elsewhere_and_the_config_stays_where_it_is() {
    let muster = folder();
    let ran = init(&muster, &with(&["--offline", "--yes", "-o", "new/project"]));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(names(&muster.folder().join("new/project")), ["ap.yaml", "eu.yaml", "muster.yaml"]);
    let checked = muster.run(&["config", "new/project/muster.yaml"]);
    assert_eq!(checked.code, Some(0), "{checked:#?}");
}

#[test]
fn paths_that_would_lead_elsewhere_are_refused() {
    for relative in
        ["ssh_private_key: keys/a.pem", "ssh_private_key: ~/a.pem\nfile_mounts:\n  /x: data"]
    {
        let muster = Muster::new();
        muster.file("us.yaml", US.replace("ssh_private_key: ~/.ssh/quokka.pem", relative));
        let ran = init(&muster, &with(&["--offline", "--yes", "-o", "new"]));
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.err.contains("starts from the project's folder"), "{}", ran.err);
        assert_eq!(names(&muster.folder()), ["us.yaml"]);
        assert_eq!(init(&muster, &with(&["--offline", "--yes"])).code, Some(0), "{relative}");
    }
}

#[test]
fn line_ends_and_other_layouts_stay() {
    let muster = Muster::new();
    let text = "cluster_name: 'tpch' # mine\r\nprovider: {type: aws, availability_zone: us-west-2b, region: us-west-2}\r\n\
        available_node_types:\r\n  ray.head.default:\r\n    node_config: &n {InstanceType: m5.large, ImageId: ami-0530ca8899fac469f,\r\n      \
        SubnetId: subnet-0a11c9d2e4f567801 # north\r\n      }\r\n  \
        w:\r\n    min_workers: 1\r\n    node_config:\r\n      <<: *n\r\n      InstanceType: m5.xlarge\r\n\
        setup_commands: [\"aws s3 cp s3://data-us-west-2/x .\"]\r\n";
    muster.file("quokka.yaml", text);
    let args = ["--from", "quokka.yaml", "--regions", "eu-west-1", "--offline", "--yes"];
    let ran = init(&muster, &args);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let eu = read(&muster, "quokka-eu-west-1.yaml");
    assert_eq!(eu.matches("\r\n").count(), text.matches("\r\n").count(), "{eu:?}");
    insta::assert_snapshot!(eu.replace("\r\n", "\n"));
    assert!(ran.out.contains("names us-west-2"), "{}", ran.out);
}

#[test]
fn implausible_values_are_refused_with_a_hint() {
    let muster = folder();
    muster.file("all.yaml", "regions: [us.yaml]\n");
    let table: [(&[&str], &str); 6] = [
        (&["--from", "us.yaml", "--regions", "eu-wset-1"], "did you mean eu-west-1?"),
        (&["--from", "us.yaml", "--regions", "us-west-2"], "us-west-2 has a config already"),
        (&["--from", "us.yaml", "--regions", "eu-west-1,eu-west-1"], "has a config already"),
        (&["--from", "us.yaml"], "--regions is not given"),
        (&["--from", "no.yaml", "--regions", "eu-west-1"], "there is no file `no.yaml`"),
        (&["--from", "all.yaml", "--regions", "eu-west-1"], "is not one region's config"),
    ];
    for (args, message) in table {
        let args = [args, &["--offline", "--yes"]].concat();
        let ran = init(&muster, &args);
        assert_eq!(ran.code, Some(2), "{ran:#?}");
        assert!(ran.err.contains(message), "{message:?} is missing: {}", ran.err);
    }
    assert_eq!(names(&muster.folder()), ["all.yaml", "us.yaml"]);
}

#[test]
fn json_is_one_document_with_diffs_and_what_is_left() {
    let muster = folder();
    let ran = init(&muster, &with(&["--scenario", "healthy", "--yes", "--format", "json"]));
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let document = ran.json();
    assert_eq!(
        (&document["version"], &document["written"], &document["simulated"]),
        (&2.into(), &true.into(), &true.into())
    );
    let files = document["files"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!(files[0]["region"], "eu-west-1");
    assert_eq!((&files[0]["path"], &files[0]["from"]), (&"eu.yaml".into(), &"us.yaml".into()));
    assert_eq!(files[0]["diff"][0]["lines"][1]["text"], "cluster_name: tpch-demo-us");
    assert_eq!(files[0]["left"][0]["by_fix"], true);
}
