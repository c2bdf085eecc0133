//! Transactions: one by its id with its legs, many newest first.

use std::collections::HashMap;

use chrono::NaiveDate;
use ledger_core::{
    account::AccountEvent,
    chart::Direction,
    clock::Timestamp,
    ids::{AccountId, Item, Reference, TransactionId},
    log::{self, LogError, Metadata, Position, RecordedEvent},
    money::CurrencyCode,
    posting::Kind,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder, Row, postgres::PgRow, types::Uuid};

use super::{
    At, Page, ReadModels, cut, decimal,
    legs::{Enough, Order, Stretch, scan, sequence_at},
    parsed, undecodable, unsigned,
};
use crate::error::ReadError;

const COLUMNS: &str = "t.id, t.kind, t.first_position, t.last_position, t.legs, t.effective_on, \
    t.recorded_at, t.currency, t.amount::text as amount, \
    t.further_totals::text as further_totals, t.cause, t.reverses, t.reversed_by";

/// A transaction without its legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transaction {
    /// Its id.
    pub id: TransactionId,
    /// What kind it is.
    pub kind: Kind,
    /// Where its first leg stands.
    pub first_position: Position,
    /// Where its last leg stands.
    pub last_position: Position,
    /// The business date.
    pub effective_on: NaiveDate,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How much moved, per currency.
    pub totals: Vec<Total>,
    /// The object that caused it.
    pub cause: Option<Reference>,
    /// The transaction that this one undid.
    pub reverses: Option<TransactionId>,
    /// The transaction that undid this one.
    pub reversed_by: Option<TransactionId>,
    /// The words that somebody put on it, if they were not erased.
    pub note: Option<String>,
}

/// How much moved in one currency: the sum of the debits, which is the sum of the credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The currency.
    pub currency: CurrencyCode,
    /// The sum of one side.
    pub amount: Decimal,
}

/// A transaction with its legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransactionDetail {
    /// The transaction.
    #[serde(flatten)]
    pub transaction: Transaction,
    /// Its legs, in order.
    pub legs: Vec<TransactionLeg>,
    /// Who did it, by which request.
    pub metadata: Metadata,
}

/// A leg as a part of its transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransactionLeg {
    /// Whose leg.
    pub account: AccountId,
    /// On which side.
    pub direction: Direction,
    /// How much.
    pub amount: Decimal,
    /// The account's posted balance after it, on its normal side.
    pub balance_after: Decimal,
    /// The bank's date, if a bank stated one.
    pub value_date: Option<NaiveDate>,
    /// The item that it belongs to.
    pub item: Option<Item>,
    /// Its place in the account's stream.
    pub sequence: u64,
    /// Its place in the log.
    pub position: Position,
}

/// Which transactions to list; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// With a leg on this account.
    pub account: Option<AccountId>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// With a business date on or after this one.
    pub effective_from: Option<NaiveDate>,
    /// With a business date on or before this one.
    pub effective_to: Option<NaiveDate>,
    /// Recorded at or after this moment.
    pub recorded_from: Option<Timestamp>,
    /// Recorded before this moment.
    pub recorded_before: Option<Timestamp>,
    /// Before this position: the cursor.
    pub before: Option<Position>,
}

impl TransactionFilter {
    fn takes(&self, kind: &Kind, effective_on: NaiveDate) -> bool {
        self.kind.as_ref().is_none_or(|wanted| wanted == kind)
            && self.effective_from.is_none_or(|from| effective_on >= from)
            && self.effective_to.is_none_or(|to| effective_on <= to)
    }
}

impl ReadModels {
    /// A transaction with its legs, if it exists.
    pub async fn transaction(
        &self,
        id: TransactionId,
    ) -> Result<At<Option<TransactionDetail>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.transactions t on t.id = $1"
        );
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_one(&self.pool).await?;
        let position = unsigned(&row, "reflects")?;
        let Some(mut transaction) = transaction_or_none(&row)? else {
            return Ok(At { position, value: None });
        };
        self.put_notes(std::slice::from_mut(&mut transaction)).await?;
        Ok(At { position, value: Some(self.with_legs(transaction).await?) })
    }

    /// Transactions, newest first, `limit` at most. The cursor is a position.
    pub async fn transactions(
        &self,
        filter: &TransactionFilter,
        limit: u32,
    ) -> Result<Page<Transaction, Position>, ReadError> {
        let (after, before) = self.recorded_range(filter).await?;
        let mut page = match &filter.account {
            Some(account) => self.transactions_of(account, filter, after, before, limit).await?,
            None => self.all_transactions(filter, after, before, limit).await?,
        };
        self.put_notes(&mut page.items).await?;
        Ok(page)
    }

    async fn all_transactions(
        &self,
        filter: &TransactionFilter,
        after: Position,
        before: Position,
        limit: u32,
    ) -> Result<Page<Transaction, Position>, ReadError> {
        let mut sql = QueryBuilder::<Postgres>::new(format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (select * from read.transactions t where t.first_position > "
        ));
        sql.push_bind(log::read::signed(after)?)
            .push(" and t.first_position < ")
            .push_bind(log::read::signed(before)?);
        if let Some(kind) = &filter.kind {
            sql.push(" and t.kind = ").push_bind(kind.as_str().to_owned());
        }
        if filter.effective_from.is_some() || filter.effective_to.is_some() {
            push_days(&mut sql, " and t.effective_on", filter);
            // Not further along the log than the days reach.
            for end in [">= (select min(first_position)", "<= (select max(last_position)"] {
                sql.push(format!(
                    " and t.first_position {end} from read.transaction_days where true"
                ));
                push_days(&mut sql, " and day", filter);
                sql.push(")");
            }
        }
        sql.push(" order by t.first_position desc limit ")
            .push_bind(i64::from(limit) + 1)
            .push(") t on true order by t.first_position desc");
        let rows = sql.build().fetch_all(&self.pool).await?;
        let (position, items) = super::rows(&rows, transaction_or_none)?;
        Ok(cut(items, limit, position, |transaction| transaction.first_position))
    }

    /// The transactions of one account, by way of its stream: no table holds legs by account.
    async fn transactions_of(
        &self,
        account: &AccountId,
        filter: &TransactionFilter,
        after: Position,
        before: Position,
        limit: u32,
    ) -> Result<Page<Transaction, Position>, ReadError> {
        let position = self.position().await?;
        let upto = before.saturating_sub(1).min(position);
        let stretch = Stretch {
            // The first event of every account opens it.
            after: sequence_at(&self.pool, account, after).await?.max(1),
            upto: sequence_at(&self.pool, account, upto).await?,
            order: Order::NewestFirst,
        };
        let enough = Enough::found(usize::try_from(limit).unwrap_or(usize::MAX));
        // Several legs of one transaction count once. The leg before the first that is too many
        // ends the page.
        let mut found: Vec<TransactionId> = Vec::new();
        let mut last = None;
        let scan = scan(&self.pool, account, stretch, enough, |leg| {
            last = Some(leg.first_position());
            let wanted = filter.takes(&leg.leg.kind, leg.leg.effective_on)
                && found.last() != Some(&leg.leg.transaction_id);
            if wanted {
                found.push(leg.leg.transaction_id);
            }
            wanted
        })
        .await?;
        let items = self.transactions_by_id(&found).await?;
        Ok(Page { items, next: scan.rest.and(last), position })
    }

    /// The transactions of these ids, in their order.
    async fn transactions_by_id(
        &self,
        ids: &[TransactionId],
    ) -> Result<Vec<Transaction>, ReadError> {
        let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let sql = format!("select {COLUMNS} from read.transactions t where t.id = any($1)");
        let rows = sqlx::query(&sql).bind(uuids).fetch_all(&self.pool).await?;
        let mut known = HashMap::with_capacity(rows.len());
        for row in &rows {
            if let Some(transaction) = transaction_or_none(row)? {
                known.insert(transaction.id, transaction);
            }
        }
        Ok(ids.iter().filter_map(|id| known.remove(id)).collect())
    }

    /// The positions (both excluded) that the filter's moments and cursor leave.
    async fn recorded_range(
        &self,
        filter: &TransactionFilter,
    ) -> Result<(Position, Position), ReadError> {
        let mut after = 0;
        let mut before = filter.before.unwrap_or(Position::MAX >> 1);
        if let Some(from) = filter.recorded_from {
            after = self.recorded_before(from).await?;
        }
        if let Some(end) = filter.recorded_before {
            before = before.min(self.recorded_before(end).await?.saturating_add(1));
        }
        Ok((after, before))
    }

    async fn with_legs(&self, transaction: Transaction) -> Result<TransactionDetail, ReadError> {
        let events = log::read::events(
            &self.pool,
            transaction.first_position.saturating_sub(1),
            transaction.last_position,
            u32::MAX,
        )
        .await?;
        let metadata = events.first().map(|event| event.metadata.as_slice());
        let metadata = metadata.map_or_else(|| Ok(Metadata::default()), serde_json::from_slice);
        Ok(TransactionDetail {
            metadata: metadata.map_err(|source| undecodable("metadata", source))?,
            legs: events.iter().map(leg).collect::<Result<_, _>>()?,
            transaction,
        })
    }

    /// Puts on the transactions what people wrote on them.
    async fn put_notes(&self, transactions: &mut [Transaction]) -> Result<(), ReadError> {
        let ids = transactions.iter().map(|t| t.id).collect::<Vec<_>>();
        let mut notes = self.notes(&ids).await?;
        for transaction in transactions {
            transaction.note = notes.remove(&transaction.id);
        }
        Ok(())
    }
}

/// Restricts a business date to the filter's.
fn push_days(sql: &mut QueryBuilder<'_, Postgres>, and_day: &str, filter: &TransactionFilter) {
    if let Some(from) = filter.effective_from {
        sql.push(format!("{and_day} >= ")).push_bind(from);
    }
    if let Some(to) = filter.effective_to {
        sql.push(format!("{and_day} <= ")).push_bind(to);
    }
}

/// The transaction of a row; nothing if the row stands for none.
fn transaction_or_none(row: &PgRow) -> sqlx::Result<Option<Transaction>> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("id")? else {
        return Ok(None);
    };
    let link = |column: &str| -> sqlx::Result<Option<TransactionId>> {
        let uuid: Option<Uuid> = row.try_get(column)?;
        Ok(uuid.map(TransactionId::from_uuid))
    };
    let cause: Option<&str> = row.try_get("cause")?;
    let cause = cause.map(str::parse).transpose();
    Ok(Some(Transaction {
        id: TransactionId::from_uuid(id),
        kind: parsed(row, "kind")?,
        first_position: unsigned(row, "first_position")?,
        last_position: unsigned(row, "last_position")?,
        effective_on: row.try_get("effective_on")?,
        recorded_at: row.try_get("recorded_at")?,
        totals: totals(row)?,
        cause: cause.map_err(|source| undecodable("cause", source))?,
        reverses: link("reverses")?,
        reversed_by: link("reversed_by")?,
        note: None,
    }))
}

fn totals(row: &PgRow) -> sqlx::Result<Vec<Total>> {
    let mut totals =
        vec![Total { currency: parsed(row, "currency")?, amount: decimal(row, "amount")? }];
    if let Some(further) = row.try_get::<Option<&str>, _>("further_totals")? {
        let further: Vec<Total> = serde_json::from_str(further)
            .map_err(|source| undecodable("further_totals", source))?;
        totals.extend(further);
    }
    Ok(totals)
}

fn leg(event: &RecordedEvent) -> Result<TransactionLeg, ReadError> {
    let corrupt = |source| LogError::Corrupt { position: event.position, source };
    let fact: AccountEvent =
        log::decode(&event.event_type, &event.event_version, &event.payload).map_err(corrupt)?;
    let (direction, leg) = fact.leg().ok_or(ReadError::NotALeg(event.position))?;
    let account = event.aggregate_id.parse();
    Ok(TransactionLeg {
        account: account.map_err(|source| undecodable("aggregate_id", source))?,
        direction,
        amount: leg.amount,
        balance_after: leg.balance_after,
        value_date: leg.value_date,
        item: leg.item.clone(),
        sequence: event.sequence,
        position: event.position,
    })
}
