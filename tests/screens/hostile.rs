//! Every screen and dialog with names, failures, log lines and ids that contain
//! terminal control sequences: none reaches a cell.

use std::{path::Path, sync::Arc};

use muster::{
    cloud::{Instance, InstanceState, tags},
    engine::{DownPlan, Event, LinkCheck, StopPlan, Update},
    model::{ClusterId, Failure, InstanceId, NodeName, is_hidden},
    tui::Model,
};

use super::{fixture, test_dashboard::TestDashboard};

/// Titles, colours, clipboards, cursors, C1, directions, marks without width.
const HOSTILE: &str = "h\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}]52;c;aGk=\u{1b}\\\u{9b}2J\u{90}q\u{9c}\
    \u{202e}abc\u{2066}\u{200f}\u{200b}\u{61c}\u{2028}\u{feff}\u{e0041}\r\n\t\u{8}x\
    \u{6771}\u{4eac}\u{1f980}e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}";

fn failure() -> Failure {
    Failure { code: Some(HOSTILE.into()), ..Failure::new(HOSTILE).hint(HOSTILE) }
}

fn instance() -> Instance {
    Instance {
        id: InstanceId::new(HOSTILE),
        state: InstanceState::Running,
        state_reason: Some(HOSTILE.into()),
        instance_type: HOSTILE.into(),
        zone: HOSTILE.into(),
        private_ip: None,
        public_ip: None,
        launched: Some(fixture::at(3)),
        launch_index: 0,
        token: None,
        spot: false,
        ebs_root: true,
        tags: [tags::NAME, tags::CLUSTER, tags::PROJECT, "ray-node-type"]
            .map(|key| (key.to_owned(), HOSTILE.to_owned()))
            .into(),
    }
}

/// Puts hostile text into every field of a model that others can write.
fn hostile(mut model: Model) -> Model {
    let mut project = (*model.project).clone();
    project.name.value = HOSTILE.into();
    model.project = Arc::new(project);
    let mut findings = model.findings.clone().unwrap_or_default().to_vec();
    for finding in &mut findings {
        finding.title = HOSTILE.into();
        finding.evidence = vec![HOSTILE.into()];
        finding.impact = Some(HOSTILE.into());
        finding.todo = Some(HOSTILE.into());
    }
    model.findings = Some(findings.into());
    model.state.cluster = Some(ClusterId::new(HOSTILE));
    let nodes: Vec<NodeName> = model.state.nodes.keys().cloned().collect();
    for node in &nodes {
        fixture::print(&model, node, 80, HOSTILE, HOSTILE);
        if let Some(info) = model.state.nodes.get_mut(node).and_then(|node| node.instance.as_mut())
        {
            info.id = InstanceId::new(HOSTILE);
            info.zone = Some(HOSTILE.into());
            info.instance_type = HOSTILE.into();
        }
    }
    let node = nodes[0].clone();
    let check = LinkCheck::parse(&format!("muster-check redis {HOSTILE} failed {HOSTILE}"));
    let checks = check.into_iter().collect();
    fixture::event(&mut model, 85, Event::NodeVerified { node, step: HOSTILE.into(), checks });
    fixture::event(
        &mut model,
        86,
        Event::NodeFailed { node: nodes[1].clone(), failure: failure() },
    );
    let region = model.project.region_names()[0].clone();
    fixture::event(
        &mut model,
        87,
        Event::StrayFound {
            instance: InstanceId::new(HOSTILE),
            region,
            state: InstanceState::Running,
            instance_type: HOSTILE.into(),
        },
    );
    model.busy = vec![HOSTILE.into()];
    model.changed_files = vec![Path::new(HOSTILE).into()];
    model.scenarios = vec![(HOSTILE.into(), HOSTILE.into())];
    model.fold(Update::Notice(failure()));
    model
}

fn planned() -> Model {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    model
}

/// Fails where a cell holds what a terminal acts on or does not show, or more
/// combining marks than one cell can have.
fn assert_clean(board: &mut TestDashboard, what: &str) {
    for (width, height) in [(60, 20), (80, 24), (120, 36), (132, 50), (40, 10)] {
        let frame = board.frame(width, height);
        for cell in &frame.content {
            assert!(!cell.symbol().chars().any(is_hidden), "{what}: {:?}", cell.symbol());
            let marks = cell.symbol().chars().count();
            assert!(marks <= 8, "{what}: {marks} characters in one cell");
        }
    }
    // So that keys act on visible elements.
    board.frame(80, 24);
}

#[test]
fn no_cell_of_any_screen_or_dialog_holds_what_a_terminal_acts_on() {
    let worlds = [
        ("planned", planned as fn() -> Model),
        ("launching", fixture::launching),
        ("ready", fixture::all_ready),
    ];
    for (world, model) in worlds {
        for keys in [
            "1",
            "1 enter",
            "2",
            "2 enter",
            "3",
            "3 enter j enter",
            "3 b",
            "4",
            "4 j enter",
            "5",
            "5 z",
            "6",
            "7",
            "7 j l enter",
            "8",
            "1 '/h'",
            "?",
            "u",
            "f",
            "F",
            "D",
            "q",
            "w",
            "y",
            "r",
        ] {
            let mut board = TestDashboard::new(hostile(model()));
            board.model.simulated = keys == "w";
            board.press(keys);
            assert_clean(&mut board, &format!("{world} {keys}"));
        }
    }
}

#[test]
fn no_dialog_with_answers_from_aws_holds_what_a_terminal_acts_on() {
    let region = fixture::model(0).project.region_names()[0].clone();
    let found = vec![(region.clone(), instance())];
    let down = DownPlan {
        terminate: found.clone(),
        unrecorded: found.clone(),
        foreign: found.clone(),
        unknown: vec![(region.clone(), failure())],
        ..DownPlan::default()
    };
    let stop = StopPlan {
        stop: found.clone(),
        stopping: found.clone(),
        stopped: found.clone(),
        stay: vec![(region.clone(), instance(), HOSTILE.into())],
        unknown: vec![(region, failure())],
        ..StopPlan::default()
    };
    for (keys, update) in [
        ("D", Update::DownPlan(down.into())),
        ("p", Update::StopPlan(stop.into())),
        ("1", Update::Refused(failure())),
        ("1", Update::ReadOnly(Some(HOSTILE.into()))),
        ("1", Update::Busy(vec![HOSTILE.into()])),
    ] {
        let mut board = TestDashboard::new(hostile(fixture::all_ready()));
        board.press(keys);
        board.model.fold(update);
        assert_clean(&mut board, keys);
    }
}
