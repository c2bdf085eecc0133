//! How far behind the ledger is with what banks told.

use ledger_core::clock::Timestamp;

use super::Inbox;

impl Inbox {
    /// How many of the last deliveries nobody applied yet, and since when the oldest waits.
    ///
    /// # Errors
    /// What the database says.
    pub async fn unread(&self) -> sqlx::Result<(i64, Option<Timestamp>)> {
        // The last ones only: what is older was looked at, or is counted as overdue.
        let sql = "select count(*), min(received_at) from (
                       select id, received_at from inbox_deliveries order by id desc limit 10000) d
                   where not exists (select from inbox_applied a where a.delivery_id = d.id)";
        sqlx::query_as(sql).fetch_one(&self.pool).await
    }
}
