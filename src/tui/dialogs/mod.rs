//! What asks before it acts. Nothing here spends money or destroys without a
//! key that is not pressed by accident.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    Ui,
    action::{Action, Effect},
    keymap::Context,
    model::Model,
    widgets::selection::{Scroll, Selection},
};

mod down;
mod ending;
mod fix;
mod help;
mod launch;
mod lifecycle;
mod quit;
mod worlds;

pub(super) use fix::open as open_fix;
pub(super) use launch::open as open_launch;
pub(super) use lifecycle::open as open_lifecycle;
pub(super) use quit::open as open_quit;

/// The open dialog and what was done in it.
#[derive(Debug)]
pub enum Dialog {
    /// All keys.
    Help(Scroll),
    /// Launch?
    Launch(Form),
    /// The fix plan and its progress.
    Fix(fix::FixDialog),
    /// Stop, start or take over?
    Lifecycle(lifecycle::Asking),
    /// End the cluster?
    Down(Form),
    /// Quit?
    Quit(Form),
    /// Another simulated world?
    Worlds(Selection),
}

/// What a dialog with buttons or a field holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The button that has the focus, the harmless one first.
    pub focus: usize,
    /// What was typed.
    pub typed: String,
    /// How far its text is scrolled.
    pub scroll: Scroll,
}

impl Dialog {
    /// Whether not all of it is in sight, or there is something to choose.
    pub fn can_scroll(&self) -> bool {
        match self {
            Self::Help(scroll) => scroll.can_go(),
            Self::Launch(form) | Self::Down(form) | Self::Quit(form) => form.scroll.can_go(),
            Self::Fix(dialog) => dialog.form.scroll.can_go(),
            Self::Lifecycle(asking) => asking.form.scroll.can_go(),
            Self::Worlds(_) => true,
        }
    }

    /// Whether there are buttons to go between.
    pub fn has_buttons(&self, model: &Model) -> bool {
        match self {
            Self::Launch(_) | Self::Quit(_) => true,
            Self::Fix(dialog) => fix::can_begin(dialog, model),
            Self::Lifecycle(asking) => lifecycle::can_begin(asking, model),
            Self::Help(_) | Self::Down(_) | Self::Worlds(_) => false,
        }
    }
}

/// The places whose keys hold in `dialog`.
pub(super) fn contexts(dialog: &Dialog, model: &Model) -> Vec<Context> {
    match dialog {
        Dialog::Launch(_) if launch::is_clear(model) => {
            vec![Context::Launch, Context::Dialog, Context::Always]
        }
        Dialog::Launch(_) => vec![Context::Typing, Context::Always],
        Dialog::Fix(dialog) if fix::can_begin(dialog, model) => {
            vec![Context::Fix, Context::Dialog, Context::Always]
        }
        Dialog::Fix(dialog) if fix::has_ended(dialog, model) => {
            let after = if fix::is_fixed(model) { Context::Fixed } else { Context::Unfixed };
            vec![after, Context::Reading, Context::Dialog, Context::Always]
        }
        Dialog::Lifecycle(asking) if lifecycle::wants_word(asking, model) => {
            vec![Context::Typing, Context::Always]
        }
        Dialog::Lifecycle(asking) if lifecycle::can_begin(asking, model) => {
            vec![Context::Confirm, Context::Dialog, Context::Always]
        }
        Dialog::Down(_) if down::wants_word(model) => vec![Context::Typing, Context::Always],
        Dialog::Quit(_) => vec![Context::QuitDialog, Context::Dialog],
        Dialog::Help(_) | Dialog::Worlds(_) | Dialog::Fix(_) | Dialog::Lifecycle(_) => {
            vec![Context::Reading, Context::Dialog, Context::Always]
        }
        Dialog::Down(_) => vec![Context::Dialog, Context::Always],
    }
}

/// Draws the open dialog over the screen.
pub(super) fn view(model: &Model, ui: &mut Ui, area: Rect, buf: &mut Buffer) {
    let theme = ui.theme;
    if model.ending {
        return ending::view(model, area, buf, &theme);
    }
    match &mut ui.dialog {
        Some(Dialog::Help(scroll)) => help::view(ui.screen, scroll, area, buf, &theme),
        Some(Dialog::Launch(form)) => launch::view(model, form, area, buf, &theme),
        Some(Dialog::Fix(dialog)) => fix::view(model, dialog, area, buf, &theme),
        Some(Dialog::Lifecycle(asking)) => lifecycle::view(model, asking, area, buf, &theme),
        Some(Dialog::Down(form)) => down::view(model, form, area, buf, &theme),
        Some(Dialog::Quit(form)) => quit::view(model, form, area, buf, &theme),
        Some(Dialog::Worlds(selection)) => worlds::view(model, selection, area, buf, &theme),
        None => {}
    }
}

/// What `action` does in the open dialog.
pub(super) fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let Some(dialog) = &mut ui.dialog else { return Vec::new() };
    match (action, dialog) {
        (Action::Back, _) => {
            ui.dialog = None;
            Vec::new()
        }
        (Action::Quit, _) => quit::open(ui, model),
        (Action::QuitNow, _) => vec![Effect::Quit],
        (Action::Move(motion), Dialog::Help(scroll)) => {
            scroll.go(motion);
            Vec::new()
        }
        (_, Dialog::Help(_)) => Vec::new(),
        (_, Dialog::Worlds(selection)) => {
            let effects = worlds::update(selection, model, action);
            if action == Action::Open {
                ui.dialog = None;
            }
            effects
        }
        (Action::TearDown, Dialog::Quit(_)) if model.read_only.is_some() => Vec::new(),
        (Action::TearDown, Dialog::Quit(_)) => open_down(ui),
        (_, Dialog::Launch(_)) => launch::update(ui, model, action),
        (_, Dialog::Fix(_)) => fix::update(ui, model, action),
        (_, Dialog::Lifecycle(_)) => lifecycle::update(ui, model, action),
        (_, Dialog::Down(_)) => down::update(ui, model, action),
        (_, Dialog::Quit(_)) => quit::update(ui, action),
    }
}

/// Opens the dialog that ends the cluster, and asks what that would mean.
pub(super) fn open_down(ui: &mut Ui) -> Vec<Effect> {
    ui.dialog = Some(Dialog::Down(Form::default()));
    vec![Effect::Send(crate::engine::Command::PlanDown)]
}

impl Form {
    /// What keys do that mean the same in every form; true where one was.
    fn take(&mut self, action: Action, buttons: usize) -> bool {
        match action {
            Action::Move(motion) => self.scroll.go(motion),
            Action::NextPane => self.focus = (self.focus + 1) % buttons,
            Action::PreviousPane => self.focus = (self.focus + buttons - 1) % buttons,
            Action::Type(symbol) => self.typed.push(symbol),
            Action::Erase => {
                self.typed.pop();
            }
            _ => return false,
        }
        true
    }
}
