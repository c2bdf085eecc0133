//! What goes back to payers from outside: noted before it is asked of the ledger, sent by a
//! withdrawal whose id follows from it, and sent once more by another when two persons say so.

use ledger_core::ids::{AccountId, RefundId, WithdrawalId};
use sqlx::{Row as _, postgres::PgRow, types::Uuid};

use super::{CREDIT, Outside, OutsideCredit, again_after, derived, outside_credit};

/// Something that is to go back to such a payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideReturn {
    /// Its id.
    pub id: Uuid,
    /// The refund, if it is one; else all of the credit goes back.
    pub refund: Option<RefundId>,
    /// Whether it was noted so long ago that what the ledger does not know was never asked of it.
    pub is_old: bool,
    /// The how manieth time it is sent, from 1.
    pub attempt: u32,
    /// The credit.
    pub credit: OutsideCredit,
}

impl OutsideReturn {
    /// The withdrawal that sends it this time: always the same one.
    pub fn withdrawal_id(&self) -> WithdrawalId {
        withdrawal_of(self.id, self.attempt)
    }
}

impl OutsideCredit {
    /// The withdrawal that first sends all of it back, if it goes back: always the same one.
    pub fn sent_back_by(&self) -> WithdrawalId {
        withdrawal_of(self.deposit_id.uuid(), 1)
    }
}

/// The withdrawal that sends something back for the how manieth time.
fn withdrawal_of(id: Uuid, attempt: u32) -> WithdrawalId {
    let id = id.simple();
    let of = if attempt <= 1 { id.to_string() } else { format!("{id}\n{attempt}") };
    WithdrawalId::from_uuid(derived("return", &of))
}

fn attempt(row: &PgRow) -> sqlx::Result<u32> {
    let attempt: i32 = row.try_get("attempt")?;
    u32::try_from(attempt).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

impl Outside {
    /// Says that the shop cannot have it and that it goes back, both or neither: once, whatever
    /// others found of it meanwhile.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn send_back(&self, credit: &OutsideCredit, reason: &str) -> sqlx::Result<()> {
        sqlx::query(
            "with told as (
                 update outside_credits set state = 'back', reason = $2
                 where account_id = $1 and state = 'open' returning deposit_id, account_id
             )
             insert into outside_returns (id, account_id, is_refund, asked_at)
             select deposit_id, account_id, false, now() from told on conflict (id) do nothing",
        )
        .bind(credit.account.as_str())
        .bind(reason)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes a refund that is to go to such a payer, before it is asked of the ledger.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn note_refund(&self, refund: RefundId, payer: &AccountId) -> sqlx::Result<()> {
        self.ask_back((refund.uuid(), true), payer).await
    }

    async fn ask_back(&self, (id, is_refund): (Uuid, bool), from: &AccountId) -> sqlx::Result<()> {
        sqlx::query(
            "insert into outside_returns (id, account_id, is_refund, asked_at)
             values ($1, $2, $3, now()) on conflict (id) do nothing",
        )
        .bind(id)
        .bind(from.as_str())
        .bind(is_refund)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes up what is to go back and was not sent; each comes again as credits do.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn take_returns(&self, limit: u32) -> sqlx::Result<Vec<OutsideReturn>> {
        let sql = format!(
            "with due as (
                 select id from outside_returns where state = 'open' and due_at <= now()
                 order by due_at limit $1 for update skip locked
             )
             update outside_returns r set due_at = {}
             from due, outside_credits c
             where r.id = due.id and c.account_id = r.account_id
             returning r.id, r.is_refund, r.attempt, {CREDIT},
                       r.asked_at < now() - interval '1 day' as is_old",
            again_after("r.asked_at")
        );
        let rows = sqlx::query(&sql).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        let one = |row: &PgRow| {
            let id: Uuid = row.try_get("id")?;
            Ok(OutsideReturn {
                id,
                refund: row.try_get::<bool, _>("is_refund")?.then(|| RefundId::from_uuid(id)),
                is_old: row.try_get("is_old")?,
                attempt: attempt(row)?,
                credit: outside_credit(row)?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// Says that it was sent by a withdrawal, or that there is nothing to send.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn returned(
        &self,
        one: &OutsideReturn,
        by: Option<WithdrawalId>,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "update outside_returns set state = $2, withdrawal_id = $3
             where id = $1 and state = 'open' and attempt = $4",
        )
        .bind(one.id)
        .bind(if by.is_some() { "sent" } else { "dropped" })
        .bind(by.map(WithdrawalId::uuid))
        .bind(i32::try_from(one.attempt).unwrap_or(i32::MAX))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The withdrawal that sends a refund to its payer's bank, once there is one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn sent_as(&self, refund: RefundId) -> sqlx::Result<Option<WithdrawalId>> {
        let sql = "select withdrawal_id from outside_returns where id = $1";
        let found: Option<Option<Uuid>> =
            sqlx::query_scalar(sql).bind(refund.uuid()).fetch_optional(&self.pool).await?;
        Ok(found.flatten().map(WithdrawalId::from_uuid))
    }

    /// The refund that a withdrawal from such an account carries, if it is one. Known before the
    /// withdrawal is: the note is made before the refund.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn carried(
        &self,
        from: &AccountId,
        withdrawal: WithdrawalId,
    ) -> sqlx::Result<Option<RefundId>> {
        let sql = "select id, attempt from outside_returns where account_id = $1 and is_refund";
        let rows = sqlx::query(sql).bind(from.as_str()).fetch_all(&self.pool).await?;
        for row in &rows {
            let id: Uuid = row.try_get("id")?;
            let attempts = 1..=attempt(row)?;
            if attempts.into_iter().any(|attempt| withdrawal_of(id, attempt) == withdrawal) {
                return Ok(Some(RefundId::from_uuid(id)));
            }
        }
        Ok(None)
    }

    /// Has something sent once more whose last withdrawal is over and did not arrive: whether it
    /// was that withdrawal's turn still. Two who say so have it sent once.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn send_again(&self, after: WithdrawalId) -> sqlx::Result<bool> {
        let sql = "update outside_returns
                   set state = 'open', withdrawal_id = null, attempt = attempt + 1, due_at = now()
                   where state = 'sent' and withdrawal_id = $1";
        let done = sqlx::query(sql).bind(after.uuid()).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_another_withdrawal_and_the_first_is_what_it_always_was() {
        let id = Uuid::from_u128(7);
        let first = derived("return", &id.simple().to_string());
        assert_eq!(withdrawal_of(id, 1), WithdrawalId::from_uuid(first));
        assert_ne!(withdrawal_of(id, 2), withdrawal_of(id, 1));
        assert_ne!(withdrawal_of(id, 2), withdrawal_of(id, 3));
    }
}
