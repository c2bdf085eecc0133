//! A transaction as auditors read it, with all that led to it.

use ledger_core::ids::TransactionId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{key::AuditKey, transaction_body::TransactionOut};
use crate::http::{Problem, path::Id, query::Params, reach::nothing, reply::Reply};

/// From when on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TransactionQuery {
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// Get a transaction, with what led to it
///
/// Both sides, by which rule and whom; the events of the object that caused it; what banks told of
/// that, without the bytes; what two people decided. Words and bytes are opened with a reason, by
/// `POST /v1/audit/openings`.
#[utoipa::path(
    get,
    path = "/v1/audit/transactions/{id}",
    tag = "Audit",
    params(("id" = String, Path, description = "Its id"), TransactionQuery),
    responses((status = 200, description = "The transaction.", body = TransactionOut)),
)]
pub(super) async fn one(
    key: AuditKey,
    Id(id): Id<TransactionId>,
    Params(query): Params<TransactionQuery>,
) -> Result<Reply<TransactionOut>, Problem> {
    key.wait(query.min_position).await?;
    let found = key.reads.read_models.transaction(id).await?;
    let transaction = found.value.ok_or_else(nothing)?;
    let why = key.reads.why(transaction.transaction.cause.as_ref()).await?;
    Ok(Reply::ok(TransactionOut::of(transaction, why)?).at(found.position))
}
