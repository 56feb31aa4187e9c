//! The machines as rows of a table that can be sorted by each column.

use std::cmp::Ordering;

use ratatui::style::Style;

use crate::{
    engine::{InstanceInfo, NodeState},
    tui::{
        model::Model,
        text,
        theme::{Theme, phase_mark},
        ui::matches,
    },
};

/// A machine.
#[derive(Clone, Copy, Debug)]
pub enum Row<'m> {
    /// A node of the plan, with or without a machine.
    Node(&'m NodeState),
    /// A machine with the cluster's id that no launch on record made.
    Stray(&'m InstanceInfo),
}

impl<'m> Row<'m> {
    /// What it is called.
    pub fn key(&self) -> &'m str {
        match self {
            Self::Node(node) => node.name.as_str(),
            Self::Stray(info) => info.id.as_str(),
        }
    }

    /// Whether its machine was there before muster took it over.
    pub fn is_adopted(&self) -> bool {
        self.info().is_some_and(|info| info.adopted)
    }

    /// Its machine, if there is one.
    pub fn info(&self) -> Option<&'m InstanceInfo> {
        match self {
            Self::Node(node) => node.instance.as_ref(),
            Self::Stray(info) => Some(info),
        }
    }
}

/// A column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// The node's name, in the order of the plan.
    #[default]
    Node,
    /// Where it is on its way.
    Phase,
    /// The instance id.
    Instance,
    /// The instance type.
    Type,
    /// The zone.
    Zone,
    /// The private address.
    Private,
    /// The public address.
    Public,
    /// How long it has been there.
    Age,
    /// Its price an hour.
    Price,
    /// Why it failed.
    Why,
}

impl Field {
    /// All, in their order on the screen.
    pub const ALL: [Self; 10] = [
        Self::Node,
        Self::Phase,
        Self::Instance,
        Self::Type,
        Self::Zone,
        Self::Private,
        Self::Public,
        Self::Age,
        Self::Price,
        Self::Why,
    ];

    /// The one that comes next in sorting, of those that are `shown`.
    pub fn next(self, shown: &[Self]) -> Self {
        let place = Self::ALL.iter().position(|field| *field == self).unwrap_or(0);
        let after = Self::ALL.iter().cycle().skip(place + 1).take(Self::ALL.len());
        after.copied().find(|field| shown.contains(field)).unwrap_or_default()
    }

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Phase => "phase",
            Self::Instance => "instance",
            Self::Type => "type",
            Self::Zone => "zone",
            Self::Private => "private",
            Self::Public => "public",
            Self::Age => "age",
            Self::Price => "$/h",
            Self::Why => "why",
        }
    }

    /// Which columns stay where it is narrow: low ones do.
    pub fn rank(self) -> u8 {
        match self {
            Self::Node => 0,
            Self::Phase => 1,
            Self::Instance => 2,
            Self::Public => 3,
            Self::Age => 4,
            Self::Type => 5,
            Self::Private => 6,
            Self::Zone => 7,
            Self::Price => 8,
            Self::Why => 9,
        }
    }

    /// The most columns that it may take.
    pub fn limit(self) -> usize {
        if self == Self::Why { 12 } else { 39 }
    }

    /// Whether its cells stand at the right.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Age | Self::Price)
    }

    /// Its text in `row`.
    pub fn of(self, row: &Row<'_>, model: &Model) -> String {
        let info = row.info();
        let none = || "·".to_owned();
        match self {
            Self::Node => name(row),
            Self::Phase => phase(row, model),
            Self::Instance => info.map_or_else(none, |info| info.id.to_string()),
            Self::Type => instance_type(row),
            Self::Zone => {
                info.and_then(|info| info.zone.as_ref()).map_or_else(none, ToString::to_string)
            }
            Self::Private => {
                info.and_then(|info| info.private_ip).map_or_else(none, |ip| ip.to_string())
            }
            Self::Public => {
                info.and_then(|info| info.public_ip).map_or_else(none, |ip| ip.to_string())
            }
            Self::Age => info.map_or_else(none, |info| age(info, model)),
            Self::Price => shown_price(row, model),
            Self::Why => why(row, model),
        }
    }

    /// The style of its cell.
    pub fn style(self, row: &Row<'_>, theme: &Theme) -> Style {
        match (self, row) {
            (Self::Phase, Row::Node(node)) if node.lost_since.is_some() => theme.warn,
            (Self::Phase, Row::Node(node)) => theme.phase(node.phase),
            (Self::Phase | Self::Node, Row::Stray(_)) => theme.warn,
            (Self::Node, Row::Node(node)) if node.leader => theme.accent,
            (Self::Why, _) => theme.bad,
            _ => theme.text,
        }
    }

    fn order(self, a: &Row<'_>, b: &Row<'_>, model: &Model) -> Ordering {
        match self {
            Self::Node => Ordering::Equal,
            Self::Phase => phase_of(a).cmp(&phase_of(b)),
            Self::Age => since(b).cmp(&since(a)),
            Self::Private => {
                a.info().and_then(|i| i.private_ip).cmp(&b.info().and_then(|i| i.private_ip))
            }
            Self::Public => {
                a.info().and_then(|i| i.public_ip).cmp(&b.info().and_then(|i| i.public_ip))
            }
            Self::Price => billed_price(a, model).total_cmp(&billed_price(b, model)),
            _ => self.of(a, model).cmp(&self.of(b, model)),
        }
    }
}

fn name(row: &Row<'_>) -> String {
    match row {
        Row::Node(node) => {
            let leads = if node.leader { "★" } else { " " };
            let adopted = if row.is_adopted() { " ◊" } else { "" };
            format!("{leads} {}{adopted}", node.name)
        }
        Row::Stray(_) => "! not on record".into(),
    }
}

fn phase(row: &Row<'_>, model: &Model) -> String {
    match row {
        Row::Node(node) if model.disconnected(node).is_some() => "! ssh lost".into(),
        Row::Node(node) => format!("{} {}", phase_mark(node.phase), node.phase.as_str()),
        Row::Stray(info) => format!("! {}", super::details::state(info.state)),
    }
}

fn phase_of(row: &Row<'_>) -> Option<crate::engine::Phase> {
    match row {
        Row::Node(node) => Some(node.phase),
        Row::Stray(_) => None,
    }
}

fn instance_type(row: &Row<'_>) -> String {
    match row {
        Row::Node(node) => node.instance_type.to_string(),
        Row::Stray(info) => info.instance_type.to_string(),
    }
}

fn since(row: &Row<'_>) -> Option<jiff::Timestamp> {
    row.info().map(|info| info.since)
}

fn age(info: &InstanceInfo, model: &Model) -> String {
    text::between(info.since, info.ended.unwrap_or_else(|| model.now()))
}

fn price(row: &Row<'_>, model: &Model) -> Option<f64> {
    match row {
        Row::Node(node) => model.price_of(node),
        Row::Stray(info) => model.usd_per_hour(&info.region, &info.instance_type),
    }
}

/// What is billed an hour; of one that is stopped that is its volumes alone.
fn shown_price(row: &Row<'_>, model: &Model) -> String {
    match row.info().map(|info| info.state) {
        Some(state) if state.is_stopped() => "volumes".into(),
        Some(state) if !state.is_live() => "-".into(),
        _ => price(row, model).map_or_else(|| "?".into(), |usd| format!("{usd:.3}")),
    }
}

/// For sorting: machines that run first, by what they cost.
fn billed_price(row: &Row<'_>, model: &Model) -> f64 {
    let runs = row.info().is_none_or(|info| info.state.is_live() && !info.state.is_stopped());
    price(row, model).filter(|_| runs).unwrap_or_default()
}

fn why(row: &Row<'_>, model: &Model) -> String {
    match row {
        Row::Node(node) => text::clean(&model.why(node)).into_owned(),
        Row::Stray(_) => String::new(),
    }
}

/// The machines that contain `filter`, sorted.
pub fn rows<'m>(model: &'m Model, filter: &str, sort: Field, reversed: bool) -> Vec<Row<'m>> {
    let nodes = model.nodes_in_order().into_iter().map(Row::Node);
    let strays = model.state.strays.values().map(Row::Stray);
    let found = |row: &Row<'_>| {
        let texts = [Field::Node, Field::Phase, Field::Instance, Field::Type, Field::Zone]
            .map(|field| field.of(row, model));
        let more = [Field::Private, Field::Public, Field::Why].map(|field| field.of(row, model));
        let texts: Vec<_> = texts.iter().chain(&more).map(String::as_str).collect();
        matches(filter, &texts)
    };
    let mut rows: Vec<_> =
        nodes.chain(strays).filter(|row| filter.is_empty() || found(row)).collect();
    rows.sort_by(|a, b| sort.order(a, b, model));
    if reversed {
        rows.reverse();
    }
    rows
}
