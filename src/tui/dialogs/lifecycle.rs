//! Stop, start, restart or adopt: shows the plan of the command that does the same
//! and asks for confirmation.

use ratatui::{buffer::Buffer, layout::Rect, text::Line};

use super::{Dialog, Form, launch};
use crate::{
    check::{Finding, Level, NAME_TAKEN},
    model::Price,
    report::{self, Block},
    tui::{
        Ui,
        action::{Action, Effect, Screen},
        lifecycle::Lifecycle,
        model::{Model, Tone},
        theme::Theme,
        widgets::{
            blocks,
            sheet::{Sheet, buttons, field},
        },
    },
};

/// The word that confirms an adoption despite failed checks.
const WORD: &str = "anyway";

/// What the dialog is about, and what was done in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// What would be done.
    pub lifecycle: Lifecycle,
    /// Button, field and scrolling.
    pub form: Form,
}

/// Opens the dialog and asks the engine what it would mean.
pub fn open(ui: &mut Ui, model: &Model, lifecycle: Lifecycle) -> Vec<Effect> {
    if let Some(why) = lifecycle.refusal(model) {
        ui.say(Tone::Plain, why);
        return Vec::new();
    }
    ui.dialog = Some(Dialog::Lifecycle(Asking { lifecycle, form: Form::default() }));
    lifecycle.asks().map(Effect::Send).into_iter().collect()
}

/// Whether it is known what would be done, and there is something.
pub fn can_begin(asking: &Asking, model: &Model) -> bool {
    asking.lifecycle.command(model).is_some()
}

/// Whether a word is asked for: what is taken over could not work.
pub fn wants_word(asking: &Asking, model: &Model) -> bool {
    asking.lifecycle == Lifecycle::Adopt
        && can_begin(asking, model)
        && !stands_in_the_way(model).is_empty()
}

/// The checks that fail, but for the one that an adoption fixes.
fn stands_in_the_way(model: &Model) -> Vec<&Finding> {
    let fails = |one: &&Finding| one.level == Level::Fail && one.check != NAME_TAKEN;
    model.findings().iter().filter(fails).collect()
}

/// Draws the dialog.
pub fn view(model: &Model, asking: &mut Asking, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let width = area.width.min(if asking.lifecycle == Lifecycle::Adopt { 116 } else { 88 });
    let room = usize::from(width.saturating_sub(4));
    let mut lines = match plan(asking.lifecycle, model) {
        Some(plan) => blocks::lines(&rows_last(plan), room, theme),
        None => awaited(asking.lifecycle, theme),
    };
    if can_begin(asking, model) && model.simulated {
        lines.push(Line::styled("This world is simulated: nothing is billed.", theme.dim));
    }
    if wants_word(asking, model) {
        let failing = stands_in_the_way(model);
        lines.extend(launch::failing(&failing, room, theme));
    }
    let foot = foot(model, asking, theme);
    let title = title(asking.lifecycle);
    Sheet { title, width, lines, foot }.render(&mut asking.form.scroll, area, buf, theme);
}

fn title(lifecycle: Lifecycle) -> &'static str {
    match lifecycle {
        Lifecycle::Stop => "Stop the instances",
        Lifecycle::Start => "Start the instances",
        Lifecycle::Restart => "Restart all services",
        Lifecycle::Adopt => "Adopt what `ray up` made",
    }
}

/// Behind what it is about, `text`.
fn insert_second(blocks: &mut Vec<Block>, text: Option<String>) {
    if let Some(text) = text {
        blocks.insert(1.min(blocks.len()), Block::Text(text));
    }
}

/// The machines below what becomes of them: many of them would push that out of sight.
fn rows_last(mut blocks: Vec<Block>) -> Vec<Block> {
    let rows = blocks.iter().position(|one| matches!(one, Block::Rows(..)));
    if let Some(index) = rows.filter(|index| index + 1 < blocks.len()) {
        let rows = blocks.remove(index);
        blocks.extend([Block::Gap, rows]);
    }
    // The gaps that were around it.
    blocks.dedup();
    blocks
}

/// What the command shows, and what the machines cost an hour.
fn plan(lifecycle: Lifecycle, model: &Model) -> Option<Vec<Block>> {
    let (state, project) = (&model.state, &model.project);
    match lifecycle {
        Lifecycle::Stop => {
            let plan = model.plans.stop.as_ref()?;
            let mut blocks = report::stop_plan(state, plan);
            let price = price(&plan.stop, model);
            let text = |price| format!("That saves {price} an hour; volumes cost what they did.");
            insert_second(&mut blocks, price.map(text));
            Some(blocks)
        }
        Lifecycle::Start => {
            let plan = model.plans.start.as_ref()?;
            let mut blocks = report::start_plan(project, state, plan);
            let text = |price| format!("They cost {price} an hour on demand from then on.");
            insert_second(&mut blocks, price(&plan.start, model).map(text));
            Some(blocks)
        }
        Lifecycle::Restart => Some(report::restart_plan(project, state)),
        Lifecycle::Adopt => Some(report::adopt_plan(project, model.plans.adopt.as_ref()?)),
    }
}

fn price(
    machines: &[(crate::model::Region, crate::cloud::Instance)],
    model: &Model,
) -> Option<Price> {
    let each = machines.iter();
    let price =
        Price::sum(each.map(|(region, one)| model.usd_per_hour(region, &one.instance_type)));
    (price.known > 0).then_some(price)
}

fn awaited(lifecycle: Lifecycle, theme: &Theme) -> Vec<Line<'static>> {
    let what = match lifecycle {
        Lifecycle::Adopt => "▶ Asking every region for what `ray up` made, and trying SSH to each…",
        _ => "▶ Asking every region for what carries the cluster's id…",
    };
    vec![Line::styled(what, theme.busy), Line::styled("Nothing is changed yet.", theme.dim)]
}

fn foot(model: &Model, asking: &Asking, theme: &Theme) -> Vec<Line<'static>> {
    if !can_begin(asking, model) {
        return vec![buttons(&["Close"], 0, theme)];
    }
    if wants_word(asking, model) {
        return vec![
            field(WORD, &asking.form.typed, "adopt despite failures", theme),
            Line::styled("Esc closes, nothing is changed", theme.dim),
        ];
    }
    let button = match asking.lifecycle {
        Lifecycle::Stop => "Stop",
        Lifecycle::Start => "Start",
        Lifecycle::Restart => "Restart",
        Lifecycle::Adopt => "Take over",
    };
    vec![
        buttons(&["Cancel", button], asking.form.focus, theme),
        Line::styled("Tab, then Enter; or Y does it. Esc closes, nothing is changed", theme.dim),
    ]
}

/// What a key does here.
pub fn update(ui: &mut Ui, model: &Model, action: Action) -> Vec<Effect> {
    let Some(Dialog::Lifecycle(asking)) = &mut ui.dialog else { return Vec::new() };
    let command = asking.lifecycle.command(model);
    if asking.form.take(action, if command.is_some() { 2 } else { 1 }) {
        return Vec::new();
    }
    let word = wants_word(asking, model);
    let begins = match action {
        Action::Confirm => true,
        Action::Open if word && asking.form.typed != WORD => return Vec::new(),
        Action::Open => word || asking.form.focus == 1,
        _ => return Vec::new(),
    };
    let shows =
        if asking.lifecycle == Lifecycle::Stop { Screen::Instances } else { Screen::Bootstrap };
    ui.dialog = None;
    let Some(command) = command.filter(|_| begins) else { return Vec::new() };
    ui.screen = shows;
    vec![Effect::Send(command)]
}
