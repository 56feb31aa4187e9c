//! Runs a script on a node so that it outlives the connection.
//!
//! Everything that happens on the node is in `durable.sh`, which goes to an
//! `sh` there by stdin: no length limit, no quoting by the login shell, and
//! nothing of the script in the node's process list. It starts the script, or
//! finds it under its key:
//!
//! | found on the node             | what happens                                  |
//! |-------------------------------|-----------------------------------------------|
//! | nothing                       | it is started                                 |
//! | running                       | its log is sent from the start, then followed |
//! | ended                         | its log and status are sent again             |
//! | no status, the node restarted | it is started again, into the same log        |
//! | no status, no process         | exit status 137, as a killed process has      |

use std::{fmt::Write, time::Duration};

use openssh::Stdio;
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

use super::master::{Master, Trouble, with_cause};
use crate::{
    model::ClusterId,
    remote::{Exit, Host, Lines, RemoteErrorKind, Script, Tail},
};

const ON_THE_NODE: &str = include_str!("durable.sh");

/// How long the node may take to open a command's channel.
pub(super) const OPEN_WITHIN: Duration = Duration::from_secs(15);

/// How long after a script's own time limit the node's answer is waited for.
const GRACE: Duration = Duration::from_mins(1);

/// How much of the shell's stderr is kept, in bytes: its last line is the answer.
const MAX_STDERR: usize = 64 * 1024;

/// Where a node keeps its scripts, relative to the home folder there.
#[derive(Debug)]
pub struct Folder(String);

impl Folder {
    /// The instance is part of it, since a home may be shared or come with an image.
    pub fn new(cluster: &ClusterId, host: &Host) -> Self {
        let part = |id: &str| id.replace('/', "_");
        Self(format!(".muster/{}/{}", part(cluster.as_str()), part(host.instance.as_str())))
    }
}

/// Starts `script`, or attaches to it, and sends its lines, the first `skip` left out.
pub async fn run(
    master: &Master,
    folder: &Folder,
    script: &Script,
    skip: u64,
    lines: mpsc::Sender<String>,
) -> Result<Exit, Trouble> {
    let program = program(folder, script, skip).map_err(|text| (RemoteErrorKind::Local, text))?;
    let mut log = Log::new(skip, lines);
    let reply = match timeout(script.timeout + GRACE, execute(master, &program, &mut log)).await {
        Ok(reply) => reply?,
        Err(_) => return Err((RemoteErrorKind::Lost, "the node stopped answering".to_owned())),
    };
    match Verdict::parse(&reply) {
        Some(Verdict::Ended(exit)) => {
            log.finish().await;
            Ok(exit)
        }
        Some(Verdict::Failed(why)) => {
            log.send(format!("muster: {why}")).await;
            Ok(Exit::Status(126))
        }
        None => Err((RemoteErrorKind::Lost, lost(master, &reply).await)),
    }
}

/// Runs the program on the node; its stdout goes to `log`, its stderr is returned.
async fn execute(master: &Master, program: &str, log: &mut Log) -> Result<String, Trouble> {
    let mut command = master.session.raw_command("sh");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match timeout(OPEN_WITHIN, command.spawn()).await {
        Ok(Ok(child)) => child,
        Ok(Err(error)) => {
            return Err((RemoteErrorKind::Lost, lost(master, &with_cause(&error)).await));
        }
        Err(_) => return Err((RemoteErrorKind::Lost, "the node stopped answering".to_owned())),
    };
    let (stdin, stdout, stderr) =
        (child.stdin().take(), child.stdout().take(), child.stderr().take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A node that stops reading shows in what it answers.
            drop(stdin.write_all(program.as_bytes()).await);
        }
    };
    let mut answer = Tail::of(MAX_STDERR);
    tokio::join!(feed, log.read(stdout), answer.read(stderr));
    Ok(answer.text())
}

pub(super) async fn lost(master: &Master, reply: &str) -> String {
    let ssh = master.last_words().await;
    let node = super::diagnose::summary(reply);
    match (ssh.is_empty(), node.is_empty()) {
        (false, _) => format!("the connection was lost: {ssh}"),
        (true, false) => format!("the connection was lost: {node}"),
        (true, true) => "the connection was lost".to_owned(),
    }
}

/// The last word of `durable.sh`.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Ended(Exit),
    Failed(String),
}

impl Verdict {
    fn parse(reply: &str) -> Option<Self> {
        reply.lines().rev().find_map(|line| match line.strip_prefix("muster-")?.split_once(' ') {
            None if line == "muster-timed-out" => Some(Self::Ended(Exit::TimedOut)),
            Some(("exit", code)) => Some(Self::Ended(Exit::Status(code.trim().parse().ok()?))),
            Some(("failed", why)) => Some(Self::Failed(why.to_owned())),
            _ => None,
        })
    }
}

/// Passes the log's lines on.
struct Log {
    skip: u64,
    /// The first line that is the log's own has come; a login shell may print before it.
    begun: bool,
    /// What stands behind the last whole line.
    rest: Option<String>,
    lines: mpsc::Sender<String>,
}

impl Log {
    fn new(skip: u64, lines: mpsc::Sender<String>) -> Self {
        Self { skip, begun: false, rest: None, lines }
    }

    async fn read(&mut self, stdout: Option<impl AsyncRead + Unpin>) {
        let mut lines = Lines::of(stdout);
        while let Some(line) = lines.next().await {
            self.line(line).await;
        }
        self.rest = lines.rest();
    }

    async fn line(&mut self, line: String) {
        if self.begun {
            self.pass(line).await;
        } else if let Some(skipped) = line.strip_prefix("muster-log ") {
            self.skip = self.skip.saturating_sub(skipped.parse().unwrap_or(0));
            self.begun = true;
        }
    }

    async fn pass(&mut self, line: String) {
        match self.skip.checked_sub(1) {
            Some(left) => self.skip = left,
            None => self.send(line).await,
        }
    }

    /// Nobody who listens is no reason to stop: the exit status still counts.
    async fn send(&self, line: String) {
        drop(self.lines.send(line).await);
    }

    async fn finish(&mut self) {
        if let Some(line) = self.rest.take() {
            self.line(line).await;
        }
    }
}

/// Returns what `sh` on the node reads. The error names what is wrong with the script.
fn program(folder: &Folder, script: &Script, skip: u64) -> Result<String, String> {
    let mut program = String::new();
    let dir = format!("{}/{}", folder.0, checked_key(&script.key)?);
    let limit = script.timeout.as_millis().div_ceil(1000).max(1);
    // Writing to a String can't fail.
    let _ = writeln!(program, "dir={} skip={skip} limit={limit}", quote(&dir));
    let _ = writeln!(program, "put_script() {{ {}; }}", here(&script.text)?);
    let _ = writeln!(program, "put_env() {{ {}; }}", here(&exports(script)?)?);
    Ok(program + ON_THE_NODE)
}

fn checked_key(key: &str) -> Result<&str, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if key.chars().all(plain) && key.chars().any(|c| c != '.') && key.len() <= 200 {
        Ok(key)
    } else {
        Err(format!("`{key}` can't name a run: only letters, digits and . _ - can"))
    }
}

fn exports(script: &Script) -> Result<String, String> {
    let mut text = String::new();
    for (name, value) in &script.env {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("`{name}` can't name an environment variable"));
        }
        let _ = writeln!(text, "export {name}={}", quote(value));
    }
    Ok(text)
}

/// `printf '%s'` of one quoted word: unlike a here-document it needs no mark
/// that the text must not contain, and no temporary file.
fn here(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("a script can't contain a NUL character".to_owned());
    }
    Ok(format!("printf '%s\\n' {}", quote(text)))
}

/// One word for a POSIX shell.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        io::Write,
        process::{Command, Stdio},
        time::Duration,
    };

    use super::{Exit, Folder, Verdict, checked_key, exports, program};
    use crate::remote::Script;

    fn script(env: &[(&str, &str)]) -> Script {
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Script { key: "step.1".into(), text: "true".into(), env, timeout: Duration::from_millis(1) }
    }

    #[test]
    fn the_last_word_counts() {
        for (reply, expected) in [
            ("muster-exit 3\n", Some(Verdict::Ended(Exit::Status(3)))),
            ("sh: warning\nmuster-timed-out\n", Some(Verdict::Ended(Exit::TimedOut))),
            ("muster-failed can't make x\n", Some(Verdict::Failed("can't make x".into()))),
            ("muster-exit \n", None),
            ("muster: no such command", None),
            ("", None),
        ] {
            assert_eq!(Verdict::parse(reply), expected, "{reply}");
        }
    }

    #[test]
    fn only_plain_keys_name_a_run() {
        for key in ["a.1", "install_pip-2.10"] {
            assert_eq!(checked_key(key), Ok(key));
        }
        for key in ["", ".", "..", "a/b", "a b", "a'b", "ä"] {
            assert!(checked_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn values_are_quoted_and_names_checked() {
        assert_eq!(
            exports(&script(&[("A", "it's $HOME")])).unwrap_or_default(),
            "export A='it'\\''s $HOME'\n"
        );
        for name in ["", "1A", "A-B", "A B", "A;rm"] {
            assert!(exports(&script(&[(name, "")])).is_err(), "{name}");
        }
    }

    #[test]
    fn a_time_limit_is_at_least_a_second() {
        let program = program(&Folder(".muster/c/i-1".into()), &script(&[]), 7).unwrap_or_default();
        assert!(program.starts_with("dir='.muster/c/i-1/step.1' skip=7 limit=1\n"), "{program}");
    }

    /// What the node's end prints and answers, its home being a disk of 256 KiB
    /// in a namespace of the test's own. `before` runs there first.
    fn on_a_small_disk(before: &str, text: &str, again: bool) -> Option<(String, String)> {
        if !Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|it| it.success()) {
            let what = "needs `unshare -rm` (user namespaces)";
            assert!(std::env::var_os("CI").is_none(), "a disk of the test's own {what}");
            println!("DID NOT RUN: a disk of the test's own {what}");
            return None;
        }
        let script = Script { text: text.into(), timeout: Duration::from_mins(1), ..script(&[]) };
        let program = program(&Folder(".muster/c/i-1".into()), &script, 0).expect("a program");
        let home = tempfile::tempdir().expect("a folder");
        let runs = if again { "sh \"$0\"; exec sh \"$0\"" } else { "exec sh \"$0\"" };
        let setup =
            format!("mount -t tmpfs -o size=256k none \"$HOME\" && {{ {before}; }} && {runs}");
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(program.as_bytes()).expect("room for it");
        let output = Command::new("unshare")
            .args(["-rm", "sh", "-c", &setup])
            .arg(file.path())
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .output()
            .expect("unshare runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some((text(&output.stdout), text(&output.stderr)))
    }

    #[test]
    fn a_script_that_fills_the_disk_still_reports_its_status() {
        let text = "echo begun; cat /dev/zero >\"$HOME/fill\" 2>/dev/null; exit 3";
        for again in [false, true] {
            let Some((out, answer)) = on_a_small_disk("true", text, again) else { return };
            assert_eq!(Verdict::parse(&answer), Some(Verdict::Ended(Exit::Status(3))), "{answer}");
            assert!(out.ends_with("muster: the node's disk is full\n"), "{out}");
        }
    }

    #[test]
    fn a_script_that_is_killed_on_a_full_disk_has_a_status() {
        let text = "cat /dev/zero >\"$HOME/fill\" 2>/dev/null; kill -9 $PPID; sleep 0.1";
        let Some((out, answer)) = on_a_small_disk("true", text, false) else { return };
        assert_eq!(
            Verdict::parse(&answer),
            Some(Verdict::Ended(Exit::Status(137))),
            "{out}{answer}"
        );
    }

    #[test]
    fn on_a_full_disk_the_start_fails_with_the_reason() {
        let fill = "cat /dev/zero >\"$HOME/fill\" 2>/dev/null || true";
        let Some((_, answer)) = on_a_small_disk(fill, "echo never", false) else { return };
        let verdict = Verdict::parse(&answer);
        assert!(
            matches!(&verdict, Some(Verdict::Failed(why)) if why.contains("disk is full")),
            "{answer}"
        );
    }
}
