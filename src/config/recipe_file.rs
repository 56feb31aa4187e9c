//! A recipe file into a [`Recipe`].

use std::time::Duration;

use super::{
    Action, ConfigCommands, Diagnostic, On, Recipe, Source, Step,
    assemble::tree,
    diagnostic::{self, ids},
    form::{Form, Place},
    keys::{self, RECIPE},
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

    /// Reads a recipe; its name is the path of `source`. What is wrong with
    /// it, all at once, otherwise.
    pub fn parse(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let mut form = Form::default();
        let steps = tree(source, &mut form).map(|root| steps(&Place::root(&root), &mut form));
        let mut diagnostics = form.diagnostics;
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

fn steps(place: &Place<'_>, form: &mut Form) -> Vec<Step> {
    let Some(place) = form.map(place.clone()) else { return Vec::new() };
    keys::check(RECIPE, &place, form);
    let why = "list the steps: `- name:` with `run:` or `config:`";
    let Some(list) = form.required(&place, "steps", why) else { return Vec::new() };
    let items = form.list(&list);
    if items.is_empty() && matches!(list.node.value, Value::List(_)) {
        form.report(list.error(ids::INVALID_VALUE, "this recipe has no steps").help(why));
    }
    let names: Vec<&str> = items.iter().map(name_in).collect();
    let step = |(index, item)| step(item, &Names { all: &names, index }, form);
    items.into_iter().enumerate().filter_map(step).collect()
}

/// The names of all steps as written, and which of them is being read.
struct Names<'a> {
    all: &'a [&'a str],
    index: usize,
}

impl Names<'_> {
    fn earlier(&self) -> impl Iterator<Item = &str> {
        self.all[..self.index].iter().copied()
    }
}

/// The name of a step as written, for messages about other steps.
fn name_in<'a>(item: &Place<'a>) -> &'a str {
    item.node.get("name").map_or("", super::yaml::Node::text)
}

fn step(place: Place<'_>, names: &Names<'_>, form: &mut Form) -> Option<Step> {
    let place = form.map(place)?;
    let name = name(&place, names, form);
    let on = place.get("on").map_or(Some(On::All), |on| on_nodes(&on, form));
    let action = action(&place, form);
    let needs = place.get("needs").map(|needs| self::needs(&needs, names, form));
    let timeout = place.get("timeout").map_or(Some(DEFAULT_TIMEOUT), |t| timeout(&t, form));
    let retries = place.get("retries").map_or(Some(0), |retries| form.count(&retries));
    let again = place.get("again").map_or(Some(false), |on| choice(&on, &[("start", true)], form));
    Some(Step {
        name: name?,
        on: on?,
        action: action?,
        needs: needs.unwrap_or_default(),
        timeout: timeout?,
        retries: retries?,
        again_on_start: again?,
    })
}

fn name(step: &Place<'_>, names: &Names<'_>, form: &mut Form) -> Option<String> {
    let why = "give each step a name of its own: `- name: install`";
    let place = form.required(step, "name", why)?;
    let name = form.text(&place)?.value;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.bytes().all(allowed) {
        let message = format!("`{}` can't name a step", text::shown(&name));
        let help = "use small letters, digits and `-`: logs are named by it";
        form.report(place.error(ids::INVALID_VALUE, message).help(help));
    } else if names.earlier().any(|earlier| earlier == name) {
        let message = format!("there is a step `{name}` already");
        let help = "`needs` and the logs go by the name: give this step another";
        form.report(place.error(ids::STEP_TWICE, message).help(help));
    }
    Some(name)
}

fn on_nodes(place: &Place<'_>, form: &mut Form) -> Option<On> {
    let choices = [("all", On::All), ("leader", On::Leader), ("members", On::Members)];
    choice(place, &choices, form)
}

pub(super) fn choice<T: Copy>(
    place: &Place<'_>,
    choices: &[(&str, T)],
    form: &mut Form,
) -> Option<T> {
    let text = form.text(place)?.value;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
        return Some(*value);
    }
    let names = || choices.iter().map(|(name, _)| *name);
    let help = keys::suggestion(&text, names())
        .unwrap_or_else(|| format!("it is one of {}", names().collect::<Vec<_>>().join(", ")));
    let message = format!("`{}` is not known here", text::shown(&text));
    form.report(place.error(ids::INVALID_VALUE, message).help(help));
    None
}

fn action(step: &Place<'_>, form: &mut Form) -> Option<Action> {
    match (step.get("run"), step.get("config")) {
        (Some(run), None) => Some(Action::Run(form.text(&run)?.value)),
        (None, Some(config)) => commands(&config, form).map(Action::Config),
        (run, _) => {
            let message = match run {
                Some(_) => "this step has both `run` and `config`",
                None => "this step does nothing",
            };
            let help = "a step has either `run:`, a shell text, or `config:`, a command list \
                        of the region's config";
            form.report(step.error(ids::STEP_ACTION, message).help(help));
            None
        }
    }
}

fn commands(place: &Place<'_>, form: &mut Form) -> Option<ConfigCommands> {
    let choices = [
        ("initialization_commands", ConfigCommands::InitializationCommands),
        ("setup_commands", ConfigCommands::SetupCommands),
        ("start_ray_commands", ConfigCommands::StartRayCommands),
    ];
    choice(place, &choices, form)
}

fn needs(place: &Place<'_>, names: &Names<'_>, form: &mut Form) -> Vec<String> {
    let items = form.list(place);
    let mut needs = Vec::new();
    for item in items {
        let Some(need) = form.text(&item) else { continue };
        if !names.earlier().any(|earlier| earlier == *need) {
            form.report(unmet(&item, &need, names));
        }
        needs.push(need.value);
    }
    needs
}

fn unmet(place: &Place<'_>, need: &str, names: &Names<'_>) -> Diagnostic {
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
fn timeout(place: &Place<'_>, form: &mut Form) -> Option<Duration> {
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
        form.report(place.error(ids::INVALID_VALUE, message).help(help));
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
    fn the_built_in_recipe_is_the_five_steps_in_their_order() {
        let recipe = Recipe::built_in();
        let steps: Vec<(&str, On)> =
            recipe.steps.iter().map(|step| (step.name.as_str(), step.on)).collect();
        let expected = [
            ("cloud-init", On::All),
            ("initialization", On::All),
            ("setup", On::All),
            ("ray-leader", On::Leader),
            ("ray-members", On::Members),
        ];
        assert_eq!(steps, expected);
        assert_eq!(recipe.name, "built-in");
        assert_eq!(recipe.steps[4].needs, ["ray-leader"]);
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
