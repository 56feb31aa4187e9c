//! Two configs of one region and one of another: the fix of a region is written
//! into each of its configs.
#![cfg_attr(
    feature = "aws",
    expect(clippy::unwrap_used, reason = "in a test, an error is a failure")
)]

use muster::remedy::FixScope;

use super::{
    account::Account,
    harness::{Config, FixHarness},
    on_both,
};

/// Creates a project without network and key pair, with a wrong region's image in one config.
async fn nothing(account: Account) -> FixHarness {
    let mut harness = FixHarness::new(account);
    let us = harness.image("us-west-2", "harness").await;
    let eu = harness.image("eu-west-1", "harness").await;
    let gpu = Config { name: "gpu", ..Config::bare("us-west-2", eu.clone()) };
    harness.write(&[Config::bare("us-west-2", us), Config::bare("eu-west-1", eu), gpu]);
    harness
}

/// Returns the values of `key` in a config.
fn values_of<'a>(config: &'a str, key: &str) -> Vec<&'a str> {
    let lines = config.lines().filter_map(|line| line.trim().strip_prefix(key));
    lines.map(|rest| rest.trim_start_matches(':').trim()).collect()
}

fn assert_fixed(harness: &FixHarness) {
    let [us, gpu, eu] = ["us-west-2", "gpu", "eu-west-1"].map(|name| harness.config(name));
    for key in ["SubnetIds", "SecurityGroupIds", "ImageId"] {
        assert_eq!(values_of(&us, key).len(), 1, "{key}: {us}");
        assert_eq!(
            values_of(&us, key),
            values_of(&gpu, key),
            "one network and one image in a region"
        );
        assert_ne!(values_of(&us, key), values_of(&eu, key));
    }
}

async fn both_files(account: Account) {
    let harness = nothing(account).await;
    assert!(harness.failing_checks().await.contains(&"ami.exists"));
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_eq!(harness.failing_checks().await, [""; 0]);
    assert_fixed(&harness);
    let plan = harness.plan(FixScope::default()).await;
    assert!(plan.plan.is_empty(), "{:#?}", plan.plan);
}
on_both!(both_files_of_a_region_are_fixed, super::both_files);

/// Runs the real binary on moto.
#[cfg(feature = "aws")]
#[tokio::test]
async fn fix_yes_changes_both_files_and_check_passes() {
    use super::harness::OPERATOR;
    use crate::support::muster::Muster;

    let harness = nothing(Account::moto()).await;
    let muster = Muster::new()
        .env("AWS_ACCESS_KEY_ID", "AKIASEVERAL")
        .env("AWS_SECRET_ACCESS_KEY", "several")
        .env("AWS_ENDPOINT_URL", harness.account.url());
    let own = ["--name", "harness", "--operator-cidr", OPERATOR];
    let files =
        ["us-west-2", "eu-west-1", "gpu"].map(|name| harness.folder().join(format!("{name}.yaml")));
    let run = |command: &[&str]| {
        let mut arguments: Vec<_> =
            command.iter().chain(&own).map(std::path::PathBuf::from).collect();
        arguments.extend(files.iter().cloned());
        let mut process = muster.command(&arguments);
        let output = process.current_dir(harness.folder()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, output) = run(&["check"]);
    assert_eq!(code, Some(1), "{output}");
    let (code, output) = run(&["fix", "--yes"]);
    assert_eq!(code, Some(0), "{output}");
    assert_fixed(&harness);
    let (code, output) = run(&["check"]);
    assert_eq!(code, Some(0), "{output}");
    let (code, output) = run(&["config"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("gpu.yaml") && output.contains("us-west-2.yaml"), "{output}");
}
