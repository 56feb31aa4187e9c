//! The events of a cluster's life: what the journal holds and what every
//! front end receives. Replaying a journal is just another front end.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    cloud::{InstanceState, RecordedRequest, StepId},
    model::{
        ClientToken, ClusterId, Failure, GroupKey, HostKeyCheck, InstanceId, InstanceType,
        LinkCheck, NodeName, Region, SubnetId, Zone,
    },
};

/// An event, when it happened, and its number in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// From 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Something that happened in the life of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The cluster got its id. Always the first record of a journal.
    ClusterCreated {
        /// Its id.
        cluster: ClusterId,
        /// The project's name.
        project: String,
        /// The leader's region.
        leader: Region,
        /// All its regions.
        regions: Vec<Region>,
    },
    /// A process took up the cluster's journal.
    RunStarted {
        /// muster's version.
        version: String,
        /// The format of the records that follow; 1 where it is not given.
        #[serde(default = "first_format")]
        format: u32,
    },
    /// Written and synced before `RunInstances` is called.
    LaunchIntended {
        /// The call's token.
        token: ClientToken,
        /// The group.
        group: GroupKey,
        /// The nodes that it is to make, in launch order.
        nodes: Vec<NodeName>,
        /// Where.
        subnet: Option<SubnetId>,
        /// The request itself, which a later run repeats; none: written by a
        /// version that did not keep it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<Box<RecordedRequest>>,
    },
    /// EC2 answered, or an instance with the token was found later.
    LaunchSucceeded {
        /// The call's token.
        token: ClientToken,
        /// One for each node of the intent.
        instances: Vec<LaunchedInstance>,
    },
    /// EC2 refused; nothing was made.
    LaunchFailed {
        /// The call's token.
        token: ClientToken,
        /// Why.
        failure: Failure,
    },
    /// An instance is not as it was.
    InstanceChanged {
        /// The instance.
        instance: InstanceId,
        /// Its region.
        region: Region,
        /// Its state now.
        state: InstanceState,
        /// The reason that EC2 gives, if any: `Server.SpotInstanceTermination: …`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Its private address.
        private_ip: Option<Ipv4Addr>,
        /// Its public address.
        public_ip: Option<IpAddr>,
    },
    /// An instance that carries the cluster's id, but that no launch on record made.
    StrayFound {
        /// The instance.
        instance: InstanceId,
        /// Its region.
        region: Region,
        /// Its state.
        state: InstanceState,
        /// Its type.
        instance_type: InstanceType,
    },
    /// A node went on to its next phase.
    NodePhase {
        /// The node.
        node: NodeName,
        /// The phase.
        phase: Phase,
    },
    /// A node can't go on by itself.
    NodeFailed {
        /// The node.
        node: NodeName,
        /// Why.
        failure: Failure,
    },
    /// The host key of a node was compared with the console output of its instance.
    HostKeyChecked {
        /// The node.
        node: NodeName,
        /// The instance whose key it is.
        instance: InstanceId,
        /// What came of it.
        check: HostKeyCheck,
    },
    /// A step began on a node.
    StepStarted {
        /// The node.
        node: NodeName,
        /// The step.
        step: String,
        /// The try, from 1.
        attempt: u32,
    },
    /// A step ended on a node.
    StepEnded {
        /// The node.
        node: NodeName,
        /// The step.
        step: String,
        /// The try, from 1.
        attempt: u32,
        /// How.
        outcome: StepOutcome,
    },
    /// The connection to a node broke while a step ran; it is made again.
    ConnectionLost {
        /// The node.
        node: NodeName,
        /// Why, as ssh reports it.
        failure: Failure,
    },
    /// The connection to a node was made again.
    ConnectionRestored {
        /// The node.
        node: NodeName,
        /// How long there was none, in seconds.
        after_s: u64,
    },
    /// The user wants a step to run again, though it succeeded.
    StepReset {
        /// The node.
        node: NodeName,
        /// The step.
        step: String,
    },
    /// What a node measured of itself and its links to the others: a step's
    /// `muster-check` lines, reported just before the end of the step.
    NodeVerified {
        /// The node.
        node: NodeName,
        /// The step that checked.
        step: String,
        /// Each check, in the order in which they were made.
        checks: Vec<LinkCheck>,
    },
    /// Every node that could be made ready is, or has failed.
    BootstrapEnded {
        /// Nodes ready.
        ready: u32,
        /// Nodes failed.
        failed: u32,
    },
    /// The user asked to terminate the cluster; synced before the first `TerminateInstances`.
    DownStarted {
        /// What is to be terminated.
        instances: Vec<InstanceId>,
    },
    /// The user asked to stop the instances; synced before the first
    /// `StopInstances`.
    StopIntended {
        /// What is to be stopped.
        instances: Vec<InstanceId>,
    },
    /// What could be stopped is, or muster stopped waiting.
    StopEnded {
        /// Machines that are stopped.
        stopped: u32,
        /// Machines that are not.
        left: u32,
    },
    /// The user asked to start the instances again; synced before the
    /// first `StartInstances`.
    StartIntended {
        /// What is to be started.
        instances: Vec<InstanceId>,
    },
    /// What these steps started no longer runs or is to be restarted: the steps
    /// have to run again.
    ServicesVoided {
        /// Where.
        nodes: Vec<NodeName>,
        /// Which.
        steps: Vec<String>,
    },
    /// The user asked to adopt instances that `ray up` launched;
    /// synced before anything is done to them.
    AdoptIntended {
        /// Where.
        regions: Vec<Region>,
        /// Which.
        instances: Vec<InstanceId>,
    },
    /// The adoption of a region was cancelled; its instances are unchanged.
    AdoptGivenUp {
        /// The region.
        region: Region,
        /// Why.
        failure: Failure,
    },
    /// The instances of a region carry the cluster's id and are its nodes.
    Adopted {
        /// The region.
        region: Region,
        /// Its nodes.
        nodes: Vec<AdoptedNode>,
    },
    /// Running instances whose launch is not on record, or not with them, are
    /// nodes: they carry the cluster's id, the token of their launch and the
    /// tags of a group that lacks these nodes.
    Recovered {
        /// The region.
        region: Region,
        /// The nodes.
        nodes: Vec<AdoptedNode>,
    },
    /// EC2 lists every instance with the cluster's id as terminated.
    ClusterGone,
    /// The user confirmed a fix plan; synced before the first change.
    FixStarted {
        /// Its steps, in order.
        steps: Vec<FixStep>,
    },
    /// Written and synced before the call that makes a change.
    ChangeIntended {
        /// The step.
        slot: StepId,
    },
    /// A step of a plan is done.
    ChangeDone {
        /// The step.
        slot: StepId,
        /// The id of what it made, if it makes something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<String>,
    },
    /// A step of a plan failed.
    ChangeFailed {
        /// The step.
        slot: StepId,
        /// Why.
        failure: Failure,
        /// Whether the call may have had its effect nevertheless: the next plan
        /// resolves that first.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unresolved: bool,
    },
    /// What came of an intent without an end: this resource, or nothing.
    ChangeResolved {
        /// The step.
        slot: StepId,
        /// The region of the step.
        region: Region,
        /// The id of what the call made; none: it made nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<String>,
    },
    /// The user confirmed that a resource that was in no record is this project's.
    ResourceTakenOver {
        /// The step that makes such a resource.
        slot: StepId,
        /// Its region.
        region: Region,
        /// Its id.
        id: String,
    },
    /// EC2 no longer describes a resource that is on record: others deleted it.
    ResourceGone {
        /// Its region.
        region: Region,
        /// Its id.
        id: String,
    },
    /// A plan is at its end.
    FixEnded {
        /// Steps done.
        done: u32,
        /// Steps that failed.
        failed: u32,
        /// Steps that were not begun, since one that they need failed.
        left: u32,
    },
}

/// What wrote no format wrote the first one.
fn first_format() -> u32 {
    1
}

/// A step of a plan, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixStep {
    /// Its name.
    pub slot: StepId,
    /// The region; `None` for a step on this machine.
    pub region: Option<Region>,
    /// What it does, one line.
    pub title: String,
    /// What it does to resources; none in journals of versions before 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<StepEffect>,
}

/// What a step does to resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepEffect {
    /// Creates one; EC2 answers with its id, and a second call creates a second one.
    Creates,
    /// Creates one of which EC2 refuses a second: by name, addresses or token.
    CreatesUnique,
    /// Deletes this one.
    Deletes(String),
    /// Neither.
    Other,
}

impl Event {
    /// Whether it announces what is about to be done, and has to be on disk
    /// before: what is not is not done. Terminating is always possible.
    pub fn must_precede(&self) -> bool {
        self.is_intent() && !matches!(self, Self::DownStarted { .. })
    }

    /// Whether it announces what is about to be done.
    pub fn is_intent(&self) -> bool {
        matches!(
            self,
            Self::ClusterCreated { .. }
                | Self::RunStarted { .. }
                | Self::LaunchIntended { .. }
                | Self::DownStarted { .. }
                | Self::StopIntended { .. }
                | Self::StartIntended { .. }
                | Self::ServicesVoided { .. }
                | Self::AdoptIntended { .. }
                | Self::ResourceTakenOver { .. }
                | Self::FixStarted { .. }
                | Self::ChangeIntended { .. }
        )
    }

    /// Whether a node may have nothing more to do after it.
    pub(crate) fn may_settle(&self) -> bool {
        match self {
            Self::NodePhase { phase, .. } => phase.is_settled(),
            Self::NodeFailed { .. } | Self::LaunchFailed { .. } => true,
            Self::InstanceChanged { state, .. } => !state.is_live() || state.is_stopped(),
            _ => false,
        }
    }

    /// Whether a power cut must not lose it.
    pub fn is_durable(&self) -> bool {
        self.is_intent()
            || matches!(
                self,
                Self::LaunchSucceeded { .. }
                    | Self::LaunchFailed { .. }
                    | Self::ClusterGone
                    | Self::StopEnded { .. }
                    | Self::AdoptGivenUp { .. }
                    | Self::Adopted { .. }
                    | Self::Recovered { .. }
                    | Self::ChangeDone { .. }
                    | Self::ChangeResolved { .. }
            )
    }
}

/// An instance as `RunInstances` answered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchedInstance {
    /// The node that it is.
    pub node: NodeName,
    /// Its id.
    pub id: InstanceId,
    /// Its type.
    pub instance_type: InstanceType,
    /// Its virtual CPUs, where known.
    pub vcpus: Option<u32>,
    /// Its zone.
    pub zone: Zone,
    /// Its private address, once known.
    pub private_ip: Option<Ipv4Addr>,
    /// Its public address, once known.
    pub public_ip: Option<IpAddr>,
}

/// An instance that existed before, or whose launch is not on record, as it
/// became a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptedNode {
    /// The group that it counts as.
    pub group: GroupKey,
    /// The instance.
    #[serde(flatten)]
    pub instance: LaunchedInstance,
}

/// The phase of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Does not exist yet.
    #[default]
    Planned,
    /// `RunInstances` is under way.
    Launching,
    /// EC2 reports `pending`.
    Booting,
    /// EC2 reports `running`; SSH does not answer yet.
    Connecting,
    /// Steps run.
    Bootstrapping,
    /// Every step succeeded.
    Ready,
    /// Cannot continue by itself; see the failure. The instance may still be billed.
    Failed,
    /// Its instance is being stopped.
    Stopping,
    /// Its instance is stopped; its volumes are billed.
    Stopped,
    /// Being terminated.
    Terminating,
    /// Terminated.
    Terminated,
}

impl Phase {
    /// A short word for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Launching => "launching",
            Self::Booting => "booting",
            Self::Connecting => "ssh…",
            Self::Bootstrapping => "bootstrap",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Terminating => "terminating",
            Self::Terminated => "terminated",
        }
    }

    /// Whether nothing more happens by itself.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Ready | Self::Failed | Self::Stopped | Self::Terminated)
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum StepOutcome {
    /// Exit status 0.
    Succeeded,
    /// Not for this node's config: nothing to run.
    Skipped,
    /// Another exit status.
    Failed {
        /// The exit status.
        status: i32,
        /// The last lines that it printed.
        last_lines: Vec<String>,
    },
    /// The step's time limit passed.
    TimedOut {
        /// The limit.
        after_s: u64,
        /// The last lines that it printed.
        last_lines: Vec<String>,
    },
    /// The connection was lost, or never came.
    Lost {
        /// Why.
        failure: Failure,
    },
    /// Whatever it was, the instance that it ran on has been replaced.
    Voided,
    /// A step that this one needs failed elsewhere.
    Blocked {
        /// `step on node`.
        by: String,
    },
}

/// One line of a node's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it arrived here.
    pub at: Timestamp,
    /// The step that printed it, `step.attempt`.
    pub step: String,
    /// The line, control characters taken out.
    pub text: String,
}
