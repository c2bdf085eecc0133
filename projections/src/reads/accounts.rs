//! Accounts with their balances: one by its id, many by owner, code or type.

use std::collections::BTreeMap;

use ledger_core::{
    account::{Freeze, FreezeMode},
    chart::{AccountType, PostingClass},
    clock::Timestamp,
    ids::{AccountCode, AccountId, Owner, Reference},
    log::Position,
    money::{Currency, CurrencyCode},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder, Row, postgres::PgRow};

use super::{
    At, Page, ReadModels, at_scale, cut, decimal, decimal_or_none, parsed, undecodable, unsigned,
    variant,
};
use crate::error::ReadError;

const COLUMNS: &str = "a.id, a.code, a.currency, a.scale, a.owner, a.account_type, \
    a.class, a.itemised, a.floor::text as floor, a.ceiling::text as ceiling, \
    a.freezes::text as freezes, a.closed_at, a.opened_at, a.opened_position, \
    a.debits_posted::text as debits_posted, a.credits_posted::text as credits_posted, \
    a.balance::text as balance, a.held::text as held, a.open_holds, a.sequence, \
    a.last_position, a.metadata::text as metadata";

/// An account after its last event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Code and currency.
    pub id: AccountId,
    /// The code without the currency.
    pub code: AccountCode,
    /// The currency with its scale.
    pub currency: Currency,
    /// Whose it is.
    pub owner: Owner,
    /// Which of the five types.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// Who may move it.
    pub class: PostingClass,
    /// Whether every leg names an item.
    pub itemised: bool,
    /// Freezes and liens, by reference.
    pub freezes: Vec<Freeze>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The event that opened it.
    pub opened_position: Position,
    /// The sum of all debits.
    pub debits_posted: Decimal,
    /// The sum of all credits.
    pub credits_posted: Decimal,
    /// What is on it.
    pub balance: Balance,
    /// How many holds are open.
    pub open_holds: u64,
    /// Its last event.
    pub last_position: Position,
    /// The client's own key and value pairs.
    pub metadata: BTreeMap<String, String>,
}

/// What is on an account, on its normal side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The currency with its scale.
    pub currency: Currency,
    /// The sum of its legs.
    pub posted: Decimal,
    /// The sum of its open holds.
    pub held: Decimal,
    /// The sum of its liens.
    pub liens: Decimal,
    /// What can be taken from it: posted less held and liens, down to the floor. Nothing where
    /// there is no floor. Whether a freeze stops it is not in here.
    pub available: Option<Decimal>,
    /// The lowest balance that a decrease may leave; nothing = no limit.
    pub floor: Option<Decimal>,
    /// The highest balance that an increase may leave; nothing = no limit.
    pub ceiling: Option<Decimal>,
    /// The account's sequence that this is the balance of.
    pub sequence: u64,
}

/// Which accounts to list; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Of this owner.
    pub owner: Option<Owner>,
    /// Of exactly this code, in whichever currency.
    pub code: Option<AccountCode>,
    /// With a code that starts like this.
    pub code_prefix: Option<String>,
    /// With this code, or one below it: `bank:hdfc` takes `bank:hdfc:escrow`.
    pub branch: Option<String>,
    /// Of this type.
    pub account_type: Option<AccountType>,
    /// In this currency.
    pub currency: Option<CurrencyCode>,
    /// After this account, in the order of ids: the cursor.
    pub after: Option<AccountId>,
}

impl ReadModels {
    /// An account, if it exists.
    pub async fn account(&self, id: &AccountId) -> Result<At<Option<Account>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.accounts a on a.id = $1"
        );
        let row = sqlx::query(&sql).bind(id.as_str()).fetch_one(&self.pool).await?;
        Ok(At { position: unsigned(&row, "reflects")?, value: account_or_none(&row)? })
    }

    /// An account's balance, if the account exists.
    pub async fn balance(&self, id: &AccountId) -> Result<At<Option<Balance>>, ReadError> {
        let account = self.account(id).await?;
        Ok(At { position: account.position, value: account.value.map(|account| account.balance) })
    }

    /// What is owed on these accounts together.
    pub async fn owed(&self, debts: &[AccountId]) -> Result<Decimal, ReadError> {
        let ids: Vec<&str> = debts.iter().map(AccountId::as_str).collect();
        let sql = "select coalesce(sum(balance), 0)::text as owed from read.accounts
                   where id = any($1) and balance > 0";
        let row = sqlx::query(sql).bind(ids).fetch_one(&self.pool).await?;
        Ok(decimal(&row, "owed")?)
    }

    /// Accounts in the order of their ids, `limit` at most.
    pub async fn accounts(
        &self,
        filter: &AccountFilter,
        limit: u32,
    ) -> Result<Page<Account, AccountId>, ReadError> {
        let mut sql = QueryBuilder::<Postgres>::new(format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (select * from read.accounts a where true"
        ));
        restrict(&mut sql, filter);
        sql.push(" order by a.id limit ")
            .push_bind(i64::from(limit) + 1)
            .push(") a on true order by a.id");
        let rows = sql.build().fetch_all(&self.pool).await?;
        let (position, items) = super::rows(&rows, account_or_none)?;
        Ok(cut(items, limit, position, |account| account.id.clone()))
    }
}

fn restrict(sql: &mut QueryBuilder<'_, Postgres>, filter: &AccountFilter) {
    if let Some(owner) = &filter.owner {
        sql.push(" and a.owner = ").push_bind(owner.as_str().to_owned());
    }
    if let Some(code) = &filter.code {
        sql.push(" and a.code = ").push_bind(code.as_str().to_owned());
    }
    for (start, is_branch) in [(&filter.code_prefix, false), (&filter.branch, true)] {
        let Some(start) = start else { continue };
        let never = |b: u8| !matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b':');
        if start.bytes().any(never) {
            // No code has such a letter, and the database need not see it.
            sql.push(" and false");
            return;
        }
        // As a range, which the primary key serves; `like` would take `_` for a wildcard.
        sql.push(" and a.id >= ").push_bind(start.clone());
        sql.push(" and a.id < ").push_bind(format!("{start}{}", char::MAX));
        if is_branch {
            sql.push(" and (a.code = ").push_bind(start.clone());
            sql.push(" or starts_with(a.code, ").push_bind(format!("{start}:")).push("))");
        } else {
            sql.push(" and starts_with(a.code, ").push_bind(start.clone()).push(")");
        }
    }
    if let Some(account_type) = filter.account_type {
        sql.push(" and a.account_type = ").push_bind(account_type.as_str());
    }
    if let Some(currency) = filter.currency {
        sql.push(" and a.currency = ").push_bind(currency.as_str().to_owned());
    }
    if let Some(after) = &filter.after {
        sql.push(" and a.id > ").push_bind(after.as_str().to_owned());
    }
}

/// A freeze as the table has it, under its reference.
#[derive(Deserialize)]
struct FreezeState {
    mode: FreezeMode,
    amount: Option<Decimal>,
}

/// The account of a row; nothing if the row stands for none.
fn account_or_none(row: &PgRow) -> sqlx::Result<Option<Account>> {
    if row.try_get::<Option<&str>, _>("id")?.is_none() {
        return Ok(None);
    }
    let currency = currency(row)?;
    let at_scale = |amount| at_scale(amount, u32::from(currency.scale));
    let freezes = freezes(row.try_get("freezes")?)?;
    let metadata: &str = row.try_get("metadata")?;
    Ok(Some(Account {
        id: parsed(row, "id")?,
        code: parsed(row, "code")?,
        currency,
        owner: parsed(row, "owner")?,
        account_type: variant(row, "account_type")?,
        class: variant(row, "class")?,
        itemised: row.try_get("itemised")?,
        closed_at: row.try_get("closed_at")?,
        opened_at: row.try_get("opened_at")?,
        opened_position: unsigned(row, "opened_position")?,
        debits_posted: at_scale(decimal(row, "debits_posted")?),
        credits_posted: at_scale(decimal(row, "credits_posted")?),
        balance: balance(row, currency, &freezes)?,
        freezes,
        open_holds: unsigned(row, "open_holds")?,
        last_position: unsigned(row, "last_position")?,
        metadata: serde_json::from_str(metadata)
            .map_err(|source| undecodable("metadata", source))?,
    }))
}

/// The currency of an account's row.
pub(super) fn currency(row: &PgRow) -> sqlx::Result<Currency> {
    let scale: i32 = row.try_get("scale")?;
    Ok(Currency {
        code: parsed(row, "currency")?,
        scale: u8::try_from(scale).map_err(|source| undecodable("scale", source))?,
    })
}

fn freezes(text: &str) -> sqlx::Result<Vec<Freeze>> {
    let states: BTreeMap<Reference, FreezeState> =
        serde_json::from_str(text).map_err(|source| undecodable("freezes", source))?;
    let freezes = states.into_iter().map(|(reference, state)| Freeze {
        reference,
        mode: state.mode,
        amount: state.amount,
    });
    Ok(freezes.collect())
}

fn balance(row: &PgRow, currency: Currency, freezes: &[Freeze]) -> sqlx::Result<Balance> {
    let at_scale = |amount| at_scale(amount, u32::from(currency.scale));
    let posted = at_scale(decimal(row, "balance")?);
    let held = at_scale(decimal(row, "held")?);
    let floor = decimal_or_none(row, "floor")?.map(at_scale);
    let mut liens = freezes.iter().filter_map(|freeze| freeze.amount);
    let liens = liens
        .try_fold(Decimal::ZERO, Decimal::checked_add)
        .ok_or_else(|| undecodable("freezes", std::fmt::Error))?;
    let available = floor.map(|floor| {
        posted
            .checked_sub(held)
            .and_then(|rest| rest.checked_sub(liens))
            .and_then(|rest| rest.checked_sub(floor))
            .ok_or_else(|| undecodable("balance", std::fmt::Error))
    });
    Ok(Balance {
        currency,
        posted,
        held,
        liens: at_scale(liens),
        available: available.transpose()?,
        floor,
        ceiling: decimal_or_none(row, "ceiling")?.map(at_scale),
        sequence: unsigned(row, "sequence")?,
    })
}
