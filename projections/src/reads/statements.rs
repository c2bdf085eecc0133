//! Statements: an account's legs with the balance after each, and what stood before and after them.
//!
//! The lines are the account's own stream. What they sum to comes from the flows, which also say
//! which part of the stream the wanted days lie in. The lines stand in the order in which they
//! were posted, and each balance is the one after that leg; a leg that was dated back therefore
//! stands where it was posted, with its own business date.

use chrono::NaiveDate;
use ledger_core::{
    chart::{AccountType, Direction},
    clock::Timestamp,
    ids::{AccountId, Item, Reference, TransactionId},
    log::Position,
    money::Currency,
    posting::Kind,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{
    At, ReadModels,
    accounts::currency,
    as_of::net,
    at_scale, decimal,
    legs::{Enough, Order, StreamLeg, Stretch, scan},
    unsigned, variant,
};
use crate::error::ReadError;

/// Which part of which statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementQuery {
    /// Whose.
    pub account: AccountId,
    /// With a business date on or after this one.
    pub from: Option<NaiveDate>,
    /// With a business date on or before this one.
    pub to: Option<NaiveDate>,
    /// In which order.
    pub order: Order,
    /// The sequence that the last page named: the cursor.
    pub cursor: Option<u64>,
    /// How many lines at most.
    pub limit: u32,
}

/// A page of a statement, with the sums of the whole statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Whose.
    pub account: AccountId,
    /// The currency with its scale.
    pub currency: Currency,
    /// From which business date.
    pub from: Option<NaiveDate>,
    /// To which business date.
    pub to: Option<NaiveDate>,
    /// The balance of all legs dated before `from`.
    pub opening: Decimal,
    /// The balance of all legs dated up to `to`.
    pub closing: Decimal,
    /// The sum of the statement's debits.
    pub debits: Decimal,
    /// The sum of the statement's credits.
    pub credits: Decimal,
    /// How many lines the whole statement has.
    pub legs: u64,
    /// The lines of this page.
    pub lines: Vec<StatementLine>,
    /// The cursor of the next page; nothing if this is the last.
    pub next: Option<u64>,
}

/// A leg as a line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementLine {
    /// Its place in the account's stream.
    pub sequence: u64,
    /// Its place in the log.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The business date.
    pub effective_on: NaiveDate,
    /// The bank's date, if a bank stated one.
    pub value_date: Option<NaiveDate>,
    /// The transaction that it is a leg of.
    pub transaction_id: TransactionId,
    /// What kind of transaction that is.
    pub kind: Kind,
    /// On which side.
    pub direction: Direction,
    /// How much.
    pub amount: Decimal,
    /// The posted balance after it, on the account's normal side.
    pub balance_after: Decimal,
    /// The item that it belongs to.
    pub item: Option<Item>,
    /// What caused the transaction.
    pub cause: Option<Reference>,
    /// The words that somebody put on the transaction, if they were not erased.
    pub note: Option<String>,
}

impl ReadModels {
    /// A page of an account's statement, if the account exists.
    pub async fn statement(
        &self,
        query: &StatementQuery,
    ) -> Result<At<Option<Statement>>, ReadError> {
        let row = self.sums(query).await?;
        let position = unsigned(&row, "reflects")?;
        if row.try_get::<Option<&str>, _>("currency")?.is_none() {
            return Ok(At { position, value: None });
        }
        let mut statement = statement(&row, query)?;
        if statement.legs > 0 {
            self.put_lines(&mut statement, query, stretch(&row, query)?).await?;
        }
        Ok(At { position, value: Some(statement) })
    }

    /// The account, and the sums over the days before and in the statement.
    async fn sums(&self, query: &StatementQuery) -> Result<PgRow, ReadError> {
        let row = sqlx::query(
            "select c.position as reflects, a.currency, a.scale, a.account_type,
                    coalesce(f.debits_before, 0)::text as debits_before,
                    coalesce(f.credits_before, 0)::text as credits_before,
                    coalesce(f.debits, 0)::text as debits,
                    coalesce(f.credits, 0)::text as credits,
                    coalesce(f.legs, 0)::bigint as legs,
                    coalesce(f.first_sequence, 0) as first_sequence,
                    coalesce(f.last_sequence, 0) as last_sequence
             from read.checkpoint c
             left join read.accounts a on a.id = $1
             left join lateral (
                 select sum(debits) filter (where not wanted) as debits_before,
                        sum(credits) filter (where not wanted) as credits_before,
                        sum(debits) filter (where wanted) as debits,
                        sum(credits) filter (where wanted) as credits,
                        sum(legs) filter (where wanted) as legs,
                        min(first_sequence) filter (where wanted) as first_sequence,
                        max(last_sequence) filter (where wanted) as last_sequence
                 from (select *, $2::date is null or day >= $2 as wanted from read.flows
                       where account_id = a.id and ($3::date is null or day <= $3)) as days
             ) f on true",
        )
        .bind(query.account.as_str())
        .bind(query.from)
        .bind(query.to)
        .fetch_one(&self.pool)
        .await?;
        Ok(row)
    }

    async fn put_lines(
        &self,
        statement: &mut Statement,
        query: &StatementQuery,
        stretch: Stretch,
    ) -> Result<(), ReadError> {
        let enough = Enough::found(usize::try_from(query.limit).unwrap_or(usize::MAX));
        let found = scan(&self.pool, &query.account, stretch, enough, |leg| {
            let day = leg.leg.effective_on;
            query.from.is_none_or(|from| day >= from) && query.to.is_none_or(|to| day <= to)
        })
        .await?;
        statement.next = found.rest.map(|rest| match query.order {
            Order::OldestFirst => rest.after,
            Order::NewestFirst => rest.upto.saturating_add(1),
        });
        let ids: Vec<TransactionId> = found.legs.iter().map(|l| l.leg.transaction_id).collect();
        let notes = self.notes(&ids).await?;
        let with_note = |leg: StreamLeg| {
            let note = notes.get(&leg.leg.transaction_id).cloned();
            line(leg, note)
        };
        statement.lines = found.legs.into_iter().map(with_note).collect();
        Ok(())
    }
}

/// The part of the stream that the page can be in.
fn stretch(row: &PgRow, query: &StatementQuery) -> Result<Stretch, ReadError> {
    let mut stretch = Stretch {
        after: unsigned(row, "first_sequence")?.saturating_sub(1),
        upto: unsigned(row, "last_sequence")?,
        order: query.order,
    };
    if let Some(cursor) = query.cursor {
        match query.order {
            Order::OldestFirst => stretch.after = stretch.after.max(cursor),
            Order::NewestFirst => stretch.upto = stretch.upto.min(cursor.saturating_sub(1)),
        }
    }
    Ok(stretch)
}

fn statement(row: &PgRow, query: &StatementQuery) -> Result<Statement, ReadError> {
    let currency = currency(row)?;
    let account_type: AccountType = variant(row, "account_type")?;
    let at_scale = |amount| at_scale(amount, u32::from(currency.scale));
    let amount = |column| decimal(row, column).map(at_scale);
    let (debits, credits) = (amount("debits")?, amount("credits")?);
    let opening = net(account_type, amount("debits_before")?, amount("credits_before")?)?;
    let moved = net(account_type, debits, credits)?;
    Ok(Statement {
        account: query.account.clone(),
        currency,
        from: query.from,
        to: query.to,
        opening: at_scale(opening),
        closing: at_scale(opening.checked_add(moved).ok_or(ReadError::Amount)?),
        debits,
        credits,
        legs: unsigned(row, "legs")?,
        lines: Vec::new(),
        next: None,
    })
}

fn line(leg: StreamLeg, note: Option<String>) -> StatementLine {
    StatementLine {
        sequence: leg.sequence,
        position: leg.position,
        recorded_at: leg.recorded_at,
        effective_on: leg.leg.effective_on,
        value_date: leg.leg.value_date,
        transaction_id: leg.leg.transaction_id,
        kind: leg.leg.kind,
        direction: leg.direction,
        amount: leg.leg.amount,
        balance_after: leg.leg.balance_after,
        item: leg.leg.item,
        cause: leg.leg.cause,
        note,
    }
}
