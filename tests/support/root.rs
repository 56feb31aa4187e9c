//! What tests need that make namespaces: root, and programs. Where one is
//! missing, they say so and do nothing, which in CI is a failure.
#![expect(clippy::print_stderr, reason = "a test that does nothing says so")]

use std::{env, fs, os::unix::fs::MetadataExt as _, path::PathBuf};

/// What of it is missing: root, or one of `programs`, each with its Debian package.
pub fn missing(programs: &[(&str, &str)]) -> Option<String> {
    if fs::metadata("/proc/self").map(|own| own.uid()).ok() != Some(0) {
        return Some("root, for namespaces".into());
    }
    let lacking = programs.iter().find(|(program, _)| on_path(program).is_none());
    lacking.map(|(program, package)| format!("{program} (package {package})"))
}

/// Says loudly that the test `name` did not run since `what` is missing.
pub fn did_not_run(name: &str, what: &str) {
    assert!(env::var_os("CI").is_none(), "{name} needs {what}");
    eprintln!("\n  {name} DID NOT RUN: it needs {what}; ./scripts/test as root\n");
}

/// Where `program` is on PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists())
}
