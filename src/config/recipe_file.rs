//! A recipe file into a [`Recipe`].

use std::time::Duration;

use super::{
    Action, ConfigCommands, Diagnostic, On, OperatorAction, RayStart, Recipe, Source, Step,
    diagnostic::{self, ids},
    keys::{self, RECIPE},
    parsed::Parsed,
    reader::{ConfigReader, Cursor},
    scripts::{self, Scripts},
    text,
    yaml::{Resolved, Value},
};

const BUILT_IN: &str = include_str!("../../assets/recipe/built-in.yaml");
/// Time limit of one try where a step gives none.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

impl Recipe {
    /// The recipe that runs where a project names none:
    /// `assets/recipe/built-in.yaml`.
    #[expect(clippy::missing_panics_doc, reason = "a test reads the same text")]
    pub fn built_in() -> Self {
        Self::parse(&Self::built_in_source()).expect("the built-in recipe is valid")
    }

    /// The text of the built-in recipe, for showing and copying.
    pub fn built_in_source() -> Source {
        Source { path: std::path::Path::new("built-in").into(), text: BUILT_IN.into() }
    }

    /// Reads a recipe that names built-in scripts only; its name is the path of
    /// `source`. What is wrong with it, all at once, otherwise.
    pub fn parse(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let unread = scripts::named(source).iter().map(scripts::nowhere).collect();
        Self::parse_with(source, &Scripts::new(), unread)
    }

    /// The same with the texts of the scripts that it names, and why some of
    /// them could not be read.
    pub(super) fn parse_with(
        source: &Source,
        scripts: &Scripts,
        unread: Vec<Diagnostic>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = ConfigReader::after(unread);
        let root = Parsed::of(source.clone()).into_root(&mut reader);
        let steps = root.map(|root| steps(&Cursor::root(&root), scripts, &mut reader));
        let mut diagnostics = reader.diagnostics;
        match steps {
            Some(steps) if diagnostics.is_empty() => {
                Ok(Self { name: source.path.to_string_lossy().into_owned(), steps })
            }
            _ => {
                diagnostic::complete(&mut diagnostics, std::slice::from_ref(source));
                Err(diagnostics)
            }
        }
    }
}

fn steps(place: &Cursor<'_>, scripts: &Scripts, reader: &mut ConfigReader) -> Vec<Step> {
    let Some(place) = reader.map(place.clone()) else { return Vec::new() };
    keys::check(&RECIPE, &place, reader);
    let why = "list the steps: `- name:` with `run:`, `script:`, `config:` or `do:`";
    let Some(list) = reader.required(&place, "steps", why) else { return Vec::new() };
    let items = reader.list(&list);
    if items.is_empty() && matches!(list.node.value, Value::List(_)) {
        reader.report(list.error(ids::INVALID_VALUE, "this recipe has no steps").help(why));
    }
    let names: Vec<&str> = items.iter().map(|item| word_in(item, "name")).collect();
    let whens: Vec<&str> = items.iter().map(|item| word_in(item, "when")).collect();
    let step =
        |(index, item)| step(item, &Names { all: &names, whens: &whens, index, scripts }, reader);
    items.into_iter().enumerate().filter_map(step).collect()
}

/// The names of all steps as written, and which of them is being read.
struct Names<'a> {
    all: &'a [&'a str],
    /// Their `when`s; empty where there is none.
    whens: &'a [&'a str],
    index: usize,
    scripts: &'a Scripts,
}

impl Names<'_> {
    fn earlier(&self) -> impl Iterator<Item = &str> {
        self.all[..self.index].iter().copied()
    }

    /// Whether an earlier step of this name can run in the same project: of two
    /// with different `when`s only one ever does.
    fn is_taken(&self, name: &str) -> bool {
        let own = self.whens[self.index];
        let whens = self.whens[..self.index].iter();
        self.earlier().zip(whens).any(|(earlier, when)| {
            earlier == name && (own.is_empty() || when.is_empty() || *when == own)
        })
    }
}

/// A step's value under `key` as written, for rules that span several steps.
fn word_in<'a>(item: &Cursor<'a>, key: &str) -> &'a str {
    item.node.get(key).map_or("", super::yaml::Node::text)
}

fn step(place: Cursor<'_>, names: &Names<'_>, reader: &mut ConfigReader) -> Option<Step> {
    let place = reader.map(place)?;
    let name = name(&place, names, reader);
    let on = place.get("on").map_or(Some(On::All), |on| on_nodes(&on, reader));
    let action = action(&place, names.scripts, reader);
    let needs = place.get("needs").map(|needs| self::needs(&needs, names, reader));
    let after = place.get("after").map(|after| self::needs(&after, names, reader));
    let when = place.get("when").map(|when| when_ray(&when, reader));
    let timeout = place.get("timeout").map_or(Some(DEFAULT_TIMEOUT), |t| timeout(&t, reader));
    let retries = place.get("retries").map_or(Some(0), |retries| reader.count(&retries));
    let again =
        place.get("again").map_or(Some(false), |on| choice(&on, &[("start", true)], reader));
    Some(Step {
        name: name?,
        on: on?,
        action: action?,
        needs: needs.unwrap_or_default(),
        after: after.unwrap_or_default(),
        when: when.map_or(Some(None), |when| when.map(Some))?,
        timeout: timeout?,
        retries: retries?,
        again_on_start: again?,
    })
}

fn name(step: &Cursor<'_>, names: &Names<'_>, reader: &mut ConfigReader) -> Option<String> {
    let why = "give each step a name of its own: `- name: install`";
    let place = reader.required(step, "name", why)?;
    let name = reader.text(&place)?.value;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.bytes().all(allowed) {
        let message = format!("`{}` can't name a step", text::shown(&name));
        let help = "use small letters, digits and `-`: logs are named by it";
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    } else if names.is_taken(&name) {
        let message = format!("there is a step `{name}` already");
        let help = "`needs` and the logs go by the name: give this step another";
        reader.report(place.error(ids::STEP_TWICE, message).help(help));
    }
    Some(name)
}

fn on_nodes(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<On> {
    let choices = [("all", On::All), ("leader", On::Leader), ("members", On::Members)];
    choice(place, &choices, reader)
}

fn when_ray(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<RayStart> {
    let choices = [("ray-built-in", RayStart::BuiltIn), ("ray-config", RayStart::Config)];
    choice(place, &choices, reader)
}

pub(super) fn choice<T: Copy>(
    place: &Cursor<'_>,
    choices: &[(&str, T)],
    reader: &mut ConfigReader,
) -> Option<T> {
    let text = reader.text(place)?.value;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
        return Some(*value);
    }
    let names = || choices.iter().map(|(name, _)| *name);
    let help = keys::suggestion(&text, names())
        .unwrap_or_else(|| format!("it is one of {}", names().collect::<Vec<_>>().join(", ")));
    let message = format!("`{}` is not known here", text::shown(&text));
    reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    None
}

/// Each way to say what a step does.
const ACTIONS: [&str; 4] = ["run", "script", "config", "do"];

fn action(step: &Cursor<'_>, scripts: &Scripts, reader: &mut ConfigReader) -> Option<Action> {
    let given: Vec<_> = ACTIONS.iter().filter_map(|key| Some((*key, step.get(key)?))).collect();
    match given.as_slice() {
        [("run", run)] => Some(Action::Run(reader.text(run)?.value)),
        [("script", script)] => scripts::resolve(script, scripts, reader).map(Action::Run),
        [("config", config)] => commands(config, reader).map(Action::Config),
        [(_, action)] => operator(action, reader).map(Action::Operator),
        other => {
            let message = match other {
                [(one, _), (two, _), ..] => format!("this step has both `{one}` and `{two}`"),
                _ => "this step does nothing".into(),
            };
            let help = "a step has one of `run:`, a shell text, `script:`, a file of it, \
                        `config:`, a command list of the region's config, and `do:`";
            reader.report(step.error(ids::STEP_ACTION, message).help(help));
            None
        }
    }
}

fn operator(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<OperatorAction> {
    let choices =
        [("file-mounts", OperatorAction::FileMounts), ("credentials", OperatorAction::Credentials)];
    choice(place, &choices, reader)
}

fn commands(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<ConfigCommands> {
    let choices = [
        ("initialization_commands", ConfigCommands::InitializationCommands),
        ("setup_commands", ConfigCommands::SetupCommands),
        ("start_ray_commands", ConfigCommands::StartRayCommands),
    ];
    choice(place, &choices, reader)
}

fn needs(place: &Cursor<'_>, names: &Names<'_>, reader: &mut ConfigReader) -> Vec<String> {
    let items = reader.list(place);
    let mut needs = Vec::new();
    for item in items {
        let Some(need) = reader.text(&item) else { continue };
        if !names.earlier().any(|earlier| earlier == *need) {
            reader.report(unmet(&item, &need, names));
        }
        needs.push(need.value);
    }
    needs
}

fn unmet(place: &Cursor<'_>, need: &str, names: &Names<'_>) -> Diagnostic {
    let shown = text::shown(need);
    if names.all.contains(&need) {
        let message = format!("the step `{shown}` does not come before this one");
        let help = "nodes run their steps in the order of the list, so a step can only wait for \
                    earlier ones: move it up";
        return place.error(ids::STEP_NEEDS, message).help(help);
    }
    let help = keys::suggestion(need, names.earlier())
        .unwrap_or_else(|| "name a step that stands above this one".into());
    place.error(ids::STEP_NEEDS, format!("there is no step `{shown}`")).help(help)
}

/// `90s`, `10m`, `1h`, or a number of seconds.
fn timeout(place: &Cursor<'_>, reader: &mut ConfigReader) -> Option<Duration> {
    let duration = match &place.node.value {
        Value::Scalar(scalar) => match scalar.resolved {
            Resolved::Int(seconds) => u64::try_from(seconds).ok(),
            Resolved::Text => seconds(&scalar.text),
            _ => None,
        },
        Value::List(_) | Value::Map(_) => None,
    };
    let duration = duration.filter(|seconds| *seconds > 0).map(Duration::from_secs);
    if duration.is_none() {
        let message = format!("{} is not a time limit", place.node.describe());
        let help = "write it like `90s`, `10m` or `1h`, or as a number of seconds";
        reader.report(place.error(ids::INVALID_VALUE, message).help(help));
    }
    duration
}

fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| number.parse::<u64>().ok()?.checked_mul(factor))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_recipe_is_nine_steps_of_quokka_in_their_order() {
        let expected = [
            ("cloud-init", On::All),
            ("initialization", On::All),
            ("files", On::All),
            ("setup", On::All),
            ("packages", On::All),
            ("python", On::All),
            ("requirements", On::All),
            ("credentials", On::All),
            ("spill", On::All),
            ("redis", On::Leader),
            ("ray-leader", On::Leader),
            ("ray-members", On::Members),
            ("redirect", On::All),
            ("flight", On::All),
            ("verify", On::All),
        ];
        for ray in [RayStart::BuiltIn, RayStart::Config] {
            let recipe = Recipe::built_in().suited(ray);
            let steps: Vec<(&str, On)> =
                recipe.steps.iter().map(|step| (step.name.as_str(), step.on)).collect();
            assert_eq!(steps, expected, "{ray:?}");
            let start = &recipe.steps[10].action;
            let of_config = *start == Action::Config(ConfigCommands::StartRayCommands);
            assert_eq!(of_config, ray == RayStart::Config);
            assert_eq!(recipe.steps[11].needs, ["ray-leader"]);
            assert_eq!(recipe.steps[14].after, ["flight"]);
            let again: Vec<_> = recipe.again_on_start().collect();
            let services: Vec<_> = expected[8..].iter().map(|(name, _)| *name).collect();
            assert_eq!(again, services);
        }
        assert_eq!(Recipe::built_in().name, "built-in");
    }

    #[test]
    fn time_limits_have_units() {
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("1h"), Some(3600));
        for wrong in ["", "s", "m10", "1d", "1.5h", "-1s", "١s", "99999999999999999999h"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(seconds("18446744073709551615h"), None);
    }
}
