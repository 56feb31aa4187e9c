//! Whether a `muster forward` forwards the leader's ports to this machine.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::journal;

use super::{Update, shared::Shared};

/// The polling interval: a forward that ends, however it ends, notifies nobody.
const WATCH: Duration = Duration::from_secs(1);

/// Reports what is forwarded where, whenever it changes.
pub(super) async fn watch(shared: Arc<Shared>, folder: PathBuf) {
    let mut reported = None;
    loop {
        let folder = folder.clone();
        let read = tokio::task::spawn_blocking(move || journal::forwarded(&folder)).await;
        let Ok(forwarded) = read else { return };
        if forwarded != reported {
            shared.update(Update::Forwarded(forwarded));
            reported = forwarded;
        }
        tokio::time::sleep(WATCH).await;
    }
}
