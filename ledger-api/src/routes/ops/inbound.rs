//! What banks told by webhook, and what became of it. The bytes themselves are not shown here: they
//! may name people.

use chrono::{DateTime, Utc};
use ledger_core::ids::BankCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    desk::inbound,
    http::{
        Problem,
        auth::Require as _,
        json::Payload,
        path::Id,
        query::Params,
        reader::{Listed, Reader, limit},
        reply::Reply,
        writer::Writer,
    },
    identity::Scope,
    routes::accounts::body::Empty,
    webhooks::{Attempt, Listed as Row},
};

/// Where a delivery is.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
enum StateWord {
    /// Nobody looked at it yet.
    Received,
    /// It waits, for its reference to appear or for people.
    Parked,
    /// It had its effect.
    Applied,
    /// It told us nothing new.
    Ignored,
}

impl StateWord {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Parked => "parked",
            Self::Applied => "applied",
            Self::Ignored => "ignored",
        }
    }
}

/// Which deliveries to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InboundQuery {
    /// Of this bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    bank: Option<BankCode>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    state: Option<StateWord>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryOut {
    /// Its number.
    id: i64,
    /// Always `delivery`.
    #[schema(example = "delivery")]
    object: &'static str,
    /// The bank.
    bank: String,
    /// The bank's id of the event.
    event_id: String,
    /// What it calls itself.
    event_type: Option<String>,
    /// When it came in.
    received_at: DateTime<Utc>,
    /// `received`, `parked`, `applied` or `ignored`.
    #[schema(example = "applied")]
    state: String,
    /// How many other bodies the same event came with.
    conflicts: i64,
}

impl From<Row> for DeliveryOut {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            object: "delivery",
            bank: row.bank,
            event_id: row.event_id,
            event_type: row.event_type,
            received_at: row.received_at,
            state: row.state,
            conflicts: row.conflicts,
        }
    }
}

/// List what banks told
///
/// By webhook; the last delivery first.
#[utoipa::path(
    get,
    path = "/v1/ops/inbound",
    tag = "Operators",
    params(InboundQuery),
    responses((status = 200, description = "A page of deliveries.", body = Listed<DeliveryOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<InboundQuery>,
) -> Result<Reply<Listed<DeliveryOut>>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("inbound", &query);
    let before = list.resume(query.cursor.as_deref())?;
    let filter = (query.bank.as_ref().map(BankCode::as_str), query.state.map(StateWord::as_str));
    let inbox = inbound::inbox(&reader.state)?;
    let mut rows = inbox.page(filter, before, limit.saturating_add(1)).await?;
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > full;
    rows.truncate(full);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    let data = rows.into_iter().map(DeliveryOut::from).collect();
    let position = reader.state.ledger.status().borrow().head.position;
    reader.page(&list, data, next, position)
}

/// What a delivery came to, each time that it was applied.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reprocessed)]
pub(super) struct ReprocessedOut {
    /// The delivery.
    id: i64,
    /// Always `delivery_conclusions`.
    #[schema(example = "delivery_conclusions")]
    object: &'static str,
    /// All that it came to, the first first.
    conclusions: Vec<ConclusionOut>,
}

/// What a delivery came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryConclusion)]
pub(super) struct ConclusionOut {
    /// `applied`, `ignored` or `parked`.
    #[schema(example = "applied")]
    outcome: String,
    /// When.
    at: DateTime<Utc>,
    /// What it waits for.
    reference: Option<String>,
    /// Why, or on what.
    detail: String,
}

impl From<Attempt> for ConclusionOut {
    fn from(attempt: Attempt) -> Self {
        let Attempt { at, outcome, reference, detail, .. } = attempt;
        Self { outcome, at, reference, detail }
    }
}

/// Apply a delivery once more
///
/// Its effect happens once, however often it is applied, and what was settled stays settled. No key
/// is needed.
#[utoipa::path(
    post,
    path = "/v1/ops/inbound/{id}/reprocess",
    tag = "Operators",
    params(("id" = i64, Path, description = "The delivery")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "What it came to.", body = ReprocessedOut,
        example = json!({"id": 7, "object": "delivery_conclusions", "conclusions": [
            {"outcome": "applied", "at": "2026-11-22T08:30:00Z", "reference": null,
             "detail": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6, by webhook"}]}))),
)]
pub(super) async fn reprocess(
    writer: Writer,
    Id(id): Id<i64>,
    payload: Payload,
) -> Result<Reply<ReprocessedOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let Empty {} = payload.parse_or_empty()?;
    let conclusions = inbound::reprocess(&writer, id).await?;
    let conclusions = conclusions.into_iter().map(ConclusionOut::from).collect();
    Ok(Reply::ok(ReprocessedOut { id, object: "delivery_conclusions", conclusions }))
}
