//! What the owner of a wallet sees of it: a list that can be filtered and turned both ways, one
//! thing alone, and the transactions behind a thing.

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, TransactionId},
    log::Position,
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{QueryBuilder, Row, postgres::PgRow};

use super::{
    At, ReadModels, activity_window::LOOKED_THROUGH_MAX, alike, decimal, parsed, rows, unsigned,
    variant,
};
use crate::{error::ReadError, models::ActivityStatus};

pub(super) const COLUMNS: &str = "a.account_id, a.object_id, a.kind, a.direction, a.status, \
    a.object_status, a.currency, a.amount::text as amount, a.fee::text as fee, a.counterparty, \
    a.utr, a.began_at, a.began_position, a.changed_at, a.last_position";

/// Whether money comes or goes, as the wallet's owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Towards {
    /// It comes.
    In,
    /// It goes.
    Out,
}

impl Towards {
    /// As a code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// What a wallet sees of one business object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActivityRow {
    /// Whose.
    pub account: AccountId,
    /// The object: `dep_…`, `wd_…`, `tr_…`, `txn_…`.
    pub object: String,
    /// What kind it is.
    pub kind: String,
    /// Whether money comes or goes.
    pub direction: Towards,
    /// Where it is.
    pub status: ActivityStatus,
    /// The object's own word for where it is.
    pub object_status: String,
    /// The currency.
    pub currency: CurrencyCode,
    /// How much, without the fee.
    pub amount: Decimal,
    /// What it costs.
    pub fee: Decimal,
    /// The account on the other side, if it is one.
    pub counterparty: Option<AccountId>,
    /// The bank's reference of the payment.
    pub utr: Option<String>,
    /// When it began.
    pub began_at: Timestamp,
    /// Where that stands in the log: the cursor.
    pub began_position: Position,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// Where that stands in the log.
    pub last_position: Position,
}

/// Which part of a wallet's activity; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// In this status.
    pub status: Option<ActivityStatus>,
    /// Coming or going.
    pub direction: Option<Towards>,
    /// Begun at or after this moment.
    pub from: Option<Timestamp>,
    /// Begun before this moment.
    pub before: Option<Timestamp>,
    /// At least this much.
    pub amount_min: Option<Decimal>,
    /// At most this much.
    pub amount_max: Option<Decimal>,
    /// With this account on the other side.
    pub counterparty: Option<AccountId>,
    /// Exactly this object, or exactly this reference of a bank.
    pub search: Option<String>,
}

/// From where a list goes on, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// What began before this position.
    Older(Position),
    /// What began after it.
    Newer(Position),
}

/// A page of a wallet's activity, the newest first whichever way it was turned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityPage {
    /// The rows.
    pub rows: Vec<ActivityRow>,
    /// Where older ones follow; nothing if there are none.
    pub older: Option<Position>,
    /// Where newer ones follow; nothing if there are none.
    pub newer: Option<Position>,
    /// Whether the page is short because no more was looked through, and not because there is no
    /// more: the list goes on.
    pub looked_until: bool,
    /// Everything up to here is in the answer, and nothing after it.
    pub position: Position,
}

impl ReadModels {
    /// A page of a wallet's activity. It can be short, even empty, and the list go on: what no
    /// index has is not searched for without bound.
    pub async fn activity(
        &self,
        account: &AccountId,
        filter: &ActivityFilter,
        turn: Option<Turn>,
        limit: u32,
    ) -> Result<ActivityPage, ReadError> {
        let window = self.window(account, filter, turn).await?;
        let mut query = QueryBuilder::new("select c.position as reflects, ");
        query.push(COLUMNS);
        query.push(" from read.checkpoint c left join lateral (select * from ");
        // What the filter keeps all of is read no further than it is shown.
        let shown = limit.saturating_add(1);
        let most = if window.keeps_all() { shown } else { LOOKED_THROUGH_MAX };
        window.table(&mut query, "*", most)?;
        query.push(" looked where ");
        window.wanted(&mut query);
        let order = window.order();
        query.push(format!(" order by began_position {order} limit "));
        query.push_bind(i64::from(shown));
        query.push(format!(") a on true order by a.began_position {order}"));
        let found = query.build().fetch_all(&self.pool).await?;
        let (position, mut found) = rows(&found, row_or_none)?;
        let is_short = |found: &[ActivityRow]| found.len() < usize::try_from(shown).unwrap_or(0);
        let edge = if is_short(&found) && filter.search.is_none() && !window.keeps_all() {
            self.window_edge(&window).await?
        } else {
            None
        };
        let plain = self.plain_in(&window, position, Some(shown)).await?;
        let edge = window.nearer(edge, plain.edge);
        found.extend(plain.rows);
        found.retain(|row| window.is_before(row.began_position, edge));
        found.sort_unstable_by_key(|row| row.began_position);
        if window.newest_first {
            found.reverse();
        }
        let edge = edge.filter(|_| is_short(&found));
        Ok(page(found, turn, limit, (position, edge)))
    }

    /// One thing as a wallet sees it, if it does.
    pub async fn activity_one(
        &self,
        account: &AccountId,
        object: &str,
    ) -> Result<At<Option<ActivityRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS} from read.checkpoint c
             left join read.activity a on a.object_id = $1 and a.account_id = $2"
        );
        let found =
            sqlx::query(&sql).bind(object).bind(account.as_str()).fetch_all(&self.pool).await?;
        let (position, mut found) = rows(&found, row_or_none)?;
        let value = match found.pop() {
            Some(row) => Some(row),
            None => self.plain_one(account, object, position).await?,
        };
        Ok(At { position, value })
    }

    /// The transactions that an object's events name, in the order of the log.
    pub async fn transactions_named_by(
        &self,
        aggregate_type: &str,
        id: &str,
    ) -> Result<Vec<TransactionId>, ReadError> {
        let found = sqlx::query(
            "select named.id from (
                 select min(sequence) as sequence,
                        convert_from(payload, 'UTF8')::json ->> 'transaction_id' as id
                 from events where aggregate_type = $1 and aggregate_id = $2 group by 2) named
             where named.id is not null order by named.sequence",
        )
        .bind(aggregate_type)
        .bind(id)
        .fetch_all(&self.pool)
        .await?;
        found.iter().map(|row| Ok(parsed(row, "id")?)).collect()
    }
}

fn page(
    mut found: Vec<ActivityRow>,
    turn: Option<Turn>,
    limit: u32,
    (position, edge): (Position, Option<Position>),
) -> ActivityPage {
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > full;
    found.truncate(full);
    let newer_first = !matches!(turn, Some(Turn::Newer(_)));
    if !newer_first {
        found.reverse();
    }
    // On the side that was come from, there is what was come from.
    let (has_newer, has_older) = match turn {
        None => (false, more),
        Some(Turn::Older(_)) => (true, more),
        Some(Turn::Newer(_)) => (more, true),
    };
    let mut page = ActivityPage {
        older: found.last().filter(|_| has_older).map(|row| row.began_position),
        newer: found.first().filter(|_| has_newer).map(|row| row.began_position),
        rows: found,
        looked_until: edge.is_some(),
        position,
    };
    // A short page goes on where the window ended, not after its last row.
    match edge {
        Some(edge) if newer_first => page.older = Some(edge),
        Some(edge) => page.newer = Some(edge),
        None => {}
    }
    page
}

/// The row of a row; nothing if it stands for none.
pub(super) fn row_or_none(row: &PgRow) -> Result<Option<ActivityRow>, ReadError> {
    if row.try_get::<Option<&str>, _>("object_id")?.is_none() {
        return Ok(None);
    }
    let counterparty = match row.try_get::<Option<&str>, _>("counterparty")? {
        Some(_) => Some(parsed(row, "counterparty")?),
        None => None,
    };
    let [amount, fee] = alike([decimal(row, "amount")?, decimal(row, "fee")?]);
    Ok(Some(ActivityRow {
        account: parsed(row, "account_id")?,
        object: row.try_get("object_id")?,
        kind: row.try_get("kind")?,
        direction: variant(row, "direction")?,
        status: variant(row, "status")?,
        object_status: row.try_get("object_status")?,
        currency: parsed(row, "currency")?,
        amount,
        fee,
        counterparty,
        utr: row.try_get("utr")?,
        began_at: row.try_get("began_at")?,
        began_position: unsigned(row, "began_position")?,
        changed_at: row.try_get("changed_at")?,
        last_position: unsigned(row, "last_position")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_on_which_sides_there_is_more() {
        let row = |position| ActivityRow {
            account: "wallet:a:INR".parse().unwrap(),
            object: format!("txn_{position}"),
            kind: "transfer".to_owned(),
            direction: Towards::In,
            status: ActivityStatus::Done,
            object_status: "completed".to_owned(),
            currency: "INR".parse().unwrap(),
            amount: Decimal::ONE,
            fee: Decimal::ZERO,
            counterparty: None,
            utr: None,
            began_at: Timestamp::UNIX_EPOCH,
            began_position: position,
            changed_at: Timestamp::UNIX_EPOCH,
            last_position: position,
        };
        let with_edge = |positions: &[u64], turn, edge| {
            let found = positions.iter().map(|p| row(*p)).collect();
            let page = page(found, turn, 2, (9, edge));
            let shown: Vec<u64> = page.rows.iter().map(|row| row.began_position).collect();
            (shown, page.older, page.newer)
        };
        let of = |positions: &[u64], turn| with_edge(positions, turn, None);
        assert_eq!(of(&[9, 8, 7], None), (vec![9, 8], Some(8), None));
        assert_eq!(of(&[9, 8], None), (vec![9, 8], None, None));
        assert_eq!(of(&[7, 6], Some(Turn::Older(8))), (vec![7, 6], None, Some(7)));
        assert_eq!(of(&[5, 6, 7], Some(Turn::Newer(4))), (vec![6, 5], Some(5), Some(6)));
        assert_eq!(of(&[8, 9], Some(Turn::Newer(7))), (vec![9, 8], Some(8), None));
        assert_eq!(of(&[], Some(Turn::Older(1))), (vec![], None, None));
        // Where the search was broken off, the list goes on from there.
        assert_eq!(with_edge(&[7], None, Some(3)), (vec![7], Some(3), None));
        assert_eq!(with_edge(&[], None, Some(3)), (vec![], Some(3), None));
        let turned = with_edge(&[8], Some(Turn::Newer(6)), Some(20));
        assert_eq!(turned, (vec![8], Some(8), Some(20)));
    }
}
