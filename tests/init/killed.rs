//! Ended at any moment, `init` leaves no project with regions missing, and the
//! same once more goes on.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use super::{US, init, names};
use crate::support::muster::Muster;

const REGIONS: &str = "eu-west-1,eu-west-2,eu-west-3,eu-north-1,eu-south-1,us-east-1,us-east-2,\
    us-west-1,ca-central-1,sa-east-1,ap-south-1,ap-east-1,ap-southeast-1,ap-southeast-2";

#[test]
fn killed_at_any_moment_it_leaves_no_half_set() {
    let args = ["--from", "us.yaml", "--regions", REGIONS, "--offline", "--yes"];
    let whole = Muster::new();
    whole.file("us.yaml", US);
    let began = Instant::now();
    assert_eq!(init(&whole, &args).code, Some(0));
    let (took, all) = (began.elapsed(), names(&whole.folder()));
    for part in 0..12 {
        let muster = Muster::new();
        muster.file("us.yaml", US);
        let all_args: Vec<_> = ["init"].iter().chain(&args).copied().collect();
        let mut run = muster.command(&all_args).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(took * part / 10 + Duration::from_micros(300));
        // It may have ended by itself.
        drop(run.kill());
        run.wait().unwrap();
        let left = names(&muster.folder());
        if left.contains(&"muster.yaml".to_owned()) {
            let visible: Vec<_> = left.into_iter().filter(|name| !name.starts_with('.')).collect();
            assert_eq!(visible, all);
        }
        let again = init(&muster, &args);
        let there = again.err.contains("has a config already");
        assert!(again.code == Some(0) || there, "{again:#?}");
        let visible = names(&muster.folder()).into_iter().filter(|name| !name.starts_with('.'));
        assert_eq!(visible.collect::<Vec<_>>(), all);
    }
}
