//! End the cluster? What would be terminated, what is left alone, what is not
//! known; done only after a word was typed.

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

/// The word that ends the cluster.
const WORD: &str = "terminate";

/// Whether there is anything to terminate, so that the word is asked for.
pub fn wants_word(model: &Model) -> bool {
    model.down_plan.as_ref().is_some_and(|plan| !plan.terminate.is_empty())
}

/// Draws the dialog.
pub fn view(model: &Model, form: &mut Form, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = area.width.min(96);
    let room = usize::from(width.saturating_sub(4));
    let lines = match &model.down_plan {
        None => asking(theme),
        Some(plan) => planned(plan, model, room, theme),
    };
    let foot = if wants_word(model) {
        let what = format!("terminate {}", count(model));
        vec![
            field(WORD, &form.typed, &what, theme),
            Line::styled("Esc closes, nothing is terminated", theme.dim),
        ]
    } else {
        vec![buttons(&["Close"], 0, theme)]
    };
    let name = model.state.cluster.as_ref().map_or(model.project.name.as_str(), |id| id.as_str());
    let title = format!("End {}", text::clean(name));
    Sheet { title: &title, width, lines, foot }.render(&mut form.scroll, area, buf, theme);
}

fn count(model: &Model) -> String {
    let count = model.down_plan.as_ref().map_or(0, |plan| plan.terminate.len());
    text::count(count, "instance")
}

fn asking(theme: &Theme) -> Vec<Line<'static>> {
    vec![
        Line::styled("▶ Asking every region for what carries the cluster's id…", theme.busy),
        Line::styled("Nothing is terminated yet.", theme.dim),
    ]
}

fn planned(plan: &DownPlan, model: &Model, room: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if plan.terminate.is_empty() {
        lines.push(Line::raw("No instance carries the cluster's id: there is nothing to end."));
    } else {
        lines.push(Line::styled(
            "These would be terminated, with everything on them:",
            theme.strong,
        ));
        let rows =
            plan.terminate.iter().map(|(region, instance)| row(region, instance, model, room));
        lines.extend(rows.map(Line::raw));
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
            Span::raw(", since they only share a Ray cluster's name:"),
        ]));
        let rows = plan.foreign.iter().map(|(region, instance)| row(region, instance, model, room));
        lines.extend(rows.map(|row| Line::styled(row, theme.dim)));
    }
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
    if form.typed != WORD {
        return Vec::new();
    }
    ui.dialog = None;
    ui.screen = Screen::Instances;
    vec![Effect::Send(Command::Down)]
}
