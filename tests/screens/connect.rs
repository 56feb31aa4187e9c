//! The hand-over: what to paste, and what is missing before.

use muster::tui::Effect;

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
