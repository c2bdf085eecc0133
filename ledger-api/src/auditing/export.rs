//! The whole log as a file, as `bahi audit export` writes it: for who is no guest of the server.
//!
//! It is sent while it is read, some pieces ahead at most, so that neither its length nor a slow
//! reader costs memory. What fails on the way cuts the connection: the file then lacks the last
//! line, without which no check takes it for whole. An export holds a view of the database open, so
//! there are few at a time and none waits for a reader for long.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures::{Stream, stream};
use projections::audit::Export;
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{Receiver, Sender, channel},
    },
    time::timeout,
};

use super::AuditReads;
use crate::{
    access_log::{Entry, LOG_EXPORTED},
    http::{Problem, codes},
};

/// Exports at a time in one process; each takes two connections.
pub(super) const EXPORTS_MAX: usize = 2;
/// Pieces that wait for who reads them.
const PIECES_AHEAD: usize = 4;
/// How long a piece waits.
const PATIENCE: Duration = Duration::from_secs(30);
const NDJSON: &str = "application/x-ndjson";

impl AuditReads {
    /// The file, for `who`, after a line in the access log.
    pub(crate) async fn export(&self, who: &str, from: &str) -> Result<Response, Problem> {
        let permit = permit(&self.exports)?;
        let head = ledger_core::log::read::head(&self.pool).await?.position;
        let entry = Entry { who, what: LOG_EXPORTED, subject: &format!("#{head}"), reason: from };
        self.access_log.record(&entry).await?;
        let export = Export::open(&self.pool).await.map_err(|error| {
            tracing::warn!(error = %projections::describe(&error), "no export could be made");
            Problem::new(codes::LEDGER_UNAVAILABLE, "The log cannot be read now.").retry_after(1)
        })?;
        let (send, pieces) = channel(PIECES_AHEAD);
        tokio::spawn(pump(export, send, permit));
        let mut response = Body::from_stream(body(pieces)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
        let said = format!("attachment; filename=\"log-{head}.ndjson\"");
        if let Ok(said) = HeaderValue::from_str(&said) {
            headers.insert(header::CONTENT_DISPOSITION, said);
        }
        Ok(response)
    }
}

fn permit(exports: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(exports).try_acquire_owned().map_err(|_| {
        let detail = "This process makes as many exports as it can.";
        Problem::new(codes::OVERLOADED, detail).retry_after(30)
    })
}

/// What is handed on.
enum Piece {
    Lines(Bytes),
    /// That was all of it.
    End,
}

/// The pieces as a body, which breaks off where they end before their end.
fn body(pieces: Receiver<Piece>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(pieces), async |pieces| {
        let mut pieces = pieces?;
        match pieces.recv().await {
            Some(Piece::Lines(lines)) => Some((Ok(lines), Some(pieces))),
            Some(Piece::End) => None,
            None => Some((Err(io::Error::other("the log was not read to its end")), None)),
        }
    })
}

/// Reads the log and hands it on, until it ends, or nobody takes it.
async fn pump(mut export: Export, pieces: Sender<Piece>, permit: OwnedSemaphorePermit) {
    loop {
        let piece = match export.next_lines().await {
            Ok(Some(lines)) => Piece::Lines(Bytes::from(lines)),
            Ok(None) => Piece::End,
            Err(error) => {
                tracing::warn!(error = %projections::describe(&error), "an export was cut off");
                break;
            }
        };
        let is_end = matches!(piece, Piece::End);
        match timeout(PATIENCE, pieces.send(piece)).await {
            Ok(Ok(())) if !is_end => {}
            Ok(_) => break,
            Err(_) => {
                tracing::warn!("an export was cut off: nobody took it");
                break;
            }
        }
    }
    drop(permit);
}
