//! One table of all keys. It feeds the dispatch, the footer, the help and the
//! docs; a test refuses two meanings of one key in one place.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    action::{Action, Motion, Screen},
    bindings::BINDINGS,
};

/// A place in the dashboard where keys have a meaning of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// On this screen.
    On(Screen),
    /// On every screen, with no dialog open.
    Screens,
    /// While a filter is typed.
    Filter,
    /// In any dialog without a field.
    Dialog,
    /// In a dialog that only shows.
    Reading,
    /// In the launch dialog, when nothing speaks against a launch.
    Launch,
    /// In the dialog that fixes, once the plan is there.
    Fix,
    /// There, once all changes are made and no check fails any more.
    Fixed,
    /// There, once the changes have ended and checks still fail.
    Unfixed,
    /// In a dialog that stops, starts or takes over, once that is known.
    Confirm,
    /// In a dialog that wants a word typed.
    Typing,
    /// In the quit dialog.
    QuitDialog,
    /// Everywhere at all.
    Always,
}

/// A key and the modifiers that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Whether Ctrl is held.
    pub ctrl: bool,
}

impl Key {
    /// A character.
    pub const fn char(symbol: char) -> Self {
        Self { code: KeyCode::Char(symbol), ctrl: false }
    }

    /// A character with Ctrl.
    pub const fn ctrl(symbol: char) -> Self {
        Self { code: KeyCode::Char(symbol), ctrl: true }
    }

    /// Another key.
    pub const fn code(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    /// What was pressed; none for releases and combinations that mean nothing here.
    pub fn pressed(event: &KeyEvent) -> Option<Self> {
        let modifiers = event.modifiers - KeyModifiers::SHIFT;
        let ctrl = modifiers == KeyModifiers::CONTROL;
        let plain = modifiers.is_empty() || ctrl;
        (event.kind != KeyEventKind::Release && plain).then_some(Self { code: event.code, ctrl })
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.code {
            KeyCode::Char(symbol) if self.ctrl => {
                return write!(f, "Ctrl-{}", symbol.to_ascii_uppercase());
            }
            KeyCode::Char(' ') => "Space",
            KeyCode::Char(symbol) => return write!(f, "{symbol}"),
            KeyCode::Up => "↑",
            KeyCode::Down => "↓",
            KeyCode::Left => "←",
            KeyCode::Right => "→",
            KeyCode::PageUp => "PgUp",
            KeyCode::PageDown => "PgDn",
            KeyCode::BackTab => "Shift-Tab",
            other => return write!(f, "{other}"),
        };
        f.write_str(name)
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it holds.
    pub context: Context,
    /// The keys, the one to show first.
    pub keys: &'static [Key],
    /// What they mean.
    pub action: Action,
    /// For the footer; empty: not shown there.
    pub hint: &'static str,
    /// For the help and docs/keys.md.
    pub help: &'static str,
}

impl Binding {
    /// The key as the footer shows it; a pair of keys stands for both ways.
    pub fn label(&self) -> String {
        match self.action {
            Action::Move(Motion::Up) => "↑↓".into(),
            Action::Move(Motion::Left) => "←→".into(),
            _ => self.keys.first().map(Key::to_string).unwrap_or_default(),
        }
    }

    /// All its keys: `↑ k`.
    pub fn all_keys(&self) -> String {
        self.keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// What `key` means where `contexts` hold, the first that knows it deciding.
/// Where text is typed, every other character is text.
pub fn resolve(contexts: &[Context], key: Key) -> Option<Action> {
    let bound = bindings(contexts).find(|binding| binding.keys.contains(&key));
    if let Some(binding) = bound {
        return Some(binding.action);
    }
    let typing = contexts.contains(&Context::Filter) || contexts.contains(&Context::Typing);
    match key.code {
        KeyCode::Char(symbol) if typing && !key.ctrl => Some(Action::Type(symbol)),
        _ => None,
    }
}

/// The rows that hold in `contexts`, in the order of `contexts`, then of the table.
pub fn bindings(contexts: &[Context]) -> impl Iterator<Item = &'static Binding> {
    contexts
        .iter()
        .flat_map(|context| BINDINGS.iter().filter(move |binding| binding.context == *context))
}

/// Every combination of contexts that can hold at the same time.
pub fn combinations() -> Vec<Vec<Context>> {
    let screens =
        Screen::ALL.map(|screen| vec![Context::On(screen), Context::Screens, Context::Always]);
    let dialogs = [
        vec![Context::Filter, Context::Always],
        vec![Context::Dialog, Context::Always],
        vec![Context::Reading, Context::Dialog, Context::Always],
        vec![Context::Launch, Context::Dialog, Context::Always],
        vec![Context::Fix, Context::Dialog, Context::Always],
        vec![Context::Fixed, Context::Reading, Context::Dialog, Context::Always],
        vec![Context::Unfixed, Context::Reading, Context::Dialog, Context::Always],
        vec![Context::Confirm, Context::Dialog, Context::Always],
        vec![Context::Typing, Context::Always],
        vec![Context::QuitDialog, Context::Dialog],
    ];
    screens.into_iter().chain(dialogs).collect()
}

/// The sections of the help, each place with its rows; what holds on `screen` first.
pub fn sections(screen: Screen) -> Vec<(String, Vec<&'static Binding>)> {
    let others = Screen::ALL.into_iter().filter(|other| *other != screen).map(Context::On);
    let order = [Context::On(screen), Context::Screens]
        .into_iter()
        .chain(others)
        .chain([
            Context::Dialog,
            Context::Reading,
            Context::Launch,
            Context::Fix,
            Context::Fixed,
            Context::Unfixed,
            Context::Confirm,
            Context::Typing,
            Context::QuitDialog,
        ])
        .chain([Context::Filter, Context::Always]);
    order
        .map(|context| (heading(context), bindings(&[context]).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

fn heading(context: Context) -> String {
    match context {
        Context::On(screen) => screen.title().to_owned(),
        Context::Screens => "On every screen".into(),
        Context::Filter => "While typing a filter".into(),
        Context::Dialog => "In a dialog".into(),
        Context::Reading => "In a dialog that only shows".into(),
        Context::Launch => "In the launch dialog".into(),
        Context::Fix => "In the fix dialog".into(),
        Context::Fixed => "In the fix dialog, once no check fails".into(),
        Context::Unfixed => "In the fix dialog, while checks still fail".into(),
        Context::Confirm => "In the dialogs that stop, start, restart or adopt".into(),
        Context::Typing => "Where a word is asked for".into(),
        Context::QuitDialog => "In the quit dialog".into(),
        Context::Always => "Everywhere".into(),
    }
}

/// The tables of docs/keys.md.
pub fn markdown() -> String {
    let row = |row: &Binding| {
        let keys: Vec<_> = row.keys.iter().map(|key| format!("`{key}`")).collect();
        format!("| {} | {} |", keys.join(" "), row.help)
    };
    let section = |(heading, rows): (String, Vec<&'static Binding>)| {
        let rows: Vec<_> = rows.into_iter().map(row).collect();
        format!("**{heading}**\n\n| Key | What it does |\n|---|---|\n{}\n", rows.join("\n"))
    };
    sections(Screen::default()).into_iter().map(section).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_key_has_two_meanings_in_one_place() {
        for contexts in combinations() {
            let mut meanings: HashMap<Key, &Binding> = HashMap::new();
            for binding in bindings(&contexts) {
                for key in binding.keys {
                    let other = meanings.insert(*key, binding);
                    assert!(other.is_none(), "{key} twice in {contexts:?}: {other:?}, {binding:?}");
                }
            }
        }
    }

    #[test]
    fn every_row_holds_somewhere_and_is_explained() {
        let reachable: Vec<Context> = combinations().into_iter().flatten().collect();
        for binding in BINDINGS {
            assert!(reachable.contains(&binding.context), "{binding:?}");
            assert!(!binding.keys.is_empty() && !binding.help.is_empty(), "{binding:?}");
        }
    }

    #[test]
    fn shift_is_in_the_character_already_and_releases_are_nothing() {
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Key::pressed(&shifted), Some(Key::char('G')));
        let alt = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT);
        assert_eq!(Key::pressed(&alt), None);
        let mut release = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        release.kind = KeyEventKind::Release;
        assert_eq!(Key::pressed(&release), None);
    }

    #[test]
    fn typed_text_is_text_only_where_it_is_asked_for() {
        let q = Key::char('q');
        assert_eq!(resolve(&[Context::Filter, Context::Always], q), Some(Action::Type('q')));
        assert_eq!(resolve(&[Context::Screens, Context::Always], q), Some(Action::Quit));
        assert_eq!(resolve(&[Context::Dialog, Context::Always], Key::char('%')), None);
    }
}
