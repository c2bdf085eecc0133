//! Reading payments and refunds.

use chrono::{DateTime, Utc};
use ledger_core::{
    ids::{AccountId, PaymentId, Reference, RefundId, SettlementId},
    log::Position,
};
use projections::{PaymentFilter, ReadError, RefundRow};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    body::{PaymentOut, PaymentState},
    refund_body::RefundOut,
};
use crate::{
    deposits::{Incoming, IncomingFilter, IncomingState, Outside},
    http::{
        ApiState, Problem,
        path::Id,
        query::{Params, moment},
        reach::{Reach, nothing},
        reader::{Listed, Reader, limit},
        reply::Reply,
    },
    payments::{self, READ, RefundAt},
    people::PersonId,
    routes::accounts::MinPosition,
    shops::{MerchantId, StoreId, TerminalId},
};

/// Which payments to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PaymentsQuery {
    /// To this shop; of shops, their own if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    merchant: Option<MerchantId>,
    /// Paid from this wallet; of people, their own if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// Paid by this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    customer: Option<PersonId>,
    /// In this status. `processing` and `failed` are what comes from other banks to one shop, or
    /// goes back there: they are listed where they are asked for, by the moment at which the bank
    /// first told of them, and none of them has a payer, a settlement or a dispute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<PaymentState>)]
    status: Option<PaymentState>,
    /// Only what was ever disputed, if it is `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    disputed: Option<bool>,
    /// Paid at or after this moment.
    #[serde(default, deserialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    from: Option<DateTime<Utc>>,
    /// Paid before this moment.
    #[serde(default, deserialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    until: Option<DateTime<Utc>>,
    /// With this order id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    order_id: Option<Reference>,
    /// At this store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    store: Option<StoreId>,
    /// At this terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    terminal: Option<TerminalId>,
    /// Of this settlement: all of them add up to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    settlement: Option<SettlementId>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    min_position: Option<u64>,
}

impl PaymentsQuery {
    /// Whether no payment that is not the shop's yet can match.
    fn asks_for_what_none_of_them_has(&self) -> bool {
        let of_payer = self.account.is_some() || self.customer.is_some();
        of_payer || self.settlement.is_some() || self.disputed == Some(true)
    }

    /// What of it the caller may see.
    fn filter(&self, reach: Reach) -> Result<PaymentFilter, Problem> {
        let customer = self.customer.map(PersonId::wallet).transpose();
        let customer = customer.map_err(|error| Problem::internal(&error))?;
        let (merchant, payer) = match reach {
            Reach::Of(_) => (self.merchant, Some(reach.account_or_own(self.account.as_ref())?)),
            Reach::Everything | Reach::OfMerchant(..) => {
                let shop = payments::listed_shop(reach, self.merchant)?;
                (shop, self.account.clone().or_else(|| customer.clone()))
            }
        };
        // Both at once, and not the same: there is nothing of both.
        if customer.is_some() && customer != payer {
            return Err(nothing());
        }
        Ok(PaymentFilter {
            merchant: merchant.map(payments::code_of).transpose()?,
            payer,
            status: self.status.and_then(PaymentState::of_ledger),
            from: self.from,
            until: self.until,
            order_id: self.order_id.as_ref().map(ToString::to_string),
            store: self.store.map(|store| store.to_string()),
            terminal: self.terminal.map(|terminal| terminal.to_string()),
            settlement: self.settlement,
            disputed: self.disputed.unwrap_or(false),
            ..PaymentFilter::default()
        })
    }
}

/// List payments
///
/// The last one first: of a shop, of a payer, or all.
#[utoipa::path(
    get,
    path = "/v1/payments",
    tag = "Payments",
    params(PaymentsQuery),
    responses((status = 200, description = "A page of payments.", body = Listed<PaymentOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<PaymentsQuery>,
) -> Result<Reply<Listed<PaymentOut>>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    let limit = limit(query.limit)?;
    if let Some(state) = query.status.and_then(PaymentState::outside) {
        return coming(&reader, reach, &query, (state, limit)).await;
    }
    let list = reader.list("payments", &query);
    let before = list.resume(query.cursor.as_deref())?;
    let filter = PaymentFilter { before, ..query.filter(reach)? };
    let page = models.payments(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let data = page.items.into_iter().map(|row| PaymentOut::of(row, reach, position));
    reader.page(&list, data.collect(), next, position)
}

/// What comes for a shop from other banks, or goes back there.
async fn coming(
    reader: &Reader,
    reach: Reach,
    query: &PaymentsQuery,
    (state, limit): (IncomingState, u32),
) -> Result<Reply<Listed<PaymentOut>>, Problem> {
    let list = reader.list("payments", query);
    let filter = IncomingFilter {
        state: Some(state),
        from: query.from,
        until: query.until,
        order_id: query.order_id.as_ref().map(ToString::to_string),
        store: query.store.map(|store| store.to_string()),
        terminal: query.terminal.map(|terminal| terminal.to_string()),
        before: list.resume(query.cursor.as_deref())?,
        ..IncomingFilter::of(payments::own_shop(reach, query.merchant)?)
    };
    let position = reader.state.read_models.position().await?;
    if query.asks_for_what_none_of_them_has() {
        return reader.page(&list, Vec::new(), None::<PaymentId>, position);
    }
    let outside = Outside::new(reader.state.reads.clone());
    let found = outside.listed(&filter, limit.saturating_add(1)).await.map_err(ReadError::from)?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let ending = found.get(most.saturating_sub(1)).filter(|_| found.len() > most);
    let next = ending.map(|one| one.payment);
    let data = found.iter().take(most);
    let data = data.map(|one| PaymentOut::incoming(one, scale(reader, one), position));
    reader.page(&list, data.collect::<Result<_, _>>()?, next, position)
}

/// How many decimals its currency has.
fn scale(reader: &Reader, coming: &Incoming) -> u8 {
    let book = reader.state.ledger.status().borrow().book.clone();
    let currency = coming.credit.account.currency().ok();
    currency.and_then(|code| book.currency(code)).map_or(2, |currency| currency.scale)
}

/// A payment from outside that the shop does not have, if it is one and within reach.
async fn not_paid(
    reader: &Reader,
    reach: Reach,
    id: PaymentId,
) -> Result<Option<Reply<PaymentOut>>, Problem> {
    let found = Outside::new(reader.state.reads.clone()).incoming_payment(id).await;
    let Some(found) = found.map_err(ReadError::from)? else { return Ok(None) };
    payments::check_shop(reach, &payments::code_of(found.credit.merchant)?)?;
    if found.state == IncomingState::Paid {
        return Ok(None);
    }
    let position = reader.state.read_models.position().await?;
    let out = PaymentOut::incoming(&found, scale(reader, &found), position)?;
    Ok(Some(Reply::ok(out).at(position)))
}

/// Get a payment
///
/// With its refunds; for its payer and its shop. For everybody else it is not there. One from
/// another bank is there from the bank's first message on.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment"), MinPosition),
    responses((status = 200, description = "The payment.", body = PaymentOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<PaymentId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<PaymentOut>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    if Outside::may_have_made(id)
        && models.payment(id).await?.value.is_none()
        && let Some(coming) = not_paid(&reader, reach, id).await?
    {
        return Ok(coming);
    }
    let (position, row) = reader.find(|| models.payment(id)).await?;
    payments::check_party(reach, &row)?;
    let refunds = models.refunds_of(id).await?.value;
    let refunds = shown(&reader.state, refunds, position).await?;
    let proof = payments::own_leg(models, id, reach).await?;
    let proof = proof.map(|position| format!("/v1/statements/proofs/{position}"));
    let payment = PaymentOut::of(row, reach, position);
    Ok(Reply::ok(PaymentOut { refunds: Some(refunds), proof, ..payment }).at(position))
}

/// List the refunds of a payment
///
/// The first first; there are a hundred at most.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}/refunds",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment"), MinPosition),
    responses((status = 200, description = "All of them.", body = Listed<RefundOut>)),
)]
pub(super) async fn refunds(
    reader: Reader,
    Id(id): Id<PaymentId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<Listed<RefundOut>>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    let (_, row) = reader.find(|| models.payment(id)).await?;
    payments::check_party(reach, &row)?;
    let refunds = models.refunds_of(id).await?;
    let position = refunds.position;
    let data = shown(&reader.state, refunds.value, position).await?;
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }).at(position))
}

/// Refunds, each with where it is.
async fn shown(
    state: &ApiState,
    refunds: Vec<RefundRow>,
    position: Position,
) -> Result<Vec<RefundOut>, Problem> {
    let mut shown = Vec::with_capacity(refunds.len());
    for refund in refunds {
        let at = RefundAt::of(state, &refund).await?;
        shown.push(RefundOut::of(refund, at, position));
    }
    Ok(shown)
}

/// Get a refund
///
/// For its payer and its shop.
#[utoipa::path(
    get,
    path = "/v1/refunds/{id}",
    tag = "Payments",
    params(("id" = String, Path, description = "The refund"), MinPosition),
    responses((status = 200, description = "The refund.", body = RefundOut)),
)]
pub(super) async fn refund(
    reader: Reader,
    Id(id): Id<RefundId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<RefundOut>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    let (position, row) = reader.find(|| models.refund(id)).await?;
    match reach {
        Reach::Of(_) => reach.account(&row.payer)?,
        Reach::Everything | Reach::OfMerchant(..) => payments::check_shop(reach, &row.merchant)?,
    }
    let at = RefundAt::of(&reader.state, &row).await?;
    Ok(Reply::ok(RefundOut::of(row, at, position)).at(position))
}
