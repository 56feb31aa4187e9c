//! What keys lead to.

use std::sync::Arc;

use muster::{
    engine::{Command, DownPlan, Event, Update},
    model::Failure,
    tui::{Dialog, Effect, Errand, Screen},
};

use super::{desk::Desk, fixture};

fn healthy() -> Desk {
    let mut model = fixture::model(4);
    fixture::healthy(&mut model);
    Desk::new(model)
}

fn broken() -> Desk {
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    Desk::new(model)
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
fn a_launch_in_spite_of_mistakes_takes_a_word() {
    assert_eq!(broken().press("u L enter tab enter"), []);
    assert_eq!(broken().press("u 'anywa' enter"), []);
    assert_eq!(broken().press("u 'anyway' esc enter"), []);
    assert_eq!(broken().press("u 'anyways' backspace enter"), up());
    // Not looked at all is no better than broken, nor is a world that did not answer.
    assert_eq!(Desk::new(fixture::model(0)).press("u L tab enter"), []);
    let mut silent = healthy();
    let mut survey = (*silent.model.survey.clone().unwrap()).clone();
    survey.not_asked = Some(Failure::new("no credentials were found"));
    silent.model.survey = Some(survey.into());
    assert_eq!(silent.press("u L tab enter"), []);
}

#[test]
fn after_the_launch_the_steps_are_on_the_screen() {
    let mut desk = healthy();
    desk.press("u L");
    assert_eq!(desk.ui.screen, Screen::Bootstrap);
    assert!(desk.ui.dialog.is_none());
}

#[test]
fn what_is_ready_is_not_launched_again() {
    let mut desk = Desk::new(fixture::all_ready());
    desk.press("u");
    assert!(desk.ui.dialog.is_none());
    assert!(desk.text(80, 24).contains("every node is ready"));
}

#[test]
fn who_only_looks_on_is_not_offered_the_end_of_the_cluster() {
    let mut desk = Desk::new(fixture::rising());
    desk.model.simulated = false;
    desk.model.read_only = Some("another muster".into());
    assert_eq!(desk.press("q D"), []);
    let text = desk.text(80, 24);
    assert!(text.contains("Quit muster?") && text.contains("until `muster"), "{text}");
    assert!(!text.contains("D here") && !text.contains("D ends"), "{text}");
}

#[test]
fn a_cluster_that_is_gone_is_followed_by_the_next_one() {
    let mut model = fixture::all_ready();
    fixture::event(&mut model, 90, Event::ClusterGone);
    let mut desk = Desk::new(model);
    assert_eq!(desk.press("u"), [Effect::NextCluster]);
    assert!(desk.text(80, 24).contains("u launches a new cluster"));
    desk.model.read_only = Some("another muster".into());
    assert_eq!(desk.press("u"), []);
}

#[test]
fn down_asks_first_and_takes_a_word() {
    let mut desk = Desk::new(fixture::all_ready());
    assert_eq!(desk.press("D"), [Effect::Send(Command::PlanDown)]);
    let instance = |desk: &Desk| {
        let info = desk.model.state.instances().next().cloned().unwrap();
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
    let terminate = vec![("us-west-2".into(), instance(&desk))];
    let plan = Arc::new(DownPlan { terminate, ..DownPlan::default() });
    desk.model.fold(Update::DownPlan(plan.clone()));
    assert_eq!(desk.press("enter y L 'term' enter"), []);
    desk.press("esc D");
    assert_eq!(desk.press("'terminate' enter"), [Effect::Send(Command::Down(plan))]);
}

#[test]
fn down_with_nothing_to_end_only_closes() {
    let mut desk = Desk::new(fixture::all_ready());
    desk.press("D");
    desk.model.fold(Update::DownPlan(Arc::default()));
    assert_eq!(desk.press("enter"), []);
    assert!(desk.ui.dialog.is_none());
    let mut desk = healthy();
    assert_eq!(desk.press("D"), [], "nothing was ever launched");
}

#[test]
fn quitting_asks_only_where_something_goes_on() {
    assert_eq!(healthy().press("q"), [Effect::Quit]);
    assert_eq!(healthy().press("ctrl-c"), [Effect::Quit]);
    assert_eq!(healthy().press("? ctrl-c"), [Effect::Quit]);
    assert_eq!(healthy().press("? q"), [], "q closes the help");
    let rising = || Desk::new(fixture::rising());
    assert_eq!(rising().press("q"), []);
    assert_eq!(rising().press("q enter"), []);
    assert_eq!(rising().press("q tab enter"), [Effect::Quit]);
    assert_eq!(rising().press("q q"), [Effect::Quit]);
    assert_eq!(rising().press("ctrl-c ctrl-c"), [Effect::Quit]);
    assert_eq!(rising().press("q D"), [Effect::Send(Command::PlanDown)]);
}

#[test]
fn on_the_way_out_only_leaving_at_once_is_left() {
    let mut desk = healthy();
    desk.model.ending = true;
    assert_eq!(desk.press("u L r 2 enter"), []);
    assert_eq!(desk.press("q"), [Effect::Quit]);
}

#[test]
fn a_cluster_that_another_muster_holds_is_only_looked_at() {
    let mut desk = healthy();
    desk.model.read_only = Some("muster 4711 on this machine works on it".into());
    assert_eq!(desk.press("u L D t T"), []);
    let text = desk.text(80, 24);
    assert!(text.contains("READ-ONLY") && text.contains("4711"), "{text}");
    assert_eq!(desk.press("r"), [Effect::Send(Command::Look)]);
}

#[test]
fn a_failed_node_and_a_step_can_be_tried_again() {
    let retry = |keys: &str| Desk::new(fixture::rising()).press(keys);
    let failed = "eu-west-1/worker-1";
    assert_eq!(retry("4 j j j j t"), [Effect::Send(Command::RetryNode(failed.into()))]);
    assert_eq!(retry("2 j j j j t"), [Effect::Send(Command::RetryNode(failed.into()))]);
    assert_eq!(retry("4 t"), [], "a node that is ready has nothing to try again");
    let step = Command::RetryStep("us-west-2/head".into(), "python".into());
    assert_eq!(retry("4 h h h h h h h h l T"), [Effect::Send(step)]);
    let step = Command::RetryStep("us-west-2/head".into(), "flight".into());
    assert_eq!(retry("4 T"), [Effect::Send(step)], "the last step that it came to");
    assert_eq!(retry("4 j l T"), [], "a node at work is left alone");
}

#[test]
fn a_logs_in_to_the_selected_node_where_there_is_one() {
    for keys in ["2 a", "4 a"] {
        let effects = Desk::new(fixture::rising()).press(keys);
        let Some(Effect::Lend(Errand::Ssh(host))) = effects.first() else {
            unreachable!("{effects:?}")
        };
        assert_eq!((host.node.as_str(), host.user.as_str()), ("us-west-2/head", "ubuntu"));
        assert_eq!(host.address.to_string(), "203.0.113.10");
    }
    let mut planned = healthy();
    assert_eq!(planned.press("2 a"), []);
    assert!(planned.text(80, 24).contains("has no machine to log in to"));
    let mut simulated = Desk::new(fixture::rising());
    simulated.model.simulated = true;
    assert_eq!(simulated.press("2 a"), []);
    assert!(simulated.text(80, 24).contains("simulated nodes have no sshd"));
    assert!(!simulated.text(80, 24).contains("ssh in"));
}

#[test]
fn a_finding_is_opened_where_it_is_explained() {
    let mut desk = broken();
    desk.press("j enter");
    assert_eq!(desk.ui.screen, Screen::Preflight);
    let text = desk.text(160, 48);
    assert!(text.contains("key.same-material ─"), "{text}");
    assert!(text.contains("ap.yaml:18:16"), "{text}");
    assert!(text.contains("      KeyName: quokka"), "{text}");
    assert!(text.contains("               ^^^^^^"), "{text}");
}

#[test]
fn groups_fold_and_the_selection_stays_on_its_row() {
    let mut desk = broken();
    desk.press("3");
    assert!(desk.text(80, 24).contains("✗ key.exists"));
    desk.press("g left");
    assert!(!desk.text(80, 24).contains("✗ key.exists"));
    desk.press("right j");
    fixture::healthy(&mut desk.model);
    let text = desk.text(160, 48);
    assert!(text.contains("√ Nothing") || text.contains("Key pair"), "{text}");
}

#[test]
fn a_filter_shows_what_contains_it_and_esc_drops_it() {
    let mut desk = Desk::new(fixture::rising());
    desk.press("2 / 'EU-west' enter");
    let text = desk.text(80, 24);
    assert!(text.contains("3 of 9") && !text.contains("us-west-2/head"), "{text}");
    desk.press("esc");
    assert!(desk.text(80, 24).contains("us-west-2/head"));
    desk.press("/ 'q'");
    assert!(desk.ui.filtering && desk.ui.dialog.is_none(), "q is text here");
    desk.press("esc");
    assert_eq!(desk.ui.filter(), "");
}

#[test]
fn tables_sort_by_each_column_and_turn_round() {
    let first = |keys: &str| {
        let mut desk = Desk::new(fixture::rising());
        desk.press(keys);
        desk.text(160, 48).lines().nth(4).unwrap_or_default().to_owned()
    };
    assert!(first("2").contains("us-west-2/head"));
    assert!(first("2 S").contains("ap-southeast-2/worker-2"));
    assert!(first("2 s S").contains("✗ failed"), "{}", first("2 s S"));
}

#[test]
fn ids_and_texts_are_copied() {
    let effects = Desk::new(fixture::rising()).press("2 y");
    assert_eq!(effects, [Effect::Copy("i-0a1b2c3d4e5f60000".into())]);
    let effects = broken().press("y");
    let Some(Effect::Copy(text)) = effects.first() else { unreachable!("{effects:?}") };
    assert!(text.contains("key.exists eu-west-1") && text.contains("import-key-pair"), "{text}");
    // A line of a log is copied without what it would do to a terminal.
    let effects = Desk::new(fixture::rising()).press("5 N y");
    let line = "E: Could not get lock /var/lib/dpkg/lock-frontend";
    assert_eq!(effects, [Effect::Copy(line.into())]);
}

#[test]
fn a_frozen_log_stays_and_the_end_is_followed_again() {
    let mut desk = Desk::new(fixture::rising());
    let node = "us-west-2/head".into();
    let print = |desk: &Desk, second, text: &str| {
        fixture::print(&desk.model, &node, second, "flight", text);
    };
    for number in 0..100 {
        print(&desk, 200 + number, &format!("line {number}"));
    }
    desk.press("5 z k k");
    assert!(desk.text(80, 24).contains("frozen"));
    let before = desk.text(80, 24);
    print(&desk, 300, "a new line");
    assert_eq!(desk.text(80, 24), before);
    desk.press("G");
    let text = desk.text(80, 24);
    assert!(text.contains("a new line") && text.contains("following"), "{text}");
    desk.press("g");
    assert!(desk.text(80, 24).contains("packages: doing what it does"));
    desk.press("/ 'line 4' enter");
    let text = desk.text(80, 24);
    assert!(text.contains("line 49") && !text.contains("line 50"), "{text}");
}

#[test]
fn tab_goes_through_panes_and_then_through_screens() {
    let mut desk = broken();
    let mut seen = vec![desk.ui.screen];
    for _ in 0..20 {
        desk.press("tab");
        if seen.last() != Some(&desk.ui.screen) {
            seen.push(desk.ui.screen);
        }
    }
    assert!(seen.starts_with(&Screen::ALL), "{seen:?}");
    desk.press("1 backtab");
    assert!(desk.ui.screen == Screen::Connect);
}

#[test]
fn worlds_are_offered_where_the_world_is_simulated() {
    let mut desk = broken();
    assert_eq!(desk.press("w"), []);
    assert!(desk.ui.dialog.is_none());
    desk.model.simulated = true;
    desk.model.scenarios =
        vec![("mistakes".into(), String::new()), ("healthy".into(), String::new())];
    desk.press("w");
    assert!(matches!(desk.ui.dialog, Some(Dialog::Worlds(_))));
    assert_eq!(desk.press("j enter"), [Effect::OpenScenario("healthy".into())]);
}

/// Whatever is pressed in whatever order: nothing panics, and nothing is
/// launched or ended that was not confirmed.
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
    for mut desk in
        [broken(), healthy(), Desk::new(fixture::rising()), Desk::new(fixture::all_ready())]
    {
        for _ in 0..150 {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let key = all[usize::try_from(dice >> 33).unwrap_or(0) % all.len()];
            for effect in desk.press(key) {
                let harmless = !matches!(effect, Effect::Send(Command::Down(_)));
                assert!(harmless, "{effect:?}");
            }
        }
    }
}

/// With more steps than fit, what runs is in sight until the user goes elsewhere.
#[test]
fn the_steps_follow_the_selected_node() {
    let mut desk = Desk::new(fixture::rising());
    desk.press("4 g");
    let title = |desk: &mut Desk| {
        let text = desk.text(80, 24);
        let mut lines = text.lines();
        lines.find(|line| line.contains("total")).unwrap_or_default().to_owned()
    };
    let at_node = title(&mut desk);
    assert!(at_node.contains('▸'), "{at_node}");
    desk.press("left");
    let before = title(&mut desk);
    assert_ne!(before, at_node);
    desk.press("esc");
    assert_eq!(title(&mut desk), at_node);
}

/// Draws on a terminal that is too small, presses `keys`, and enlarges it.
fn unseen(desk: &mut Desk, keys: &str) -> Vec<Effect> {
    let small = desk.text(60, 20);
    assert!(small.contains("80×24") && small.contains("only q acts"), "{small}");
    let effects = desk.press_on((60, 20), keys);
    desk.text(80, 24);
    effects
}

#[test]
fn what_can_not_be_seen_can_not_be_done() {
    let mut desk = healthy();
    assert_eq!(unseen(&mut desk, "u L"), []);
    assert!(desk.ui.dialog.is_none(), "no dialog was opened unseen");
    assert_eq!(unseen(&mut desk, "8 r R / F D ? enter esc tab"), []);
    assert_eq!(desk.ui.screen, Screen::default());
    assert!(!desk.ui.filtering);
    assert_eq!(desk.press("u L"), up(), "it acts again once it is seen");
}

#[test]
fn an_open_dialog_can_not_be_confirmed_unseen() {
    let mut desk = healthy();
    desk.press("u");
    assert_eq!(unseen(&mut desk, "L enter tab enter esc"), []);
    assert!(matches!(desk.ui.dialog, Some(Dialog::Launch(_))), "it is still open");
    let mut desk = broken();
    desk.press("u");
    assert_eq!(unseen(&mut desk, "'anyway' enter"), []);
    let mut desk = Desk::new(fixture::rising());
    desk.press("D");
    assert_eq!(unseen(&mut desk, "Y enter tab enter D"), []);
}

#[test]
fn a_terminal_that_is_too_small_can_be_left() {
    let mut desk = Desk::new(fixture::rising());
    assert_eq!(unseen(&mut desk, "q"), [Effect::Quit]);
    let mut desk = healthy();
    desk.press("u");
    assert_eq!(unseen(&mut desk, "q"), [Effect::Quit]);
}
