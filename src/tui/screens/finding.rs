//! One finding in full: evidence, impact, source and what to do.

use ratatui::text::{Line, Span};

use crate::{
    check::{self, Finding, Level},
    config::Location,
    remedy::{CheckFilter, FixScope, Problem},
    tui::{
        Ui,
        action::Effect,
        dialogs,
        finding_fix::FindingFix,
        lifecycle,
        model::{Model, Tone, Work},
        text,
        theme::Theme,
        widgets::fields::Fields,
    },
};

/// Returns the identity of a finding: a check has one finding with one title for a subject.
pub fn key(finding: &Finding) -> String {
    format!("{} {} {}", finding.check, finding.subject, finding.title)
}

/// The details pane.
pub fn details(
    finding: &Finding,
    model: &Model,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let mut fields = Fields::new(width, theme);
    let mark = finding.level.mark();
    let style = theme.level(finding.level).patch(theme.strong);
    fields.text(&format!("{mark} {}: {}", finding.subject, finding.title), style);
    if let Some(level) = level(finding.level) {
        fields.text(level, theme.dim);
    }
    if let Some(impact) = &finding.impact {
        fields.gap();
        fields.field("Impact", &[impact]);
    }
    if !finding.evidence.is_empty() {
        fields.gap();
        fields.field("Evidence", &finding.evidence);
    }
    if let Some(location) = &finding.location {
        fields.gap();
        let excerpt = excerpt(location, model, fields.room(), theme);
        fields.verbatim("Source", excerpt);
    }
    fix_text(finding, model, &mut fields, theme);
    if lifecycle::fixes(finding, model) {
        fields.gap();
        let what = "adopt what `ray up` made; shows the plan first";
        fields.styled("Fix (A)", &[what], theme.good);
    }
    if let Some(todo) = &finding.todo {
        fields.gap();
        fields.styled("What to do", &todo.lines().collect::<Vec<_>>(), theme.accent);
    }
    if let Some(info) = check::info(finding.check) {
        fields.gap();
        fields.styled("The check", &[info.about, info.explain], theme.dim);
    }
    fields.lines()
}

/// Adds the fix of the finding, if it is known.
fn fix_text(finding: &Finding, model: &Model, fields: &mut Fields<'_>, theme: &Theme) {
    let fix = FindingFix::of(finding, model).filter(|_| !lifecycle::fixes(finding, model));
    let Some(fix) = fix else { return };
    let (name, style) = if fix.is_by_hand() { ("Fix", theme.dim) } else { ("Fix (f)", theme.good) };
    let lines = fix.lines();
    fields.gap();
    fields.styled(name, &lines.iter().map(String::as_str).collect::<Vec<_>>(), style);
}

/// Opens the fix dialog for the failed ones of `findings`.
pub fn fix(ui: &mut Ui, model: &Model, findings: &[&Finding]) -> Vec<Effect> {
    let failing = findings.iter().filter(|finding| finding.level == Level::Fail);
    let only: Vec<_> = failing.map(|finding| CheckFilter::Problem(Problem::of(finding))).collect();
    if only.is_empty() && model.work != Work::Fix {
        ui.say(Tone::Plain, "this has not failed: there is nothing to fix");
        return Vec::new();
    }
    dialogs::open_fix(ui, model, FixScope { only, ..FixScope::default() })
}

/// What the mark does not say by itself.
fn level(level: Level) -> Option<&'static str> {
    match level {
        Level::Fail | Level::Pass => None,
        Level::Unknown => Some("could not be checked; not counted as passed"),
        Level::Warn => Some("works, but you should know"),
        Level::Skipped => Some("another finding has to be fixed first"),
    }
}

/// The place, the source line and the stretch of it underlined.
fn excerpt(location: &Location, model: &Model, room: usize, theme: &Theme) -> Vec<Span<'static>> {
    let mut lines = vec![Span::styled(location.to_string(), theme.strong)];
    let Some(source) = model.project.source_line(&location.file, location.line) else {
        return lines;
    };
    let (source, column) = in_sight(source, location.column as usize, room);
    let width = (location.width as usize).min(room.saturating_sub(column - 1)).max(1);
    let underline = format!("{}{}", " ".repeat(column - 1), "^".repeat(width));
    lines.push(Span::raw(text::fit(&source, room).into_owned()));
    lines.push(Span::styled(underline, theme.warn));
    lines
}

/// The line without what its indentation takes away from the room, and where
/// the column is in it then.
fn in_sight(source: &str, column: usize, room: usize) -> (String, usize) {
    let source = source.replace('\t', " ");
    let indent = source.chars().take_while(|symbol| *symbol == ' ').count();
    let spare =
        if source.chars().count() > room { indent.min(column.saturating_sub(1)) } else { 0 };
    (source.chars().skip(spare).collect(), column.max(1) - spare)
}

/// The finding as text, for the clipboard.
pub fn as_text(finding: &Finding) -> String {
    let mut text = format!(
        "{} {} {}: {}\n",
        finding.level.mark(),
        finding.check,
        finding.subject,
        finding.title
    );
    let lines = finding.evidence.iter().map(|line| format!("  {line}\n"));
    text.extend(lines);
    let rest = [
        finding.impact.as_ref().map(|impact| format!("  impact: {impact}\n")),
        finding.location.as_ref().map(|location| format!("  source: {location}\n")),
        finding.todo.as_ref().map(|todo| format!("  what to do: {todo}\n")),
    ];
    text.extend(rest.into_iter().flatten());
    text
}
