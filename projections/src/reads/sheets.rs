//! The sheets that reports are made of: what all accounts sum to, by headings, at any place of the
//! log or for any days.
//!
//! Now: the sums over the accounts. At an earlier position: the same, less the legs since then, or
//! the legs up to then, whichever are fewer; they are read in pieces and summed, so that memory
//! does not grow with the log. For business dates: the sums of the flows of those days. The trial
//! balance and the tree of accounts are made of these sheets too, so that there is one way to the
//! past.

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use ledger_core::{
    book::BookEvent,
    clock::Timestamp,
    ids::AccountId,
    log::{self, LogError, Position},
};
use rust_decimal::Decimal;
use sqlx::{Row, postgres::PgRow};

use super::{At, ReadModels, at_scale, decimal, unsigned, variant};
use crate::{
    error::ReadError,
    models::decode_leg,
    reports::{Control, ControlError, HEADING_SQL, Line, Sheet, controls, heading},
};

/// Positions that are read at once.
const READ_EVENTS: u64 = 10_000;

/// The kind of a transaction that moves a year's result into equity.
const CLOSING: &str = "year_close";

/// Everything is read as it was at one moment.
const SNAPSHOT: &str = "begin transaction isolation level repeatable read, read only";

/// How fine the lines of a sheet are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grain {
    /// One for each heading of the chart.
    Headings,
    /// One for each type and class, under no heading: it costs less where there are many accounts.
    Classes,
}

impl Grain {
    /// The heading as an expression of SQL.
    const fn sql(self) -> &'static str {
        match self {
            Self::Headings => HEADING_SQL,
            Self::Classes => "''::text",
        }
    }

    fn heading(self, code: &str) -> String {
        match self {
            Self::Headings => heading(code),
            Self::Classes => String::new(),
        }
    }
}

/// When a report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// All that is in the read models.
    Now,
    /// After the event at this position, and the rest of its transaction
    /// ([`ReadModels::whole_at`]).
    Position(Position),
    /// After everything that was recorded at or before this moment.
    Time(Timestamp),
    /// All that belongs to the days up to this one, whenever it was recorded.
    Day(NaiveDate),
}

impl ReadModels {
    /// What all accounts sum to.
    ///
    /// # Errors
    /// [`ReadError::NotRecorded`] or [`ReadError::Behind`] for a position that is not there yet.
    pub async fn sheet(&self, as_of: AsOf) -> Result<At<Sheet>, ReadError> {
        match as_of {
            AsOf::Now => self.sheet_now(Grain::Headings, Position::MAX >> 1).await,
            AsOf::Position(position) => self.sheet_at(Grain::Headings, position).await,
            AsOf::Time(moment) => {
                let position = self.recorded_by(moment).await?;
                self.sheet_at(Grain::Headings, position).await
            }
            AsOf::Day(day) => self.sheet_of_days(None, day).await,
        }
    }

    /// Each class of accounts against what it must be the sum of.
    pub async fn controls(&self) -> Result<At<Vec<Control>>, ReadError> {
        let mut db_tx = self.pool.begin_with(SNAPSHOT).await?;
        let row =
            sqlx::query("select position from read.checkpoint").fetch_one(&mut *db_tx).await?;
        let position = unsigned(&row, "position")?;
        let value = controls(&mut db_tx).await.map_err(|ControlError(error)| error)?;
        db_tx.rollback().await?;
        Ok(At { position, value })
    }

    /// The time zone whose days are the book's days; UTC before the book is opened.
    pub async fn time_zone(&self) -> Result<Tz, ReadError> {
        let row = sqlx::query(
            "select position, event_version, payload from events
             where aggregate_type = 'book' and aggregate_id = 'main' and sequence = 1",
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(Tz::UTC) };
        let position = unsigned(&row, "position")?;
        let event = log::decode("opened", row.try_get("event_version")?, row.try_get("payload")?)
            .map_err(|source| LogError::Corrupt { position, source })?;
        // It was decoded as this type.
        Ok(if let BookEvent::Opened(opened) = event { opened.time_zone } else { Tz::UTC })
    }

    /// What moved on the days from `from` to `to`, both included, less what closes of years moved
    /// away: what was earned in that time, and what it cost.
    pub async fn earnings(&self, from: NaiveDate, to: NaiveDate) -> Result<At<Sheet>, ReadError> {
        let At { position, value } = self.sheet_of_days(Some(from), to).await?;
        let rows = sqlx::query(
            "select first_position, last_position from read.transactions
             where kind = $1 and effective_on >= $2 and effective_on <= $3",
        )
        .bind(CLOSING)
        .bind(from)
        .bind(to)
        .fetch_all(&self.pool)
        .await?;
        let mut moved = Sheet::default();
        for row in &rows {
            let (first, last) = (unsigned(row, "first_position")?, unsigned(row, "last_position")?);
            if last <= position {
                let span = (first.saturating_sub(1), last);
                self.put_moved(&mut moved, Grain::Headings, span).await?;
            }
        }
        Ok(At { position, value: value.less(&moved).ok_or(ReadError::Amount)? })
    }

    pub(super) async fn sheet_at(
        &self,
        grain: Grain,
        position: Position,
    ) -> Result<At<Sheet>, ReadError> {
        let head = log::read::head(&self.pool).await?.position;
        if position > head {
            return Err(ReadError::NotRecorded { wanted: position, head });
        }
        let position = self.whole_at(position).await?;
        let At { position: reached, value: now } = self.sheet_now(grain, position).await?;
        if position > reached {
            return Err(ReadError::Behind { wanted: position, reached });
        }
        let mut moved = Sheet::default();
        let value = if reached - position <= position {
            self.put_moved(&mut moved, grain, (position, reached)).await?;
            now.less(&moved)
        } else {
            self.put_moved(&mut moved, grain, (0, position)).await?;
            now.emptied().plus(&moved)
        };
        let value = value.ok_or(ReadError::Amount)?;
        Ok(At { position, value: value.without_unopened() })
    }

    /// The sums as they are; counted are the accounts that were opened up to `position`.
    pub(super) async fn sheet_now(
        &self,
        grain: Grain,
        position: Position,
    ) -> Result<At<Sheet>, ReadError> {
        let sql = format!(
            "select c.position as reflects, a.* from read.checkpoint c
             left join (select currency, account_type, class, {} as heading,
                               max(scale)::bigint as scale,
                               count(*) filter (where opened_position <= $1) as accounts,
                               sum(debits_posted)::text as debits,
                               sum(credits_posted)::text as credits
                        from read.accounts group by 1, 2, 3, 4) a on true",
            grain.sql()
        );
        let rows =
            sqlx::query(&sql).bind(log::read::signed(position)?).fetch_all(&self.pool).await?;
        sheet(&rows)
    }

    async fn sheet_of_days(
        &self,
        from: Option<NaiveDate>,
        to: NaiveDate,
    ) -> Result<At<Sheet>, ReadError> {
        let sql = format!(
            "select c.position as reflects, a.* from read.checkpoint c
             left join (select currency, account_type, class, heading,
                               max(scale)::bigint as scale, count(*) as accounts,
                               sum(debits)::text as debits, sum(credits)::text as credits
                        from (select a.currency, a.account_type, a.class, a.scale,
                                     {HEADING_SQL} as heading,
                                     sum(f.debits) as debits, sum(f.credits) as credits
                              from read.flows f join read.accounts a on a.id = f.account_id
                              where f.day <= $1 and ($2::date is null or f.day >= $2)
                              group by a.id) one
                        group by 1, 2, 3, 4) a on true"
        );
        let rows = sqlx::query(&sql).bind(to).bind(from).fetch_all(&self.pool).await?;
        sheet(&rows)
    }

    /// Puts the legs of positions `> after` and `<= upto` on a sheet.
    async fn put_moved(
        &self,
        sheet: &mut Sheet,
        grain: Grain,
        (after, upto): (Position, Position),
    ) -> Result<(), ReadError> {
        let mut after = after;
        while after < upto {
            let end = upto.min(after.saturating_add(READ_EVENTS));
            self.put_piece(sheet, grain, &self.moved(after, end).await?).await?;
            after = end;
        }
        Ok(())
    }

    async fn put_piece(
        &self,
        sheet: &mut Sheet,
        grain: Grain,
        moved: &HashMap<String, (Decimal, Decimal)>,
    ) -> Result<(), ReadError> {
        let ids: Vec<&str> = moved.keys().map(String::as_str).collect();
        let rows = sqlx::query(
            "select id, code, account_type, class from read.accounts where id = any($1)",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        for row in &rows {
            let id: AccountId = super::parsed(row, "id")?;
            let Some((debits, credits)) = moved.get(id.as_str()) else {
                continue;
            };
            let line = Line {
                currency: id.currency().map_err(|e| super::undecodable("id", e))?,
                account_type: variant(row, "account_type")?,
                class: row.try_get("class")?,
                heading: grain.heading(row.try_get("code")?),
                accounts: 0,
                debits: *debits,
                credits: *credits,
            };
            sheet.add(line).ok_or(ReadError::Amount)?;
        }
        Ok(())
    }

    /// Debits and credits by account in a range of positions.
    async fn moved(
        &self,
        after: Position,
        upto: Position,
    ) -> Result<HashMap<String, (Decimal, Decimal)>, ReadError> {
        let rows = sqlx::query(
            "select position, aggregate_id, event_type, event_version, payload from events
             where position > $1 and position <= $2
               and aggregate_type = 'account' and event_type in ('debited', 'credited')",
        )
        .bind(log::read::signed(after)?)
        .bind(log::read::signed(upto)?)
        .fetch_all(&self.pool)
        .await?;
        let mut moved: HashMap<String, (Decimal, Decimal)> = HashMap::new();
        for row in &rows {
            let event_type: &str = row.try_get("event_type")?;
            let position = unsigned(row, "position")?;
            let leg =
                decode_leg(event_type, row.try_get("event_version")?, row.try_get("payload")?)
                    .map_err(|source| LogError::Corrupt { position, source })?;
            let (debits, credits) = moved.entry(row.try_get("aggregate_id")?).or_default();
            let side = if event_type == "debited" { debits } else { credits };
            *side = side.checked_add(leg.amount).ok_or(ReadError::Amount)?;
        }
        Ok(moved)
    }
}

fn sheet(rows: &[PgRow]) -> Result<At<Sheet>, ReadError> {
    let (position, lines) = super::rows(rows, line_or_none)?;
    let mut sheet = Sheet::default();
    for line in lines {
        sheet.add(line).ok_or(ReadError::Amount)?;
    }
    Ok(At { position, value: sheet.without_unopened() })
}

/// The line of a row; nothing if the row stands for none.
fn line_or_none(row: &PgRow) -> Result<Option<Line>, ReadError> {
    if row.try_get::<Option<&str>, _>("currency")?.is_none() {
        return Ok(None);
    }
    let scale = u32::try_from(unsigned(row, "scale")?).map_err(|_| ReadError::Amount)?;
    Ok(Some(Line {
        currency: super::parsed(row, "currency")?,
        account_type: variant(row, "account_type")?,
        class: row.try_get("class")?,
        heading: row.try_get("heading")?,
        accounts: unsigned(row, "accounts")?,
        debits: at_scale(decimal(row, "debits")?, scale),
        credits: at_scale(decimal(row, "credits")?, scale),
    }))
}
