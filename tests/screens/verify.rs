//! The link checks of the nodes, as a matrix of regions.

use muster::{
    engine::{Event, LinkCheck, Probe},
    tui::{Effect, Model, Screen},
};

use super::{fixture, pictures, test_dashboard::TestDashboard};

/// Returns the checks of `node` for all others: every link passes except those in `fails`.
fn checks(model: &Model, node: &str, fails: &[(Probe, &str, &str)]) -> Vec<LinkCheck> {
    let leader = "us-west-2/head";
    let check = |probe, to: Option<&str>| {
        let failed = fails.iter().find(|(other, end, _)| *other == probe && to == Some(*end));
        LinkCheck {
            probe,
            to: to.map(Into::into),
            ok: failed.is_none(),
            detail: failed.map_or("answers in 2 ms", |(_, _, detail)| detail).to_owned(),
        }
    };
    let mut all = vec![
        check(Probe::Versions, None),
        check(Probe::RayNode, None),
        check(Probe::Gcs, Some(leader)),
        check(Probe::Redis, Some(leader)),
    ];
    let others = model.nodes_in_order().into_iter().filter(|other| other.name.as_str() != node);
    all.extend(others.map(|other| check(Probe::Flight, Some(other.name.as_str()))));
    all
}

fn verified(model: &mut Model, node: &str, fails: &[(Probe, &str, &str)]) {
    let checks = checks(model, node, fails);
    let event = Event::NodeVerified { node: node.into(), step: "verify".into(), checks };
    fixture::event(model, 88, event);
}

/// Redis is unreachable from one region, and one node's Flight from everywhere.
fn broken() -> TestDashboard {
    let mut model = fixture::all_ready();
    let names: Vec<_> = model.state.nodes.keys().map(ToString::to_string).collect();
    for name in names {
        let mut fails = vec![(
            Probe::Flight,
            "ap-southeast-2/worker-2",
            "10.3.0.52:5005 refuses; likeliest the process: flight has ended",
        )];
        if name.starts_with("eu-west-1") {
            fails.push((
                Probe::Redis,
                "us-west-2/head",
                "no answer from 203.0.113.10:6800 within 5 s; likeliest the redirect is missing",
            ));
        }
        verified(&mut model, &name, &fails);
    }
    TestDashboard::new(model)
}

#[test]
fn who_reaches_whom_and_why_not() {
    let mut board = broken();
    board.press("7 j");
    pictures("verify_broken", &mut board);
    let text = board.text(80, 24);
    assert!(text.contains("✗ redis") && text.contains("redirect is missing"), "{text}");
}

#[test]
fn before_anything_is_verified_it_shows_when_that_happens() {
    let mut board = TestDashboard::new(fixture::launching());
    board.press("7");
    pictures("verify_not_yet", &mut board);
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    let mut board = TestDashboard::new(model);
    board.press("7");
    assert!(board.text(80, 24).contains("Nothing runs yet"));
}

#[test]
fn n_goes_to_what_fails_and_enter_to_its_cause_and_log() {
    let mut board = broken();
    board.press("7 n n");
    let text = board.text(120, 40);
    assert!(text.contains("eu-west-1 → us-west-2"), "{text}");
    let copied = board.press("y");
    let Some(Effect::Copy(text)) = copied.first() else { unreachable!("{copied:?}") };
    assert!(text.contains("✗ redis: eu-west-1/head → us-west-2/head: no answer"), "{text}");
    board.press("enter enter");
    assert_eq!(board.ui.screen, Screen::Logs);
    assert!(board.text(120, 40).contains("eu-west-1/head"));
}

#[test]
fn a_large_cluster_is_shown_by_counts() {
    let mut model = fixture::large();
    let names: Vec<_> = model.state.nodes.keys().map(ToString::to_string).collect();
    let to = names[42].clone();
    for name in &names[..30] {
        verified(&mut model, name, &[(Probe::Flight, &to, "refused")]);
    }
    let mut board = TestDashboard::new(model);
    board.press("7 n");
    pictures("verify_large", &mut board);
    board.press("G l l l l l l l l l l l l");
    let text = board.text(80, 24);
    assert!(text.contains('['), "the selected cell is visible: {text}");
}
