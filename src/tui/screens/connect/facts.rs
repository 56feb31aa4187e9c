//! The facts of a ready cluster, each as it is shown and as it is copied.

use crate::{
    handover::{Handover, Ports, Versions},
    tui::model::Model,
};

/// The row of the module.
pub const PYTHON: &str = "Python";

/// One row.
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// As it is shown.
    pub value: String,
    /// As it is copied.
    pub copied: String,
    /// Whether it is something to type into a shell.
    pub is_command: bool,
}

impl Fact {
    fn new(name: &'static str, value: String) -> Self {
        Self { name, copied: value.clone(), value, is_command: false }
    }

    fn command(name: &'static str, command: String, what: &str) -> Self {
        let value = format!("{command}  {what}");
        Self { name, value, copied: command, is_command: true }
    }
}

/// All rows, what is wanted first.
pub fn all(handover: &Handover, model: &Model) -> Vec<Fact> {
    let mut facts =
        vec![Fact::new(PYTHON, "y copies the module: cluster, region_info, context()".into())];
    if let Some(versions) = &handover.versions {
        facts.extend(of_versions(versions));
    }
    facts.extend(of_leader(handover, model));
    facts.push(Fact::new("spill", handover.spill_dir.clone()));
    facts.extend(commands(handover, model));
    facts.extend(handover.notes.iter().map(|note| Fact::new("note", note.clone())));
    facts
}

fn of_versions(versions: &Versions) -> Vec<Fact> {
    let known = [("ray", &versions.ray), ("pyquokka", &versions.pyquokka)];
    let known =
        known.iter().filter_map(|(name, version)| Some(format!("{name} {}", version.as_ref()?)));
    let all: Vec<_> = std::iter::once(format!("Python {}", versions.python)).chain(known).collect();
    vec![
        Fact::new("versions", format!("{}: yours has to match", all.join(" · "))),
        Fact { is_command: true, ..Fact::new("install", versions.install()) },
    ]
}

fn of_leader(handover: &Handover, model: &Model) -> Vec<Fact> {
    let leader = model.state.nodes.values().find(|node| node.leader);
    let name = leader.map(|node| node.name.to_string()).unwrap_or_default();
    let public = handover.leader_public_ip().map(|ip| ip.to_string()).unwrap_or_default();
    let private = handover.leader_private_ip().map(|ip| ip.to_string()).unwrap_or_default();
    let ports = handover.forwarded.map_or(Ports::ON_THE_LEADER, |forwarded| forwarded.ports);
    let local = format!("http://127.0.0.1:{}", ports.dashboard);
    let (ray, dashboard) = match handover.forwarded {
        Some(_) => ("  by `muster forward`", "by `muster forward`"),
        None => ("", "while `muster forward` runs"),
    };
    let ray_address = handover.ray_address();
    vec![
        Fact {
            copied: public.clone(),
            ..Fact::new("leader", format!("{name} · {public} · between the nodes {private}"))
        },
        Fact { value: format!("{ray_address}{ray}"), ..Fact::new("Ray", ray_address) },
        Fact { copied: local.clone(), ..Fact::new("dashboard", format!("{local}  {dashboard}")) },
    ]
}

fn commands(handover: &Handover, model: &Model) -> Vec<Fact> {
    let leader = model.state.nodes.values().find(|node| node.leader);
    let leader = leader.map(|node| node.name.to_string()).unwrap_or_default();
    let files = arguments(model);
    let hourly = model.running_price();
    let ends = if hourly.known > 0 {
        format!("ends it: {hourly} an hour until then")
    } else {
        "ends it: billed until then".into()
    };
    if model.simulated && model.scenario.is_some() {
        let why = "no other command reaches this world: it ends with the dashboard";
        return vec![Fact::new("simulated", why.into())];
    }
    let module = format!("muster export --python{files} > {}.py", module_name(handover));
    vec![
        Fact::command("export", module, ""),
        forward(handover, &files),
        Fact::command(
            "ssh",
            format!("muster ssh {leader}{files}"),
            "a on 2 and 4 does it from here",
        ),
        Fact::command("down", format!("muster down{files}"), &ends),
    ]
}

/// The command, or what the one that runs has opened.
fn forward(handover: &Handover, files: &str) -> Fact {
    let Some(forwarded) = &handover.forwarded else {
        let command = format!("muster forward{files}");
        return Fact::command("forward", command, "Ray, Redis, dashboard over SSH");
    };
    let Ports { client, redis, dashboard } = forwarded.ports;
    let at = format!("Ray {client}, Redis {redis}, dashboard {dashboard}");
    Fact::new("forward", format!("✓ runs, process {}: {at}", forwarded.pid))
}

/// The arguments that make a command work on this project.
fn arguments(model: &Model) -> String {
    let sources = &model.configs.sources;
    if sources.iter().any(|source| source.path.as_os_str() == "muster.yaml") {
        return String::new();
    }
    let configs = model.project.configs().map(|config| &config.source.path);
    configs.map(|path| format!(" {}", path.display())).collect::<Vec<_>>().concat()
}

/// The cluster's name as Python takes it for a module.
fn module_name(handover: &Handover) -> String {
    let plain = |symbol: char| if symbol.is_ascii_alphanumeric() { symbol } else { '_' };
    handover.cluster.to_string().chars().map(plain).collect()
}
