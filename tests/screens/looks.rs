//! The screens as they look.

use muster::{
    engine::{Event, Phase},
    model::Failure,
    tui::{Theme, Work},
};
use ratatui::style::Color;

use super::{SIZES, desk::Desk, fixture, pictures};

fn broken() -> Desk {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    Desk::new(model)
}

fn rising() -> Desk {
    Desk::new(fixture::rising())
}

#[test]
fn before_the_first_look_ends() {
    pictures("overview_looking", &mut Desk::new(fixture::model(0)));
}

#[test]
fn overview_of_a_broken_world() {
    pictures("overview_broken", &mut broken());
}

#[test]
fn overview_of_a_healthy_world() {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    pictures("overview_healthy", &mut Desk::new(model));
}

#[test]
fn overview_of_a_rising_cluster() {
    pictures("overview_rising", &mut rising());
}

#[test]
fn overview_of_a_ready_cluster() {
    pictures("overview_ready", &mut Desk::new(fixture::all_ready()));
}

#[test]
fn overview_of_what_an_earlier_muster_began() {
    let mut model = fixture::rising();
    model.work = Work::None;
    pictures("overview_interrupted", &mut Desk::new(model));
}

#[test]
fn overview_where_aws_could_not_be_asked() {
    let mut model = fixture::model(4);
    fixture::unknown(&mut model);
    let mut survey = (*model.survey.clone().unwrap()).clone();
    let failure = Failure::new("no credentials were found").hint("set AWS_PROFILE");
    survey.not_asked = Some(failure);
    model.survey = Some(survey.into());
    pictures("overview_not_asked", &mut Desk::new(model));
}

#[test]
fn instances_before_the_launch() {
    let mut desk = broken();
    desk.press("2");
    pictures("instances_planned", &mut desk);
}

#[test]
fn instances_of_a_rising_cluster() {
    let mut desk = rising();
    let stray = Event::StrayFound {
        instance: "i-0fedcba9876543210".into(),
        region: "eu-west-1".into(),
        state: muster::cloud::InstanceState::Running,
        instance_type: "r5.2xlarge".into(),
    };
    fixture::event(&mut desk.model, 80, stray);
    desk.press("2 j j j j");
    pictures("instances_rising", &mut desk);
}

#[test]
fn preflight_of_a_broken_world() {
    let mut desk = broken();
    desk.press("3 g j j");
    pictures("preflight_broken", &mut desk);
}

#[test]
fn preflight_by_region() {
    let mut desk = broken();
    desk.press("3 b");
    pictures("preflight_by_region", &mut desk);
}

#[test]
fn bootstrap_of_a_rising_cluster() {
    let mut desk = rising();
    desk.press("4 j j j j");
    pictures("bootstrap_rising", &mut desk);
}

#[test]
fn logs_of_all_nodes() {
    let mut desk = rising();
    desk.press("5");
    pictures("logs_all", &mut desk);
}

#[test]
fn logs_frozen_at_an_error() {
    let mut desk = rising();
    desk.press("5 N");
    pictures("logs_error", &mut desk);
}

#[test]
fn a_terminal_that_is_too_small_is_told() {
    let mut desk = broken();
    assert!(desk.text(79, 24).starts_with("muster needs 80×24"));
    assert!(desk.text(80, 23).starts_with("muster needs 80×24"));
    // Any size at all is drawn on without a panic.
    for (width, height) in [(0, 0), (1, 1), (5, 3), (300, 3), (3, 300)] {
        desk.text(width, height);
    }
}

#[test]
fn nothing_but_ascii_leaves_where_that_is_asked_for() {
    let mut desk = rising();
    desk.ui.theme = Theme { ascii: true, ..Theme::colours() };
    for keys in ["1", "2", "3", "4", "5", "6", "7", "8", "?"] {
        desk.press(keys);
        assert!(desk.text(120, 40).is_ascii(), "screen {keys}");
    }
}

#[test]
fn no_color_leaves_none() {
    for mut desk in [broken(), rising()] {
        desk.ui.theme = Theme::monochrome();
        for keys in ["1", "2", "3", "4", "5", "6", "7", "8", "?"] {
            desk.press(keys);
            let frame = desk.frame(120, 40);
            let coloured = frame.content.iter().any(|cell| {
                let plain = |colour| colour == Color::Reset;
                !plain(cell.fg) || !plain(cell.bg)
            });
            assert!(!coloured, "screen {keys}");
        }
    }
}

#[test]
fn no_state_is_told_by_colour_alone() {
    let mut desk = rising();
    let words = [Phase::Ready, Phase::Failed, Phase::Bootstrapping, Phase::Connecting];
    desk.press("2");
    for (width, height) in SIZES {
        let text = desk.text(width, height);
        for phase in words {
            assert!(text.contains(phase.as_str()), "{}", phase.as_str());
        }
    }
}

#[test]
fn what_nodes_print_can_not_act_on_the_terminal() {
    let mut desk = rising();
    for keys in ["4 j j j j", "5"] {
        desk.press(keys);
        let text = desk.text(160, 48);
        assert!(text.contains("E: Could not get lock"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("[31m"), "{text}");
    }
}

/// Ten regions and a hundred nodes fit too: what does not is counted.
#[test]
fn a_large_cluster_is_shown_at_the_smallest_size() {
    let mut desk = Desk::new(fixture::large());
    for screen in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        desk.press(screen);
        pictures(&format!("large_{screen}"), &mut desk);
    }
}
