//! Quit? What goes on without muster, and what is billed.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{Dialog, Form};
use crate::tui::{
    Ui,
    action::{Action, Effect},
    model::{Model, Work},
    text,
    theme::Theme,
    widgets::sheet::{Sheet, buttons},
};

/// Opens the dialog; where nothing goes on, quits at once.
pub fn open(ui: &mut Ui, model: &Model) -> Vec<Effect> {
    let live = model.state.billed().next().is_some();
    if model.work == Work::None && !live {
        return vec![Effect::Quit];
    }
    ui.dialog = Some(Dialog::Quit(Form::default()));
    Vec::new()
}

/// Draws the dialog.
pub fn view(model: &Model, form: &mut Form, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = area.width.min(72);
    let texts = if model.simulated { simulated() } else { real(model) };
    let lines = texts
        .iter()
        .flat_map(|paragraph| text::wrap(paragraph, usize::from(width) - 4))
        .map(|line| Line::styled(line, theme.text))
        .collect();
    let keys = match model.read_only {
        Some(_) => "q quits · Esc stays",
        None => "q quits · D terminates the cluster instead · Esc stays",
    };
    let foot = vec![buttons(&["Stay", "Quit"], form.focus, theme), Line::styled(keys, theme.dim)];
    Sheet { title: "Quit muster?", width, lines, foot }.render(&mut form.scroll, area, buf, theme);
}

fn simulated() -> Vec<String> {
    vec!["This world is simulated: its machines end with muster, and nothing was billed.".into()]
}

fn real(model: &Model) -> Vec<String> {
    let live = model.state.billed().count();
    let price = model.running_price();
    let price = if price.known > 0 { format!(" at {price} an hour") } else { String::new() };
    let verb = if live == 1 { "runs on and is" } else { "run on and are" };
    let mut texts = Vec::new();
    if live > 0 {
        let machines = text::count(live, "instance");
        let end =
            if model.read_only.is_some() { "`muster down`" } else { "D here or `muster down`" };
        texts.push(format!("{machines} {verb} billed{price}, until {end}."));
    }
    match model.work {
        Work::Up => texts.push(
            "A launch that is on its way is finished first. Steps on the nodes go on without muster, and `muster up` picks them up again.".into(),
        ),
        Work::Down => texts.push(
            "The cluster is terminating. After quitting, `muster down` reports whether every instance is terminated.".into(),
        ),
        Work::Stop => texts.push(
            "Instances that are already stopping will stop without muster; run `muster stop` again for the rest.".into(),
        ),
        Work::Fix => texts.push("The call under way is waited for; the next fix goes on from there.".into()),
        Work::None => {}
    }
    texts
}

/// What a key does here.
pub fn update(ui: &mut Ui, action: Action) -> Vec<Effect> {
    let Some(Dialog::Quit(form)) = &mut ui.dialog else { return Vec::new() };
    if form.take(action, 2) || action != Action::Open {
        return Vec::new();
    }
    let quits = form.focus == 1;
    ui.dialog = None;
    if quits { vec![Effect::Quit] } else { Vec::new() }
}
