//! Reading transactions: one with its legs, many newest first.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    ids::{AccountId, Reference, TransactionId},
    posting::Kind,
};
use projections::{Transaction, TransactionDetail, TransactionFilter, TransactionLeg};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{LegOut, TransactionOut};
use crate::{
    http::{
        Problem,
        path::Id,
        query::{self, Params},
        reader::{Listed, Reader, limit},
        reply::Reply,
        wire::Amount,
    },
    identity::Scope,
    routes::accounts::MinPosition,
};

pub(super) const SCOPES: &[Scope] = &[Scope::LedgerRead];

/// Which transactions to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TransactionsQuery {
    /// With a leg on this account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    kind: Option<Kind>,
    /// With a business date on or after this one.
    #[serde(default, deserialize_with = "query::date", skip_serializing_if = "Option::is_none")]
    effective_from: Option<NaiveDate>,
    /// With a business date on or before this one.
    #[serde(default, deserialize_with = "query::date", skip_serializing_if = "Option::is_none")]
    effective_to: Option<NaiveDate>,
    /// Recorded at or after this moment.
    #[serde(default, deserialize_with = "query::moment", skip_serializing_if = "Option::is_none")]
    recorded_from: Option<DateTime<Utc>>,
    /// Recorded before this moment.
    #[serde(default, deserialize_with = "query::moment", skip_serializing_if = "Option::is_none")]
    recorded_before: Option<DateTime<Utc>>,
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

/// A transaction without its legs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransactionSummary {
    /// Its id.
    #[schema(value_type = String)]
    id: TransactionId,
    /// Always `transaction`.
    #[schema(example = "transaction")]
    object: &'static str,
    /// What kind.
    #[schema(value_type = String)]
    kind: Kind,
    /// Always `posted`.
    #[schema(example = "posted")]
    status: &'static str,
    /// Always true.
    #[serde(rename = "final")]
    is_final: bool,
    /// How much moved, per currency: the sum of the debits, which is the sum of the credits.
    totals: Vec<Amount>,
    /// The business date.
    effective_on: NaiveDate,
    /// The object that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cause: Option<Reference>,
    /// Words that were put on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The transaction that this one undid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reverses: Option<TransactionId>,
    /// The transaction that undid this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reversed_by: Option<TransactionId>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// The position of its last leg.
    position: u64,
}

/// List transactions
///
/// Newest first. A page can be short, even empty, and still have a next one: a filter that
/// matches rarely is not searched without bound.
#[utoipa::path(
    get,
    path = "/v1/transactions",
    tag = "Transactions",
    params(TransactionsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<TransactionSummary>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<TransactionsQuery>,
) -> Result<Reply<Listed<TransactionSummary>>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("transactions", &query);
    let filter = TransactionFilter {
        account: query.account.clone(),
        kind: query.kind.clone(),
        effective_from: query.effective_from,
        effective_to: query.effective_to,
        recorded_from: query.recorded_from,
        recorded_before: query.recorded_before,
        before: list.resume(query.cursor.as_deref())?,
    };
    let page = models.transactions(&filter, limit).await?;
    let data = page.items.into_iter().map(TransactionSummary::from).collect();
    reader.page(&list, data, page.next, page.position)
}

/// Get a transaction
///
/// With its legs, the balance after each, and its links to reversals.
#[utoipa::path(
    get,
    path = "/v1/transactions/{id}",
    tag = "Transactions",
    params(("id" = String, Path, description = "The transaction"), MinPosition),
    responses((status = 200, description = "The transaction.", body = TransactionOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<TransactionId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<TransactionOut>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let (position, detail) = reader.find(|| models.transaction(id)).await?;
    Ok(Reply::ok(transaction(detail)?).at(position))
}

fn transaction(detail: TransactionDetail) -> Result<TransactionOut, Problem> {
    let TransactionDetail { transaction, legs, metadata } = detail;
    let value_date = legs.first().and_then(|leg| leg.value_date);
    Ok(TransactionOut {
        id: transaction.id,
        object: "transaction".to_owned(),
        kind: transaction.kind,
        status: "posted".to_owned(),
        is_final: true,
        legs: legs.into_iter().map(leg).collect::<Result<_, _>>()?,
        effective_on: transaction.effective_on,
        value_date,
        note: transaction.note,
        cause: transaction.cause,
        reverses: transaction.reverses,
        reversed_by: transaction.reversed_by,
        actor: metadata.actor,
        approver: metadata.approver,
        reason: metadata.reason,
        evidence_sha256: metadata.evidence_sha256,
        request: metadata.request,
        recorded_at: transaction.recorded_at,
        position: transaction.last_position,
    })
}

fn leg(leg: TransactionLeg) -> Result<LegOut, Problem> {
    let code = leg.account.currency().map_err(|error| Problem::internal(&error))?;
    Ok(LegOut {
        account: leg.account,
        direction: leg.direction,
        amount: Amount::new(leg.amount, code),
        item: leg.item,
        balance_after: Some(Amount::new(leg.balance_after, code)),
    })
}

impl From<Transaction> for TransactionSummary {
    fn from(transaction: Transaction) -> Self {
        let totals = transaction.totals.into_iter();
        Self {
            id: transaction.id,
            object: "transaction",
            kind: transaction.kind,
            status: "posted",
            is_final: true,
            totals: totals.map(|total| Amount::new(total.amount, total.currency)).collect(),
            effective_on: transaction.effective_on,
            cause: transaction.cause,
            note: transaction.note,
            reverses: transaction.reverses,
            reversed_by: transaction.reversed_by,
            recorded_at: transaction.recorded_at,
            position: transaction.last_position,
        }
    }
}
