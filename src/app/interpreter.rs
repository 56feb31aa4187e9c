//! The operator's own Python: its minor version is the one that the nodes
//! should have, since Ray refuses clients of another.

use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::config::Python;

/// How long an interpreter may take to say its version. Nothing depends on it
/// but a default.
const PATIENCE: Duration = Duration::from_secs(1);

/// The minor version of this machine's `python3`, if the nodes can have it.
///
/// Most installations show it by a name, `python3` being a link to `python3.11`:
/// no process is started for those, since this comes before the first frame.
pub(super) fn operator_python() -> Option<Python> {
    let python3 = on_path("python3")?;
    match fs::canonicalize(&python3).ok().as_deref().and_then(version_in_name) {
        Some(version) => version.parse().ok(),
        None => asked(&python3)?.trim().parse().ok(),
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// `3.11` of `/usr/bin/python3.11`.
fn version_in_name(path: &Path) -> Option<String> {
    let version = path.file_name()?.to_str()?.strip_prefix("python")?;
    let (major, minor) = version.split_once('.')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (number(major) && number(minor)).then(|| version.to_owned())
}

/// Asks a `python3` that is a script or has another name for its version.
fn asked(python3: &Path) -> Option<String> {
    let mut command = Command::new(python3);
    command.args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut stdout = child.stdout.take()?;
    let (sender, answer) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        // Nobody waits any more where it took too long.
        drop(stdout.read_to_string(&mut text).map(|_| sender.send(text)));
    });
    let version = answer.recv_timeout(PATIENCE).ok();
    if version.is_none() {
        drop(child.kill());
    }
    drop(child.wait());
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_version_or_nothing() {
        let version = |path: &str| version_in_name(Path::new(path));
        assert_eq!(version("/usr/bin/python3.11").as_deref(), Some("3.11"));
        for other in ["/usr/bin/python3", "/root/.pyenv/shims/pyenv", "python3.x", "python3."] {
            assert_eq!(version(other), None, "{other}");
        }
    }
}
