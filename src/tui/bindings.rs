//! The table of all keys; [`super::keymap`] is what reads it.

use crossterm::event::KeyCode;

use super::{
    action::{
        Action::{self, Move, Show},
        Motion, Screen,
    },
    keymap::{Binding, Context, Key},
    lifecycle::Lifecycle,
};

const fn row(
    context: Context,
    keys: &'static [Key],
    action: Action,
    hint: &'static str,
    help: &'static str,
) -> Binding {
    Binding { context, keys, action, hint, help }
}

const fn key(symbol: char) -> Key {
    Key::char(symbol)
}

const UP: Key = Key::code(KeyCode::Up);
const DOWN: Key = Key::code(KeyCode::Down);
const LEFT: Key = Key::code(KeyCode::Left);
const RIGHT: Key = Key::code(KeyCode::Right);
const PAGE_UP: Key = Key::code(KeyCode::PageUp);
const PAGE_DOWN: Key = Key::code(KeyCode::PageDown);
const HOME: Key = Key::code(KeyCode::Home);
const END: Key = Key::code(KeyCode::End);
const ENTER: Key = Key::code(KeyCode::Enter);
const ESC: Key = Key::code(KeyCode::Esc);
const TAB: Key = Key::code(KeyCode::Tab);
const BACK_TAB: Key = Key::code(KeyCode::BackTab);
const BACKSPACE: Key = Key::code(KeyCode::Backspace);

use Context::{
    Always, Confirm, Dialog, Filter, Fix, Fixed, Launch, On, QuitDialog, Reading, Screens, Typing,
    Unfixed,
};
use Screen::{Bootstrap, Config, Connect, Instances, Logs, Overview, Preflight, Verify};

/// All keys. Within a place the order is that of the footer.
#[rustfmt::skip]
pub(super) static BINDINGS: &[Binding] = &[
    row(On(Overview), &[ENTER], Action::Open, "open", "Open the selected finding or region"),
    row(On(Overview), &[key('f')], Action::Fix, "fix", "Fix the selected finding; shows the changes first"),
    row(On(Overview), &[key('F')], Action::FixAll, "fix all", "Fix all failed findings; shows the changes first"),
    row(On(Overview), &[key('y')], Action::Copy, "", "Copy the selected finding"),

    row(On(Instances), &[key('s')], Action::Sort, "sort", "Sort by the next column"),
    row(On(Instances), &[key('S')], Action::Reverse, "", "Turn the order round"),
    row(On(Instances), &[ENTER], Action::Open, "log", "The node's log"),
    row(On(Instances), &[key('y')], Action::Copy, "copy id", "Copy the instance id"),
    row(On(Instances), &[key('a')], Action::Shell, "ssh in", "Log in to the node; the dashboard comes back when that ends"),
    row(On(Instances), &[key('t')], Action::RetryNode, "", "Run a failed node's steps again"),

    row(On(Preflight), &[ENTER, key(' ')], Action::Open, "fold", "Open or close the group"),
    row(On(Preflight), &[key('f')], Action::Fix, "fix", "Fix the selected finding or group; shows the changes first"),
    row(On(Preflight), &[key('F')], Action::FixAll, "fix all", "Fix all failed findings; shows the changes first"),
    row(On(Preflight), &[key('b')], Action::Group, "by region", "Group by check or by region"),
    row(On(Preflight), &[key('y')], Action::Copy, "copy", "Copy the finding as text"),

    row(On(Bootstrap), &[ENTER], Action::Open, "log", "The node's log"),
    row(On(Bootstrap), &[key('a')], Action::Shell, "ssh in", "Log in to the node; the dashboard comes back when that ends"),
    row(On(Bootstrap), &[key('t')], Action::RetryNode, "retry node", "Run the node's steps again, from the one that failed"),
    row(On(Bootstrap), &[key('T')], Action::RetryStep, "retry step", "Run the selected step again, then go on from there"),

    row(On(Logs), &[key('z')], Action::Freeze, "freeze", "Freeze the log, or follow it again"),
    row(On(Logs), &[key('n')], Action::NextError, "next error", "The next line that looks like an error"),
    row(On(Logs), &[key('N')], Action::PreviousError, "", "The line before that looks like an error"),
    row(On(Logs), &[key('y')], Action::Copy, "", "Copy the line"),

    row(On(Config), &[key('e')], Action::Edit, "edit", "Open $VISUAL or $EDITOR at the line, and load what comes of it"),
    row(On(Config), &[key('n')], Action::NextError, "next", "The next line that something is wrong with, in any file"),
    row(On(Config), &[key('N')], Action::PreviousError, "", "The one before"),
    row(On(Config), &[ENTER], Action::Open, "open", "The finding that goes back to the line"),
    row(On(Config), &[key('f')], Action::Fix, "fix", "Fix the findings at the line; shows the changes first"),
    row(On(Config), &[key('F')], Action::FixAll, "", "Fix all failed findings; shows the changes first"),
    row(On(Config), &[key('y')], Action::Copy, "", "Copy the line and what is wrong with it"),

    row(On(Verify), &[ENTER], Action::Open, "details", "The cell in full; once more: the log of the node that looked"),
    row(On(Verify), &[key('n')], Action::NextError, "next failing", "The next two regions between which something fails"),
    row(On(Verify), &[key('N')], Action::PreviousError, "", "The two before"),
    row(On(Verify), &[key('y')], Action::Copy, "copy", "Copy the cell's checks"),

    row(On(Connect), &[key('y')], Action::Copy, "copy", "Copy the selected value; on the first row the module to paste into Python"),

    row(Screens, &[key('A')], Action::Lifecycle(Lifecycle::Adopt), "take over", "Take over what `ray up` made, as `up --adopt`, after showing what that means"),
    row(Screens, &[key('u')], Action::Launch, "launch", "Launch what is missing, after showing what that is"),
    row(Screens, &[key('p')], Action::Lifecycle(Lifecycle::Stop), "stop", "Stop the machines, after showing what that ends and what goes on costing"),
    row(Screens, &[key('P')], Action::Lifecycle(Lifecycle::Start), "start", "Start the machines that are stopped, after showing what then runs again"),
    row(Screens, &[key('U')], Action::Lifecycle(Lifecycle::Restart), "", "Restart all services on the running instances, as `up --restart`"),
    row(Screens, &[UP, key('k')], Move(Motion::Up), "select", "Up"),
    row(Screens, &[DOWN, key('j')], Move(Motion::Down), "", "Down"),
    row(Screens, &[LEFT, key('h')], Move(Motion::Left), "step", "Left: close the group, the step, node or file before"),
    row(Screens, &[RIGHT, key('l')], Move(Motion::Right), "", "Right: open the group, the next step, node or file"),
    row(Screens, &[PAGE_UP, Key::ctrl('b')], Move(Motion::PageUp), "", "A page up"),
    row(Screens, &[PAGE_DOWN, Key::ctrl('f')], Move(Motion::PageDown), "", "A page down"),
    row(Screens, &[key('g'), HOME], Move(Motion::Top), "", "To the first"),
    row(Screens, &[key('G'), END], Move(Motion::Bottom), "", "To the last"),
    row(Screens, &[key('r')], Action::Refresh, "refresh", "Read all regions and run the checks again; changes nothing"),
    row(Screens, &[key('R')], Action::Reload, "reload", "Load the configs again, then look"),
    row(Screens, &[key('D')], Action::TearDown, "", "End the cluster, after showing what that terminates"),
    row(Screens, &[key('/')], Action::Filter, "filter", "Show only what contains a text"),
    row(Screens, &[TAB], Action::NextPane, "pane", "The next pane; behind the last one the next screen"),
    row(Screens, &[BACK_TAB], Action::PreviousPane, "", "The pane before"),
    row(Screens, &[key('w')], Action::Worlds, "worlds", "Choose another simulated world"),
    row(Screens, &[key('1')], Show(Overview), "", "Overview: what stands between you and a running cluster"),
    row(Screens, &[key('2')], Show(Instances), "", "Instances: every machine"),
    row(Screens, &[key('3')], Show(Preflight), "", "Preflight: every finding with its cause"),
    row(Screens, &[key('4')], Show(Bootstrap), "", "Bootstrap: every node's steps"),
    row(Screens, &[key('5')], Show(Logs), "", "Logs: what the nodes print"),
    row(Screens, &[key('6')], Show(Config), "", "Config: the files, with what is wrong in place"),
    row(Screens, &[key('7')], Show(Verify), "", "Verify: who reaches whom, as the nodes have seen it"),
    row(Screens, &[key('8')], Show(Connect), "", "Connect: what Python needs of the cluster, or what is missing"),
    row(Screens, &[ESC], Action::Back, "", "Drop the filter, leave the pane, follow the steps again"),
    row(Screens, &[key('?')], Action::Help, "help", "All keys"),
    row(Screens, &[key('q')], Action::Quit, "quit", "Quit; asks first where something goes on"),

    row(Dialog, &[UP, key('k')], Move(Motion::Up), "select", "Up"),
    row(Dialog, &[DOWN, key('j')], Move(Motion::Down), "", "Down"),
    row(Dialog, &[PAGE_UP], Move(Motion::PageUp), "", "A page up"),
    row(Dialog, &[PAGE_DOWN], Move(Motion::PageDown), "", "A page down"),
    row(Dialog, &[TAB, RIGHT, key('l')], Action::NextPane, "other button", "The next button"),
    row(Dialog, &[BACK_TAB, LEFT, key('h')], Action::PreviousPane, "", "The button before"),
    row(Dialog, &[ENTER], Action::Open, "press", "Press the button that has the focus"),
    row(Dialog, &[ESC], Action::Back, "close", "Close"),

    row(Reading, &[key('q'), key('?')], Action::Back, "", "Close"),

    row(Launch, &[key('L')], Action::LaunchNow, "launch", "Launch"),

    row(Fix, &[key('C')], Action::FixNow, "change", "Make the changes that are shown"),
    row(Fix, &[key('b')], Action::Blackholes, "", "Replace routes that are blackholes, or leave them"),

    row(Fixed, &[key('u')], Action::Launch, "launch", "Launch what is missing, after showing what that is"),

    row(Unfixed, &[key('F')], Action::FixAll, "fix all", "Fix what still fails; shows the changes first"),
    row(Unfixed, &[key('3')], Show(Preflight), "findings", "Show the findings"),

    row(Confirm, &[key('Y')], Action::Confirm, "yes", "Do what is shown"),

    row(Typing, &[ENTER], Action::Open, "confirm", "Do it, once the word is typed"),
    row(Typing, &[BACKSPACE], Action::Erase, "", "Take a character back"),
    row(Typing, &[UP], Move(Motion::Up), "scroll", "Up"),
    row(Typing, &[DOWN], Move(Motion::Down), "", "Down"),
    row(Typing, &[PAGE_UP], Move(Motion::PageUp), "", "A page up"),
    row(Typing, &[PAGE_DOWN], Move(Motion::PageDown), "", "A page down"),
    row(Typing, &[ESC], Action::Back, "close", "Close; nothing is done"),

    row(QuitDialog, &[key('q'), Key::ctrl('c')], Action::QuitNow, "quit", "Quit"),
    row(QuitDialog, &[key('D')], Action::TearDown, "end the cluster", "End the cluster instead"),

    row(Filter, &[ENTER], Action::Open, "keep", "Keep the filter"),
    row(Filter, &[ESC], Action::Back, "drop", "Drop the filter"),
    row(Filter, &[BACKSPACE], Action::Erase, "", "Take a character back"),

    row(Always, &[Key::ctrl('c')], Action::Quit, "", "As q"),
];
