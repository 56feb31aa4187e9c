//! From nothing but default VPCs to a network that passes every check, and back.

use super::{
    account::{Account, difference},
    bench::{Bench, Config},
    exact::assert_exact,
    on_both,
};
use muster::remedy::Wish;

const REGIONS: [&str; 3] = ["us-west-2", "eu-west-1", "ap-southeast-2"];

/// Three regions, nothing in them.
pub async fn nothing(account: Account) -> Bench {
    let mut bench = Bench::new(account);
    let mut configs = Vec::new();
    for region in REGIONS {
        let image = bench.image(region, "bench").await;
        configs.push(Config::bare(region, image));
    }
    // Which id the same image has in the third region is the remedy's business.
    let foreign = configs[0].image.clone();
    configs[2].image = foreign;
    bench.write(&configs);
    bench
}

async fn there_and_back(account: Account) {
    let bench = nothing(account).await;
    let before = bench.account.snapshot().await;
    assert!(bench.failing_checks().await.contains(&"vpc.default"));
    let shown = bench.plan(Wish::default()).await;
    assert_eq!(shown.plan.left, [], "a new network mends all that the old one lacked");
    let fixed = bench.fix(Wish::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_exact(&fixed, &before, &bench.account.snapshot().await);
    assert_eq!(bench.failing_checks().await, [""; 0]);
    let plan = bench.plan(Wish::default()).await;
    assert!(plan.plan.is_empty(), "{:#?}", plan.plan);

    let torn = bench.tear_down().await;
    assert!(torn.complete, "{:#?}", torn.events);
    let left = difference(&before, &bench.account.snapshot().await);
    let not_network: Vec<_> =
        left.iter().filter(|line| !line.contains("key_pairs") && !line.contains("tags")).collect();
    assert!(not_network.is_empty(), "only the keys are left: {not_network:#?}");
}
on_both!(from_default_vpcs_to_ready_and_back, super::there_and_back);
