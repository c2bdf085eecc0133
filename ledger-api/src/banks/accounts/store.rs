//! The tables of bank accounts (`migrations/6_bank_accounts.sql`), and a small memory of whom money
//! may be sent to, so that a request for a withdrawal costs the database nothing.
//!
//! What is remembered can be half a minute old. That is safe: a verified bank account never changes
//! but by being erased, and whoever sends asks the table again ([`BankAccounts::payee`]).

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use ledger_core::{
    command::Idempotency,
    ids::{BankAccountId, BankCode, Owner, PayeeHash},
    withdrawal::PayeeStanding,
};
use lru::LruCache;
use sqlx::{PgPool, Row as _, postgres::PgRow, types::Uuid};

use super::{
    BankAccount, BankAccountStatus, Checked, Created, NewBankAccount, PayeeKey, Shown, Why,
};
use crate::banks::{AccountNumber, Payee};

/// How many bank accounts are remembered, some 200 bytes each, and for how long.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);
const REMEMBERED_FOR: Duration = Duration::from_secs(30);

const SELECT: &str = "select a.id, a.owner, a.created_at, a.status, a.reason, a.checked_at, \
    a.checked_by, d.account_number, d.ifsc, d.name, d.registered_name \
    from bank_accounts a left join bank_account_details d on d.bank_account_id = a.id";

/// Why a bank account was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The key came with another request.
    #[error("the idempotency key came with another request")]
    KeyReused,
    /// The database said no.
    #[error("the bank account was not stored")]
    Database(#[from] sqlx::Error),
}

/// Whom money may be sent to, for a while.
type Remembered = LruCache<BankAccountId, (Instant, Owner, PayeeHash)>;

/// All bank accounts; cheap to clone.
#[derive(Clone)]
pub struct BankAccounts {
    pool: PgPool,
    key: PayeeKey,
    remembered: Arc<Mutex<Remembered>>,
}

/// A bank account as people know it: the bank and the end of the number.
pub(crate) fn masked(ifsc: &str, last_four: &str) -> String {
    format!("{} ••{last_four}", ifsc.get(..4).unwrap_or(ifsc))
}

impl BankAccounts {
    /// Those of a database, with hashes by a key.
    pub fn new(pool: PgPool, key: PayeeKey) -> Self {
        let remembered = Arc::new(Mutex::new(LruCache::new(REMEMBERED_MAX)));
        Self { pool, key, remembered }
    }

    /// Makes one; the same request again makes none.
    ///
    /// # Errors
    /// [`CreateError`].
    pub async fn create(&self, new: &NewBankAccount) -> Result<Created, CreateError> {
        let Idempotency { key, fingerprint } = &new.idempotency;
        let made = sqlx::query(
            "with made as (
                 insert into bank_accounts
                     (id, owner, created_at, principal, idempotency_key, fingerprint)
                 values ($1, $2, $9, $3, $4, $5)
                 on conflict (principal, idempotency_key) do nothing
                 returning id
             )
             insert into bank_account_details (bank_account_id, account_number, ifsc, name)
             select id, $6, $7, $8 from made",
        )
        .bind(new.id.uuid())
        .bind(new.owner.as_str())
        .bind(new.principal.as_str())
        .bind(key.as_str())
        .bind(fingerprint.as_slice())
        .bind(new.payee.account_number.expose())
        .bind(new.payee.ifsc.expose())
        .bind(new.payee.name.expose())
        .bind(new.at)
        .execute(&self.pool)
        .await?;
        let (id, replayed) = if made.rows_affected() == 1 {
            (new.id.uuid(), false)
        } else {
            (self.made_before(new).await?, true)
        };
        let sql = format!("{SELECT} where a.id = $1");
        let row = sqlx::query(&sql).bind(id).fetch_one(&self.pool).await?;
        Ok(Created { account: account(&row)?, replayed })
    }

    async fn made_before(&self, new: &NewBankAccount) -> Result<Uuid, CreateError> {
        let Idempotency { key, fingerprint } = &new.idempotency;
        let row = sqlx::query(
            "select id, fingerprint from bank_accounts
             where principal = $1 and idempotency_key = $2",
        )
        .bind(new.principal.as_str())
        .bind(key.as_str())
        .fetch_one(&self.pool)
        .await?;
        let stored: Vec<u8> = row.try_get("fingerprint")?;
        let same = stored.as_slice() == fingerprint.as_slice();
        if same { Ok(row.try_get("id")?) } else { Err(CreateError::KeyReused) }
    }

    /// One, erased ones too.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn get(&self, id: BankAccountId) -> Result<Option<BankAccount>, sqlx::Error> {
        let sql = format!("{SELECT} where a.id = $1");
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_optional(&self.pool).await?;
        row.as_ref().map(account).transpose()
    }

    /// How some are known to people, as far as they are not erased: the bank and the end of the
    /// number.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(crate) async fn words(
        &self,
        ids: &[BankAccountId],
    ) -> Result<HashMap<BankAccountId, String>, sqlx::Error> {
        let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let sql = format!("{SELECT} where a.id = any($1)");
        let rows = sqlx::query(&sql).bind(uuids).fetch_all(&self.pool).await?;
        let mut words = HashMap::with_capacity(rows.len());
        for row in &rows {
            let account = account(row)?;
            if let Some(shown) = account.shown {
                words.insert(account.id, masked(&shown.ifsc, &shown.last_four));
            }
        }
        Ok(words)
    }

    /// An owner's, the newest first, erased ones left out: at most so many, older than `before`.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(
        &self,
        owner: &Owner,
        before: Option<BankAccountId>,
        limit: u32,
    ) -> Result<Vec<BankAccount>, sqlx::Error> {
        let sql = format!(
            "{SELECT} where a.owner = $1 and a.status <> 'deleted' and ($2::uuid is null or \
             a.id < $2) order by a.id desc limit $3"
        );
        let rows = sqlx::query(&sql)
            .bind(owner.as_str())
            .bind(before.map(BankAccountId::uuid))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(account).collect()
    }

    /// Who is behind one that was not erased, verified or not: to check the name.
    ///
    /// # Errors
    /// If the database does not answer, or has what is no payee.
    pub async fn to_check(&self, id: BankAccountId) -> Result<Option<Payee>, sqlx::Error> {
        let row = sqlx::query(
            "select account_number, ifsc, name from bank_account_details
             where bank_account_id = $1",
        )
        .bind(id.uuid())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(payee).transpose()
    }

    /// Whom to pay, with the hash as it comes out now: nothing unless it is verified. For whoever
    /// is about to send; nothing of it is remembered.
    ///
    /// # Errors
    /// If the database does not answer, or has what is no payee.
    pub async fn payee(
        &self,
        id: BankAccountId,
    ) -> Result<Option<(Payee, PayeeHash)>, sqlx::Error> {
        let found = self.verified(id).await?;
        Ok(found.map(|(_, payee, hash)| (payee, hash)))
    }

    /// Who is to pay in from a verified bank account, whose it is, and the hash by which the payer
    /// is known again.
    ///
    /// # Errors
    /// If the database does not answer, or has what is no payee.
    pub async fn payer(
        &self,
        id: BankAccountId,
    ) -> Result<Option<(Owner, Payee, PayeeHash)>, sqlx::Error> {
        let Some((owner, payee, _)) = self.verified(id).await? else { return Ok(None) };
        let (number, ifsc) = (payee.account_number.expose(), payee.ifsc.expose());
        let hash = self.key.hash_payer(number, ifsc).ok_or_else(|| no_payee("a hash"))?;
        Ok(Some((owner, payee, hash)))
    }

    /// What is known of a payee's account for a request, with its hash if it is verified.
    ///
    /// # Errors
    /// If the database does not answer, or has what is no payee.
    pub async fn standing(
        &self,
        id: BankAccountId,
    ) -> Result<(PayeeStanding, Option<PayeeHash>), sqlx::Error> {
        if let Some((owner, hash)) = self.remembered(id) {
            return Ok((PayeeStanding::Known { owner, verified: true }, Some(hash)));
        }
        if let Some((owner, _, hash)) = self.verified(id).await? {
            let entry = (Instant::now(), owner.clone(), hash.clone());
            self.memory().put(id, entry);
            return Ok((PayeeStanding::Known { owner, verified: true }, Some(hash)));
        }
        let standing = match self.get(id).await? {
            Some(account) if account.shown.is_some() => {
                PayeeStanding::Known { owner: account.owner, verified: false }
            }
            Some(_) | None => PayeeStanding::Unknown,
        };
        Ok((standing, None))
    }

    async fn verified(
        &self,
        id: BankAccountId,
    ) -> Result<Option<(Owner, Payee, PayeeHash)>, sqlx::Error> {
        let row = sqlx::query(
            "select a.owner, d.account_number, d.ifsc, d.name
             from bank_accounts a join bank_account_details d on d.bank_account_id = a.id
             where a.id = $1 and a.status = 'verified'",
        )
        .bind(id.uuid())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (owner, payee) = (parsed(&row, "owner")?, payee(&row)?);
        let hash = self.key.hash(&payee).ok_or_else(|| no_payee("a hash"))?;
        Ok(Some((owner, payee, hash)))
    }

    /// Notes what a check came to. Nothing happens to one that was verified or erased meanwhile.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn note_check(
        &self,
        id: BankAccountId,
        by: &BankCode,
        checked: &Checked,
        at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let (status, why, name) = match checked {
            Checked::Right { registered_name } => ("verified", None, registered_name.as_deref()),
            Checked::Wrong(why) => ("refused", Some(why.code()), None),
        };
        sqlx::query(
            "with noted as (
                 update bank_accounts
                 set status = $2, reason = $3, checked_at = $6, checked_by = $4
                 where id = $1 and status in ('unverified', 'refused')
                 returning id
             )
             update bank_account_details set registered_name = $5
             where bank_account_id in (select id from noted)",
        )
        .bind(id.uuid())
        .bind(status)
        .bind(why)
        .bind(by.as_str())
        .bind(name)
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Erases number and names; the id stays as that of an erased one. Once is as good as twice.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn erase(&self, id: BankAccountId, at: DateTime<Utc>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "with erased as (delete from bank_account_details where bank_account_id = $1)
             update bank_accounts set status = 'deleted', reason = null, deleted_at = $2
             where id = $1 and status <> 'deleted'",
        )
        .bind(id.uuid())
        .bind(at)
        .execute(&self.pool)
        .await?;
        self.memory().pop(&id);
        Ok(())
    }

    fn remembered(&self, id: BankAccountId) -> Option<(Owner, PayeeHash)> {
        let mut memory = self.memory();
        let (since, owner, hash) = memory.get(&id)?;
        (since.elapsed() < REMEMBERED_FOR).then(|| (owner.clone(), hash.clone()))
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows nothing of what was there.
fn no_payee(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} of a bank account is malformed").into())
}

fn parsed<T: std::str::FromStr>(row: &PgRow, column: &'static str) -> Result<T, sqlx::Error> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| no_payee(column))
}

fn payee(row: &PgRow) -> Result<Payee, sqlx::Error> {
    Ok(Payee {
        account_number: parsed(row, "account_number")?,
        ifsc: parsed(row, "ifsc")?,
        name: parsed(row, "name")?,
    })
}

fn account(row: &PgRow) -> Result<BankAccount, sqlx::Error> {
    let reason: Option<&str> = row.try_get("reason")?;
    let status = match row.try_get::<&str, _>("status")? {
        "unverified" => BankAccountStatus::Unverified,
        "verified" => BankAccountStatus::Verified,
        "deleted" => BankAccountStatus::Deleted,
        _ => {
            let why = reason.and_then(Why::of_code).ok_or_else(|| no_payee("reason"))?;
            BankAccountStatus::Refused(why)
        }
    };
    let checked_at = row.try_get::<Option<_>, _>("checked_at")?;
    let checked_by = match row.try_get::<Option<&str>, _>("checked_by")? {
        Some(bank) => Some(bank.parse::<BankCode>().map_err(|_| no_payee("checked_by"))?),
        None => None,
    };
    let erased = row.try_get::<Option<&str>, _>("account_number")?.is_none();
    let shown = if erased { None } else { Some(shown(row)?) };
    Ok(BankAccount {
        id: BankAccountId::from_uuid(row.try_get("id")?),
        owner: parsed(row, "owner")?,
        created_at: row.try_get("created_at")?,
        status,
        checked: checked_at.zip(checked_by),
        shown,
    })
}

fn shown(row: &PgRow) -> Result<Shown, sqlx::Error> {
    let number: AccountNumber = parsed(row, "account_number")?;
    Ok(Shown {
        last_four: number.last_four().to_owned(),
        ifsc: row.try_get("ifsc")?,
        name: row.try_get("name")?,
        registered_name: row.try_get("registered_name")?,
    })
}
