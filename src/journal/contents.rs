//! What the bytes of a journal say: the records, and the lines that are none.

use super::{
    FORMAT,
    line::{Unreadable, decode},
};
use crate::journal::{Event, Stamped};

/// What a journal holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The records that can be read, in order.
    pub records: Vec<Stamped>,
    /// The lines that can't be read, by number from 1.
    pub unreadable: Vec<(usize, Unreadable)>,
    /// The format of the newest records.
    pub format: u32,
    /// How many bytes are whole lines.
    pub(super) whole: u64,
    /// What follows the last line feed.
    pub(super) tail: Tail,
}

/// What follows the last line feed of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    Nothing,
    /// The beginning of a record: cut off before the next one is appended.
    HalfARecord,
    /// Anything else: kept, as a line that can't be read.
    Other,
}

impl Contents {
    pub(super) fn of(text: &[u8]) -> Self {
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let tail = match &text[whole..] {
            [] => Tail::Nothing,
            [b'{', ..] => Tail::HalfARecord,
            _ => Tail::Other,
        };
        let read = if tail == Tail::Other { text } else { &text[..whole] };
        let mut contents = Self {
            records: Vec::new(),
            unreadable: Vec::new(),
            format: 1,
            whole: whole as u64,
            tail,
        };
        for (index, line) in read.split(|byte| *byte == b'\n').enumerate() {
            if !line.is_empty() {
                contents.add(index + 1, decode(line));
            }
        }
        contents
    }

    fn add(&mut self, number: usize, line: Result<Stamped, Unreadable>) {
        let format = match &line {
            Ok(Stamped { event: Event::RunStarted { format, .. }, .. })
            | Err(Unreadable::NewerFormat(format)) => *format,
            _ => 1,
        };
        self.format = self.format.max(format);
        match line {
            Ok(record) => self.records.push(record),
            Err(reason) => self.unreadable.push((number, reason)),
        }
    }

    /// Whether the journal was written by a newer version, in a format of its own.
    pub fn is_newer(&self) -> bool {
        self.format > FORMAT
    }

    /// Whether there is nothing in it at all.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.unreadable.is_empty()
    }

    /// Whether the cluster is terminated: nothing was launched or adopted since that
    /// was recorded. `None` where no record settles it.
    pub fn is_terminated(&self) -> Option<bool> {
        self.records.iter().rev().find_map(|record| match &record.event {
            Event::ClusterGone => Some(true),
            event => makes_instances(event).then_some(false),
        })
    }

    /// When something was last launched or adopted.
    pub(super) fn last_launch(&self) -> Option<jiff::Timestamp> {
        self.records.iter().rev().find(|one| makes_instances(&one.event)).map(|one| one.at)
    }
}

/// Whether the cluster has instances after `event` that it may not have had before.
fn makes_instances(event: &Event) -> bool {
    matches!(
        event,
        Event::LaunchIntended { .. }
            | Event::LaunchSucceeded { .. }
            | Event::AdoptIntended { .. }
            | Event::Adopted { .. }
            | Event::Recovered { .. }
    )
}
