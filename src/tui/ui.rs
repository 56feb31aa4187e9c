//! What the user has done with the screens: which one is open, what is
//! selected, what is typed. Nothing of the cluster.

use jiff::Timestamp;

use super::{
    action::{Action, Motion, Screen},
    dialogs::{self, Dialog},
    keymap::{self, Binding, Context, Key},
    model::{Model, Tone, Work},
    screens::{bootstrap, config, connect, instances, logs, overview, preflight, verify},
    theme::Theme,
};
use crate::engine::ClusterPhase;

/// The state of the dashboard itself.
pub struct Ui {
    /// The open screen.
    pub screen: Screen,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// Whether the open screen's filter is being typed.
    pub filtering: bool,
    /// Whether the terminal is too small for the screens: then nothing that a
    /// key does would be seen, and none but those that quit does anything.
    pub hidden: bool,
    /// What the last key led to, until the next one.
    pub message: Option<(Tone, String)>,
    /// When the last key did something.
    pub pressed: Timestamp,
    /// Looks.
    pub theme: Theme,
    pub(super) overview: overview::State,
    pub(super) instances: instances::State,
    pub(super) preflight: preflight::State,
    pub(super) bootstrap: bootstrap::State,
    pub(super) logs: logs::State,
    pub(super) config: config::State,
    pub(super) verify: verify::State,
    pub(super) connect: connect::State,
}

impl Ui {
    /// The dashboard as it opens.
    pub fn new(theme: Theme) -> Self {
        Self {
            screen: Screen::default(),
            dialog: None,
            filtering: false,
            hidden: false,
            message: None,
            pressed: Timestamp::UNIX_EPOCH,
            theme,
            overview: overview::State::default(),
            instances: instances::State::default(),
            preflight: preflight::State::default(),
            bootstrap: bootstrap::State::default(),
            logs: logs::State::default(),
            config: config::State::default(),
            verify: verify::State::default(),
            connect: connect::State::default(),
        }
    }

    /// The places whose keys hold now, the innermost first.
    pub fn contexts(&self, model: &Model) -> Vec<Context> {
        if model.ending || self.hidden {
            return vec![Context::QuitDialog];
        }
        match &self.dialog {
            Some(dialog) => dialogs::contexts(dialog, model),
            None if self.filtering => vec![Context::Filter, Context::Always],
            None => vec![Context::On(self.screen), Context::Screens, Context::Always],
        }
    }

    /// What `key` means now.
    pub fn action(&self, model: &Model, key: Key) -> Option<Action> {
        keymap::resolve(&self.contexts(model), key)
    }

    /// Whether the footer shows `action` now.
    pub fn is_offered(&self, model: &Model, action: Action) -> bool {
        match action {
            Action::Move(Motion::Up) if self.dialog.is_some() => {
                self.dialog.as_ref().is_some_and(Dialog::can_scroll)
            }
            Action::Worlds => model.simulated && !model.scenarios.is_empty(),
            Action::Move(Motion::Left) => matches!(
                self.screen,
                Screen::Bootstrap | Screen::Logs | Screen::Config | Screen::Verify
            ),
            Action::Shell => !model.simulated && bootstrap::can_log_in(self, model),
            Action::Reload => !model.changed_files.is_empty() || model.configs.refused.is_some(),
            Action::Edit => !model.configs.in_memory,
            Action::Open | Action::Fix
                if self.dialog.is_none() && self.screen == Screen::Config =>
            {
                self.config.is_on_finding() && (action == Action::Open || can_fix(model))
            }
            Action::NextPane if self.dialog.is_none() => self.screen != Screen::Bootstrap,
            Action::NextPane => {
                self.dialog.as_ref().is_some_and(|dialog| dialog.has_buttons(model))
            }
            Action::Open if matches!(self.dialog, Some(Dialog::Help(_))) => false,
            Action::Lifecycle(lifecycle) => lifecycle.is_offered(model),
            Action::TearDown => !model.ending && model.read_only.is_none(),
            Action::Open if self.dialog.is_none() && self.screen == Screen::Overview => {
                !model.troubles().is_empty() || self.overview.on_regions()
            }
            Action::Launch => model.read_only.is_none() && has_to_launch(model),
            Action::Fix | Action::FixAll => can_fix(model),
            Action::RetryNode => {
                model.read_only.is_none() && bootstrap::can_retry_node(self, model)
            }
            Action::RetryStep => {
                model.read_only.is_none() && bootstrap::can_retry_step(self, model)
            }
            _ => true,
        }
    }

    /// Returns the hint of `binding` in the footer: some keys toggle.
    pub fn hint(&self, binding: &'static Binding) -> &'static str {
        match binding.action {
            Action::Move(Motion::Up) if self.is_reading() => "scroll",
            Action::Move(Motion::Left) if self.screen == Screen::Logs => "node",
            Action::Move(Motion::Left) if self.screen == Screen::Config => "file",
            Action::Move(Motion::Left) if self.screen == Screen::Verify => "region",
            Action::Freeze if self.logs.is_frozen() => "follow",
            Action::Group if self.preflight.by_subject() => "by check",
            Action::Open if self.screen == Screen::Preflight && self.dialog.is_none() => {
                self.preflight.open_hint()
            }
            Action::Refresh => "refresh",
            _ => binding.hint,
        }
    }

    /// Whether a dialog is open that has no list to choose from.
    fn is_reading(&self) -> bool {
        self.dialog.as_ref().is_some_and(|dialog| !matches!(dialog, Dialog::Worlds(_)))
    }

    /// The open screen's filter.
    pub fn filter(&self) -> &str {
        match self.screen {
            Screen::Overview => &self.overview.filter,
            Screen::Instances => &self.instances.filter,
            Screen::Preflight => &self.preflight.filter,
            Screen::Bootstrap => &self.bootstrap.filter,
            Screen::Logs => &self.logs.filter,
            Screen::Config => &self.config.filter,
            Screen::Verify => &self.verify.filter,
            Screen::Connect => &self.connect.filter,
        }
    }

    pub(super) fn filter_mut(&mut self) -> &mut String {
        match self.screen {
            Screen::Overview => &mut self.overview.filter,
            Screen::Instances => &mut self.instances.filter,
            Screen::Preflight => &mut self.preflight.filter,
            Screen::Bootstrap => &mut self.bootstrap.filter,
            Screen::Logs => &mut self.logs.filter,
            Screen::Config => &mut self.config.filter,
            Screen::Verify => &mut self.verify.filter,
            Screen::Connect => &mut self.connect.filter,
        }
    }

    pub(super) fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.message = Some((tone, text.into()));
    }
}

/// Whether something has failed that may be fixed now.
fn can_fix(model: &Model) -> bool {
    model.read_only.is_none() && model.summary().fail > 0 && model.work == Work::None
}

/// Whether there is anything to launch or to go on with, and nobody at it yet.
fn has_to_launch(model: &Model) -> bool {
    let (ready, all) = model.ready();
    let held = matches!(
        model.state.phase,
        ClusterPhase::Terminating | ClusterPhase::Stopping | ClusterPhase::Stopped
    );
    let stopped = model.state.halted().next().is_some();
    ready < all && model.work == Work::None && !held && !stopped
}

/// Whether one of `texts` contains `filter`, upper and lower case alike.
pub(super) fn matches(filter: &str, texts: &[&str]) -> bool {
    if filter.is_empty() {
        return true;
    }
    let filter = filter.to_lowercase();
    texts.iter().any(|text| text.to_lowercase().contains(&filter))
}
