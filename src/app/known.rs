//! The cluster that a command works with once it is up: as it is on record, or
//! brought up for the occasion in a simulated world.

use std::{path::PathBuf, sync::Arc};

use super::{CliError, ProjectSession, Streams};
use crate::{
    engine::{self, Command, RunState, Update},
    handover::{Forwarded, Handover},
    journal,
    model::Failure,
    remote::{self, Remote},
};

/// A cluster that is known here.
pub struct Known {
    /// Its state.
    pub state: RunState,
    /// Its folder, if it is on disk.
    pub folder: Option<PathBuf>,
    /// The door to its nodes.
    pub remote: Arc<dyn Remote>,
}

impl Known {
    /// The cluster on record. In a simulated world without a record, a new one.
    pub async fn open(world: &ProjectSession, streams: &mut Streams) -> Result<Self, CliError> {
        let Some((store, state)) = world.recorded(streams)? else {
            if world.cloud.is_simulated() {
                return Self::simulate(world, streams).await;
            }
            let failure =
                Failure::new(format!("no cluster of project {} is known here", world.name()));
            return Err(CliError::failed(failure.hint("`muster up` launches one")));
        };
        let folder = store.folder().map(std::path::Path::to_owned);
        let remote = remote::Registered::new(world.remote(&store)?, world.waits.clone());
        Ok(Self { state, folder, remote: Arc::new(remote) })
    }

    /// Brings a cluster up in the simulated world, whose machines end with
    /// this process: those of a record are not there any more.
    pub async fn simulate(world: &ProjectSession, streams: &mut Streams) -> Result<Self, CliError> {
        streams.err.line("SIMULATED: no account is used; bringing a cluster up first")?;
        let store = world.in_memory();
        let remote = world.remote(&store)?;
        let mut handle = engine::start(world.parts(store)?);
        streams.waits.include(&handle.waits);
        let ended = || color_eyre::eyre::eyre!("the engine ended before it answered");
        handle.commands.send(Command::Up).map_err(|_| ended())?;
        loop {
            match handle.updates.recv().await.ok_or_else(ended)? {
                Update::Event(stamped) => handle.state.apply(&stamped),
                Update::Refused(failure) => return Err(CliError::failed(failure)),
                Update::UpEnded => break,
                _ => {}
            }
        }
        let state = handle.state;
        Ok(Self { state, folder: None, remote })
    }

    /// The `muster forward` that leads this cluster's ports here.
    pub fn forwarded(&self) -> Option<Forwarded> {
        journal::forwarded(self.folder.as_ref()?)
    }

    /// The cluster as Python takes it.
    pub fn handover(&self, world: &ProjectSession, force: bool) -> Result<Handover, CliError> {
        let handover = Handover::of(&world.project, &self.state, self.forwarded(), force);
        handover.map_err(CliError::failed)
    }
}
