//! One `ssh` process per node, through which every command to it goes.
//!
//! The openssh crate could start it itself, but then it is a daemon of its own
//! (`-f`, `ControlPersist`) that outlives a killed muster, can't be stopped
//! while it hangs, and takes no `-o`. So it is started here, in the foreground,
//! as the control master of a session that runs `cat`: when muster ends, in
//! whatever way, its end of that `cat`'s stdin closes, `cat` ends, and with it
//! the master. The crate then speaks the multiplexing protocol to its socket
//! (`native-mux`): a command costs a round trip and no local process, where
//! `process-mux` starts an ssh for each. Measured on loopback, a hundred times
//! `true`: 11 ms and 0.8 ms of CPU each, against 23 ms and 7 ms.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::watch,
    time::timeout,
};

use super::{config::Files, diagnose};
use crate::remote::{Host, RemoteErrorKind, Tail};

/// `ConnectTimeout` bounds the TCP connection and the banner, not the rest of the handshake.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// How long a master may take to end in order.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What a shell on the node answers with; login scripts may print before it.
const READY: &str = "muster-ready";

/// How much of what ssh writes is kept, in bytes.
const KEPT: usize = 16 * 1024;

/// What went wrong, still without the node's name.
pub type Trouble = (RemoteErrorKind, String);

/// A connected control master.
#[derive(Debug)]
pub struct Master {
    /// Speaks to the master; dropping it ends nothing.
    pub session: openssh::Session,
    process: Child,
    /// Held open: its end is the master's.
    stdin: Option<ChildStdin>,
    stderr: StderrTail,
    socket: PathBuf,
    /// The socket's folder lasts as long as the last connection.
    files: Arc<Files>,
}

impl Master {
    /// Connects to `host`.
    pub async fn connect(files: &Arc<Files>, host: &Host) -> Result<Self, Trouble> {
        let socket = files.runtime.socket();
        let mut process = spawn(files, host, &socket)?;
        let stderr = StderrTail::of(process.stderr.take());
        let stdin = process.stdin.take();
        let ready = timeout(CONNECT_WITHIN, ready(process.stdout.take())).await;
        let key = host.private_key.as_deref();
        match ready {
            Ok(Ready::Yes) => {
                stderr.clear();
                let session = openssh::Session::resume_mux(socket.clone().into(), None);
                let files = Arc::clone(files);
                Ok(Self { session, process, stdin, stderr, socket, files })
            }
            Ok(Ready::No(answer)) => Err(refused(process, &stderr, &answer, key).await),
            // ssh has had its five seconds for the banner: the node has answered once.
            Err(_) => Err((RemoteErrorKind::Unresponsive, silent(&stderr, host))),
        }
    }

    /// Returns the last lines of ssh's stderr, once it has ended; empty while it runs.
    pub async fn last_words(&self) -> String {
        diagnose::summary(&self.stderr.all().await)
    }

    /// Waits until ssh has ended, and returns its last error lines.
    pub async fn ended(&self) -> String {
        let mut ended = self.stderr.ended.clone();
        // Its sender goes when ssh's stderr ends.
        drop(ended.changed().await);
        match diagnose::summary(&self.stderr.so_far()) {
            text if text.is_empty() => "the connection was lost".to_owned(),
            text => format!("the connection was lost: {text}"),
        }
    }

    /// A socket that leads to `to`, as the node sees it.
    pub async fn forward(&self, to: SocketAddr) -> Result<PathBuf, Trouble> {
        let socket = self.files.runtime.socket();
        let asked = self.session.request_port_forward(openssh::ForwardType::Local, &*socket, to);
        match timeout(CONNECT_WITHIN, asked).await {
            Ok(Ok(())) => Ok(socket),
            Ok(Err(error)) => {
                let message = format!("ssh does not forward to {to}: {}", with_cause(&error));
                Err((RemoteErrorKind::Local, message))
            }
            Err(_) => Err((RemoteErrorKind::Lost, "ssh stopped answering".to_owned())),
        }
    }

    /// Where it is spoken to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Ends the connection. What runs on the node goes on.
    pub async fn close(mut self) {
        drop(self.stdin.take());
        if timeout(CLOSE_WITHIN, self.process.wait()).await.is_err() {
            // Killed by `kill_on_drop` otherwise, but here it can be reaped.
            drop(timeout(CLOSE_WITHIN, self.process.kill()).await);
        }
        // One that was killed could not do it itself.
        drop(fs::remove_file(&self.socket));
    }
}

/// An error of the crate together with its cause.
pub fn with_cause(error: &openssh::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn spawn(files: &Files, host: &Host, socket: &Path) -> Result<Child, Trouble> {
    let mut command = Command::new("ssh");
    command
        .args(files.arguments(host, socket))
        .arg(format!("echo; echo {READY}; exec cat >/dev/null"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C in the terminal is muster's to handle, not each ssh's.
        .process_group(0)
        .kill_on_drop(true);
    super::without_secrets(&mut command);
    command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => (
            RemoteErrorKind::Local,
            "ssh is not installed (openssh-client, openssh-clients)".to_owned(),
        ),
        _ => (RemoteErrorKind::Local, format!("can't start ssh: {error}")),
    })
}

enum Ready {
    Yes,
    /// The session ended; this is what it printed.
    No(String),
}

async fn ready(stdout: Option<ChildStdout>) -> Ready {
    let Some(stdout) = stdout else { return Ready::No(String::new()) };
    let mut lines = BufReader::new(stdout.take(KEPT as u64)).lines();
    let mut answer = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.trim_end() == READY {
            return Ready::Yes;
        }
        answer = answer + &line + "\n";
    }
    Ready::No(answer)
}

/// ssh ends with 255 where it could not connect, else with the remote command's status.
async fn refused(
    mut process: Child,
    stderr: &StderrTail,
    answer: &str,
    key: Option<&Path>,
) -> Trouble {
    let status = timeout(CLOSE_WITHIN, process.wait()).await;
    let stderr = stderr.all().await;
    match status {
        Ok(Ok(status)) if status.code() != Some(255) => {
            let text = diagnose::summary(&format!("{answer}{stderr}"));
            (RemoteErrorKind::Denied, format!("the node gives no shell: {text}"))
        }
        _ => match diagnose::connect_failed(&stderr, key) {
            (kind, text) if text.is_empty() => (kind, "ssh exited without a message".to_owned()),
            trouble => trouble,
        },
    }
}

fn silent(stderr: &StderrTail, host: &Host) -> String {
    let seconds = CONNECT_WITHIN.as_secs();
    let text = format!(
        "the node does not answer: connected, but no shell on {} within {seconds} s",
        host.address
    );
    match diagnose::summary(&stderr.so_far()) {
        printed if printed.is_empty() => text,
        printed => format!("{text}: {printed}"),
    }
}

/// The last part of ssh's stderr.
#[derive(Debug)]
struct StderrTail {
    text: Arc<Mutex<Tail>>,
    ended: watch::Receiver<()>,
}

impl StderrTail {
    fn of(stderr: Option<impl AsyncRead + Send + Unpin + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Tail::of(KEPT)));
        let (ending, ended) = watch::channel(());
        if let Some(stderr) = stderr {
            let text = Arc::clone(&text);
            tokio::spawn(async move {
                keep(stderr, &text).await;
                drop(ending);
            });
        }
        Self { text, ended }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).text()
    }

    /// Drops the messages of the connection setup: they do not explain later failures.
    fn clear(&self) {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits a moment for the end: a `ProxyCommand` may hold stderr open for ever.
    async fn all(&self) -> String {
        let mut ended = self.ended.clone();
        drop(timeout(Duration::from_millis(300), ended.changed()).await);
        self.so_far()
    }
}

async fn keep(mut stderr: impl AsyncRead + Unpin, text: &Mutex<Tail>) {
    let mut chunk = [0; 1024];
    while let Ok(length @ 1..) = stderr.read(&mut chunk).await {
        text.lock().unwrap_or_else(PoisonError::into_inner).push(&chunk[..length]);
    }
}
