//! A dashboard without a terminal and an engine: keys in, effects and frames out.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use muster::tui::{self, Effect, Model, Theme, Ui, keymap::Key};
use ratatui::{buffer::Buffer, layout::Rect};

/// Parses a sequence of keys: `1 j j enter 'typed text' ctrl-c`.
pub fn keys(text: &str) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        if index % 2 == 1 {
            events.extend(part.chars().map(|symbol| KeyEvent::from(KeyCode::Char(symbol))));
        } else {
            events.extend(part.split_whitespace().map(key));
        }
    }
    events
}

/// One key by its name.
fn key(name: &str) -> KeyEvent {
    if let Some(symbol) = name.strip_prefix("ctrl-") {
        let symbol = symbol.chars().next().unwrap_or(' ');
        return KeyEvent::new(KeyCode::Char(symbol), KeyModifiers::CONTROL);
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "backspace" => KeyCode::Backspace,
        "space" => KeyCode::Char(' '),
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "pgup" => KeyCode::PageUp,
        "pgdn" => KeyCode::PageDown,
        one => {
            let mut symbols = one.chars();
            let symbol = symbols.next().unwrap_or(' ');
            assert!(symbols.next().is_none(), "no key is called {one}");
            KeyCode::Char(symbol)
        }
    };
    code.into()
}

/// The dashboard's two halves.
pub struct TestDashboard {
    pub model: Model,
    pub ui: Ui,
}

impl TestDashboard {
    pub fn new(model: Model) -> Self {
        let mut board = Self { model, ui: Ui::new(Theme::colours()) };
        board.frame(80, 24);
        board
    }

    /// Presses the keys of `text` in sequence and returns all effects. Draws a frame after
    /// each key, as in reality: page sizes depend on it.
    pub fn press(&mut self, text: &str) -> Vec<Effect> {
        self.press_on((80, 24), text)
    }

    /// The same on a terminal of another size.
    pub fn press_on(&mut self, (width, height): (u16, u16), text: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in keys(text) {
            let key = Key::pressed(&event);
            if let Some(action) = key.and_then(|key| self.ui.action(&self.model, key)) {
                effects.extend(tui::update(&mut self.ui, &self.model, action));
            }
            self.frame(width, height);
        }
        effects
    }

    /// Notifies the model of commands sent to the engine, as the event loop does.
    pub fn sends(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Send(command) = effect {
                self.model.sends(command);
            }
        }
    }

    /// Draws a frame on a terminal of this size.
    pub fn frame(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        tui::view(&self.model, &mut self.ui, area, &mut buffer);
        buffer
    }

    /// The same as text.
    pub fn text(&mut self, width: u16, height: u16) -> String {
        text(&self.frame(width, height))
    }
}

/// A frame's symbols, line by line.
pub fn text(buffer: &Buffer) -> String {
    let line = |y: u16| {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    (0..buffer.area.height).map(line).collect()
}
