//! Where in its bank's queue a withdrawal waits: "the third of forty-one".
//!
//! Counted along the queue's own index, and only so far: a queue of a hundred thousand must not
//! make a page slow, and nobody who waits in it is helped by the exact number.

use ledger_core::ids::WithdrawalId;
use serde::Serialize;

use super::{ReadModels, unsigned};
use crate::error::ReadError;

/// How far is counted.
const COUNTED_MAX: i64 = 1_000;

/// A place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct QueuePlace {
    /// From 1; as many as were counted, if there are more before it.
    pub place: u64,
    /// How many wait at that bank, counted no further than [`Self::COUNTED_MAX`].
    pub of: u64,
}

impl QueuePlace {
    /// How far is counted.
    pub const COUNTED_MAX: u64 = COUNTED_MAX.unsigned_abs();
}

impl ReadModels {
    /// Where a withdrawal waits; nothing if it does not wait in a queue.
    pub async fn queue_place(&self, id: WithdrawalId) -> Result<Option<QueuePlace>, ReadError> {
        let row = sqlx::query(
            "select (select count(*) from (
                         select from read.withdrawals q
                         where q.bank = w.bank and q.status = 'queued'
                             and q.queued_position <= w.queued_position
                         order by q.queued_position limit $2) before) as place,
                    (select count(*) from (
                         select from read.withdrawals q
                         where q.bank = w.bank and q.status = 'queued'
                         order by q.queued_position limit $2) waiting) as of
             from read.withdrawals w where w.id = $1 and w.status = 'queued'",
        )
        .bind(id.uuid())
        .bind(COUNTED_MAX)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(QueuePlace { place: unsigned(&row, "place")?, of: unsigned(&row, "of")? }))
    }
}
