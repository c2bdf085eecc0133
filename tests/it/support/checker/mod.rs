//! A checker of what the engine leaves behind. It reads the whole log with plain SQL and JSON and
//! shares no code with the engine: neither its folds nor its codec nor its hashes.
//!
//! It holds the log against itself (`chain`, `books`), the stored outcomes against the log, and
//! what clients were told against both (`answers`). It panics at the first thing that is wrong, and
//! says what it saw in [`Figures`], so that a test can assert that it looked at something.

mod answers;
mod books;
mod chain;

use std::collections::BTreeMap;

use ledger_core::command::Outcome;
use serde_json::Value;
use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

use super::history::History;
pub(crate) use books::Books;

/// An event as its row has it.
pub(crate) struct Event {
    pub(crate) position: i64,
    pub(crate) kind: String,
    pub(crate) stream: String,
    pub(crate) sequence: i64,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) metadata: Vec<u8>,
    pub(crate) recorded_micros: i64,
    pub(crate) hash: Vec<u8>,
    /// The payload, parsed.
    pub(crate) body: Value,
}

impl Event {
    /// A field of the payload that must be a text.
    pub(crate) fn text(&self, field: &str) -> &str {
        let text = self.body.get(field).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("position {}: no {field}: {}", self.position, self.body))
    }

    /// A field of the payload that must be a whole number.
    pub(crate) fn number(&self, field: &str) -> i64 {
        let number = self.body.get(field).and_then(Value::as_i64);
        number.unwrap_or_else(|| panic!("position {}: no {field}: {}", self.position, self.body))
    }

    /// Whether it is a leg.
    pub(crate) fn is_leg(&self) -> bool {
        self.kind == "account" && (self.name == "debited" || self.name == "credited")
    }
}

/// A batch as its row has it.
pub(crate) struct BatchRow {
    pub(crate) number: i64,
    pub(crate) last_position: i64,
    pub(crate) head_hash: Vec<u8>,
    pub(crate) recorded_micros: i64,
}

/// What is stored under a key.
pub(crate) struct Stored {
    pub(crate) principal: String,
    pub(crate) key: String,
    pub(crate) outcome: Value,
}

/// The whole log.
pub(crate) struct Log {
    pub(crate) events: Vec<Event>,
    pub(crate) batches: Vec<BatchRow>,
    pub(crate) stored: Vec<Stored>,
}

/// What the checker saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) events: usize,
    pub(crate) batches: usize,
    /// Batches without events: fences, and batches in which everything was rejected.
    pub(crate) empty_batches: usize,
    pub(crate) transactions: usize,
    /// Keys of the history that were accepted, and that were rejected.
    pub(crate) accepted: usize,
    pub(crate) rejected: usize,
    /// Keys that were given up while nothing had happened.
    pub(crate) given_up: usize,
}

/// Checks the log of a database, reading it as superuser.
pub(crate) async fn check(superuser: &PgConnectOptions) -> Figures {
    check_with(superuser, &History::default()).await
}

/// Checks the log, and what clients were told.
pub(crate) async fn check_with(superuser: &PgConnectOptions, history: &History) -> Figures {
    let log = Log::read(superuser).await;
    let empty_batches = chain::check(&log);
    let books = Books::check(&log);
    answers::check_stored(&log, &books);
    let (accepted, rejected, given_up) = answers::check_told(&log, &books, history);
    Figures {
        events: log.events.len(),
        batches: log.batches.len() - 1,
        empty_batches,
        transactions: books.transactions.len(),
        accepted,
        rejected,
        given_up,
    }
}

impl Log {
    /// Reads everything in one snapshot.
    pub(crate) async fn read(superuser: &PgConnectOptions) -> Self {
        let mut db = PgConnection::connect_with(superuser).await.unwrap();
        sqlx::query("begin isolation level repeatable read").execute(&mut db).await.unwrap();
        let log = Self {
            events: events(&mut db).await,
            batches: batches(&mut db).await,
            stored: stored(&mut db).await,
        };
        sqlx::query("commit").execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        log
    }
}

const MICROS: &str = "(extract(epoch from recorded_at) * 1000000)::bigint as recorded_micros";

async fn events(db: &mut PgConnection) -> Vec<Event> {
    let sql = format!("select *, {MICROS} from events order by position");
    let rows = sqlx::query(&sql).fetch_all(db).await.unwrap();
    let event = |row: &sqlx::postgres::PgRow| {
        let payload: Vec<u8> = row.get("payload");
        Event {
            position: row.get("position"),
            kind: row.get("aggregate_type"),
            stream: row.get("aggregate_id"),
            sequence: row.get("sequence"),
            name: row.get("event_type"),
            version: row.get("event_version"),
            metadata: row.get("metadata"),
            recorded_micros: row.get("recorded_micros"),
            hash: row.get("hash"),
            body: serde_json::from_slice(&payload).unwrap(),
            payload,
        }
    };
    rows.iter().map(event).collect()
}

async fn batches(db: &mut PgConnection) -> Vec<BatchRow> {
    let sql = format!("select *, {MICROS} from batches order by number");
    let rows = sqlx::query(&sql).fetch_all(db).await.unwrap();
    let batch = |row: &sqlx::postgres::PgRow| BatchRow {
        number: row.get("number"),
        last_position: row.get("last_position"),
        head_hash: row.get("head_hash"),
        recorded_micros: row.get("recorded_micros"),
    };
    rows.iter().map(batch).collect()
}

async fn stored(db: &mut PgConnection) -> Vec<Stored> {
    let rows = sqlx::query("select principal, key, outcome from idempotency order by key")
        .fetch_all(db)
        .await
        .unwrap();
    let stored = |row: &sqlx::postgres::PgRow| Stored {
        principal: row.get("principal"),
        key: row.get("key"),
        outcome: serde_json::to_value(Outcome::from_stored(row.get("outcome")).unwrap()).unwrap(),
    };
    rows.iter().map(stored).collect()
}

/// What stands in the log of one transaction.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) first_position: i64,
    pub(crate) last_position: i64,
    /// Account, side and amount of each leg, in order.
    pub(crate) legs: Vec<(String, String, String)>,
}

/// Transactions by id.
pub(crate) type Transactions = BTreeMap<String, Transaction>;
