//! The inbox as it is read: by people, and by whoever applies what is in it.
//!
//! Applying is another part's work. It asks for [`Inbox::fresh`] deliveries, gives each its effect
//! under an idempotency key made of bank and event id, and then [`Inbox::record`]s what it came
//! to. Both halves may be done again at any time, by any number of workers: the effect happens once
//! by its key, and a delivery is settled once by a unique index. So a crash between the two costs
//! nothing, and a delivery can be taken from here again by hand ([`Inbox::find`]).
//!
//! New deliveries are found by the database transaction that wrote them, not by their id: ids
//! become visible in another order than they are given out, and a reader that remembers the highest
//! one would skip what came in late. What was written below a [`Mark`] is all there and all looked
//! at.

use ledger_core::clock::Timestamp;
use sqlx::{FromRow as _, PgPool, Row as _, postgres::PgRow};

use super::bodies::{self, Kept, Of, Opened};
use crate::vault::SubjectKeys;

/// Below it, nothing new can appear: the number of a database transaction. A worker starts from the
/// default, which costs one look at all deliveries, and goes on from the one that it was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(i64);

/// A delivery as it came, in all its parts.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    /// Its number here.
    pub id: i64,
    /// Which bank sent it.
    pub bank: String,
    /// The bank's id of the event; (bank, event id) is unique for ever.
    pub event_id: String,
    /// What the body calls itself, if it can be read.
    pub event_type: Option<String>,
    /// When the event happened, by the bank's clock, if the body says so.
    pub event_at: Option<Timestamp>,
    /// When the bank sent the delivery that was stored.
    pub sent_at: Timestamp,
    /// When it came in, by our clock.
    pub received_at: Timestamp,
    /// SHA-256 of the body.
    pub body_sha256: Vec<u8>,
    /// The bytes; nothing if they were erased, or do not open.
    #[sqlx(skip)]
    pub body: Option<Vec<u8>>,
    /// Whether there are bytes that do not open: they are not what was sealed here.
    #[sqlx(skip)]
    pub is_unreadable: bool,
    written_in: i64,
}

/// Deliveries that nobody looked at yet, oldest first.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// At most as many as were asked for.
    pub deliveries: Vec<Delivery>,
    /// Where to go on from, whether or not these were settled meanwhile.
    pub mark: Mark,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listed {
    /// Its number here.
    pub id: i64,
    /// Which bank sent it.
    pub bank: String,
    /// The bank's id of the event.
    pub event_id: String,
    /// What the body calls itself, if it can be read.
    pub event_type: Option<String>,
    /// When it came in.
    pub received_at: Timestamp,
    /// `received`, `parked`, `applied` or `ignored`.
    pub state: String,
    /// How many other bodies the same event came with.
    pub conflicts: i64,
}

/// A delivery that waits for its reference.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Waiting {
    /// Its number here.
    pub delivery_id: i64,
    /// Which bank sent it.
    pub bank: String,
    /// What the body calls itself, if it can be read.
    pub event_type: Option<String>,
    /// What it waits for.
    pub reference: String,
    /// How often it was parked.
    pub attempts: i64,
    /// When it was parked last.
    pub at: Timestamp,
}

/// A conclusion that somebody came to about a delivery.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    /// From 1.
    pub attempt: i32,
    /// When.
    pub at: Timestamp,
    /// `parked`, `applied` or `ignored`.
    pub outcome: String,
    /// What it waits for.
    pub reference: Option<String>,
    /// Why, or what it belongs to.
    pub detail: String,
}

/// An event that came again with another body.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Conflict {
    /// The delivery that stands.
    pub delivery_id: i64,
    /// Which bank sent both.
    pub bank: String,
    /// The bank's id of the event.
    pub event_id: String,
    /// When the other body came first.
    pub received_at: Timestamp,
    /// SHA-256 of the body that stands.
    pub body_sha256: Vec<u8>,
    /// SHA-256 of the other one.
    pub other_sha256: Vec<u8>,
    /// The other bytes; nothing if they were erased, or do not open.
    #[sqlx(skip)]
    pub other_body: Option<Vec<u8>>,
}

/// What a delivery came to. The words are for people, without names of people, 500 characters at
/// most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It had its effect; the words say on what. Final.
    Applied(&'a str),
    /// It told us nothing new; the words say why. Final.
    Ignored(&'a str),
    /// It waits, for its reference to appear or for people.
    Parked {
        /// What it waits for, as the bank names it.
        reference: Option<&'a str>,
        /// Why.
        detail: &'a str,
    },
}

/// Whether a conclusion was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It was.
    Now,
    /// Somebody settled the delivery before.
    Settled,
}

/// The inbox.
#[derive(Debug, Clone)]
pub struct Inbox {
    pub(super) pool: PgPool,
    pub(super) keys: SubjectKeys,
}

const COLUMNS: &str = "
    select d.id, d.bank, d.event_id, d.event_type, d.event_at, d.sent_at, d.received_at,
           d.body_sha256, b.body, b.key, b.subject, d.written_in
    from inbox_deliveries d
    left join inbox_bodies b on b.delivery_id = d.id and b.body_sha256 = d.body_sha256";

const LISTED: &str = "
    select * from (
        select d.id, d.bank, d.event_id, d.event_type, d.received_at,
               coalesce((select a.outcome from inbox_applied a where a.delivery_id = d.id
                         order by a.attempt desc limit 1), 'received') as state,
               (select count(*) from inbox_conflicts c where c.delivery_id = d.id) as conflicts
        from inbox_deliveries d
        where ($1::text is null or d.bank = $1) and d.id < $4
    ) as listed";

impl Inbox {
    /// The inbox of a database, with the keys in the ledger's.
    pub const fn new(pool: PgPool, keys: SubjectKeys) -> Self {
        Self { pool, keys }
    }

    /// Deliveries that nobody came to a conclusion about, written at or after a mark.
    ///
    /// # Errors
    /// What the database says.
    pub async fn fresh(&self, from: Mark, most: u32) -> sqlx::Result<Fresh> {
        // Before the rows are read: what ends in between is then read again, and not missed.
        let oldest_open = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        let oldest_open: i64 = sqlx::query_scalar(oldest_open).fetch_one(&self.pool).await?;
        let sql = format!(
            "{COLUMNS} where d.written_in >= $1
             and not exists (select from inbox_applied a where a.delivery_id = d.id)
             order by d.written_in, d.id limit $2"
        );
        let query = sqlx::query(&sql).bind(from.0).bind(i64::from(most));
        let deliveries = self.opened_all(query.fetch_all(&self.pool).await?).await?;
        let first = deliveries.first().map_or(oldest_open, |delivery| delivery.written_in);
        Ok(Fresh { deliveries, mark: from.max(Mark(first.min(oldest_open))) })
    }

    /// Deliveries that wait for a reference, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn parked(&self, reference: &str) -> sqlx::Result<Vec<Delivery>> {
        let sql = format!(
            "{COLUMNS} where d.id in (select delivery_id from inbox_applied where reference = $1)
             and not exists (select from inbox_applied a
                             where a.delivery_id = d.id and a.outcome <> 'parked')
             order by d.id"
        );
        let rows = sqlx::query(&sql).bind(reference).fetch_all(&self.pool).await?;
        self.opened_all(rows).await
    }

    /// What waits for a reference, in the order of its numbers, behind one of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn waiting(&self, behind: i64, most: u32) -> sqlx::Result<Vec<Waiting>> {
        let sql = "
            select a.delivery_id, d.bank, d.event_type, max(a.reference) as reference,
                   count(*) as attempts, max(a.at) as at
            from inbox_applied a
            join inbox_deliveries d on d.id = a.delivery_id
            where a.reference is not null and a.delivery_id > $1
              and not exists (select from inbox_applied s
                              where s.delivery_id = a.delivery_id
                                and (s.outcome <> 'parked'
                                     or (s.attempt > a.attempt and s.reference is null)))
            group by a.delivery_id, d.bank, d.event_type
            order by a.delivery_id limit $2";
        sqlx::query_as(sql).bind(behind).bind(i64::from(most)).fetch_all(&self.pool).await
    }

    /// One delivery, whatever became of it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, id: i64) -> sqlx::Result<Option<Delivery>> {
        let sql = format!("{COLUMNS} where d.id = $1");
        let row = sqlx::query(&sql).bind(id).fetch_optional(&self.pool).await?;
        Ok(self.opened_all(row.into_iter().collect()).await?.pop())
    }

    async fn opened_all(&self, rows: Vec<PgRow>) -> sqlx::Result<Vec<Delivery>> {
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in rows {
            let mut delivery = Delivery::from_row(&row)?;
            let Delivery { bank, event_id, body_sha256, .. } = &delivery;
            let of = Of { bank, event_id, body_sha256 };
            match self.open(of, kept(&row, "body")?).await? {
                Some(Opened::Bytes(bytes)) => delivery.body = Some(bytes),
                Some(Opened::Unreadable) => delivery.is_unreadable = true,
                Some(Opened::Erased) | None => {}
            }
            deliveries.push(delivery);
        }
        Ok(deliveries)
    }

    async fn open(&self, of: Of<'_>, kept: Option<Kept>) -> sqlx::Result<Option<Opened>> {
        match kept {
            Some(kept) => bodies::open(&self.keys, of, kept).await.map(Some),
            None => Ok(None),
        }
    }

    /// Notes what a delivery came to, unless it is settled already. May be repeated.
    ///
    /// # Errors
    /// What the database says.
    pub async fn record(&self, delivery: i64, outcome: Outcome<'_>) -> sqlx::Result<Recorded> {
        let (name, reference, detail) = match outcome {
            Outcome::Applied(detail) => ("applied", None, detail),
            Outcome::Ignored(detail) => ("ignored", None, detail),
            Outcome::Parked { reference, detail } => ("parked", reference, detail),
        };
        let sql = "
            insert into inbox_applied (delivery_id, attempt, outcome, reference, detail)
            select $1, coalesce(max(attempt), 0) + 1, $2::text, $3::text, left($4::text, 500)
            from inbox_applied where delivery_id = $1
            having coalesce(bool_and(outcome = 'parked'), true)
            on conflict do nothing";
        loop {
            let query = sqlx::query(sql).bind(delivery).bind(name).bind(reference).bind(detail);
            if query.execute(&self.pool).await?.rows_affected() > 0 {
                return Ok(Recorded::Now);
            }
            // Settled, or somebody took the number of this attempt, whatever they came to.
            if self.is_settled(delivery).await? {
                return Ok(Recorded::Settled);
            }
        }
    }

    async fn is_settled(&self, delivery: i64) -> sqlx::Result<bool> {
        let sql = "select exists (select from inbox_applied
                                  where delivery_id = $1 and outcome <> 'parked')";
        sqlx::query_scalar(sql).bind(delivery).fetch_one(&self.pool).await
    }

    /// The last deliveries, newest first; of one bank and in one state, if that is asked for.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list(
        &self,
        bank: Option<&str>,
        state: Option<&str>,
        most: u32,
    ) -> sqlx::Result<Vec<Listed>> {
        self.page((bank, state), None, most).await
    }

    /// Deliveries with a number below `before`, newest first; of one bank and in one state, if
    /// that is asked for.
    ///
    /// # Errors
    /// What the database says.
    pub async fn page(
        &self,
        (bank, state): (Option<&str>, Option<&str>),
        before: Option<i64>,
        most: u32,
    ) -> sqlx::Result<Vec<Listed>> {
        let sql =
            format!("{LISTED} where ($2::text is null or state = $2) order by id desc limit $3");
        let query = sqlx::query_as(&sql).bind(bank).bind(state).bind(i64::from(most));
        query.bind(before.unwrap_or(i64::MAX)).fetch_all(&self.pool).await
    }

    /// The deliveries that wait, whatever for, and came in before a moment: how many, and the
    /// number of the last.
    ///
    /// # Errors
    /// What the database says.
    pub async fn overdue(&self, before: Timestamp) -> sqlx::Result<(i64, Option<i64>)> {
        let sql = "
            select count(*), max(d.id) from inbox_deliveries d
            where d.received_at < $1
              and exists (select from inbox_applied a where a.delivery_id = d.id)
              and not exists (select from inbox_applied a
                              where a.delivery_id = d.id and a.outcome <> 'parked')";
        sqlx::query_as(sql).bind(before).fetch_one(&self.pool).await
    }

    /// The conclusions about a delivery, in order.
    ///
    /// # Errors
    /// What the database says.
    pub async fn attempts(&self, delivery: i64) -> sqlx::Result<Vec<Attempt>> {
        let sql = "select attempt, at, outcome, reference, detail from inbox_applied
                   where delivery_id = $1 order by attempt";
        sqlx::query_as(sql).bind(delivery).fetch_all(&self.pool).await
    }

    /// The exceptions list, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn conflicts(&self, most: u32) -> sqlx::Result<Vec<Conflict>> {
        let sql = "
            select c.delivery_id, d.bank, d.event_id, c.received_at, d.body_sha256,
                   c.body_sha256 as other_sha256, b.body as other_body, b.key, b.subject
            from inbox_conflicts c
            join inbox_deliveries d on d.id = c.delivery_id
            left join inbox_bodies b
                on b.delivery_id = c.delivery_id and b.body_sha256 = c.body_sha256
            order by c.received_at desc, c.delivery_id desc, c.body_sha256 limit $1";
        let rows = sqlx::query(sql).bind(i64::from(most)).fetch_all(&self.pool).await?;
        let mut conflicts = Vec::with_capacity(rows.len());
        for row in rows {
            let mut conflict = Conflict::from_row(&row)?;
            let Conflict { bank, event_id, other_sha256: body_sha256, .. } = &conflict;
            let opened = self.open(Of { bank, event_id, body_sha256 }, kept(&row, "other_body")?);
            if let Some(Opened::Bytes(bytes)) = opened.await? {
                conflict.other_body = Some(bytes);
            }
            conflicts.push(conflict);
        }
        Ok(conflicts)
    }
}

/// The body of a row as it is stored; nothing if it was erased.
fn kept(row: &PgRow, body: &str) -> sqlx::Result<Option<Kept>> {
    let Some(body) = row.try_get(body)? else { return Ok(None) };
    Ok(Some(Kept { body, key: row.try_get("key")?, subject: row.try_get("subject")? }))
}
