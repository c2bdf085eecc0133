//! Plain transfers of a wallet, read from its account's own stream: they have no rows.
//!
//! The log does not change, so what is read of it after the rows are is still of the snapshot that
//! the rows came from, as long as nothing beyond that snapshot's position is taken. A transfer that
//! was reversed by then has a row, and is left out here.

use std::collections::HashMap;

use ledger_core::{
    chart::Direction,
    ids::{AccountId, TransferId},
    log::{self, Position},
};
use rust_decimal::Decimal;

use super::{
    ActivityFilter, ActivityRow, ReadModels, Towards,
    activity_window::{LOOKED_THROUGH_MAX, Window},
    alike,
    legs::{self, Enough, Order, StreamLeg, Stretch, scan, sequence_at},
    parsed, unsigned,
};
use crate::{
    error::ReadError,
    models::{ActivityStatus, is_plain, is_wallet, object_of},
};

/// Transfers that were found.
#[derive(Default)]
pub(super) struct Found {
    /// In the order that was asked for.
    pub(super) rows: Vec<ActivityRow>,
    /// Where looking was broken off, if it was: there may be more beyond it.
    pub(super) edge: Option<Position>,
}

impl ReadModels {
    /// Transfers in a window, as of `known`; no more than `limit`, if there is one.
    pub(super) async fn plain_in(
        &self,
        window: &Window<'_>,
        known: Position,
        limit: Option<u32>,
    ) -> Result<Found, ReadError> {
        if !may_have_plain(window.account, window.filter) {
            return Ok(Found::default());
        }
        if let Some(text) = &window.filter.search {
            let one = self.plain_one(window.account, text, known).await?;
            let is_in = |row: &ActivityRow| window.has(row.began_position);
            let rows = one.filter(|row| is_in(row) && takes_row(window.filter, row));
            return Ok(Found { rows: rows.into_iter().collect(), edge: None });
        }
        let stretch = self.stretch(window).await?;
        let filter = window.filter;
        // Who is on the other side is not in the leg, so nobody knows yet how many are enough.
        let found = limit.filter(|_| filter.counterparty.is_none()).map_or(usize::MAX, size);
        let enough = Enough { found, looked_at: size(LOOKED_THROUGH_MAX) };
        let scan = scan(&self.pool, window.account, stretch, enough, |leg| {
            is_plain(&leg.leg)
                && leg.position <= known
                && window.has(leg.position)
                && takes(filter, (towards(leg.direction), leg.leg.amount), None)
        })
        .await?;
        let is_full = scan.legs.len() == found;
        let edge = scan.looked_until.filter(|_| scan.rest.is_some() && !is_full);
        let mut rows = self.plain_rows(window.account, &scan.legs, known).await?;
        rows.retain(|row| takes_row(filter, row));
        Ok(Found { rows, edge })
    }

    /// Transfers that began after a position, the oldest first, as of `known`.
    pub(super) async fn plain_since(
        &self,
        account: &AccountId,
        after: Position,
        (known, limit): (Position, u32),
    ) -> Result<Found, ReadError> {
        if !is_wallet(account.as_str()) {
            return Ok(Found::default());
        }
        let after = sequence_at(&self.pool, account, after).await?;
        let stretch = Stretch { after, upto: u64::MAX >> 1, order: Order::OldestFirst };
        let enough = Enough::found(size(limit));
        let wanted = |leg: &StreamLeg| is_plain(&leg.leg) && leg.position <= known;
        let scan = scan(&self.pool, account, stretch, enough, wanted).await?;
        let is_full = scan.legs.len() == enough.found;
        let edge = scan.looked_until.filter(|_| scan.rest.is_some() && !is_full);
        Ok(Found { rows: self.plain_rows(account, &scan.legs, known).await?, edge })
    }

    /// One transfer by its id, if the account has a part in it.
    pub(super) async fn plain_one(
        &self,
        account: &AccountId,
        object: &str,
        known: Position,
    ) -> Result<Option<ActivityRow>, ReadError> {
        let Some(id) = object.parse::<TransferId>().ok().filter(|_| is_wallet(account.as_str()))
        else {
            return Ok(None);
        };
        let found = sqlx::query(
            "select e.position, e.sequence, e.recorded_at, e.event_type, e.event_version, e.payload
             from read.transactions t
             cross join lateral (
                 select * from events
                 where position between t.first_position and t.last_position offset 0) e
             where t.id = $1 and t.last_position <= $3 and e.aggregate_type = 'account'
                 and e.aggregate_id = $2 and e.event_type in ('debited', 'credited')",
        )
        .bind(id.uuid())
        .bind(account.as_str())
        .bind(log::read::signed(known)?)
        .fetch_all(&self.pool)
        .await?;
        let found: Result<Vec<_>, _> = found.iter().map(legs::stream_leg).collect();
        let mut found = found?;
        found.retain(|leg| is_plain(&leg.leg));
        Ok(self.plain_rows(account, &found, known).await?.pop())
    }

    /// Where in the account's stream a window lies.
    async fn stretch(&self, window: &Window<'_>) -> Result<Stretch, ReadError> {
        let (after, upto) = window.between();
        let after = match after {
            Some(after) => sequence_at(&self.pool, window.account, after).await?,
            None => 0,
        };
        let upto = match upto {
            Some(upto) => sequence_at(&self.pool, window.account, upto).await?,
            None => u64::MAX >> 1,
        };
        let order = if window.newest_first { Order::NewestFirst } else { Order::OldestFirst };
        Ok(Stretch { after, upto, order })
    }

    /// Legs of plain transfers as what the wallet sees, without those that have a row as of
    /// `known`.
    async fn plain_rows(
        &self,
        account: &AccountId,
        legs: &[StreamLeg],
        known: Position,
    ) -> Result<Vec<ActivityRow>, ReadError> {
        if legs.is_empty() {
            return Ok(Vec::new());
        }
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for leg in legs {
            let other = if leg.leg.leg == 1 {
                leg.position.saturating_add(1)
            } else {
                leg.position.saturating_sub(1)
            };
            own.push(log::read::signed(leg.position)?);
            others.push(log::read::signed(other)?);
        }
        let found = sqlx::query(
            "select l.own, o.aggregate_id as other
             from unnest($2::bigint[], $3::bigint[]) l (own, other)
             cross join lateral (
                 select aggregate_id from events where position = l.other offset 0) o
             where not exists (
                 select from read.activity a
                 where a.account_id = $1 and a.began_position = l.own and a.last_position <= $4)",
        )
        .bind(account.as_str())
        .bind(own)
        .bind(others)
        .bind(log::read::signed(known)?)
        .fetch_all(&self.pool)
        .await?;
        let mut other: HashMap<Position, AccountId> = HashMap::with_capacity(found.len());
        for row in &found {
            other.insert(unsigned(row, "own")?, parsed(row, "other")?);
        }
        let rows =
            legs.iter().filter_map(|leg| Some(shown(account, leg, other.remove(&leg.position)?)));
        rows.collect()
    }
}

/// Whether plain transfers can be among what a filter takes: they are done, or have a row.
fn may_have_plain(account: &AccountId, filter: &ActivityFilter) -> bool {
    let kind = ledger_core::posting::Kind::TRANSFER;
    is_wallet(account.as_str())
        && filter.status.is_none_or(|status| status == ActivityStatus::Done)
        && filter.kind.as_deref().is_none_or(|wanted| wanted == kind)
}

/// Whether so much that way is wanted, with this account on the other side; nothing: who is there
/// is not known yet.
fn takes(
    filter: &ActivityFilter,
    (direction, amount): (Towards, Decimal),
    other: Option<&AccountId>,
) -> bool {
    let sides = filter.counterparty.as_ref().zip(other);
    filter.direction.is_none_or(|wanted| wanted == direction)
        && filter.amount_min.is_none_or(|least| amount >= least)
        && filter.amount_max.is_none_or(|most| amount <= most)
        && sides.is_none_or(|(wanted, other)| wanted == other)
}

/// The same of a row, which always has its other side.
fn takes_row(filter: &ActivityFilter, row: &ActivityRow) -> bool {
    takes(filter, (row.direction, row.amount), row.counterparty.as_ref())
}

fn towards(side: Direction) -> Towards {
    match side {
        Direction::Credit => Towards::In,
        Direction::Debit => Towards::Out,
    }
}

fn shown(account: &AccountId, leg: &StreamLeg, other: AccountId) -> Result<ActivityRow, ReadError> {
    let currency = account.currency().map_err(|source| super::undecodable("currency", source))?;
    let [amount, fee] = alike([leg.leg.amount, Decimal::ZERO]);
    Ok(ActivityRow {
        account: account.clone(),
        object: object_of(leg.leg.transaction_id),
        kind: leg.leg.kind.as_str().to_owned(),
        direction: towards(leg.direction),
        status: ActivityStatus::Done,
        object_status: "completed".to_owned(),
        currency,
        amount,
        fee,
        counterparty: Some(other),
        utr: None,
        began_at: leg.recorded_at,
        began_position: leg.position,
        changed_at: leg.recorded_at,
        last_position: leg.position,
    })
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
