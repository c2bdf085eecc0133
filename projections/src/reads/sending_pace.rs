//! How long a withdrawal takes at a bank now, by what its queue has seen: how long the last ones
//! took, and how long the one that is next has waited already.

use ledger_core::{clock::Timestamp, ids::BankCode};
use sqlx::Row as _;

use super::{ReadModels, undecodable};
use crate::error::ReadError;

/// The withdrawals of all banks among which those of one are looked for, the newest first: a bound
/// on the work, not on the time.
const LOOKED_AT: i64 = 500;

/// What a bank's queue has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendingPace {
    /// How many seconds it took from the request to the payment, for half of the last ones; nothing
    /// if none was paid.
    pub typical_seconds: Option<u64>,
    /// When the one was requested that is next in the queue; nothing if none waits.
    pub next_since: Option<Timestamp>,
}

impl SendingPace {
    /// How many seconds one takes that is requested now, about: as long as the last ones took, or
    /// as long as the next one waits already, if that is more. Nothing if nothing is known.
    pub fn about_seconds(self, now: Timestamp) -> Option<u64> {
        let waits = self.next_since.map(|since| {
            u64::try_from(now.signed_duration_since(since).num_seconds()).unwrap_or_default()
        });
        self.typical_seconds.max(waits)
    }
}

impl ReadModels {
    /// What a bank's queue has seen since a moment.
    pub async fn sending_pace(
        &self,
        bank: &BankCode,
        since: Timestamp,
    ) -> Result<SendingPace, ReadError> {
        let row = sqlx::query(
            "select (select percentile_disc(0.5) within group
                         (order by extract(epoch from p.changed_at - p.requested_at)::bigint)
                     from (select bank, requested_at, changed_at from read.withdrawals
                           where status = 'completed'
                           order by requested_position desc limit $3) p
                     where p.bank = $1 and p.changed_at > $2) as typical,
                    (select q.requested_at from read.withdrawals q
                     where q.bank = $1 and q.status = 'queued'
                     order by q.queued_position limit 1) as next_since",
        )
        .bind(bank.as_str())
        .bind(since)
        .bind(LOOKED_AT)
        .fetch_one(&self.pool)
        .await?;
        let typical: Option<i64> = row.try_get("typical")?;
        let typical = typical.map(u64::try_from).transpose();
        Ok(SendingPace {
            typical_seconds: typical.map_err(|source| undecodable("typical", source))?,
            next_since: row.try_get("next_since")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_already_says_more_than_what_was_quick_before() {
        let now: Timestamp = "2026-11-22T14:02:00Z".parse().unwrap();
        let about = |typical_seconds, since: Option<&str>| {
            let next_since = since.map(|since| since.parse().unwrap());
            SendingPace { typical_seconds, next_since }.about_seconds(now)
        };
        assert_eq!(about(None, None), None);
        assert_eq!(about(Some(40), None), Some(40));
        assert_eq!(about(Some(40), Some("2026-11-22T13:42:00Z")), Some(1_200));
        assert_eq!(about(Some(40), Some("2026-11-22T14:01:50Z")), Some(40));
        // Two clocks: what was requested after now has not waited.
        assert_eq!(about(None, Some("2026-11-22T14:03:00Z")), Some(0));
    }
}
