//! The hand-over: what to paste, and what is missing before.

use muster::{
    engine::Update,
    handover::{Forwarded, Ports},
    tui::Effect,
};

use super::{desk::Desk, fixture, pictures};

fn ready() -> Desk {
    Desk::new(fixture::all_ready())
}

#[test]
fn a_ready_cluster_is_handed_over() {
    let mut desk = ready();
    desk.press("8");
    pictures("connect_ready", &mut desk);
    let text = desk.text(160, 48);
    for fact in ["ray://203.0.113.10:10001", "muster ssh us-west-2/head", "muster down", "so far"] {
        assert!(text.contains(fact), "{fact} is missing:\n{text}");
    }
}

#[test]
fn a_forward_that_runs_is_told_until_it_ends() {
    let mut desk = ready();
    desk.press("8");
    let ports = Ports { client: 20001, redis: 16800, dashboard: 18265 };
    desk.model.fold(Update::Forwarded(Some(Forwarded { pid: 4711, ports })));
    pictures("connect_forwarded", &mut desk);
    assert_eq!(desk.press("/ 'ray://' enter y"), [Effect::Copy("ray://127.0.0.1:20001".into())]);
    desk.press("esc");
    let text = desk.text(160, 48);
    for fact in ["http://127.0.0.1:18265", "Redis 16800", "process 4711"] {
        assert!(text.contains(fact), "{fact} is missing:\n{text}");
    }
    desk.model.fold(Update::Forwarded(None));
    let text = desk.text(160, 48);
    assert!(text.contains("ray://203.0.113.10:10001") && !text.contains("4711"), "{text}");
    assert!(text.contains("while `muster forward` runs"), "{text}");
}

#[test]
fn before_it_is_ready_it_says_what_is_missing() {
    let mut desk = Desk::new(fixture::rising());
    desk.press("8");
    pictures("connect_rising", &mut desk);
    assert_eq!(desk.press("y"), []);
    let mut model = fixture::model(4);
    fixture::broken(&mut model);
    let mut desk = Desk::new(model);
    desk.press("8");
    pictures("connect_planned", &mut desk);
}

#[test]
fn y_copies_the_module_and_on_other_rows_their_value() {
    let mut desk = ready();
    let effects = desk.press("8 y");
    let Some(Effect::Copy(module)) = effects.first() else { unreachable!("{effects:?}") };
    assert!(module.contains("region_info = {") && module.contains("def context("), "{module}");
    assert!(module.contains("i-0a1b2c3d4e5f60000"), "{module}");
    assert_eq!(desk.press("/ 'ray://' enter y"), [Effect::Copy("ray://203.0.113.10:10001".into())]);
    desk.press("esc G");
    assert_eq!(desk.press("y"), [Effect::Copy("muster down".into())]);
    let effects = desk.press("tab y");
    assert_eq!(effects, [Effect::Copy(module.clone())]);
}
