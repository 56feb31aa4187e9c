//! A machine: what it does is a function of time, so that no task has to run
//! for it. Only its end can be moved, by `TerminateInstances`.

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

/// A simulated instance.
pub(super) struct Machine {
    pub about: About,
    end: watch::Sender<Option<End>>,
    connections: AtomicU32,
    scripts: Mutex<HashMap<String, Run>>,
}

/// What of a machine never changes.
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
    pub public_ip: Option<Ipv4Addr>,
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

/// When things happen to a machine by themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    /// None: before the world's start.
    pub launched_at: Option<Instant>,
    pub running_at: Instant,
    pub ssh_at: Instant,
    /// From the beginning of its end until it is gone.
    pub shutting_down: Duration,
    /// Its end where nobody asks for it: a spot reclamation, a failed start.
    pub fate: Option<End>,
}

/// The beginning of a machine's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub at: Instant,
    /// EC2's state reason.
    pub reason: &'static str,
}

/// A script that was started on a machine.
#[derive(Clone)]
pub(super) struct Run {
    pub began: Instant,
    pub play: Arc<Play>,
    /// How many connections have run it, the present one included.
    pub attached: u32,
}

impl Machine {
    pub fn new(about: About) -> Self {
        let end = watch::Sender::new(about.life.fate);
        Self { about, end, connections: AtomicU32::new(0), scripts: Mutex::default() }
    }

    /// Its true state at `moment`.
    pub fn state_at(&self, moment: Instant) -> InstanceState {
        let life = &self.about.life;
        match *self.end.borrow() {
            Some(end) if end.at + life.shutting_down <= moment => InstanceState::Terminated,
            Some(end) if end.at <= moment => InstanceState::ShuttingDown,
            _ if life.running_at <= moment => InstanceState::Running,
            _ => InstanceState::Pending,
        }
    }

    /// When it was or will be gone, as far as that is settled.
    pub fn gone_at(&self) -> Option<Instant> {
        self.end.borrow().map(|end| end.at + self.about.life.shutting_down)
    }

    /// Ends it at `moment`, unless its end has begun before.
    pub fn terminate(&self, moment: Instant, reason: &'static str) {
        self.end.send_if_modified(|end| {
            let sooner = end.is_none_or(|end| moment < end.at);
            if sooner {
                *end = Some(End { at: moment, reason });
            }
            sooner
        });
    }

    /// Returns when its end has begun.
    pub async fn ended(&self) {
        let mut end = self.end.subscribe();
        loop {
            let at = end.borrow_and_update().map(|end| end.at);
            let changed = match at {
                None => end.changed().await,
                Some(at) => tokio::select! {
                    () = sleep_until(at) => return,
                    changed = end.changed() => changed,
                },
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// What EC2 tells of it, as of `moment`.
    pub fn told(&self, moment: Instant) -> Instance {
        let state = self.state_at(moment);
        let about = &self.about;
        let ended = !state.is_live();
        Instance {
            id: about.id.clone(),
            state,
            state_reason: self.end.borrow().filter(|_| ended).map(|end| end.reason.to_owned()),
            instance_type: about.instance_type.clone(),
            zone: about.zone.clone(),
            private_ip: Some(about.private_ip).filter(|_| state != InstanceState::Terminated),
            public_ip: about.public_ip.map(IpAddr::V4).filter(|_| !ended),
            launched: Some(about.launched),
            launch_index: about.launch_index,
            token: about.token.clone(),
            tags: about.tags.clone(),
        }
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
