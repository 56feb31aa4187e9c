//! How the grid is laid out: with what names, and which steps are in sight.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{State, cells};
use crate::{
    config::Step,
    engine::NodeState,
    tui::{
        model::Model,
        text,
        theme::Theme,
        widgets::{
            panel,
            table::{Column, MARKER, Table},
        },
    },
};

/// Columns of the time of a phase or of a step, at least.
const TIME: usize = 5;
/// Columns of the total.
const TOTAL: usize = 6;

/// The widths of the grid.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// The steps.
    steps: &'a [&'a Step],
    /// Whether regions go by their short names.
    short: bool,
    /// Columns of a node's name.
    name: usize,
    /// Columns of a step, at most.
    step: usize,
}

impl<'a> Grid<'a> {
    /// The roomiest layout of all `steps` that fits into `width`, else the narrowest.
    pub fn new(nodes: &[&NodeState], steps: &'a [&'a Step], width: usize) -> Self {
        let layouts = [(false, 12), (false, 9), (true, 9), (true, 7)];
        let layouts = layouts.map(|(short, step)| {
            let widest = nodes.iter().map(|node| text::width(&name(node, short))).max();
            Self { steps, short, name: widest.unwrap_or(0).max(4) + 2, step }
        });
        let fits = |grid: &Self| grid.width() <= width;
        layouts.into_iter().find(fits).unwrap_or(layouts[3])
    }

    /// The columns that it takes with all steps.
    pub fn width(&self) -> usize {
        self.fixed() + self.steps.iter().map(|step| self.step_width(step) + 1).sum::<usize>()
    }

    /// Draws it.
    pub fn render(
        &self,
        model: &Model,
        state: &mut State,
        (nodes, selected, step): (&[&NodeState], Option<usize>, usize),
        (area, inner): (Rect, Rect),
        buf: &mut Buffer,
        theme: &Theme,
    ) {
        let steps = self.steps;
        let sight = self.in_sight(&mut state.first_step, step, inner.width.into());
        let columns = self.columns(sight.clone(), step);
        let table = Table { columns: &columns, theme, titles: true, selected, focused: true };
        let window = state.rows.window(selected, nodes.len(), table.height(inner));
        panel::position(&window, nodes.len(), area, buf, theme);
        table.render(window, inner, buf, |index| {
            let node = nodes[index];
            cells::row(node, &name(node, self.short), &steps[sight.clone()], model, theme)
        });
        let parts = [
            (sight.len() < steps.len())
                .then(|| format!("steps {}–{} of {}", sight.start + 1, sight.end, steps.len())),
            skipped(model.project.recipe.steps.len() - steps.len()),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            let text = format!(" {} ", parts.join(" · "));
            let line = Line::from(Span::styled(text, theme.dim));
            buf.set_line(area.x + 2, area.bottom() - 1, &line, area.width.saturating_sub(4));
        }
    }

    fn columns(&self, sight: Range<usize>, chosen: usize) -> Vec<Column<'static>> {
        let mut columns = vec![
            Column::new("  node", self.name),
            Column::right("boot", TIME),
            Column::right("ssh", TIME),
        ];
        columns.extend(sight.map(|index| {
            let width = self.step_width(self.steps[index]);
            let name = text::fit(&self.steps[index].name, width - 1);
            let mark = if index == chosen { "▸" } else { "" };
            Column::right(format!("{mark}{name}"), width)
        }));
        columns.push(Column::right("total", TOTAL));
        columns
    }

    /// Everything but the steps.
    fn fixed(&self) -> usize {
        MARKER + self.name + 1 + 2 * (TIME + 1) + TOTAL
    }

    /// The name and the mark of the chosen one.
    fn step_width(&self, step: &Step) -> usize {
        (text::width(&step.name) + 1).clamp(TIME + 1, self.step)
    }

    /// The steps that fit, the chosen one among them.
    fn in_sight(&self, first_step: &mut usize, chosen: usize, width: usize) -> Range<usize> {
        let room = width.saturating_sub(self.fixed());
        *first_step = (*first_step).min(chosen);
        loop {
            let first = *first_step;
            let mut used = 0;
            let fits = |step: &&&Step| {
                used += self.step_width(step) + 1;
                used <= room
            };
            let end = first + self.steps[first..].iter().take_while(fits).count();
            if chosen < end || first >= chosen {
                return first..end.max((first + 1).min(self.steps.len()));
            }
            *first_step += 1;
        }
    }
}

/// Steps that are left out.
fn skipped(count: usize) -> Option<String> {
    let steps = text::count(count, "no-op step");
    (count > 0).then(|| format!("{steps} hidden"))
}

fn name(node: &NodeState, short: bool) -> String {
    if short { text::short_node(&node.name) } else { node.name.to_string() }
}
