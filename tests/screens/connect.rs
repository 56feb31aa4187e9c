//! The Connect screen: what to paste, and what is missing until then.

use muster::{
    engine::Update,
    handover::{Forwarded, Ports},
    tui::Effect,
};

use super::{fixture, pictures, test_dashboard::TestDashboard};

fn ready() -> TestDashboard {
    TestDashboard::new(fixture::all_ready())
}

#[test]
fn a_ready_cluster_is_handed_over() {
    let mut board = ready();
    board.press("8");
    pictures("connect_ready", &mut board);
    let text = board.text(160, 48);
    for fact in ["ray://203.0.113.10:10001", "muster ssh us-west-2/head", "muster down", "so far"] {
        assert!(text.contains(fact), "{fact} is missing:\n{text}");
    }
}

#[test]
fn a_running_forward_is_shown_until_it_ends() {
    let mut board = ready();
    board.press("8");
    let ports = Ports { client: 20001, redis: 16800, dashboard: 18265 };
    board.model.fold(Update::Forwarded(Some(Forwarded { pid: 4711, ports })));
    pictures("connect_forwarded", &mut board);
    assert_eq!(board.press("/ 'ray://' enter y"), [Effect::Copy("ray://127.0.0.1:20001".into())]);
    board.press("esc");
    let text = board.text(160, 48);
    for fact in ["http://127.0.0.1:18265", "Redis 16800", "process 4711"] {
        assert!(text.contains(fact), "{fact} is missing:\n{text}");
    }
    board.model.fold(Update::Forwarded(None));
    let text = board.text(160, 48);
    assert!(text.contains("ray://203.0.113.10:10001") && !text.contains("4711"), "{text}");
    assert!(text.contains("while `muster forward` runs"), "{text}");
}

#[test]
fn before_it_is_ready_it_lists_what_is_missing() {
    let mut board = TestDashboard::new(fixture::launching());
    board.press("8");
    pictures("connect_launching", &mut board);
    assert_eq!(board.press("y"), []);
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    let mut board = TestDashboard::new(model);
    board.press("8");
    pictures("connect_planned", &mut board);
}

#[test]
fn y_copies_the_module_and_on_other_rows_their_value() {
    let mut board = ready();
    let effects = board.press("8 y");
    let Some(Effect::Copy(module)) = effects.first() else { unreachable!("{effects:?}") };
    assert!(module.contains("region_info = {") && module.contains("def context("), "{module}");
    assert!(module.contains("i-0a1b2c3d4e5f60000"), "{module}");
    assert_eq!(
        board.press("/ 'ray://' enter y"),
        [Effect::Copy("ray://203.0.113.10:10001".into())]
    );
    board.press("esc G");
    assert_eq!(board.press("y"), [Effect::Copy("muster down".into())]);
    let effects = board.press("tab y");
    assert_eq!(effects, [Effect::Copy(module.clone())]);
}
