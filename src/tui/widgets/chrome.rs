//! What is around every screen: header, tabs, status line, footer.

use std::time::Duration;

use jiff::SignedDuration;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    check::Summary,
    engine::{ClusterPhase, Health},
    tui::{
        Ui,
        action::Action,
        keymap,
        model::{Model, Tone},
        text,
        theme::Theme,
        widgets::table::cut,
    },
    waits,
};

/// How long a notice stays.
const NOTICE: SignedDuration = SignedDuration::from_secs(12);
/// How long is waited before that shows.
const WAITED: Duration = Duration::from_secs(5);

/// ` muster · project        3 regions · 0/9 nodes · $0.00 of $5.62/h  SIMULATED  14:02:11`
pub fn header(model: &Model, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let name = text::clean(&model.project.name);
    let left = Line::from(vec![
        Span::raw(" "),
        Span::styled("muster", theme.accent),
        Span::styled(" · ", theme.dim),
        Span::styled(name, theme.strong),
    ]);
    let badges = badges(model, theme);
    let mut facts = facts(model, theme);
    let width = |facts: &[(u8, Span<'_>)]| -> usize {
        facts.iter().map(|(_, fact)| fact.width() + 3).sum::<usize>() + badges.width()
    };
    // The least important facts go where the terminal is narrow.
    while left.width() + width(&facts) + 1 > usize::from(area.width) && !facts.is_empty() {
        let least = facts.iter().map(|(rank, _)| *rank).max();
        facts.retain(|(rank, _)| Some(*rank) != least);
    }
    let right = join(facts, badges, theme);
    buf.set_line(area.x, area.y, &left, area.width);
    let columns = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    buf.set_line(area.right() - columns, area.y, &right, columns);
}

fn join<'a>(facts: Vec<(u8, Span<'a>)>, badges: Line<'a>, theme: &Theme) -> Line<'a> {
    let mut right = Line::default();
    for (index, (_, fact)) in facts.into_iter().enumerate() {
        if index > 0 {
            right.push_span(Span::styled(" · ", theme.dim));
        }
        right.push_span(fact);
    }
    right.spans.extend(badges.spans);
    right
}

fn badges(model: &Model, theme: &Theme) -> Line<'static> {
    let mut badges = Line::default();
    if model.read_only.is_some() {
        badges.push_span(Span::raw("  "));
        badges.push_span(Span::styled(" READ-ONLY ", theme.badge));
    }
    if model.simulated {
        badges.push_span(Span::raw("  "));
        badges.push_span(Span::styled(" SIMULATED ", theme.badge));
    }
    badges.push_span(Span::styled(
        format!("  {} ", text::time_of_day(model.now(), &model.zone)),
        theme.dim,
    ));
    badges
}

/// The facts of the header, each with its rank: 0 stays longest.
fn facts(model: &Model, theme: &Theme) -> Vec<(u8, Span<'static>)> {
    let readiness = model.state.readiness();
    let (ready, all) = (readiness.ready, readiness.nodes);
    let regions = text::count(model.project.regions.len(), "region");
    let mut facts = vec![(2, Span::raw(regions)), (0, Span::raw(format!("{ready}/{all} nodes")))];
    if readiness.health == Health::NoLeader {
        facts.push((0, Span::styled("✗ no leader", theme.bad)));
    }
    let losses = readiness.losses().into_iter();
    facts.extend(losses.map(|loss| (0, Span::styled(format!("✗{loss}"), theme.bad))));
    if model.survey.is_some() {
        facts.push((1, Span::raw(money(model))));
    }
    facts
}

/// `$0.00/h now, $5.62/h planned`: what runs and what is planned.
fn money(model: &Model) -> String {
    let (running, planned) = (model.running_price(), model.planned_price());
    if planned.known == 0 {
        return "price unknown".into();
    }
    format!("{running}/h now, {planned}/h planned")
}

/// ` ✓18 ✗4 !1`: what is not zero.
pub fn counts(summary: &Summary, theme: &Theme) -> Vec<Span<'static>> {
    let parts = [
        (summary.pass, "✓", theme.good),
        (summary.fail, "✗", theme.bad),
        (summary.warn, "!", theme.warn),
        (summary.unknown, "?", theme.unknown),
        (summary.skipped, "-", theme.dim),
    ];
    let shown = parts.into_iter().filter(|(count, ..)| *count > 0);
    shown.map(|(count, mark, style)| Span::styled(format!(" {mark}{count}"), style)).collect()
}

/// What happens or has just happened, one line.
pub fn status(model: &Model, ui: &Ui, area: Rect, buf: &mut Buffer) {
    let theme = &ui.theme;
    let recent = |at| model.now().duration_since(at) < NOTICE;
    let notice = model.notices.back().filter(|notice| recent(notice.at));
    let room = usize::from(area.width).saturating_sub(3);
    let waits = waits::fitted(&model.waits.list(WAITED), room);
    // A message answers a key; what is waited for must not stay hidden behind it.
    let message = ui.message.as_ref().filter(|_| waits.is_none() || recent(ui.pressed));
    let line = if let Some((tone, message)) = message {
        toned(*tone, message, theme)
    } else if let Some(notice) = notice {
        toned(notice.tone, &notice.text, theme)
    } else if let Some(waits) = waits {
        Line::styled(format!(" ▶ {}", text::clean(&waits)), theme.busy)
    } else {
        Line::styled(format!(" {}", doing(model)), theme.busy)
    };
    let cut = cut(line, usize::from(area.width));
    buf.set_line(area.x, area.y, &cut, area.width);
}

fn doing(model: &Model) -> String {
    if let Some(since) = model.refreshing {
        let regions = text::count(model.project.regions.len(), "region");
        let passed = text::between(since, model.now());
        return format!("▶ reading {regions} for {passed}, nothing is changed");
    }
    if let Some(first) = model.busy.first() {
        let more = model.busy.len() - 1;
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        return format!("▶ {}{more}", text::clean(first));
    }
    if let Some(first) = model.changed_files.first() {
        let more = model.changed_files.len() - 1;
        let more = if more > 0 {
            format!(" and {} more", text::count(more, "file"))
        } else {
            String::new()
        };
        let name = first.display().to_string();
        return format!("{}{more} changed on disk: R loads the configs again", text::clean(&name));
    }
    match (&model.read_only, model.state.phase) {
        (Some(holder), _) => format!("read-only: {}", text::clean(holder)),
        (None, ClusterPhase::Terminated) => "the cluster is terminated".into(),
        (None, ClusterPhase::Stopped) => "stopped: only volumes are billed".into(),
        _ => String::new(),
    }
}

fn toned<'a>(tone: Tone, message: &'a str, theme: &Theme) -> Line<'a> {
    let (mark, style) = match tone {
        Tone::Good => ("✓", theme.good),
        Tone::Plain => ("·", theme.text),
        Tone::Bad => ("✗", theme.bad),
    };
    Line::from(vec![
        Span::styled(format!(" {mark} "), style),
        Span::styled(text::clean(message), style),
    ])
}

/// The keys that mean something here; `? help  q quit` stay however narrow it is.
pub fn footer(model: &Model, ui: &Ui, area: Rect, buf: &mut Buffer) {
    let theme = &ui.theme;
    if ui.filtering {
        return filter_line(ui, area, buf);
    }
    let hints = hints(model, ui);
    let essential = |action: &Action| matches!(action, Action::Help | Action::Quit | Action::Back);
    let width = |(_, label, hint): &(Action, String, &str)| text::width(label) + hint.len() + 3;
    let kept: usize = hints.iter().filter(|(action, ..)| essential(action)).map(width).sum();
    let mut room = usize::from(area.width).saturating_sub(kept + 1);
    let mut line = Line::raw(" ");
    for hint in hints {
        let (action, label, word) = &hint;
        if !essential(action) {
            let needed = width(&hint);
            if needed > room {
                room = 0;
                continue;
            }
            room -= needed;
        }
        line.push_span(Span::styled(label.clone(), theme.accent));
        line.push_span(Span::raw(format!(" {word}  ")));
    }
    buf.set_line(area.x, area.y, &line, area.width);
}

fn hints(model: &Model, ui: &Ui) -> Vec<(Action, String, &'static str)> {
    let contexts = ui.contexts(model);
    keymap::bindings(&contexts)
        .filter(|binding| !binding.hint.is_empty() && ui.is_offered(model, binding.action))
        .map(|binding| (binding.action, binding.label(), ui.hint(binding)))
        .collect()
}

fn filter_line(ui: &Ui, area: Rect, buf: &mut Buffer) {
    let theme = &ui.theme;
    let line = Line::from(vec![
        Span::styled(" / ", theme.accent),
        Span::raw(ui.filter()),
        Span::styled("█", theme.accent),
        Span::styled("  Enter keep · Esc drop", theme.dim),
    ]);
    buf.set_line(area.x, area.y, &line, area.width);
}
