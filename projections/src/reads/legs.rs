//! The legs of one account, read from its stream: the stream is the statement, so nothing is
//! copied. Also where in a stream a position of the log lies.

use ledger_core::{
    account::Leg,
    chart::Direction,
    clock::Timestamp,
    ids::AccountId,
    log::{self, LogError, Position},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Row, postgres::PgRow};

use super::unsigned;
use crate::{error::ReadError, models::decode_leg};

/// Legs that are read at once, at most.
const READ_LEGS: usize = 500;
/// Legs that are looked at for one page, before the page is given back short: a filter that
/// matches rarely must not read a long stream to its end.
pub(super) const SCAN_LEGS_MAX: usize = 10_000;

/// In which order a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As it happened.
    OldestFirst,
    /// The last first.
    #[default]
    NewestFirst,
}

/// A leg where it stands in its account's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamLeg {
    pub(crate) position: Position,
    pub(crate) sequence: u64,
    pub(crate) recorded_at: Timestamp,
    pub(crate) direction: Direction,
    pub(crate) leg: Leg,
}

impl StreamLeg {
    /// Where the first leg of its transaction stands: they lie side by side.
    pub(crate) fn first_position(&self) -> Position {
        self.position.saturating_sub(u64::from(self.leg.leg).saturating_sub(1))
    }
}

/// A part of an account's stream: sequences `> after` and `<= upto`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) after: u64,
    pub(crate) upto: u64,
    pub(crate) order: Order,
}

/// The legs of a stretch that were found, and the stretch that was not looked at yet.
pub(crate) struct Scan {
    pub(crate) legs: Vec<StreamLeg>,
    pub(crate) rest: Option<Stretch>,
    /// Where the last leg stands that was looked at, found or not.
    pub(crate) looked_until: Option<Position>,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Enough {
    /// After so many legs that were wanted.
    pub(crate) found: usize,
    /// After about so many that were looked at.
    pub(crate) looked_at: usize,
}

impl Enough {
    /// As many as are wanted, looked for as long as a page may take.
    pub(crate) const fn found(found: usize) -> Self {
        Self { found, looked_at: SCAN_LEGS_MAX }
    }
}

/// Legs of `account` that `wanted` keeps, in order, until there are enough.
pub(crate) async fn scan(
    pool: &PgPool,
    account: &AccountId,
    stretch: Stretch,
    enough: Enough,
    mut wanted: impl FnMut(&StreamLeg) -> bool,
) -> Result<Scan, ReadError> {
    let mut legs = Vec::new();
    let mut rest = stretch;
    let (mut looked_at, mut looked_until) = (0, None);
    // Most lists keep most legs: what they need is read first, and more only if it was not enough.
    let mut at_once = enough.found.saturating_add(1);
    while rest.after < rest.upto && legs.len() < enough.found && looked_at < enough.looked_at {
        at_once = at_once.min(READ_LEGS);
        let rows = read(pool, account, rest, at_once).await?;
        if rows.is_empty() {
            return Ok(Scan { legs, rest: None, looked_until });
        }
        at_once = at_once.saturating_mul(4);
        for row in &rows {
            let leg = stream_leg(row)?;
            match rest.order {
                Order::OldestFirst => rest.after = leg.sequence,
                Order::NewestFirst => rest.upto = leg.sequence.saturating_sub(1),
            }
            looked_at += 1;
            looked_until = Some(leg.position);
            if wanted(&leg) {
                legs.push(leg);
                if legs.len() == enough.found {
                    break;
                }
            }
        }
    }
    let rest = (rest.after < rest.upto).then_some(rest);
    Ok(Scan { legs, rest, looked_until })
}

async fn read(
    pool: &PgPool,
    account: &AccountId,
    stretch: Stretch,
    limit: usize,
) -> Result<Vec<PgRow>, ReadError> {
    let direction = match stretch.order {
        Order::OldestFirst => "asc",
        Order::NewestFirst => "desc",
    };
    let sql = format!(
        "select position, sequence, recorded_at, event_type, event_version, payload
         from events
         where aggregate_type = 'account' and aggregate_id = $1
           and sequence > $2 and sequence <= $3 and event_type in ('debited', 'credited')
         order by sequence {direction} limit $4"
    );
    let rows = sqlx::query(&sql)
        .bind(account.as_str())
        .bind(log::read::signed(stretch.after)?)
        .bind(log::read::signed(stretch.upto)?)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    Ok(rows)
}

pub(super) fn stream_leg(row: &PgRow) -> Result<StreamLeg, ReadError> {
    let event_type: &str = row.try_get("event_type")?;
    let position = unsigned(row, "position")?;
    let leg = decode_leg(event_type, row.try_get("event_version")?, row.try_get("payload")?);
    Ok(StreamLeg {
        position,
        sequence: unsigned(row, "sequence")?,
        recorded_at: row.try_get("recorded_at")?,
        direction: match event_type {
            "debited" => Direction::Debit,
            _ => Direction::Credit,
        },
        leg: leg.map_err(|source| LogError::Corrupt { position, source })?,
    })
}

/// The sequence of the account's last event at or before `position`; 0 if it has none.
///
/// Position grows with sequence, so it is a binary search in the stream's index: one round trip.
pub(crate) async fn sequence_at(
    pool: &PgPool,
    account: &AccountId,
    position: Position,
) -> Result<u64, ReadError> {
    let row = sqlx::query(
        "with recursive search(low, high) as (
             select 0::bigint, coalesce(max(sequence), 0)
             from events where aggregate_type = 'account' and aggregate_id = $1
           union all
             select case when e.position <= $2 then e.sequence else s.low end,
                    case when e.position <= $2 then s.high else e.sequence - 1 end
             from search s
             join events e on e.aggregate_type = 'account' and e.aggregate_id = $1
                          and e.sequence = (s.low + s.high + 1) / 2
             where s.low < s.high
         )
         select max(low) as sequence from search",
    )
    .bind(account.as_str())
    .bind(log::read::signed(position)?)
    .fetch_one(pool)
    .await?;
    Ok(unsigned(&row, "sequence")?)
}
