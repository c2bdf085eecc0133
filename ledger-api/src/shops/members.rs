//! Who works for a shop: members, and those who were asked and have not answered.
//!
//! An invitation goes to an address, with a code of six digits: a week, five tries, once. It is
//! answered by the person who has that address; the code proves that they read what comes there.

use chrono::TimeDelta;
use ledger_core::clock::Timestamp;
use sqlx::{Row as _, types::Uuid};
use subtle::ConstantTimeEq as _;

use super::{MerchantId, Role, ShopError, Shops, store::owner};
use crate::people::{Email, PersonId};

const EMAIL: &str = "invited_email";
const LIFE: TimeDelta = TimeDelta::days(7);
const ATTEMPTS_MAX: i16 = 5;

/// What somebody is for a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The shop.
    pub merchant: MerchantId,
    /// What they may do there.
    pub role: Role,
}

/// Somebody who works for a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// What they may do there.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

/// Somebody who was asked to, as the shop sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// Where the code went.
    pub email: Email,
    /// As what.
    pub role: Role,
    /// Until when the code is good.
    pub expires_at: Timestamp,
}

/// An invitation, as whoever was asked sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    /// Which shop.
    pub merchant: MerchantId,
    /// As what.
    pub role: Role,
}

/// Why the team is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// Nobody could decide for the shop any more.
    #[error("a shop keeps at least one owner")]
    LastOwner,
    /// They do not work there.
    #[error("nobody of this id works for the shop")]
    Missing,
    /// They work there already.
    #[error("they work for the shop already")]
    Already,
    /// Not the code that was sent, or not any more.
    #[error("the code is not valid, or not any more")]
    Code,
    /// The shop could not be read or written.
    #[error("the team could not be read or written")]
    Shop(#[from] ShopError),
}

impl From<sqlx::Error> for MemberError {
    fn from(error: sqlx::Error) -> Self {
        Self::Shop(error.into())
    }
}

impl Shops {
    /// Which shops somebody works for, the longest first.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn memberships(&self, person: PersonId) -> Result<Vec<Membership>, ShopError> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select k.merchant_id, k.role from merchant_members k
             join merchants m on m.id = k.merchant_id and m.status = 'active'
             where k.person_id = $1 order by k.joined_at, k.merchant_id",
        )
        .bind(person.uuid())
        .fetch_all(&self.pool)
        .await?;
        let membership = |(merchant, text): (Uuid, String)| {
            Ok(Membership { merchant: MerchantId::from_uuid(merchant), role: role(&text)? })
        };
        rows.into_iter().map(membership).collect()
    }

    /// Whether somebody is the only owner of a shop that is open.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn is_last_owner(&self, person: PersonId) -> Result<bool, ShopError> {
        let sql = "select exists (
                 select from merchant_members k join merchants m on m.id = k.merchant_id
                 where k.person_id = $1 and k.role = 'owner' and m.status = 'active'
                   and not exists (
                     select from merchant_members o
                     where o.merchant_id = k.merchant_id and o.role = 'owner'
                       and o.person_id <> $1))";
        Ok(sqlx::query_scalar(sql).bind(person.uuid()).fetch_one(&self.pool).await?)
    }

    /// What somebody may do for a shop now; nothing if they do not work there.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn role_of(
        &self,
        merchant: MerchantId,
        person: PersonId,
    ) -> Result<Option<Role>, ShopError> {
        let text: Option<String> = sqlx::query_scalar(
            "select k.role from merchant_members k
             join merchants m on m.id = k.merchant_id and m.status = 'active'
             where k.merchant_id = $1 and k.person_id = $2",
        )
        .bind(merchant.uuid())
        .bind(person.uuid())
        .fetch_optional(&self.pool)
        .await?;
        text.map(|text| role(&text)).transpose()
    }

    /// Who works for a shop, the longest first.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn members(&self, merchant: MerchantId) -> Result<Vec<Member>, ShopError> {
        let rows = sqlx::query(
            "select person_id, role, joined_at from merchant_members where merchant_id = $1
             order by joined_at, person_id",
        )
        .bind(merchant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let member = |row: &sqlx::postgres::PgRow| {
            Ok(Member {
                person: PersonId::from_uuid(row.try_get("person_id")?),
                role: role(row.try_get("role")?)?,
                joined_at: row.try_get("joined_at")?,
            })
        };
        rows.iter().map(member).collect()
    }

    /// Who was asked and has not answered.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn invited(
        &self,
        merchant: MerchantId,
        now: Timestamp,
    ) -> Result<Vec<Invited>, ShopError> {
        let rows = sqlx::query(
            "select email, role, expires_at from merchant_invitations
             where merchant_id = $1 and expires_at > $2 order by created_at, email_hash",
        )
        .bind(merchant.uuid())
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        let owner = owner(merchant)?;
        let mut invited = Vec::with_capacity(rows.len());
        for row in &rows {
            let sealed: Vec<u8> = row.try_get("email")?;
            let opened = self.vault.open(&owner, EMAIL, &sealed).await?;
            let text = String::from_utf8(opened).map_err(|_| ShopError::Malformed("email"))?;
            invited.push(Invited {
                email: text.parse().map_err(|_| ShopError::Malformed("email"))?,
                role: role(row.try_get("role")?)?,
                expires_at: row.try_get("expires_at")?,
            });
        }
        Ok(invited)
    }

    /// Asks whoever has an address to work for a shop; the code to send there. The one before, if
    /// there is one, is worth nothing from then on.
    ///
    /// # Errors
    /// [`MemberError::Already`], or what else went wrong.
    pub async fn invite(
        &self,
        merchant: MerchantId,
        (email, as_role): (&Email, Role),
        now: Timestamp,
    ) -> Result<String, MemberError> {
        let hash = self.key.email(email);
        let is_member: bool = sqlx::query_scalar(
            "select exists (select from merchant_members k join people p on p.id = k.person_id
             where k.merchant_id = $1 and p.email_hash = $2)",
        )
        .bind(merchant.uuid())
        .bind(hash.as_slice())
        .fetch_one(&self.pool)
        .await?;
        if is_member {
            return Err(MemberError::Already);
        }
        let code = format!("{:06}", rand::random_range(0..1_000_000_u32));
        let sealed = self.vault.seal(&owner(merchant)?, EMAIL, email.expose().as_bytes()).await;
        sqlx::query(
            "with past as (delete from merchant_invitations
                 where expires_at <= $6 and (merchant_id, email_hash) <> ($1, $2))
             insert into merchant_invitations (merchant_id, email_hash, email, role, code_hash,
                 created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (merchant_id, email_hash) do update set email = $3, role = $4,
                 code_hash = $5, created_at = $6, expires_at = $7, attempts = 0",
        )
        .bind(merchant.uuid())
        .bind(hash.as_slice())
        .bind(sealed.map_err(ShopError::from)?)
        .bind(as_role.as_str())
        .bind(self.code_hash(merchant, &hash, &code).as_slice())
        .bind(now)
        .bind(now.checked_add_signed(LIFE).unwrap_or(now))
        .execute(&self.pool)
        .await?;
        Ok(code)
    }

    /// Takes an invitation back; whether there was one.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn uninvite(&self, merchant: MerchantId, email: &Email) -> Result<bool, ShopError> {
        let sql = "delete from merchant_invitations where merchant_id = $1 and email_hash = $2";
        let gone = sqlx::query(sql)
            .bind(merchant.uuid())
            .bind(self.key.email(email).as_slice())
            .execute(&self.pool)
            .await?;
        Ok(gone.rows_affected() == 1)
    }

    /// What waits for whoever has an address.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn invitations(
        &self,
        email: &Email,
        now: Timestamp,
    ) -> Result<Vec<Invitation>, ShopError> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "select i.merchant_id, i.role from merchant_invitations i
             join merchants m on m.id = i.merchant_id and m.status = 'active'
             where i.email_hash = $1 and i.expires_at > $2 order by i.created_at, i.merchant_id",
        )
        .bind(self.key.email(email).as_slice())
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        let invitation = |(merchant, text): (Uuid, String)| {
            Ok(Invitation { merchant: MerchantId::from_uuid(merchant), role: role(&text)? })
        };
        rows.into_iter().map(invitation).collect()
    }

    /// Makes whoever has the address and the code a member, once. A wrong code is counted, also of
    /// many at the same time.
    ///
    /// # Errors
    /// [`MemberError::Code`], or what else went wrong.
    pub async fn join(
        &self,
        merchant: MerchantId,
        (person, email): (PersonId, &Email),
        code: &str,
        now: Timestamp,
    ) -> Result<Role, MemberError> {
        let hash = self.key.email(email);
        let kept: Option<Vec<u8>> = sqlx::query_scalar(
            "update merchant_invitations set attempts = attempts + 1
             where merchant_id = $1 and email_hash = $2 and expires_at > $3 and attempts < $4
             returning code_hash",
        )
        .bind(merchant.uuid())
        .bind(hash.as_slice())
        .bind(now)
        .bind(ATTEMPTS_MAX)
        .fetch_optional(&self.pool)
        .await?;
        let given = self.code_hash(merchant, &hash, code);
        if !kept.is_some_and(|kept| bool::from(kept.as_slice().ct_eq(given.as_slice()))) {
            return Err(MemberError::Code);
        }
        let text: Option<String> = sqlx::query_scalar(
            "with taken as (
                 delete from merchant_invitations
                 where merchant_id = $1 and email_hash = $2 and code_hash = $3 returning role
             )
             insert into merchant_members (merchant_id, person_id, role, joined_at)
             select $1, $4, role, $5 from taken
             on conflict (merchant_id, person_id) do update set role = merchant_members.role
             returning role",
        )
        .bind(merchant.uuid())
        .bind(hash.as_slice())
        .bind(given.as_slice())
        .bind(person.uuid())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        Ok(role(&text.ok_or(MemberError::Code)?)?)
    }

    /// Makes somebody a member without asking: for the demonstration.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn add_member(
        &self,
        merchant: MerchantId,
        (person, as_role): (PersonId, Role),
        at: Timestamp,
    ) -> Result<(), ShopError> {
        sqlx::query(
            "insert into merchant_members (merchant_id, person_id, role, joined_at)
             values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(merchant.uuid())
        .bind(person.uuid())
        .bind(as_role.as_str())
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Another role for a member; nothing: they leave.
    ///
    /// # Errors
    /// [`MemberError::LastOwner`], [`MemberError::Missing`], or what else went wrong.
    pub async fn set_role(
        &self,
        merchant: MerchantId,
        person: PersonId,
        to: Option<Role>,
    ) -> Result<(), MemberError> {
        let mut db_tx = self.pool.begin().await?;
        // Two owners who take each other's role at once must not each count on the other.
        sqlx::query("select from merchants where id = $1 for update")
            .bind(merchant.uuid())
            .execute(&mut *db_tx)
            .await?;
        let changed = if let Some(to) = to {
            let sql = "update merchant_members set role = $3
                 where merchant_id = $1 and person_id = $2";
            sqlx::query(sql).bind(merchant.uuid()).bind(person.uuid()).bind(to.as_str())
        } else {
            let sql = "delete from merchant_members where merchant_id = $1 and person_id = $2";
            sqlx::query(sql).bind(merchant.uuid()).bind(person.uuid())
        };
        if changed.execute(&mut *db_tx).await?.rows_affected() == 0 {
            return Err(MemberError::Missing);
        }
        let has_owner: bool = sqlx::query_scalar(
            "select exists (select from merchant_members
             where merchant_id = $1 and role = 'owner')",
        )
        .bind(merchant.uuid())
        .fetch_one(&mut *db_tx)
        .await?;
        if !has_owner {
            return Err(MemberError::LastOwner);
        }
        db_tx.commit().await?;
        Ok(())
    }

    fn code_hash(&self, merchant: MerchantId, email: &[u8; 32], code: &str) -> [u8; 32] {
        let uuid = merchant.uuid();
        let parts = [uuid.as_bytes().as_slice(), email.as_slice(), code.as_bytes()];
        self.key.hash("shop-invitation", &parts)
    }
}

fn role(text: &str) -> Result<Role, ShopError> {
    text.parse().map_err(|_| ShopError::Malformed("role"))
}
