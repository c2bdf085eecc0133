//! What was sent to an endpoint, sending it again, and trying whether anything arrives.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    body::DeliveryOut,
    read::PageQuery,
    whose::{Whose, own, whose},
};
use crate::{
    hooks_out::{Attempted, Delivery, DeliveryId, Endpoint, EndpointId, EndpointStatus, test_body},
    http::{
        ApiState, Problem, codes,
        path::Id,
        query::{NoParams, Params},
        reach::nothing,
        reader::{Listed, Reader, limit},
        reply::Reply,
        writer::Writer,
    },
};

/// Send a test message
///
/// A message of type `webhook.test`, whatever types the endpoint wants. Read the delivery to see
/// what was answered.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/test",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint")),
    responses((status = 201, description = "It is on its way.", body = DeliveryOut)),
)]
pub(super) async fn test(
    writer: Writer,
    Id(id): Id<EndpointId>,
) -> Result<Reply<DeliveryOut>, Problem> {
    let state = &writer.state;
    let whose = whose(&writer.caller)?;
    let delivery = send_test(state, &own(state, &whose, id).await?).await?;
    let location = format!("/v1/deliveries/{delivery}");
    let (found, attempts) = shown(state, &whose, delivery).await?;
    Ok(Reply::created(DeliveryOut::of(found, attempts)?, &location))
}

/// Puts a test message on its way.
pub(crate) async fn send_test(
    state: &ApiState,
    endpoint: &Endpoint,
) -> Result<DeliveryId, Problem> {
    enabled(endpoint)?;
    let (delivery, now) = (DeliveryId::from_uuid(state.ids.fresh()), state.clock.now());
    let data = json!({"object": "webhook_endpoint", "id": endpoint.id});
    let body = test_body(now, &data).ok_or_else(|| Problem::internal(&"a test message"))?;
    state.webhook_deliveries.write_test(endpoint.id, delivery, &body, now).await?;
    Ok(delivery)
}

/// List the deliveries of a webhook endpoint
///
/// The newest first, with what was sent and answered. What has arrived is kept for 30 days.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}/deliveries",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint"), PageQuery),
    responses((status = 200, description = "A page of them.", body = Listed<DeliveryOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Id(id): Id<EndpointId>,
    Params(query): Params<PageQuery>,
) -> Result<Reply<Listed<DeliveryOut>>, Problem> {
    let whose = whose(reader.caller())?;
    own(&reader.state, &whose, id).await?;
    let limit = limit(query.limit)?;
    let filters = (id.to_string(), &query);
    let list = reader.list("webhook_deliveries", &filters);
    let before = list.resume(query.cursor.as_deref())?;
    let deliveries = &reader.state.webhook_deliveries;
    let mut found = deliveries.list(id, before, limit.saturating_add(1)).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|delivery| delivery.id);
    let ids: Vec<DeliveryId> = found.iter().map(|delivery| delivery.id).collect();
    let mut attempts: BTreeMap<DeliveryId, Vec<Attempted>> = BTreeMap::new();
    for (of, attempt) in deliveries.attempts(&ids).await? {
        attempts.entry(of).or_default().push(attempt);
    }
    let data = found.into_iter().map(|delivery| {
        let attempts = attempts.remove(&delivery.id).unwrap_or_default();
        DeliveryOut::of(delivery, attempts)
    });
    let position = reader.state.ledger.status().borrow().head.position;
    reader.page(&list, data.collect::<Result<_, _>>()?, next, position)
}

/// Get a delivery
#[utoipa::path(
    get,
    path = "/v1/deliveries/{id}",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The delivery")),
    responses((status = 200, description = "The delivery.", body = DeliveryOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<DeliveryId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<DeliveryOut>, Problem> {
    let whose = whose(reader.caller())?;
    let (delivery, attempts) = shown(&reader.state, &whose, id).await?;
    Ok(Reply::ok(DeliveryOut::of(delivery, attempts)?))
}

/// Send a delivery again
///
/// At once, and by the whole schedule if it is not taken. Its `webhook-id` and its body stay as
/// they are, so a receiver that has it knows.
#[utoipa::path(
    post,
    path = "/v1/deliveries/{id}/redeliver",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The delivery")),
    responses((status = 200, description = "It is on its way.", body = DeliveryOut)),
)]
pub(super) async fn redeliver(
    writer: Writer,
    Id(id): Id<DeliveryId>,
) -> Result<Reply<DeliveryOut>, Problem> {
    let state = &writer.state;
    let whose = whose(&writer.caller)?;
    again(state, &whose, id).await?;
    let (delivery, attempts) = shown(state, &whose, id).await?;
    Ok(Reply::ok(DeliveryOut::of(delivery, attempts)?))
}

/// Sends a delivery again; to which endpoint.
pub(crate) async fn again(
    state: &ApiState,
    whose: &Whose,
    id: DeliveryId,
) -> Result<EndpointId, Problem> {
    let (delivery, _) = shown(state, whose, id).await?;
    enabled(&own(state, whose, delivery.endpoint).await?)?;
    state.webhook_deliveries.redeliver(id, state.clock.now()).await?;
    Ok(delivery.endpoint)
}

/// A delivery to an endpoint of the caller's, with how it went.
async fn shown(
    state: &ApiState,
    whose: &Whose,
    id: DeliveryId,
) -> Result<(Delivery, Vec<Attempted>), Problem> {
    let delivery = state.webhook_deliveries.get(id).await?.ok_or_else(nothing)?;
    own(state, whose, delivery.endpoint).await?;
    let attempts = state.webhook_deliveries.attempts(&[id]).await?;
    Ok((delivery, attempts.into_iter().map(|(_, attempt)| attempt).collect()))
}

fn enabled(endpoint: &Endpoint) -> Result<(), Problem> {
    if endpoint.status == EndpointStatus::Enabled {
        return Ok(());
    }
    let detail = "Nothing is sent to a disabled endpoint. Enable it first.";
    Err(Problem::new(codes::WEBHOOK_ENDPOINT_DISABLED, detail))
}
