//! Whose the bytes of a delivery are, and how they are forgotten: one delivery's, or all of a
//! subject's.

use ledger_core::ids::Owner;

use super::{
    bodies::{self, Of},
    inbox::Inbox,
};
use crate::vault::VaultError;

/// A body that belongs to nobody: its bank, its event, its hash and its wrapped key.
type OfNobody = (String, String, Vec<u8>, Option<Vec<u8>>);

/// What was erased with a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Whether the subject had a key.
    pub had_key: bool,
    /// How many bodies were removed beside it.
    pub bodies: u64,
}

impl Inbox {
    /// Says whose a delivery is: from now on its bytes open while that subject has a key. Those of
    /// a subject that was erased are removed. Once for each delivery; whether anything was said.
    ///
    /// # Errors
    /// What the databases say; it may be repeated.
    pub async fn assign(&self, delivery: i64, subject: &Owner) -> sqlx::Result<bool> {
        let sql = "
            select d.bank, d.event_id, b.body_sha256, b.key
            from inbox_bodies b join inbox_deliveries d on d.id = b.delivery_id
            where b.delivery_id = $1 and b.subject is null";
        let rows: Vec<OfNobody> = sqlx::query_as(sql).bind(delivery).fetch_all(&self.pool).await?;
        let mut said = false;
        for (bank, event_id, body_sha256, wrapped) in rows {
            let of = Of { bank: &bank, event_id: &event_id, body_sha256: &body_sha256 };
            let assigned = match &wrapped {
                Some(wrapped) => bodies::assigned(&self.keys, of, wrapped, subject).await,
                // It came before bodies were sealed: it goes with its subject by its row.
                None => self.unless_erased(subject).await.map(|()| None),
            };
            let key = match assigned {
                Ok(None) if wrapped.is_some() => continue,
                Ok(key) => key,
                Err(VaultError::Erased) => return self.erase(delivery).await,
                Err(VaultError::Tampered | VaultError::TooLarge) => continue,
                Err(VaultError::Database(error)) => return Err(error),
            };
            let sql = "update inbox_bodies set key = $3, subject = $4
                       where delivery_id = $1 and body_sha256 = $2 and subject is null";
            let query = sqlx::query(sql).bind(delivery).bind(&body_sha256).bind(key);
            let done = query.bind(subject.as_str()).execute(&self.pool).await?;
            said |= done.rows_affected() > 0;
        }
        Ok(said)
    }

    async fn unless_erased(&self, subject: &Owner) -> Result<(), VaultError> {
        if self.keys.is_erased(subject).await? { Err(VaultError::Erased) } else { Ok(()) }
    }

    /// Deliveries that are settled and whose bytes belong to nobody yet, behind one of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of_nobody(&self, behind: i64, most: u32) -> sqlx::Result<Vec<i64>> {
        let sql = "
            select distinct b.delivery_id from inbox_bodies b
            where b.subject is null and b.delivery_id > $1
              and exists (select from inbox_applied a
                          where a.delivery_id = b.delivery_id and a.outcome <> 'parked')
            order by b.delivery_id limit $2";
        sqlx::query_scalar(sql).bind(behind).bind(i64::from(most)).fetch_all(&self.pool).await
    }

    /// Forgets a subject: throws its key away, so that nothing that was sealed for it opens, here
    /// or in any copy, and removes the bytes of its deliveries. Their rows stay.
    ///
    /// # Errors
    /// [`VaultError::Database`]; it may be repeated.
    pub async fn erase_subject(&self, subject: &Owner) -> Result<Erased, VaultError> {
        let had_key = self.keys.erase(subject).await?;
        // All of a delivery, also what it was in conflict with later.
        let sql = "delete from inbox_bodies where delivery_id in (
                       select delivery_id from inbox_bodies where subject = $1)";
        let done = sqlx::query(sql).bind(subject.as_str()).execute(&self.pool).await?;
        Ok(Erased { had_key, bodies: done.rows_affected() })
    }

    /// Removes the bytes of a delivery, and those that it was in conflict with. Its row stays.
    ///
    /// # Errors
    /// What the database says.
    pub async fn erase(&self, delivery: i64) -> sqlx::Result<bool> {
        let sql = "delete from inbox_bodies where delivery_id = $1";
        let done = sqlx::query(sql).bind(delivery).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }
}
