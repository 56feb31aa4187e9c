//! The signals that ask muster to end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;
use tokio::signal::unix::{self, SignalKind, signal};

/// A signal that asks muster to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal is gone.
    Hangup,
    /// Ctrl-C from outside.
    Interrupt,
    /// Asked to end.
    Terminate,
}

impl Signal {
    const ALL: [Self; 3] = [Self::Hangup, Self::Interrupt, Self::Terminate];

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    fn kind(self) -> SignalKind {
        SignalKind::from_raw(self.number().into())
    }
}

/// The signals that come from the moment this is made. Never ends.
pub struct Signals {
    each: Vec<(Signal, unix::Signal)>,
}

impl Signals {
    /// Takes them over from the system, which would end muster at once; but
    /// not those that whoever started muster had it ignore, as `nohup` does.
    pub fn new() -> io::Result<Self> {
        let ignored = ignored();
        let heard = Signal::ALL.into_iter().filter(|one| ignored & (1 << (one.number() - 1)) == 0);
        let each = heard.map(|one| Ok((one, signal(one.kind())?)));
        Ok(Self { each: each.collect::<io::Result<_>>()? })
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Signal>> {
        for (name, signals) in &mut self.each {
            if signals.poll_recv(context).is_ready() {
                return Poll::Ready(Some(*name));
            }
        }
        Poll::Pending
    }
}

/// The ignored signals, a bit each; none where the system does not tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
