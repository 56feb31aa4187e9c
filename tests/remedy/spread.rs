//! One config expanded to three: unknown values are marked in them, and fixed like
//! any other finding.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{collections::BTreeMap, path::Path};

use muster::{
    config::init::{self, Base, Many, Settings},
    model::Region,
    remedy::FixScope,
};

use super::{
    account::Account,
    harness::{Config, FixHarness},
    on_both,
};

const US: &str = "us-west-2";
const OTHERS: [&str; 2] = ["eu-west-1", "ap-southeast-2"];

async fn one_becomes_three(account: Account) {
    let mut harness = FixHarness::new(account);
    let image = harness.image(US, "harness").await;
    harness.write(&[Config {
        group: Some("sg-0123456789abcdef0".into()),
        subnets: vec!["subnet-0123456789abcdef0".into()],
        ..Config::bare(US, image.clone())
    }]);
    spread(&harness);
    harness.adopt(&[US, OTHERS[0], OTHERS[1]]);
    for region in OTHERS {
        changed_lines(&harness, region);
    }

    let failing = harness.failing_checks().await;
    assert!(failing.contains(&"ami.exists") && failing.contains(&"subnet.exists"), "{failing:?}");
    let fixed = harness.fix(FixScope::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_eq!(harness.failing_checks().await, [""; 0]);
    for region in OTHERS {
        let config = harness.config(region);
        assert!(!config.contains("# muster:"), "resolved values are no longer marked: {config}");
        assert!(config.contains("] # nodes\n"), "the user's comment is kept: {config}");
        assert!(!config.contains(&image), "{config}");
    }
}
on_both!(one_config_becomes_three_that_fix_makes_ready, super::one_becomes_three);

/// Does what `muster init` does offline.
fn spread(harness: &FixHarness) {
    let regions = OTHERS.map(Region::from);
    let file = format!("{US}.yaml");
    let base = Base::read(harness.folder(), Path::new(&file)).unwrap();
    let plan = init::many(&Many {
        base: &base,
        base_listed: file.into(),
        regions: &regions,
        folder: Path::new(""),
        settings: Settings::default(),
        known: &BTreeMap::new(),
        present: None,
    });
    let plan = plan.unwrap();
    assert!(plan.diagnostics(std::slice::from_ref(&base.own().source)).is_empty());
    init::create(&plan, harness.folder()).unwrap();
}

/// Asserts that only the necessary lines change.
fn changed_lines(harness: &FixHarness, region: &str) {
    let (old, new) = (harness.config(US), harness.config(region));
    assert_eq!(old.lines().count(), new.lines().count());
    let changed = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    let keys = changed.map(|(old, _)| old.trim().split(':').next().unwrap_or_default());
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys, ["cluster_name", "provider", "ImageId", "SecurityGroupIds", "SubnetIds"]);
}
