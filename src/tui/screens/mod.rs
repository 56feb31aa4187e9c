//! The screens, a file each: its state, how it is drawn, what keys do to it.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    Ui,
    action::{Action, Effect, Screen},
    model::Model,
};

pub(super) mod bootstrap;
pub(super) mod config;
pub(super) mod connect;
pub(super) mod finding;
pub(super) mod instances;
pub(super) mod logs;
pub(super) mod overview;
pub(super) mod preflight;
pub(super) mod verify;

/// Draws the open screen.
pub(super) fn view(model: &Model, ui: &mut Ui, area: Rect, buf: &mut Buffer) {
    let theme = ui.theme;
    match ui.screen {
        Screen::Overview => overview::view(model, &mut ui.overview, area, buf, &theme),
        Screen::Instances => instances::view(model, &mut ui.instances, area, buf, &theme),
        Screen::Preflight => preflight::view(model, &mut ui.preflight, area, buf, &theme),
        Screen::Bootstrap => bootstrap::view(model, &mut ui.bootstrap, area, buf, &theme),
        Screen::Logs => logs::view(model, &mut ui.logs, area, buf, &theme),
        Screen::Config => config::view(model, &mut ui.config, area, buf, &theme),
        Screen::Verify => verify::view(model, &mut ui.verify, area, buf, &theme),
        Screen::Connect => connect::view(model, &mut ui.connect, area, buf, &theme),
    }
}

/// What `action` does on the open screen.
pub(super) fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    match ui.screen {
        Screen::Overview => overview::update(ui, model, action),
        Screen::Instances => instances::update(ui, model, action),
        Screen::Preflight => preflight::update(ui, model, action),
        Screen::Bootstrap => bootstrap::update(ui, model, action),
        Screen::Logs => logs::update(ui, model, action),
        Screen::Config => config::update(ui, model, action),
        Screen::Verify => verify::update(ui, model, action),
        Screen::Connect => connect::update(ui, model, action),
    }
}

/// Two panes of which one has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    /// The left or upper one.
    #[default]
    First,
    /// The other.
    Second,
}

impl Pane {
    /// Goes to the next pane or to the one before, if `action` does; whether it
    /// did. Beyond the two there is the screen on that side, and a user who comes
    /// back finds the first one in use.
    pub(super) fn go(&mut self, action: Action, screen: &mut Screen) -> bool {
        match (action, *self) {
            (Action::NextPane, Self::First) => *self = Self::Second,
            (Action::NextPane, Self::Second) => {
                *self = Self::First;
                *screen = screen.next();
            }
            (Action::PreviousPane, Self::First) => *screen = screen.previous(),
            (Action::PreviousPane | Action::Back, _) => *self = Self::First,
            _ => return false,
        }
        true
    }
}
