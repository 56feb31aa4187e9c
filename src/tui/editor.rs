//! Chooses the editor and builds its arguments for a position in a file.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use crate::model::Failure;

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name or path.
    pub name: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What stands in where the user named none, the first that there is.
const USUAL: [&str; 4] = ["sensible-editor", "nano", "vim", "vi"];

/// Arguments for a file, a line and a column.
type Place = fn(&Path, u32, u32) -> Vec<OsString>;

/// How editors take a position, by the name of their program.
const TABLE: &[(&[&str], Place)] = &[
    // Not every vi knows a column; every one knows a line.
    (
        &[
            "vi",
            "vim",
            "nvim",
            "view",
            "gvim",
            "mvim",
            "ed",
            "joe",
            "jed",
            "mg",
            "ne",
            "mcedit",
            "sensible-editor",
            "editor",
        ],
        |file, line, _| vec![format!("+{line}").into(), file.into()],
    ),
    (&["nano", "pico", "micro", "rnano"], |file, line, column| {
        vec![format!("+{line},{column}").into(), file.into()]
    }),
    (&["emacs", "emacsclient", "kak", "gedit"], |file, line, column| {
        vec![format!("+{line}:{column}").into(), file.into()]
    }),
    (&["code", "code-insiders", "codium", "cursor", "windsurf"], |file, line, column| {
        vec!["--wait".into(), "--goto".into(), at(file, line, column)]
    }),
    (&["subl", "zed"], |file, line, column| vec!["--wait".into(), at(file, line, column)]),
    (&["hx", "helix"], |file, line, column| vec![at(file, line, column)]),
];

/// The user's editor on `file`, at a line and a column (from 1): `$VISUAL`,
/// else `$EDITOR`, else a usual one. `variable` reads the environment.
pub fn editor(
    variable: impl Fn(&str) -> Option<OsString>,
    file: &Path,
    line: u32,
    column: u32,
) -> Result<Program, Failure> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| {
        let value = variable(name)?.into_string().ok()?;
        (!value.trim().is_empty()).then_some((name, value))
    });
    let mut words = match named {
        Some((name, value)) => words(name, &value)?,
        None => vec![usual(&variable("PATH").unwrap_or_default())?.to_owned()],
    };
    let name = words.remove(0);
    let program = Path::new(&name).file_name().unwrap_or_default();
    let place = TABLE.iter().find(|(names, _)| names.iter().any(|name| program == *name));
    let file = plain(file);
    let arguments = match place {
        Some((_, place)) => place(file.as_ref(), line, column),
        None => vec![file],
    };
    let mut args: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    args.extend(
        arguments.into_iter().filter(|arg| arg != "--wait" || !waits(&args)).collect::<Vec<_>>(),
    );
    Ok(Program { name: name.into(), args })
}

/// The words of a variable as a shell splits them.
fn words(name: &str, value: &str) -> Result<Vec<String>, Failure> {
    let words = shell_words::split(value).ok().filter(|words| !words.is_empty());
    words.ok_or_else(|| {
        let failure = Failure::new(format!("${name} can't be split into words: {value}"));
        failure.hint("a quote in it is not closed")
    })
}

fn usual(path: &OsStr) -> Result<&'static str, Failure> {
    let exists =
        |name: &&str| std::env::split_paths(path).any(|folder| folder.join(name).is_file());
    USUAL
        .into_iter()
        .find(exists)
        .ok_or_else(|| Failure::new("no editor was found").hint("set VISUAL or EDITOR to yours"))
}

/// A file that is called `-x` is no option, and one called `+x` no command.
fn plain(file: &Path) -> OsString {
    if file.as_os_str().as_encoded_bytes().starts_with(b"-")
        || file.as_os_str().as_encoded_bytes().starts_with(b"+")
    {
        return Path::new(".").join(file).into();
    }
    file.into()
}

fn waits(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--wait" || arg == "-w")
}

fn at(file: &Path, line: u32, column: u32) -> OsString {
    let mut place = file.as_os_str().to_owned();
    place.push(format!(":{line}:{column}"));
    place
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn command(editor_variable: &str) -> String {
        let variable = |name: &str| (name == "EDITOR").then(|| editor_variable.into());
        let program = editor(variable, Path::new("us.yaml"), 17, 5).unwrap();
        let words = std::iter::once(&program.name).chain(&program.args);
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_editor_takes_the_position_in_its_own_way() {
        assert_eq!(command("vi"), "vi +17 us.yaml");
        assert_eq!(command("/usr/bin/nvim -u NONE"), "/usr/bin/nvim -u NONE +17 us.yaml");
        assert_eq!(command("nano"), "nano +17,5 us.yaml");
        assert_eq!(command("emacsclient -t"), "emacsclient -t +17:5 us.yaml");
        assert_eq!(command("code"), "code --wait --goto us.yaml:17:5");
        assert_eq!(command("code --wait"), "code --wait --goto us.yaml:17:5");
        assert_eq!(command("subl -w"), "subl -w us.yaml:17:5");
        assert_eq!(command("hx"), "hx us.yaml:17:5");
        assert_eq!(command("'/opt/my editor/edit' -x"), "/opt/my editor/edit -x us.yaml");
    }

    #[test]
    fn visual_goes_before_editor_and_a_usual_one_stands_in() {
        let both = |name: &str| Some(if name == "VISUAL" { "hx" } else { "vi" }.into());
        assert_eq!(editor(both, Path::new("a"), 1, 1).unwrap().name, "hx");
        let empty = |name: &str| (name == "EDITOR").then(|| " ".into());
        let failure = editor(empty, Path::new("a"), 1, 1).unwrap_err();
        assert!(failure.hint.unwrap().contains("EDITOR"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("vi"), "").unwrap();
        let path = |name: &str| (name == "PATH").then(|| folder.path().into());
        assert_eq!(editor(path, Path::new("a"), 1, 1).unwrap().name, "vi");
    }

    #[test]
    fn what_can_not_be_split_is_reported() {
        let open = |name: &str| (name == "VISUAL").then(|| "vi 'x".into());
        let failure = editor(open, Path::new("a"), 1, 1).unwrap_err();
        assert!(failure.to_string().contains("$VISUAL"), "{failure}");
        assert_eq!(plain(Path::new("-x.yaml")), "./-x.yaml");
    }
}
