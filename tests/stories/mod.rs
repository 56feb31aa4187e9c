//! Whole stories against a realistic EC2 with the real binary: init, check, fix, up,
//! status, stop, start, down, down --network; killed at random points, with calls that
//! fail at random. Afterwards EC2's own record is the reference: nothing was created
//! twice, nothing is left, no claim was false, every command ended.
//!
//! Each run draws new seeds and prints them. `MUSTER_STORY_SEED=N` repeats one,
//! `MUSTER_STORIES=N` sets their number, `MUSTER_STORY_JOBS=N` how many run at a time,
//! `MUSTER_STORY_LOG=DIR` keeps the output of every run.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

mod claims;
mod scene;
mod story;
mod verdict;

use std::{env, fs, time::Instant};

use futures_util::{StreamExt, stream};

use self::story::{Course, Outcome};
use crate::support::{
    chance::{Chance, number, seeds},
    ec2::Ec2,
};

/// Stories where nothing else is asked for.
const FEW: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn whole_lives_with_kills_and_faults_leave_nothing_and_claim_nothing_false() {
    let ec2 = Ec2::start();
    let began = Instant::now();
    let seeds = seeds("MUSTER_STORY_SEED", "MUSTER_STORIES", FEW);
    println!("seeds: {seeds:?}");
    let jobs = number("MUSTER_STORY_JOBS").unwrap_or(4);
    let stories = stream::iter(seeds).map(|seed| {
        let ec2 = &ec2;
        async move { (seed, story::run(ec2, seed, course(seed)).await) }
    });
    let outcomes: Vec<(u64, Outcome)> = stories.buffer_unordered(jobs).collect().await;
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(|(_, one)| of(one)).sum::<usize>();
    println!(
        "{} stories, {} runs, {} kills, {} faults, {} problems in {:.0} s",
        outcomes.len(),
        sum(|one| one.runs),
        sum(|one| one.kills),
        sum(|one| one.faults),
        sum(|one| one.problems.len()),
        began.elapsed().as_secs_f64()
    );
    let mut failed = 0;
    for (seed, outcome) in &outcomes {
        keep(*seed, outcome);
        if !outcome.problems.is_empty() {
            failed += 1;
            println!("── MUSTER_STORY_SEED={seed}: {}", outcome.problems.join("\n   "));
            if failed <= 2 {
                println!("{}", outcome.transcript.join("\n"));
            }
        }
    }
    assert_eq!(failed, 0, "stories with problems; their seeds are above");
}

fn keep(seed: u64, outcome: &Outcome) {
    let Ok(folder) = env::var("MUSTER_STORY_LOG") else { return };
    let name = if outcome.problems.is_empty() { "good" } else { "bad" };
    let text = outcome.problems.iter().chain(&outcome.transcript);
    let text: Vec<_> = text.map(String::as_str).collect();
    fs::write(format!("{folder}/{name}-{seed}.txt"), text.join("\n")).unwrap();
}

/// Half of all stories have both kills and faults, the rest one of the two or none.
fn course(seed: u64) -> Course {
    let drawn = Chance::new(seed).of("which", 0).below(8);
    Course { kills: drawn != 0 && drawn != 1, faults: drawn != 0 && drawn != 2 }
}
