//! Launch? What, where, at what price, and what speaks against it.

use std::collections::BTreeMap;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Dialog, Form};
use crate::{
    check::{Finding, Level},
    engine::{ClusterPhase, Command, NodeState, Phase},
    model::{InstanceType, NodeKind, Price, Region},
    tui::{
        Ui,
        action::{Action, Effect, Screen},
        model::{Model, Tone, Work},
        text,
        theme::Theme,
        widgets::sheet::{Sheet, buttons, field},
    },
};

/// The word that confirms a launch despite failed checks.
const WORD: &str = "anyway";
/// Failing checks listed.
const LISTED: usize = 4;

/// Whether nothing is known to stand in the way, and that is known at all.
pub fn is_clear(model: &Model) -> bool {
    let asked = model.survey.as_ref().is_some_and(|survey| survey.not_asked.is_none());
    asked && model.findings.is_some() && model.summary().fail == 0
}

/// Opens the dialog, if there is anything to launch or to go on with. A
/// cluster's end is final: the next one has an id and an engine of its own.
pub fn open(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    match nothing_to_launch(model) {
        Some(reason) => ui.say(Tone::Plain, reason),
        None if model.state.phase == ClusterPhase::Terminated => return vec![Effect::NextCluster],
        None => ui.dialog = Some(Dialog::Launch(Form::default())),
    }
    Vec::new()
}

fn nothing_to_launch(model: &Model) -> Option<&'static str> {
    let (ready, all) = model.ready();
    match (model.work, model.state.phase) {
        (Work::Up, _) => Some("the launch is under way"),
        (Work::Fix, _) => Some("changes are being made"),
        (Work::Down, _) | (_, ClusterPhase::Terminating) => Some("the cluster is being ended"),
        (Work::Stop, _) => Some("the machines are being stopped"),
        (_, ClusterPhase::Terminated) => None,
        _ if model.state.halted().next().is_some() => Some("machines are stopped: P starts them"),
        _ if ready == all => Some("every node is ready: there is nothing to launch"),
        _ => None,
    }
}

/// Draws the dialog.
pub fn view(model: &Model, form: &mut Form, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let mut lines = what(model, theme);
    lines.push(Line::default());
    lines.push(sum(model, theme));
    if model.simulated {
        lines.push(Line::styled("This world is simulated: nothing is billed.", theme.dim));
    }
    lines.extend(afterwards(model, theme));
    lines.extend(against(model, area.width.min(78) - 4, theme));
    let foot = if is_clear(model) {
        vec![
            buttons(&["Cancel", "Launch"], form.focus, theme),
            Line::styled("Tab, then Enter; or L launches", theme.dim),
        ]
    } else {
        vec![
            field(WORD, &form.typed, "launch despite failures", theme),
            Line::styled("Esc closes, nothing is launched", theme.dim),
        ]
    };
    let title = format!("Launch {}", text::clean(&model.project.name));
    Sheet { title: &title, width: 78, lines, foot }.render(&mut form.scroll, area, buf, theme);
}

/// What is launched where: a line for each region.
fn what(model: &Model, theme: &Theme) -> Vec<Line<'static>> {
    let title = format!("{:16}{:48}{:>8}", "region", "machines", "$/h");
    let mut lines = vec![Line::styled(title, theme.dim)];
    lines.extend(model.project.regions.iter().filter_map(|config| row(&config.region, model)));
    if lines.len() == 1 {
        lines = vec![Line::raw("Every machine is there already.")];
    }
    lines
}

fn row(region: &Region, model: &Model) -> Option<Line<'static>> {
    let missing = || model.missing().filter(|node| node.group.region == *region);
    let mut groups: BTreeMap<(NodeKind, &InstanceType), usize> = BTreeMap::new();
    for node in missing() {
        *groups.entry((node.group.kind, &node.instance_type)).or_default() += 1;
    }
    let machines = groups.iter().map(|((kind, instance_type), count)| {
        let kind = match (kind, count) {
            (NodeKind::Head, 1) => "head",
            (NodeKind::Head, _) => "heads",
            (NodeKind::Worker, _) => "workers",
        };
        format!("{count} × {instance_type} ({kind})")
    });
    let machines = machines.collect::<Vec<_>>().join(", ");
    let price = Price::sum(missing().map(|node| model.price_of(node)));
    let price = if price.unknown == 0 { format!("{:.2}", price.usd) } else { "unknown".into() };
    let machines = text::fit(&machines, 47).into_owned();
    (!groups.is_empty()).then(|| Line::raw(format!("{region:16}{machines:48}{price:>8}")))
}

fn sum(model: &Model, theme: &Theme) -> Line<'static> {
    let missing: Vec<&NodeState> = model.missing().collect();
    if missing.is_empty() {
        return Line::styled("Nothing is launched; what is not ready goes on.", theme.strong);
    }
    let price = Price::sum(missing.iter().map(|node| model.price_of(node)));
    let price = if price.known > 0 {
        format!("{price} an hour on demand, billed by the second from the start")
    } else {
        "price unknown".into()
    };
    let nodes = text::count(missing.len(), "machine");
    Line::from(vec![Span::styled(nodes, theme.strong), Span::raw(format!(", {price}"))])
}

/// What happens to the nodes that have a machine already.
fn afterwards(model: &Model, theme: &Theme) -> Option<Line<'static>> {
    let has_machine = |node: &&NodeState| {
        node.phase != Phase::Ready
            && node.instance.as_ref().is_some_and(|info| info.state.is_live())
    };
    let going_on = model.state.nodes.values().filter(has_machine).count();
    let text = format!(
        "{} with a machine that is not ready: bootstrapped further",
        text::count(going_on, "node")
    );
    (going_on > 0).then(|| Line::styled(text, theme.text))
}

/// What speaks against it.
fn against(model: &Model, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    if model.findings.is_none() {
        let why = if model.refreshing.is_some() { "are still running" } else { "have not run" };
        return vec![
            Line::default(),
            Line::styled(
                format!("! The checks {why}: what EC2 would refuse is not known."),
                theme.warn,
            ),
        ];
    }
    let summary = model.summary();
    let mut lines = Vec::new();
    if summary.fail > 0 {
        let troubles = model.troubles();
        let fails: Vec<_> =
            troubles.into_iter().filter(|finding| finding.level == Level::Fail).collect();
        lines.extend(failing(&fails, width.into(), theme));
    }
    if summary.unknown > 0 {
        lines.push(Line::default());
        let text = format!(
            "? {} could not be checked; see 3 Preflight",
            text::count(summary.unknown, "thing")
        );
        lines.push(Line::styled(text, theme.unknown));
    }
    lines
}

/// The checks that fail, the first few of them by name.
pub fn failing(fails: &[&Finding], width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let title = format!("✗ {} would make this fail:", text::count(fails.len(), "mistake"));
    let mut lines = vec![Line::default(), Line::styled(title, theme.bad)];
    lines.extend(fails.iter().take(LISTED).map(|finding| {
        let text = format!("  {}: {}", finding.subject, text::clean(&finding.title));
        Line::styled(text::fit(&text, width).into_owned(), theme.text)
    }));
    if fails.len() > LISTED {
        lines.push(Line::styled(format!("  and {} more", fails.len() - LISTED), theme.dim));
    }
    lines
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let Some(Dialog::Launch(form)) = &mut ui.dialog else { return Vec::new() };
    if form.take(action, 2) {
        return Vec::new();
    }
    let launches = match action {
        Action::LaunchNow => true,
        Action::Open if is_clear(model) => form.focus == 1,
        Action::Open if form.typed == WORD => true,
        // An unfinished word: nothing happens, nothing is lost.
        _ => return Vec::new(),
    };
    ui.dialog = None;
    if !launches {
        return Vec::new();
    }
    ui.screen = Screen::Bootstrap;
    vec![Effect::Send(Command::Up)]
}
