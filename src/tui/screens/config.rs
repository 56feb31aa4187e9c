//! The configs as they are, with what is wrong in them in its place: what the
//! loader reports, and the findings whose source is a line.
//!
//! ```text
//! ╭ Files ────────────╮╭ eu.yaml ✗2 ─────────────────────────────────────────╮
//! │▌ muster.yaml      ││    17 │       ImageId: ami-0530ca8899fac469f         │
//! │  eu.yaml       ✗2 ││ ▌✗ 18 │       KeyName: quokka                        │
//! │  ap.yaml       ✗1 ││       │                ^^^^^^ ✗ fails key.exists: …  │
//! ╰───────────────────╯╰──────────────────────────────────────────────────────╯
//! ```

use std::{collections::BTreeMap, path::Path, sync::Arc};

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::Pane;
use crate::tui::{
    model::Model,
    text,
    theme::Theme,
    widgets::{
        chrome::counts,
        panel,
        selection::Selection,
        table::{Column, MARKER, Table, cut},
    },
};

mod act;
mod document;
mod lines;
mod marks;

pub use act::update;
use document::{Document, NOWHERE};
use lines::Page;

/// What the user has done here.
#[derive(Debug, Default)]
pub struct State {
    pub(in crate::tui) filter: String,
    files: Selection,
    pane: Pane,
    /// The line under the cursor and the first one in sight, of each file.
    places: BTreeMap<Arc<Path>, Place>,
    height: usize,
    on_finding: bool,
}

/// Where the user is in a file; lines from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    cursor: u32,
    first: u32,
}

impl Default for Place {
    fn default() -> Self {
        Self { cursor: 1, first: 1 }
    }
}

impl State {
    /// Whether the checks found something that goes back to the selected line.
    pub fn is_on_finding(&self) -> bool {
        self.on_finding
    }

    /// Goes to the first error that the configs have, if they have one.
    pub fn show_first_error(&mut self, model: &Model) {
        let mut errors = model.configs.diagnostics.iter().filter(|one| one.is_error());
        let Some(error) = errors.next() else { return };
        let (file, line) = match &error.location {
            Some(location) => (location.file.clone(), location.line),
            None => (Path::new(NOWHERE).into(), 1),
        };
        self.filter.clear();
        self.pane = Pane::First;
        self.go_to(&file, line);
    }

    fn go_to(&mut self, file: &Arc<Path>, line: u32) {
        self.files.select(file.to_string_lossy());
        let above = u32::try_from(self.height / 3).unwrap_or(0);
        let place = Place { cursor: line, first: line.saturating_sub(above).max(1) };
        self.places.insert(file.clone(), place);
    }

    /// The files, and which one is open.
    fn open<'m>(&mut self, model: &'m Model) -> (Vec<Document<'m>>, Option<usize>) {
        let documents = document::all(model);
        let keys: Vec<_> = documents.iter().map(Document::key).collect();
        let open = self.files.settle(&keys);
        (documents, open)
    }

    /// Where the user is in `document`, on a line that is shown.
    fn place(&self, document: &Document<'_>, shown: &[u32]) -> Place {
        let mut place = self.places.get(&document.path).copied().unwrap_or_default();
        let next = shown.partition_point(|line| *line < place.cursor);
        let nearest = shown.get(next).or(shown.last());
        place.cursor = nearest.copied().unwrap_or(1);
        place
    }
}

/// Draws the screen.
pub fn view(model: &Model, state: &mut State, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let (documents, open) = state.open(model);
    let widest = documents.iter().map(|one| text::width(&one.name)).max().unwrap_or(0) + 12;
    let widest = u16::try_from(widest).unwrap_or(u16::MAX).clamp(20, (area.width * 3 / 10).max(20));
    let [left, right] =
        Layout::horizontal([Constraint::Length(widest), Constraint::Fill(1)]).areas(area);
    files(state, &documents, open, left, buf, theme);
    match open.map(|index| &documents[index]) {
        Some(document) => page(model, state, document, right, buf, theme),
        None => _ = panel::pane(Line::default(), true, right, buf, theme),
    }
}

fn files(
    state: &mut State,
    documents: &[Document<'_>],
    open: Option<usize>,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::Second;
    let inner = panel::pane(Line::styled("Files", theme.strong), focused, area, buf, theme);
    let columns = [Column::new("", usize::from(inner.width).saturating_sub(MARKER))];
    let table = Table { columns: &columns, theme, titles: false, selected: open, focused };
    let window = state.files.window(open, documents.len(), table.height(inner));
    panel::position(&window, documents.len(), area, buf, theme);
    table.render(window.clone(), inner, buf, |index| {
        vec![Span::raw(text::clean(&documents[index].name))]
    });
    for (y, index) in (inner.y..inner.bottom()).zip(window) {
        let line = Line::from(counts(&documents[index].summary(), theme));
        let columns = u16::try_from(line.width()).unwrap_or(0).min(inner.width / 2);
        buf.set_line(inner.right() - columns, y, &line, columns);
    }
}

fn page(
    model: &Model,
    state: &mut State,
    document: &Document<'_>,
    area: Rect,
    buf: &mut Buffer,
    theme: &Theme,
) {
    let focused = state.pane == Pane::First;
    let shown = document.shown(&state.filter);
    let title = title(model, state, document, shown.len(), theme);
    let title = cut(title, usize::from(area.width).saturating_sub(4));
    let inner = panel::pane(title, focused, area, buf, theme);
    let banner = banner(model, inner.width.into(), theme);
    let above = u16::try_from(banner.len()).unwrap_or(0).min(inner.height / 3);
    let [top, inner] =
        Layout::vertical([Constraint::Length(above), Constraint::Fill(1)]).areas(inner);
    panel::lines(banner.iter(), top, buf);
    state.height = inner.height.into();
    if shown.is_empty() {
        let why = if state.filter.is_empty() {
            "The file is empty.".to_owned()
        } else {
            format!("No line with “{}”. Esc drops the filter.", state.filter)
        };
        let line = Line::styled(format!("  {why}"), theme.dim);
        return panel::lines(std::iter::once(&line), inner, buf);
    }
    let mut place = state.place(document, &shown);
    let page = Page { document, model, width: inner.width.into(), theme };
    place.first = page.first(&shown, place, state.height);
    page.render(&shown, place, focused, inner, buf);
    let start = shown.partition_point(|line| *line < place.first);
    let rows = state.height.min(shown.len() - start);
    panel::position(&(start..start + rows), shown.len(), area, buf, theme);
    state.on_finding = document.marks_at(place.cursor).any(|mark| mark.finding.is_some());
    state.places.insert(document.path.clone(), place);
}

fn title<'a>(
    model: &Model,
    state: &State,
    document: &Document<'_>,
    shown: usize,
    theme: &Theme,
) -> Line<'a> {
    let name = document.path.to_string_lossy();
    let mut title = Line::styled(text::clean(&name).into_owned(), theme.strong);
    if let Some(about) = document.about(model) {
        title.push_span(Span::styled(format!(" · {about}"), theme.dim));
    }
    title.spans.extend(counts(&document.summary(), theme));
    if model.changed_files.contains(&document.path) {
        title.push_span(Span::styled(" · changed on disk: R loads it", theme.warn));
    }
    if !state.filter.is_empty() {
        let lines = text::count(shown, "line");
        title.push_span(Span::styled(format!(" · {lines} with “{}”", state.filter), theme.accent));
    }
    title
}

/// What comes before every line: that the plan is not of these files.
fn banner(model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let Some(refused) = &model.configs.refused else { return Vec::new() };
    let (errors, _) = model.diagnostics();
    let why = match errors {
        0 => refused.to_string(),
        _ => format!("{} to fix first", text::count(errors, "error")),
    };
    let what =
        format!("✗ Not taken over: {}. What was loaded before stays planned.", text::clean(&why));
    let lines = text::wrap(&what, width.saturating_sub(2)).into_iter();
    lines.map(|line| Line::styled(format!(" {line}"), theme.bad)).collect()
}
