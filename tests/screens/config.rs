//! The configs with what is wrong in them in its place.

use std::path::Path;

use muster::{
    engine::{Command, Update},
    tui::{Dialog, Effect, Errand, Screen},
};

use super::{desk::Desk, fixture, pictures};

fn broken() -> Desk {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    Desk::new(model)
}

/// A desk whose files were read again with a mistake in `eu.yaml` and one in `ap.yaml`.
fn mistyped() -> Desk {
    let mut desk = broken();
    fixture::read_again(&mut desk.model, "eu.yaml", "provider:", "provder:");
    desk
}

#[test]
fn findings_stand_at_the_lines_that_they_go_back_to() {
    let mut desk = broken();
    desk.press("6 n n");
    pictures("config_findings", &mut desk);
    let text = desk.text(80, 24);
    assert!(text.contains("✗ fails key.exists"), "{text}");
}

#[test]
fn what_can_not_be_loaded_is_shown_in_its_place() {
    let mut desk = mistyped();
    desk.press("6 n");
    pictures("config_errors", &mut desk);
    let text = desk.text(160, 48);
    assert!(text.contains("error config.unknown-key") && text.contains("Not taken over"), "{text}");
    // What the checks found was found of other lines than these.
    assert!(!text.contains("✗ fails"), "{text}");
    desk.press("n");
    assert!(desk.text(160, 48).contains("help: did you mean `provider`?"));
    desk.press("l");
    assert!(desk.text(160, 48).contains("✗ fails"), "ap.yaml is as it was");
}

#[test]
fn without_anything_wrong_it_is_the_files() {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    let mut desk = Desk::new(model);
    desk.press("6");
    pictures("config_clean", &mut desk);
    desk.press("n");
    assert!(desk.text(80, 24).contains("nothing is wrong in any config"));
}

#[test]
fn n_goes_through_the_lines_of_all_files_and_round() {
    let mut desk = broken();
    let mut seen = Vec::new();
    for keys in ["6 n", "n", "n", "n", "n", "N", "N"] {
        desk.press(keys);
        let effects = desk.press("y");
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
    let mut desk = broken();
    desk.press("6 l l / 'keyname' enter");
    let text = desk.text(80, 24);
    assert!(text.contains("18 │       KeyName: quokka"), "{text}");
    assert!(!text.contains("cluster_name"), "{text}");
    desk.press("/ 'zzz' enter");
    assert!(desk.text(80, 24).contains("No line with"));
    desk.press("esc g");
    assert!(desk.text(80, 24).contains("cluster_name"));
    // What is said of a line counts too.
    desk.press("/ 'ami.exists' enter");
    assert!(desk.text(80, 24).contains("17 │"));
}

#[test]
fn e_opens_the_editor_at_the_line_and_what_is_wrong_with_it() {
    let mut desk = broken();
    let edit = |file: &str, line, column| {
        Effect::Lend(Errand::Edit { file: Path::new(file).into(), line, column })
    };
    assert_eq!(desk.press("6 n n e"), [edit("eu.yaml", 18, 16)]);
    assert_eq!(desk.press("g l e"), [edit("ap.yaml", 1, 1)]);
}

#[test]
fn in_a_simulated_world_there_is_no_file_to_open() {
    let mut desk = broken();
    let reading = muster::config::Reading { in_memory: true, ..(*desk.model.configs).clone() };
    desk.model.fold(Update::Configs(reading.into()));
    assert_eq!(desk.press("6 e"), []);
    let text = desk.text(80, 24);
    assert!(text.contains("there is no file"), "{text}");
    assert!(!text.contains("e edit"), "{text}");
}

#[test]
fn enter_and_f_lead_from_the_line_to_its_finding() {
    let mut desk = broken();
    let effects = desk.press("6 n n f");
    assert!(matches!(effects.first(), Some(Effect::Send(Command::PlanFix(_)))), "{effects:?}");
    assert!(matches!(desk.ui.dialog, Some(Dialog::Fix(_))));
    desk.press("esc enter");
    assert_eq!(desk.ui.screen, Screen::Preflight);
    assert!(desk.text(160, 48).contains("key.exists ─"));
    desk.press("6 g");
    assert_eq!(desk.press("f"), []);
    assert!(desk.text(80, 24).contains("no check found anything about this line"));
}

#[test]
fn a_file_that_changed_outside_is_told_and_offered() {
    let mut desk = broken();
    assert!(!desk.text(80, 24).contains("R reload"));
    desk.model.fold(Update::FilesChanged(vec![Path::new("eu.yaml").into()]));
    let text = desk.text(80, 24);
    assert!(text.contains("eu.yaml changed on disk: R loads the configs again"), "{text}");
    assert!(desk.text(160, 48).contains("R reload"));
    assert_eq!(desk.press("R"), [Effect::Send(Command::Reload)]);
    fixture::read_again(&mut desk.model, "eu.yaml", "min_workers: 2", "min_workers: 3");
    assert!(!desk.text(80, 24).contains("changed on disk"));
}

/// Long lines, deep indentation, tabs, wide characters and secrets.
#[test]
fn no_line_breaks_the_page_or_tells_a_secret() {
    let mut desk = broken();
    let nasty = format!(
        "setup_commands:\n  - export DB_PASSWORD=hunter2 {}\n\t- 東京 \u{1b}[31m\u{202e}",
        "x".repeat(400)
    );
    fixture::read_again(&mut desk.model, "eu.yaml", "cluster_name: tpch-eu", &nasty);
    desk.press("6 l l");
    for (width, height) in super::SIZES {
        for keys in ["G", "g", "n", "n", "n"] {
            desk.press(keys);
            let text = desk.text(width, height);
            assert!(!text.contains("hunter2") && !text.contains('\u{1b}'), "{text}");
        }
    }
}
