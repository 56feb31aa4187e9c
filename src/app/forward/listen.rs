//! The ports on this machine, and what comes in there.

use std::{io, net::Ipv4Addr, path::PathBuf, time::Duration};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

use super::Ways;
use crate::{cli::ForwardArgs, handover::Ports, model::Failure};

/// How long a connection waits for ssh to be there again.
const PATIENCE: Duration = Duration::from_mins(1);

/// The three ports, taken.
pub struct Listeners([TcpListener; 3]);

impl Listeners {
    /// Takes the ports that are asked for; where none is, the leader's own or,
    /// where another program has it, any that is free.
    pub async fn bind(args: &ForwardArgs) -> Result<Self, Failure> {
        let usual = Ports::ON_THE_LEADER;
        Ok(Self([
            bind("--client-port", args.client_port, usual.client).await?,
            bind("--redis-port", args.redis_port, usual.redis).await?,
            bind("--dashboard-port", args.dashboard_port, usual.dashboard).await?,
        ]))
    }

    /// Takes any ports that are free.
    pub async fn bind_any() -> Result<Self, Failure> {
        let free = async |flag| bind(flag, Some(0), 0).await;
        Ok(Self([
            free("--client-port").await?,
            free("--redis-port").await?,
            free("--dashboard-port").await?,
        ]))
    }

    /// Their numbers.
    pub fn ports(&self) -> Ports {
        let [client, redis, dashboard] = self.0.each_ref().map(|listener| {
            // Fails for no socket that is bound.
            listener.local_addr().map_or(0, |address| address.port())
        });
        Ports { client, redis, dashboard }
    }

    /// Takes connections, each by the way that there is at the time. Never returns.
    pub async fn serve(self, ways: watch::Receiver<Ways>) {
        let mut open = JoinSet::new();
        let [client, redis, dashboard] = &self.0;
        loop {
            let (index, stream) = tokio::select! {
                Ok((stream, _)) = client.accept() => (0, stream),
                Ok((stream, _)) = redis.accept() => (1, stream),
                Ok((stream, _)) = dashboard.accept() => (2, stream),
                Some(_) = open.join_next() => continue,
                // No file handles are left, say: those that are open may end.
                else => { tokio::time::sleep(Duration::from_millis(100)).await; continue }
            };
            let ways = ways.clone();
            open.spawn(async move {
                // The client sees the end of its connection.
                drop(lead(stream, index, ways).await);
            });
        }
    }
}

async fn bind(flag: &str, asked: Option<u16>, usual: u16) -> Result<TcpListener, Failure> {
    let at = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let cannot = |port, error: io::Error| {
        Failure::new(format!("can't listen at 127.0.0.1:{port}: {error}"))
            .hint(format!("give another port with {flag}, or none"))
    };
    match asked {
        Some(port) => at(port).await.map_err(|error| cannot(port, error)),
        None => match at(usual).await {
            Ok(listener) => Ok(listener),
            Err(_) => at(0).await.map_err(|error| cannot(usual, error)),
        },
    }
}

async fn lead(
    mut stream: TcpStream,
    index: usize,
    mut ways: watch::Receiver<Ways>,
) -> io::Result<()> {
    let way = timeout(PATIENCE, ways.wait_for(Option::is_some)).await;
    let path: Option<PathBuf> =
        way.ok().and_then(Result::ok).and_then(|open| Some(open.as_ref()?[index].clone()));
    let Some(path) = path else { return Err(io::ErrorKind::TimedOut.into()) };
    let mut socket = UnixStream::connect(path).await?;
    copy_bidirectional(&mut stream, &mut socket).await.map(drop)
}
