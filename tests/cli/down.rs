//! What `down` may do without an answer: `--yes` covers what is on record, and
//! `--include-unrecorded` the rest.

use crate::support::muster::{Muster, Ran, UNRECORDED};

fn down(args: &[&'static str]) -> Ran {
    let muster = Muster::new();
    muster.file("unrecorded.toml", UNRECORDED);
    let ran = muster.run(&[&["down", "--scenario", "unrecorded.toml"], args].concat());
    ran.assert_is_calm();
    ran
}

const INSTANCE: &str = "i-00000000000000201";
const VPC: &str = "vpc-00000000000000099";

#[test]
fn yes_does_not_cover_what_is_on_no_record() {
    let ran = down(&["--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.out.contains(INSTANCE) && ran.out.contains("on no record here"), "{}", ran.out);
    assert!(ran.err.contains("--yes does not cover them; add --include-unrecorded"), "{}", ran.err);
}

#[test]
fn yes_and_include_unrecorded_terminate_it() {
    let ran = down(&["--yes", "--include-unrecorded"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains(INSTANCE), "{}", ran.out);
}

/// Without a terminal there is nobody to ask, and the flag for it is named.
#[test]
fn without_a_terminal_nothing_is_terminated() {
    for args in [&[][..], &["--include-unrecorded"], &["--network"]] {
        let ran = down(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:#?}");
        assert!(ran.err.contains("stdin is not a terminal; pass --yes"), "{}", ran.err);
    }
}

#[test]
fn yes_removes_no_network_that_is_on_no_record() {
    let ran = down(&["--yes", "--network"]);
    assert_eq!(ran.code, Some(1), "the instance is left: {ran:#?}");
    assert!(!ran.out.contains("done "), "{}", ran.out);
    let ran = down(&["--yes", "--network", "--include-unrecorded"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.contains(VPC), "{}", ran.out);
}
