//! The commands of front ends to the engine, and the updates that it sends back.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;

use crate::{
    check::Finding,
    config::{Project, Reading, edit::FileDiff},
    model::Forwarded,
    model::{Failure, NodeName, Region},
    remedy::{FixScope, Plan, Unrecorded},
    survey::Survey,
};

use super::{AdoptPlan, DownPlan, Leftovers, Stamped, StartPlan, StopPlan, Unfinished, UpPlan};

/// A request of a front end. Anything that spends money or destroys has been
/// shown to and confirmed by the user before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Survey all regions and check again.
    Refresh,
    /// Load the project from its files again, then survey and check it.
    /// Refused while a launch, a termination or a fix is under way.
    Reload,
    /// The same where a file differs from what was read of it, and nothing otherwise.
    ReloadChanged,
    /// From now on report which files change, what a `muster forward` forwards to
    /// this machine, and, while nothing else reads them, the states of the
    /// cluster's instances; answered by [`Update::FilesChanged`],
    /// [`Update::Forwarded`], [`Update::InstancesRead`] and
    /// [`Update::InstancesNotRead`].
    WatchFiles,
    /// Launch what is missing and bootstrap what is not ready.
    Up,
    /// Run a failed node's steps again, from the one that failed.
    RetryNode(NodeName),
    /// Run one step again on a node, then go on from there.
    RetryStep(NodeName, String),
    /// Find what `Down` would terminate; answered by [`Update::DownPlan`].
    PlanDown,
    /// Terminate the instances of a plan, exactly as it was shown; answered by
    /// [`Update::DownEnded`].
    Down(Arc<DownPlan>),
    /// Find what `StopMachines` would stop; answered by [`Update::StopPlan`].
    PlanStop,
    /// Stop the instances of a plan, exactly as it was shown; answered by
    /// [`Update::StopEnded`].
    StopMachines(Arc<StopPlan>),
    /// Find what `Up` would launch and take over; answered by [`Update::UpPlan`].
    PlanUp,
    /// Find what `StartMachines` would start; answered by [`Update::StartPlan`].
    PlanStart,
    /// Start the instances of a plan, exactly as it was shown, and run again
    /// what that needs, and what had failed before. Launches nothing. Answered
    /// by [`Update::UpEnded`].
    StartMachines(Arc<StartPlan>),
    /// `Up`, with the steps that start services run again on every node: what
    /// runs on the cluster now is lost.
    Restart,
    /// Find the instances of `ray up` that `Adopt` would take over; answered by
    /// [`Update::AdoptPlan`].
    PlanAdopt,
    /// Adopt the instances of a plan, exactly as it was shown, and bootstrap
    /// them. Launches nothing. Answered by [`Update::UpEnded`], or refused.
    Adopt(Arc<AdoptPlan>),
    /// Refresh all regions and plan fixes for the findings in scope; answered by
    /// [`Update::FixPlan`].
    PlanFix(FixScope),
    /// Plan fixes for all findings of the last refresh, without reading more than
    /// the plan needs; answered by [`Update::FixPreview`].
    PreviewFixes,
    /// Plan the removal of the networks that muster made; answered by
    /// [`Update::FixPlan`].
    PlanTeardown,
    /// Put resources on record as this project's that were on none; answered by
    /// [`Update::TakenOver`].
    TakeOver(Vec<Unrecorded>),
    /// Carry out a plan, exactly as it was shown; answered by [`Update::FixEnded`].
    Fix(Arc<Plan>),
    /// End: what must finish is finished, the rest is dropped. The updates
    /// end when all is done.
    Shutdown,
}

/// What the engine sends to front ends.
#[derive(Clone, Debug)]
pub enum Update {
    /// An event, already journalled and folded by the engine.
    Event(Stamped),
    /// The project was loaded again: from here on this is what is planned. Its
    /// nodes go into the state ([`RunState::plan`](super::RunState::plan)), and
    /// findings so far are of another project; new ones follow.
    Project(Arc<Project>),
    /// The files were read: what they say, whether it was taken over or not.
    Configs(Arc<Reading>),
    /// These files differ from what was read of them. Empty if none does any more.
    FilesChanged(Vec<Arc<Path>>),
    /// What a `muster forward` of the cluster forwards to this machine now; `None`
    /// if none is running.
    Forwarded(Option<Forwarded>),
    /// A survey began.
    Refreshing,
    /// A survey ended; its findings.
    Refreshed {
        /// What was read.
        survey: Arc<Survey>,
        /// What the checks say of it, in the order to show.
        findings: Arc<[Finding]>,
    },
    /// What `Down` would do.
    DownPlan(Arc<DownPlan>),
    /// What `PlanFix` or `PlanTeardown` found.
    FixPlan(Arc<FixPlan>),
    /// The unrecorded resources are on record now: plans made before are out of date.
    TakenOver,
    /// The fixes for the findings of the last refresh.
    FixPreview(Arc<Plan>),
    /// The answer to `Fix` is complete. A refresh follows.
    FixEnded {
        /// Whether every step was done.
        complete: bool,
    },
    /// A command could not be carried out.
    Refused(Failure),
    /// Something went wrong, and muster continues.
    Notice(Failure),
    /// Records or the manifest that are lost when this process ends now, since
    /// they could not be written. The last update, where it comes at all.
    Unwritten(Failure),
    /// Who else writes this cluster's journal now; `None`: this process does,
    /// since the other one has ended.
    ReadOnly(Option<String>),
    /// What the engine is waiting for changed; empty when it is idle.
    Busy(Vec<String>),
    /// The answer to `Up` is complete: nothing more happens by itself.
    UpEnded,
    /// What `Up` would do.
    UpPlan(Arc<UpPlan>),
    /// What `StopMachines` would do.
    StopPlan(Arc<StopPlan>),
    /// The answer to `StopMachines` is complete.
    StopEnded(Unfinished),
    /// What `StartMachines` would do.
    StartPlan(Arc<StartPlan>),
    /// What `Adopt` would take over.
    AdoptPlan(Arc<AdoptPlan>),
    /// What muster made and `Down` left; comes before its end.
    Leftovers(Leftovers),
    /// The answer to `Down` is complete.
    DownEnded(Unfinished),
    /// EC2 listed the cluster's instances in a region; their changes came before
    /// as events.
    InstancesRead {
        /// The region.
        region: Region,
        /// When it was asked.
        at: Timestamp,
    },
    /// EC2 did not list the cluster's instances in a region: what is on record
    /// of them is as of the last [`Update::InstancesRead`].
    InstancesNotRead {
        /// The region.
        region: Region,
        /// Why.
        failure: Failure,
    },
}

/// A plan and what it would write into the configs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FixPlan {
    /// What would be done.
    pub plan: Arc<Plan>,
    /// The configs before and after; what is made first shows by its step's name.
    pub diffs: Vec<FileDiff>,
}
