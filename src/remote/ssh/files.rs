//! Copies to a node, over the existing connection.
//!
//! What `put` copies goes over a command's stdin: it is in no argument, here
//! or there. `sync` leaves the work to rsync, whose ssh speaks to the master's
//! socket and can't connect by itself.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    process::Command,
    sync::mpsc,
    time::timeout,
};

use super::{
    durable::quote,
    master::{Master, Trouble},
};
use crate::{
    model::Secret,
    remote::{Exit, Lines, Mount, RemoteErrorKind},
};

/// How long the node may take for a command that only prepares.
const PREPARE: Duration = Duration::from_secs(30);
/// How long a small file may take.
const PUT: Duration = Duration::from_mins(1);

/// Writes $1 with mode $2 whole or not at all. $3 is the number of bytes to expect.
const WRITE: &str = "umask 077; cd && case $1 in */*) mkdir -p \"${1%/*}\";; esac && \
     cat >\"$1.muster-new\" && [ \"$(wc -c <\"$1.muster-new\")\" -eq \"$3\" ] && \
     chmod \"$2\" \"$1.muster-new\" && mv -f \"$1.muster-new\" \"$1\"";

/// Creates the folder $1 and checks for rsync.
const FOLDER: &str = "cd && mkdir -p \"$1\" && { command -v rsync >/dev/null || \
     { echo \"rsync is not installed on this node: install it in initialization_commands\"; \
     exit 127; }; }";

/// Writes `content` to `path` on the node.
pub async fn put(
    master: &Master,
    path: &str,
    mode: u32,
    content: &Secret,
    lines: &mpsc::Sender<String>,
) -> Result<Exit, Trouble> {
    let length = content.expose().len();
    let arguments = [path.to_owned(), format!("{mode:o}"), length.to_string()];
    remotely(master, WRITE, &arguments, content.expose(), PUT, lines).await
}

/// Copies `mount` to the node.
pub async fn sync(
    master: &Master,
    mount: &Mount,
    lines: &mpsc::Sender<String>,
) -> Result<Exit, Trouble> {
    let is_folder = mount.from.is_dir();
    if !mount.from.exists() {
        let text = format!("muster: {} is not there: correct file_mounts", mount.from.display());
        let _ = lines.send(text).await;
        return Ok(Exit::Status(23));
    }
    let target = mount.target();
    let folder = if is_folder { Some(target) } else { target.rsplit_once('/').map(|(up, _)| up) };
    let folder = folder.filter(|folder| !folder.is_empty()).unwrap_or(".").to_owned();
    match remotely(master, FOLDER, &[folder], &[], PREPARE, lines).await? {
        Exit::Status(0) => {}
        other => return Ok(other),
    }
    let mut command = rsync(master.socket(), mount, is_folder);
    run(master, &mut command, lines).await
}

/// Runs `program`, which holds no single quote, in a POSIX shell there.
async fn remotely(
    master: &Master,
    program: &str,
    arguments: &[String],
    stdin: &[u8],
    limit: Duration,
    lines: &mpsc::Sender<String>,
) -> Result<Exit, Trouble> {
    let quoted: Vec<String> = arguments.iter().map(|argument| quote(argument)).collect();
    let command = format!("exec sh -c '{program}' muster {}", quoted.join(" "));
    let exit = timeout(limit, execute(master, command, stdin, lines)).await;
    exit.unwrap_or_else(|_| Err((RemoteErrorKind::Lost, "the node stopped answering".to_owned())))
}

async fn execute(
    master: &Master,
    command: String,
    content: &[u8],
    lines: &mpsc::Sender<String>,
) -> Result<Exit, Trouble> {
    let lost = |error: openssh::Error| (RemoteErrorKind::Lost, error.to_string());
    let mut command = master.session.raw_command(command);
    command
        .stdin(openssh::Stdio::piped())
        .stdout(openssh::Stdio::piped())
        .stderr(openssh::Stdio::piped());
    let mut child = command.spawn().await.map_err(lost)?;
    let (stdin, out, err) = (child.stdin().take(), child.stdout().take(), child.stderr().take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A node that stops reading shows in its exit status.
            drop(stdin.write_all(content).await);
        }
    };
    tokio::join!(feed, pass(out, lines), pass(err, lines));
    let status = child.wait().await.map_err(lost)?;
    match status.code() {
        // ssh's own: the connection broke.
        None | Some(255) => Err((RemoteErrorKind::Lost, "the connection was lost".to_owned())),
        Some(code) => Ok(Exit::Status(code)),
    }
}

/// As Ray calls it, but that its ssh goes through `socket` or nowhere.
fn rsync(socket: &Path, mount: &Mount, is_folder: bool) -> Command {
    let mut command = Command::new("rsync");
    super::without_secrets(&mut command);
    let ssh = format!(
        "ssh -F /dev/null -S {} -o ControlMaster=no -o BatchMode=yes -o ProxyCommand=false",
        socket.display()
    );
    // Paths there are relative to the home folder, wherever sshd begins.
    command.args(["-avz", "--rsh", &ssh, "--rsync-path", "cd && rsync"]);
    command.args(mount.exclude.iter().map(|pattern| format!("--exclude={pattern}")));
    command.args(mount.filter.iter().map(|file| format!("--filter=dir-merge,- {file}")));
    let slash = if is_folder { "/" } else { "" };
    let mut from = mount.from.clone().into_os_string();
    from.push(slash);
    // `--` ends the options; the host's name is a label that is never resolved.
    command.arg("--").arg(PathBuf::from(from)).arg(format!("node:{}{slash}", mount.target()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    command
}

async fn run(
    master: &Master,
    command: &mut Command,
    lines: &mpsc::Sender<String>,
) -> Result<Exit, Trouble> {
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => (
            RemoteErrorKind::Local,
            "rsync is not installed on this machine: file_mounts need it".to_owned(),
        ),
        _ => (RemoteErrorKind::Local, format!("can't start rsync: {error}")),
    })?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    tokio::join!(pass(out, lines), pass(err, lines));
    let status = child.wait().await;
    let code = status.ok().and_then(|status| status.code()).unwrap_or(255);
    let words = if code == 0 { String::new() } else { master.last_words().await };
    if words.is_empty() {
        return Ok(Exit::Status(code));
    }
    Err((RemoteErrorKind::Lost, format!("the connection was lost: {words}")))
}

/// Sends what comes from `stream` line by line.
async fn pass(stream: Option<impl AsyncRead + Unpin>, lines: &mpsc::Sender<String>) {
    let mut all = Lines::of(stream);
    while let Some(line) = all.next().await {
        // Nobody who listens is no reason to stop.
        let _ = lines.send(line).await;
    }
    if let Some(line) = all.rest() {
        let _ = lines.send(line).await;
    }
}
