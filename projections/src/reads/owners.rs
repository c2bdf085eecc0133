//! Whose what a bank tells of is: the owner of the account that a withdrawal or a deposit is of.

use ledger_core::ids::{BankCode, DepositId, Owner, Reference};
use sqlx::types::Uuid;

use super::ReadModels;
use crate::error::ReadError;

impl ReadModels {
    /// The owner of the account that an attempt takes its money from, by the bank's name for the
    /// attempt.
    pub async fn owner_of_attempt(
        &self,
        bank: &BankCode,
        reference: &Reference,
    ) -> Result<Option<Owner>, ReadError> {
        let sql = "
            select o.owner from read.withdrawal_attempts a
            join read.withdrawals w on w.id = a.withdrawal_id
            join read.accounts o on o.id = w.account_id
            where a.bank = $1 and a.reference = $2";
        let query = sqlx::query_scalar(sql).bind(bank.as_str()).bind(reference.as_str());
        Ok(owner(query.fetch_optional(&self.pool).await?))
    }

    /// The owner of the account that the first of these deposits is for that exists.
    pub async fn owner_of_deposits(
        &self,
        deposits: &[DepositId],
    ) -> Result<Option<Owner>, ReadError> {
        let ids: Vec<Uuid> = deposits.iter().map(|id| id.uuid()).collect();
        let sql = "
            select o.owner from unnest($1::uuid[]) with ordinality as t(id, place)
            join read.deposits d on d.id = t.id
            join read.accounts o on o.id = d.account_id
            order by t.place limit 1";
        let query = sqlx::query_scalar(sql).bind(ids);
        Ok(owner(query.fetch_optional(&self.pool).await?))
    }
}

/// The service's own accounts have an owner that is nobody's id.
fn owner(found: Option<String>) -> Option<Owner> {
    found?.parse().ok()
}
