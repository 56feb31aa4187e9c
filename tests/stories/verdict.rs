//! EC2's own record, compared with muster's reports.

use serde_json::Value;

/// The number of planned nodes.
pub const PLANNED: usize = 4;

/// EC2's own record at one moment.
pub struct Truth {
    now: f64,
    resources: Vec<Value>,
    calls: Vec<Value>,
}

impl Truth {
    /// Parses the account's record.
    pub fn of(document: &Value) -> Self {
        let list = |key: &str| document[key].as_array().unwrap().clone();
        Self {
            now: document["now"].as_f64().unwrap(),
            resources: list("resources"),
            calls: list("calls"),
        }
    }

    /// Returns the time of the record, in seconds since the account was created.
    pub fn now(&self) -> f64 {
        self.now
    }

    /// Returns the number of faults so far.
    pub fn faults(&self) -> usize {
        self.calls.iter().filter(|call| call["fault"].is_string()).count()
    }

    fn instances(&self) -> impl Iterator<Item = &Value> {
        self.resources.iter().filter(|one| one["kind"] == "instance")
    }

    /// Counts the instances in one of these states at `moment`.
    pub fn count_at(&self, moment: f64, states: &[&str]) -> usize {
        let held = |one: &&Value| states.contains(&state_at(one, moment));
        self.instances().filter(held).count()
    }

    /// The same now.
    pub fn count(&self, states: &[&str]) -> usize {
        self.count_at(self.now, states)
    }

    /// Returns duplicates: more simultaneous instances than planned, or two simultaneous
    /// resources of one fix step.
    pub fn doubles(&self) -> Vec<String> {
        let mut found = Vec::new();
        let started = self.instances().map(|one| one["made"].as_f64().unwrap());
        let billed = ["pending", "running", "stopping", "stopped"];
        for moment in started {
            let count = self.count_at(moment, &billed);
            if count > PLANNED {
                found.push(format!("{count} instances at {moment:.1} s, {PLANNED} planned"));
            }
        }
        let made: Vec<_> = self.resources.iter().filter(|one| step(one).is_some()).collect();
        for (at, one) in made.iter().enumerate() {
            for other in &made[..at] {
                let same = step(one) == step(other)
                    && one["kind"] == other["kind"]
                    && one["region"] == other["region"];
                let overlap = other["deleted"]
                    .as_f64()
                    .is_none_or(|end| end > one["made"].as_f64().unwrap())
                    && !(other["kind"] == "vpc-peering-connection" && other["state"] == "deleted");
                if same && overlap {
                    found.push(format!(
                        "{} made twice: {} and {}",
                        one["tags"]["muster:remedy"], other["id"], one["id"]
                    ));
                }
            }
        }
        found
    }

    /// Returns the ids of leftovers that muster created, without key pairs.
    pub fn leftovers(&self) -> Vec<String> {
        let ours = |one: &&Value| {
            one["tags"]["muster:project"].is_string()
                && one["there"] == true
                && !["key-pair", "instance"].contains(&one["kind"].as_str().unwrap())
                && !(one["kind"] == "vpc-peering-connection"
                    && ["deleting", "deleted", "failed"]
                        .contains(&one["state"].as_str().unwrap_or("")))
                && one["deleted"].is_null()
        };
        self.resources
            .iter()
            .filter(ours)
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Whether a call of `action` in `region` ended so: with this error code, or
    /// without an answer.
    pub fn has_failed(&self, action: &str, region: &str, code: Option<&str>) -> bool {
        let is = |call: &&Value| call["action"] == action && call["region"] == region;
        let mut calls = self.calls.iter().filter(is);
        calls.any(|call| match code {
            Some(code) => call["error"] == code || code_of(call).is_some_and(|own| own == code),
            None => call["fault"].as_str().is_some_and(|fault| {
                ["reset", "drop", "killed"].iter().any(|kind| fault.contains(kind))
            }),
        })
    }

    /// The resource of this id, whether it exists or existed.
    pub fn resource(&self, id: &str) -> Option<&Value> {
        self.resources.iter().find(|one| one["id"] == id)
    }

    /// A table of all instances, for messages.
    pub fn table(&self) -> String {
        let line = |one: &Value| {
            let made = one["made"].as_f64().unwrap();
            format!("{} {} {} made at {made:.1} s", one["id"], one["region"], one["state"])
        };
        self.instances().map(line).collect::<Vec<_>>().join("; ")
    }

    /// Returns the calls between two moments that changed something or failed.
    pub fn calls_between(&self, from: f64, to: f64) -> Vec<String> {
        let within = |call: &&Value| (from..=to).contains(&call["at"].as_f64().unwrap());
        let shown = |call: &&Value| {
            !call["action"].as_str().unwrap().starts_with("Describe")
                || call["fault"].is_string()
                || call["error"].is_string()
        };
        let line = |call: &Value| {
            let text = |key: &str| call[key].as_str().unwrap_or("").to_owned();
            format!(
                "{:.1} {} {} {} {} {}",
                call["at"].as_f64().unwrap(),
                text("region"),
                text("action"),
                text("fault"),
                text("error"),
                if call["made"].is_null() { String::new() } else { call["made"].to_string() }
            )
        };
        self.calls.iter().filter(within).filter(shown).map(line).collect()
    }
}

fn step(one: &Value) -> Option<&str> {
    one["tags"]["muster:remedy"].as_str()
}

fn state_at(one: &Value, moment: f64) -> &str {
    let states = one["states"].as_array().unwrap();
    let mut held = states.iter().filter(|entry| entry[0].as_f64().unwrap() <= moment);
    held.next_back().and_then(|entry| entry[1].as_str()).unwrap_or("")
}

/// The code that a fault answers with.
fn code_of(call: &Value) -> Option<&'static str> {
    let fault = call["fault"].as_str()?;
    Some(match fault.rsplit('-').next()? {
        "500" => "InternalError",
        "503" => "Unavailable",
        "throttle" => "RequestLimitExceeded",
        _ => return None,
    })
}
