//! How a line of a log is written on the screen.

use ratatui::text::{Line, Span};

use crate::{
    engine::LogLine,
    model::NodeName,
    tui::{model::Model, text, theme::Theme},
};

/// Whether a line reports an error, by the words that tools use.
pub fn looks_like_error(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "error",
        "fatal",
        "failed",
        "traceback",
        "panic",
        "denied",
        "cannot ",
        "could not",
        "no such file",
    ];
    let lower = text.to_ascii_lowercase();
    lower.starts_with("e: ") || WORDS.iter().any(|word| lower.contains(word))
}

/// The columns before the text of each line.
pub struct Heads {
    /// Those of the node's name; 0 where one node's log is shown.
    node: usize,
    /// Whether regions go by their short names, and steps are left out beside nodes.
    short: bool,
    /// Those of the step's name; 0 where it is left out.
    step: usize,
}

impl Heads {
    /// For lines of `nodes`; `short` where there is little room.
    pub fn new(nodes: &[&NodeName], model: &Model, short: bool) -> Self {
        let merged = nodes.len() > 1;
        let names = nodes.iter().map(|node| text::width(&name(node, short)));
        let steps = model.project.recipe.steps.iter().map(|step| text::width(&step.name));
        let node = if merged { names.max().unwrap_or(0) } else { 0 };
        let step = if merged && short { 0 } else { steps.max().unwrap_or(0).min(14) };
        Self { node, short, step }
    }

    /// What stands before `line` of `node`.
    pub fn of(&self, line: &LogLine, node: &NodeName, model: &Model) -> String {
        let mut parts = vec![text::time_of_day(line.at, &model.zone)];
        if self.node > 0 {
            parts.push(format!("{:<1$}", name(node, self.short), self.node));
        }
        if self.step > 0 {
            let step = line.step.split('.').next().unwrap_or_default();
            parts.push(format!("{:<1$}", text::fit(step, self.step), self.step));
        }
        parts.join(" ") + " "
    }
}

fn name(node: &NodeName, short: bool) -> String {
    if short { text::short_node(node) } else { node.to_string() }
}

/// A line, cut to the width; the one under the cursor is wrapped instead.
pub fn shown(
    line: &LogLine,
    head: String,
    is_cursor: bool,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let text = text::clean(&line.text);
    let style = if looks_like_error(&text) { theme.bad } else { theme.text };
    let mark = if is_cursor { "▌" } else { " " };
    let room = width.saturating_sub(text::width(&head) + 1).max(10);
    let texts =
        if is_cursor { text::wrap(&text, room) } else { vec![text::fit(&text, room).into_owned()] };
    let blank = " ".repeat(text::width(&head));
    let heads = std::iter::once(head).chain(std::iter::repeat(blank));
    let line = |(text, head)| {
        Line::from(vec![
            Span::styled(mark, theme.accent),
            Span::styled(head, theme.dim),
            Span::styled(text, style),
        ])
    };
    texts.into_iter().zip(heads).map(line).collect()
}
