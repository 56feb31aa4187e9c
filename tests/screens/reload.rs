//! Reloading the configs under an open dashboard.

use std::sync::Arc;

use muster::{
    config::Project,
    engine::Update,
    sim::Scenario,
    tui::{Model, Work},
};

use super::{SIZES, fixture, test_dashboard::TestDashboard};

fn small() -> Arc<Project> {
    let scenario = Scenario::scale(1, 1).unwrap();
    Arc::new(scenario.load_project().project.unwrap())
}

/// Every screen that a user may be on, scrolled far down and to the right.
const PLACES: [&str; 11] = [
    "1 G",
    "2 G l l",
    "2 G enter",
    "3 G",
    "3 G enter",
    "4 G l l l",
    "4 G enter",
    "5 G",
    "6 G",
    "6 n n n l l G",
    "?",
];

#[test]
fn a_smaller_project_leaves_nothing_pointing_past_its_end() {
    for place in PLACES {
        let mut board = TestDashboard::new(fixture::large());
        board.press(place);
        board.model.state.nodes.retain(|_, node| node.instance.is_some());
        board.model.fold(Update::Project(small()));
        for (width, height) in SIZES {
            board.text(width, height);
        }
        board.press("j k h l G enter esc");
    }
}

fn planned() -> Model {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    model
}

/// The findings are about the previous configs.
#[test]
fn findings_of_the_last_project_are_not_shown() {
    let mut board = TestDashboard::new(planned());
    assert!(board.model.findings.is_some() && !board.model.state.nodes.is_empty());
    board.model.fold(Update::Project(small()));
    assert_eq!(board.model.findings, None);
    let nodes: Vec<_> = board.model.state.nodes.keys().cloned().collect();
    let planned: Vec<_> = small().planned_nodes().into_iter().map(|node| node.name).collect();
    assert_eq!(nodes.len(), planned.len());
    assert!(planned.iter().all(|name| nodes.contains(name)), "{nodes:?}");
    assert_eq!(board.model.work, Work::None);
    assert!(board.text(100, 30).contains("the configs are loaded again"));
}
