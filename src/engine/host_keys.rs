//! The host key of a node, compared with what its instance has printed on its
//! console: ssh accepts the key of the first connection unseen, and somebody
//! between this machine and the node could have answered there.
//!
//! The comparison runs next to the node's steps, since EC2 may have the console
//! output only minutes after the boot. Steps that send something wait for it.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use crate::{
    cloud::{CloudError, ErrorKind},
    config::{HostKeyPolicy, Step},
    model::{Failure, Fingerprint, HostKeyCheck, Region, duration, fingerprints},
    remote::Host,
};

use super::{Event, retry, shared::Shared};

/// How long the console output may take to show the keys, counted from the
/// first connection.
const LIMIT: Duration = Duration::from_mins(10);
/// The pause between reads of it in the first half minute, and afterwards.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(15)];
/// Reads in the first half minute.
const SOON: usize = 6;

/// How far the comparison is.
#[derive(Clone, Debug, Default)]
struct Progress {
    check: Option<HostKeyCheck>,
    /// When the console output is read again.
    next: Option<Instant>,
}

/// Compares; nothing happens unless [`Self::mismatch`] is awaited.
pub(super) struct Checker<'a> {
    shared: &'a Shared,
    host: &'a Host,
    progress: watch::Sender<Progress>,
}

/// What the steps of a node see of the comparison.
pub(super) struct HostKeys(watch::Receiver<Progress>);

/// The comparison of the key of `host`, to which there is a connection.
pub(super) fn check<'a>(shared: &'a Shared, host: &'a Host) -> (Checker<'a>, HostKeys) {
    let (progress, seen) = watch::channel(Progress::default());
    (Checker { shared, host, progress }, HostKeys(seen))
}

impl Checker<'_> {
    /// Compares until that is settled. Returns on a mismatch alone.
    pub(super) async fn mismatch(self) -> Failure {
        self.settle().await;
        let check = self.progress.borrow().check.clone();
        match check {
            Some(HostKeyCheck::Mismatch { key, printed }) => {
                mismatch(self.shared, self.host, &key, &printed)
            }
            _ => std::future::pending().await,
        }
    }

    async fn settle(&self) {
        let pinned = match self.shared.remote.pinned_host_keys(self.host) {
            Ok(pinned) => pinned,
            Err(reason) => return self.report(HostKeyCheck::Unavailable { key: None, reason }),
        };
        let Some(key) = pinned.first().cloned() else {
            let reason = Failure::new("ssh has pinned no host key");
            return self.report(HostKeyCheck::Unavailable { key: None, reason });
        };
        if *self.shared.project().host_keys == HostKeyPolicy::Pin {
            return self.report(HostKeyCheck::Pinned { key });
        }
        if let Some(verified) = self.verified_before(&pinned) {
            return self.report(verified);
        }
        self.compare(&pinned, &key).await;
    }

    /// A key that was verified stays so: cloud-init prints it at the first boot alone.
    fn verified_before(&self, pinned: &[Fingerprint]) -> Option<HostKeyCheck> {
        self.recorded().filter(|check| match check {
            HostKeyCheck::Verified { key } => pinned.iter().all(|pinned| pinned == key),
            _ => false,
        })
    }

    fn recorded(&self) -> Option<HostKeyCheck> {
        let state = self.shared.state();
        let info = state.nodes.get(&self.host.node)?.instance.as_ref()?;
        info.host_key.clone().filter(|_| info.id == self.host.instance)
    }

    /// Reads the console output until it shows keys, [`LIMIT`] at most.
    async fn compare(&self, pinned: &[Fingerprint], key: &Fingerprint) {
        let Some(region) = self.region() else {
            let (key, reason) = (Some(key.clone()), Failure::new("the node has no instance"));
            return self.report(HostKeyCheck::Unavailable { key, reason });
        };
        let began = Instant::now();
        for number in 0.. {
            let (check, why) = self.read(&region, pinned, key).await;
            let settled = check.is_settled();
            self.report(check);
            if settled {
                return;
            }
            let left = LIMIT.saturating_sub(began.elapsed());
            if left.is_zero() {
                let key = Some(key.clone());
                return self.report(HostKeyCheck::Unavailable { key, reason: late(why) });
            }
            let pause = PAUSES[usize::from(number >= SOON)].min(left);
            let next = Some(Instant::now() + pause);
            self.progress.send_modify(|progress| progress.next = next);
            tokio::time::sleep(pause).await;
        }
    }

    fn region(&self) -> Option<Region> {
        let state = self.shared.state();
        let info = state.nodes.get(&self.host.node)?.instance.as_ref()?;
        Some(info.region.clone())
    }

    /// One read; pending where a later one may return more, with the error that it met.
    async fn read(
        &self,
        region: &Region,
        pinned: &[Fingerprint],
        key: &Fingerprint,
    ) -> (HostKeyCheck, Option<CloudError>) {
        let pace = &self.shared.console_pace;
        pace.turn(region).await;
        let pending = HostKeyCheck::Pending { key: key.clone() };
        match self.shared.cloud.console_output(region, &self.host.instance).await {
            Ok(output) => {
                let printed = output.map(|output| output.host_keys()).unwrap_or_default();
                (HostKeyCheck::of(pinned, printed).unwrap_or(pending), None)
            }
            Err(error) if retry::is_transient(error.kind) || error.kind == ErrorKind::NotFound => {
                if error.kind == ErrorKind::Throttled {
                    pace.throttled(region);
                }
                (pending, Some(error))
            }
            Err(error) => {
                let reason = Failure::from(&error);
                (HostKeyCheck::Unavailable { key: Some(key.clone()), reason }, Some(error))
            }
        }
    }

    /// Records what is new, and lets the steps see it.
    fn report(&self, check: HostKeyCheck) {
        let is_new = self.progress.borrow().check.as_ref() != Some(&check);
        if is_new && self.recorded().as_ref() != Some(&check) {
            let (node, instance) = (self.host.node.clone(), self.host.instance.clone());
            self.shared.report(Event::HostKeyChecked { node, instance, check: check.clone() });
        }
        self.progress.send_replace(Progress { check: Some(check), next: None });
    }
}

fn late(why: Option<CloudError>) -> Failure {
    let limit = duration(LIMIT);
    match why {
        Some(error) => {
            let error = Failure::from(&error);
            Failure {
                message: format!("no console output within {limit}: {}", error.message),
                ..error
            }
        }
        None => Failure::new(format!("no host keys in the console output within {limit}")),
    }
}

impl HostKeys {
    /// Returns once the key is as `host_keys` asks for, so that `step` may send
    /// `what`. `Err` where it can't be verified; a mismatch ends the node elsewhere.
    pub(super) async fn verified(
        &mut self,
        shared: &Shared,
        host: &Host,
        step: &Step,
        what: &str,
    ) -> Result<(), Failure> {
        let wait = format!("the host keys in the console output of {}", host.instance);
        let wait = shared.waits.begin(&host.node, wait);
        wait.detail(format!("step {} sends {what}", step.name));
        loop {
            let Progress { check, next } = self.0.borrow_and_update().clone();
            match check {
                Some(HostKeyCheck::Verified { .. } | HostKeyCheck::Pinned { .. }) => return Ok(()),
                Some(HostKeyCheck::Unavailable { reason, .. }) => {
                    return Err(unverified(step, what, &reason));
                }
                Some(HostKeyCheck::Pending { .. } | HostKeyCheck::Mismatch { .. }) | None => {}
            }
            if let Some(next) = next {
                wait.next_in(next.saturating_duration_since(Instant::now()));
            }
            if self.0.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// The failure of a step whose node has not been verified.
fn unverified(step: &Step, what: &str, reason: &Failure) -> Failure {
    let hint = reason.hint.as_ref().map(|hint| format!("{hint}; or ")).unwrap_or_default();
    let name = &step.name;
    Failure {
        code: reason.code.clone(),
        message: format!(
            "{name}: {what} not sent, since the host key is not verified: {}",
            reason.message
        ),
        hint: Some(format!(
            "{hint}set `host_keys: pin` in muster.yaml, which trusts the key of the first \
             connection, then retry the node"
        )),
    }
}

/// The failure of a node with another key than its instance has.
fn mismatch(shared: &Shared, host: &Host, key: &Fingerprint, printed: &[Fingerprint]) -> Failure {
    let instance = &host.instance;
    let message = format!(
        "HOST KEY MISMATCH: {} answers with the host key {key}, but {instance} printed {} on its \
         console. Another machine may be answering in its place; no credentials and no \
         file_mounts were sent",
        host.target(),
        fingerprints(printed)
    );
    let known_hosts = shared.folder.as_ref().map_or_else(
        || "known_hosts".to_owned(),
        |folder| folder.join("known_hosts").display().to_string(),
    );
    Failure::new(message).hint(format!(
        "find out what is between this machine and the node, and connect to it only from a network \
         that you trust: remove the line of {instance} from {known_hosts}, then retry the node. \
         Where the image replaces its host keys after they were printed: `host_keys: pin`"
    ))
}
