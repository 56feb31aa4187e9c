//! The Instances screen shows how the host key of a node stands.

use muster::{
    engine::{Event, HostKeyCheck},
    model::Fingerprint,
    tui::Screen,
};

use super::{fixture, test_dashboard::TestDashboard};

const NODE: &str = "us-west-2/head";

fn key(last: char) -> Fingerprint {
    format!("ED25519 SHA256:{}{last}", "A".repeat(42)).parse().expect("a fingerprint")
}

/// The screen after `check` came of the first node.
fn shown(check: HostKeyCheck) -> String {
    let mut model = fixture::all_ready();
    let info = model.state.nodes[&NODE.into()].instance.as_ref();
    let instance = info.expect("an instance").id.clone();
    fixture::event(&mut model, 90, Event::HostKeyChecked { node: NODE.into(), instance, check });
    let mut board = TestDashboard::new(model);
    board.ui.screen = Screen::Instances;
    board.text(160, 48)
}

#[test]
fn the_details_of_a_node_hold_its_host_key() {
    let verified = shown(HostKeyCheck::Verified { key: key('A') });
    assert!(verified.contains("Host key"), "{verified}");
    assert!(verified.contains("verified by the console output"), "{verified}");
    let late = shown(HostKeyCheck::Pending { key: key('A') });
    assert!(late.contains("not verified"), "{late}");
    let other = shown(HostKeyCheck::Mismatch { key: key('A'), printed: vec![key('E')] });
    assert!(other.contains("MISMATCH"), "{other}");
}
