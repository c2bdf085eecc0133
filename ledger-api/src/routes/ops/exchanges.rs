//! What was said to a bank about a withdrawal, and what it answered, without account numbers and
//! names.

use chrono::{DateTime, Utc};
use ledger_core::ids::WithdrawalId;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    desk::exchanges,
    exchanges::{Body, KeptExchange, Shown, masked},
    http::{
        Problem,
        path::Id,
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
    },
    identity::Scope,
};

/// A call to a bank about a withdrawal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankExchange)]
pub(super) struct ExchangeOut {
    /// Its id.
    id: String,
    /// Always `bank_exchange`.
    #[schema(example = "bank_exchange")]
    object: &'static str,
    /// The attempt that it is about, from 1.
    attempt: Option<i32>,
    /// The bank.
    #[schema(example = "hdfc")]
    bank: String,
    /// What the bank knows the attempt by.
    reference: String,
    /// `submit` or `enquiry`.
    #[schema(example = "submit")]
    kind: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// How many milliseconds it took.
    took_ms: i32,
    /// The status of the answer; null if none came.
    http_status: Option<i32>,
    /// Why there is no whole answer: `timed_out`, `no_connection`, `redirect`, `too_large` or
    /// `not_sent`.
    failure: Option<String>,
    /// What was sent.
    request: BodyOut,
    /// What came.
    answer: BodyOut,
}

/// A body of an exchange.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankExchangeBody)]
pub(super) struct BodyOut {
    /// How many bytes it had.
    bytes: i32,
    /// The JSON, without account numbers and names; null if there is none, or none that can be
    /// shown.
    json: Option<Value>,
    /// Why it is not shown.
    hidden: Option<&'static str>,
}

impl BodyOut {
    fn of(body: &Body, bytes: i32) -> Self {
        match masked(body, bytes) {
            Shown::Nothing => Self { bytes, json: None, hidden: None },
            Shown::Json(json) => Self { bytes, json: Some(json), hidden: None },
            Shown::Not(why) => Self { bytes, json: None, hidden: Some(why) },
        }
    }
}

impl From<KeptExchange> for ExchangeOut {
    fn from(kept: KeptExchange) -> Self {
        Self {
            id: kept.id.to_string(),
            object: "bank_exchange",
            attempt: kept.attempt,
            request: BodyOut::of(&kept.request, kept.request_bytes),
            answer: BodyOut::of(&kept.answer, kept.answer_bytes),
            bank: kept.bank,
            reference: kept.reference,
            kind: kept.kind,
            started_at: kept.started_at,
            took_ms: kept.took_ms,
            http_status: kept.http_status,
            failure: kept.failure,
        }
    }
}

/// List what was said to a bank about a withdrawal
///
/// The first first, at most 100: each request with its answer, as long as they are kept
/// (`BAHI_EXCHANGES_KEPT_DAYS`). They are written beside the sending, so the last may be some
/// moments behind, and are no proof of what a bank did.
#[utoipa::path(
    get,
    path = "/v1/ops/withdrawals/{id}/exchanges",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal")),
    responses((status = 200, description = "All of them.", body = Listed<ExchangeOut>,
        example = json!({"has_more": false, "next_cursor": null, "data": [{
            "id": "01935c3a-5e7c-7d3e-8f00-a1b2c3d4e5f6", "object": "bank_exchange", "attempt": 1,
            "bank": "hdfc", "reference": "BH01JQ1S2Z4FTNA8Y00M6NK1V9F5-1", "kind": "submit",
            "started_at": "2026-11-22T08:30:00Z", "took_ms": 84, "http_status": 200,
            "failure": null,
            "request": {"bytes": 210, "hidden": null,
                "json": {"reference": "BH01JQ1S2Z4FTNA8Y00M6NK1V9F5-1"}},
            "answer": {"bytes": 260, "hidden": null,
                "json": {"status": "accepted", "utr": null}}}]}))),
)]
pub(super) async fn list(
    reader: Reader,
    Id(id): Id<WithdrawalId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Listed<ExchangeOut>>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let data = exchanges::of(&reader.state, id).await?.into_iter().map(ExchangeOut::from).collect();
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }))
}
