//! Requirements of tests that create namespaces: root, and programs. If one is
//! missing, they print that and are skipped; in CI they fail.
#![expect(clippy::print_stderr, reason = "a skipped test prints that it is skipped")]

use std::{env, fs, os::unix::fs::MetadataExt as _, path::PathBuf};

/// Returns the missing requirement: root, or one of `programs`, each with its Debian package.
pub fn missing(programs: &[(&str, &str)]) -> Option<String> {
    if fs::metadata("/proc/self").map(|own| own.uid()).ok() != Some(0) {
        return Some("root, for namespaces".into());
    }
    let lacking = programs.iter().find(|(program, _)| on_path(program).is_none());
    lacking.map(|(program, package)| format!("{program} (package {package})"))
}

/// Prints prominently that the test `name` did not run because `what` is missing.
pub fn did_not_run(name: &str, what: &str) {
    assert!(env::var_os("CI").is_none(), "{name} needs {what}");
    eprintln!("\n  {name} DID NOT RUN: it needs {what}; ./scripts/test as root\n");
}

/// Returns the path of `program` on PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists())
}
