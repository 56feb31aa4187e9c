//! The configs loaded again under an open dashboard.

use std::sync::Arc;

use muster::{
    config::Project,
    engine::Update,
    sim::Scenario,
    tui::{Model, Work},
};

use super::{SIZES, desk::Desk, fixture};

fn small() -> Arc<Project> {
    let scenario = Scenario::scale(1, 1).unwrap();
    Arc::new(scenario.load_project().project.unwrap())
}

/// Every place that a user may be at, far down and to the right of each.
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
        let mut desk = Desk::new(fixture::large());
        desk.press(place);
        desk.model.state.nodes.retain(|_, node| node.instance.is_some());
        desk.model.fold(Update::Project(small()));
        for (width, height) in SIZES {
            desk.text(width, height);
        }
        desk.press("j k h l G enter esc");
    }
}

fn planned() -> Model {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    model
}

/// What was found was found of other configs.
#[test]
fn findings_of_the_last_project_are_not_shown() {
    let mut desk = Desk::new(planned());
    assert!(desk.model.findings.is_some() && !desk.model.state.nodes.is_empty());
    desk.model.fold(Update::Project(small()));
    assert_eq!(desk.model.findings, None);
    let nodes: Vec<_> = desk.model.state.nodes.keys().cloned().collect();
    let planned: Vec<_> = small().planned_nodes().into_iter().map(|node| node.name).collect();
    assert_eq!(nodes.len(), planned.len());
    assert!(planned.iter().all(|name| nodes.contains(name)), "{nodes:?}");
    assert_eq!(desk.model.work, Work::None);
    assert!(desk.text(100, 30).contains("the configs are loaded again"));
}
