//! What an action does to the dashboard. Pure: what has to be done outside
//! comes back as effects.

use super::{
    Ui,
    action::{Action, Effect},
    dialogs::{self, Dialog},
    model::{Model, Tone},
    screens,
    widgets::selection::{Scroll, Selection},
};
use crate::{engine::Command, remedy::FixScope};

/// Takes `action` in and answers what is to be done about it.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    if model.ending || ui.hidden {
        return if action == Action::QuitNow { vec![Effect::Quit] } else { Vec::new() };
    }
    ui.message = None;
    ui.pressed = model.now();
    if ui.dialog.is_some() {
        return dialogs::update(ui, model, action);
    }
    if ui.filtering {
        return filter(ui, model, action);
    }
    if let Some(reason) = refusal(model, action) {
        ui.say(Tone::Bad, reason);
        return Vec::new();
    }
    everywhere(ui, model, action).unwrap_or_else(|| screens::update(ui, model, action))
}

/// Why `action` is not for now.
fn refusal(model: &Model, action: Action) -> Option<String> {
    let changes = matches!(
        action,
        Action::Launch
            | Action::Fix
            | Action::FixAll
            | Action::TearDown
            | Action::Lifecycle(_)
            | Action::RetryNode
            | Action::RetryStep
    );
    model.read_only_reason().filter(|_| changes)
}

/// Actions that mean the same on every screen.
fn everywhere(ui: &mut Ui, model: &Model, action: Action) -> Option<Vec<Effect>> {
    let mut effects = Vec::new();
    match action {
        Action::Show(screen) => ui.screen = screen,
        Action::Help => ui.dialog = Some(Dialog::Help(Scroll::default())),
        Action::Quit => effects = dialogs::open_quit(ui, model),
        Action::Refresh if model.refreshing.is_some() => ui.say(Tone::Plain, "already reading"),
        Action::Refresh => effects.push(Effect::Send(Command::Refresh)),
        Action::Reload => effects.push(Effect::Send(Command::Reload)),
        Action::Launch => effects = dialogs::open_launch(ui, model),
        Action::FixAll => effects = dialogs::open_fix(ui, model, FixScope::default()),
        Action::TearDown if model.state.cluster.is_none() => {
            ui.say(Tone::Plain, "nothing was ever launched: there is no cluster to end");
        }
        Action::TearDown => effects = dialogs::open_down(ui),
        Action::Lifecycle(lifecycle) => effects = dialogs::open_lifecycle(ui, model, lifecycle),
        Action::Worlds => worlds(ui, model),
        Action::Filter => ui.filtering = true,
        Action::Back if !ui.filter().is_empty() => ui.filter_mut().clear(),
        _ => return None,
    }
    Some(effects)
}

fn worlds(ui: &mut Ui, model: &Model) {
    if !model.simulated || model.scenarios.is_empty() {
        return ui.say(Tone::Plain, "this world is real: `muster demo` has others");
    }
    let mut selection = Selection::default();
    if let Some(scenario) = &model.scenario {
        selection.select(scenario);
    }
    ui.dialog = Some(Dialog::Worlds(selection));
}

fn filter(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Type(symbol) => ui.filter_mut().push(symbol),
        Action::Erase => {
            ui.filter_mut().pop();
        }
        Action::Open => ui.filtering = false,
        Action::Back => {
            ui.filter_mut().clear();
            ui.filtering = false;
        }
        Action::Quit => {
            ui.filtering = false;
            return dialogs::open_quit(ui, model);
        }
        _ => {}
    }
    Vec::new()
}
