//! Two configs of one region and one of another: what mends a region is written
//! into every config of it.
#![cfg_attr(
    feature = "aws",
    expect(clippy::unwrap_used, reason = "in a test, an error is a failure")
)]

use muster::remedy::Wish;

use super::{
    account::Account,
    bench::{Bench, Config},
    on_both,
};

/// No network, no key pair, and another region's image in one of the two.
async fn nothing(account: Account) -> Bench {
    let mut bench = Bench::new(account);
    let us = bench.image("us-west-2", "bench").await;
    let eu = bench.image("eu-west-1", "bench").await;
    let gpu = Config { name: "gpu", ..Config::bare("us-west-2", eu.clone()) };
    bench.write(&[Config::bare("us-west-2", us), Config::bare("eu-west-1", eu), gpu]);
    bench
}

/// What a config says under `key`.
fn said<'a>(config: &'a str, key: &str) -> Vec<&'a str> {
    let lines = config.lines().filter_map(|line| line.trim().strip_prefix(key));
    lines.map(|rest| rest.trim_start_matches(':').trim()).collect()
}

fn assert_mended(bench: &Bench) {
    let [us, gpu, eu] = ["us-west-2", "gpu", "eu-west-1"].map(|name| bench.config(name));
    for key in ["SubnetIds", "SecurityGroupIds", "ImageId"] {
        assert_eq!(said(&us, key).len(), 1, "{key}: {us}");
        assert_eq!(said(&us, key), said(&gpu, key), "one network and one image in a region");
        assert_ne!(said(&us, key), said(&eu, key));
    }
}

async fn both_files(account: Account) {
    let bench = nothing(account).await;
    assert!(bench.failing_checks().await.contains(&"ami.exists"));
    let fixed = bench.fix(Wish::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_eq!(bench.failing_checks().await, [""; 0]);
    assert_mended(&bench);
    let plan = bench.plan(Wish::default()).await;
    assert!(plan.plan.is_empty(), "{:#?}", plan.plan);
}
on_both!(both_files_of_a_region_are_mended, super::both_files);

/// The real binary on moto.
#[cfg(feature = "aws")]
#[tokio::test]
async fn fix_yes_mends_both_files_and_check_passes() {
    use super::bench::OPERATOR;
    use crate::support::muster::Muster;

    let bench = nothing(Account::moto()).await;
    let muster = Muster::new()
        .env("AWS_ACCESS_KEY_ID", "AKIASEVERAL")
        .env("AWS_SECRET_ACCESS_KEY", "several")
        .env("AWS_ENDPOINT_URL", bench.account.url());
    let own = ["--name", "bench", "--operator-cidr", OPERATOR];
    let files =
        ["us-west-2", "eu-west-1", "gpu"].map(|name| bench.folder().join(format!("{name}.yaml")));
    let run = |command: &[&str]| {
        let mut arguments: Vec<_> =
            command.iter().chain(&own).map(std::path::PathBuf::from).collect();
        arguments.extend(files.iter().cloned());
        let mut process = muster.command(&arguments);
        let output = process.current_dir(bench.folder()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, told) = run(&["check"]);
    assert_eq!(code, Some(1), "{told}");
    let (code, told) = run(&["fix", "--yes"]);
    assert_eq!(code, Some(0), "{told}");
    assert_mended(&bench);
    let (code, told) = run(&["check"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = run(&["config"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("gpu.yaml") && told.contains("us-west-2.yaml"), "{told}");
}
