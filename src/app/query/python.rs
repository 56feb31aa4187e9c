//! A Python that runs a program which it is fed over stdin.

use std::{collections::VecDeque, io, path::Path, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use crate::{
    child_env,
    handover::{Answer, Handover, QueryResult},
    model::{Failure, plain},
    remote::Lines,
};

/// Lines of its stderr that are reported if it fails.
const LAST_LINES: usize = 30;

/// Prints its version and packages as JSON. Imports nothing heavy.
const PROBE: &str = r#"
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({"python": "%d.%d" % sys.version_info[:2], "ray": version("ray"), "pyquokka": version("pyquokka")}))
"#;

/// What a Python has.
#[derive(Debug, Deserialize)]
struct Has {
    python: String,
    ray: Option<String>,
    pyquokka: Option<String>,
}

/// Why the Python at `path` can't use the cluster; `None` where it can.
pub async fn unfit(path: &Path, handover: &Handover) -> Option<Failure> {
    let has = match has(path).await {
        Ok(has) => has,
        Err(failure) => return Some(failure),
    };
    let versions = handover.versions.as_ref();
    let wanted = [
        ("Python", Some(&has.python), versions.map(|versions| &versions.python)),
        ("ray", has.ray.as_ref(), versions.and_then(|versions| versions.ray.as_ref())),
        ("pyquokka", has.pyquokka.as_ref(), versions.and_then(|v| v.pyquokka.as_ref())),
    ];
    let wrong: Vec<_> = wanted
        .into_iter()
        .filter_map(|(name, here, there)| match (here, there) {
            (Some(here), Some(there)) if here == there => None,
            (Some(here), Some(there)) => Some(format!("{name} {here} is not the nodes' {there}")),
            (Some(_), None) => None,
            (None, Some(there)) => Some(format!("{name} {there} is not installed")),
            (None, None) => Some(format!("{name} is not installed")),
        })
        .collect();
    if wrong.is_empty() {
        return None;
    }
    let failure = Failure::new(format!("{} can't: {}", path.display(), wrong.join(", ")));
    let install =
        versions.map(|versions| format!("; this makes one that fits: {}", versions.install()));
    Some(failure.hint(format!("name another with --python PATH{}", install.unwrap_or_default())))
}

async fn has(path: &Path) -> Result<Has, Failure> {
    let mut probe = Command::new(path);
    probe.env_clear().envs(child_env::for_python());
    probe.args(["-c", PROBE]).stdin(Stdio::null()).kill_on_drop(true);
    let output = match timeout(Duration::from_secs(20), probe.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(cannot_start(path, &error)),
        Err(_) => return Err(Failure::new(format!("{} does not answer", path.display()))),
    };
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let text = String::from_utf8_lossy(&output.stderr);
        let text = plain(text.lines().last().unwrap_or("it prints something else"));
        Failure::new(format!("{} is no Python 3: {text}", path.display()))
            .hint("--python PATH names the one that has Ray and pyquokka")
    })
}

fn cannot_start(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("can't start {}: {error}", path.display()))
        .hint("--python PATH names the one that has Ray and pyquokka")
}

/// How a run ended.
pub enum Ended {
    /// With an answer.
    Answered(QueryResult),
    /// Without one.
    Failed(Failure),
    /// Not in time; in the phase of that name.
    TimedOut(String),
}

/// A run.
pub struct Python {
    child: Child,
    program: String,
    phase: String,
    answer: Option<QueryResult>,
    last_lines: VecDeque<String>,
}

impl Python {
    /// Starts the Python at `path` on `program`.
    pub fn start(path: &Path, program: &str) -> Result<Self, Failure> {
        let child = Command::new(path)
            .args(["-u", "-"])
            .env_clear()
            .envs(child_env::for_python())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal is muster's to handle.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot_start(path, &error))?;
        Ok(Self {
            child,
            program: program.to_owned(),
            phase: "connect".to_owned(),
            answer: None,
            last_lines: VecDeque::new(),
        })
    }

    /// Waits for its end, `limit` at most.
    pub async fn end(&mut self, limit: Duration) -> Ended {
        let Ok(status) = timeout(limit, self.talk()).await else {
            self.kill().await;
            return Ended::TimedOut(self.phase.clone());
        };
        match (self.answer.take(), status) {
            (Some(result), _) => Ended::Answered(result),
            (None, Ok(status)) => Ended::Failed(self.failure(&status.to_string())),
            (None, Err(error)) => Ended::Failed(self.failure(&error.to_string())),
        }
    }

    /// Ends it.
    pub async fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill().await);
    }

    async fn talk(&mut self) -> io::Result<std::process::ExitStatus> {
        let (stdin, stdout, stderr) =
            (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take());
        let (answer, phase, last) = (&mut self.answer, &mut self.phase, &mut self.last_lines);
        let answers = lines(stdout, |line| match Answer::parse(line) {
            Some(Answer::Phase { phase: next }) => *phase = next,
            Some(Answer::Result(result)) => *answer = Some(result),
            None => {}
        });
        let errors = lines(stderr, |line| {
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(plain(line).into_owned());
        });
        tokio::join!(feed(stdin, &self.program), answers, errors);
        self.child.wait().await
    }

    /// The last lines of stderr are nearest to the cause.
    fn failure(&self, status: &str) -> Failure {
        let lines: Vec<_> = self.last_lines.iter().map(String::as_str).collect();
        // The frames of a traceback are muster's own program: only its end matters.
        let last_frame = lines.iter().rposition(|line| line.starts_with("  "));
        let error =
            lines.iter().rposition(|line| line.contains("Error: ") && !line.starts_with(' '));
        let from = error.or(last_frame.map(|frame| frame + 1)).unwrap_or(0);
        let text = lines[from.min(lines.len())..].join("\n");
        let text = text
            .strip_prefix("ClusterError: ")
            .or(text.strip_prefix("__main__.ClusterError: "))
            .unwrap_or(&text);
        if text.is_empty() {
            return Failure::new(format!("Python ended without a word ({status})"));
        }
        Failure::new(format!("the query failed: {text}"))
    }
}

async fn feed(stdin: Option<ChildStdin>, program: &str) {
    if let Some(mut stdin) = stdin {
        // A Python that stops reading reports the reason on stderr.
        drop(stdin.write_all(program.as_bytes()).await);
    }
}

async fn lines(stream: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&str)) {
    let mut lines = Lines::of(stream);
    while let Some(line) = lines.next().await {
        take(line.trim_end());
    }
    if let Some(line) = lines.rest() {
        take(line.trim_end());
    }
}
