//! Disputes of payments that wait for a person of ours: all shops', with the day by which each is
//! to be decided; and deciding one.
//!
//! What is disputed is held, one item of `disputes:held` for each payment, so the open items are
//! the list. The read models only find them: whose the money is, the ledger decides by the events.

use chrono::TimeDelta;
use ledger_core::{clock::Timestamp, ids::PaymentId, money::CurrencyCode, payment::PaymentEvent};
use projections::PaymentHistory;
use rust_decimal::Decimal;
use sqlx::{PgPool, Row as _};

use super::{another_person, caught_up};
use crate::{
    http::{
        ApiState, Problem,
        auth::Require as _,
        codes,
        idempotency::Key,
        reader::find,
        writer::{Done, Writer},
    },
    identity::Scope,
    payments::{self, DecisionIn},
    people::PersonId,
};

/// How long a decision may take: what RBI gives a bank to answer a complaint before its customer
/// may go to the ombudsman.
const DECIDED_WITHIN: TimeDelta = TimeDelta::days(30);
/// The most disputes that are listed.
const DISPUTES_MAX: i64 = 500;

/// A dispute that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenDispute {
    /// The payment.
    pub(crate) payment: PaymentId,
    /// The shop, as its accounts name it.
    pub(crate) merchant: String,
    /// How much, at the currency's scale.
    pub(crate) amount: Decimal,
    /// In which currency.
    pub(crate) currency: CurrencyCode,
    /// Since when.
    pub(crate) since: Timestamp,
}

impl OpenDispute {
    /// By when it is to be decided.
    pub(crate) fn due(&self) -> Timestamp {
        due(self.since)
    }
}

/// By when a dispute that was opened at this moment is to be decided.
pub(crate) fn due(opened: Timestamp) -> Timestamp {
    opened.checked_add_signed(DECIDED_WITHIN).unwrap_or(Timestamp::MAX_UTC)
}

/// The disputes that wait, the oldest first.
///
/// # Errors
/// What the database says.
pub(crate) async fn open(pool: &PgPool) -> sqlx::Result<Vec<OpenDispute>> {
    let sql = "
        select o.item, o.opened_at, -o.net_debits as amount, a.currency, a.scale, p.merchant
        from read.accounts a
        join read.open_items o on o.account_id = a.id
        left join read.payments p
            on p.id = case when o.item ~ '^pay_[0-9a-f]{32}$' then substr(o.item, 5)::uuid end
        where a.id like 'disputes:held:%' order by o.opened_position, o.item limit $1";
    let rows = sqlx::query(sql).bind(DISPUTES_MAX).fetch_all(pool).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let (item, currency): (&str, &str) = (row.try_get("item")?, row.try_get("currency")?);
        let Some((payment, currency)) = item.parse().ok().zip(currency.parse().ok()) else {
            continue;
        };
        let (mut amount, scale): (Decimal, i32) = (row.try_get("amount")?, row.try_get("scale")?);
        amount.rescale(u32::try_from(scale).unwrap_or_default());
        let merchant: Option<String> = row.try_get("merchant")?;
        let (merchant, since) = (merchant.unwrap_or_default(), row.try_get("opened_at")?);
        found.push(OpenDispute { payment, merchant, amount, currency, since });
    }
    Ok(found)
}

/// A payment with all that happened to it, up to now.
pub(crate) async fn of_payment(state: &ApiState, id: PaymentId) -> Result<PaymentHistory, Problem> {
    caught_up(state).await?;
    let models = &state.read_models;
    Ok(find(state, || models.payment_history(id)).await?.1)
}

/// Decides a dispute: somebody who may approve, and neither whoever opened it nor a party to it.
pub(crate) async fn decide(
    writer: &Writer,
    id: PaymentId,
    key: Key,
    body: &DecisionIn,
) -> Result<Done, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let history = of_payment(&writer.state, id).await?;
    let opened = history
        .facts
        .iter()
        .find(|fact| matches!(fact.event, PaymentEvent::DisputeOpened(_)))
        .ok_or_else(|| {
            Problem::new(codes::DISPUTE_NOT_FOUND, "Nobody has disputed the payment.")
        })?;
    another_person(&writer.caller, opened.actor.as_deref(), "opened the dispute")?;
    if is_party(writer, &history).await? {
        let detail = "Somebody has to decide who neither paid it nor works for the shop.";
        return Err(Problem::new(codes::SECOND_PERSON_NEEDED, detail));
    }
    payments::decide_dispute(writer, id, key, body).await
}

/// Whether who asks has paid, or works for the shop: people of ours have wallets and shops too.
async fn is_party(writer: &Writer, history: &PaymentHistory) -> Result<bool, Problem> {
    let person = writer.caller.principal.as_str().parse::<PersonId>().ok();
    let Some((person, paid)) = person.zip(history.payment.properties()) else { return Ok(false) };
    if person.wallet().is_ok_and(|wallet| wallet == paid.payer) {
        return Ok(true);
    }
    let Some(shop) = payments::shop_of(&paid.merchant) else { return Ok(false) };
    Ok(writer.state.shops.role_of(shop, person).await?.is_some())
}
