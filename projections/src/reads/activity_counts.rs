//! How much of a wallet's activity there is in each status, counted no further than people read.

use std::collections::BTreeMap;

use ledger_core::ids::AccountId;
use sqlx::{QueryBuilder, Row};

use super::{
    ActivityFilter, At, ReadModels, activity_window::LOOKED_THROUGH_MAX, rows, unsigned, variant,
};
use crate::{
    error::ReadError,
    models::{ActivityStatus, is_wallet},
};

/// How far things of one status are counted.
pub const COUNTED_MAX: u64 = 1_000;

/// How many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityCounts {
    /// Of each status of which there are any; [`COUNTED_MAX`] at most.
    pub counts: BTreeMap<ActivityStatus, u64>,
    /// Whether only a part of the history was counted: there may be more of every status.
    pub in_a_part: bool,
}

impl ActivityCounts {
    /// How many there are of a status, and whether that is all.
    pub fn of(&self, status: ActivityStatus) -> (u64, bool) {
        let count = self.counts.get(&status).copied().unwrap_or_default();
        (count, !self.in_a_part && count < COUNTED_MAX)
    }

    fn add_done(&mut self, more: u64) {
        if more > 0 {
            let done = self.counts.entry(ActivityStatus::Done).or_default();
            *done = done.saturating_add(more).min(COUNTED_MAX);
        }
    }

    /// How many there are together, and whether that is all.
    pub fn all(&self) -> (u64, bool) {
        let exact = !self.in_a_part && self.counts.keys().all(|status| self.of(*status).1);
        (self.counts.values().sum(), exact)
    }
}

impl ReadModels {
    /// How many there are of each status. The filter's own status does not count.
    pub async fn activity_counts(
        &self,
        account: &AccountId,
        filter: &ActivityFilter,
    ) -> Result<At<ActivityCounts>, ReadError> {
        let filter = ActivityFilter { status: None, ..filter.clone() };
        if filter == ActivityFilter::default() {
            return self.activity_counts_of_all(account).await;
        }
        let window = self.window(account, &filter, None).await?;
        let mut query = QueryBuilder::new(
            "select c.position as reflects, a.status, a.count, a.looked_at from read.checkpoint c
             left join lateral (select status, count(*) as looked_at, count(*) filter (where ",
        );
        window.wanted(&mut query);
        query.push(") as count from ");
        // One more than is looked through says whether there is more.
        let columns = "status, kind, direction, amount, counterparty";
        window.table(&mut query, columns, LOOKED_THROUGH_MAX.saturating_add(1))?;
        query.push(" looked group by status) a on true");
        let found = query.build().fetch_all(&self.pool).await?;
        let (position, counted) = rows(&found, |row| -> Result<_, ReadError> {
            if row.try_get::<Option<&str>, _>("status")?.is_none() {
                return Ok(None);
            }
            let counts = (unsigned(row, "count")?, unsigned(row, "looked_at")?);
            Ok(Some((variant(row, "status")?, counts)))
        })?;
        let looked_at: u64 = counted.iter().map(|(_, (_, looked_at))| looked_at).sum();
        let found = counted.into_iter().filter(|(_, (count, _))| *count > 0);
        let plain = self.plain_in(&window, position, None).await?;
        let mut value = ActivityCounts {
            counts: found.map(|(status, (count, _))| (status, count.min(COUNTED_MAX))).collect(),
            in_a_part: looked_at > u64::from(LOOKED_THROUGH_MAX) || plain.edge.is_some(),
        };
        value.add_done(u64::try_from(plain.rows.len()).unwrap_or(u64::MAX));
        Ok(At { position, value })
    }

    /// The same of everything. What is not done lies by its status; what is done is counted in an
    /// index alone; plain transfers are counted with their account.
    async fn activity_counts_of_all(
        &self,
        account: &AccountId,
    ) -> Result<At<ActivityCounts>, ReadError> {
        // What is done is what is left of everything; that is only so where all others are counted.
        let found = sqlx::query(
            "with others as (
                 select s.status, a.count from unnest($2::text[]) s (status)
                 cross join lateral (select count(*) as count from (
                     select 1 from read.activity
                     where account_id = $1 and status = s.status and status <> 'done'
                     limit $3) counted) a),
             together as (select count(*) as count from (
                 select 1 from read.activity where account_id = $1 and status <> 'done'
                 limit $4 + 1) counted)
             select c.position as reflects, t.count > $4 as in_a_part, a.status, a.count,
                    coalesce(w.plain_transfers, 0) as plain
             from read.checkpoint c cross join together t
             left join read.accounts w on w.id = $1
             left join lateral (
                 select status, count from others
                 union all
                 select 'done', (select count(*) from (
                     select 1 from read.activity where account_id = $1
                     limit $3 + t.count) counted) - t.count
                 where t.count <= $4
             ) a on a.count > 0",
        )
        .bind(account.as_str())
        .bind(not_done())
        .bind(i64::try_from(COUNTED_MAX).unwrap_or(i64::MAX))
        .bind(i64::from(LOOKED_THROUGH_MAX))
        .fetch_all(&self.pool)
        .await?;
        let in_a_part = found.first().map(|row| row.try_get("in_a_part")).transpose()?;
        let plain = found.first().map(|row| unsigned(row, "plain")).transpose()?;
        let (position, counts) = rows(&found, |row| -> Result<_, ReadError> {
            if row.try_get::<Option<&str>, _>("status")?.is_none() {
                return Ok(None);
            }
            Ok(Some((variant(row, "status")?, unsigned(row, "count")?)))
        })?;
        let mut value = ActivityCounts {
            counts: counts.into_iter().collect(),
            in_a_part: in_a_part.unwrap_or_default(),
        };
        value.add_done(plain.filter(|_| is_wallet(account.as_str())).unwrap_or_default());
        Ok(At { position, value })
    }
}

fn not_done() -> Vec<&'static str> {
    let others = ActivityStatus::ALL.into_iter().filter(|s| *s != ActivityStatus::Done);
    others.map(ActivityStatus::as_str).collect()
}
