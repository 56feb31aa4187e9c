//! A cluster that others took instances from: every screen that reports whether
//! it is ready reports the same, and the key that repairs it.

use muster::{
    cloud::InstanceState,
    engine::{Event, Health, InstanceInfo},
    tui::Effect,
};

use super::{fixture, test_dashboard::TestDashboard};

const SIZES: [(u16, u16); 2] = [(80, 24), (160, 48)];

/// The event that the instance of `info` is in `state` now.
fn changed(info: InstanceInfo, state: InstanceState) -> Event {
    Event::InstanceChanged {
        instance: info.id,
        region: info.region,
        state,
        reason: None,
        private_ip: None,
        public_ip: None,
    }
}

/// Every node was ready; then `node`'s instance is in `state`.
fn without(node: &str, state: InstanceState) -> TestDashboard {
    let mut model = fixture::all_ready();
    let info = model.state.nodes[&node.into()].instance.clone().unwrap();
    fixture::event(&mut model, 100, changed(info, state));
    TestDashboard::new(model)
}

/// Fails unless every part of screen `key` is shown at every size.
fn shows(board: &mut TestDashboard, key: &str, parts: &[&str]) {
    board.press(key);
    for (width, height) in SIZES {
        let text = board.text(width, height);
        // Paragraphs are wrapped between the borders of a pane.
        let words: Vec<_> = text.split(['│', ' ', '\n']).filter(|word| !word.is_empty()).collect();
        let text = words.join(" ");
        for part in parts {
            assert!(text.contains(part), "{key} at {width}x{height} lacks {part:?}:\n{text}");
        }
        assert!(!text.contains("✓ ready"), "{key} at {width}x{height}:\n{text}");
    }
}

#[test]
fn a_lost_member_leaves_a_cluster_that_is_not_complete() {
    for state in [InstanceState::ShuttingDown, InstanceState::Terminated] {
        let mut board = without("eu-west-1/worker-1", state);
        let readiness = board.model.state.readiness();
        assert_eq!((readiness.health, readiness.lost), (Health::Degraded, 1));
        assert_eq!(readiness.to_string(), "8 of 9 nodes ready, 1 lost");
        shows(
            &mut board,
            "1",
            &["8/9 nodes · ✗1 lost", "✗ not complete", "8 of 9 ready · ✗ 1 lost"],
        );
        shows(&mut board, "1", &["was terminated, and", "u launches what is missing"]);
        shows(&mut board, "8", &["not ready", "8 of 9 nodes ready, 1 lost. Waiting for:"]);
        shows(&mut board, "8", &["✗ eu-west-1/worker-1"]);
        board.press("1 u");
        assert!(board.text(80, 24).contains("Launch tpch-demo"), "the key does what it is for");
    }
}

#[test]
fn a_cluster_without_its_leader_is_not_ready() {
    for (state, word, key) in [
        (InstanceState::Terminated, "terminated", "u launches another leader"),
        (InstanceState::Stopped, "stopped", "P starts it, and runs again what it led"),
    ] {
        let mut board = without("us-west-2/head", state);
        assert_eq!(board.model.state.readiness().health, Health::NoLeader);
        let why = format!("the leader us-west-2/head is {word}: the cluster does not work without");
        shows(&mut board, "1", &["✗ no leader", "✗ not ready", "8 of 9 ready", &why, key]);
        shows(&mut board, "8", &["not ready", &why, key]);
        let offered = key.split_once(' ').unwrap().0;
        let effects = board.press(&format!("1 {offered}"));
        assert!(board.ui.dialog.is_some(), "{offered} opens a dialog: {effects:?}");
    }
}

#[test]
fn while_another_leader_is_launched_nothing_asks_for_it() {
    let mut board = without("us-west-2/head", InstanceState::Terminated);
    let effects = board.press("u L");
    assert!(matches!(effects[..], [Effect::Send(_)]), "{effects:?}");
    board.sends(&effects);
    let text = board.text(160, 48);
    assert!(!text.contains("u launches another leader"), "{text}");
    let node = board.model.state.nodes[&"us-west-2/head".into()].clone();
    let intended = Event::LaunchIntended {
        token: "again".into(),
        group: node.group,
        nodes: vec![node.name],
        subnet: None,
        request: None,
    };
    fixture::event(&mut board.model, 110, intended);
    let readiness = board.model.state.readiness();
    assert_eq!((readiness.health, readiness.lost), (Health::Launching, 0));
}

/// What muster stops or terminates itself is not lost.
#[test]
fn nothing_is_lost_by_a_stop_or_a_termination() {
    let instances: Vec<_> =
        fixture::all_ready().state.instances().map(|info| info.id.clone()).collect();
    for (event, health) in [
        (Event::StopIntended { instances: instances.clone() }, Health::Stopping),
        (Event::DownStarted { instances: instances.clone() }, Health::Terminating),
    ] {
        let mut board = TestDashboard::new(fixture::all_ready());
        fixture::event(&mut board.model, 100, event);
        let info = board.model.state.nodes[&"us-west-2/head".into()].instance.clone().unwrap();
        let state = match health {
            Health::Stopping => InstanceState::Stopped,
            _ => InstanceState::Terminated,
        };
        fixture::event(&mut board.model, 101, changed(info, state));
        let readiness = board.model.state.readiness();
        assert_eq!((readiness.health, readiness.lost, readiness.stopped), (health, 0, 0));
        assert_eq!(board.model.state.lost_leader(), None);
        assert!(readiness.is_well());
    }
}
