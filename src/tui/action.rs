//! What a key means, and what the dashboard wants done about it. Both plain
//! data, so that a macro of keys can be tested without a terminal.

use std::{path::Path, sync::Arc};

use super::lifecycle::Lifecycle;
use crate::{engine::Command, remote::Host};

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Screen {
    /// Blocking issues first: what keeps the cluster from running.
    #[default]
    Overview,
    /// Every machine.
    Instances,
    /// Every finding.
    Preflight,
    /// Nodes × steps.
    Bootstrap,
    /// What the nodes print.
    Logs,
    /// The configs, with what is wrong in them.
    Config,
    /// Measured connectivity between the nodes.
    Verify,
    /// The hand-over to Python.
    Connect,
}

impl Screen {
    /// All, in the order of their tabs.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Instances,
        Self::Preflight,
        Self::Bootstrap,
        Self::Logs,
        Self::Config,
        Self::Verify,
        Self::Connect,
    ];

    /// The next one; behind the last the first.
    #[must_use]
    pub fn next(self) -> Self {
        self.beside(1)
    }

    /// The one before; before the first the last.
    #[must_use]
    pub fn previous(self) -> Self {
        self.beside(Self::ALL.len() - 1)
    }

    fn beside(self, steps: usize) -> Self {
        let place = Self::ALL.iter().position(|screen| *screen == self).unwrap_or(0);
        Self::ALL[(place + steps) % Self::ALL.len()]
    }

    /// The name on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Instances => "Instances",
            Self::Preflight => "Preflight",
            Self::Bootstrap => "Bootstrap",
            Self::Logs => "Logs",
            Self::Config => "Config",
            Self::Verify => "Verify",
            Self::Connect => "Connect",
        }
    }

    /// The name where there is less room.
    pub fn shorter(self) -> &'static str {
        match self {
            Self::Instances => "Inst",
            Self::Bootstrap => "Boot",
            Self::Connect => "Conn",
            other => other.title(),
        }
    }

    /// The name where there is little.
    pub fn shortest(self) -> &'static str {
        match self {
            Self::Overview => "Over",
            Self::Preflight => "Pre",
            Self::Config => "Conf",
            Self::Verify => "Ver",
            other => other.shorter(),
        }
    }
}

/// A way to go within a list, a table or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Motion {
    /// One up.
    Up,
    /// One down.
    Down,
    /// One to the left.
    Left,
    /// One to the right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    Top,
    /// To the last.
    Bottom,
}

impl Motion {
    /// Where it leads from `index` in a column whose last row is `last`, with
    /// `height` rows in sight; left and right mean nothing there.
    pub fn within(self, index: usize, last: usize, height: usize) -> usize {
        // A page keeps one row in sight.
        let page = height.max(2) - 1;
        match self {
            Self::Up => index.saturating_sub(1),
            Self::Down => (index + 1).min(last),
            Self::PageUp => index.saturating_sub(page),
            Self::PageDown => (index + page).min(last),
            Self::Top => 0,
            Self::Bottom => last,
            Self::Left | Self::Right => index,
        }
    }
}

/// What a key means where it was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Go to a screen.
    Show(Screen),
    /// The next pane, or the next button of a dialog.
    NextPane,
    /// The one before.
    PreviousPane,
    /// Move the selection.
    Move(Motion),
    /// Open what is selected, or press the button that has the focus.
    Open,
    /// One step back: close the dialog, drop the filter, leave the pane.
    Back,
    /// Show all keys.
    Help,
    /// Ask to quit; at once where nothing would go on.
    Quit,
    /// Quit without asking again.
    QuitNow,
    /// Refresh: read AWS and run the checks again.
    Refresh,
    /// Open the launch dialog.
    Launch,
    /// Launch, from within the dialog.
    LaunchNow,
    /// Open the fix dialog for the selection.
    Fix,
    /// Open the fix dialog for all failed findings.
    FixAll,
    /// Make the changes, from within the dialog.
    FixNow,
    /// Replace blackholes, or leave them.
    Blackholes,
    /// Open the dialog that ends the cluster.
    TearDown,
    /// Open the dialog that stops, starts or takes over.
    Lifecycle(Lifecycle),
    /// Do what the dialog shows.
    Confirm,
    /// Choose another simulated world.
    Worlds,
    /// Edit the filter.
    Filter,
    /// Copy the selected id or text to the terminal's clipboard.
    Copy,
    /// Sort by the next column.
    Sort,
    /// Turn the order round.
    Reverse,
    /// Group findings by check or by subject.
    Group,
    /// Run a failed node's steps again.
    RetryNode,
    /// Run the selected step again.
    RetryStep,
    /// Open the editor at the selected line.
    Edit,
    /// Log in to the selected node.
    Shell,
    /// Load the configs again.
    Reload,
    /// Freeze or follow.
    Freeze,
    /// The next line that looks like an error, or that something is wrong with.
    NextError,
    /// The one before.
    PreviousError,
    /// A character typed into a field.
    Type(char),
    /// Take the last character back.
    Erase,
}

/// What the run loop is to do; [`super::update`] itself does no I/O.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask this of the engine.
    Send(Command),
    /// Let the engine finish what must finish, then leave.
    Quit,
    /// Leave for another simulated world.
    OpenScenario(String),
    /// Leave for the next cluster of the same project.
    NextCluster,
    /// Put this text on the terminal's clipboard.
    Copy(String),
    /// Give the terminal to another program until that ends.
    RunExternal(ExternalProgram),
}

/// What wants the terminal for itself for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternalProgram {
    /// The user's editor, on a config.
    Edit {
        /// The file, as the user named it.
        file: Arc<Path>,
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
    },
    /// A shell on a node.
    Ssh(Host),
}
