//! The terminal session: it delivers keys, takes text for its clipboard, and runs
//! other programs in the terminal.

use std::{
    fs::File,
    io::{self, IsTerminal},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use crossterm::event::Event as Input;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    sync::oneshot,
    time::timeout,
};

use super::{
    action::ExternalProgram,
    editor::{self, Program},
    keyboard::Keyboard,
    terminal::TerminalHandle,
};
use crate::{
    model::{Failure, visible},
    remote::Interactive,
};

/// How long a program may take to end once it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// The terminal as the event loop uses it.
pub trait TerminalSession {
    /// Returns the next key; `None` when the terminal is closed. Dropping the future loses no key.
    fn next(&mut self) -> impl Future<Output = Option<io::Result<Input>>>;

    /// Puts `text` on the clipboard.
    fn copy(&mut self, text: &str);

    /// Runs `external` in the terminal until it ends or `stop` is received; then
    /// the dashboard has the terminal again, cleared.
    /// `Err`: the program could not be run, or reported a failure.
    fn run_external(
        &mut self,
        external: &ExternalProgram,
        stop: oneshot::Receiver<()>,
    ) -> impl Future<Output = Result<(), Failure>>;
}

/// The real one.
pub struct Real<'t> {
    handle: TerminalHandle,
    keyboard: &'t mut Keyboard,
    ssh: Option<Interactive>,
}

impl<'t> Real<'t> {
    /// At the terminal that `handle` is of; `ssh` leads to the nodes.
    pub fn new(
        handle: TerminalHandle,
        keyboard: &'t mut Keyboard,
        ssh: Option<Interactive>,
    ) -> Self {
        Self { handle, keyboard, ssh }
    }

    fn program(&self, external: &ExternalProgram) -> Result<Program, Failure> {
        match external {
            ExternalProgram::Edit { file, line, column } => {
                editor::editor(|name| std::env::var_os(name), file, *line, *column)
            }
            ExternalProgram::Ssh(host) => {
                let ssh = self.ssh.as_ref().ok_or_else(|| Failure::new("no node is real here"))?;
                Ok(Program { name: "ssh".into(), args: ssh.arguments(host, &[]) })
            }
        }
    }
}

impl TerminalSession for Real<'_> {
    async fn next(&mut self) -> Option<io::Result<Input>> {
        self.keyboard.next().await
    }

    fn copy(&mut self, text: &str) {
        // A terminal that takes no copy has lost nothing.
        drop(self.handle.copy(text));
    }

    async fn run_external(
        &mut self,
        external: &ExternalProgram,
        stop: oneshot::Receiver<()>,
    ) -> Result<(), Failure> {
        let program = self.program(external)?;
        // Nobody waits for a key here, so that none is read but by the program.
        let running = self.handle.suspend();
        let ended = match running {
            Ok(()) => {
                // A program without a screen of its own leaves the user with this.
                println!(
                    "muster: {}; the dashboard comes back when it ends",
                    visible(&about(external))
                );
                run(&program, stop).await
            }
            Err(error) => Err(error),
        };
        let taken = self.handle.resume().and_then(|()| self.keyboard.forget());
        let status = ended.map_err(|error| not_run(&program, &error))?;
        taken
            .map_err(|error| Failure::new(format!("the terminal can't be taken back: {error}")))?;
        outcome(external, &program, status)
    }
}

/// Runs `program` to its end; a stop ends it, gently first.
async fn run(program: &Program, stop: oneshot::Receiver<()>) -> io::Result<ExitStatus> {
    let mut command = Command::new(&program.name);
    command.args(&program.args).kill_on_drop(true);
    if program.name == "ssh" {
        for name in crate::child_env::secrets_to_remove() {
            command.env_remove(name);
        }
    }
    if !io::stdin().is_terminal() {
        command.stdin(Stdio::from(File::open("/dev/tty")?));
    }
    let mut child = command.spawn()?;
    tokio::select! {
        status = child.wait() => status,
        Ok(()) = stop => end(&mut child).await,
    }
}

async fn end(child: &mut Child) -> io::Result<ExitStatus> {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid {
        // It may have ended by itself in the meantime.
        let _ = kill_process(pid, Signal::TERM);
    }
    if let Ok(status) = timeout(PATIENCE, child.wait()).await {
        return status;
    }
    child.kill().await?;
    child.wait().await
}

fn about(external: &ExternalProgram) -> String {
    match external {
        ExternalProgram::Edit { file, line, .. } => format!("editing {}:{line}", file.display()),
        ExternalProgram::Ssh(host) => format!("ssh {}@{}, {}", host.user, host.address, host.node),
    }
}

fn not_run(program: &Program, error: &io::Error) -> Failure {
    let name = program.name.to_string_lossy();
    let failure = Failure::new(format!("{name} can't be run: {error}"));
    match error.kind() {
        io::ErrorKind::NotFound if name == "ssh" => {
            failure.hint("install it: openssh-client, openssh-clients")
        }
        io::ErrorKind::NotFound => failure.hint("set VISUAL or EDITOR to an installed editor"),
        _ => failure,
    }
}

/// ssh's status is that of the last command on the node, but for 255: its own.
fn outcome(
    external: &ExternalProgram,
    program: &Program,
    status: ExitStatus,
) -> Result<(), Failure> {
    match external {
        ExternalProgram::Ssh(host) if status.code() == Some(255) => {
            let failure = Failure::new(format!("ssh to {} failed", host.node));
            Err(failure.hint(format!("`muster ssh {}` in a shell shows why", host.node)))
        }
        ExternalProgram::Edit { .. } if !status.success() => {
            let name = program.name.to_string_lossy();
            Err(Failure::new(format!("{name} ended with {status}")))
        }
        ExternalProgram::Edit { .. } | ExternalProgram::Ssh(_) => Ok(()),
    }
}
