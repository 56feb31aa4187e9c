//! Everything that is known of one machine.

use ratatui::text::Line;

use super::rows::Row;
use crate::{
    cloud::InstanceState,
    engine::{InstanceInfo, NodeState},
    tui::{
        as_of::RegionAsOf,
        model::Model,
        text,
        theme::{Theme, phase_mark},
        widgets::fields::Fields,
    },
};

/// The details pane.
pub fn lines(row: &Row<'_>, model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut fields = Fields::new(width, theme);
    match row {
        Row::Node(node) => of_node(node, model, &mut fields, theme),
        Row::Stray(info) => {
            fields.text("Carries the cluster's id, but no launch on record made it.", theme.warn);
            fields.text("D terminates it with the cluster.", theme.text);
            of_machine(info, model, &mut fields, theme);
        }
    }
    fields.lines()
}

fn of_node(node: &NodeState, model: &Model, fields: &mut Fields<'_>, theme: &Theme) {
    let since = node.since.get(&node.phase);
    let since = since.map(|at| format!(" for {}", text::between(*at, model.now())));
    let phase =
        format!("{} {}{}", phase_mark(node.phase), node.phase.as_str(), since.unwrap_or_default());
    fields.styled("Phase", &[phase], theme.phase(node.phase));
    if let Some(lost) = model.disconnected(node) {
        let text = format!("! lost for {lost}; the step goes on, and muster connects again");
        fields.styled("SSH", &[text], theme.warn);
    }
    if model.has_failed(node) {
        fields.styled("Why", &[model.why(node)], theme.bad);
    }
    if let Some(hint) = node.failure.as_ref().and_then(|failure| failure.hint.as_ref()) {
        fields.styled("What to do", &[hint], theme.accent);
    }
    match &node.instance {
        Some(info) => of_machine(info, model, fields, theme),
        None => fields.field("Machine", &["none yet"]),
    }
    let leads = if node.leader { ", leads the cluster" } else { "" };
    fields.field("Group", &[format!("{}{leads}", node.group)]);
    if node.instance.is_none() {
        fields.field("Type", &[node.instance_type.as_str()]);
    }
    if let Some(usd) = model.price_of(node) {
        fields.field("Price", &[price(node, usd)]);
    }
}

/// What it costs now, and what it will.
fn price(node: &NodeState, usd: f64) -> String {
    match node.instance.as_ref().map(|info| info.state) {
        Some(state) if state.is_stopped() => {
            format!("its volumes alone while it is stopped; ${usd:.4} an hour once it runs")
        }
        Some(state) if !state.is_live() => "nothing: it is terminated".into(),
        _ => format!("${usd:.4} an hour on demand"),
    }
}

fn of_machine(info: &InstanceInfo, model: &Model, fields: &mut Fields<'_>, theme: &Theme) {
    let zone = info.zone.as_ref().map_or_else(|| "zone unknown".into(), ToString::to_string);
    fields.field("Machine", &[format!("{} · {} · {zone}", info.id, info.instance_type)]);
    fields.field("EC2 state", &described(info, model));
    if info.adopted {
        fields.field("Made by", &["◊ `ray up`; muster has taken it over"]);
    }
    let private = info.private_ip.map(|ip| format!("private {ip}"));
    let public = info.public_ip.map(|ip| format!("public {ip}"));
    let addresses: Vec<_> = [public, private].into_iter().flatten().collect();
    if !addresses.is_empty() {
        fields.field("Addresses", &[addresses.join(" · ")]);
    }
    match &info.host_key {
        Some(key) if key.is_mismatch() => {
            fields.styled("Host key", &[key.to_string()], theme.bad);
        }
        Some(key) => fields.field("Host key", &[key.to_string()]),
        None => {}
    }
}

/// EC2's word, when it was read, and why not since.
fn described(info: &InstanceInfo, model: &Model) -> Vec<String> {
    let time = |at| text::time_of_day(at, &model.zone);
    let (state, since) = (state(info.state), time(info.since));
    // The last record is of anything, not of this instance.
    let is_read = model.as_of.contains_key(&info.region);
    let Some(read) = RegionAsOf::of(&info.region, model).filter(|_| is_read) else {
        return vec![format!("{state}, known since {since}")];
    };
    let mark = if read.is_stale { " !" } else { "" };
    let first = format!("{state} as of {}{mark}, known since {since}", time(read.at));
    let not_read = read.failure.map(|failure| format!("! not read since: {failure}"));
    std::iter::once(first).chain(not_read).collect()
}

/// EC2's own word.
pub fn state(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Pending => "pending",
        InstanceState::Running => "running",
        InstanceState::Stopping => "stopping",
        InstanceState::Stopped => "stopped",
        InstanceState::ShuttingDown => "shutting-down",
        InstanceState::Terminated => "terminated",
    }
}
