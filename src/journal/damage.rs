//! What a journal could not be read of, in words for the user.

use std::path::{Path, PathBuf};

use super::{Contents, FORMAT, Unreadable};
use crate::model::{ClusterId, Failure, count};

/// How many lines are named.
const NAMED: usize = 5;

/// What is left out of a cluster's record, and what that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    path: PathBuf,
    cluster: ClusterId,
    unreadable: Vec<(usize, Unreadable)>,
    /// The format, where it is a newer one.
    newer: Option<u32>,
}

impl Damage {
    /// What `contents`, the journal at `path`, could not be read of.
    pub(super) fn of(path: &Path, cluster: &ClusterId, contents: &Contents) -> Option<Self> {
        let newer = contents.is_newer().then_some(contents.format);
        if contents.unreadable.is_empty() && newer.is_none() {
            return None;
        }
        let (path, cluster) = (path.to_owned(), cluster.clone());
        Some(Self { path, cluster, unreadable: contents.unreadable.clone(), newer })
    }

    /// The format of the journal, where it is newer than this version's: then
    /// its records may mean something else, and nothing is launched by them.
    pub fn newer_format(&self) -> Option<u32> {
        self.newer
    }

    /// The warning.
    pub fn failure(&self) -> Failure {
        let path = self.path.display();
        let id = &self.cluster;
        if let Some(format) = self.newer {
            let what = format!(
                "{path}: written by a newer version of muster (journal format {format}; this one \
                 writes {FORMAT})"
            );
            return Failure::new(what).hint(format!(
                "use that version; with this one `muster status` and `muster down` work, since \
                 they find instances by their tag muster:cluster={id}"
            ));
        }
        let reason = self.unreadable.first().map(|(_, reason)| reason.to_string());
        let what = format!(
            "{path}:{}: skipping {} that can't be read ({}); a launch, a change of an instance or \
             a step may be missing",
            self.lines(),
            count(self.unreadable.len() as u64, "record"),
            reason.unwrap_or_default(),
        );
        Failure::new(what).hint(format!(
            "`muster status` and `muster down` find instances by their tag muster:cluster={id}; \
             `muster up` launches none that runs"
        ))
    }

    /// `3, 4, 9 and 2 more`
    fn lines(&self) -> String {
        let named: Vec<_> =
            self.unreadable.iter().take(NAMED).map(|(line, _)| line.to_string()).collect();
        match self.unreadable.len().saturating_sub(NAMED) {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}
