//! Reading payment requests: one, its code, and many.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use ledger_core::{
    command::Receipt,
    ids::{PaymentRequestId, Reference},
    log::Position,
    payment_request::PaymentRequestStatus,
};
use projections::{PaymentRequestFilter, PaymentRequestRow, ReadError};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::body::{IncomingOut, PaymentRequestStatusWord, RequestOut};
use crate::{
    deposits::Outside,
    http::{
        ApiState, Problem,
        path::Id,
        query::Params,
        reach::Reach,
        reader::{Listed, Reader, find, limit},
        reply::Reply,
        writer::{Done, wrong_receipt},
    },
    payments::{self, READ},
    routes::accounts::MinPosition,
    shops::MerchantId,
};

/// Which payment requests to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RequestsQuery {
    /// Of this shop; of shops, their own if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    merchant: Option<MerchantId>,
    /// In this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<PaymentRequestStatusWord>)]
    status: Option<PaymentRequestStatus>,
    /// With this order id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    order_id: Option<Reference>,
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

/// List payment requests
///
/// The last one first; without descriptions and links.
#[utoipa::path(
    get,
    path = "/v1/payment-requests",
    tag = "Payments",
    params(RequestsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<RequestOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<RequestsQuery>,
) -> Result<Reply<Listed<RequestOut>>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("payment_requests", &query);
    let shop = payments::listed_shop(reach, query.merchant)?;
    let filter = PaymentRequestFilter {
        merchant: shop.map(payments::code_of).transpose()?,
        status: query.status,
        order_id: query.order_id.as_ref().map(ToString::to_string),
        before: list.resume(query.cursor.as_deref())?,
    };
    let page = models.payment_requests(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let state = &reader.state;
    let data = page.items.into_iter();
    let data = data.map(|row| RequestOut::of(state, row, (None, None), position));
    reader.page(&list, data.collect(), next, position)
}

/// Get a payment request
///
/// For its shop, and for whoever has its id: it hangs on walls.
#[utoipa::path(
    get,
    path = "/v1/payment-requests/{id}",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment request"), MinPosition),
    responses((status = 200, description = "The payment request.", body = RequestOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<PaymentRequestId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<RequestOut>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    let (position, row) = reader.find(|| models.payment_request(id)).await?;
    check(reach, &row)?;
    let mut request = whole(&reader.state, row, position).await?;
    if reach.person().is_none() {
        let coming = Outside::new(reader.state.reads.clone()).incoming_of_request(id).await;
        let coming = coming.map_err(ReadError::from)?.into_iter();
        let coming: Vec<_> = coming.map(|one| IncomingOut::of(&reader.state, one)).collect();
        request.incoming = (!coming.is_empty()).then_some(coming);
    }
    Ok(Reply::ok(request).at(position))
}

/// The QR code of a payment request
///
/// As SVG, dark on white, to be shown or printed.
#[utoipa::path(
    get,
    path = "/v1/payment-requests/{id}/qr.svg",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment request")),
    responses((status = 200, description = "The code.", content_type = "image/svg+xml")),
)]
pub(super) async fn qr(reader: Reader, Id(id): Id<PaymentRequestId>) -> Result<Response, Problem> {
    let (reach, models) = reader.admit_shop(READ, None).await?;
    let (position, row) = reader.find(|| models.payment_request(id)).await?;
    check(reach, &row)?;
    let link = whole(&reader.state, row, position).await?.link.unwrap_or_default();
    let drawing = payments::drawing(&link);
    let drawing = drawing.ok_or_else(|| Problem::internal(&"a link too long for a code"))?;
    let mut response = drawing.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    Ok(response)
}

/// Its shop sees it, and people see what they are asked to pay.
fn check(reach: Reach, row: &PaymentRequestRow) -> Result<(), Problem> {
    match reach {
        Reach::Of(_) => Ok(()),
        Reach::Everything | Reach::OfMerchant(..) => payments::check_shop(reach, &row.merchant),
    }
}

/// A request with its words and its code.
async fn whole(
    state: &ApiState,
    row: PaymentRequestRow,
    position: Position,
) -> Result<RequestOut, Problem> {
    let words = state.read_models.payment_request_words(row.id).await?;
    let shop = match payments::shop_of(&row.merchant) {
        Some(id) => payments::shop_or_none(state, id).await?,
        None => None,
    };
    Ok(RequestOut::of(state, row, (shop.as_ref(), words), position))
}

/// The request after a command: what is fixed as it was made, the rest from the stored outcome.
pub(super) async fn after(
    state: &ApiState,
    id: PaymentRequestId,
    done: &Done,
) -> Result<RequestOut, Problem> {
    let accepted = &done.accepted;
    let Receipt::PaymentRequest { status, payment_id, .. } = &accepted.receipt else {
        return Err(wrong_receipt(&accepted.receipt));
    };
    let (_, row) = find(state, || state.read_models.payment_request(id)).await?;
    let row = PaymentRequestRow {
        status: *status,
        payment: *payment_id,
        changed_at: accepted.recorded_at,
        ..row
    };
    whole(state, row, accepted.position).await
}
