//! Keeps the private PostgreSQL running while the service does.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle, time};

use crate::{postgres::Cluster, shutdown};

/// How soon the loss of the server is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Brings the server back whenever it is gone, until told to stop.
pub(super) fn keep_running(
    cluster: Arc<Cluster>,
    mut stopping: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                () = shutdown::wait(&mut stopping) => return,
            }
            let looked_at = Arc::clone(&cluster);
            let looked = tokio::task::spawn_blocking(move || {
                let gone = !looked_at.is_running();
                if gone { looked_at.ensure_running() } else { Ok(false) }
            });
            match looked.await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::warn!("the private PostgreSQL was gone: it runs again"),
                Ok(Err(error)) => {
                    tracing::error!(%error, "the private PostgreSQL does not come back");
                }
                Err(error) => tracing::error!(%error, "the supervisor of PostgreSQL failed"),
            }
        }
    })
}
