//! When EC2 listed the cluster's instances last: what the screens show of them
//! holds as of then.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ratatui::text::{Line, Span};

use super::{model::Model, text, theme::Theme};
use crate::{
    engine::Health,
    model::{Failure, Region},
};

/// Readings of one round are no further apart.
const ROUND: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause between two readings while one fails, and some time for the calls.
const LONGEST: SignedDuration = SignedDuration::from_secs(6 * 60);

/// The last reading of a region's instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsOf {
    /// When it succeeded last.
    pub at: Option<Timestamp>,
    /// Why it has failed since.
    pub failure: Option<Failure>,
}

/// The same of a region with instances, as it is shown.
pub struct RegionAsOf<'m> {
    /// The region.
    pub region: &'m Region,
    /// When its instances were read last, else when the last record was made.
    pub at: Timestamp,
    /// Whether they may have changed since, unseen.
    pub is_stale: bool,
    /// Why they were not read since.
    pub failure: Option<&'m Failure>,
}

impl<'m> RegionAsOf<'m> {
    /// Of `region`; none where nothing was ever recorded.
    pub fn of(region: &'m Region, model: &'m Model) -> Option<Self> {
        let read = model.as_of.get(region);
        let at = read.and_then(|read| read.at).or(model.state.updated)?;
        let failure = read.and_then(|read| read.failure.as_ref());
        let is_old = read.is_some() && model.now().duration_since(at) > LONGEST;
        Some(Self { region, at, is_stale: failure.is_some() || is_old, failure })
    }
}

/// All regions that have instances.
fn regions(model: &Model) -> Vec<RegionAsOf<'_>> {
    let in_use: BTreeSet<_> = model.state.live().map(|info| &info.region).collect();
    in_use.into_iter().filter_map(|region| RegionAsOf::of(region, model)).collect()
}

/// Whether what is shown of a region's instances may have changed since.
pub fn is_stale(model: &Model) -> bool {
    regions(model).iter().any(|one| one.is_stale)
}

/// ` as of 14:02:11`, for a title: the oldest reading, of a cluster in which
/// nothing is under way that reads all the time.
pub fn span(model: &Model, theme: &Theme) -> Option<Span<'static>> {
    let regions = regions(model);
    let oldest = regions.iter().map(|one| one.at).min()?;
    let at = text::time_of_day(oldest, &model.zone);
    if regions.iter().any(|one| one.is_stale) {
        return Some(Span::styled(format!(" as of {at} !"), theme.warn));
    }
    let moves = matches!(
        model.state.readiness().health,
        Health::Launching | Health::Stopping | Health::Terminating
    );
    (!moves).then(|| Span::styled(format!(" as of {at}"), theme.dim))
}

/// ` as of 14:02:11, euw1 13:58:02 ! `: where the regions differ, the newest
/// reading and those that are older.
pub fn by_region(model: &Model, theme: &Theme) -> Option<Line<'static>> {
    let regions = regions(model);
    let newest = regions.iter().map(|one| one.at).max()?;
    let is_older = |one: &&RegionAsOf<'_>| newest.duration_since(one.at) > ROUND || one.is_stale;
    let older: Vec<_> = regions.iter().filter(is_older).collect();
    if older.is_empty() {
        return None;
    }
    let time = |at| text::time_of_day(at, &model.zone);
    let mut line = Line::styled(" as of ", theme.dim);
    if older.len() < regions.len() {
        line.push_span(Span::styled(format!("{}, ", time(newest)), theme.dim));
    }
    for (index, one) in older.iter().enumerate() {
        let gap = if index == 0 { "" } else { ", " };
        let (mark, style) = if one.is_stale { (" !", theme.warn) } else { ("", theme.dim) };
        let text = format!("{gap}{} {}{mark}", text::short_region(one.region), time(one.at));
        line.push_span(Span::styled(text, style));
    }
    line.push_span(Span::raw(" "));
    Some(line)
}
