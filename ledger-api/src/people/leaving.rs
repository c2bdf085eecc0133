//! Leaving: an account that its owner closed, and the end of what is known of them.

use ledger_core::clock::Timestamp;
use sqlx::types::Uuid;

use super::{People, PeopleError, PersonId, store::owner};

impl People {
    /// Closes it: nobody gets in any more, nobody finds them. What the law wants kept is kept.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn restrict(&self, id: PersonId, at: Timestamp) -> Result<(), PeopleError> {
        sqlx::query(
            "with ended as (delete from sessions where person_id = $1),
                  unsent as (delete from person_codes where person_id = $1),
                  files as (delete from wallet_statement_files where person_id = $1),
                  locked as (delete from credentials where person_id = $1)
             update people set status = 'restricted', closed_at = $2, phone_verified_at = null
             where id = $1 and status = 'active'",
        )
        .bind(id.uuid())
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whose retention has ended: who left before `closed_before`.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn to_erase(
        &self,
        closed_before: Timestamp,
        at_most: u32,
    ) -> Result<Vec<PersonId>, PeopleError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select id from people where status = 'restricted' and closed_at <= $1
             order by closed_at limit $2",
        )
        .bind(closed_before)
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(PersonId::from_uuid).collect())
    }

    /// Erases what is known of somebody who left: first the key, so that what is sealed opens
    /// nowhere any more, backups included; then the rows. Twice is as good as once.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn erase(&self, id: PersonId, at: Timestamp) -> Result<(), PeopleError> {
        self.vault.erase(&owner(id)?).await?;
        sqlx::query(
            "with bank as (
                 delete from bank_account_details where bank_account_id in
                     (select id from bank_accounts where owner = $3)
             ), banks as (
                 update bank_accounts set status = 'deleted', reason = null, deleted_at = $2
                 where owner = $3 and status <> 'deleted'
             ), said as (delete from person_details where person_id = $1),
             logins as (delete from login_identities where person_id = $1),
             attempts as (delete from login_attempts where person_id = $1),
             reports as (delete from problem_reports where person_id = $1),
             files as (delete from wallet_statement_files where person_id = $1),
             frontends as (delete from oauth_grants where person_id = $1)
             update people set status = 'erased', erased_at = $2, handle = null,
                 email_hash = null, phone_hash = null, email_verified_at = null,
                 phone_verified_at = null
             where id = $1 and status = 'restricted'",
        )
        .bind(id.uuid())
        .bind(at)
        .bind(id.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes away prepared statements whose time is over.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn sweep_statements(&self, now: Timestamp) -> Result<u64, PeopleError> {
        let swept = sqlx::query("delete from wallet_statement_files where expires_at <= $1")
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(swept.rows_affected())
    }

    /// Forgets codes that nobody used in time.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn sweep_codes(&self, now: Timestamp) -> Result<u64, PeopleError> {
        let swept = sqlx::query("delete from person_codes where expires_at <= $1")
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(swept.rows_affected())
    }
}
