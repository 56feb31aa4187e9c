//! The effects of keys.

use std::sync::Arc;

use muster::{
    engine::{Command, DownPlan, Event, Update},
    model::Failure,
    tui::{Dialog, Effect, ExternalProgram, Screen},
};

use super::{fixture, test_dashboard::TestDashboard};

fn healthy() -> TestDashboard {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    TestDashboard::new(model)
}

fn broken() -> TestDashboard {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    TestDashboard::new(model)
}

fn up() -> Vec<Effect> {
    vec![Effect::Send(Command::Up)]
}

#[test]
fn a_launch_takes_a_key_that_is_not_pressed_by_accident() {
    assert_eq!(healthy().press("u enter"), []);
    assert_eq!(healthy().press("u esc L"), []);
    assert_eq!(healthy().press("u tab tab enter"), []);
    assert_eq!(healthy().press("u L"), up());
    assert_eq!(healthy().press("u tab enter"), up());
}

#[test]
fn a_launch_despite_mistakes_takes_a_typed_word() {
    assert_eq!(broken().press("u L enter tab enter"), []);
    assert_eq!(broken().press("u 'anywa' enter"), []);
    assert_eq!(broken().press("u 'anyway' esc enter"), []);
    assert_eq!(broken().press("u 'anyways' backspace enter"), up());
    // Before the first refresh, and if AWS did not answer, a launch is blocked as if broken.
    assert_eq!(TestDashboard::new(fixture::model(0)).press("u L tab enter"), []);
    let mut silent = healthy();
    let mut survey = (*silent.model.survey.clone().unwrap()).clone();
    survey.not_asked = Some(Failure::new("no credentials were found"));
    silent.model.survey = Some(survey.into());
    assert_eq!(silent.press("u L tab enter"), []);
}

#[test]
fn after_the_launch_the_steps_are_on_the_screen() {
    let mut board = healthy();
    board.press("u L");
    assert_eq!(board.ui.screen, Screen::Bootstrap);
    assert!(board.ui.dialog.is_none());
}

#[test]
fn ready_nodes_are_not_launched_again() {
    let mut board = TestDashboard::new(fixture::all_ready());
    board.press("u");
    assert!(board.ui.dialog.is_none());
    assert!(board.text(80, 24).contains("every node is ready"));
}

#[test]
fn a_read_only_session_is_not_offered_terminate() {
    let mut board = TestDashboard::new(fixture::launching());
    board.model.simulated = false;
    board.model.read_only = Some("another muster".into());
    assert_eq!(board.press("q D"), []);
    let text = board.text(80, 24);
    assert!(text.contains("Quit muster?") && text.contains("until `muster"), "{text}");
    assert!(!text.contains("D here") && !text.contains("D terminates"), "{text}");
}

#[test]
fn a_terminated_cluster_is_followed_by_the_next_one() {
    let mut model = fixture::all_ready();
    fixture::event(&mut model, 90, Event::ClusterGone);
    let mut board = TestDashboard::new(model);
    assert_eq!(board.press("u"), [Effect::NextCluster]);
    assert!(board.text(80, 24).contains("u launches a new cluster"));
    board.model.read_only = Some("another muster".into());
    assert_eq!(board.press("u"), []);
}

#[test]
fn down_asks_first_and_takes_a_word() {
    let mut board = TestDashboard::new(fixture::all_ready());
    assert_eq!(board.press("D"), [Effect::Send(Command::PlanDown)]);
    let instance = |board: &TestDashboard| {
        let info = board.model.state.instances().next().cloned().unwrap();
        muster::cloud::Instance {
            id: info.id,
            state: info.state,
            state_reason: None,
            instance_type: info.instance_type,
            zone: "us-west-2a".into(),
            private_ip: None,
            public_ip: None,
            launched: None,
            spot: false,
            ebs_root: true,
            launch_index: 0,
            token: None,
            tags: [].into(),
        }
    };
    let terminate = vec![("us-west-2".into(), instance(&board))];
    let plan = Arc::new(DownPlan { terminate, ..DownPlan::default() });
    board.model.fold(Update::DownPlan(plan.clone()));
    assert_eq!(board.press("enter y L 'term' enter"), []);
    board.press("esc D");
    assert_eq!(board.press("'terminate' enter"), [Effect::Send(Command::Down(plan))]);
}

#[test]
fn down_with_nothing_to_end_only_closes() {
    let mut board = TestDashboard::new(fixture::all_ready());
    board.press("D");
    board.model.fold(Update::DownPlan(Arc::default()));
    assert_eq!(board.press("enter"), []);
    assert!(board.ui.dialog.is_none());
    let mut board = healthy();
    assert_eq!(board.press("D"), [], "nothing was ever launched");
}

#[test]
fn quitting_asks_only_where_something_goes_on() {
    assert_eq!(healthy().press("q"), [Effect::Quit]);
    assert_eq!(healthy().press("ctrl-c"), [Effect::Quit]);
    assert_eq!(healthy().press("? ctrl-c"), [Effect::Quit]);
    assert_eq!(healthy().press("? q"), [], "q closes the help");
    let launching = || TestDashboard::new(fixture::launching());
    assert_eq!(launching().press("q"), []);
    assert_eq!(launching().press("q enter"), []);
    assert_eq!(launching().press("q tab enter"), [Effect::Quit]);
    assert_eq!(launching().press("q q"), [Effect::Quit]);
    assert_eq!(launching().press("ctrl-c ctrl-c"), [Effect::Quit]);
    assert_eq!(launching().press("q D"), [Effect::Send(Command::PlanDown)]);
}

#[test]
fn while_ending_only_quit_has_an_effect() {
    let mut board = healthy();
    board.model.ending = true;
    assert_eq!(board.press("u L r 2 enter"), []);
    assert_eq!(board.press("q"), [Effect::Quit]);
}

#[test]
fn a_cluster_that_another_muster_holds_is_read_only() {
    let mut board = healthy();
    board.model.read_only = Some("muster 4711 on this machine works on it".into());
    assert_eq!(board.press("u L D t T"), []);
    let text = board.text(80, 24);
    assert!(text.contains("READ-ONLY") && text.contains("4711"), "{text}");
    assert_eq!(board.press("r"), [Effect::Send(Command::Refresh)]);
}

#[test]
fn a_failed_node_and_a_step_can_be_retried() {
    let retry = |keys: &str| TestDashboard::new(fixture::launching()).press(keys);
    let failed = "eu-west-1/worker-1";
    assert_eq!(retry("4 j j j j t"), [Effect::Send(Command::RetryNode(failed.into()))]);
    assert_eq!(retry("2 j j j j t"), [Effect::Send(Command::RetryNode(failed.into()))]);
    assert_eq!(retry("4 t"), [], "a ready node has nothing to retry");
    let step = Command::RetryStep("us-west-2/head".into(), "python".into());
    assert_eq!(retry("4 h h h h h h h h l T"), [Effect::Send(step)]);
    let step = Command::RetryStep("us-west-2/head".into(), "flight".into());
    assert_eq!(retry("4 T"), [Effect::Send(step)], "the last step that it reached");
    assert_eq!(retry("4 j l T"), [], "a node in bootstrap is not retried");
}

#[test]
fn a_logs_in_to_the_selected_node_where_there_is_one() {
    for keys in ["2 a", "4 a"] {
        let effects = TestDashboard::new(fixture::launching()).press(keys);
        let Some(Effect::RunExternal(ExternalProgram::Ssh(host))) = effects.first() else {
            unreachable!("{effects:?}")
        };
        assert_eq!((host.node.as_str(), host.user.as_str()), ("us-west-2/head", "ubuntu"));
        assert_eq!(host.address.to_string(), "203.0.113.10");
    }
    let mut planned = healthy();
    assert_eq!(planned.press("2 a"), []);
    assert!(planned.text(80, 24).contains("has no machine to log in to"));
    let mut simulated = TestDashboard::new(fixture::launching());
    simulated.model.simulated = true;
    assert_eq!(simulated.press("2 a"), []);
    assert!(simulated.text(80, 24).contains("simulated nodes have no sshd"));
    assert!(!simulated.text(80, 24).contains("ssh in"));
}

#[test]
fn a_finding_is_opened_where_it_is_explained() {
    let mut board = broken();
    board.press("j enter");
    assert_eq!(board.ui.screen, Screen::Preflight);
    let text = board.text(160, 48);
    assert!(text.contains("key.same-material ─"), "{text}");
    assert!(text.contains("ap.yaml:18:16"), "{text}");
    assert!(text.contains("      KeyName: quokka"), "{text}");
    assert!(text.contains("               ^^^^^^"), "{text}");
}

#[test]
fn groups_fold_and_the_selection_stays_on_its_row() {
    let mut board = broken();
    board.press("3");
    assert!(board.text(80, 24).contains("✗ key.exists"));
    board.press("g left");
    assert!(!board.text(80, 24).contains("✗ key.exists"));
    board.press("right j");
    fixture::healthy(&mut board.model);
    let text = board.text(160, 48);
    assert!(text.contains("✓ Nothing") || text.contains("Key pair"), "{text}");
}

#[test]
fn a_filter_shows_what_contains_it_and_esc_drops_it() {
    let mut board = TestDashboard::new(fixture::launching());
    board.press("2 / 'EU-west' enter");
    let text = board.text(80, 24);
    assert!(text.contains("3 of 9") && !text.contains("us-west-2/head"), "{text}");
    board.press("esc");
    assert!(board.text(80, 24).contains("us-west-2/head"));
    board.press("/ 'q'");
    assert!(board.ui.filtering && board.ui.dialog.is_none(), "q is text here");
    board.press("esc");
    assert_eq!(board.ui.filter(), "");
}

#[test]
fn tables_sort_by_each_column_and_turn_round() {
    let first = |keys: &str| {
        let mut board = TestDashboard::new(fixture::launching());
        board.press(keys);
        board.text(160, 48).lines().nth(4).unwrap_or_default().to_owned()
    };
    assert!(first("2").contains("us-west-2/head"));
    assert!(first("2 S").contains("ap-southeast-2/worker-2"));
    assert!(first("2 s S").contains("✗ failed"), "{}", first("2 s S"));
}

#[test]
fn ids_and_texts_are_copied() {
    let effects = TestDashboard::new(fixture::launching()).press("2 y");
    assert_eq!(effects, [Effect::Copy("i-0a1b2c3d4e5f60000".into())]);
    let effects = broken().press("y");
    let Some(Effect::Copy(text)) = effects.first() else { unreachable!("{effects:?}") };
    assert!(text.contains("key.exists eu-west-1") && text.contains("import-key-pair"), "{text}");
    // A log line is copied without control sequences.
    let effects = TestDashboard::new(fixture::launching()).press("5 N y");
    let line = "E: Could not get lock /var/lib/dpkg/lock-frontend";
    assert_eq!(effects, [Effect::Copy(line.into())]);
}

#[test]
fn a_frozen_log_stays_and_the_end_is_followed_again() {
    let mut board = TestDashboard::new(fixture::launching());
    let node = "us-west-2/head".into();
    let print = |board: &TestDashboard, second, text: &str| {
        fixture::print(&board.model, &node, second, "flight", text);
    };
    for number in 0..100 {
        print(&board, 200 + number, &format!("line {number}"));
    }
    board.press("5 z k k");
    assert!(board.text(80, 24).contains("frozen"));
    let before = board.text(80, 24);
    print(&board, 300, "a new line");
    assert_eq!(board.text(80, 24), before);
    board.press("G");
    let text = board.text(80, 24);
    assert!(text.contains("a new line") && text.contains("following"), "{text}");
    board.press("g");
    assert!(board.text(80, 24).contains("packages: doing what it does"));
    board.press("/ 'line 4' enter");
    let text = board.text(80, 24);
    assert!(text.contains("line 49") && !text.contains("line 50"), "{text}");
}

#[test]
fn tab_goes_through_panes_and_then_through_screens() {
    let mut board = broken();
    let mut seen = vec![board.ui.screen];
    for _ in 0..20 {
        board.press("tab");
        if seen.last() != Some(&board.ui.screen) {
            seen.push(board.ui.screen);
        }
    }
    assert!(seen.starts_with(&Screen::ALL), "{seen:?}");
    board.press("1 backtab");
    assert!(board.ui.screen == Screen::Connect);
}

#[test]
fn worlds_are_offered_where_the_world_is_simulated() {
    let mut board = broken();
    assert_eq!(board.press("w"), []);
    assert!(board.ui.dialog.is_none());
    board.model.simulated = true;
    board.model.scenarios =
        vec![("mistakes".into(), String::new()), ("healthy".into(), String::new())];
    board.press("w");
    assert!(matches!(board.ui.dialog, Some(Dialog::Worlds(_))));
    assert_eq!(board.press("j enter"), [Effect::OpenScenario("healthy".into())]);
}

/// For any order of keys, nothing panics, and nothing is launched or terminated
/// without confirmation.
#[test]
fn no_order_of_keys_panics() {
    let all = [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "a",
        "R",
        "e",
        "f",
        "F",
        "up",
        "down",
        "left",
        "right",
        "pgup",
        "pgdn",
        "g",
        "G",
        "tab",
        "backtab",
        "enter",
        "esc",
        "?",
        "/",
        "x",
        "backspace",
        "s",
        "S",
        "b",
        "z",
        "n",
        "N",
        "y",
        "r",
        "u",
        "w",
        "t",
        "T",
        "space",
        "D",
        "j",
        "k",
    ];
    let mut dice: u64 = 7;
    for mut board in [
        broken(),
        healthy(),
        TestDashboard::new(fixture::launching()),
        TestDashboard::new(fixture::all_ready()),
    ] {
        for _ in 0..150 {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let key = all[usize::try_from(dice >> 33).unwrap_or(0) % all.len()];
            for effect in board.press(key) {
                let harmless = !matches!(effect, Effect::Send(Command::Down(_)));
                assert!(harmless, "{effect:?}");
            }
        }
    }
}

/// With more steps than fit, the running step is in view until the user scrolls.
#[test]
fn the_steps_follow_the_selected_node() {
    let mut board = TestDashboard::new(fixture::launching());
    board.press("4 g");
    let title = |board: &mut TestDashboard| {
        let text = board.text(80, 24);
        let mut lines = text.lines();
        lines.find(|line| line.contains("total")).unwrap_or_default().to_owned()
    };
    let at_node = title(&mut board);
    assert!(at_node.contains('▸'), "{at_node}");
    board.press("left");
    let before = title(&mut board);
    assert_ne!(before, at_node);
    board.press("esc");
    assert_eq!(title(&mut board), at_node);
}

/// Draws on a terminal that is too small, presses `keys`, and enlarges it.
fn unseen(board: &mut TestDashboard, keys: &str) -> Vec<Effect> {
    let small = board.text(60, 20);
    assert!(small.contains("80×24") && small.contains("only q acts"), "{small}");
    let effects = board.press_on((60, 20), keys);
    board.text(80, 24);
    effects
}

#[test]
fn hidden_actions_have_no_effect() {
    let mut board = healthy();
    assert_eq!(unseen(&mut board, "u L"), []);
    assert!(board.ui.dialog.is_none(), "no dialog was opened unseen");
    assert_eq!(unseen(&mut board, "8 r R / F D ? enter esc tab"), []);
    assert_eq!(board.ui.screen, Screen::default());
    assert!(!board.ui.filtering);
    assert_eq!(board.press("u L"), up(), "it acts again once it is visible");
}

#[test]
fn an_open_dialog_can_not_be_confirmed_unseen() {
    let mut board = healthy();
    board.press("u");
    assert_eq!(unseen(&mut board, "L enter tab enter esc"), []);
    assert!(matches!(board.ui.dialog, Some(Dialog::Launch(_))), "it is still open");
    let mut board = broken();
    board.press("u");
    assert_eq!(unseen(&mut board, "'anyway' enter"), []);
    let mut board = TestDashboard::new(fixture::launching());
    board.press("D");
    assert_eq!(unseen(&mut board, "Y enter tab enter D"), []);
}

#[test]
fn a_terminal_that_is_too_small_can_be_left() {
    let mut board = TestDashboard::new(fixture::launching());
    assert_eq!(unseen(&mut board, "q"), [Effect::Quit]);
    let mut board = healthy();
    board.press("u");
    assert_eq!(unseen(&mut board, "q"), [Effect::Quit]);
}
