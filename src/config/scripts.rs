//! The scripts that a recipe names by `script:`: the built-in ones, which any
//! recipe may name as `built-in/NAME.sh`, and files beside the recipe.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Diagnostic, Location, Source, Sourced,
    diagnostic::ids,
    keys, ports,
    reader::{ConfigReader, Cursor},
    text,
    yaml::{self, Node, Value},
};

/// Where built-in scripts are named; a folder of this name can't be meant.
const BUILT_IN: &str = "built-in/";

/// Goes before each of the built-in scripts.
const LIBRARY: &str = include_str!("../../assets/recipe/steps/lib.sh");

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../assets/recipe/steps/", $name)))),*]
    };
}

const SCRIPTS: &[(&str, &str)] = built_in![
    "cloud-init.sh",
    "packages.sh",
    "python.sh",
    "spill.sh",
    "redirect.sh",
    "redis.sh",
    "ray-leader.sh",
    "ray-members.sh",
    "flight.sh",
    "verify.sh",
];

/// The texts of a recipe's own script files, by the path as it is written.
pub(super) type Scripts = BTreeMap<String, Arc<str>>;

/// The script files that `recipe` names, each where it does. What is wrong
/// with the recipe itself is reported when it is fully read.
pub(super) fn named(recipe: &Source) -> Vec<Sourced<PathBuf>> {
    let root = yaml::parse(recipe, &mut Vec::new());
    let steps = root.as_ref().and_then(|root| root.get("steps"));
    let Some(Value::List(steps)) = steps.map(|steps| &steps.value) else { return Vec::new() };
    let scripts = steps.iter().filter_map(|step| step.get("script"));
    scripts.filter(|script| is_file(script)).map(located).collect()
}

fn is_file(script: &Node) -> bool {
    let name = script.text();
    !name.trim().is_empty() && !name.starts_with(BUILT_IN)
}

fn located(script: &Node) -> Sourced<PathBuf> {
    let location: Location = script.location.clone();
    Sourced::written(PathBuf::from(script.text()), location)
}

/// The text that the step runs; `files` are those that could be read.
pub(super) fn resolve(
    place: &Cursor<'_>,
    files: &Scripts,
    reader: &mut ConfigReader,
) -> Option<String> {
    let name = reader.text(place)?.value;
    if let Some(short) = name.strip_prefix(BUILT_IN) {
        return built_in(short).or_else(|| {
            reader.report(unknown(place, short));
            None
        });
    }
    // One that can't be read has been reported already.
    files.get(&name).map(ToString::to_string)
}

fn built_in(name: &str) -> Option<String> {
    let (_, text) = SCRIPTS.iter().find(|(own, _)| *own == name)?;
    Some(format!("{}{LIBRARY}\n{text}", ports::shell()))
}

fn unknown(place: &Cursor<'_>, name: &str) -> Diagnostic {
    let names = || SCRIPTS.iter().map(|(name, _)| *name);
    let help = keys::suggestion(name, names())
        .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
    let message = format!("there is no built-in script `{}`", text::shown(name));
    place.error(ids::INVALID_VALUE, message).help(help)
}

/// Whether `path` is one that stands for a file in memory, which has none beside it.
pub(super) fn nowhere(file: &Sourced<PathBuf>) -> Diagnostic {
    let shown = text::shown(&Path::new(&file.value).to_string_lossy());
    let message = format!("the script `{shown}` can't be read here");
    let mut diagnostic = Diagnostic::error(ids::FILE_MISSING, message)
        .key("script")
        .help("recipes of simulated worlds name built-in scripts only: `built-in/python.sh`");
    diagnostic.location = file.location().cloned();
    diagnostic
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use super::*;

    /// `sh -n` reads the whole script and runs nothing of it.
    #[test]
    fn every_built_in_script_is_sound_shell() {
        for (name, _) in SCRIPTS {
            let text = built_in(name).expect("it is there");
            let output = fed(&mut Command::new("sh"), &["-n"], &text).expect("sh is there");
            assert_eq!(output, "", "{name}");
        }
    }

    /// Where shellcheck is installed, as it is in CI.
    #[test]
    fn shellcheck_has_nothing_to_say_of_them() {
        // Variables that muster gives, functions of the library that a script does
        // not call, and `ulimit -n`, which every sh has.
        let arguments = ["-s", "sh", "-e", "SC2154,SC2317,SC3045", "-f", "gcc", "-"];
        for (name, _) in SCRIPTS {
            let text = built_in(name).expect("it is there");
            match fed(&mut Command::new("shellcheck"), &arguments, &text) {
                Ok(output) => assert_eq!(output, "", "{name}"),
                Err(_) => eprintln!("SKIPPED: shellcheck is not installed"),
            }
        }
    }

    /// Returns what `command` prints for `text` on its stdin.
    fn fed(command: &mut Command, arguments: &[&str], text: &str) -> std::io::Result<String> {
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        child.stdin.take().expect("piped").write_all(text.as_bytes())?;
        let output = child.wait_with_output()?;
        Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}
