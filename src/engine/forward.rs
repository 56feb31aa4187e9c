//! Whether a `muster forward` leads the leader's ports to this machine.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::journal;

use super::{Update, shared::Shared};

/// How often is looked: one that ends, however it ends, tells nobody.
const WATCH: Duration = Duration::from_secs(1);

/// Tells what is forwarded where, whenever that is another answer.
pub(super) async fn watch(shared: Arc<Shared>, folder: PathBuf) {
    let mut told = None;
    loop {
        let folder = folder.clone();
        let looked = tokio::task::spawn_blocking(move || journal::forwarded(&folder)).await;
        let Ok(forwarded) = looked else { return };
        if forwarded != told {
            shared.update(Update::Forwarded(forwarded));
            told = forwarded;
        }
        tokio::time::sleep(WATCH).await;
    }
}
