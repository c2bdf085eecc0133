//! Virtual accounts (`migrations/10_deposits.sql`): numbers at a bank that stand for a wallet. What
//! is sent there is the wallet's, whether somebody asked for it or not.

use chrono::{DateTime, Utc};
use ledger_core::ids::{AccountId, BankCode, Principal, Reference, VirtualAccountId};
use sqlx::{PgPool, Row as _, postgres::PgRow};

/// The digits that all numbers begin with, so that people tell them from bank accounts.
const NUMBER_PREFIX: &str = "88";
/// One more than the largest of the remaining sixteen digits.
const NUMBERS: u128 = 10_000_000_000_000_000;

const SELECT: &str = "select id, account_id, bank, number, created_at from virtual_accounts";

/// The standing virtual account of a wallet at a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualAccount {
    /// Its id.
    pub id: VirtualAccountId,
    /// The wallet.
    pub account: AccountId,
    /// The bank.
    pub bank: BankCode,
    /// What payers write as the account's number.
    pub number: Reference,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// All virtual accounts; cheap to clone.
#[derive(Debug, Clone)]
pub struct VirtualAccounts {
    pool: PgPool,
}

impl VirtualAccounts {
    /// Those of a database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Makes the one of a wallet at a bank, unless there is one; whether it was made now. Nothing
    /// if the number that follows from `id` is taken: try another id.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn make(
        &self,
        id: VirtualAccountId,
        (account, bank): (&AccountId, &BankCode),
        by: &Principal,
        at: DateTime<Utc>,
    ) -> Result<Option<(VirtualAccount, bool)>, sqlx::Error> {
        let made = sqlx::query(
            "insert into virtual_accounts (id, account_id, bank, number, created_at, principal)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        )
        .bind(id.uuid())
        .bind(account.as_str())
        .bind(bank.as_str())
        .bind(number_of(id))
        .bind(at)
        .bind(by.as_str())
        .execute(&self.pool)
        .await?;
        let sql = format!("{SELECT} where account_id = $1 and bank = $2");
        let query = sqlx::query(&sql).bind(account.as_str()).bind(bank.as_str());
        let row = query.fetch_optional(&self.pool).await?;
        let found = row.as_ref().map(virtual_account).transpose()?;
        Ok(found.map(|found| (found, made.rows_affected() == 1)))
    }

    /// One by its id.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn get(&self, id: VirtualAccountId) -> Result<Option<VirtualAccount>, sqlx::Error> {
        let sql = format!("{SELECT} where id = $1");
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_optional(&self.pool).await?;
        row.as_ref().map(virtual_account).transpose()
    }

    /// A wallet's: one at each bank at most.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn of_wallet(&self, account: &AccountId) -> Result<Vec<VirtualAccount>, sqlx::Error> {
        let sql = format!("{SELECT} where account_id = $1 order by bank");
        let rows = sqlx::query(&sql).bind(account.as_str()).fetch_all(&self.pool).await?;
        rows.iter().map(virtual_account).collect()
    }

    /// The wallet that a number at a bank stands for.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn wallet(
        &self,
        bank: &BankCode,
        number: &Reference,
    ) -> Result<Option<AccountId>, sqlx::Error> {
        let sql = "select account_id from virtual_accounts where bank = $1 and number = $2";
        let query = sqlx::query(sql).bind(bank.as_str()).bind(number.as_str());
        let row = query.fetch_optional(&self.pool).await?;
        row.as_ref().map(|row| parsed(row, "account_id")).transpose()
    }
}

/// Eighteen digits that follow from the random end of an id.
fn number_of(id: VirtualAccountId) -> String {
    let digits = id.uuid().as_u128().checked_rem(NUMBERS).unwrap_or_default();
    format!("{NUMBER_PREFIX}{digits:016}")
}

fn virtual_account(row: &PgRow) -> Result<VirtualAccount, sqlx::Error> {
    Ok(VirtualAccount {
        id: VirtualAccountId::from_uuid(row.try_get("id")?),
        account: parsed(row, "account_id")?,
        bank: parsed(row, "bank")?,
        number: parsed(row, "number")?,
        created_at: row.try_get("created_at")?,
    })
}

fn parsed<T: std::str::FromStr>(row: &PgRow, column: &'static str) -> Result<T, sqlx::Error> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|_| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "a virtual account is malformed".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_as_long_as_banks_take_and_is_another_for_another_id() {
        let number = |id: &str| number_of(id.parse().unwrap());
        let first = number("va_01935c3a5e7c7d3e8f00a1b2c3d4e5f6");
        assert_eq!(first.len(), 18);
        assert!(first.starts_with("88") && first.bytes().all(|b| b.is_ascii_digit()));
        assert_ne!(first, number("va_01935c3a5e7c7d3e8f00a1b2c3d4e5f7"));
        assert_eq!(number("va_00000000000000000000000000000007"), "880000000000000007");
    }
}
