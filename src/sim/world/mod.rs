//! The simulated world: one [`State`] behind a lock, behind the two
//! ports of the real world.

mod addresses;
mod api;
mod bucket;
mod build;
mod change;
mod console;
mod described;
mod fault;
mod hazards;
mod launch;
mod lifecycle;
mod machine;
mod reach;
mod rules;
mod session;
mod snapshot;
mod state;
mod visible;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until};

use self::{
    bucket::Buckets,
    fault::{Call, Calls},
    rules::Refusal,
    state::State,
};
use super::{
    Pace, Scenario,
    scenario::format::{FaultAnswer, Spec},
};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, OptIn, PeeringState, Result},
    model::{Clock, InstanceId, PeeringId, Region},
    remote::Remote,
};

pub use self::snapshot::{InternetGateway, RegionSnapshot, SecurityGroupRule, Snapshot};

/// A simulated account and its instances, on tokio's clock.
pub struct World {
    spec: Arc<Spec>,
    pace: Pace,
    clock: Clock,
    started: Instant,
    state: Mutex<State>,
    calls: Mutex<Calls>,
    buckets: Mutex<Buckets>,
    /// Random faults so far.
    met: AtomicU32,
}

impl World {
    /// The world as `scenario` describes it; its time starts now.
    pub fn new(scenario: &Scenario) -> Arc<Self> {
        let spec = scenario.spec();
        let clock = Clock::starting_at(spec.starts_at);
        let pace = Pace::new(spec.speed);
        let started = Instant::now();
        let state = Mutex::new(State::of(&spec, started));
        let (calls, buckets) = (Mutex::default(), Mutex::default());
        Arc::new(Self { spec, pace, clock, started, state, calls, buckets, met: AtomicU32::new(0) })
    }

    /// The adapter of EC2.
    pub fn cloud(self: &Arc<Self>) -> Arc<dyn Cloud> {
        Arc::clone(self) as Arc<dyn Cloud>
    }

    /// The adapter of the nodes.
    pub fn remote(self: &Arc<Self>) -> Arc<dyn Remote> {
        Arc::clone(self) as Arc<dyn Remote>
    }

    /// The world's time.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// How often `operation` (`RunInstances`, …) was called so far, over all
    /// regions; dry runs are left out.
    pub fn calls(&self, operation: &str) -> u32 {
        lock(&self.calls).of(operation)
    }

    /// How long after its launch the instance `id` accepts SSH, by the scenario
    /// alone. It separates an instance's own boot time
    /// from the time that waiting for it adds.
    pub fn boot_time(&self, region: &Region, id: &InstanceId) -> Option<Duration> {
        let state = self.state();
        let life = &state.regions.get(region)?.machines.get(id)?.about.life;
        Some(life.ssh_at.duration_since(life.launched_at?))
    }

    /// Replaces the world's resources by those of `scenario`, as somebody at
    /// the console might while muster runs: images, keys, groups, networks,
    /// peerings. Instances stay, what changes created stays, and so does how nodes
    /// and calls behave.
    pub fn replace_resources(&self, scenario: &Scenario) {
        let other = State::of(&scenario.spec(), self.started);
        self.state().adopt(other);
    }

    /// Ends a peering connection as somebody else might, or EC2 itself: rejected,
    /// expired, failed. Nothing happens where there is none of this id.
    pub fn end_peering(&self, id: &PeeringId, state: PeeringState) {
        let mut held = self.state();
        if let Some(held) = held.peerings.iter_mut().find(|held| held.peering.id == *id) {
            held.peering.state = state;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// One call: waits as long as it takes, meets the fault that is due, and
    /// has its effect half-way, so that a caller that goes away in the middle
    /// may have launched something.
    async fn call<T>(
        &self,
        call: Call,
        effect: impl FnOnce(&mut State) -> std::result::Result<T, Refusal> + Send,
    ) -> Result<T> {
        let began = Instant::now();
        let fault = self.fault(&call);
        match fault {
            Some(FaultAnswer::Hang) => return self.no_answer(&call, began).await,
            Some(FaultAnswer::Unreachable) => return Err(unreachable(&call)),
            Some(FaultAnswer::Reset) => return Err(reset(&call)),
            _ => {}
        }
        let half = self.latency(&call, fault.as_ref()) / 2;
        pause(half).await;
        let answer = self.answer(&call, fault.as_ref(), effect);
        match fault {
            Some(FaultAnswer::LostAnswer) => return self.no_answer(&call, began).await,
            Some(FaultAnswer::LostReset) => return Err(reset(&call)),
            Some(FaultAnswer::LostError(code)) => {
                let message = fault::message_of(&code);
                return Err(Refusal::new(code, message).of(&call));
            }
            _ => {}
        }
        pause(half).await;
        answer
    }

    fn answer<T>(
        &self,
        call: &Call,
        fault: Option<&FaultAnswer>,
        effect: impl FnOnce(&mut State) -> std::result::Result<T, Refusal>,
    ) -> Result<T> {
        if self.is_throttled(call) {
            let code = "RequestLimitExceeded";
            return Err(Refusal::new(code, fault::message_of(code)).of(call));
        }
        if let Some(FaultAnswer::Error(code)) = fault {
            return Err(Refusal::new(code.clone(), fault::message_of(code)).of(call));
        }
        let mut state = self.state();
        let Some(region) = state.regions.get(&call.region) else { return Err(unreachable(call)) };
        if region.info.opt_in == OptIn::NotOptedIn {
            return Err(Refusal::new("OptInRequired", OPT_IN).of(call));
        }
        effect(&mut state).map_err(|refusal| refusal.of(call))
    }

    fn is_throttled(&self, call: &Call) -> bool {
        let bucket = self.spec.api.launch_bucket.filter(|_| call.operation == "RunInstances");
        bucket.is_some_and(|spec| !lock(&self.buckets).take(&call.region, spec, self.pace))
    }

    /// How many calls have failed at random.
    pub fn random_faults(&self) -> u32 {
        self.met.load(Ordering::Relaxed)
    }

    /// The fault that the scenario names, else one at random.
    fn fault(&self, call: &Call) -> Option<FaultAnswer> {
        let number = lock(&self.calls).count(call);
        let since = self.started.elapsed();
        let hit = |fault: &&super::scenario::format::FaultSpec| {
            fault.hits(call, number, since, self.pace)
        };
        let named = self.spec.faults.iter().find(hit).map(|fault| fault.answer.clone());
        let hazards = &self.spec.hazards;
        named.or_else(|| {
            let drawn = hazards.fault(call, number)?;
            let left = self.random_faults() < hazards.fault_budget;
            left.then(|| self.met.fetch_add(1, Ordering::Relaxed))?;
            Some(drawn)
        })
    }

    fn latency(&self, call: &Call, fault: Option<&FaultAnswer>) -> Duration {
        let api = &self.spec.api;
        let usual = api.operations.get(call.operation).copied().unwrap_or(api.latency_s);
        match fault {
            Some(FaultAnswer::Slow(latency)) => self.pace.of(*latency),
            _ => self.pace.of(usual),
        }
    }

    /// Waits until the caller's patience ends, as the real client does.
    async fn no_answer<T>(&self, call: &Call, began: Instant) -> Result<T> {
        let limit = self.pace.of(self.spec.api.time_limit_s);
        sleep_until(began + limit).await;
        Err(CloudError {
            kind: ErrorKind::NoAnswer,
            code: None,
            message: format!("no answer within {limit:?}"),
            region: call.region.clone(),
            operation: call.operation,
        })
    }
}

const OPT_IN: &str = "You are not authorized to use the requested service: the region is not enabled for this account.";

impl Call {
    fn to(region: &Region, operation: &'static str) -> Self {
        Self { region: region.clone(), operation, dry_run: false }
    }
}

/// What the caller sees where the connection breaks off.
fn reset(call: &Call) -> CloudError {
    CloudError {
        kind: ErrorKind::NoAnswer,
        code: None,
        message: "connection closed before message completed".into(),
        region: call.region.clone(),
        operation: call.operation,
    }
}

/// What the caller sees where there is no endpoint, or no way to it.
fn unreachable(call: &Call) -> CloudError {
    CloudError {
        kind: ErrorKind::Unreachable,
        code: None,
        message: format!("could not connect to ec2.{}.amazonaws.com", call.region),
        region: call.region.clone(),
        operation: call.operation,
    }
}

/// Sleeps, but not for nothing: a timer of zero still takes a tick.
async fn pause(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}

/// A panic elsewhere does not make what is in here wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
