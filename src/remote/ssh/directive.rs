//! The one writer of ssh config lines. A value that ssh would not read back
//! unchanged is refused: no value can add a line of its own.

use std::{fmt, path::Path};

use crate::model::{Failure, is_ssh_command, is_ssh_word};

/// Characters that ssh reads as quotes, globs, tokens or variables in some
/// versions and not in others.
const UNQUOTABLE: [char; 8] = ['"', '\\', '$', '%', '*', '?', '[', ']'];

/// One line of an ssh config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    keyword: &'static str,
    value: String,
}

impl Directive {
    /// With a value of muster's own.
    pub fn fixed(keyword: &'static str, value: &'static str) -> Self {
        Self { keyword, value: value.to_owned() }
    }

    /// With one word: a user, a host, a port.
    pub fn word(keyword: &'static str, value: &str) -> Result<Self, Failure> {
        Self::words(keyword, [value])
    }

    /// With one or more words.
    pub fn words<'a>(
        keyword: &'static str,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Failure> {
        let values: Vec<_> = values.into_iter().collect();
        match values.iter().find(|value| !is_ssh_word(value)) {
            Some(wrong) => Err(refused(keyword, wrong)),
            None => Ok(Self { keyword, value: values.join(" ") }),
        }
    }

    /// With an absolute path.
    pub fn path(keyword: &'static str, path: &Path) -> Result<Self, Failure> {
        Ok(Self { keyword, value: format!("\"{}\"", quotable(path)?) })
    }

    /// With a command, which takes the rest of the line.
    pub fn command(keyword: &'static str, command: &str) -> Result<Self, Failure> {
        if !is_ssh_command(command) {
            return Err(refused(keyword, command));
        }
        Ok(Self { keyword, value: command.to_owned() })
    }
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.keyword, self.value)
    }
}

/// The path as text that can stand in quotes. `Err` where ssh would read it otherwise.
pub fn quotable(path: &Path) -> Result<&str, Failure> {
    let plain = |text: &&str| !text.contains(UNQUOTABLE) && !text.contains(char::is_control);
    path.to_str().filter(plain).ok_or_else(|| {
        Failure::new(format!("an ssh config can't name the path {}", path.display()))
            .hint("use a path of letters, digits, spaces, and . _ - /")
    })
}

fn refused(keyword: &str, value: &str) -> Failure {
    // Escaped: it may hold control characters.
    let shown = value.escape_debug();
    Failure::new(format!("an ssh config can't hold this {keyword}: \"{shown}\""))
        .hint("control characters, and quotes that are not closed, could add lines of their own")
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs,
        path::{Path, PathBuf},
        process::Command,
    };

    use proptest::{
        prelude::{Just, Strategy, any, prop_oneof},
        proptest,
    };

    use super::{Directive, quotable};

    #[test]
    fn paths_that_ssh_would_read_in_its_own_way_are_refused() {
        assert_eq!(quotable(Path::new("/home/a b/é")), Ok("/home/a b/é"));
        for path in ["/a\"b", "/a\nb", "/a\rb", "/a\u{85}b", "/${HOME}", "/%h", "/a*"] {
            let failure = quotable(Path::new(path)).expect_err(path);
            assert!(failure.message.contains("ssh config"), "{failure}");
        }
    }

    #[test]
    fn a_value_with_a_line_of_its_own_is_refused() {
        let injected = "ubuntu\n    ProxyCommand touch /tmp/owned";
        let failures = [
            Directive::word("User", injected),
            Directive::words("Host", ["ok", injected]),
            Directive::command("ProxyCommand", injected),
            Directive::command("ProxyCommand", "nc \"%h"),
            Directive::word("User", "a b"),
            Directive::word("User", "-oProxyCommand=x"),
            Directive::word("User", ""),
        ];
        for failure in failures {
            let failure = failure.expect_err("refused");
            assert!(!failure.message.contains('\n'), "{failure}");
        }
    }

    /// What ssh makes of a config with this one block.
    fn read_by_ssh(directives: &[Directive]) -> BTreeMap<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let config: PathBuf = folder.path().join("config");
        let lines: Vec<_> = directives.iter().map(|one| format!("    {one}\n")).collect();
        fs::write(&config, format!("Host it\n{}", lines.concat())).expect("written");
        let output =
            Command::new("ssh").arg("-G").arg("-F").arg(&config).args(["--", "it"]).output();
        let output = output.expect("ssh");
        assert!(output.status.success(), "{directives:?}: {output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// Text that aims at the borders of words, lines and quotes.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\n".to_owned()),
            Just("\r".to_owned()),
            Just("\nPort 99\n".to_owned()),
            Just("\"".to_owned()),
            Just("'".to_owned()),
            Just("\\".to_owned()),
            Just(" #".to_owned()),
            Just("=".to_owned()),
            Just("%h".to_owned()),
            Just("ubuntu".to_owned()),
            Just("a b".to_owned()),
            any::<char>().prop_map(String::from),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 200, failure_persistence: None, ..Default::default() })]

        /// What is written is one directive, and ssh reads exactly its value back.
        #[test]
        fn no_value_makes_a_second_directive(user in hostile(), command in hostile(), path in hostile()) {
            let path = PathBuf::from(format!("/{path}"));
            let directives = [
                Directive::word("User", &user),
                Directive::command("ProxyCommand", &command),
                Directive::path("IdentityFile", &path),
            ];
            let written: Vec<_> = directives.iter().flatten().cloned().collect();
            if written.is_empty() {
                return Ok(());
            }
            let read = read_by_ssh(&written);
            assert_eq!(read["port"], "22", "{written:?}");
            if directives[0].is_ok() {
                assert_eq!(read["user"], user);
            }
            if directives[1].is_ok() {
                assert_eq!(read["proxycommand"], command.trim_end());
            } else {
                assert!(!read.contains_key("proxycommand") || read["proxycommand"] == "none");
            }
            if directives[2].is_ok() {
                assert_eq!(Path::new(&read["identityfile"]), path);
            }
        }
    }
}
