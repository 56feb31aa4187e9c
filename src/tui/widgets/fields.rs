//! Labelled paragraphs: `Evidence   us-west-2 …`, as the details panes have them.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use crate::tui::{text, theme::Theme};

/// Columns of a label where labels stand beside their text.
const LABEL: usize = 11;
/// From this width on there is room for labels beside the text.
const BESIDE: usize = 52;

/// Collects the lines of a details pane.
pub struct Fields<'t> {
    width: usize,
    theme: &'t Theme,
    lines: Vec<Line<'static>>,
}

impl<'t> Fields<'t> {
    /// An empty pane `width` columns wide.
    pub fn new(width: usize, theme: &'t Theme) -> Self {
        Self { width, theme, lines: Vec::new() }
    }

    /// A paragraph without a label.
    pub fn text(&mut self, paragraph: &str, style: Style) {
        for line in text::wrap(&text::clean(paragraph), self.width) {
            self.lines.push(Line::styled(line, style));
        }
    }

    /// An empty line, where labels don't part the fields already.
    pub fn gap(&mut self) {
        if self.indent() == LABEL {
            self.lines.push(Line::default());
        }
    }

    /// A label and its paragraphs.
    pub fn field<S: AsRef<str>>(&mut self, label: &'static str, paragraphs: &[S]) {
        self.styled(label, paragraphs, self.theme.text);
    }

    /// The same in a style.
    pub fn styled<S: AsRef<str>>(&mut self, label: &'static str, paragraphs: &[S], style: Style) {
        let indent = self.indent();
        if indent < LABEL {
            self.lines.push(Line::styled(label, self.theme.dim));
        }
        let mut label = Some(label);
        for paragraph in paragraphs {
            for line in text::wrap(&text::clean(paragraph.as_ref()), self.width - indent) {
                self.push(label.take(), Span::styled(line, style));
            }
        }
    }

    /// A label and lines that must not be wrapped, such as source lines.
    pub fn verbatim(&mut self, label: &'static str, lines: Vec<Span<'static>>) {
        if self.indent() < LABEL {
            self.lines.push(Line::styled(label, self.theme.dim));
        }
        let mut label = Some(label);
        for line in lines {
            self.push(label.take(), line);
        }
    }

    /// Columns left for a field's text.
    pub fn room(&self) -> usize {
        self.width - self.indent()
    }

    fn indent(&self) -> usize {
        if self.width >= BESIDE { LABEL } else { self.width.min(2) }
    }

    fn push(&mut self, label: Option<&'static str>, text: Span<'static>) {
        let indent = self.indent();
        let label = if indent < LABEL { "" } else { label.unwrap_or_default() };
        let label = Span::styled(format!("{label:indent$}"), self.theme.dim);
        self.lines.push(Line::from(vec![label, text]));
    }

    /// The lines.
    pub fn lines(self) -> Vec<Line<'static>> {
        self.lines
    }
}
