//! Whose a credit may be. A guess for people, with how sure it is: the token of a deposit, the
//! number of a virtual account in the payer's words, or a deposit of that amount at that bank which
//! nobody has paid, the more so if the words have the name of its owner.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use ledger_core::{
    clock::Timestamp,
    deposit::credit,
    ids::{AccountId, DepositId, Item},
};
use sqlx::{PgPool, Row, types::Uuid};

use super::OpenCredit;

/// How old a deposit that nobody paid may be.
const UNPAID_FOR: TimeDelta = TimeDelta::days(30);
/// The most suggestions for a credit.
const SUGGESTIONS_MAX: usize = 5;

/// Whose a credit may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The wallet.
    pub account: AccountId,
    /// The deposit by which it was found.
    pub deposit: Option<DepositId>,
    /// What speaks for it.
    pub why: Why,
}

/// What speaks for a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A deposit of this amount at this bank is unpaid.
    Amount,
    /// The same, and the payer's words have the name of the wallet's owner.
    AmountAndName,
    /// The number of the wallet's virtual account is in the payer's words.
    VirtualAccount,
    /// The payer gave the token of the wallet's deposit.
    Token,
}

impl Why {
    /// As it is named.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::AmountAndName => "amount_and_name",
            Self::VirtualAccount => "virtual_account",
            Self::Token => "token",
        }
    }

    /// How sure it is, of 100.
    pub const fn score(self) -> u8 {
        match self {
            Self::Amount => 40,
            Self::AmountAndName => 75,
            Self::VirtualAccount => 90,
            Self::Token => 95,
        }
    }
}

/// What speaks for whom, for each credit that something speaks for; the surest first.
///
/// # Errors
/// What the database says.
pub async fn suggest(
    pool: &PgPool,
    credits: &[OpenCredit],
    now: Timestamp,
) -> sqlx::Result<BTreeMap<Item, Vec<Suggestion>>> {
    let mut found: BTreeMap<Item, Vec<Suggestion>> = BTreeMap::new();
    for (item, suggestion) in by_token(pool, credits).await? {
        found.entry(item).or_default().push(suggestion);
    }
    for (item, suggestion) in by_number(pool, credits).await? {
        found.entry(item).or_default().push(suggestion);
    }
    for (item, suggestion) in by_amount(pool, credits, now).await? {
        found.entry(item).or_default().push(suggestion);
    }
    for suggestions in found.values_mut() {
        suggestions.sort_by(|a, b| b.why.cmp(&a.why).then_with(|| a.account.cmp(&b.account)));
        let mut seen = Vec::new();
        suggestions.retain(|one| {
            let first = !seen.contains(&one.account);
            seen.push(one.account.clone());
            first
        });
        suggestions.truncate(SUGGESTIONS_MAX);
    }
    Ok(found)
}

/// By the deposit that it came under, or whose token its line has.
async fn by_token(pool: &PgPool, credits: &[OpenCredit]) -> sqlx::Result<Vec<(Item, Suggestion)>> {
    let (mut items, mut deposits) = (Vec::new(), Vec::new());
    for credit in credits {
        let own = credit::of_item(&credit.item).map(|(id, _)| id);
        let reference = credit.said.as_ref().and_then(|said| said.reference.as_ref());
        let named = reference.and_then(credit::id_of_token);
        for id in own.into_iter().chain(named) {
            items.push(credit.item.to_string());
            deposits.push(id.uuid());
        }
    }
    let sql = "select distinct t.item, d.id, d.account_id
        from unnest($1::text[], $2::uuid[]) as t(item, deposit)
        join read.deposits d on d.id = t.deposit and d.amount is not null
        where d.account_id is not null";
    let rows = sqlx::query(sql).bind(items).bind(deposits).fetch_all(pool).await?;
    let mut found = Vec::new();
    for row in &rows {
        let id: Uuid = row.try_get("id")?;
        found.extend(suggestion((row, Some(DepositId::from_uuid(id)), Why::Token)));
    }
    Ok(found)
}

/// By the number of a virtual account among the payer's words.
async fn by_number(pool: &PgPool, credits: &[OpenCredit]) -> sqlx::Result<Vec<(Item, Suggestion)>> {
    let (mut items, mut banks, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for credit in credits {
        let Some(said) = &credit.said else { continue };
        let words = said.narration.as_deref().unwrap_or_default();
        for number in words.split(|c: char| !c.is_ascii_digit()).filter(|n| n.len() == 18) {
            items.push(credit.item.to_string());
            banks.push(said.bank.to_string());
            numbers.push(number.to_owned());
        }
    }
    let sql = "select t.item, v.account_id
        from unnest($1::text[], $2::text[], $3::text[]) as t(item, bank, number)
        join virtual_accounts v on v.bank = t.bank and v.number = t.number";
    let rows = sqlx::query(sql).bind(items).bind(banks).bind(numbers).fetch_all(pool).await?;
    Ok(rows.iter().filter_map(|row| suggestion((row, None, Why::VirtualAccount))).collect())
}

/// By a deposit of that amount at that bank that nobody has paid.
async fn by_amount(
    pool: &PgPool,
    credits: &[OpenCredit],
    now: Timestamp,
) -> sqlx::Result<Vec<(Item, Suggestion)>> {
    let known = || credits.iter().filter_map(|credit| Some((credit, credit.said.as_ref()?)));
    let sql = "select t.item, d.id, d.account_id, exists (
            select from read.accounts a join bank_accounts b on b.owner = a.owner
            join bank_account_details i on i.bank_account_id = b.id
            where a.id = d.account_id and length(i.name) >= 4
              and position(upper(i.name) in upper(t.words)) > 0) as named
        from unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::text[])
             as t(item, bank, currency, amount, words)
        cross join lateral (
            select id, account_id from read.deposits d
            where d.status in ('awaiting_payment', 'received', 'expired', 'failed', 'cancelled')
              and d.begun_at > $6 and d.bank = t.bank and d.currency = t.currency
              and d.amount = t.amount and d.account_id is not null
            order by d.begun_at desc limit 3) d";
    let words = known().map(|(_, said)| said.narration.clone().unwrap_or_default());
    let rows = sqlx::query(sql)
        .bind(known().map(|(credit, _)| credit.item.to_string()).collect::<Vec<_>>())
        .bind(known().map(|(_, said)| said.bank.to_string()).collect::<Vec<_>>())
        .bind(known().map(|(credit, _)| credit.currency.to_string()).collect::<Vec<_>>())
        .bind(known().map(|(credit, _)| credit.amount).collect::<Vec<_>>())
        .bind(words.collect::<Vec<_>>())
        .bind(now.checked_sub_signed(UNPAID_FOR).unwrap_or(now))
        .fetch_all(pool)
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let why = if row.try_get("named")? { Why::AmountAndName } else { Why::Amount };
        let id: Uuid = row.try_get("id")?;
        found.extend(suggestion((row, Some(DepositId::from_uuid(id)), why)));
    }
    Ok(found)
}

/// The suggestion that a row is; nothing if what it names is malformed, which nobody decides on.
fn suggestion(
    (row, deposit, why): (&sqlx::postgres::PgRow, Option<DepositId>, Why),
) -> Option<(Item, Suggestion)> {
    let item = row.try_get::<&str, _>("item").ok()?.parse().ok()?;
    let account = row.try_get::<&str, _>("account_id").ok()?.parse().ok()?;
    Some((item, Suggestion { account, deposit, why }))
}
