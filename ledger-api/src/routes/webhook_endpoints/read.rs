//! Reading endpoints.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    body::EndpointOut,
    whose::{own, whose},
};
use crate::{
    hooks_out::EndpointId,
    http::{
        Problem,
        path::Id,
        query::{NoParams, Params},
        reader::{Listed, Reader, limit},
        reply::Reply,
    },
};

/// Which page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    pub(super) limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    pub(super) cursor: Option<String>,
}

/// List webhook endpoints
///
/// Your own, the newest first.
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints",
    tag = "Webhooks",
    params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Listed<EndpointOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<PageQuery>,
) -> Result<Reply<Listed<EndpointOut>>, Problem> {
    let whose = whose(reader.caller())?;
    let limit = limit(query.limit)?;
    let list = reader.list("webhook_endpoints", &query);
    let before = list.resume(query.cursor.as_deref())?;
    let ask = limit.saturating_add(1);
    let mut found = reader.state.webhook_endpoints.list(&whose.owner, before, ask).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > shown;
    found.truncate(shown);
    let next = found.last().filter(|_| more).map(|endpoint| endpoint.id);
    let position = reader.state.ledger.status().borrow().head.position;
    let data = found.into_iter().map(|endpoint| EndpointOut::of(endpoint, None)).collect();
    reader.page(&list, data, next, position)
}

/// Get a webhook endpoint
#[utoipa::path(
    get,
    path = "/v1/webhook-endpoints/{id}",
    tag = "Webhooks",
    params(("id" = String, Path, description = "The endpoint")),
    responses((status = 200, description = "The endpoint.", body = EndpointOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<EndpointId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<EndpointOut>, Problem> {
    let whose = whose(reader.caller())?;
    let endpoint = own(&reader.state, &whose, id).await?;
    let tag = endpoint.tag();
    Ok(Reply::ok(EndpointOut::of(endpoint, None)).tagged(&tag))
}
