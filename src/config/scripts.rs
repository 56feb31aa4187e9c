//! The scripts that a recipe names by `script:`: the built-in ones, which any
//! recipe may name as `built-in/NAME.sh`, and files next to the recipe.

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

/// What pins the packages of the nodes. `lock NAME` prints one of them.
const LOCKS: &[(&str, &str)] = &[
    ("uv", include_str!("../../assets/recipe/lock/uv.txt")),
    ("build", include_str!("../../assets/recipe/lock/build.txt")),
    ("3.10", include_str!("../../assets/recipe/lock/3.10.txt")),
    ("3.11", include_str!("../../assets/recipe/lock/3.11.txt")),
    ("packages", include_str!("../../assets/recipe/lock/packages.txt")),
];

/// The scripts that call `lock`.
const LOCKED: [&str; 2] = ["python.sh", "requirements.sh"];

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../assets/recipe/steps/", $name)))),*]
    };
}

const SCRIPTS: &[(&str, &str)] = built_in![
    "cloud-init.sh",
    "packages.sh",
    "python.sh",
    "requirements.sh",
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
    let (own, text) = SCRIPTS.iter().find(|(own, _)| *own == name)?;
    let locks = if LOCKED.contains(own) { locks() } else { String::new() };
    Some(format!("{}{locks}{LIBRARY}\n{text}", ports::shell()))
}

/// The function `lock` for a shell.
fn locks() -> String {
    let case = |(name, text): &(&str, &str)| {
        format!("    {name}) cat <<'END_OF_LOCK'\n{text}END_OF_LOCK\n    ;;\n")
    };
    let cases: String = LOCKS.iter().map(case).collect();
    format!("lock() {{\n    case $1 in\n{cases}    esac\n}}\n")
}

fn unknown(place: &Cursor<'_>, name: &str) -> Diagnostic {
    let names = || SCRIPTS.iter().map(|(name, _)| *name);
    let help = keys::suggestion(name, names())
        .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
    let message = format!("there is no built-in script `{}`", text::shown(name));
    place.error(ids::INVALID_VALUE, message).help(help)
}

/// The error for a script next to a recipe that is in memory.
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

    /// The packages of a lock file with their versions, each of which has a sha256.
    fn locked(name: &str) -> BTreeMap<String, String> {
        let (_, text) = LOCKS.iter().find(|(own, _)| *own == name).expect("it is there");
        let text = text.replace(" \\\n", "");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pair = |line: &str| {
            let mut words = line.split_whitespace();
            let (package, version) = words.next()?.split_once("==")?;
            let hashes: Vec<_> = words.collect();
            let sha256 = |hash: &&str| {
                hash.strip_prefix("--hash=sha256:").is_some_and(|hex| hex.len() == 64)
            };
            assert!(!hashes.is_empty() && hashes.iter().all(sha256), "{line}");
            Some((package.to_owned(), version.to_owned()))
        };
        lines.map(|line| pair(line).expect(line)).collect()
    }

    #[test]
    fn every_package_is_locked_with_its_hashes_and_as_the_constraints_say() {
        let (_, packages) = LOCKS.last().expect("it is there");
        let constraints = include_str!("../../assets/recipe/constraints.txt");
        for name in ["3.10", "3.11"] {
            let locked = locked(name);
            for package in packages.lines().filter(|line| !line.starts_with('#')) {
                let package = package.split('[').next().unwrap_or(package).replace('_', "-");
                assert!(locked.contains_key(&package), "{name}: {package}");
            }
            for (package, version) in constraints.lines().filter_map(|line| line.split_once("==")) {
                assert_eq!(locked.get(package).map(String::as_str), Some(version), "{name}");
            }
        }
        assert_eq!(locked("uv").len(), 1);
        assert!(locked("build").contains_key("setuptools"));
    }

    #[test]
    fn a_shell_prints_each_lock_file_as_it_is() {
        for (name, text) in LOCKS {
            let program = format!("{}lock {name}\n", locks());
            assert_eq!(fed(&mut Command::new("sh"), &[], &program).expect("sh is there"), *text);
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
