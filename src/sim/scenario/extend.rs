//! Scenarios that change another one.

use toml::{Table, Value};

use super::{ScenarioError, format::Spec};
use crate::sim::catalog;

/// Whose entries are added to the base's, ahead of them, rather than taking
/// their place: the first one that fits counts.
const ADDED: [&str; 2] = ["steps", "faults"];

/// Reads a scenario, and the one that it extends.
pub(super) fn read(text: &str) -> Result<Spec, ScenarioError> {
    // Read on its own first, since only then errors can say where.
    let spec: Spec = toml::from_str(text).map_err(form)?;
    let table = table(text)?;
    if !table.contains_key("extends") {
        return Ok(spec);
    }
    Value::Table(whole(table)?).try_into().map_err(form)
}

fn form(error: impl std::fmt::Display) -> ScenarioError {
    ScenarioError::Form(error.to_string().trim_end().to_owned())
}

fn table(text: &str) -> Result<Table, ScenarioError> {
    text.parse::<Table>().map_err(form)
}

/// `own` with all that it leaves to the scenario that it extends.
fn whole(own: Table) -> Result<Table, ScenarioError> {
    let Some(name) = own.get("extends").and_then(Value::as_str) else { return Ok(own) };
    let base = catalog::scenario(name)
        .ok_or_else(|| form(format!("extends: there is no built-in scenario {name:?}")))?;
    let mut base = whole(table(base)?)?;
    for key in ADDED {
        if let (Some(Value::Array(more)), Some(Value::Array(list))) =
            (own.get(key), base.get_mut(key))
        {
            *list = more.iter().chain(list.iter()).cloned().collect();
        }
    }
    let rest = own
        .into_iter()
        .filter(|(key, _)| !(ADDED.contains(&key.as_str()) && base.contains_key(key)));
    let rest: Table = rest.collect();
    merge(&mut base, rest);
    Ok(base)
}

fn merge(base: &mut Table, own: Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(own)) => merge(base, own),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
