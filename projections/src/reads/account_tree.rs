//! The chart of accounts as a tree: what the accounts of each branch sum to, now or after an event.
//!
//! A branch is an account type, the first part of the code (of banks the first two) and a currency.
//! The balances of the past are read from each account's own stream, whose legs state the balance
//! after them; so it costs one look into an index for each account there was.

use ledger_core::{
    chart::AccountType,
    log::{self, Position},
    money::Currency,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{At, ReadModels, accounts::currency, at_scale, decimal, unsigned, variant};
use crate::error::ReadError;

/// The accounts of one branch, summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountGroup {
    /// Their type.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// What their codes begin with.
    pub branch: String,
    /// Their currency.
    pub currency: Currency,
    /// How many there are.
    pub accounts: u64,
    /// The sum of their balances, on the type's normal side.
    pub balance: Decimal,
}

const BRANCH: &str = "case when a.code like 'bank:%' \
    then split_part(a.code, ':', 1) || ':' || split_part(a.code, ':', 2) \
    else split_part(a.code, ':', 1) end";

impl ReadModels {
    /// All branches, by type and name: after the event at `as_of`, or now.
    ///
    /// # Errors
    /// [`ReadError::Behind`] if the read models do not reach that position.
    pub async fn account_tree(
        &self,
        as_of: Option<Position>,
    ) -> Result<At<Vec<AccountGroup>>, ReadError> {
        let sql = format!(
            "with c as (select position from read.checkpoint)
             select (select position from c) as reflects, a.account_type, {BRANCH} as branch,
                    a.currency, a.scale, count(*) as accounts,
                    sum(case when $1::bigint is null then a.balance
                             else coalesce(b.balance, 0) end)::text as balance
             from read.accounts a
             left join lateral (
                 select (convert_from(e.payload, 'UTF8')::jsonb ->> 'balance_after')::numeric
                     as balance
                 from events e
                 where $1::bigint is not null and e.aggregate_type = 'account'
                   and e.aggregate_id = a.id and e.position <= $1
                   and e.event_type in ('debited', 'credited')
                 order by e.sequence desc limit 1) b on true
             where $1::bigint is null or a.opened_position <= $1
             group by a.account_type, 3, a.currency, a.scale
             order by a.account_type, 3, a.currency"
        );
        let at = as_of.map(log::read::signed).transpose()?;
        let rows = sqlx::query(&sql).bind(at).fetch_all(&self.pool).await?;
        let reached = match rows.first() {
            Some(row) => unsigned(row, "reflects")?,
            None => self.position().await?,
        };
        if let Some(wanted) = as_of.filter(|wanted| *wanted > reached) {
            return Err(ReadError::Behind { wanted, reached });
        }
        let value = rows.iter().map(group).collect::<Result<_, _>>()?;
        Ok(At { position: as_of.unwrap_or(reached), value })
    }
}

fn group(row: &PgRow) -> Result<AccountGroup, ReadError> {
    let account_type: AccountType = variant(row, "account_type")?;
    let currency = currency(row)?;
    Ok(AccountGroup {
        account_type,
        branch: row.try_get("branch")?,
        currency,
        accounts: unsigned(row, "accounts")?,
        balance: at_scale(decimal(row, "balance")?, u32::from(currency.scale)),
    })
}
