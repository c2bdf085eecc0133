//! Reading payments and refunds.

use chrono::{DateTime, Utc};
use ledger_core::{
    ids::{AccountId, PaymentId, Reference, RefundId, SettlementId},
    payment::PaymentStatus,
};
use projections::PaymentFilter;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    body::{PaymentOut, PaymentStatusWord},
    refund_body::RefundOut,
};
use crate::{
    http::{
        Problem,
        path::Id,
        query::{Params, moment},
        reach::{Reach, nothing},
        reader::{Listed, Reader, limit},
        reply::Reply,
    },
    payments::{self, READ},
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
    /// In this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<PaymentStatusWord>)]
    status: Option<PaymentStatus>,
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
            status: self.status,
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
    let list = reader.list("payments", &query);
    let before = list.resume(query.cursor.as_deref())?;
    let filter = PaymentFilter { before, ..query.filter(reach)? };
    let page = models.payments(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let data = page.items.into_iter().map(|row| PaymentOut::of(row, reach, position));
    reader.page(&list, data.collect(), next, position)
}

/// Get a payment
///
/// With its refunds; for its payer and its shop. For everybody else it is not there.
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
    let (position, row) = reader.find(|| models.payment(id)).await?;
    payments::check_party(reach, &row)?;
    let refunds = models.refunds_of(id).await?.value;
    let refunds = refunds.into_iter().map(|refund| RefundOut::of(refund, position)).collect();
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
    let data = refunds.value.into_iter().map(|refund| RefundOut::of(refund, position)).collect();
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }).at(position))
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
    let at_bank = payments::bank_status(&reader.state, &row).await?;
    let bank_status = at_bank.map(|status| status.as_str().to_owned());
    let refund = RefundOut { bank_status, ..RefundOut::of(row, position) };
    Ok(Reply::ok(refund).at(position))
}
