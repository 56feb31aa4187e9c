//! The signals that ask muster to end.
//!
//! Once a handler is installed, the system's default (end the process) never
//! comes back. So one thread receives the signals for the whole process and
//! hands them to those who listen; where nobody does, or nobody takes a signal
//! within a grace period, it ends the process itself. A signal always ends muster,
//! also while it waits at a prompt or in a blocking call.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc as std_mpsc,
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use futures_util::Stream;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// How long a listener may take to notice a signal.
const GRACE: Duration = Duration::from_secs(3);

/// A signal that asks muster to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The terminal was closed.
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

    /// The exit status of a process that it ended, as shells report it.
    pub fn exit_code(self) -> u8 {
        128 + self.number()
    }

    fn kind(self) -> SignalKind {
        SignalKind::from_raw(self.number().into())
    }
}

/// A signal on its way to a listener.
struct Delivery {
    signal: Signal,
    taken: Arc<AtomicBool>,
}

/// Everybody who listens, by number.
struct Listeners {
    next: u64,
    by_number: BTreeMap<u64, mpsc::UnboundedSender<Delivery>>,
}

static LISTENERS: Mutex<Listeners> = Mutex::new(Listeners { next: 0, by_number: BTreeMap::new() });

fn listeners() -> std::sync::MutexGuard<'static, Listeners> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals that come from the moment this is made until it is dropped. Never ends.
pub struct Signals {
    number: u64,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

impl Signals {
    /// Takes them over from the system, which would end muster at once; but
    /// not those that the parent process set to be ignored, as `nohup` does.
    pub fn new() -> io::Result<Self> {
        static STARTED: OnceLock<Result<(), io::ErrorKind>> = OnceLock::new();
        let (sender, deliveries) = mpsc::unbounded_channel();
        let number = {
            let mut listeners = listeners();
            listeners.next += 1;
            let number = listeners.next;
            listeners.by_number.insert(number, sender);
            number
        };
        let this = Self { number, deliveries };
        STARTED.get_or_init(|| start().map_err(|error| error.kind())).map_err(io::Error::from)?;
        Ok(this)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        listeners().by_number.remove(&self.number);
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Signal>> {
        self.deliveries.poll_recv(context).map(|delivery| {
            let delivery = delivery?;
            delivery.taken.store(true, Ordering::Release);
            Some(delivery.signal)
        })
    }
}

/// Starts the thread that receives the signals; returns once it does.
fn start() -> io::Result<()> {
    let (ready, started) = std_mpsc::channel();
    let receive = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let installed = runtime.and_then(|runtime| {
            let guard = runtime.enter();
            install()?;
            drop(guard);
            Ok(runtime)
        });
        match installed {
            Ok(runtime) => {
                // The caller waits for it.
                drop(ready.send(Ok(())));
                runtime.block_on(std::future::pending::<()>());
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    };
    thread::Builder::new().name("signals".into()).spawn(receive)?;
    started.recv().map_err(io::Error::other)?
}

fn install() -> io::Result<()> {
    let ignored = ignored();
    for one in Signal::ALL.into_iter().filter(|one| ignored & (1 << (one.number() - 1)) == 0) {
        let mut received = signal(one.kind())?;
        tokio::spawn(async move {
            while received.recv().await.is_some() {
                deliver(one);
            }
        });
    }
    Ok(())
}

/// Hands `signal` to everybody who listens, and ends the process where nobody takes it.
fn deliver(signal: Signal) {
    let taken = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = listeners().by_number.values().cloned().collect();
    let send = |sender: &&mpsc::UnboundedSender<Delivery>| {
        sender.send(Delivery { signal, taken: Arc::clone(&taken) }).is_ok()
    };
    if senders.iter().filter(send).count() == 0 {
        end(signal);
    }
    tokio::spawn(async move {
        tokio::time::sleep(GRACE).await;
        if !taken.load(Ordering::Acquire) {
            end(signal);
        }
    });
}

fn end(signal: Signal) -> ! {
    std::process::exit(signal.exit_code().into())
}

/// The ignored signals, a bit each; none where the system does not report it.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
