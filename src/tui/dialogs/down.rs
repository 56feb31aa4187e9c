//! End the cluster? What would be terminated, what is left alone, what is not
//! known; done only after a word was typed.

use std::sync::Arc;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Dialog, Form};
use crate::{
    cloud::{Instance, tags},
    engine::{Command, DownPlan},
    model::Region,
    tui::{
        Ui,
        action::{Action, Effect, Screen},
        model::Model,
        text,
        theme::Theme,
        widgets::sheet::{Sheet, buttons, field},
    },
};

/// The word that terminates what is on record.
const WORD: &str = "terminate";
/// The words that terminate also what is on no record.
const ALL: &str = "terminate all";

/// Whether there is anything to terminate, so that the word is asked for.
pub fn wants_word(model: &Model) -> bool {
    let plan = model.down_plan.as_ref();
    plan.is_some_and(|plan| !plan.is_empty() || !plan.unrecorded.is_empty())
}

/// What the typed word confirms.
fn confirmed(typed: &str, plan: &Arc<DownPlan>) -> Option<Arc<DownPlan>> {
    match typed {
        WORD if !plan.is_empty() => Some(Arc::clone(plan)),
        ALL => Some(Arc::new(DownPlan::clone(plan).including_unrecorded())),
        _ => None,
    }
}

/// The words to type, and what each does.
fn fields(form: &Form, plan: &DownPlan, theme: &Theme) -> Vec<Line<'static>> {
    let known = text::count(plan.terminate.len(), "instance");
    let what = match (plan.terminate.len(), plan.unresolved.is_empty() && !plan.launching) {
        (0, _) => "terminate what is being launched".to_owned(),
        (_, true) => format!("terminate {known}"),
        (_, false) => format!("terminate {known} and what is being launched"),
    };
    let all = plan.terminate.len() + plan.unrecorded.len();
    let all = format!("terminate {}, those on no record too", text::count(all, "instance"));
    match (plan.is_empty(), plan.unrecorded.is_empty()) {
        (_, true) => vec![field(WORD, &form.typed, &what, theme)],
        (true, false) => vec![field(ALL, &form.typed, &all, theme)],
        (false, false) if form.typed.len() > WORD.len() => {
            vec![field(ALL, &form.typed, &all, theme)]
        }
        (false, false) => vec![
            field(WORD, &form.typed, &what, theme),
            Line::styled(format!("`{ALL}`: {all}"), theme.dim),
        ],
    }
}

/// Draws the dialog.
pub fn view(model: &Model, form: &mut Form, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = area.width.min(96);
    let room = usize::from(width.saturating_sub(4));
    let lines = match &model.down_plan {
        None => asking(theme),
        Some(plan) => planned(plan, model, room, theme),
    };
    let foot = match &model.down_plan {
        Some(plan) if wants_word(model) => {
            let mut foot = fields(form, plan, theme);
            foot.push(Line::styled("Esc closes, nothing is terminated", theme.dim));
            foot
        }
        _ => vec![buttons(&["Close"], 0, theme)],
    };
    let name = model.state.cluster.as_ref().map_or(model.project.name.as_str(), |id| id.as_str());
    let title = format!("End {}", text::clean(name));
    Sheet { title: &title, width, lines, foot }.render(&mut form.scroll, area, buf, theme);
}

fn asking(theme: &Theme) -> Vec<Line<'static>> {
    vec![
        Line::styled("▶ Asking every region for what carries the cluster's id…", theme.busy),
        Line::styled("Nothing is terminated yet.", theme.dim),
    ]
}

fn planned(plan: &DownPlan, model: &Model, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let row_of = |(region, instance): &(Region, Instance)| row(region, instance, model, room);
    if plan.is_empty() && plan.unrecorded.is_empty() {
        lines.push(Line::raw("No instance carries the cluster's id: there is nothing to end."));
    } else if plan.terminate.is_empty() {
        lines.push(Line::raw("No instance of the cluster is on record."));
    } else {
        lines.push(Line::styled(
            "These would be terminated, with everything on them:",
            theme.strong,
        ));
        lines.extend(plan.terminate.iter().map(row_of).map(Line::raw));
    }
    lines.extend(launches(plan, room, theme));
    if !plan.unrecorded.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled(
            "! These carry the cluster's id and are on no record:",
            theme.unknown,
        ));
        lines.extend(plan.unrecorded.iter().map(row_of).map(Line::raw));
    }
    if !plan.unknown.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("? Not known, since these regions did not answer:", theme.unknown));
        let rows = plan.unknown.iter().flat_map(|(region, failure)| {
            text::wrap(&text::clean(&format!("{region}: {failure}")), room.saturating_sub(2))
        });
        lines.extend(rows.map(|row| Line::raw(format!("  {row}"))));
    }
    if !plan.foreign.is_empty() {
        lines.push(Line::default());
        lines.push(Line::from(vec![
            Span::styled("Left alone", theme.strong),
            Span::raw(", since they only share a name with the cluster:"),
        ]));
        lines.extend(plan.foreign.iter().map(row_of).map(|row| Line::styled(row, theme.dim)));
    }
    lines
}

/// Launches whose instances are terminated as well.
fn launches(plan: &DownPlan, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut texts: Vec<_> = plan.unresolved.iter().map(ToString::to_string).collect();
    if plan.launching {
        texts.push("what is launched until the termination begins".into());
    }
    if texts.is_empty() {
        return Vec::new();
    }
    let heading = "! What these launches create is terminated, too:";
    let mut lines = vec![Line::default(), Line::styled(heading, theme.unknown)];
    let rows = texts.iter().flat_map(|text| text::wrap(&text::clean(text), room - 2));
    lines.extend(rows.map(|row| Line::raw(format!("  {row}"))));
    lines
}

fn row(region: &Region, instance: &Instance, model: &Model, room: usize) -> String {
    let node = model.state.node_of(&instance.id).map(|node| node.name.to_string());
    let tag = || instance.tags.get(tags::NAME).cloned();
    let other = || tag().unwrap_or_else(|| "not on record".into());
    let name = node.unwrap_or_else(|| format!("{region}, {}", other()));
    let age = instance.launched.map(|at| text::between(at, model.now()));
    let text = format!(
        "  {:24} {}  {}  {}",
        text::clean(&name),
        instance.id,
        instance.instance_type,
        age.unwrap_or_default()
    );
    text::fit(&text, room).into_owned()
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let Some(Dialog::Down(form)) = &mut ui.dialog else { return Vec::new() };
    if form.take(action, 1) || action != Action::Open {
        return Vec::new();
    }
    if !wants_word(model) {
        ui.dialog = None;
        return Vec::new();
    }
    let plan = model.down_plan.as_ref();
    let Some(plan) = plan.and_then(|plan| confirmed(&form.typed, plan)) else {
        return Vec::new();
    };
    ui.dialog = None;
    ui.screen = Screen::Instances;
    vec![Effect::Send(Command::Down(plan))]
}
