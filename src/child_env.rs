//! The environment of the programs that muster starts. None of them needs the
//! operator's AWS credentials, and each could leak them: ssh runs what its
//! config names, and Python unpickles what the cluster answers.

use std::{
    env,
    ffi::{OsStr, OsString},
};

/// Set to 1, ssh gets the AWS credentials all the same: for a `ProxyCommand`
/// that calls AWS with credentials from the environment. `AWS_PROFILE` and
/// `AWS_REGION`, which are no secrets, are always passed on.
const PASS_TO_SSH: &str = "MUSTER_SSH_AWS_CREDENTIALS";

/// Variables that hold credentials, or lead to some.
const SECRETS: [&str; 4] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"];

/// The same, by their beginning: the credentials of containers.
const SECRET_PREFIX: &str = "AWS_CONTAINER_";

/// All that a Python gets: where it is, what it speaks, its virtual environment.
const FOR_PYTHON: [&str; 20] = [
    "CONDA_PREFIX",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "PYTHONHOME",
    "PYTHONPATH",
    "SHELL",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
];

/// The names of the variables to remove for ssh and what it starts.
pub fn secrets_to_remove() -> Vec<OsString> {
    if env::var_os(PASS_TO_SSH).is_some_and(|value| value == "1") {
        return Vec::new();
    }
    env::vars_os().map(|(name, _)| name).filter(|name| is_secret(name)).collect()
}

/// All variables of a Python that works with the cluster.
pub fn for_python() -> Vec<(OsString, OsString)> {
    env::vars_os().filter(|(name, _)| is_for_python(name)).collect()
}

fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    SECRETS.contains(&&*name) || name.starts_with(SECRET_PREFIX)
}

fn is_for_python(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    FOR_PYTHON.contains(&&*name) || name.starts_with("LC_")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{is_for_python, is_secret};

    #[test]
    fn credentials_are_secrets_and_settings_are_not() {
        for name in ["AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_AUTHORIZATION_TOKEN"] {
            assert!(is_secret(OsStr::new(name)), "{name}");
        }
        for name in ["AWS_PROFILE", "AWS_REGION", "PATH"] {
            assert!(!is_secret(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn python_gets_nothing_but_what_it_needs_to_start() {
        for name in ["PATH", "HOME", "LC_ALL", "VIRTUAL_ENV"] {
            assert!(is_for_python(OsStr::new(name)), "{name}");
        }
        for name in ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "GITHUB_TOKEN", "SSH_AUTH_SOCK"] {
            assert!(!is_for_python(OsStr::new(name)), "{name}");
        }
    }
}
