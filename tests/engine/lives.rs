//! Whole life cycles of a cluster in a simulated EC2 that is eventually consistent and
//! does not always answer: fix, up, stop, start, down, and removal of the networks, with
//! the process killed at random points. The simulated world's own record is the reference.
//!
//! Each run draws new seeds and prints them. `MUSTER_LIFE_SEED=N` repeats one,
//! `MUSTER_LIVES=N` sets their number.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use muster::{
    check::Level,
    cloud::InstanceState,
    engine::{Command, Update},
    remedy::FixScope,
    sim::{Scenario, Snapshot},
};
use tokio::time::{sleep, timeout};

use crate::support::{
    chance::{Chance, seeds},
    run::Run,
};

/// The default number of lives.
const USUAL: usize = 40;
/// How often a command may be repeated, and how many of its runs are killed at most.
const TRIES: usize = 12;
const KILLS: usize = 2;
const PLANNED: usize = 6;

/// The steps of an operator with an existing network, in this order.
const CLUSTER: &[Step] = &[Step::Up, Step::StopMachines, Step::StartMachines, Step::Down];
const WHOLE: &[Step] =
    &[Step::Fix, Step::Up, Step::StopMachines, Step::StartMachines, Step::Down, Step::Teardown];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Fix,
    Up,
    StopMachines,
    StartMachines,
    Down,
    Teardown,
}

#[test]
fn lives_in_a_network_that_exists_leave_nothing_and_claim_nothing_false() {
    live_all(include_str!("two_regions.toml"), CLUSTER);
}

#[test]
fn whole_lives_from_nothing_leave_nothing_and_claim_nothing_false() {
    live_all(include_str!("lives.toml"), WHOLE);
}

/// EC2 launches all or none: if fewer are listed, the rest is not launched again.
#[test]
fn a_launch_without_an_answer_is_found_whole() {
    for seed in 0..30 {
        let lost = format!(
            "{}\n[[faults]]\noperation = 'RunInstances'\nregion = 'eu-west-1'\n\
             dry_run = false\ncalls = [1, 2]\nanswer = 'lost-reset'\n\
             [hazards]\nseed = {seed}\nlag_s = [0, 15]\n",
            include_str!("two_regions.toml")
        );
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new(&Scenario::parse(&lost).unwrap());
            run.up().await;
            assert!(run.all_ready(), "seed {seed}: {:?} {:?}", run.phases(), run.notices);
            assert_eq!(live(&run.world.snapshot(), &[]), PLANNED, "seed {seed}");
        });
    }
}

fn live_all(world: &str, course: &[Step]) {
    let seeds = seeds("MUSTER_LIFE_SEED", "MUSTER_LIVES", USUAL);
    println!("seeds: {seeds:?}");
    let (mut bad, mut kills, mut faults) = (0, 0, 0);
    for seed in &seeds {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        let life = runtime.block_on(Life::run(*seed, world, course));
        kills += life.kills;
        faults += life.faults;
        if !life.problems.is_empty() {
            bad += 1;
            println!("── MUSTER_LIFE_SEED={seed}: {}", life.problems.join("\n   "));
            if bad <= 2 {
                println!("{}", life.transcript);
            }
        }
    }
    println!("{} lives, {kills} kills, {faults} faults, {bad} with problems", seeds.len());
    assert_eq!(bad, 0, "lives with problems; their seeds are above");
}

/// A life and its outcome.
struct Life {
    seed: u64,
    problems: Vec<String>,
    transcript: String,
    kills: usize,
    faults: u32,
}

impl Life {
    async fn run(seed: u64, world: &str, course: &[Step]) -> Self {
        let mut life =
            Self { seed, problems: Vec::new(), transcript: String::new(), kills: 0, faults: 0 };
        let mut run = Run::new(&scenario(seed, world));
        for &step in course {
            let (next, ended) = life.until(run, step).await;
            run = next;
            if !ended {
                break;
            }
        }
        life.faults = run.world.random_faults();
        if life.problems.is_empty() {
            // Instances launched without a record would be running by now.
            sleep(Duration::from_mins(10)).await;
            let truth = run.world.snapshot();
            life.expect(live(&truth, &[]) == 0, "an instance is left");
            let left = leftovers(&truth);
            life.expect(left.is_empty(), &format!("left: {left:?}"));
        }
        life
    }

    /// Repeats a step until it succeeds; returns whether it did.
    async fn until(&mut self, mut run: Run, step: Step) -> (Run, bool) {
        for attempt in 0..TRIES {
            let mut chance = Chance::new(self.seed).of(&format!("{step:?}"), attempt);
            let killed = attempt < KILLS && chance.happens(45);
            let most = 1 << (8 + chance.below(10));
            let after = if killed { chance.below(most) } else { u64::MAX };
            let began = run.events.len();
            let ended = tokio::select! {
                ended = timeout(Duration::from_hours(3), carry_out(&mut run, step)) => Some(ended),
                () = sleep(Duration::from_millis(after.min(1 << 40))) => None,
            };
            writeln!(self.transcript, "{step:?} #{attempt}: {ended:?} (kill after {after} ms)")
                .unwrap();
            for event in &run.events[began..] {
                writeln!(self.transcript, "    {event:?}").unwrap();
            }
            for notice in run.notices.drain(..) {
                writeln!(self.transcript, "  ! {notice}").unwrap();
            }
            match ended {
                None => {
                    self.kills += 1;
                    let project = run.files.load().project.unwrap();
                    run.project = std::sync::Arc::new(project);
                    run = run.killed_and_restarted().await;
                }
                Some(Err(_)) => {
                    self.expect(false, &format!("stuck: {step:?} does not end"));
                    return (run, false);
                }
                Some(Ok(done)) => {
                    self.judge(&run, step, done);
                    if done {
                        return (run, true);
                    }
                    sleep(Duration::from_secs(5)).await;
                }
            }
            if !self.problems.is_empty() {
                return (run, false);
            }
        }
        self.expect(false, &format!("stuck: {step:?} after {TRIES} runs"));
        (run, false)
    }

    /// Records a problem if the engine's report is false.
    fn judge(&mut self, run: &Run, step: Step, done: bool) {
        let truth = run.world.snapshot();
        let count = live(&truth, &[]);
        self.expect(count <= PLANNED, &format!("{count} instances, {PLANNED} planned"));
        for (what, ids) in by_step(&truth) {
            self.expect(ids.len() == 1, &format!("{what} was made twice: {ids:?}"));
        }
        if !done {
            return;
        }
        let so = match step {
            Step::Fix | Step::Teardown => true,
            Step::Up | Step::StartMachines => live(&truth, &[InstanceState::Running]) == PLANNED,
            Step::StopMachines => live(&truth, &[InstanceState::Stopped]) == count,
            Step::Down => count == 0,
        };
        self.expect(so, &format!("{step:?} was reported as complete, and is not"));
    }

    fn expect(&mut self, so: bool, problem: &str) {
        if !so {
            writeln!(self.transcript, "!!! {problem}").unwrap();
            self.problems.push(problem.to_owned());
        }
    }
}

/// Sends a step's commands; returns whether it succeeded.
async fn carry_out(run: &mut Run, step: Step) -> bool {
    match step {
        Step::Fix => {
            fix(run, Command::PlanFix(FixScope::default())).await && {
                run.look().await;
                run.findings.iter().all(|finding| finding.level != Level::Fail)
            }
        }
        Step::Up => {
            run.up().await;
            run.all_ready()
        }
        Step::StopMachines => run.stop().await,
        Step::StartMachines => {
            run.start().await;
            run.all_ready()
        }
        Step::Down => run.down().await,
        Step::Teardown => fix(run, Command::PlanTeardown).await,
    }
}

/// Plans, and carries out what was planned.
pub(super) async fn fix(run: &mut Run, plan: Command) -> bool {
    let teardown = plan == Command::PlanTeardown;
    run.send(plan);
    let planned = |update: &Update| matches!(update, Update::FixPlan(_) | Update::Refused(_));
    let Update::FixPlan(fix) = run.until(|update, _| planned(update)).await else { return false };
    run.notices.extend(fix.plan.left.iter().map(|left| format!("left: {left:?}")));
    if teardown && !fix.plan.left.is_empty() {
        return false;
    }
    if fix.plan.is_empty() {
        return true;
    }
    run.send(Command::Fix(fix.plan.clone()));
    let ended = |update: &Update| matches!(update, Update::FixEnded { .. } | Update::Refused(_));
    matches!(run.until(|update, _| ended(update)).await, Update::FixEnded { complete: true })
}

/// How many instances are in one of `states`; none named: in one that is billed.
pub fn live(truth: &Snapshot, states: &[InstanceState]) -> usize {
    let all = truth.regions.values().flat_map(|region| &region.instances);
    let ours = all.filter(|one| one.tags.contains_key("muster:cluster"));
    ours.filter(|one| match states {
        [] => !matches!(one.state, InstanceState::ShuttingDown | InstanceState::Terminated),
        _ => states.contains(&one.state),
    })
    .count()
}

/// Ids by region and the fix step that made them.
pub(super) fn by_step(truth: &Snapshot) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (region, held) in &truth.regions {
        for (id, tags) in &held.tags {
            // A call adds several rules at once.
            if let Some(step) = tags.get("muster:remedy").filter(|_| !id.starts_with("sgr-")) {
                all.entry(format!("{region}: {step}")).or_default().push(id.clone());
            }
        }
    }
    all
}

/// What muster made and what `down` with the networks has to remove.
pub(super) fn leftovers(truth: &Snapshot) -> Vec<String> {
    let tags = truth.regions.values().flat_map(|region| &region.tags);
    let ours = tags.filter(|(id, tags)| {
        tags.contains_key("muster:project") && !id.starts_with("key-") && !id.starts_with("i-")
    });
    ours.map(|(id, _)| id.clone()).collect()
}

/// Returns a world whose faults are drawn from the seed.
fn scenario(seed: u64, world: &str) -> Scenario {
    let mut chance = Chance::new(seed).of("hazards", 0);
    let faults = [0.0, 0.02, 0.06][usize::try_from(chance.below(3)).unwrap()];
    let [lag, tags, busy] = [chance.below(8), chance.below(12), chance.below(40)];
    let hazards = format!(
        "[hazards]\nseed = {seed}\nlag_s = [0, {lag}]\ntag_lag_s = [0, {tags}]\n\
         busy_s = [0, {busy}]\nfaults = {faults}\nfault_budget = 30\n"
    );
    let text = format!("{world}\n{hazards}");
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}
