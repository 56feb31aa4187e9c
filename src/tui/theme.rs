//! Looks in one place: styles by role. Colours are the terminal's own sixteen,
//! so that the user's palette holds on light and dark ground. No state is shown
//! by colour alone: each has a mark or a word as well.

use ratatui::style::{Color, Modifier, Style};

use crate::{check::Level, engine::Phase};

/// The styles of everything on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Usual text.
    pub text: Style,
    /// What can be passed over: borders, units, hints.
    pub dim: Style,
    /// Headings and names that matter.
    pub strong: Style,
    /// Keys, the leader, the pane in use.
    pub accent: Style,
    /// As it should be.
    pub good: Style,
    /// Works, but look.
    pub warn: Style,
    /// Fails.
    pub bad: Style,
    /// Not known.
    pub unknown: Style,
    /// Under way.
    pub busy: Style,
    /// The selected row of the pane in use; laid over the row's own styles.
    pub selected: Style,
    /// The badge of a simulated world.
    pub badge: Style,
    /// Only ASCII characters leave for the terminal.
    pub ascii: bool,
}

impl Theme {
    /// The one with colours.
    pub const fn colours() -> Self {
        let plain = Style::new();
        Self {
            text: plain,
            dim: plain.add_modifier(Modifier::DIM),
            strong: plain.add_modifier(Modifier::BOLD),
            accent: plain.fg(Color::Cyan),
            good: plain.fg(Color::Green),
            warn: plain.fg(Color::Yellow),
            bad: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            unknown: plain.fg(Color::Magenta),
            // Plain blue is hardly to be read on black.
            busy: plain.fg(Color::LightBlue),
            selected: Style::new()
                .fg(Color::Reset)
                .bg(Color::Reset)
                .remove_modifier(Modifier::DIM)
                .add_modifier(Modifier::REVERSED),
            badge: plain.fg(Color::Yellow).add_modifier(Modifier::REVERSED),
            ascii: false,
        }
    }

    /// The one without, as `NO_COLOR` asks.
    pub const fn monochrome() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            accent: bold,
            good: plain,
            warn: bold,
            bad: bold,
            unknown: bold,
            busy: plain,
            badge: plain.add_modifier(Modifier::REVERSED),
            ..Self::colours()
        }
    }

    /// What the environment asks for: `NO_COLOR` (set and not empty), and ASCII
    /// where `MUSTER_ASCII` is 1 or the locale is not UTF-8. `variable` reads one.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let colours = set("NO_COLOR").is_none();
        let theme = if colours { Self::colours() } else { Self::monochrome() };
        let ascii = set("MUSTER_ASCII").map_or_else(|| !utf8(&set), |value| value != "0");
        Self { ascii, ..theme }
    }

    /// The style of a finding's level.
    pub fn level(&self, level: Level) -> Style {
        match level {
            Level::Fail => self.bad,
            Level::Unknown => self.unknown,
            Level::Warn => self.warn,
            Level::Skipped => self.dim,
            Level::Pass => self.good,
        }
    }

    /// The style of a node's phase.
    pub fn phase(&self, phase: Phase) -> Style {
        match phase {
            Phase::Planned | Phase::Terminating | Phase::Terminated => self.dim,
            Phase::Stopping | Phase::Stopped => self.warn,
            Phase::Launching | Phase::Booting | Phase::Connecting | Phase::Bootstrapping => {
                self.busy
            }
            Phase::Ready => self.good,
            Phase::Failed => self.bad,
        }
    }
}

/// A node's phase as a mark.
pub fn phase_mark(phase: Phase) -> &'static str {
    match phase {
        Phase::Planned => "·",
        Phase::Launching | Phase::Booting | Phase::Connecting | Phase::Bootstrapping => "▶",
        Phase::Ready => "✓",
        Phase::Failed => "✗",
        Phase::Stopping | Phase::Terminating => "↓",
        Phase::Stopped => "=",
        Phase::Terminated => "-",
    }
}

/// POSIX: the first of these that is set decides.
fn utf8(set: &impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::Theme;

    fn theme(variables: &[(&str, &str)]) -> Theme {
        Theme::from_environment(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_locale_decides_on_ascii_unless_set() {
        assert!(!theme(&[("LANG", "en_US.UTF-8")]).ascii);
        assert!(theme(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")]).ascii);
        assert!(theme(&[]).ascii);
        assert!(theme(&[("LANG", "C.utf8"), ("MUSTER_ASCII", "1")]).ascii);
        assert!(!theme(&[("LANG", "C"), ("MUSTER_ASCII", "0")]).ascii);
    }

    #[test]
    fn no_color_leaves_no_colour() {
        let theme = theme(&[("NO_COLOR", "1"), ("LANG", "C.UTF-8")]);
        let all = [theme.text, theme.accent, theme.good, theme.warn, theme.bad, theme.unknown];
        assert!(all.iter().all(|style| style.fg.is_none() && style.bg.is_none()));
        assert_eq!(
            super::Theme::from_environment(|_| Some(String::new())).bad,
            Theme::colours().bad
        );
    }
}
