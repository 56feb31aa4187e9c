//! What front ends ask of the engine, and what it tells them.

use std::{path::Path, sync::Arc};

use jiff::Timestamp;

use crate::{
    check::Finding,
    config::{Project, Reading, edit::FileDiff},
    handover::Forwarded,
    model::{Failure, NodeName, Region},
    remedy::{Plan, Unrecorded, Wish},
    survey::Survey,
};

use super::{AdoptPlan, DownPlan, Remains, Stamped, StartPlan, StopPlan, Unfinished, UpPlan};

/// What a front end asks for. Anything that spends money or destroys has been
/// shown to and confirmed by the user before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Survey all regions and check again.
    Look,
    /// Load the project from its files again, then survey and check it.
    /// Refused while a launch, a termination or a fix is under way.
    Reload,
    /// The same where a file differs from what was read of it, and nothing otherwise.
    ReloadChanged,
    /// From now on report which files change, what a `muster forward` leads to
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
    /// Find which machines of `ray up` `Adopt` would take over; answered by
    /// [`Update::AdoptPlan`].
    PlanAdopt,
    /// Take over the machines of a plan, exactly as it was shown, and bootstrap
    /// them. Launches nothing. Answered by [`Update::UpEnded`], or refused.
    Adopt(Arc<AdoptPlan>),
    /// Plan what mends the findings that the wish names; answered by
    /// [`Update::FixPlan`]. Looks at all regions first.
    PlanFix(Wish),
    /// Plan what would mend everything, by the last look and without asking for
    /// more than has to be known; answered by [`Update::Cures`].
    Cures,
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
    Stop,
}

/// What the engine tells.
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
    /// These files differ from what was read of them; none: none does any more.
    FilesChanged(Vec<Arc<Path>>),
    /// What a `muster forward` of the cluster leads to this machine now; `None`:
    /// none runs any more.
    Forwarded(Option<Forwarded>),
    /// A survey began.
    Looking,
    /// A survey ended; its findings.
    Looked {
        /// What was read.
        survey: Arc<Survey>,
        /// What the checks say of it, in the order to show.
        findings: Arc<[Finding]>,
    },
    /// What `Down` would do.
    DownPlan(Arc<DownPlan>),
    /// What `PlanFix` or `PlanTeardown` found.
    FixPlan(Arc<FixPlan>),
    /// What was to be taken over is on record: plans made before do not know it.
    TakenOver,
    /// What would mend what the last look found.
    Cures(Arc<Plan>),
    /// The answer to `Fix` is complete. A look follows.
    FixEnded {
        /// Whether every step was done.
        complete: bool,
    },
    /// A command could not be carried out.
    Refused(Failure),
    /// Something went wrong that muster goes on in spite of.
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
    Remains(Remains),
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
