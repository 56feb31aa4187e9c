//! A simulated instance: its behaviour is a function of time, so that it needs no
//! task. Only calls change it: `TerminateInstances`, `StopInstances` and
//! `StartInstances`.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    cloud::{Instance, InstanceState, PublicKey, Tags},
    model::{ClientToken, InstanceId, InstanceType, Region, SecurityGroupId, SubnetId, Zone},
    sim::script::Play,
};

/// The state reason of an instance that somebody terminated or stopped.
pub(super) const BY_USER: &str = "Client.UserInitiatedShutdown";

/// A simulated instance.
pub(super) struct Machine {
    pub about: About,
    course: watch::Sender<Course>,
    connections: AtomicU32,
    scripts: Mutex<HashMap<String, Run>>,
    /// What was copied there: mode and content by path.
    files: Mutex<HashMap<String, (u32, Vec<u8>)>>,
}

/// The part of an instance that never changes.
pub(super) struct About {
    pub id: InstanceId,
    pub region: Region,
    pub instance_type: InstanceType,
    pub vcpus: u32,
    pub spot: bool,
    pub zone: Zone,
    pub subnet: SubnetId,
    pub groups: Vec<SecurityGroupId>,
    pub private_ip: Ipv4Addr,
    /// Whether it gets a public address at every start.
    pub public: bool,
    pub ebs_root: bool,
    /// What the key pair's public key was at the launch.
    pub key: Option<PublicKey>,
    /// The one user who may log in.
    pub user: String,
    pub launched: Timestamp,
    pub launch_index: u32,
    pub token: Option<ClientToken>,
    pub tags: Tags,
    pub life: Life,
}

/// When things happen to an instance by themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// None: before the world's start.
    pub launched_at: Option<Instant>,
    pub running_at: Instant,
    pub ssh_at: Instant,
    /// When EC2 has its console output.
    pub console_at: Instant,
    /// From the call to stop it until it is stopped.
    pub stopping: Duration,
    /// From the beginning of its termination to its end.
    pub shutting_down: Duration,
    /// Its end where nobody asks for it: a spot reclamation, a failed start.
    pub fate: Option<End>,
}

/// The part of an instance that calls change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// How often it has been started, the launch included.
    pub boots: u32,
    /// When it was started last; none: never since its launch.
    pub started_at: Option<Instant>,
    pub running_at: Instant,
    pub ssh_at: Instant,
    pub public_ip: Option<Ipv4Addr>,
    /// Since its last start.
    pub stop: Option<End>,
    pub end: Option<End>,
}

/// The beginning of an instance's termination, or of its stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub at: Instant,
    /// EC2's state reason.
    pub reason: &'static str,
}

/// How a start goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Boot {
    /// Until it runs.
    pub pending: Duration,
    /// From then until sshd answers.
    pub ssh: Duration,
    pub public_ip: Option<Ipv4Addr>,
}

/// A script that was started on an instance.
#[derive(Clone)]
pub(super) struct Run {
    pub began: Instant,
    pub play: Arc<Play>,
    /// How many connections have run it, the present one included.
    pub attached: u32,
}

impl Course {
    fn state_at(&self, life: &Life, moment: Instant) -> InstanceState {
        let begun = |end: Option<End>| end.filter(|end| end.at <= moment);
        if let Some(end) = begun(self.end) {
            let terminated = end.at + life.shutting_down <= moment;
            return if terminated {
                InstanceState::Terminated
            } else {
                InstanceState::ShuttingDown
            };
        }
        if let Some(stop) = begun(self.stop) {
            let done = stop.at + life.stopping <= moment;
            return if done { InstanceState::Stopped } else { InstanceState::Stopping };
        }
        match self.started_at {
            Some(started) if moment < started => InstanceState::Stopped,
            _ if self.running_at <= moment => InstanceState::Running,
            _ => InstanceState::Pending,
        }
    }

    /// When it stops serving, as far as that is settled.
    fn down_at(&self) -> Option<Instant> {
        self.stop.into_iter().chain(self.end).map(|end| end.at).min()
    }
}

impl Machine {
    /// An instance with its first public address.
    pub fn new(about: About, public_ip: Option<Ipv4Addr>) -> Self {
        let Life { running_at, ssh_at, fate, .. } = about.life;
        let course = Course {
            boots: 1,
            started_at: None,
            running_at,
            ssh_at,
            public_ip,
            stop: None,
            end: fate,
        };
        let course = watch::Sender::new(course);
        let connections = AtomicU32::new(0);
        Self { about, course, connections, scripts: Mutex::default(), files: Mutex::default() }
    }

    /// As calls have it now.
    pub fn course(&self) -> Course {
        *self.course.borrow()
    }

    /// Its true state at `moment`.
    pub fn state_at(&self, moment: Instant) -> InstanceState {
        self.course().state_at(&self.about.life, moment)
    }

    /// Whether it takes up capacity and quota: what is stopped does not.
    pub fn is_held_at(&self, moment: Instant) -> bool {
        let state = self.state_at(moment);
        state.is_live() && state != InstanceState::Stopped
    }

    /// When it was or will be terminated, as far as that is settled.
    pub fn terminated_at(&self) -> Option<Instant> {
        self.course().end.map(|end| end.at + self.about.life.shutting_down)
    }

    /// Keeps a file.
    pub fn put(&self, path: &str, mode: u32, content: &[u8]) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(path.to_owned(), (mode, content.to_vec()));
    }

    /// A file that was put there: its mode and content.
    pub fn file(&self, path: &str) -> Option<(u32, Vec<u8>)> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// Ends it at `moment`, unless its end has begun before.
    pub fn terminate(&self, moment: Instant, reason: &'static str) {
        self.course.send_if_modified(|course| {
            let sooner = course.end.is_none_or(|end| moment < end.at);
            if sooner {
                course.end = Some(End { at: moment, reason });
            }
            sooner
        });
    }

    /// Stops it at `moment`, unless that has begun before.
    pub fn stop(&self, moment: Instant, reason: &'static str) {
        self.course.send_if_modified(|course| {
            let new = course.stop.is_none();
            course.stop.get_or_insert(End { at: moment, reason });
            new
        });
    }

    /// Starts it at `moment` after a stop. Scripts that the stop cut off are
    /// as if they had never begun.
    pub fn start(&self, moment: Instant, boot: Boot) {
        let stopped_at = self.course().stop.map_or(moment, |stop| stop.at);
        let ended = |run: &Run| run.play.end.is_some_and(|end| run.began + end <= stopped_at);
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, run| ended(run));
        self.course.send_modify(|course| {
            *course = Course {
                boots: course.boots + 1,
                started_at: Some(moment),
                running_at: moment + boot.pending,
                ssh_at: moment + boot.pending + boot.ssh,
                public_ip: boot.public_ip,
                stop: None,
                end: course.end,
            };
        });
    }

    /// Returns when start number `boot` is over: the instance stops, terminates, or
    /// has been started again.
    pub async fn down(&self, boot: u32) {
        let mut course = self.course.subscribe();
        loop {
            let now = *course.borrow_and_update();
            if now.boots != boot {
                return;
            }
            let changed = match now.down_at() {
                None => course.changed().await,
                Some(at) => tokio::select! {
                    () = sleep_until(at) => return,
                    changed = course.changed() => changed,
                },
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// What EC2 reports about it, as of `moment`.
    pub fn visible(&self, moment: Instant) -> Instance {
        let (state, course, about) = (self.state_at(moment), self.course(), &self.about);
        let ended = !state.is_live();
        let reason = if ended { course.end } else { course.stop };
        let serves = matches!(state, InstanceState::Pending | InstanceState::Running);
        Instance {
            id: about.id.clone(),
            state,
            state_reason: reason.filter(|_| !serves).map(|end| end.reason.to_owned()),
            instance_type: about.instance_type.clone(),
            zone: about.zone.clone(),
            private_ip: Some(about.private_ip).filter(|_| state != InstanceState::Terminated),
            public_ip: course.public_ip.map(IpAddr::V4).filter(|_| serves),
            launched: Some(self.launched(moment)),
            spot: about.spot,
            ebs_root: about.ebs_root,
            launch_index: about.launch_index,
            token: about.token.clone(),
            tags: about.tags.clone(),
        }
    }

    /// EC2's launch time: that of the last start.
    fn launched(&self, moment: Instant) -> Timestamp {
        let started = self.course().started_at.filter(|started| *started <= moment);
        let since = started.zip(self.about.life.launched_at);
        let since = since.map(|(started, first)| started.duration_since(first));
        self.about.launched + since.unwrap_or_default()
    }

    /// How many connections there were.
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Counts a connection; answers its number, from 1.
    pub fn connected(&self) -> u32 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Starts the script `key`, or attaches to it where it was started before.
    pub fn run(&self, key: &str, play: impl FnOnce() -> Play) -> Run {
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let run = scripts.entry(key.to_owned()).or_insert_with(|| Run {
            began: Instant::now(),
            play: Arc::new(play()),
            attached: 0,
        });
        run.attached += 1;
        run.clone()
    }
}
