//! The fix plan: each change, its region and how to undo it, and the diff of the
//! configs; then the progress of the changes.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Dialog, Form};
use crate::{
    config::edit::{DiffKind, FileDiff},
    engine::{ChangeState, Command, FixPlan, FixProgress, FixState},
    model::Region,
    remedy::{FixScope, Step, Unfixed, Unrecorded, describe},
    report,
    tui::{
        Ui,
        action::{Action, Effect},
        model::{Model, Tone, Work},
        text,
        theme::Theme,
        widgets::sheet::{Sheet, buttons},
    },
};

/// State of the fix dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixDialog {
    /// Button and scrolling.
    pub form: Form,
    /// What the plan is for.
    pub scope: FixScope,
    /// Whether it was confirmed here, or was under way as the dialog opened.
    pub begun: bool,
}

/// Whether a plan is shown that can be confirmed.
pub fn can_begin(dialog: &FixDialog, model: &Model) -> bool {
    !dialog.begun && model.fix_plan.as_ref().is_some_and(|fix| !fix.plan.is_empty())
}

/// Whether the changes were made as far as they could be, and looked at.
pub fn has_ended(dialog: &FixDialog, model: &Model) -> bool {
    dialog.begun
        && model.state.fix.is_some()
        && model.work != Work::Fix
        && model.refreshing.is_none()
        && model.findings.is_some()
}

/// Whether, after that, nothing stands in the way of a launch.
pub fn is_fixed(model: &Model) -> bool {
    let made = model.state.fix.as_ref().is_some_and(|fix| fix.done() == fix.steps.len());
    made && model.summary().fail == 0
}

/// Opens the dialog and asks for a plan; where changes are being made, shows those.
pub fn open(ui: &mut Ui, model: &Model, scope: FixScope) -> Vec<Effect> {
    let begun = model.work == Work::Fix;
    match model.work {
        Work::None | Work::Fix => {}
        Work::Up => return refuse(ui, "a launch is in progress: fix after it has finished"),
        Work::Down => return refuse(ui, "the cluster is terminating"),
        Work::Stop => return refuse(ui, "the instances are stopping"),
    }
    if !begun && model.findings.is_some() && model.summary().fail == 0 {
        return refuse(ui, "no check fails: there is nothing to fix");
    }
    ui.dialog =
        Some(Dialog::Fix(FixDialog { scope: scope.clone(), begun, ..FixDialog::default() }));
    if begun { Vec::new() } else { vec![Effect::Send(Command::PlanFix(scope))] }
}

fn refuse(ui: &mut Ui, why: &str) -> Vec<Effect> {
    ui.say(Tone::Plain, why);
    Vec::new()
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let Some(Dialog::Fix(dialog)) = &mut ui.dialog else { return Vec::new() };
    let can_begin = can_begin(dialog, model);
    if dialog.form.take(action, if can_begin { 2 } else { 1 }) {
        return Vec::new();
    }
    match action {
        Action::Open if !can_begin || dialog.form.focus == 0 => {
            ui.dialog = None;
            Vec::new()
        }
        Action::Open | Action::FixNow if can_begin => begin(dialog, model),
        Action::Launch | Action::FixAll | Action::Show(_) => {
            ui.dialog = None;
            crate::tui::update::update(ui, model, action)
        }
        Action::Blackholes if has_blackhole(model) && !dialog.begun => {
            dialog.scope.replace_blackholes = !dialog.scope.replace_blackholes;
            vec![Effect::Send(Command::PlanFix(dialog.scope.clone()))]
        }
        _ => Vec::new(),
    }
}

fn begin(dialog: &mut FixDialog, model: &Model) -> Vec<Effect> {
    let Some(fix) = &model.fix_plan else { return Vec::new() };
    dialog.begun = true;
    dialog.form = Form::default();
    vec![Effect::Send(Command::Fix(fix.plan.clone()))]
}

/// Whether what is left speaks of a blackhole, or one is to be replaced.
fn has_blackhole(model: &Model) -> bool {
    let Some(fix) = &model.fix_plan else { return false };
    let replaces = |step: &Step| describe::title(step).contains("blackhole");
    fix.plan.left.iter().any(|left| left.why.contains("blackhole"))
        || fix.plan.steps.iter().any(replaces)
}

/// Draws the dialog.
pub fn view(model: &Model, dialog: &mut FixDialog, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = area.width.min(112);
    let room = usize::from(width.saturating_sub(4));
    let progress = model.state.fix.as_ref().filter(|_| dialog.begun);
    let (title, lines) = match (progress, &model.fix_plan, &model.fix_refused) {
        (Some(fix), ..) => (heading(fix, model), running(fix, model, room, theme)),
        (None, Some(fix), _) => (String::from("Fix"), planned(fix, room, theme)),
        (None, None, Some(why)) => (String::from("Fix"), wrapped(why, room, theme.bad)),
        (None, None, None) => (String::from("Fix"), planning(theme)),
    };
    let foot = foot(model, dialog, theme);
    Sheet { title: &title, width, lines, foot }.render(&mut dialog.form.scroll, area, buf, theme);
}

fn foot(model: &Model, dialog: &FixDialog, theme: &Theme) -> Vec<Line<'static>> {
    if !can_begin(dialog, model) {
        let runs = dialog.begun && model.work == Work::Fix;
        let hint =
            if runs { "Esc closes; the changes go on, F shows them again" } else { "Esc closes" };
        return vec![buttons(&["Close"], 0, theme), Line::styled(hint, theme.dim)];
    }
    let mut hint = String::from("Tab, then Enter; or C changes all this. ↑↓ scroll");
    if has_blackhole(model) {
        let on = dialog.scope.replace_blackholes;
        hint.push_str(if on { " · b leaves blackholes" } else { " · b replaces blackholes" });
    }
    vec![buttons(&["Cancel", "Change"], dialog.form.focus, theme), Line::styled(hint, theme.dim)]
}

fn planning(theme: &Theme) -> Vec<Line<'static>> {
    vec![
        Line::styled("▶ Refreshing at all regions, and at what would have to change…", theme.busy),
        Line::styled("Nothing is changed yet.", theme.dim),
    ]
}

fn wrapped(text: &str, room: usize, style: ratatui::style::Style) -> Vec<Line<'static>> {
    text::wrap(&text::clean(text), room).into_iter().map(|line| Line::styled(line, style)).collect()
}

fn planned(fix: &FixPlan, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let plan = &fix.plan;
    let mut lines = Vec::new();
    if plan.is_empty() {
        let text = "There is nothing here that muster can fix.";
        lines.extend([Line::styled(text, theme.strong), Line::default()]);
    }
    let mut places: Vec<Option<&Region>> = Vec::new();
    for step in &plan.steps {
        if !places.contains(&step.region()) {
            places.push(step.region());
        }
    }
    for place in places {
        let name = place.map_or("this machine", |region| region.as_str()).to_owned();
        lines.push(Line::styled(name, theme.strong));
        let here = plan.steps.iter().filter(|step| step.region() == place);
        lines.extend(here.flat_map(|step| change(step, room, theme)));
        lines.push(Line::default());
    }
    lines.extend(fix.diffs.iter().flat_map(|diff| file(diff, room, theme)));
    lines.extend(costs(fix, room, theme));
    lines.extend(left(&plan.left, room, theme));
    lines.extend(unrecorded(&plan.unrecorded, room, theme));
    lines
}

/// What carries the project's tags and is in no journal, with its rules and addresses.
fn unrecorded(all: &[Unrecorded], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    if all.is_empty() {
        return Vec::new();
    }
    let shown = report::unrecorded(all, report::Paint::PLAIN);
    let mut lines = vec![Line::default()];
    lines.extend(shown.iter().flat_map(|line| wrapped(&line.to_string(), room, theme.warn)));
    lines.push(Line::styled(
        "`muster fix` in a terminal asks whether to take them over.",
        theme.dim,
    ));
    lines
}

fn change(step: &Step, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for title in describe::lines(step) {
        let rows = text::wrap(&text::clean(&title), room.saturating_sub(4));
        lines.extend(rows.into_iter().enumerate().map(|(index, row)| {
            let sign = if index == 0 { "  + " } else { "    " };
            Line::from(vec![Span::styled(sign, theme.good), Span::raw(row)])
        }));
    }
    if let (Some(line), undo @ 1..) = (lines.last_mut(), describe::undo(step).len()) {
        let fits = line.width() + undo + 10 <= room;
        let text = format!("  undo: {}", describe::undo(step));
        if fits {
            line.push_span(Span::styled(text, theme.dim));
        } else {
            lines.push(Line::styled(format!("  {text}"), theme.dim));
        }
    }
    lines
}

fn file(diff: &FileDiff, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled(diff.file.display().to_string(), theme.strong)];
    for hunk in &diff.hunks {
        lines.push(Line::styled(hunk.header.clone(), theme.dim));
        lines.extend(hunk.lines.iter().map(|line| {
            let shown = format!("{}{}", line.kind.mark(), text::clean(&line.text));
            let style = match line.kind {
                DiffKind::Context => theme.dim,
                DiffKind::Added => theme.good,
                DiffKind::Removed => theme.bad,
            };
            Line::styled(text::fit(&shown, room).into_owned(), style)
        }));
    }
    lines.push(Line::default());
    lines
}

fn costs(fix: &FixPlan, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut costs: Vec<_> = fix.plan.steps.iter().filter_map(describe::cost).collect();
    costs.sort_unstable();
    costs.dedup();
    if fix.plan.is_empty() {
        return Vec::new();
    }
    let text = if costs.is_empty() { "nothing".to_owned() } else { costs.join("; ") };
    wrapped(&format!("Costs {text}."), room, theme.text)
}

fn left(all: &[Unfixed], room: usize, theme: &Theme) -> Vec<Line<'static>> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::default(), Line::styled("Not fixed by muster", theme.strong)];
    for one in all {
        let problem = format!("✗ {} {}", one.problem.check, one.problem.subject);
        lines.push(Line::styled(problem, theme.bad));
        let rows = text::wrap(&text::clean(&one.why), room.saturating_sub(2));
        lines.extend(rows.into_iter().map(|row| Line::raw(format!("  {row}"))));
    }
    lines
}

fn heading(fix: &FixState, model: &Model) -> String {
    let (done, all) = (fix.done(), fix.steps.len());
    if model.work == Work::Fix {
        format!("Changing: {done} of {all}")
    } else if done == all {
        format!("All {all} changes are made")
    } else {
        format!("{done} of {all} changes are made")
    }
}

/// What runs and what failed first, so that it is in sight; then the rest.
fn running(fix: &FixState, model: &Model, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = end(fix, model, room, theme);
    let rank = |one: &&FixProgress| match one.state {
        ChangeState::Failed(_) => 0,
        ChangeState::Running => 1,
        ChangeState::Waiting => 2,
        ChangeState::Done(_) => 3,
    };
    let mut steps: Vec<_> = fix.steps.iter().collect();
    steps.sort_by_key(rank);
    lines.extend(steps.into_iter().flat_map(|one| step(one, fix, room, theme)));
    lines
}

fn end(fix: &FixState, model: &Model, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    if model.work == Work::Fix {
        return Vec::new();
    }
    let fails = model.summary().fail;
    let (text, style): (String, _) = if fix.done() < fix.steps.len() {
        (
            "Created resources are kept and reused: fix the cause, then press F to continue."
                .into(),
            theme.warn,
        )
    } else if model.refreshing.is_some() || model.findings.is_none() {
        ("Refreshing again…".into(), theme.busy)
    } else if fails == 0 {
        ("✓ No check fails: press u to launch.".into(), theme.good)
    } else {
        (format!("{} still fail: press 3 to see them.", text::count(fails, "check")), theme.warn)
    };
    let mut lines = wrapped(&text, room, style);
    lines.push(Line::default());
    lines
}

fn step(one: &FixProgress, fix: &FixState, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (mark, style) = match &one.state {
        ChangeState::Waiting => ("·", theme.dim),
        ChangeState::Running => ("▶", theme.busy),
        ChangeState::Done(_) => ("✓", theme.good),
        ChangeState::Failed(_) => ("✗", theme.bad),
    };
    let place = one.step.region.as_ref().map(|region| format!("{region}: ")).unwrap_or_default();
    let made = match &one.state {
        ChangeState::Done(Some(id)) => format!(": {id}"),
        _ => String::new(),
    };
    let title = format!("{place}{}{made}", fix.with_ids(&one.step.title));
    let rows = text::wrap(&text::clean(&title), room.saturating_sub(2));
    let mut lines: Vec<_> = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| {
            let mark = if index == 0 { mark } else { " " };
            Line::from(vec![Span::styled(format!("{mark} "), style), Span::raw(row)])
        })
        .collect();
    if let ChangeState::Failed(failure) = &one.state {
        let hint = failure.hint.iter().map(|hint| format!("→ {hint}"));
        for text in std::iter::once(failure.to_string()).chain(hint) {
            let rows = text::wrap(&text::clean(&text), room.saturating_sub(4));
            lines.extend(rows.into_iter().map(|row| Line::styled(format!("    {row}"), theme.bad)));
        }
    }
    lines
}
