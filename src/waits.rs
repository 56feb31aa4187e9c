//! What is being waited for: one registry that every wait enters and leaves,
//! so that no front end has to be silent while time passes.
//!
//! A wait holds a [`Waiting`] for as long as the wait lasts. Front ends
//! read [`Waits::list`] on their own timer; nothing is sent anywhere, since most
//! waits end before anybody would want to read about them.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::time::Instant;

use tracing::{Span, debug, debug_span};

use crate::model::{NodeName, Region, count, visible};

/// Where something is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// This machine.
    Local,
    /// A region.
    Region(Region),
    /// A node.
    Node(NodeName),
}

impl Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Region(region) => region.fmt(f),
            Self::Node(node) => node.fmt(f),
        }
    }
}

impl From<&Region> for Scope {
    fn from(region: &Region) -> Self {
        Self::Region(region.clone())
    }
}

impl From<&NodeName> for Scope {
    fn from(node: &NodeName) -> Self {
        Self::Node(node.clone())
    }
}

/// What kind of thing is waited for. The order is that of causes before
/// effects: a barrier waits for a step, a step for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitKind {
    /// The answer to a call.
    Answer,
    /// The next attempt of what failed.
    Retry,
    /// A connection.
    Connection,
    /// A state that AWS has to report.
    Condition,
    /// The end of a step.
    Step,
    /// A step of another node.
    Barrier,
}

/// Something that is being waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Where.
    pub scope: Scope,
    /// The kind of wait.
    pub kind: WaitKind,
    /// What, without where: `DescribeInstances`, `SSH at 203.0.113.7`.
    pub what: String,
    /// Since when.
    pub since: Instant,
    /// How it stands: the last error, the lines printed so far.
    pub detail: Option<String>,
    /// When the next attempt is made, where there is one.
    pub next: Option<Instant>,
}

impl Wait {
    /// How long it has lasted.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// How long until the next attempt.
    pub fn until_next(&self) -> Option<Duration> {
        Some(self.next?.saturating_duration_since(Instant::now()))
    }
}

/// `us-west-2: no answer from DescribeInstances for 12 s`; the alternate form
/// (`{:#}`) leaves out how it stands.
impl Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::Local => {}
            Scope::Region(region) => write!(f, "{region}: ")?,
            Scope::Node(node) => write!(f, "{node}: ")?,
        }
        let (what, seconds) = (&self.what, self.elapsed().as_secs());
        match self.kind {
            WaitKind::Answer => write!(f, "no answer from {what} for {seconds} s")?,
            WaitKind::Retry => write!(f, "{what} has failed for {seconds} s")?,
            WaitKind::Connection => write!(f, "no {what} for {seconds} s")?,
            WaitKind::Condition => write!(f, "waiting for {what}, {seconds} s so far")?,
            WaitKind::Step => write!(f, "{what} has been running for {seconds} s")?,
            WaitKind::Barrier => write!(f, "waiting {seconds} s for {what}")?,
        }
        match (&self.detail, self.kind) {
            (None, _) => {}
            (Some(nodes), WaitKind::Barrier) => write!(f, " {nodes}")?,
            (Some(_), _) if f.alternate() => {}
            (Some(detail), _) => write!(f, " ({detail})")?,
        }
        match self.until_next() {
            Some(left) if left.is_zero() => f.write_str("; trying again now"),
            Some(left) => write!(f, "; next try in {} s", left.as_millis().div_ceil(1000)),
            None => Ok(()),
        }
    }
}

impl Serialize for Wait {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            scope: &'a Scope,
            kind: WaitKind,
            what: &'a str,
            for_s: u64,
            detail: Option<&'a str>,
            next_try_in_s: Option<u64>,
        }
        let next = self.until_next().map(|left| left.as_secs());
        Fields {
            scope: &self.scope,
            kind: self.kind,
            what: &self.what,
            for_s: self.elapsed().as_secs(),
            detail: self.detail.as_deref(),
            next_try_in_s: next,
        }
        .serialize(serializer)
    }
}

/// Everything that is being waited for. Clones share one registry.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    number: u64,
    waits: BTreeMap<u64, (Wait, Option<Detail>)>,
    others: Vec<Waits>,
}

/// Reports how a wait stands at the moment it is read.
type Detail = Box<dyn Fn() -> Option<String> + Send>;

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.waits.values().map(|(wait, _)| wait)).finish()
    }
}

impl Waits {
    /// Registers a wait for a state that AWS has to report:
    /// `waits.begin(&region, "3 instances to stop")`. It ends when the answer is dropped.
    pub fn begin(&self, scope: impl Into<Scope>, what: impl Into<String>) -> Waiting {
        self.of_kind(WaitKind::Condition, scope, what)
    }

    /// Registers a wait for the answer to the call `operation`.
    pub fn answer(&self, scope: impl Into<Scope>, operation: &str) -> Waiting {
        self.of_kind(WaitKind::Answer, scope, operation)
    }

    /// Registers a wait for the next attempt of `operation`, which failed.
    pub fn retry(&self, scope: impl Into<Scope>, operation: &str) -> Waiting {
        self.of_kind(WaitKind::Retry, scope, operation)
    }

    /// Registers a wait for a connection: `SSH connection to 203.0.113.7`.
    pub fn connection(&self, scope: impl Into<Scope>, what: impl Into<String>) -> Waiting {
        self.of_kind(WaitKind::Connection, scope, what)
    }

    /// Registers a wait for the end of `step`.
    pub fn step(&self, scope: impl Into<Scope>, step: &str) -> Waiting {
        self.of_kind(WaitKind::Step, scope, format!("step {step}"))
    }

    /// Registers a wait for what other nodes have to do first.
    pub fn barrier(&self, scope: impl Into<Scope>, what: impl Into<String>) -> Waiting {
        self.of_kind(WaitKind::Barrier, scope, what)
    }

    fn of_kind(&self, kind: WaitKind, scope: impl Into<Scope>, what: impl Into<String>) -> Waiting {
        let (scope, what, since) = (scope.into(), what.into(), Instant::now());
        let span = span(kind, &scope, &what);
        let mut open = self.lock();
        open.number += 1;
        let number = open.number;
        let wait = Wait { scope, kind, what, since, detail: None, next: None };
        open.waits.insert(number, (wait, None));
        Waiting { of: self.clone(), number, since, span }
    }

    /// From here on lists what `other` lists as well.
    pub fn include(&self, other: &Self) {
        self.lock().others.push(other.clone());
    }

    /// What has been waited for at least `least`: causes before effects, the
    /// longest wait of a kind first.
    pub fn list(&self, least: Duration) -> Vec<Wait> {
        let open = self.lock();
        let long = open.waits.values().filter(|(wait, _)| wait.elapsed() >= least);
        let now = |(wait, detail): &(Wait, Option<Detail>)| match detail {
            Some(detail) => Wait { detail: detail(), ..wait.clone() },
            None => wait.clone(),
        };
        let mut waits: Vec<_> = long.map(now).collect();
        waits.extend(open.others.iter().flat_map(|other| other.list(least)));
        waits.sort_by_key(|wait| (wait.kind, wait.since));
        waits
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait under way; ends when dropped.
#[derive(Debug)]
#[must_use = "the wait ends when this is dropped"]
pub struct Waiting {
    of: Waits,
    number: u64,
    since: Instant,
    span: Span,
}

impl Waiting {
    /// Returns the span of the wait, for what happens during it.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// Notes how it stands: the last error, the lines printed so far.
    pub fn detail(&self, detail: impl Into<String>) {
        let detail = detail.into();
        debug!(parent: &self.span, detail = %visible(&detail));
        let detail = Some(detail);
        self.change(|wait| wait.detail = detail);
    }

    /// Reads how it stands from `detail` whenever the registry is read, for
    /// what changes too often to be noted. `detail` must not wait for anything.
    pub fn detail_from(&self, detail: impl Fn() -> Option<String> + Send + 'static) {
        if let Some((_, held)) = self.of.lock().waits.get_mut(&self.number) {
            *held = Some(Box::new(detail));
        }
    }

    /// Notes that the next attempt is made after `pause`.
    pub fn next_in(&self, pause: Duration) {
        self.change(|wait| wait.next = Some(Instant::now() + pause));
    }

    fn change(&self, change: impl FnOnce(&mut Wait)) {
        if let Some((wait, _)) = self.of.lock().waits.get_mut(&self.number) {
            change(wait);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        debug!(parent: &self.span, elapsed_ms = self.since.elapsed().as_millis(), "ended");
        self.of.lock().waits.remove(&self.number);
    }
}

/// Returns the span of a wait: a trace shows everything that takes time.
fn span(kind: WaitKind, scope: &Scope, what: &str) -> Span {
    let what = visible(what);
    match kind {
        WaitKind::Answer => debug_span!("call", %scope, %what),
        WaitKind::Retry => debug_span!("retry", %scope, %what),
        WaitKind::Connection => debug_span!("connect", %scope, %what),
        WaitKind::Condition => debug_span!("wait", %scope, %what),
        WaitKind::Step => debug_span!("step", %scope, %what),
        WaitKind::Barrier => debug_span!("barrier", %scope, %what),
    }
}

/// One line about `waits`: the first of them in full, then how many more there are.
pub fn summary(waits: &[Wait]) -> Option<String> {
    let (first, more) = parts(waits)?;
    Some(format!("{first}{more}"))
}

/// The same in at most `columns`, where that is possible: what is tried next
/// and how much else is waited for matter more than how the wait stands.
pub fn fitted(waits: &[Wait], columns: usize) -> Option<String> {
    let (first, more) = parts(waits)?;
    let full = format!("{first}{more}");
    Some(if full.chars().count() <= columns { full } else { format!("{first:#}{more}") })
}

/// The first of `waits`, and how many more there are.
fn parts(waits: &[Wait]) -> Option<(&Wait, String)> {
    let (first, rest) = waits.split_first()?;
    let more = match rest.len() {
        0 => String::new(),
        more => format!(" (and {})", count(more, "more wait")),
    };
    Some((first, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_reports_what_since_when_and_what_is_tried_next() {
        let waits = Waits::default();
        let region = Region::new("us-west-2");
        let call = waits.answer(&region, "DescribeInstances");
        tokio::time::sleep(Duration::from_secs(12)).await;
        let node = NodeName::new("us-west-2/head");
        let ssh = waits.connection(&node, "SSH connection to 203.0.113.7");
        ssh.detail("connection refused");
        ssh.next_in(Duration::from_secs(4));
        let lines = |least| {
            let waits = waits.list(Duration::from_secs(least));
            waits.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(lines(5), ["us-west-2: no answer from DescribeInstances for 12 s"]);
        assert_eq!(
            lines(0)[1],
            "us-west-2/head: no SSH connection to 203.0.113.7 for 0 s (connection refused); next \
             try in 4 s"
        );
        let ssh_only = &waits.list(Duration::ZERO)[1..];
        assert_eq!(fitted(ssh_only, 200), summary(ssh_only));
        assert_eq!(
            fitted(ssh_only, 80).unwrap_or_default(),
            "us-west-2/head: no SSH connection to 203.0.113.7 for 0 s; next try in 4 s"
        );
        drop(call);
        assert_eq!(lines(5), [""; 0]);
        drop(ssh);
        assert_eq!(lines(0), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn causes_come_before_what_waits_for_them() {
        let waits = Waits::default();
        let node = NodeName::new("us-west-2/worker-1");
        let _barrier = waits.barrier(&node, "ray-leader on us-west-2/head");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let _step = waits.step(&NodeName::new("us-west-2/head"), "setup");
        let line = summary(&waits.list(Duration::ZERO)).unwrap_or_default();
        assert_eq!(line, "us-west-2/head: step setup has been running for 0 s (and 1 more wait)");
    }
}
