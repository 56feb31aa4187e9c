//! What is copied to a node.

use std::path::PathBuf;

/// A file or folder of the operator's to copy to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The file or folder here.
    pub from: PathBuf,
    /// Its path there; `~/` is the home folder, as is a path without a root.
    pub to: String,
    /// rsync's `--exclude` patterns.
    pub exclude: Vec<String>,
    /// Names of files with patterns, such as `.gitignore`, read in every folder.
    pub filter: Vec<String>,
}

impl Mount {
    /// The path there, with `~` made relative: commands begin in the home folder.
    pub(super) fn target(&self) -> &str {
        match self.to.strip_prefix("~/") {
            Some("") => ".",
            Some(rest) => rest,
            None if self.to == "~" => ".",
            None => &self.to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mount;

    #[test]
    fn home_is_where_commands_begin() {
        let target = |to: &str| {
            let (exclude, filter) = (Vec::new(), Vec::new());
            Mount { from: "/a".into(), to: to.into(), exclude, filter }.target().to_owned()
        };
        for (to, expected) in
            [("~/x/y", "x/y"), ("~", "."), ("~/", "."), ("/opt/x", "/opt/x"), ("x", "x")]
        {
            assert_eq!(target(to), expected);
        }
    }
}
