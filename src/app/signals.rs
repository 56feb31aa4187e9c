//! The signals that ask muster to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT, SIGTERM and SIGHUP, from the moment this is made.
pub struct Signals {
    each: [(u8, Signal); 3],
}

impl Signals {
    /// Takes them over from the system, which would end muster at once.
    pub fn new() -> std::io::Result<Self> {
        let of = |number, kind| Ok::<_, std::io::Error>((number, signal(kind)?));
        let each = [
            of(2, SignalKind::interrupt())?,
            of(15, SignalKind::terminate())?,
            of(1, SignalKind::hangup())?,
        ];
        Ok(Self { each })
    }

    /// The number of the next one.
    pub async fn next(&mut self) -> u8 {
        let [(int, interrupt), (term, terminate), (hup, hangup)] = &mut self.each;
        tokio::select! {
            _ = interrupt.recv() => *int,
            _ = terminate.recv() => *term,
            _ = hangup.recv() => *hup,
        }
    }
}
