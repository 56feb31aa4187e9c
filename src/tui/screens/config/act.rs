//! What keys do on the Config screen.

use super::{
    State,
    document::{self, Document},
    marks::Mark,
};
use crate::tui::{
    Ui,
    action::{Action, Effect, ExternalProgram, Motion, Screen},
    model::{Model, Tone},
    screens::{Pane, finding},
    text,
};

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let state = &mut ui.config;
    if state.pane.go(action, &mut ui.screen) {
        return Vec::new();
    }
    match action {
        Action::Move(motion @ (Motion::Left | Motion::Right)) => beside(state, model, motion),
        Action::Move(motion) if state.pane == Pane::Second => {
            let keys: Vec<_> = document::all(model).iter().map(Document::key).collect();
            state.files.go(motion, &keys);
        }
        Action::Move(motion) => go(state, model, motion),
        Action::NextError => to_mark(ui, model, true),
        Action::PreviousError => to_mark(ui, model, false),
        Action::Open if state.pane == Pane::Second => state.pane = Pane::First,
        Action::Open => open_finding(ui, model),
        Action::Edit => return edit(ui, model),
        Action::Fix => return fix(ui, model),
        Action::Copy => return copy(ui, model),
        _ => {}
    }
    Vec::new()
}

/// The file before or behind the open one.
fn beside(state: &mut State, model: &Model, motion: Motion) {
    let keys: Vec<_> = document::all(model).iter().map(Document::key).collect();
    state.files.go(if motion == Motion::Left { Motion::Up } else { Motion::Down }, &keys);
}

fn go(state: &mut State, model: &Model, motion: Motion) {
    let (documents, open) = state.open(model);
    let Some(document) = open.map(|index| &documents[index]) else { return };
    let shown = document.shown(&state.filter);
    let Some(last) = shown.len().checked_sub(1) else { return };
    let mut place = state.place(document, &shown);
    let index = shown.partition_point(|line| *line < place.cursor);
    place.cursor = shown[motion.within(index, last, state.height)];
    state.places.insert(document.path.clone(), place);
}

/// The next marked line, or the one before; around the end of the last file.
fn to_mark(ui: &mut Ui, model: &Model, forward: bool) {
    let (documents, open) = ui.config.open(model);
    let Some(open) = open else { return };
    let shown = documents[open].shown(&ui.config.filter);
    let here = (open, ui.config.place(&documents[open], &shown).cursor);
    let marked = |(index, document): (usize, &Document<'_>)| {
        document.marked_lines().into_iter().map(move |line| (index, line)).collect::<Vec<_>>()
    };
    let all: Vec<_> = documents.iter().enumerate().flat_map(marked).collect();
    let found = if forward {
        all.iter().find(|place| **place > here).or(all.first())
    } else {
        all.iter().rev().find(|place| **place < here).or(all.last())
    };
    match found {
        Some((index, line)) => {
            ui.config.filter.clear();
            ui.config.pane = Pane::First;
            let path = documents[*index].path.clone();
            if *index == open {
                let mut place = ui.config.place(&documents[open], &shown);
                place.cursor = *line;
                ui.config.places.insert(path, place);
            } else {
                ui.config.go_to(&path, *line);
            }
        }
        None => ui.say(Tone::Good, "nothing is wrong in any config"),
    }
}

/// What stands under the cursor.
struct Here<'m> {
    document: Document<'m>,
    line: u32,
}

impl<'m> Here<'m> {
    fn of(state: &mut State, model: &'m Model) -> Option<Self> {
        let (mut documents, open) = state.open(model);
        let document = documents.swap_remove(open?);
        let shown = document.shown(&state.filter);
        let line = state.place(&document, &shown).cursor;
        Some(Self { document, line })
    }

    fn marks(&self) -> impl Iterator<Item = &Mark<'m>> {
        self.document.marks_at(self.line)
    }
}

fn open_finding(ui: &mut Ui, model: &Model) {
    let Some(here) = Here::of(&mut ui.config, model) else { return };
    let finding = here.marks().find_map(|mark| mark.finding);
    match finding {
        Some(finding) => {
            ui.preflight.show(finding);
            ui.screen = Screen::Preflight;
        }
        None => ui.say(Tone::Plain, "no check found anything about this line"),
    }
}

fn edit(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(here) = Here::of(&mut ui.config, model) else { return Vec::new() };
    if model.configs.in_memory {
        ui.say(Tone::Plain, "there is no file: these configs are the simulated world's own");
        return Vec::new();
    }
    if here.document.is_nowhere() {
        ui.say(Tone::Plain, "there is no file to open: these messages name none");
        return Vec::new();
    }
    let column = here.marks().map(|mark| mark.column).next().unwrap_or(1);
    let file = here.document.path.clone();
    vec![Effect::RunExternal(ExternalProgram::Edit { file, line: here.line, column })]
}

fn fix(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(here) = Here::of(&mut ui.config, model) else { return Vec::new() };
    let findings: Vec<_> = here.marks().filter_map(|mark| mark.finding).collect();
    if findings.is_empty() {
        ui.say(Tone::Plain, "no check found anything about this line");
        return Vec::new();
    }
    finding::fix(ui, model, &findings)
}

fn copy(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let Some(here) = Here::of(&mut ui.config, model) else { return Vec::new() };
    let marks: Vec<_> = here.marks().map(Mark::as_text).collect();
    let place = format!("{}:{}", here.document.path.display(), here.line);
    let line = text::clean(&here.document.line(here.line)).into_owned();
    let text = if marks.is_empty() { format!("{place}: {line}\n") } else { marks.join("\n") };
    ui.say(Tone::Plain, format!("copied {place}"));
    vec![Effect::Copy(text)]
}
