//! What a key means, and what the dashboard wants done about it. Both plain
//! data, so that a macro of keys can be tested without a terminal.

use crate::engine::Command;

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Screen {
    /// The answer first: what stands between the user and a running cluster.
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
}

impl Screen {
    /// All, in the order of their tabs.
    pub const ALL: [Self; 5] =
        [Self::Overview, Self::Instances, Self::Preflight, Self::Bootstrap, Self::Logs];

    /// The name on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Instances => "Instances",
            Self::Preflight => "Preflight",
            Self::Bootstrap => "Bootstrap",
            Self::Logs => "Logs",
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
    /// Survey and check again.
    Look,
    /// Open the launch dialog.
    Launch,
    /// Launch, from within the dialog.
    LaunchNow,
    /// Open the dialog that mends what is selected.
    Mend,
    /// Open the dialog that mends everything.
    MendAll,
    /// Make the changes, from within the dialog.
    MendNow,
    /// Replace blackholes, or leave them.
    Blackholes,
    /// Open the dialog that ends the cluster.
    TearDown,
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
    /// Freeze or follow.
    Freeze,
    /// The next line that looks like an error.
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
}
