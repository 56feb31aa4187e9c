//! The inside of a dialog: lines that scroll where they don't fit, and a foot
//! that always stays: buttons, or a field for a word.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::{panel, selection::Scroll};
use crate::tui::theme::Theme;

/// A dialog's text.
pub struct Sheet<'a> {
    /// Its title.
    pub title: &'a str,
    /// The columns that it wants.
    pub width: u16,
    /// What scrolls.
    pub lines: Vec<Line<'a>>,
    /// What stays.
    pub foot: Vec<Line<'a>>,
}

impl Sheet<'_> {
    /// Draws it in the middle of `area`.
    pub fn render(&self, scroll: &mut Scroll, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let foot = u16::try_from(self.foot.len()).unwrap_or(u16::MAX);
        let gap = u16::from(foot > 0);
        let lines = u16::try_from(self.lines.len()).unwrap_or(u16::MAX);
        let height = lines.saturating_add(foot + gap + 2);
        let title = Line::styled(self.title, theme.strong);
        let inner = panel::dialog(title, (self.width, height), area, buf, theme);
        let [body, _, below] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(gap),
            Constraint::Length(foot),
        ])
        .areas(inner);
        let window = scroll.window(self.lines.len(), body.height.into());
        let more = self.lines.len() - window.end;
        panel::lines(self.lines[window].iter(), body, buf);
        if more > 0 {
            let text = format!("↓ {more} more");
            let columns = u16::try_from(text.chars().count()).unwrap_or(0).min(below.width);
            let at = (inner.right().saturating_sub(columns), body.bottom());
            buf.set_span(at.0, at.1, &Span::styled(text, theme.dim), columns);
        }
        panel::lines(self.foot.iter(), below, buf);
    }
}

/// A row of buttons of which one has the focus.
pub fn buttons<'a>(names: &[&'a str], focus: usize, theme: &Theme) -> Line<'a> {
    let mut line = Line::default();
    for (index, name) in names.iter().enumerate() {
        let focused = index == focus;
        let (mark, style) = if focused { ("▸", theme.selected) } else { (" ", theme.text) };
        line.push_span(Span::styled(mark, theme.accent));
        line.push_span(Span::styled(format!("[ {name} ]"), style));
        line.push_span(Span::raw("  "));
    }
    line
}

/// A field that wants `word`.
pub fn field<'a>(word: &str, typed: &str, what: &str, theme: &Theme) -> Line<'a> {
    let done = typed == word;
    let (mark, style) = if done { ("✓", theme.good) } else { ("▸", theme.accent) };
    let tail = if done { format!("  Enter {what}") } else { String::new() };
    Line::from(vec![
        Span::raw("Type "),
        Span::styled(word.to_owned(), theme.strong),
        Span::raw(format!(" to {what}:  ")),
        Span::styled(format!("{mark} "), style),
        Span::styled(format!("{typed}█"), style),
        Span::styled(tail, theme.dim),
    ])
}
