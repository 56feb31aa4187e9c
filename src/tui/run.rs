//! The loop: keys first and drawn at once, the engine's updates gathered to at
//! most so many frames a second, nothing drawn where nothing changed. Nothing
//! but keys, updates and time is ever awaited, so no hung call delays a key.

use std::{pin::pin, time::Duration};

use crossterm::event::Event as Input;
use futures_util::{Stream, StreamExt};
use ratatui::{Terminal, backend::Backend};
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender},
        oneshot,
    },
    time::{Instant, sleep_until},
};

use super::{
    Dashboard, Ends, Outcome, Ui,
    action::{Action, Effect, ExternalProgram},
    keymap::{Context, Key},
    model::{Model, Tone, Work},
    session::TerminalSession,
    theme::Theme,
    update, view,
};
use crate::{
    engine::{Command, Update},
    model::Failure,
    signals::Signal,
};

/// Time that an orderly end may take before the screen shows what it waits for.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often may be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The time from one frame to the next that no key asked for.
    pub frame: Duration,
}

impl Default for Pace {
    /// Thirty frames a second.
    fn default() -> Self {
        Self { frame: Duration::from_millis(33) }
    }
}

/// Runs `dashboard` on any terminal, with any source of keys and with signals
/// from anywhere, until the user or a signal ends it and the engine has finished
/// what must finish.
pub async fn drive<B, T, S>(
    dashboard: Dashboard,
    theme: Theme,
    pace: Pace,
    terminal: &mut Terminal<B>,
    session: &mut T,
    mut signals: S,
) -> Outcome
where
    B: Backend,
    T: TerminalSession,
    S: Stream<Item = Signal> + Unpin,
{
    let launching = dashboard.launching;
    let (model, Ends { commands, mut updates, task }) = dashboard.split();
    let mut event_loop = EventLoop::new(model, Ui::new(theme), commands, pace, terminal);
    event_loop.draw();
    event_loop.send(Command::Refresh);
    event_loop.send(Command::WatchFiles);
    if launching {
        event_loop.act(Action::Launch, session);
        event_loop.draw();
    }
    let (mut has_keys, mut has_signals, mut has_engine) = (true, true, true);
    loop {
        if let Some(external) = event_loop.external.take() {
            run_external(&mut event_loop, &external, session, &mut signals, &mut updates).await;
        }
        if let Some(outcome) = event_loop.outcome(has_engine) {
            if !event_loop.leave_now {
                // The next engine needs the lock that this one holds. Its result
                // has already been reported.
                let _ = task.await;
            }
            return outcome;
        }
        tokio::select! {
            biased;
            signal = signals.next(), if has_signals => match signal {
                Some(signal) => event_loop.signal(signal),
                None => has_signals = false,
            },
            input = session.next(), if has_keys => if let Some(Ok(input)) = input {
                event_loop.input(&input, session);
            } else {
                // The terminal is closed: treated as a hangup, whose signal may never come.
                has_keys = false;
                event_loop.end(Outcome::Signal(Signal::Hangup));
            },
            update = updates.recv(), if has_engine => if let Some(update) = update {
                event_loop.take(update, &mut updates);
            } else {
                has_engine = false;
                event_loop.engine_ended();
            },
            () = sleep_until(event_loop.next_look()) => event_loop.look(),
        }
    }
}

/// Runs another program in the terminal. Meanwhile updates are folded in and
/// nothing is drawn.
async fn run_external<B, T, S>(
    event_loop: &mut EventLoop<'_, B>,
    external: &ExternalProgram,
    session: &mut T,
    signals: &mut S,
    updates: &mut UnboundedReceiver<Update>,
) where
    B: Backend,
    T: TerminalSession,
    S: Stream<Item = Signal> + Unpin,
{
    let (stop, stopped) = oneshot::channel();
    let mut stop = Some(stop);
    let mut running = pin!(session.run_external(external, stopped));
    let result = loop {
        tokio::select! {
            biased;
            Some(signal) = signals.next() => {
                // Ctrl-C is for the program that has the terminal.
                if signal != Signal::Interrupt {
                    event_loop.signal(signal);
                    // One that has ended by itself needs no stop.
                    let _ = stop.take().map(|stop| stop.send(()));
                }
            }
            result = &mut running => break result,
            Some(update) = updates.recv() => event_loop.fold(update),
        }
    };
    event_loop.back(external, result);
}

/// Everything that the loop holds.
struct EventLoop<'t, B: Backend> {
    model: Model,
    ui: Ui,
    commands: UnboundedSender<Command>,
    pace: Pace,
    terminal: &'t mut Terminal<B>,
    /// Whether something changed since the last frame.
    changed: bool,
    drawn: Instant,
    shown: Shown,
    ending: Option<Outcome>,
    leave_now: bool,
    /// What is to have the terminal next.
    external: Option<ExternalProgram>,
}

/// What changes without an update: equal, and there is nothing new to draw.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shown {
    second: i64,
    logs: u64,
}

impl Shown {
    fn of(model: &Model) -> Self {
        Self { second: model.now().as_second(), logs: model.logs.version() }
    }
}

impl<'t, B: Backend> EventLoop<'t, B> {
    fn new(
        model: Model,
        ui: Ui,
        commands: UnboundedSender<Command>,
        pace: Pace,
        terminal: &'t mut Terminal<B>,
    ) -> Self {
        let shown = Shown::of(&model);
        let drawn = Instant::now();
        let (ending, leave_now, changed) = (None, false, false);
        Self {
            model,
            ui,
            commands,
            pace,
            terminal,
            changed,
            drawn,
            shown,
            ending,
            leave_now,
            external: None,
        }
    }

    fn draw(&mut self) {
        self.shown = Shown::of(&self.model);
        self.changed = false;
        self.drawn = Instant::now();
        let (model, ui) = (&self.model, &mut self.ui);
        let drawn = self.terminal.draw(|frame| view(model, ui, frame.area(), frame.buffer_mut()));
        if drawn.is_err() {
            self.end(Outcome::Signal(Signal::Hangup));
        }
    }

    /// When to look next whether there is anything to draw.
    fn next_look(&self) -> Instant {
        if self.changed || self.model.is_moving() {
            return self.drawn.max(Instant::now() - self.pace.frame) + self.pace.frame;
        }
        let into_second = self.model.now().subsec_nanosecond().unsigned_abs();
        Instant::now() + Duration::from_secs(1) - Duration::from_nanos(into_second.into())
    }

    fn look(&mut self) {
        if self.changed || Shown::of(&self.model) != self.shown {
            self.draw();
        } else {
            self.drawn = Instant::now();
        }
    }

    fn input(&mut self, input: &Input, session: &mut impl TerminalSession) {
        let actions = match input {
            Input::Key(event) => {
                let key = Key::pressed(event);
                key.and_then(|key| self.ui.action(&self.model, key)).into_iter().collect()
            }
            Input::Paste(text) => self.pasted(text),
            Input::Resize(..) => return self.draw(),
            Input::FocusGained | Input::FocusLost | Input::Mouse(_) => return,
        };
        for action in actions {
            self.act(action, session);
        }
        // If it ends at once, a dialog that shows what it waits for would only flash.
        if !self.model.ending && self.external.is_none() {
            self.draw();
        }
    }

    /// Pasted text is text where text is asked for, and nothing elsewhere.
    fn pasted(&self, text: &str) -> Vec<Action> {
        let contexts = self.ui.contexts(&self.model);
        let typing = contexts.contains(&Context::Filter) || contexts.contains(&Context::Typing);
        let symbols = text.chars().filter(|symbol| typing && !symbol.is_control());
        symbols.map(Action::Type).collect()
    }

    fn act(&mut self, action: Action, session: &mut impl TerminalSession) {
        for effect in update(&mut self.ui, &self.model, action) {
            match effect {
                Effect::Send(command) => self.send(command),
                Effect::Quit if self.model.ending => self.leave_now = true,
                Effect::Quit => self.end(Outcome::Quit),
                Effect::OpenScenario(name) => self.end(Outcome::OpenScenario(name)),
                Effect::NextCluster => self.end(Outcome::NextCluster),
                Effect::Copy(text) => session.copy(&text),
                Effect::RunExternal(external) => self.external = Some(external),
            }
        }
    }

    fn send(&mut self, command: Command) {
        self.model.sends(&command);
        // An engine that has ended has closed its updates, which is handled there.
        let _ = self.commands.send(command);
    }

    /// Asks the engine to finish; the first reason to end is the one that counts.
    fn end(&mut self, outcome: Outcome) {
        if self.ending.is_none() {
            self.send(Command::Shutdown);
            self.ending = Some(outcome);
            self.changed = true;
            self.drawn = Instant::now() + PATIENCE;
        }
    }

    fn signal(&mut self, signal: Signal) {
        if matches!(self.ending, Some(Outcome::Signal(_))) {
            self.leave_now = true;
        }
        // A signal decides on the exit code even where the user was quitting.
        if self.ending.is_some() {
            self.ending = Some(Outcome::Signal(signal));
        }
        self.end(Outcome::Signal(signal));
    }

    /// Takes an update and all that wait behind it, up to a frame's worth.
    fn take(&mut self, update: Update, updates: &mut UnboundedReceiver<Update>) {
        self.fold(update);
        for _ in 0..1_000 {
            let Ok(update) = updates.try_recv() else { break };
            self.fold(update);
        }
        if self.drawn + self.pace.frame <= Instant::now() {
            self.draw();
        }
    }

    fn fold(&mut self, update: Update) {
        let looked = matches!(update, Update::Refreshed { .. });
        let read = matches!(update, Update::Configs(_));
        self.model.fold(update);
        self.changed = true;
        // The fixes are shown without a request.
        if looked && self.model.wants_fix_preview() {
            self.send(Command::PreviewFixes);
        }
        if read {
            self.ui.config.show_first_error(&self.model);
        }
    }

    /// The terminal is the dashboard's again.
    fn back(&mut self, external: &ExternalProgram, result: Result<(), Failure>) {
        if let Err(failure) = result {
            let hint = failure.hint.as_ref().map(|hint| format!(" · {hint}")).unwrap_or_default();
            self.ui.say(Tone::Bad, format!("{failure}{hint}"));
        }
        match external {
            ExternalProgram::Edit { .. } if self.ending.is_none() => {
                self.send(Command::ReloadChanged);
            }
            ExternalProgram::Edit { .. } | ExternalProgram::Ssh(_) => {}
        }
        // Nothing of the last frame is on it any more. Not `clear`: that asks the
        // terminal where its cursor is, and gives up where no answer comes.
        self.terminal.swap_buffers();
        if self.ending.is_none() {
            self.draw();
        }
    }

    fn engine_ended(&mut self) {
        if self.ending.is_none() {
            let text = "the engine has stopped; machines may be running: `muster status` asks AWS";
            self.model.notice(Tone::Bad, text);
            self.model.refreshing = None;
            self.model.work = Work::None;
            self.model.busy.clear();
            self.draw();
        }
    }

    /// How it ended, once it has.
    fn outcome(&self, engine_runs: bool) -> Option<Outcome> {
        let over = self.leave_now || !engine_runs;
        self.ending.clone().filter(|_| over)
    }
}
