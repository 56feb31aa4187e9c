//! The table of regions: what is planned in each, how far it is, what the
//! checks say of it alone. What is between two regions is in the matrix.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    config::RegionConfig,
    model::VpcId,
    tui::{
        as_of,
        model::Model,
        theme::Theme,
        widgets::{
            chrome::counts,
            panel,
            selection::Selection,
            table::{Column, MARKER, Table, cut, spread},
        },
    },
};

/// A column, with what decides whether it is shown.
struct Field {
    title: &'static str,
    /// Whether it stays where it is narrow.
    stays: bool,
    cell: fn(&RegionConfig, &Model, &Theme) -> Line<'static>,
}

const FIELDS: [Field; 5] = [
    Field { title: "  region", stays: true, cell: name },
    Field { title: "config", stays: false, cell: file_name },
    Field { title: "nodes", stays: true, cell: nodes },
    Field { title: "checks", stays: true, cell: checks },
    Field { title: "VPC", stays: false, cell: vpc },
];

/// The regions' names, as keys of the rows.
pub fn keys(model: &Model) -> Vec<&str> {
    model.project.regions.iter().map(|config| config.region.as_str()).collect()
}

/// The least width, border included.
pub fn width(model: &Model) -> usize {
    let fields: Vec<_> = FIELDS.iter().filter(|field| field.stays).collect();
    taken(&columns(&fields, model))
}

/// Draws the pane.
pub fn view(
    model: &Model,
    rows: &mut Selection,
    focused: bool,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let inner = panel::pane(Line::styled("Regions", theme.strong), focused, area, buf, theme);
    if let Some(line) = as_of::by_region(model, theme) {
        let room = area.width.saturating_sub(4);
        buf.set_line(area.x + 2, area.bottom() - 1, &cut(line, room.into()), room);
    }
    let all: Vec<_> = FIELDS.iter().collect();
    let fits = taken(&columns(&all, model)) <= usize::from(area.width);
    let fields: Vec<_> = all.into_iter().filter(|field| field.stays || fits).collect();
    let mut columns = columns(&fields, model);
    spread(&mut columns, inner.width.into());
    let selected = rows.settle(&keys(model));
    let shown = selected.filter(|_| focused);
    let table = Table { columns: &columns, theme, titles: true, selected: shown, focused };
    let configs = &model.project.regions;
    let window = rows.window(selected, configs.len(), table.height(inner));
    panel::position(&window, configs.len(), area, buf, theme);
    table.render(window, inner, buf, |index| {
        fields.iter().map(|field| (field.cell)(&configs[index], model, theme)).collect()
    });
}

fn columns(fields: &[&Field], model: &Model) -> Vec<Column<'static>> {
    let theme = Theme::monochrome();
    let column = |field: &&Field| {
        let cells = model.project.regions.iter().map(|config| (field.cell)(config, model, &theme));
        let widest = cells.map(|cell| cell.width()).max().unwrap_or(0);
        Column::new(field.title, widest.max(field.title.len()))
    };
    fields.iter().map(column).collect()
}

fn taken(columns: &[Column<'_>]) -> usize {
    2 + MARKER + columns.iter().map(|column| column.width + 1).sum::<usize>()
}

fn name(config: &RegionConfig, model: &Model, theme: &Theme) -> Line<'static> {
    if *config.region == *model.project.leader {
        Line::styled(format!("★ {}", *config.region), theme.accent)
    } else {
        Line::raw(format!("  {}", *config.region))
    }
}

fn file_name(config: &RegionConfig, _: &Model, _: &Theme) -> Line<'static> {
    let names = config.configs.iter().map(|config| {
        let path = &config.source.path;
        path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
    });
    Line::raw(names.collect::<Vec<_>>().join(" "))
}

fn nodes(config: &RegionConfig, model: &Model, theme: &Theme) -> Line<'static> {
    let (ready, all) = model.ready_in(&config.region);
    let style = if all > 0 && ready == all { theme.good } else { theme.text };
    Line::styled(format!("{ready}/{all}"), style)
}

fn checks(config: &RegionConfig, model: &Model, theme: &Theme) -> Line<'static> {
    let mut spans = match &model.findings {
        Some(_) => counts(&model.summary_of(&config.region), theme),
        None if model.refreshing.is_some() => vec![Span::styled("…", theme.dim)],
        None => Vec::new(),
    };
    if let Some(first) = spans.first_mut() {
        first.content = first.content.trim_start().to_owned().into();
    }
    Line::from(spans)
}

fn vpc(config: &RegionConfig, model: &Model, theme: &Theme) -> Line<'static> {
    let survey = model.survey.as_ref().and_then(|survey| survey.regions.get(&*config.region));
    let vpcs = survey.and_then(|region| region.vpcs.known());
    let subnets = survey.and_then(|region| region.subnets.known());
    // A group may be in another VPC, which is a mistake; the nodes are not.
    let is_nodes =
        |id: &VpcId| subnets.is_none_or(|all| all.iter().any(|subnet| subnet.vpc == *id));
    let own = vpcs.into_iter().flatten().filter(|vpc| is_nodes(&vpc.id));
    let cidrs = own.filter_map(|vpc| vpc.cidrs.first());
    let cidrs = cidrs.map(ToString::to_string).collect::<Vec<_>>().join(" ");
    Line::styled(cidrs, theme.dim)
}
