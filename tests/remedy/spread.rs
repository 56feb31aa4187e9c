//! One config made into three: what was not known is marked in them, and
//! mended like any other finding.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{collections::BTreeMap, path::Path};

use muster::{
    config::init::{self, Base, Many, Settings},
    model::Region,
    remedy::Wish,
};

use super::{
    account::Account,
    bench::{Bench, Config},
    on_both,
};

const US: &str = "us-west-2";
const OTHERS: [&str; 2] = ["eu-west-1", "ap-southeast-2"];

async fn one_becomes_three(account: Account) {
    let mut bench = Bench::new(account);
    let image = bench.image(US, "bench").await;
    bench.write(&[Config {
        group: Some("sg-0123456789abcdef0".into()),
        subnets: vec!["subnet-0123456789abcdef0".into()],
        ..Config::bare(US, image.clone())
    }]);
    spread(&bench);
    bench.adopt(&[US, OTHERS[0], OTHERS[1]]);
    for region in OTHERS {
        changed_lines(&bench, region);
    }

    let failing = bench.failing_checks().await;
    assert!(failing.contains(&"ami.exists") && failing.contains(&"subnet.exists"), "{failing:?}");
    let fixed = bench.fix(Wish::default()).await;
    assert!(fixed.complete, "{:#?}", fixed.events);
    assert_eq!(bench.failing_checks().await, [""; 0]);
    for region in OTHERS {
        let config = bench.config(region);
        assert!(!config.contains("# muster:"), "what is done is not marked any more: {config}");
        assert!(config.contains("] # nodes\n"), "the user's own comment stays: {config}");
        assert!(!config.contains(&image), "{config}");
    }
}
on_both!(one_config_becomes_three_that_fix_makes_ready, super::one_becomes_three);

/// What `muster init` does where AWS is not asked.
fn spread(bench: &Bench) {
    let regions = OTHERS.map(Region::from);
    let file = format!("{US}.yaml");
    let base = Base::read(bench.folder(), Path::new(&file)).unwrap();
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
    init::create(&plan, bench.folder()).unwrap();
}

/// Only the lines change that must.
fn changed_lines(bench: &Bench, region: &str) {
    let (old, new) = (bench.config(US), bench.config(region));
    assert_eq!(old.lines().count(), new.lines().count());
    let changed = old.lines().zip(new.lines()).filter(|(old, new)| old != new);
    let keys = changed.map(|(old, _)| old.trim().split(':').next().unwrap_or_default());
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys, ["cluster_name", "provider", "ImageId", "SecurityGroupIds", "SubnetIds"]);
}
