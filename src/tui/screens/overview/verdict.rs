//! What the list says above its rows, and instead of them where there are none.

use ratatui::text::{Line, Span};

use crate::{
    check::Level,
    engine::ClusterPhase,
    tui::{model::Model, text, theme::Theme},
};

/// The title of the list.
pub fn title(model: &Model, shown: usize, filter: &str, theme: &Theme) -> Line<'static> {
    let heading = match model.state.phase {
        ClusterPhase::Planned | ClusterPhase::Gone => "Between you and a running cluster",
        _ => "What the checks say",
    };
    let mut title = Line::styled(heading, theme.strong);
    if !filter.is_empty() && shown > 0 {
        title.push_span(Span::styled(format!(" · {shown} with “{filter}”"), theme.dim));
    }
    title
}

/// What stands there when no row does.
pub fn nothing_to_list(
    model: &Model,
    filter: &str,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let not_asked = model.survey.as_ref().and_then(|survey| survey.not_asked.as_ref());
    let (paragraphs, style) = match (&model.findings, not_asked) {
        (_, Some(failure)) => (could_not_ask(failure), theme.bad),
        (None, _) if model.looking.is_some() => (reading(model), theme.text),
        (None, _) => (vec!["Not looked yet: r reads all regions.".into()], theme.text),
        (Some(_), None) if !filter.is_empty() => {
            (vec![format!("Nothing with “{filter}”. Esc drops the filter.")], theme.text)
        }
        (Some(_), None) => (all_well(model), theme.good),
    };
    let lines = paragraphs.iter().flat_map(|text| text::wrap(text, width.saturating_sub(4)));
    lines.map(|line| Line::styled(format!("  {line}"), style)).collect()
}

fn could_not_ask(failure: &crate::model::Failure) -> Vec<String> {
    let hint = failure.hint.clone().map(|hint| format!("→ {}", text::clean(&hint)));
    let mut text = vec![format!("✗ AWS could not be asked: {}", text::clean(&failure.to_string()))];
    text.extend(hint);
    text.push("r looks again.".into());
    text
}

fn reading(model: &Model) -> Vec<String> {
    let regions = text::count(model.project.regions.len(), "region");
    vec![
        format!("Reading {regions}: images, keys, security groups, networks, types, permissions."),
        "Nothing is changed and nothing is launched.".into(),
    ]
}

fn all_well(model: &Model) -> Vec<String> {
    let passed = model.findings().iter().filter(|finding| finding.level == Level::Pass).count();
    let mut text =
        vec![format!("√ Nothing stands in the way: {passed} checks are as they should be.")];
    let missing = model.missing().count();
    if missing > 0 && model.read_only.is_none() {
        let nodes = text::count(missing, "node");
        let price = model.planned_price();
        let price = if price.known > 0 { format!(", {price} an hour") } else { String::new() };
        text.push(format!("u launches {nodes}{price}, after showing you what and where."));
    }
    text
}
