//! From only default VPCs to a network that passes every check, and back.

use super::{
    account::{Account, difference},
    exact::assert_exact,
    harness::{Config, FixHarness},
    on_both,
};
use muster::remedy::FixScope;

const REGIONS: [&str; 3] = ["us-west-2", "eu-west-1", "ap-southeast-2"];

/// Creates three empty regions.
pub async fn nothing(account: Account) -> FixHarness {
    let mut harness = FixHarness::new(account);
    let mut configs = Vec::new();
    for region in REGIONS {
        let image = harness.image(region, "harness").await;
        configs.push(Config::bare(region, image));
    }
    // The fix finds the image's id in the third region.
    let foreign = configs[0].image.clone();
    configs[2].image = foreign;
    harness.write(&configs);
    harness
}

async fn there_and_back(account: Account) {
    let harness = nothing(account).await;
    let before = harness.account.snapshot().await;
    assert!(harness.failing_checks().await.contains(&"vpc.default"));
    let shown = harness.plan(FixScope::default()).await;
    assert_eq!(shown.plan.left, [], "a new network fixes all that the old one lacked");
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_exact(&fixed, &before, &harness.account.snapshot().await);
    assert_eq!(harness.failing_checks().await, [""; 0]);
    let plan = harness.plan(FixScope::default()).await;
    assert!(plan.plan.is_empty(), "{:#?}", plan.plan);

    let torn = harness.tear_down().await;
    assert!(torn.complete, "{:#?}", torn.events);
    let left = difference(&before, &harness.account.snapshot().await);
    let not_network: Vec<_> =
        left.iter().filter(|line| !line.contains("key_pairs") && !line.contains("tags")).collect();
    assert!(not_network.is_empty(), "only the keys are left: {not_network:#?}");
}
on_both!(from_default_vpcs_to_ready_and_back, super::there_and_back);
