//! The Config screen, with diagnostics at their lines.

use std::path::Path;

use muster::{
    engine::{Command, Update},
    tui::{Dialog, Effect, ExternalProgram, Screen},
};

use super::{fixture, pictures, test_dashboard::TestDashboard};

fn broken() -> TestDashboard {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    TestDashboard::new(model)
}

/// Returns a dashboard after a reload with mistakes in `eu.yaml` and `ap.yaml`.
fn mistyped() -> TestDashboard {
    let mut board = broken();
    fixture::read_again(&mut board.model, "eu.yaml", "provider:", "provder:");
    board
}

#[test]
fn findings_stand_at_the_lines_that_they_go_back_to() {
    let mut board = broken();
    board.press("6 n n");
    pictures("config_findings", &mut board);
    let text = board.text(80, 24);
    assert!(text.contains("✗ fails key.exists"), "{text}");
}

#[test]
fn a_config_error_is_shown_at_its_line() {
    let mut board = mistyped();
    board.press("6 n");
    pictures("config_errors", &mut board);
    let text = board.text(160, 48);
    assert!(text.contains("error config.unknown-key") && text.contains("Not taken over"), "{text}");
    // The findings are about other lines than these.
    assert!(!text.contains("✗ fails"), "{text}");
    board.press("n");
    assert!(board.text(160, 48).contains("help: did you mean `provider`?"));
    board.press("l");
    assert!(board.text(160, 48).contains("✗ fails"), "ap.yaml is unchanged");
}

#[test]
fn without_anything_wrong_it_is_the_files() {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    let mut board = TestDashboard::new(model);
    board.press("6");
    pictures("config_clean", &mut board);
    board.press("n");
    assert!(board.text(80, 24).contains("nothing is wrong in any config"));
}

#[test]
fn n_goes_through_the_lines_of_all_files_and_round() {
    let mut board = broken();
    let mut seen = Vec::new();
    for keys in ["6 n", "n", "n", "n", "n", "N", "N"] {
        board.press(keys);
        let effects = board.press("y");
        let Some(Effect::Copy(text)) = effects.first() else { unreachable!("{effects:?}") };
        seen.push(text.split_whitespace().nth(1).unwrap().to_owned());
    }
    let (first, rest) = seen.split_at(5);
    assert_eq!(rest, [first[3].as_str(), first[2].as_str()]);
    assert_eq!(
        first,
        ["ami.exists", "key.exists", "sg.same-vpc", "key.same-material", "ami.exists"]
    );
}

#[test]
fn a_filter_leaves_the_lines_that_contain_it_with_their_numbers() {
    let mut board = broken();
    board.press("6 l l / 'keyname' enter");
    let text = board.text(80, 24);
    assert!(text.contains("18 │       KeyName: quokka"), "{text}");
    assert!(!text.contains("cluster_name"), "{text}");
    board.press("/ 'zzz' enter");
    assert!(board.text(80, 24).contains("No line with"));
    board.press("esc g");
    assert!(board.text(80, 24).contains("cluster_name"));
    // Diagnostics of a line count too.
    board.press("/ 'ami.exists' enter");
    assert!(board.text(80, 24).contains("17 │"));
}

#[test]
fn e_opens_the_editor_at_the_line_and_what_is_wrong_with_it() {
    let mut board = broken();
    let edit = |file: &str, line, column| {
        Effect::RunExternal(ExternalProgram::Edit { file: Path::new(file).into(), line, column })
    };
    assert_eq!(board.press("6 n n e"), [edit("eu.yaml", 18, 16)]);
    assert_eq!(board.press("g l e"), [edit("ap.yaml", 1, 1)]);
}

#[test]
fn in_a_simulated_world_there_is_no_file_to_open() {
    let mut board = broken();
    let reading = muster::config::Reading { in_memory: true, ..(*board.model.configs).clone() };
    board.model.fold(Update::Configs(reading.into()));
    assert_eq!(board.press("6 e"), []);
    let text = board.text(80, 24);
    assert!(text.contains("there is no file"), "{text}");
    assert!(!text.contains("e edit"), "{text}");
}

#[test]
fn enter_and_f_lead_from_the_line_to_its_finding() {
    let mut board = broken();
    let effects = board.press("6 n n f");
    assert!(matches!(effects.first(), Some(Effect::Send(Command::PlanFix(_)))), "{effects:?}");
    assert!(matches!(board.ui.dialog, Some(Dialog::Fix(_))));
    board.press("esc enter");
    assert_eq!(board.ui.screen, Screen::Preflight);
    assert!(board.text(160, 48).contains("key.exists ─"));
    board.press("6 g");
    assert_eq!(board.press("f"), []);
    assert!(board.text(80, 24).contains("no check found anything about this line"));
}

#[test]
fn a_file_changed_outside_is_reported_and_offered() {
    let mut board = broken();
    assert!(!board.text(80, 24).contains("R reload"));
    board.model.fold(Update::FilesChanged(vec![Path::new("eu.yaml").into()]));
    let text = board.text(80, 24);
    assert!(text.contains("eu.yaml changed on disk: R loads the configs again"), "{text}");
    assert!(board.text(160, 48).contains("R reload"));
    assert_eq!(board.press("R"), [Effect::Send(Command::Reload)]);
    fixture::read_again(&mut board.model, "eu.yaml", "min_workers: 2", "min_workers: 3");
    assert!(!board.text(80, 24).contains("changed on disk"));
}

/// Long lines, deep indentation, tabs, wide characters and secrets.
#[test]
fn no_line_breaks_the_page_or_shows_a_secret() {
    let mut board = broken();
    let nasty = format!(
        "setup_commands:\n  - export DB_PASSWORD=hunter2 {}\n\t- 東京 \u{1b}[31m\u{202e}",
        "x".repeat(400)
    );
    fixture::read_again(&mut board.model, "eu.yaml", "cluster_name: tpch-eu", &nasty);
    board.press("6 l l");
    for (width, height) in super::SIZES {
        for keys in ["G", "g", "n", "n", "n"] {
            board.press(keys);
            let text = board.text(width, height);
            assert!(!text.contains("hunter2") && !text.contains('\u{1b}'), "{text}");
        }
    }
}
