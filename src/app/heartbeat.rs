//! What a command reports while nothing happens: after five seconds of silence,
//! what it waits for, since when, and what is tried next.

use std::{io, time::Duration};

use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    model::Clock,
    report::{Out, Screen},
    waits::{Wait, Waits, summary},
};

/// How long nothing may be written while something is waited for.
const SILENCE: Duration = Duration::from_secs(5);
/// How often a log gets a line about it.
const IN_A_LOG: Duration = Duration::from_secs(30);
/// How often is looked.
const TICK: Duration = Duration::from_secs(1);

/// What `--format json` prints while events are awaited.
#[derive(Serialize)]
struct WaitingEvent<'a> {
    event: &'static str,
    at: jiff::Timestamp,
    waits: &'a [Wait],
}

/// Reports what is being waited for.
pub struct Heartbeat {
    waits: Waits,
    screen: Screen,
    to: To,
    last: Option<Instant>,
}

/// Where it is reported.
pub enum To {
    /// In place on a terminal, else as lines.
    Text(Out),
    /// As events among others.
    Json(Out),
}

impl Heartbeat {
    /// Reports what enters `waits` once `screen` has been quiet.
    pub fn new(waits: Waits, screen: Screen, to: To) -> Self {
        Self { waits, screen, to, last: None }
    }

    /// Works until it is dropped, or nothing can be written any more.
    pub async fn run(mut self) {
        while self.beat().is_ok() {
            sleep(TICK).await;
        }
    }

    fn beat(&mut self) -> io::Result<()> {
        let waits = self.waits.list(SILENCE);
        let line = summary(&waits).filter(|_| self.screen.quiet_for() >= SILENCE);
        let in_place = matches!(self.to, To::Text(_)) && self.screen.has_status();
        if in_place {
            let columns = crossterm::terminal::size().map_or(80, |(columns, _)| columns);
            self.screen.status(line.as_deref(), columns);
            return Ok(());
        }
        let Some(line) = line.filter(|_| self.last.is_none_or(|last| last.elapsed() >= IN_A_LOG))
        else {
            return Ok(());
        };
        self.last = Some(Instant::now());
        match &mut self.to {
            To::Text(err) => err.line(format!("waiting: {line}")),
            To::Json(out) => {
                let at = Clock::System.now();
                out.json_line(&WaitingEvent { event: "waiting", at, waits: &waits })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that can't go on should fail")]

    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{model::Region, report::Paint};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written in `seconds` in which one call gets no answer, and the
    /// screen is written to in the middle.
    async fn while_waiting(
        seconds: u64,
        screen: Screen,
        to: impl FnOnce(Out) -> To,
        kept: &Kept,
    ) -> String {
        let waits = Waits::default();
        let _call = waits.answer(&Region::new("us-west-2"), "DescribeInstances");
        let out = Out::on(Box::new(kept.clone()), false, screen.clone());
        let heartbeat = Heartbeat::new(waits, screen, to(out));
        // Paused time goes on by itself.
        let _ = tokio::time::timeout(Duration::from_secs(seconds), heartbeat.run()).await;
        kept.text()
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_gets_a_line_after_five_seconds_and_then_every_thirty() {
        let kept = Kept::default();
        let text = while_waiting(70, Screen::default(), To::Text, &kept).await;
        let lines = [5, 35, 65].map(|seconds| {
            format!("waiting: us-west-2: no answer from DescribeInstances for {seconds} s\n")
        });
        assert_eq!(text, lines.concat());
    }

    #[tokio::test(start_paused = true)]
    async fn programs_get_an_event() {
        let kept = Kept::default();
        let text = while_waiting(40, Screen::default(), To::Json, &kept).await;
        let events: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), 2, "{text}");
        assert_eq!(events[1]["event"], "waiting");
        let wait = &events[1]["waits"][0];
        assert_eq!(wait["scope"]["region"], "us-west-2");
        assert_eq!((&wait["what"], &wait["for_s"]), (&"DescribeInstances".into(), &35.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_terminal_one_line_is_rewritten_and_erased_before_the_next_output() {
        let kept = Kept::default();
        let screen = Screen::new(Some(Box::new(kept.clone())));
        while_waiting(7, screen.clone(), To::Text, &kept).await;
        let seen = kept.text();
        assert!(
            seen.starts_with("us-west-2: no answer from DescribeInstances for 5 s"),
            "{seen:?}"
        );
        assert!(seen.contains("\r\x1b[Kus-west-2: no answer from DescribeInstances for 6 s"));
        assert!(!seen.contains('\n'), "{seen:?}");
        let mut out = Out::on(Box::new(kept.clone()), false, screen);
        out.line("an event").unwrap();
        assert!(kept.text().ends_with("\r\x1b[Kan event\n"), "{:?}", kept.text());
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_question_is_not_written_over() {
        let kept = Kept::default();
        let screen = Screen::new(Some(Box::new(kept.clone())));
        let mut out = Out::on(Box::new(kept.clone()), false, screen.clone());
        out.prompt("Launch? [y/N] ").unwrap();
        while_waiting(60, screen, To::Text, &kept).await;
        assert_eq!(kept.text(), "Launch? [y/N] ");
        assert_eq!(Paint::PLAIN, out.paint());
    }
}
