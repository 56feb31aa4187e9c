//! One line an event, for those who watch a launch go by.

use jiff::{Timestamp, tz::TimeZone};

use super::{Line, Paint, Span, Text, Tone, line};
use crate::{
    cloud::StepId,
    engine::{
        AdoptedNode, Event, HostKeyCheck, LaunchedInstance, LinkCheck, LogLine, Phase, RunState,
        Stamped, StepOutcome,
    },
    model::{Failure, GroupKey, NodeName, elapsed},
};

/// Turns events into lines.
#[derive(Clone, Debug)]
pub struct EventLines {
    zone: TimeZone,
    paint: Paint,
}

impl EventLines {
    /// Lines with times of `zone`.
    pub fn new(zone: TimeZone, paint: Paint) -> Self {
        Self { zone, paint }
    }

    /// Renders `stamped`; `before` is the state that it has not been folded
    /// into yet. `None` for what only matters to the journal.
    pub fn event(&self, stamped: &Stamped, before: &RunState) -> Option<Text> {
        let at = stamped.at;
        match &stamped.event {
            Event::ClusterCreated { cluster, regions, .. } => {
                let regions: Vec<_> = regions.iter().map(AsRef::as_ref).collect();
                let what = format!("{cluster} in {}", regions.join(", "));
                Some(self.line(at, None, "cluster", &what))
            }
            Event::LaunchIntended { group, nodes, subnet, .. } => {
                let place = subnet.as_ref().map(|id| format!(" in {id}")).unwrap_or_default();
                let what = format!("{} × {}{place}", nodes.len(), group.node_type);
                Some(self.line(at, None, "launching", &format!("{}: {what}", group.region)))
            }
            Event::LaunchSucceeded { instances, .. } => self.launched(at, instances),
            Event::LaunchFailed { token, failure } => {
                let group = before.launches.get(token).map(|launch| &launch.group);
                Some(self.failed(at, &group.map(GroupKey::to_string).unwrap_or_default(), failure))
            }
            Event::NodeFailed { node, failure } => Some(self.failed(at, node.as_ref(), failure)),
            Event::NodePhase { node, phase } => self.phase(at, node, *phase, before),
            Event::InstanceChanged { instance, state, reason, .. } => {
                if let Some(failure) = before.unexpected(instance, *state, reason.as_deref()) {
                    let name = before.node_of(instance).map_or("", |node| node.name.as_str());
                    return Some(self.failed(at, name, &failure));
                }
                let known = before.instances().find(|info| info.id == *instance)?;
                let name = before.node_of(instance).map_or(instance.as_str(), |n| n.name.as_str());
                let word = state.as_str();
                (known.state != *state).then(|| self.line(at, None, word, name))
            }
            Event::StrayFound { instance, region, instance_type, .. } => {
                let what =
                    format!("{region}: {instance} ({instance_type}) carries the cluster's id");
                Some(self.line(at, Some(Tone::Care), "! found", &what))
            }
            Event::StepEnded { node, step, attempt, outcome } => {
                self.step(at, node, step, *attempt, outcome, before)
            }
            Event::HostKeyChecked { node, check, .. } => self.host_key(at, node, check),
            Event::NodeVerified { node, checks, .. } => Some(self.verified(at, node, checks)),
            Event::ConnectionLost { node, failure } => {
                let what = format!("{node}: connection lost: {failure}");
                Some(self.line(at, Some(Tone::Care), "! ssh", &what))
            }
            Event::ConnectionRestored { node, after_s } => {
                let what = format!("{node}: connected again after {after_s} s");
                Some(self.line(at, None, "ssh", &what))
            }
            Event::BootstrapEnded { ready, failed } => {
                let what = format!("{ready} of {} nodes", ready + failed);
                let tone = if *failed == 0 { Tone::Good } else { Tone::Bad };
                Some(self.line(at, Some(tone), "ready", &what))
            }
            Event::DownStarted { instances } => {
                Some(self.line(at, None, "ending", &format!("{} instances", instances.len())))
            }
            Event::StopIntended { instances } => {
                Some(self.line(at, None, "stopping", &format!("{} instances", instances.len())))
            }
            Event::StopEnded { stopped, left: 0 } => {
                let what = format!("all {stopped} machines; their volumes are billed");
                Some(self.line(at, Some(Tone::Good), "stopped", &what))
            }
            Event::StopEnded { stopped, left } => {
                let what = format!("{stopped} machines, {left} are not");
                Some(self.line(at, Some(Tone::Bad), "stopped", &what))
            }
            Event::StartIntended { instances } => {
                Some(self.line(at, None, "starting", &format!("{} instances", instances.len())))
            }
            Event::ServicesVoided { nodes, steps } => {
                let what = format!("{} on {} nodes", steps.join(", "), nodes.len());
                (!steps.is_empty()).then(|| self.line(at, None, "again", &what))
            }
            Event::AdoptIntended { .. }
            | Event::AdoptGivenUp { .. }
            | Event::Adopted { .. }
            | Event::Recovered { .. } => self.taken_over(at, &stamped.event),
            Event::ClusterGone => {
                Some(self.line(at, Some(Tone::Good), "terminated", "every instance of the cluster"))
            }
            Event::FixStarted { .. }
            | Event::ChangeDone { .. }
            | Event::ChangeFailed { .. }
            | Event::ChangeResolved { .. }
            | Event::ResourceTakenOver { .. }
            | Event::ResourceGone { .. }
            | Event::FixEnded { .. } => self.fix(at, &stamped.event, before),
            Event::RunStarted { .. }
            | Event::StepStarted { .. }
            | Event::StepReset { .. }
            | Event::ChangeIntended { .. } => None,
        }
    }

    fn taken_over(&self, at: Timestamp, event: &Event) -> Option<Text> {
        match event {
            Event::AdoptIntended { instances, .. } => {
                let what = format!("{} instances that are there", instances.len());
                Some(self.line(at, None, "taking over", &what))
            }
            Event::AdoptGivenUp { region, failure } => {
                let what = format!("{region} is left as it is");
                Some(self.failed(at, &what, failure))
            }
            Event::Adopted { region, nodes } => {
                let what = format!("{} machines in {region} carry the cluster's id", nodes.len());
                Some(self.line(at, Some(Tone::Good), "taken over", &what))
            }
            Event::Recovered { nodes, .. } => {
                let line = |one: &AdoptedNode| {
                    let what = format!("{} is {}", one.instance.node, one.instance.id);
                    self.line(at, None, "taken over", &what)
                };
                nodes.iter().map(line).reduce(Text::and)
            }
            _ => None,
        }
    }

    fn fix(&self, at: Timestamp, event: &Event, before: &RunState) -> Option<Text> {
        match event {
            Event::FixStarted { steps } => {
                let what = format!("{} changes", steps.len());
                Some(self.line(at, None, "fixing", &what))
            }
            Event::ChangeDone { slot, made } => {
                Some(self.changed(at, slot, made.as_deref(), before))
            }
            Event::ChangeFailed { slot, failure, .. } => {
                Some(self.failed(at, &change_title(slot, before), failure))
            }
            Event::ChangeResolved { slot, region, made } => {
                let came = made.as_ref().map_or_else(
                    || "nothing was created".to_owned(),
                    |id| format!("{id} was created"),
                );
                let what = format!("{} (cut off earlier): {came}", change_title(slot, before));
                let what = if what.starts_with(region.as_str()) {
                    what
                } else {
                    format!("{region}: {what}")
                };
                Some(self.line(at, None, "resolved", &what))
            }
            Event::ResourceTakenOver { region, id, .. } => {
                let what = format!("{region}: {id} belongs to this project from now on");
                Some(self.line(at, None, "took over", &what))
            }
            Event::ResourceGone { region, id } => {
                let what = format!("{region}: {id} no longer exists, and muster did not delete it");
                Some(self.line(at, Some(Tone::Care), "deleted", &what))
            }
            Event::FixEnded { done, failed, left } => {
                let tone = if failed + left == 0 { Tone::Good } else { Tone::Bad };
                let what = match (failed, left) {
                    (0, 0) => format!("all {done} changes are made"),
                    _ => format!("{done} changes made, {failed} failed, {left} not begun"),
                };
                Some(self.line(at, Some(tone), "fixed", &what))
            }
            _ => None,
        }
    }

    /// A mismatch is the failure of its node, which follows.
    fn host_key(&self, at: Timestamp, node: &NodeName, check: &HostKeyCheck) -> Option<Text> {
        let (tone, word) = match check {
            HostKeyCheck::Verified { .. } => (None, "host key"),
            HostKeyCheck::Unavailable { .. } => (Some(Tone::Care), "! host key"),
            HostKeyCheck::Pinned { .. }
            | HostKeyCheck::Pending { .. }
            | HostKeyCheck::Mismatch { .. } => return None,
        };
        Some(self.line(at, tone, word, &format!("{node}: {check}")))
    }

    /// What holds in a word, and what does not on a line each.
    fn verified(&self, at: Timestamp, node: &NodeName, checks: &[LinkCheck]) -> Text {
        let failed: Vec<_> = checks.iter().filter(|check| !check.ok).collect();
        let (tone, word, what) = match failed.len() {
            0 => (Tone::Good, "✓ verified", format!("all {} checks hold", checks.len())),
            n => (Tone::Bad, "✗ verified", format!("{n} of {} checks failed", checks.len())),
        };
        let text = self.line(at, Some(tone), word, &format!("{node}: {what}"));
        text.below(failed.iter().map(|check| self.below("✗", &check.to_string())))
    }

    fn changed(&self, at: Timestamp, slot: &StepId, made: Option<&str>, before: &RunState) -> Text {
        let made = made.map(|id| format!(": {id}")).unwrap_or_default();
        let what = format!("{}{made}", change_title(slot, before));
        self.line(at, Some(Tone::Good), "✓ done", &what)
    }

    /// A line that a node printed.
    pub fn log(&self, node: &NodeName, line: &LogLine) -> Line {
        let step = line.step.split_once('.').map_or(line.step.as_str(), |(step, _)| step);
        let origin = self.paint.paint(Tone::Dim, format!("{node} {step} |"));
        line![self.time(line.at), " ", origin, format!(" {}", line.text)]
    }

    /// Something that went wrong beside the events.
    pub fn notice(&self, at: Timestamp, failure: &Failure) -> Text {
        self.line(at, Some(Tone::Care), "!", &failure.to_string()).below(self.hint(failure))
    }

    fn line(&self, at: Timestamp, tone: Option<Tone>, word: &str, what: &str) -> Text {
        let word = format!("{word:<10}");
        let word = match tone {
            None => Span::from(word),
            Some(tone) => self.paint.paint(tone, word),
        };
        line![self.time(at), " ", word, format!(" {what}")].into()
    }

    fn time(&self, at: Timestamp) -> Span {
        let time = at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string();
        self.paint.paint(Tone::Dim, time)
    }

    fn launched(&self, at: Timestamp, instances: &[LaunchedInstance]) -> Option<Text> {
        let line = |made: &LaunchedInstance| {
            let what = format!("{} is {} in {}", made.node, made.id, made.zone);
            self.line(at, None, "launched", &what)
        };
        instances.iter().map(line).reduce(Text::and)
    }

    fn phase(
        &self,
        at: Timestamp,
        node: &NodeName,
        phase: Phase,
        before: &RunState,
    ) -> Option<Text> {
        match phase {
            Phase::Connecting => {
                let info = before.nodes.get(node)?.instance.as_ref()?;
                let address = info.public_ip.or(info.private_ip.map(Into::into));
                let at_address = address.map(|ip| format!(" at {ip}")).unwrap_or_default();
                Some(self.line(at, None, "ssh", &format!("{node}{at_address}")))
            }
            Phase::Bootstrapping => Some(self.line(at, None, "bootstrap", node.as_ref())),
            Phase::Ready => {
                let info = before.nodes.get(node).and_then(|node| node.instance.as_ref());
                let key = info.and_then(|info| info.host_key.as_ref());
                let unverified = key.is_some_and(HostKeyCheck::is_unverified);
                let more = if unverified { ", host key not verified" } else { "" };
                Some(self.line(at, Some(Tone::Good), "✓ ready", &format!("{node}{more}")))
            }
            _ => None,
        }
    }

    fn failed(&self, at: Timestamp, what: &str, failure: &Failure) -> Text {
        let what = self.line(at, Some(Tone::Bad), "✗ failed", &format!("{what}: {failure}"));
        what.below(self.hint(failure))
    }

    /// What to do, on a line of its own.
    fn hint(&self, failure: &Failure) -> Option<Line> {
        failure.hint.as_ref().map(|hint| self.below("do", hint))
    }

    fn below(&self, mark: &str, text: &str) -> Line {
        line![self.paint.paint(Tone::Dim, mark), format!(" {text}")].indented(20)
    }

    fn step(
        &self,
        at: Timestamp,
        node: &NodeName,
        step: &str,
        attempt: u32,
        outcome: &StepOutcome,
        before: &RunState,
    ) -> Option<Text> {
        let (tone, word, why) = verdict(outcome)?;
        let started = before.nodes.get(node).and_then(|node| Some(node.steps.get(step)?.started));
        let took = started.map(|started| elapsed(started, at).as_secs_f64());
        let took = took.map(|seconds| format!(" {seconds:.1} s")).unwrap_or_default();
        let tries = if attempt > 1 { format!(" (try {attempt})") } else { String::new() };
        let text = self.line(at, Some(tone), word, &format!("{node} {step}{tries}{why}{took}"));
        Some(text.below(last_lines(outcome).iter().map(|line| self.below("|", line))))
    }
}

/// A mark and why; `None` for steps that were not for this node.
fn verdict(outcome: &StepOutcome) -> Option<(Tone, &'static str, String)> {
    Some(match outcome {
        StepOutcome::Skipped | StepOutcome::Voided => return None,
        StepOutcome::Succeeded => (Tone::Good, "✓ step", String::new()),
        StepOutcome::Failed { status, .. } => {
            (Tone::Bad, "✗ step", format!(" exit status {status}"))
        }
        StepOutcome::TimedOut { after_s, .. } => {
            (Tone::Bad, "✗ step", format!(" not done after {after_s} s"))
        }
        StepOutcome::Lost { failure } => (Tone::Bad, "✗ step", format!(" {failure}")),
        StepOutcome::Blocked { by } => (Tone::Care, "- step", format!(" waits for {by}")),
    })
}

fn last_lines(outcome: &StepOutcome) -> &[String] {
    match outcome {
        StepOutcome::Failed { last_lines, .. } | StepOutcome::TimedOut { last_lines, .. } => {
            last_lines
        }
        _ => &[],
    }
}

/// `eu-west-1: create a VPC 10.64.0.0/16`
fn change_title(slot: &StepId, state: &RunState) -> String {
    let steps = state.fix.iter().flat_map(|fix| &fix.steps);
    let Some(progress) = steps.into_iter().find(|one| one.step.slot == *slot) else {
        return slot.to_string();
    };
    let region = progress.step.region.as_ref().map(|region| format!("{region}: "));
    let title =
        state.fix.as_ref().map_or_else(String::new, |fix| fix.with_ids(&progress.step.title));
    format!("{}{title}", region.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_verified_is_a_line_and_each_failure_one_below() {
        let lines = EventLines::new(TimeZone::UTC, Paint::PLAIN);
        let check = |text: &str| LinkCheck::parse(text).expect("a check");
        let text = |checks: Vec<LinkCheck>| {
            let (node, step) = ("eu-west-1/head".into(), "verify".into());
            let event = Event::NodeVerified { node, step, checks };
            lines.event(&Stamped { seq: 1, at: Timestamp::UNIX_EPOCH, event }, &RunState::default())
        };
        let holds = check("muster-check versions - ok python 3.11.9, ray 2.6.3, pyquokka 0.3.2");
        let fails = check("muster-check redis us-west-2/head failed refused; nothing listens");
        assert_eq!(
            text(vec![holds.clone()]).map(|text| text.to_string()).as_deref(),
            Some("00:00:00 ✓ verified eu-west-1/head: all 1 checks hold")
        );
        assert_eq!(
            text(vec![holds, fails]).map(|text| text.to_string()).as_deref(),
            Some(
                "00:00:00 ✗ verified eu-west-1/head: 1 of 2 checks failed\n                    \
                 ✗ redis to us-west-2/head: refused; nothing listens"
            )
        );
    }
}
