//! While the terminal is too small for the screens, no key does anything but quit:
//! every key, on every screen and in every dialog.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use muster::{
    model::is_hidden,
    tui::{self, Effect, keymap::Key},
};

use super::{fixture, test_dashboard::TestDashboard};

const SIZES: [(u16, u16); 4] = [(60, 20), (79, 24), (80, 23), (1, 1)];

/// Every key that a terminal sends: characters, with and without Ctrl, and the others.
fn keys() -> Vec<KeyEvent> {
    let plain = (' '..='~').map(|symbol| KeyEvent::from(KeyCode::Char(symbol)));
    let ctrl =
        ('a'..='z').map(|symbol| KeyEvent::new(KeyCode::Char(symbol), KeyModifiers::CONTROL));
    let others = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Insert,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
    ];
    let functions = (1..=12).map(KeyCode::F);
    plain.chain(ctrl).chain(others.into_iter().chain(functions).map(KeyEvent::from)).collect()
}

/// What `event` leads to on a terminal of this size.
fn press(ui: &mut TestDashboard, (width, height): (u16, u16), event: &KeyEvent) -> Vec<Effect> {
    ui.frame(width, height);
    let action = Key::pressed(event).and_then(|key| ui.ui.action(&ui.model, key));
    action.map(|action| tui::update(&mut ui.ui, &ui.model, action)).unwrap_or_default()
}

#[test]
fn no_key_acts_unseen_but_those_that_quit() {
    let quits = [KeyEvent::from(KeyCode::Char('q'))];
    let quits = quits.into_iter().chain([KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)]);
    let quits: Vec<_> = quits.collect();
    for open in ["1", "2", "3", "4", "5", "6", "7", "8", "1 /", "1 ?", "1 u", "1 D", "1 q"] {
        let mut ui = TestDashboard::new(fixture::launching());
        ui.model.work = tui::Work::None;
        ui.press(open);
        let before = ui.text(80, 24);
        for size in SIZES {
            for event in keys() {
                let effects = press(&mut ui, size, &event);
                if quits.contains(&event) {
                    assert_eq!(effects, [Effect::Quit], "{open} {size:?} {event:?}");
                } else {
                    assert_eq!(effects, [], "{open} {size:?} {event:?}");
                }
            }
            assert_eq!(ui.text(80, 24), before, "{open} {size:?}: something was changed unseen");
        }
    }
}

#[test]
fn what_is_shown_there_names_the_size_and_the_key_and_is_clean() {
    for size in SIZES {
        let mut ui = TestDashboard::new(fixture::launching());
        ui.model.busy = vec!["x\u{1b}]0;owned\u{7}\u{202e}y".into()];
        for ending in [false, true] {
            ui.model.ending = ending;
            let frame = ui.frame(size.0, size.1);
            let symbols = frame.content.iter().flat_map(|cell| cell.symbol().chars());
            assert!(!symbols.clone().any(is_hidden), "{size:?}");
        }
        ui.model.ending = false;
        if size.0 >= 60 {
            let text = ui.text(size.0, size.1);
            let given = format!("muster needs 80×24; this is {}×{}", size.0, size.1);
            assert!(text.contains(&given) && text.contains("only q acts"), "{text}");
        }
    }
}
