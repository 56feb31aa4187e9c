//! The line of screens: in full where there is room, else with less.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::chrome::counts;
use crate::{
    check::Summary,
    tui::{action::Screen, model::Model, screens::verify, theme::Theme},
};

/// How much of each tab is shown.
#[derive(Clone, Copy)]
struct Detail {
    titles: fn(Screen) -> &'static str,
    gap: &'static str,
    /// Counts of what needs no hand go first, then those of what does.
    plain: bool,
    troubles: bool,
}

/// From the roomiest to the narrowest.
const DETAILS: [Detail; 6] = [
    Detail { titles: Screen::title, gap: "  ", plain: true, troubles: true },
    Detail { titles: Screen::title, gap: " ", plain: true, troubles: true },
    Detail { titles: Screen::title, gap: " ", plain: false, troubles: true },
    Detail { titles: Screen::shorter, gap: " ", plain: false, troubles: true },
    Detail { titles: Screen::shortest, gap: " ", plain: false, troubles: true },
    Detail { titles: Screen::shortest, gap: " ", plain: false, troubles: false },
];

/// ` 1 Overview  2 Instances 9  3 Preflight ✗6  4 Bootstrap  5 Logs`
pub fn tabs(model: &Model, screen: Screen, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let mut lines = DETAILS.iter().map(|detail| line(model, screen, *detail, theme));
    let fits = |line: &Line<'_>| line.width() <= usize::from(area.width);
    let shown = lines.find(fits);
    let narrowest = || line(model, screen, DETAILS[DETAILS.len() - 1], theme);
    buf.set_line(area.x, area.y, &shown.unwrap_or_else(narrowest), area.width);
}

fn line(model: &Model, screen: Screen, detail: Detail, theme: &Theme) -> Line<'static> {
    let mut line = Line::default();
    for (number, tab) in (1..).zip(Screen::ALL) {
        let is_open = tab == screen;
        let style = if is_open { theme.accent.patch(theme.strong) } else { theme.text };
        let gap = if number == 1 { " " } else { detail.gap };
        line.push_span(Span::styled(format!("{gap}{number} "), theme.dim));
        // The open one is named in full; brackets mark it without colour.
        let title =
            if is_open { format!("[{}]", tab.title()) } else { (detail.titles)(tab).to_owned() };
        line.push_span(Span::styled(title, style));
        line.spans.extend(of_tab(model, tab, detail, theme));
    }
    line
}

fn of_tab(model: &Model, tab: Screen, detail: Detail, theme: &Theme) -> Vec<Span<'static>> {
    let troubles = |summary: Summary| {
        let summary = if detail.troubles { summary } else { Summary::default() };
        counts(&summary, theme)
    };
    match tab {
        Screen::Preflight => troubles(Summary { pass: 0, skipped: 0, ..model.summary() }),
        Screen::Bootstrap => troubles(Summary { fail: model.failed(), ..Summary::default() }),
        Screen::Config => {
            let (errors, warnings) = model.diagnostics();
            troubles(Summary { warn: warnings, fail: errors, ..Summary::default() })
        }
        Screen::Verify => troubles(Summary { fail: verify::failed(model), ..Summary::default() }),
        Screen::Instances => match model.state.billed().count() {
            live if live > 0 && detail.plain => vec![Span::styled(format!(" {live}"), theme.dim)],
            _ => Vec::new(),
        },
        Screen::Overview | Screen::Logs | Screen::Connect => Vec::new(),
    }
}
