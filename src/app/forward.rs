//! `muster forward`: the leader's ports on this machine's loopback, over SSH,
//! so that none of them has to be open to the outside.
//!
//! muster listens itself and hands each connection to a socket of ssh. So the
//! ports stay while a broken connection is re-established, and a client that connects
//! meanwhile waits for it.

mod listen;
mod listening;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt;
use tokio::{sync::watch, time::sleep};

use self::listen::Listeners;
use super::{CliError, Exit, ProjectSession, Streams, known::Known};
use crate::{
    cli::ForwardArgs,
    engine::{NodeState, host_of},
    handover::{Forwarded, Ports},
    journal::ForwardRecord,
    model::Failure,
    remote::{RemoteError, RemoteErrorKind, Session},
    report::Tone,
    signals::Signals,
};

/// Between two tries to connect again.
const PAUSE: Duration = Duration::from_secs(2);

/// ssh's sockets for the three ports; none while there is no connection.
type Ways = Option<[PathBuf; 3]>;

/// Forwards until a signal comes.
pub async fn run(args: ForwardArgs, streams: &mut Streams) -> Result<Exit, CliError> {
    let world = ProjectSession::open(&args.project)?;
    world.refuse_simulated("forward", "a simulated leader has no ports")?;
    world.print_warnings(streams)?;
    let known = Known::open(&world, streams).await?;
    let mut record = claim(known.folder.as_deref())?;
    let listeners = Listeners::bind(&args).await.map_err(CliError::failed)?;
    let mut signals = Signals::new()?;
    let (ways, for_listeners) = watch::channel(None);
    let ports = listeners.ports();
    let serving = listeners.serve(for_listeners);
    let keep = async {
        let session = first(&world, &known).await?;
        let open = open(&*session, &known, streams).await?.map_err(|error| failed(&error))?;
        ways.send_replace(Some(open));
        record.write(&Forwarded { pid: std::process::id(), ports })?;
        print_ports(&known, ports, streams)?;
        keep(&world, session, &ways, streams).await
    };
    let ended = tokio::select! {
        Some(signal) = signals.next() => Ok(Exit::signal(signal)),
        ended = keep => ended,
        () = serving => Err(color_eyre::eyre::eyre!("nobody listens any more").into()),
    };
    drop(record);
    ended
}

/// The leader's ports on this machine for as long as one piece of work takes.
/// No export names them.
pub struct Forward {
    listeners: Listeners,
    session: Box<dyn Session>,
    ways: watch::Sender<Ways>,
}

impl Forward {
    /// Connects, and listens on ports that are free.
    pub async fn open(
        world: &ProjectSession,
        known: &Known,
        streams: &mut Streams,
    ) -> Result<Self, CliError> {
        let listeners = Listeners::bind_any().await.map_err(CliError::failed)?;
        let session = first(world, known).await?;
        let open = open(&*session, known, streams)
            .await?
            .map_err(|error| CliError::failed(Failure::from(&error)))?;
        Ok(Self { listeners, session, ways: watch::Sender::new(Some(open)) })
    }

    /// Where it listens.
    pub fn forwarded(&self) -> Forwarded {
        Forwarded { pid: std::process::id(), ports: self.listeners.ports() }
    }

    /// Forwards until `work` ends.
    pub async fn during<T>(self, work: impl Future<Output = T>) -> T {
        let serving = self.listeners.serve(self.ways.subscribe());
        tokio::pin!(serving, work);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                // It never returns.
                () = &mut serving => {}
            }
        };
        self.session.close().await;
        result
    }
}

/// One `muster forward` a cluster: the export names the ports of that one.
fn claim(folder: Option<&Path>) -> Result<ForwardRecord, CliError> {
    let folder = folder.ok_or_else(|| color_eyre::eyre::eyre!("a cluster in memory"))?;
    ForwardRecord::take(folder)?.map_err(|other| {
        let process = other.map(|other| format!(" (process {})", other.pid)).unwrap_or_default();
        let failure = Failure::new(format!("a `muster forward` of this cluster runs{process}"));
        CliError::failed(failure.hint("use that one, or end it first"))
    })
}

fn leader(known: &Known) -> Result<&NodeState, Failure> {
    let leader = known.state.nodes.values().find(|node| node.leader && node.is_live());
    leader.ok_or_else(|| {
        Failure::new("the leader has no machine").hint("`muster up` launches what is missing")
    })
}

async fn first(world: &ProjectSession, known: &Known) -> Result<Box<dyn Session>, CliError> {
    let host = leader(known).and_then(|node| host_of(&world.project, node));
    let host = host.map_err(CliError::failed)?;
    known.remote.connect(&host).await.map_err(|error| failed(&error))
}

fn failed(error: &RemoteError) -> CliError {
    CliError::failed(Failure::from(error))
}

/// Opens a way to each of the leader's ports, wherever they are listened at.
async fn open(
    session: &dyn Session,
    known: &Known,
    streams: &mut Streams,
) -> Result<Result<[PathBuf; 3], RemoteError>, CliError> {
    let table = match listening::look(session).await {
        Ok(table) => table,
        Err(error) => return Ok(Err(error)),
    };
    let mut ways = Vec::new();
    for (name, port) in Ports::ON_THE_LEADER.named() {
        let at = listening::address(&table, port);
        if at.is_none() {
            streams.err.line(format!("note: nothing listens for {name} ({port}) on the leader"))?;
        }
        match session.forward((at.unwrap_or(usual(known, port)), port).into()).await {
            Ok(way) => ways.push(way),
            Err(error) => return Ok(Err(error)),
        }
    }
    let three = ways.try_into().map_err(|_| color_eyre::eyre::eyre!("not three ports"))?;
    Ok(Ok(three))
}

/// Where the recipe will have a service listen that does not yet.
fn usual(known: &Known, port: u16) -> Ipv4Addr {
    let leader = leader(known).ok().and_then(|node| node.instance.as_ref()?.private_ip);
    match (port == Ports::ON_THE_LEADER.dashboard, leader) {
        (true, Some(private)) => private,
        _ => Ipv4Addr::LOCALHOST,
    }
}

fn print_ports(known: &Known, ports: Ports, streams: &mut Streams) -> Result<(), CliError> {
    let node = leader(known).map(|node| node.name.to_string()).unwrap_or_default();
    for ((name, here), (_, there)) in ports.named().iter().zip(Ports::ON_THE_LEADER.named()) {
        streams.out.line(format!("{name:<15}  127.0.0.1:{here:<5}  →  {node}:{there}"))?;
    }
    let paint = streams.out.paint();
    let address = format!("http://127.0.0.1:{}", ports.dashboard);
    streams.out.line(paint.paint(
        Tone::Dim,
        format!("{address} is the dashboard; `muster export` names these ports from now on; Ctrl-C ends it"),
    ))?;
    Ok(())
}

/// Waits for the connection's end and makes another one, again and again.
async fn keep(
    world: &ProjectSession,
    mut session: Box<dyn Session>,
    ways: &watch::Sender<Ways>,
    streams: &mut Streams,
) -> Result<Exit, CliError> {
    loop {
        let why = session.lost().await;
        ways.send_replace(None);
        session.close().await;
        streams.err.line(format!("{why}; connecting again"))?;
        session = again(world, ways, streams).await?;
        streams.err.line("connected again")?;
    }
}

/// Tries until the leader lets us in, however long its machine is stopped.
/// Its address is read again each time: after a start it is another one.
async fn again(
    world: &ProjectSession,
    ways: &watch::Sender<Ways>,
    streams: &mut Streams,
) -> Result<Box<dyn Session>, CliError> {
    let mut reported = String::new();
    loop {
        match once(world, streams).await? {
            Ok((session, open)) => {
                ways.send_replace(Some(open));
                return Ok(session);
            }
            Err(why) if why != reported => {
                streams.err.line(format!("{why}; trying again"))?;
                reported = why;
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

/// A connection with its ways, or why there is none yet.
type Connected = Result<(Box<dyn Session>, [PathBuf; 3]), String>;

async fn once(world: &ProjectSession, streams: &mut Streams) -> Result<Connected, CliError> {
    let known = Known::open(world, streams).await?;
    let node = leader(&known).map_err(CliError::failed)?;
    let host = match host_of(&world.project, node) {
        Ok(host) => host,
        // It is stopped or just starts: then its address is on record soon.
        Err(failure) => return Ok(Err(failure.to_string())),
    };
    let session = match known.remote.connect(&host).await {
        Ok(session) => session,
        Err(error) => return not_yet(&error),
    };
    match open(&*session, &known, streams).await? {
        Ok(open) => Ok(Ok((session, open))),
        Err(error) => not_yet(&error),
    }
}

fn not_yet(error: &RemoteError) -> Result<Connected, CliError> {
    match error.kind {
        RemoteErrorKind::HostKeyChanged => Err(failed(error)),
        _ => Ok(Err(error.to_string())),
    }
}
