//! Which deliveries were about a business object: for those who look for what caused it.

use ledger_core::clock::Timestamp;
use sqlx::{FromRow, PgPool};

use super::Inbox;
use crate::{db, vault::SubjectKeys};

/// A delivery that was about something, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Told {
    /// Its number.
    pub id: i64,
    /// The bank.
    pub bank: String,
    /// The bank's id of the event.
    pub event_id: String,
    /// What the body calls itself.
    pub event_type: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// SHA-256 of its bytes.
    pub body_sha256: Vec<u8>,
    /// What it came to.
    pub outcome: String,
    /// The same in words.
    pub detail: String,
}

impl Inbox {
    /// The same inbox, read by the auditors' role.
    pub fn for_auditors(&self, keys: SubjectKeys) -> Self {
        Self { pool: db::audit_pool(&self.pool), keys }
    }

    /// The connections that it reads with.
    pub(crate) fn connections(&self) -> PgPool {
        self.pool.clone()
    }

    /// The deliveries that were about this object, by its id, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn about(&self, object: &str, most: u32) -> sqlx::Result<Vec<Told>> {
        // Ids have one length, so what begins with one is about that one; `~` sorts behind all that
        // may follow.
        let sql = "
            select distinct on (d.id) d.id, d.bank, d.event_id, d.event_type, d.received_at,
                   d.body_sha256, a.outcome, a.detail
            from inbox_applied a join inbox_deliveries d on d.id = a.delivery_id
            where a.detail collate \"C\" >= $1 and a.detail collate \"C\" < $1 || '~'
            order by d.id, a.attempt desc limit $2";
        let query = sqlx::query_as(sql).bind(object).bind(i64::from(most));
        query.fetch_all(&self.pool).await
    }
}
