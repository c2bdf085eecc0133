//! What people do with their wallet from a page: the very handlers of the API, given the request
//! that a program would have sent, so that one rule and one idempotency key hold for both.

use chrono::{DateTime, Utc};
use ledger_core::ids::{BankAccountId, BankCode, DepositId, Rail, WithdrawalId};
use serde_json::json;

use crate::{
    http::{Problem, idempotency::Key, json::Payload, path::Id, wire::Amount, writer::Writer},
    routes::{bank_accounts, deposits, withdrawals},
};

/// Money as somebody typed it: a plain decimal number, and a currency.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed<'a> {
    /// The number.
    pub(crate) value: &'a str,
    /// The currency's code.
    pub(crate) currency: &'a str,
}

impl Typed<'_> {
    fn json(&self) -> serde_json::Value {
        json!({"value": self.value, "currency": self.currency})
    }
}

/// A deposit that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    /// Its id.
    pub(crate) id: DepositId,
    /// Where to pay; nothing if the bank did not answer.
    pub(crate) pay_page: Option<String>,
}

/// Adds money: begins a deposit.
pub(crate) async fn add_money(
    writer: Writer,
    key: Key,
    amount: Typed<'_>,
    bank: Option<&BankCode>,
    return_url: Option<&str>,
) -> Result<Begun, Problem> {
    let mut body = json!({"amount": amount.json()});
    put(&mut body, "bank", bank);
    put(&mut body, "return_url", return_url);
    let reply = deposits::begin(writer, key, Payload::of(&body)?).await?.into_body();
    Ok(Begun { id: reply.id, pay_page: reply.pay_page })
}

/// Gives a deposit up.
pub(crate) async fn cancel_deposit(writer: Writer, key: Key, id: DepositId) -> Result<(), Problem> {
    deposits::cancel(writer, Id(id), key, Payload::of(&json!({}))?).await.map(drop)
}

/// A withdrawal as it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Withdraw<'a> {
    /// How much the bank account gets.
    pub(crate) amount: Typed<'a>,
    /// Which bank account.
    pub(crate) bank_account: BankAccountId,
    /// The version of the fee that they were told.
    pub(crate) fee_version: Option<u32>,
    /// Words to keep beside the log.
    pub(crate) note: Option<&'a str>,
}

/// Withdraws to a bank account, by the bank and rail that fit best.
pub(crate) async fn withdraw(
    writer: Writer,
    key: Key,
    asked: Withdraw<'_>,
) -> Result<WithdrawalId, Problem> {
    let mut body = json!({"amount": asked.amount.json(), "bank_account": asked.bank_account});
    put(&mut body, "note", asked.note);
    put(&mut body, "fee_version", asked.fee_version);
    let reply = withdrawals::request(writer, key, Payload::of(&body)?).await?;
    Ok(reply.into_body().id)
}

/// Gives a withdrawal up that was not sent yet.
pub(crate) async fn cancel_withdrawal(
    writer: Writer,
    key: Key,
    id: WithdrawalId,
) -> Result<(), Problem> {
    withdrawals::cancel(writer, Id(id), key, Payload::of(&json!({}))?).await.map(drop)
}

/// What a withdrawal would cost, and when it would be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quoted {
    /// What the bank account would get.
    pub(crate) amount: Amount,
    /// What it would cost.
    pub(crate) fee: Amount,
    /// By which version.
    pub(crate) fee_version: u32,
    /// What would leave the wallet.
    pub(crate) total: Amount,
    /// The bank that would send it.
    pub(crate) bank: BankCode,
    /// The way.
    pub(crate) rail: Rail,
    /// When it would be there at the latest, if the bank says.
    pub(crate) arrives_by: Option<DateTime<Utc>>,
}

/// Quotes a withdrawal; nothing is set aside.
pub(crate) async fn quote(writer: Writer, amount: Typed<'_>) -> Result<Quoted, Problem> {
    let body = Payload::of(&json!({"amount": amount.json()}))?;
    let quote = withdrawals::quote(writer, body).await?.into_body();
    Ok(Quoted {
        amount: quote.amount,
        fee: quote.fee,
        fee_version: quote.fee_version,
        total: quote.total,
        bank: quote.bank,
        rail: quote.rail,
        arrives_by: quote.arrives_by,
    })
}

/// Keeps a bank account, unverified.
pub(crate) async fn add_bank_account(
    writer: Writer,
    key: Key,
    (account_number, ifsc, name): (&str, &str, &str),
) -> Result<BankAccountId, Problem> {
    let body = json!({"account_number": account_number, "ifsc": ifsc, "name": name});
    let made = bank_accounts::create(writer, key, Payload::of(&body)?).await?;
    Ok(made.into_body().id)
}

/// Has a bank say whose a bank account is.
pub(crate) async fn verify_bank_account(writer: Writer, id: BankAccountId) -> Result<(), Problem> {
    bank_accounts::verify(writer, Id(id), Payload::of(&json!({}))?).await.map(drop)
}

/// Erases a bank account.
pub(crate) async fn erase_bank_account(writer: Writer, id: BankAccountId) -> Result<(), Problem> {
    bank_accounts::erase(writer, Id(id)).await.map(drop)
}

fn put(body: &mut serde_json::Value, name: &str, value: Option<impl serde::Serialize>) {
    if let (Some(value), Some(fields)) = (value, body.as_object_mut()) {
        fields.insert(name.to_owned(), json!(value));
    }
}
