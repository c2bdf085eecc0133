//! The table of shops: finding, making, changing. Who works for them is in `members`, where they
//! sell in `places`.
//!
//! Names are sealed under the shop's own key, as people's are under theirs.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use ledger_core::{
    clock::Timestamp,
    ids::{BankAccountId, Owner},
};
use sqlx::{PgPool, Row as _, postgres::PgRow, types::Uuid};

use super::{
    CategoryCode, Merchant, MerchantId, NewMerchant, PayoutSchedule, Role, SettlementLag, ShopFace,
};
use crate::{
    people::{Handle, Name, PeopleKey},
    vault::{SubjectKeys, VaultError},
};

const LEGAL_NAME: &str = "legal_name";
const DISPLAY_NAME: &str = "display_name";

const SELECT: &str = "select m.id, m.handle, m.legal_name, m.display_name, m.category, m.status, \
    m.settlement_lag, m.terms_version, m.payout_every, m.payout_account, m.payout_next, \
    m.created_at, m.opened_at from merchants m";

/// Why shops were not read or written.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// Another shop has the handle.
    #[error("another shop has this handle already")]
    HandleTaken,
    /// There is no such shop, or nothing of it.
    #[error("there is no such shop")]
    Gone,
    /// What is stored is not what was sealed.
    #[error("the names of a shop could not be opened or sealed")]
    Vault(#[source] VaultError),
    /// A row that this program does not understand.
    #[error("the row of a shop is malformed: {0}")]
    Malformed(&'static str),
    /// The database said no.
    #[error("the shops could not be asked for")]
    Database(#[from] sqlx::Error),
}

impl From<VaultError> for ShopError {
    fn from(error: VaultError) -> Self {
        error.sorted(Self::Gone, Self::Database, Self::Vault)
    }
}

/// All shops; cheap to clone.
#[derive(Debug, Clone)]
pub struct Shops {
    pub(super) pool: PgPool,
    pub(super) key: PeopleKey,
    pub(super) vault: SubjectKeys,
}

impl Shops {
    /// Those of a database, of the installation with this secret.
    pub fn new(pool: PgPool, secret: &[u8; 32]) -> Self {
        let vault = SubjectKeys::new(pool.clone(), secret);
        Self { pool, key: PeopleKey::derive(secret), vault }
    }

    /// The key that hashes about shops are made with.
    pub const fn key(&self) -> &PeopleKey {
        &self.key
    }

    /// A shop.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn by_id(&self, id: MerchantId) -> Result<Option<Merchant>, ShopError> {
        let sql = format!("{SELECT} where m.id = $1");
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_optional(&self.pool).await?;
        self.maybe(row).await
    }

    /// The shop that payers mean by a handle, if it takes payments.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn by_handle(&self, handle: &Handle) -> Result<Option<Merchant>, ShopError> {
        let sql = format!("{SELECT} where m.handle = $1 and m.status = 'active'");
        let row = sqlx::query(&sql).bind(handle.as_str()).fetch_optional(&self.pool).await?;
        self.maybe(row).await
    }

    /// What payers may know of some shops, by their ids.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn faces(
        &self,
        ids: &[MerchantId],
    ) -> Result<HashMap<MerchantId, ShopFace>, ShopError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let sql = format!("{SELECT} where m.id = any($1)");
        let rows = sqlx::query(&sql).bind(&ids).fetch_all(&self.pool).await?;
        let mut faces = HashMap::with_capacity(rows.len());
        for row in &rows {
            let face = self.merchant(row).await?.face();
            faces.insert(face.id, face);
        }
        Ok(faces)
    }

    /// Makes a shop with its owner, in one statement. Its accounts are opened next, by
    /// [`ShopAccounts`](super::ShopAccounts).
    ///
    /// # Errors
    /// [`ShopError::HandleTaken`], or what else went wrong.
    pub async fn create(&self, new: &NewMerchant) -> Result<(), ShopError> {
        // A key that was made for nobody stays for ever, so the usual clash is looked for first.
        if self.is_taken(&new.handle).await? {
            return Err(ShopError::HandleTaken);
        }
        let owner = owner(new.id)?;
        let legal = new.legal_name.expose().as_bytes();
        let legal = self.vault.seal(&owner, LEGAL_NAME, legal).await?;
        let display = new.display_name.expose().as_bytes();
        let display = self.vault.seal(&owner, DISPLAY_NAME, display).await?;
        sqlx::query(
            "with made as (
                 insert into merchants (id, handle, legal_name, display_name, category,
                     settlement_lag, terms_version, created_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $8)
             )
             insert into merchant_members (merchant_id, person_id, role, joined_at)
             values ($1, $9, $10, $8)",
        )
        .bind(new.id.uuid())
        .bind(new.handle.as_str())
        .bind(legal)
        .bind(display)
        .bind(new.category.as_str())
        .bind(i16::from(SettlementLag::NEW.days()))
        .bind(terms(new.terms_version)?)
        .bind(new.at)
        .bind(new.owner.uuid())
        .bind(Role::Owner.as_str())
        .execute(&self.pool)
        .await
        .map(drop)
        .map_err(taken_or)
    }

    /// Whether a shop has the handle. Another may be faster all the same.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn is_taken(&self, handle: &Handle) -> Result<bool, ShopError> {
        let sql = "select exists (select from merchants where handle = $1)";
        Ok(sqlx::query_scalar(sql).bind(handle.as_str()).fetch_one(&self.pool).await?)
    }

    /// Another name over the door, and another category.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn describe(
        &self,
        id: MerchantId,
        name: &Name,
        category: &CategoryCode,
    ) -> Result<(), ShopError> {
        let sealed = self.vault.seal(&owner(id)?, DISPLAY_NAME, name.expose().as_bytes()).await?;
        sqlx::query("update merchants set display_name = $2, category = $3 where id = $1")
            .bind(id.uuid())
            .bind(sealed)
            .bind(category.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Other payouts: when, and where to. Another rhythm begins today; the same one goes on.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn set_payouts(
        &self,
        id: MerchantId,
        (schedule, to): (PayoutSchedule, Option<BankAccountId>),
        today: NaiveDate,
    ) -> Result<(), ShopError> {
        let days = schedule.days();
        let first = days.and_then(|days| today.checked_add_days(Days::new(days.into())));
        sqlx::query(
            "update merchants set payout_every = $2, payout_account = $3, payout_next = case
                 when payout_every = $2 then coalesce(payout_next, $4) else $4 end
             where id = $1",
        )
        .bind(id.uuid())
        .bind(days.map(i16::from))
        .bind(to.map(BankAccountId::uuid))
        .bind(first)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Another version of the fees and another time that payments settle in, from the next payment
    /// on: two persons' to say.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn agree(
        &self,
        id: MerchantId,
        (terms_version, lag): (u32, SettlementLag),
    ) -> Result<(), ShopError> {
        sqlx::query("update merchants set terms_version = $2, settlement_lag = $3 where id = $1")
            .bind(id.uuid())
            .bind(terms(terms_version)?)
            .bind(i16::from(lag.days()))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes that its accounts are in the ledger.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn note_opened(&self, id: MerchantId, at: Timestamp) -> Result<(), ShopError> {
        sqlx::query("update merchants set opened_at = coalesce(opened_at, $2) where id = $1")
            .bind(id.uuid())
            .bind(at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whose accounts are not known to be in the ledger.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn unfinished(&self, at_most: u32) -> Result<Vec<MerchantId>, ShopError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "select id from merchants where opened_at is null and status = 'active'
             order by id limit $1",
        )
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(MerchantId::from_uuid).collect())
    }

    async fn maybe(&self, row: Option<PgRow>) -> Result<Option<Merchant>, ShopError> {
        match row {
            None => Ok(None),
            Some(row) => self.merchant(&row).await.map(Some),
        }
    }

    async fn merchant(&self, row: &PgRow) -> Result<Merchant, ShopError> {
        let id = MerchantId::from_uuid(row.try_get("id")?);
        let owner = owner(id)?;
        let (legal, display): (Vec<u8>, Vec<u8>) =
            (row.try_get(LEGAL_NAME)?, row.try_get(DISPLAY_NAME)?);
        let sealed = [(&owner, LEGAL_NAME, &*legal), (&owner, DISPLAY_NAME, &*display)];
        let mut opened = self.vault.open_all(&sealed).await?.into_iter();
        let mut next = || opened.next().unwrap_or(Err(VaultError::Tampered));
        let handle: &str = row.try_get("handle")?;
        let category: &str = row.try_get("category")?;
        let status: &str = row.try_get("status")?;
        let lag: i16 = row.try_get("settlement_lag")?;
        let terms: i32 = row.try_get("terms_version")?;
        let every: Option<i16> = row.try_get("payout_every")?;
        let account: Option<Uuid> = row.try_get("payout_account")?;
        let lag = u8::try_from(lag).ok().and_then(|days| SettlementLag::new(days).ok());
        Ok(Merchant {
            id,
            handle: Handle::stored(handle).ok_or(ShopError::Malformed("handle"))?,
            legal_name: name(next(), LEGAL_NAME)?,
            display_name: name(next(), DISPLAY_NAME)?,
            category: category.parse().map_err(|_| ShopError::Malformed("category"))?,
            is_active: status == "active",
            settlement_lag: lag.ok_or(ShopError::Malformed("settlement_lag"))?,
            terms_version: u32::try_from(terms)
                .map_err(|_| ShopError::Malformed("terms_version"))?,
            payouts: schedule(every)?,
            payout_account: account.map(BankAccountId::from_uuid),
            payout_next: row.try_get("payout_next")?,
            created_at: row.try_get("created_at")?,
            opened_at: row.try_get("opened_at")?,
        })
    }
}

fn terms(version: u32) -> Result<i32, ShopError> {
    i32::try_from(version).map_err(|_| ShopError::Malformed("terms_version"))
}

fn schedule(every: Option<i16>) -> Result<PayoutSchedule, ShopError> {
    let Some(days) = every else { return Ok(PayoutSchedule::ByHand) };
    let schedule = u8::try_from(days).ok().and_then(|days| PayoutSchedule::every(days).ok());
    schedule.ok_or(ShopError::Malformed("payout_every"))
}

fn taken_or(error: sqlx::Error) -> ShopError {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("merchants_handle_key") => ShopError::HandleTaken,
        _ => error.into(),
    }
}

pub(super) fn owner(id: MerchantId) -> Result<Owner, ShopError> {
    id.owner().map_err(|_| ShopError::Malformed("id"))
}

pub(super) fn name(
    opened: Result<Vec<u8>, VaultError>,
    field: &'static str,
) -> Result<Name, ShopError> {
    let text = String::from_utf8(opened?).map_err(|_| ShopError::Malformed(field))?;
    text.parse().map_err(|_| ShopError::Malformed(field))
}
