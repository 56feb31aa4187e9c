//! One story: the whole life cycle of a cluster, each command repeated until it
//! succeeds, with kills and faults on the way.

use std::{fmt::Write, time::Duration};

use tokio::time::sleep;

use super::{
    claims,
    scene::{Kill, Scene},
    verdict::{PLANNED, Truth},
};
use crate::support::{chance::Chance, ec2::Ec2, muster::Ran};

/// How often a command may be repeated.
const TRIES: usize = 12;
/// How many of its runs may be killed.
const KILLS: usize = 2;

/// The outcome of a story.
#[derive(Default)]
pub struct Outcome {
    /// Duplicates, orphans, false claims, stuck commands.
    pub problems: Vec<String>,
    /// Every run with its output.
    pub transcript: Vec<String>,
    /// The number of killed runs.
    pub kills: usize,
    /// The number of calls with a fault.
    pub faults: usize,
    /// The number of runs.
    pub runs: usize,
}

/// The conditions of a story.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Runs are killed.
    pub kills: bool,
    /// Calls fail.
    pub faults: bool,
}

struct Story {
    scene: Scene,
    seed: u64,
    course: Course,
    outcome: Outcome,
}

/// The final result of a command.
#[derive(PartialEq)]
enum End {
    AsWanted,
    /// Killed, and not repeated by the operator.
    Abandoned,
    Stuck,
}

/// Runs the story of `seed`.
pub async fn run(ec2: &Ec2, seed: u64, course: Course) -> Outcome {
    let scene = Scene::new(ec2, seed, course.faults);
    let mut story = Story { scene, seed, course, outcome: Outcome::default() };
    story.whole_life().await;
    story.outcome
}

impl Story {
    async fn whole_life(&mut self) {
        let init = self.scene.init();
        if self.until(&init, &[0]).await != End::AsWanted {
            return;
        }
        self.scene.complete_project();
        for command in [&["check"][..], &["fix", "--yes"], &["check"]] {
            let wanted: &[i32] = if command[0] == "check" { &[0, 1] } else { &[0] };
            if self.until(&owned(command), wanted).await == End::Stuck {
                return;
            }
        }
        let mut chance = Chance::new(self.seed).of("course", 0);
        let up = self.until(&owned(&["up", "--yes"]), &[0]).await;
        if up == End::Stuck {
            return;
        }
        let ends_now = up == End::Abandoned && chance.happens(50);
        let commands: &[&[&str]] = if ends_now {
            &[&["status"]]
        } else {
            &[&["status"], &["stop", "--yes"], &["status"], &["start", "--yes"], &["status"]]
        };
        for command in commands {
            // `start` can't complete an incomplete cluster.
            if command[0] == "start" && up == End::Abandoned {
                break;
            }
            // `status` of a cluster that is not complete ends with 1.
            let wanted =
                if up == End::Abandoned && command[0] == "status" { &[0, 1][..] } else { &[0] };
            if self.until(&owned(command), wanted).await == End::Stuck {
                return;
            }
        }
        for command in [&["down", "--yes"][..], &["status"], &["down", "--network", "--yes"]] {
            if self.until(&owned(command), &[0]).await == End::Stuck {
                return;
            }
        }
        self.settled().await;
    }

    /// Runs a command until it ends with one of `wanted`.
    async fn until(&mut self, args: &[String], wanted: &[i32]) -> End {
        for attempt in 0..TRIES {
            let kill = self.kill(args, attempt);
            let before = Truth::of(&self.scene.account.truth());
            let ran = self.scene.run(args, kill).await;
            let after = Truth::of(&self.scene.account.truth());
            self.outcome.runs += 1;
            self.outcome.faults = after.faults();
            let name = args[..args.len().min(2)].join(" ");
            let Some(ran) = ran else {
                self.transcript(args, kill, None, &before, &after);
                self.problem(format!("stuck: `{name}` does not end"));
                return End::Stuck;
            };
            self.transcript(args, kill, Some(&ran), &before, &after);
            self.judge(args, &ran, &before, &after);
            match ran.code {
                Some(code) if wanted.contains(&code) => return End::AsWanted,
                None => {
                    self.outcome.kills += 1;
                    let mut chance = self.chance(args).of("abandon", attempt);
                    if args[0] == "up" && chance.happens(30) {
                        return End::Abandoned;
                    }
                }
                Some(_) => sleep(Duration::from_millis(500)).await,
            }
        }
        self.problem(format!("stuck: `{}` after {TRIES} runs", args.join(" ")));
        End::Stuck
    }

    fn chance(&self, args: &[String]) -> Chance {
        Chance::new(self.seed).of(&args[..args.len().min(2)].join(" "), self.outcome.runs)
    }

    /// Returns whether and when this run is killed.
    fn kill(&self, args: &[String], attempt: usize) -> Kill {
        let mut chance = self.chance(args);
        let often = match args[0].as_str() {
            "status" | "check" => 5,
            "init" => 15,
            _ => 45,
        };
        if !self.course.kills || attempt >= KILLS || !chance.happens(often) {
            return Kill::No;
        }
        if chance.happens(60) && !["init", "check", "status"].contains(&args[0].as_str()) {
            let calls = if args[0] == "fix" { 50 } else { 6 };
            return Kill::AtCall(chance.below(calls), chance.happens(60));
        }
        let most = 100 * (1 << chance.below(7));
        Kill::After(Duration::from_millis(20 + chance.below(most)))
    }

    /// Records a problem if a run's report is false.
    fn judge(&mut self, args: &[String], ran: &Ran, before: &Truth, after: &Truth) {
        let billed = ["pending", "running"];
        let any = ["pending", "running", "stopping", "stopped", "shutting-down"];
        let (out, code) = (&ran.out, ran.code);
        let mut claims = Vec::new();
        if code == Some(101) || ran.err.contains("panicked") {
            claims.push("muster panicked".to_owned());
        }
        if let Some((low, high)) = range_before(out, " instances billed") {
            let (first, last) = (before.count(&billed), after.count(&billed));
            let older = after.count_at(before.now() - 1.0, &any);
            let fewest = first.min(last).min(after.count_at(before.now() - 1.0, &billed));
            let most = first.max(last).max(older).max(after.count_at(before.now(), &any));
            if high < fewest || low > most {
                let claim = format!("{low} to {high} instances billed");
                claims.push(format!("\"{claim}\", but {fewest} to {most} are"));
            }
        }
        if out.contains("No machine runs") && before.count(&billed).min(after.count(&billed)) > 0 {
            claims.push("\"No machine runs\", but some do".into());
        }
        match (args[0].as_str(), code) {
            ("stop", Some(0)) if after.count(&["pending", "running", "stopping"]) > 0 => {
                claims.push("`stop` ended with 0 and not everything is stopped".into());
            }
            ("up" | "start", Some(0)) if after.count(&["running"]) != PLANNED => {
                claims.push(format!("`{}` ended with 0 without {PLANNED} running", args[0]));
            }
            ("down", Some(0)) if after.count(&any) > 0 => {
                claims.push("`down` ended with 0 and not everything is terminated".into());
            }
            _ => {}
        }
        if (args[0].as_str(), code) == ("down", Some(0)) && args.contains(&"--network".to_owned()) {
            let unlisted = after.leftovers().into_iter().filter(|id| !out.contains(id.as_str()));
            let unlisted: Vec<_> = unlisted.collect();
            if !unlisted.is_empty() {
                claims.push(format!("orphans: {}", unlisted.join(", ")));
            }
        }
        claims.extend(claims::false_failures(&format!("{out}{}", ran.err), after));
        claims.extend(claims::false_changes(out, after));
        for claim in claims {
            let command = args[..args.len().min(2)].join(" ");
            self.problem(format!("false claim of `{command}`: {claim} ({})", after.table()));
        }
    }

    /// Asserts that nothing appears later and nothing was created twice.
    async fn settled(&mut self) {
        sleep(Duration::from_secs(2)).await;
        let truth = Truth::of(&self.scene.account.truth());
        let states = ["pending", "running", "stopping", "stopped", "shutting-down"];
        if truth.count(&states) > 0 {
            self.problem(format!("orphans: {}", truth.table()));
        }
        for double in truth.doubles() {
            self.problem(format!("double: {double}"));
        }
    }

    fn problem(&mut self, text: String) {
        self.outcome.transcript.push(format!("!!! {text}"));
        self.outcome.problems.push(text);
    }

    fn transcript(
        &mut self,
        args: &[String],
        kill: Kill,
        ran: Option<&Ran>,
        before: &Truth,
        after: &Truth,
    ) {
        let mut text = format!("$ muster {}   ({kill:?})\n", args.join(" "));
        match ran {
            Some(ran) => writeln!(text, "{}{}exit {:?}", ran.out, ran.err, ran.code).unwrap(),
            None => text.push_str("does not end\n"),
        }
        for call in after.calls_between(before.now(), after.now()) {
            writeln!(text, "    {call}").unwrap();
        }
        self.outcome.transcript.push(text);
    }
}

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(ToString::to_string).collect()
}

/// The number, or the least and the most of `1 to 4`, that stand before the first `words`.
fn range_before(text: &str, words: &str) -> Option<(usize, usize)> {
    let (front, _) = text.split_once(words)?;
    let mut back = front.rsplit(' ');
    let high = back.next()?.parse().ok()?;
    let low = back.next().filter(|word| *word == "to").and_then(|_| back.next()?.parse().ok());
    Some((low.unwrap_or(high), high))
}
