//! Expected connectivity: regions × regions, from the findings on pairs of them.

use std::collections::BTreeMap;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    check::{Finding, Level, Subject},
    model::Region,
    tui::{finding_fix::FindingFix, model::Model, text, theme::Theme},
};

/// What is known of one direction between two regions.
type Cell = (Level, &'static str);

/// The matrix, laid out for a width.
pub struct Matrix<'m> {
    regions: Vec<&'m Region>,
    cells: BTreeMap<(usize, usize), Cell>,
    layout: Layout,
    refreshing: bool,
}

/// How much there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// Full names, and the reason behind the mark.
    Full,
    /// Short names, and the reason.
    Short,
    /// Short names, marks only.
    Marks,
    /// Marks only, columns by number.
    Numbers,
}

impl<'m> Matrix<'m> {
    /// Takes the findings on pairs, and the roomiest layout that fits `width`.
    pub fn new(model: &'m Model, width: usize) -> Self {
        let regions: Vec<_> = model.project.regions.iter().map(|config| &*config.region).collect();
        let mut matrix = Self {
            cells: cells(model, &regions),
            regions,
            layout: Layout::Full,
            refreshing: model.findings.is_none() && model.refreshing.is_some(),
        };
        for layout in [Layout::Full, Layout::Short, Layout::Marks, Layout::Numbers] {
            matrix.layout = layout;
            if matrix.width() <= width {
                break;
            }
        }
        matrix
    }

    /// The columns that it takes.
    pub fn width(&self) -> usize {
        self.label() + self.regions.iter().map(|region| self.column(region) + 1).sum::<usize>()
    }

    /// Draws it.
    pub fn render(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let mut title = Line::raw(" ".repeat(self.label()));
        for (number, region) in (1..).zip(&self.regions) {
            let by_number = self.layout == Layout::Numbers;
            let name = if by_number { format!("{number}") } else { self.name(region) };
            let name = format!("{name:<0$} ", self.column(region));
            title.push_span(Span::styled(name, theme.dim));
        }
        buf.set_line(area.x, area.y, &title, area.width);
        let room = usize::from(area.height.saturating_sub(1));
        let all = self.regions.len();
        let shown = if all > room { room.saturating_sub(1) } else { all };
        for (y, from) in (area.y + 1..area.bottom()).zip(0..all.min(room)) {
            let row = if from < shown {
                self.row(from, theme)
            } else {
                Line::styled(format!("and {} more", all - shown), theme.dim)
            };
            buf.set_line(area.x, y, &row, area.width);
        }
    }

    fn row(&self, from: usize, theme: &Theme) -> Line<'static> {
        let region = self.regions[from];
        let name = match self.layout {
            Layout::Numbers => format!("{:>2} {}", from + 1, self.name(region)),
            _ => self.name(region),
        };
        let mut row = Line::raw(format!("{name:<0$}", self.label()));
        for (to, region) in self.regions.iter().enumerate() {
            let (shown, style) = match self.cells.get(&(from, to)) {
                _ if from == to => ("·".to_owned(), theme.dim),
                Some((level, why)) => (self.cell(*level, why), theme.level(*level)),
                None if self.refreshing => ("…".to_owned(), theme.dim),
                None => (String::new(), theme.dim),
            };
            let width = self.column(region);
            row.push_span(Span::styled(format!("{shown:<width$} "), style));
        }
        row
    }

    fn cell(&self, level: Level, why: &str) -> String {
        match (self.layout, level) {
            (Layout::Marks | Layout::Numbers, _) | (_, Level::Pass) => level.mark().to_owned(),
            _ => format!("{} {why}", level.mark()),
        }
    }

    fn name(&self, region: &Region) -> String {
        match self.layout {
            Layout::Full => region.to_string(),
            Layout::Short | Layout::Marks | Layout::Numbers => text::short_region(region),
        }
    }

    fn label(&self) -> usize {
        let number = if self.layout == Layout::Numbers { 3 } else { 0 };
        let name = self.regions.iter().map(|region| self.name(region).len()).max().unwrap_or(0);
        number + name + 2
    }

    fn column(&self, region: &Region) -> usize {
        match self.layout {
            Layout::Numbers => 2,
            Layout::Marks => self.name(region).len(),
            Layout::Full | Layout::Short => self.name(region).len().max(9),
        }
    }
}

fn cells(model: &Model, regions: &[&Region]) -> BTreeMap<(usize, usize), Cell> {
    let place = |region: &Region| regions.iter().position(|other| *other == region);
    let mut cells = BTreeMap::new();
    for finding in model.findings() {
        let cell = (
            finding.level,
            FindingFix::of(finding, model).map_or(why(finding.check), |fix| fix.word()),
        );
        match &finding.subject {
            Subject::Pair(a, b) => {
                let (Some(a), Some(b)) = (place(a), place(b)) else { continue };
                worst(&mut cells, (a, b), cell);
                // A route leads one way; everything else holds for both.
                if finding.check != "route.peering" {
                    worst(&mut cells, (b, a), cell);
                }
            }
            Subject::Region(to) if finding.check == "sg.peers" => {
                let Some(to) = place(to) else { continue };
                for (from, region) in regions.iter().enumerate() {
                    if from != to && concerns(finding, region) {
                        worst(&mut cells, (from, to), cell);
                    }
                }
            }
            _ => {}
        }
    }
    cells
}

/// Whether what a region's groups keep out are the nodes of `from`: its
/// evidence names them. What is not known concerns everyone.
fn concerns(finding: &Finding, from: &Region) -> bool {
    match finding.level {
        Level::Unknown => true,
        Level::Fail => finding.evidence.iter().any(|line| line.contains(from.as_str())),
        _ => false,
    }
}

fn worst(cells: &mut BTreeMap<(usize, usize), Cell>, place: (usize, usize), cell: Cell) {
    let kept = cells.entry(place).or_insert(cell);
    if cell.0 < kept.0 {
        *kept = cell;
    }
}

/// One word for a cell.
fn why(check: &str) -> &'static str {
    match check {
        "peering.active" => "peering",
        "route.peering" => "route",
        "sg.peers" => "group",
        "vpc.cidr-overlap" => "overlap",
        "vpc.default" => "default",
        _ => "other",
    }
}
