//! Bank days that somebody closed, and the lock on an account while its statement is fetched.
//!
//! A bank closes a day by its closed statement; we close one when somebody has looked at it. From
//! then on no statement changes it: one that the bank corrects is refused until two persons have
//! opened the day again. Nothing is explained away by a close; the breaks that stand then are
//! counted in it.

use chrono::NaiveDate;
use ledger_core::{
    bank_line::HouseAccount,
    clock::Timestamp,
    ids::{BankCode, Principal},
};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::breaks;

/// The most closes and openings that are listed.
const CHANGES_MAX: i64 = 50;

/// A close of days, or an opening.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DayChange {
    /// The bank.
    pub bank: String,
    /// The last day that was closed from then on; nothing: none was.
    pub closed_until: Option<NaiveDate>,
    /// Why.
    pub reason: String,
    /// How many breaks of the bank stood then.
    pub breaks_open: i32,
    /// By whom.
    pub done_by: String,
    /// The second person of an opening.
    pub approved_by: Option<String>,
    /// When.
    pub done_at: Timestamp,
}

/// Why days stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// The bank has not stated it, or can still change it.
    #[error("the bank has no closed statement of {account} for {day}")]
    NotStated {
        /// Which of our accounts.
        account: String,
        /// The day.
        day: NaiveDate,
    },
    /// What the bank stated is not in our books yet.
    #[error("{lines} lines of statements up to that day wait to be booked")]
    NotBooked {
        /// How many.
        lines: i64,
    },
    /// It is closed up to a later day.
    #[error("the days are closed up to {until}")]
    ClosedLater {
        /// That day.
        until: NaiveDate,
    },
    /// The database did not do it.
    #[error("the days could not be changed")]
    Database(#[from] sqlx::Error),
}

/// Who changes days, and why.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Who.
    pub by: &'a Principal,
    /// The second person, of an opening.
    pub approved_by: Option<&'a Principal>,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What was closed and opened at a bank, or at all of them, the last first.
///
/// # Errors
/// What the database says.
pub async fn day_changes(pool: &PgPool, bank: Option<&BankCode>) -> sqlx::Result<Vec<DayChange>> {
    let sql = "select bank, closed_until, reason, breaks_open, done_by, approved_by, done_at
               from bank_day_closes where bank = coalesce($1, bank) order by id desc limit $2";
    let bank = bank.map(BankCode::as_str);
    sqlx::query_as(sql).bind(bank).bind(CHANGES_MAX).fetch_all(pool).await
}

/// Up to which day a bank's days are closed.
pub(super) async fn closed_until(
    db: &mut PgConnection,
    bank: &BankCode,
) -> sqlx::Result<Option<NaiveDate>> {
    let sql = "select closed_until from bank_day_closes where bank = $1 order by id desc limit 1";
    let last = sqlx::query_scalar(sql).bind(bank.as_str()).fetch_optional(db).await?;
    Ok(last.flatten())
}

/// Closes a bank's days up to this one. Done before, it changes nothing.
///
/// # Errors
/// [`DayError`]; then nothing is closed.
pub async fn close_days(
    pool: &PgPool,
    bank: &BankCode,
    until: NaiveDate,
    said: Said<'_>,
) -> Result<(), DayError> {
    let prefix = format!("bank:{bank}:");
    let breaks = breaks(pool, said.at).await?;
    let open = breaks.iter().filter(|found| found.account.starts_with(&prefix)).count();
    let mut db_tx = pool.begin().await?;
    lock(&mut db_tx, bank).await?;
    match closed_until(&mut db_tx, bank).await? {
        Some(closed) if closed == until => return Ok(()),
        Some(closed) if closed > until => return Err(DayError::ClosedLater { until: closed }),
        Some(_) | None => {}
    }
    check_stated(&mut db_tx, bank, until).await?;
    let sql = "select count(*) from statement_lines l
               where l.bank = $1 and l.day <= $2
                 and not exists (select from statement_bookings b where b.line_id = l.line_id)";
    let lines: i64 =
        sqlx::query_scalar(sql).bind(bank.as_str()).bind(until).fetch_one(&mut *db_tx).await?;
    if lines > 0 {
        return Err(DayError::NotBooked { lines });
    }
    note(&mut db_tx, bank, Some(until), open, said).await?;
    db_tx.commit().await?;
    Ok(())
}

/// Opens a bank's days from this one on again. Where they are open, it changes nothing.
///
/// # Errors
/// [`DayError`]; then nothing is opened.
pub async fn open_days(
    pool: &PgPool,
    bank: &BankCode,
    from: NaiveDate,
    said: Said<'_>,
) -> Result<(), DayError> {
    let mut db_tx = pool.begin().await?;
    lock(&mut db_tx, bank).await?;
    if closed_until(&mut db_tx, bank).await?.is_none_or(|closed| closed < from) {
        return Ok(());
    }
    note(&mut db_tx, bank, from.pred_opt(), 0, said).await?;
    db_tx.commit().await?;
    Ok(())
}

/// Every account that the bank ever stated has a closed statement of the day.
async fn check_stated(
    db: &mut PgConnection,
    bank: &BankCode,
    day: NaiveDate,
) -> Result<(), DayError> {
    let sql = "
        select a.account, coalesce(f.closed, false)
        from (select distinct account from statement_files where bank = $1) a
        left join lateral (
            select closed from statement_files f
            where f.bank = $1 and f.account = a.account and f.day = $2
            order by id desc limit 1) f on true
        order by a.account";
    let accounts: Vec<(String, bool)> =
        sqlx::query_as(sql).bind(bank.as_str()).bind(day).fetch_all(db).await?;
    if accounts.is_empty() {
        return Err(DayError::NotStated { account: "escrow".to_owned(), day });
    }
    match accounts.into_iter().find(|(_, closed)| !closed) {
        Some((account, _)) => Err(DayError::NotStated { account, day }),
        None => Ok(()),
    }
}

/// Keeps statements of the bank out for the rest of the transaction: the lock that they take, in
/// their order.
async fn lock(db: &mut PgConnection, bank: &BankCode) -> sqlx::Result<()> {
    for account in [HouseAccount::Escrow, HouseAccount::Own] {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 8))")
            .bind(format!("statement:{bank}:{}", account.as_str()))
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

async fn note(
    db: &mut PgConnection,
    bank: &BankCode,
    closed_until: Option<NaiveDate>,
    breaks_open: usize,
    said: Said<'_>,
) -> sqlx::Result<()> {
    let sql = "insert into bank_day_closes (bank, closed_until, reason, breaks_open, done_by,
                   approved_by, done_at)
               values ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(bank.as_str())
        .bind(closed_until)
        .bind(said.reason)
        .bind(i32::try_from(breaks_open).unwrap_or(i32::MAX))
        .bind(said.by.as_str())
        .bind(said.approved_by.map(Principal::as_str))
        .bind(said.at)
        .execute(db)
        .await
        .map(drop)
}

/// The right to fetch the statements of an account: one at a time has it, so that an older answer
/// cannot come in after a newer one. It goes with its connection, however its holder ends.
#[derive(Debug)]
pub struct FetchLock(PgConnection);

impl FetchLock {
    /// Takes it; nothing if somebody else fetches.
    ///
    /// # Errors
    /// What the database says.
    pub async fn take(pool: &PgPool, bank: &BankCode, account: &str) -> sqlx::Result<Option<Self>> {
        let mut db = pool.acquire().await?.detach();
        let held: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 9))")
            .bind(format!("fetch:{bank}:{account}"))
            .fetch_one(&mut db)
            .await?;
        if held {
            return Ok(Some(Self(db)));
        }
        db.close().await?;
        Ok(None)
    }

    /// The connection that has it.
    pub const fn connection(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Gives it back.
    ///
    /// # Errors
    /// What the database says.
    pub async fn give_back(self) -> sqlx::Result<()> {
        self.0.close().await
    }
}
