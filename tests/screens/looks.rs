//! Snapshots of the screens.

use muster::{
    engine::{Event, Phase},
    model::Failure,
    tui::{Theme, Work},
};
use ratatui::style::Color;

use super::{SIZES, fixture, pictures, test_dashboard::TestDashboard};

fn broken() -> TestDashboard {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    TestDashboard::new(model)
}

fn launching() -> TestDashboard {
    TestDashboard::new(fixture::launching())
}

#[test]
fn before_the_first_refresh_ends() {
    pictures("overview_looking", &mut TestDashboard::new(fixture::model(0)));
}

#[test]
fn overview_of_a_broken_world() {
    pictures("overview_broken", &mut broken());
}

#[test]
fn overview_of_a_healthy_world() {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    pictures("overview_healthy", &mut TestDashboard::new(model));
}

#[test]
fn overview_of_a_launching_cluster() {
    pictures("overview_launching", &mut launching());
}

#[test]
fn overview_of_a_ready_cluster() {
    pictures("overview_ready", &mut TestDashboard::new(fixture::all_ready()));
}

#[test]
fn overview_of_what_an_earlier_muster_began() {
    let mut model = fixture::launching();
    model.work = Work::None;
    pictures("overview_interrupted", &mut TestDashboard::new(model));
}

#[test]
fn overview_where_aws_could_not_be_asked() {
    let mut model = fixture::model(4);
    fixture::unknown(&mut model);
    let mut survey = (*model.survey.clone().unwrap()).clone();
    let failure = Failure::new("no credentials were found").hint("set AWS_PROFILE");
    survey.not_asked = Some(failure);
    model.survey = Some(survey.into());
    pictures("overview_not_asked", &mut TestDashboard::new(model));
}

#[test]
fn instances_before_the_launch() {
    let mut board = broken();
    board.press("2");
    pictures("instances_planned", &mut board);
}

#[test]
fn instances_of_a_launching_cluster() {
    let mut board = launching();
    let stray = Event::StrayFound {
        instance: "i-0fedcba9876543210".into(),
        region: "eu-west-1".into(),
        state: muster::cloud::InstanceState::Running,
        instance_type: "r5.2xlarge".into(),
    };
    fixture::event(&mut board.model, 80, stray);
    board.press("2 j j j j");
    pictures("instances_launching", &mut board);
}

#[test]
fn preflight_of_a_broken_world() {
    let mut board = broken();
    board.press("3 g j j");
    pictures("preflight_broken", &mut board);
}

#[test]
fn preflight_by_region() {
    let mut board = broken();
    board.press("3 b");
    pictures("preflight_by_region", &mut board);
}

#[test]
fn bootstrap_of_a_launching_cluster() {
    let mut board = launching();
    board.press("4 j j j j");
    pictures("bootstrap_launching", &mut board);
}

#[test]
fn logs_of_all_nodes() {
    let mut board = launching();
    board.press("5");
    pictures("logs_all", &mut board);
}

#[test]
fn logs_frozen_at_an_error() {
    let mut board = launching();
    board.press("5 N");
    pictures("logs_error", &mut board);
}

#[test]
fn a_terminal_that_is_too_small_is_reported() {
    let mut board = broken();
    assert!(board.text(79, 24).starts_with("muster needs 80×24"));
    assert!(board.text(80, 23).starts_with("muster needs 80×24"));
    // Drawing does not panic at any size.
    for (width, height) in [(0, 0), (1, 1), (5, 3), (300, 3), (3, 300)] {
        board.text(width, height);
    }
}

#[test]
fn ascii_mode_prints_only_ascii() {
    let mut board = launching();
    board.ui.theme = Theme { ascii: true, ..Theme::colours() };
    for keys in ["1", "2", "3", "4", "5", "6", "7", "8", "?"] {
        board.press(keys);
        assert!(board.text(120, 40).is_ascii(), "screen {keys}");
    }
}

#[test]
fn no_color_leaves_none() {
    for mut board in [broken(), launching()] {
        board.ui.theme = Theme::monochrome();
        for keys in ["1", "2", "3", "4", "5", "6", "7", "8", "?"] {
            board.press(keys);
            let frame = board.frame(120, 40);
            let coloured = frame.content.iter().any(|cell| {
                let plain = |colour| colour == Color::Reset;
                !plain(cell.fg) || !plain(cell.bg)
            });
            assert!(!coloured, "screen {keys}");
        }
    }
}

#[test]
fn no_state_is_shown_by_color_alone() {
    let mut board = launching();
    let words = [Phase::Ready, Phase::Failed, Phase::Bootstrapping, Phase::Connecting];
    board.press("2");
    for (width, height) in SIZES {
        let text = board.text(width, height);
        for phase in words {
            assert!(text.contains(phase.as_str()), "{}", phase.as_str());
        }
    }
}

#[test]
fn node_output_can_not_control_the_terminal() {
    let mut board = launching();
    for keys in ["4 j j j j", "5"] {
        board.press(keys);
        let text = board.text(160, 48);
        assert!(text.contains("E: Could not get lock"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("[31m"), "{text}");
    }
}

/// Ten regions and a hundred nodes fit too: the hidden ones are counted.
#[test]
fn a_large_cluster_is_shown_at_the_smallest_size() {
    let mut board = TestDashboard::new(fixture::large());
    for screen in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        board.press(screen);
        pictures(&format!("large_{screen}"), &mut board);
    }
}
