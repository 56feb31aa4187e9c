//! Paths in configs: `~` is the home folder, relative ones start from the project's.

use std::path::{Component, Path, PathBuf};

/// `path` as a config means it.
pub(super) fn resolve(folder: &Path, path: &Path) -> PathBuf {
    resolve_in(std::env::home_dir().as_deref(), folder, path)
}

fn resolve_in(home: Option<&Path>, folder: &Path, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => plain(&folder.join(path)),
    }
}

/// Without `./` in front, so that a path is shown as people write it.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_and_relative_paths_are_resolved() {
        let resolved = |path: &str| {
            resolve_in(Some(Path::new("/home/ada")), Path::new("./project"), Path::new(path))
        };
        assert_eq!(resolved("~/.ssh/a.pem"), Path::new("/home/ada/.ssh/a.pem"));
        assert_eq!(resolved("~"), Path::new("/home/ada"));
        assert_eq!(resolved("keys/a.pem"), Path::new("project/keys/a.pem"));
        assert_eq!(resolved("/etc/a.pem"), Path::new("/etc/a.pem"));
        assert_eq!(resolved("~ada/a.pem"), Path::new("project/~ada/a.pem"));
    }
}
