//! What changes of a person after they were made. Each change is one statement.

use ledger_core::{clock::Timestamp, ids::TierName};
use sqlx::types::Uuid;

use super::{
    Email, Handle, Name, PasswordHash, People, PeopleError, PersonId, Phone,
    store::{EMAIL, NAME, PHONE, owner, taken_or},
};
use crate::sessions::SessionId;

impl People {
    /// Another name, which no papers were seen of.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn rename(&self, id: PersonId, name: &Name) -> Result<(), PeopleError> {
        let sealed = self.vault.seal(&owner(id)?, NAME, name.expose().as_bytes()).await?;
        let change = "with unseen as (update people set kyc_at = null where id = $1)
             update person_details set sealed = $3 where person_id = $1 and field = $2";
        sqlx::query(change).bind(id.uuid()).bind(NAME).bind(sealed).execute(&self.pool).await?;
        Ok(())
    }

    /// Another handle.
    ///
    /// # Errors
    /// [`PeopleError::HandleTaken`], or what else went wrong.
    pub async fn set_handle(&self, id: PersonId, handle: &Handle) -> Result<(), PeopleError> {
        sqlx::query("update people set handle = $2 where id = $1 and status = 'active'")
            .bind(id.uuid())
            .bind(handle.as_str())
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(taken_or)
    }

    /// Another address, which is not proved yet; the same one stays as it is.
    ///
    /// # Errors
    /// [`PeopleError::EmailTaken`], or what else went wrong.
    pub async fn set_email(&self, id: PersonId, email: &Email) -> Result<(), PeopleError> {
        let sealed = self.vault.seal(&owner(id)?, EMAIL, email.expose().as_bytes()).await?;
        sqlx::query(
            "with changed as (
                 update people set email_hash = $2, email_verified_at = null
                 where id = $1 and status = 'active' and email_hash is distinct from $2
                 returning id
             ), ended as (
                 delete from person_codes where person_id in (select id from changed)
                     and purpose in ('email', 'reset')
             )
             update person_details set sealed = $4
             where person_id in (select id from changed) and field = $3",
        )
        .bind(id.uuid())
        .bind(self.key.email(email).as_slice())
        .bind(EMAIL)
        .bind(sealed)
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(taken_or)
    }

    /// Another number, which is not proved yet, or none; the same one stays as it is.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn set_phone(&self, id: PersonId, phone: Option<&Phone>) -> Result<(), PeopleError> {
        let sealed = match phone {
            Some(phone) => {
                let text = phone.expose().as_bytes();
                Some(self.vault.seal(&owner(id)?, PHONE, text).await?)
            }
            None => None,
        };
        let hash = phone.map(|phone| self.key.phone(phone).to_vec());
        let mut db_tx = self.pool.begin().await?;
        // Taken first, so that the statements after it see what another change left.
        sqlx::query("select from people where id = $1 for update")
            .bind(id.uuid())
            .execute(&mut *db_tx)
            .await?;
        sqlx::query(
            "with changed as (
                 update people set phone_hash = $2, phone_verified_at = null
                 where id = $1 and status = 'active' and phone_hash is distinct from $2
                 returning id
             ), ended as (
                 delete from person_codes where person_id in (select id from changed)
                     and purpose = 'phone'
             )
             delete from person_details
             where person_id in (select id from changed) and field = 'phone'",
        )
        .bind(id.uuid())
        .bind(&hash)
        .execute(&mut *db_tx)
        .await?;
        // There was none, or it was taken away just now; or it is the same number.
        if let Some(sealed) = sealed {
            sqlx::query(
                "insert into person_details (person_id, field, sealed) values ($1, $2, $3)
                 on conflict (person_id, field) do nothing",
            )
            .bind(id.uuid())
            .bind(PHONE)
            .bind(sealed)
            .execute(&mut *db_tx)
            .await?;
        }
        db_tx.commit().await?;
        Ok(())
    }

    /// Another password: every session but `keep` ends with the one before, and so does what was
    /// sent to set it anew.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn set_password(
        &self,
        id: PersonId,
        password: &PasswordHash,
        keep: Option<SessionId>,
        at: Timestamp,
    ) -> Result<(), PeopleError> {
        sqlx::query(
            "with ended as (
                 delete from sessions where person_id = $1 and id is distinct from $4
             ), unsent as (
                 delete from person_codes where person_id = $1 and purpose = 'reset'
             )
             insert into credentials (person_id, phc, changed_at) values ($1, $2, $3)
             on conflict (person_id) do update set phc = $2, changed_at = $3",
        )
        .bind(id.uuid())
        .bind(password.expose())
        .bind(at)
        .bind(keep.map(SessionId::uuid))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The same password, kept in today's way: only if it is still the one that was checked.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn rehash(
        &self,
        id: PersonId,
        before: &PasswordHash,
        now: &PasswordHash,
    ) -> Result<(), PeopleError> {
        sqlx::query("update credentials set phc = $3 where person_id = $1 and phc = $2")
            .bind(id.uuid())
            .bind(before.expose())
            .bind(now.expose())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends every way in but by proof of the address: for an account that somebody made with an
    /// address that is not theirs, once its owner has come.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn revoke_credentials(&self, id: PersonId) -> Result<(), PeopleError> {
        sqlx::query(
            "with ended as (delete from sessions where person_id = $1),
                  unsent as (delete from person_codes where person_id = $1)
             delete from credentials where person_id = $1",
        )
        .bind(id.uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that the address is theirs, if it still is the one with this hash.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn note_email_proved(
        &self,
        id: PersonId,
        hash: &[u8; 32],
        at: Timestamp,
    ) -> Result<bool, PeopleError> {
        let noted = sqlx::query(
            "update people set email_verified_at = coalesce(email_verified_at, $3)
             where id = $1 and email_hash = $2 and status = 'active'",
        )
        .bind(id.uuid())
        .bind(hash.as_slice())
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Notes that the number is theirs, if it still is the one with this hash. Numbers are given
    /// to others in time: who proved it before and proves it no more has it no more.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn note_phone_proved(
        &self,
        id: PersonId,
        hash: &[u8; 32],
        at: Timestamp,
    ) -> Result<bool, PeopleError> {
        let mut db_tx = self.pool.begin().await?;
        sqlx::query(
            "update people set phone_verified_at = null
             where phone_hash = $2 and phone_verified_at is not null and id <> $1",
        )
        .bind(id.uuid())
        .bind(hash.as_slice())
        .execute(&mut *db_tx)
        .await?;
        let noted = sqlx::query(
            "update people set phone_verified_at = coalesce(phone_verified_at, $3)
             where id = $1 and phone_hash = $2 and status = 'active'",
        )
        .bind(id.uuid())
        .bind(hash.as_slice())
        .bind(at)
        .execute(&mut *db_tx)
        .await?;
        let is_noted = noted.rows_affected() == 1;
        if is_noted {
            db_tx.commit().await?;
        } else {
            db_tx.rollback().await?;
        }
        Ok(is_noted)
    }

    /// Notes that their papers were seen.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn note_papers_seen(&self, id: PersonId, at: Timestamp) -> Result<(), PeopleError> {
        sqlx::query(
            "update people set kyc_at = coalesce(kyc_at, $2) where id = $1 and status = 'active'",
        )
        .bind(id.uuid())
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes what the ledger has of their wallet.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn note_wallet(
        &self,
        id: PersonId,
        tier: Option<&TierName>,
        at: Timestamp,
    ) -> Result<(), PeopleError> {
        sqlx::query(
            "update people set wallet_opened_at = coalesce(wallet_opened_at, $3),
                 wallet_tier = coalesce($2, wallet_tier) where id = $1",
        )
        .bind(id.uuid())
        .bind(tier.map(TierName::as_str))
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Who has no wallet yet that we know of, or stands on another tier than they should.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub async fn unfinished(&self, at_most: u32) -> Result<Vec<PersonId>, PeopleError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select id from people where wallet_opened_at is null and status = 'active'
             order by id limit $1",
        )
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(PersonId::from_uuid).collect())
    }
}
