//! Runs a command on a node that belongs to the connection, unlike the scripts
//! of [`super::durable`]: its stdout and stderr apart, its end with ours.
//!
//! sshd ends nothing by itself when a connection without a terminal goes. So
//! `exec.sh` waits there for the end of its stdin, which is held open here.

use openssh::Stdio;
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

use super::{
    durable::{OPEN_WITHIN, lost, quote},
    master::{Master, Trouble, with_cause},
};
use crate::remote::{Lines, Printed, RemoteErrorKind};

const ON_THE_NODE: &str = include_str!("exec.sh");

/// What a line is before which everything is a login shell's.
const BEGIN: &str = "muster-begin";

/// Follows the command's last line, after a newline of its own. The exit status may
/// arrive before that line, and reading it closes the channel with everything that is
/// still in transit.
const END: &str = "muster-end-of-command";

/// A shell's exit status for a command that it does not find; the crate makes an
/// error of it.
const NOT_FOUND: i32 = 127;

/// Runs `command`, sends its lines, answers its exit status.
pub async fn run(
    master: &Master,
    command: &str,
    lines: mpsc::Sender<Printed>,
) -> Result<i32, Trouble> {
    if command.contains('\0') {
        let message = "a command can't contain a NUL character".to_owned();
        return Err((RemoteErrorKind::Local, message));
    }
    let mut shell = master.session.raw_command("sh");
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match timeout(OPEN_WITHIN, shell.spawn()).await {
        Ok(Ok(child)) => child,
        Ok(Err(error)) => {
            return Err((RemoteErrorKind::Lost, lost(master, &with_cause(&error)).await));
        }
        Err(_) => return Err((RemoteErrorKind::Lost, "the node stopped answering".to_owned())),
    };
    let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
    // Held until the command has ended.
    let mut stdin = child.stdin().take();
    let program = format!("command={}\n{ON_THE_NODE}", quote(command));
    if let Some(stdin) = &mut stdin {
        // A node that stops reading shows in what it answers.
        drop(stdin.write_all(program.as_bytes()).await);
    }
    let out = pass(stdout, |line| lines.send(Printed::Out(line)));
    let err = pass(stderr, |line| lines.send(Printed::Err(line)));
    tokio::join!(out, err);
    let status = child.wait().await;
    drop(stdin);
    match status {
        Ok(status) if let Some(code) = status.code() => Ok(code),
        Err(openssh::Error::Remote(_)) => Ok(NOT_FOUND),
        Ok(_) | Err(openssh::Error::RemoteProcessTerminated) => {
            Err((RemoteErrorKind::Lost, lost(master, "").await))
        }
        Err(error) => Err((RemoteErrorKind::Lost, lost(master, &with_cause(&error)).await)),
    }
}

/// Sends the lines between the marks by `send`, or until the stream ends. Nobody
/// who listens is no reason to stop.
async fn pass<F, S, E>(stream: Option<impl AsyncRead + Unpin>, send: F)
where
    F: Fn(String) -> S,
    S: Future<Output = Result<(), E>>,
{
    let mut lines = Lines::of(stream);
    let mut begun = false;
    // An empty line that may be the mark's.
    let mut held = false;
    while let Some(line) = lines.next().await {
        if !begun {
            begun = line == BEGIN;
            continue;
        }
        if line == END {
            return;
        }
        if std::mem::replace(&mut held, line.is_empty()) {
            drop(send(String::new()).await);
        }
        if !line.is_empty() {
            drop(send(line).await);
        }
    }
    let last = lines.rest();
    if held {
        drop(send(String::new()).await);
    }
    if let Some(line) = last.filter(|_| begun) {
        drop(send(line).await);
    }
}
