//! The title of the list, and the text that replaces its rows when there are none.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use crate::{
    check::Level,
    engine::ClusterPhase,
    tui::{model::Model, text, theme::Theme},
};

/// The title of the list.
pub fn title(model: &Model, shown: usize, filter: &str, theme: &Theme) -> Line<'static> {
    let heading = match model.state.phase {
        ClusterPhase::Planned | ClusterPhase::Terminated => "Blocking issues",
        _ => "What the checks say",
    };
    let mut title = Line::styled(heading, theme.strong);
    if !filter.is_empty() && shown > 0 {
        title.push_span(Span::styled(format!(" · {shown} with “{filter}”"), theme.dim));
    }
    title
}

/// What comes before all findings: AWS could not be asked at all, so that they
/// say little.
pub fn banner(model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let not_asked = model.survey.as_ref().and_then(|survey| survey.not_asked.as_ref());
    let Some(failure) = not_asked else { return Vec::new() };
    let what = format!("✗ AWS could not be asked: {}", text::clean(&failure.to_string()));
    let mut lines = paragraph(&what, width, theme.bad);
    if let Some(hint) = &failure.hint {
        lines.extend(paragraph(&format!("→ {}", text::clean(hint)), width, theme.accent));
    }
    lines.extend(paragraph("r looks again.", width, theme.text));
    lines
}

/// What stands there when no row does.
pub fn nothing_to_list(
    model: &Model,
    filter: &str,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let banner = banner(model, width, theme);
    if !banner.is_empty() {
        return banner;
    }
    let (paragraphs, style) = match &model.findings {
        None if model.refreshing.is_some() => (reading(model), theme.text),
        None => (vec!["Not looked yet: r reads all regions.".into()], theme.text),
        Some(_) if !filter.is_empty() => {
            (vec![format!("Nothing with “{filter}”. Esc drops the filter.")], theme.text)
        }
        Some(_) => (all_well(model), theme.good),
    };
    paragraphs.iter().flat_map(|text| paragraph(text, width, style)).collect()
}

fn paragraph(text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let lines = text::wrap(text, width.saturating_sub(4)).into_iter();
    lines.map(|line| Line::styled(format!("  {line}"), style)).collect()
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
        vec![format!("✓ Nothing stands in the way: {passed} checks are as they should be.")];
    let missing = model.missing().count();
    if missing > 0 && model.read_only.is_none() {
        let nodes = text::count(missing, "node");
        let price = model.planned_price();
        let price = if price.known > 0 { format!(", {price} an hour") } else { String::new() };
        text.push(format!("u launches {nodes}{price}, after showing you what and where."));
    }
    text
}
