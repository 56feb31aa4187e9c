//! The real binary, run in an isolated environment: it reads nothing of the user's
//! and leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a test that can't set up should fail")]

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_muster");

/// A scenario file: the healthy world at ten times the demo's speed.
pub const FAST: &str = "summary = 'everything right, and fast'\nextends = 'healthy'\nspeed = 60\n";

/// A world with an instance and a VPC that carry the tags of the project's cluster,
/// and are in no journal.
pub const UNRECORDED: &str = r#"
summary = "what is on no record"
extends = "healthy"
speed = 60

[regions.us-west-2]
vpcs = [
  { id = "vpc-0c1d2e3f4a5b60171", cidrs = ["10.1.0.0/16"], name = "quokka" },
  { id = "vpc-0f0a1b2c3d4e50001", cidrs = ["172.31.0.0/16"], default = true },
  { id = "vpc-00000000000000099", cidrs = ["10.99.0.0/16"], tags = { "muster:project" = "tpch-demo", "muster:remedy" = "us-west-2/vpc", "muster:cluster" = "tpch-demo-sim" } },
]
instances = [{ id = "i-00000000000000201", instance_type = "m5.large", subnet = "subnet-0a11c9d2e4f567801", tags = { "muster:cluster" = "tpch-demo-sim", "muster:project" = "tpch-demo" } }]
"#;

/// A home directory and a working folder for runs of muster.
pub struct Muster {
    place: TempDir,
    env: Vec<(String, String)>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Standard output as one JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }

    /// Fails if the output contains muster's internals.
    pub fn assert_is_calm(&self) {
        for insides in ["panicked", "backtrace", "RUST_", "src/", "unwrap"] {
            assert!(!self.err.contains(insides), "{}", self.err);
        }
    }
}

impl Muster {
    /// Creates an empty home and an empty folder.
    pub fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        for folder in ["home", "work"] {
            std::fs::create_dir(place.path().join(folder)).unwrap();
        }
        Self { place, env: Vec::new() }
    }

    /// Sets a variable for all runs.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the working folder.
    pub fn folder(&self) -> PathBuf {
        self.place.path().join("work")
    }

    /// Returns the folder of clusters.
    #[cfg(feature = "aws")]
    pub fn state(&self) -> PathBuf {
        self.place.path().join("state/muster")
    }

    /// Writes a file into that folder.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Returns all environment variables of a run.
    pub fn environment(&self) -> Vec<(String, String)> {
        let at = |name: &str| self.place.path().join(name).to_string_lossy().into_owned();
        let mut all = vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
            ("HOME".to_owned(), at("home")),
            ("XDG_STATE_HOME".to_owned(), at("state")),
            ("TZ".to_owned(), "UTC".to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()),
        ];
        all.extend(self.env.iter().cloned());
        all
    }

    /// Prepares a run.
    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).env_clear().envs(self.environment()).current_dir(self.folder());
        command.stdin(Stdio::null());
        command
    }

    /// Runs until exit.
    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Returns every file and folder that runs created in home and state, and in the
    /// project's folder in addition to the test's own files.
    pub fn left_behind(&self, own: &[&str]) -> Vec<PathBuf> {
        let root = self.place.path();
        let mut found = below(root);
        let own: Vec<_> = own.iter().map(|name| self.folder().join(name)).collect();
        found.retain(|path| {
            *path != root.join("home") && *path != root.join("work") && !own.contains(path)
        });
        found
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}
