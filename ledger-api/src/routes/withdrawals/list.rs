//! Many withdrawals at once.

use ledger_core::{
    ids::{AccountId, Reference},
    log::Position,
    withdrawal::WithdrawalStatus,
};
use projections::{Page, WithdrawalFilter, WithdrawalRow};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{
    body::{WithdrawalOut, WithdrawalStatusWord, funds},
    detail::details,
};
use crate::{
    http::{
        ApiState, Problem,
        query::Params,
        reader::{Listed, Reader, limit},
        reply::Reply,
        wire::Amount,
    },
    workers::withdrawals::waits::Place,
};

/// Which withdrawals to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WithdrawalsQuery {
    /// Of this account. For people: their own if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    account: Option<AccountId>,
    /// In this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<WithdrawalStatusWord>)]
    status: Option<WithdrawalStatus>,
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

/// List withdrawals
///
/// The last one first; of an account, or in a status, or all. Without their timelines.
#[utoipa::path(
    get,
    path = "/v1/withdrawals",
    tag = "Withdrawals",
    params(WithdrawalsQuery),
    responses((status = 200, description = "A page of withdrawals.", body = Listed<WithdrawalOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(mut query): Params<WithdrawalsQuery>,
) -> Result<Reply<Listed<WithdrawalOut>>, Problem> {
    let (reach, models) = reader.admit_shop(super::read::SCOPES, query.min_position).await?;
    let limit = limit(query.limit)?;
    query.account = reach.listed(query.account.as_ref())?;
    let list = reader.list("withdrawals", &query);
    let filter = WithdrawalFilter {
        account: query.account.clone(),
        status: query.status,
        before: list.resume(query.cursor.as_deref())?,
        ..WithdrawalFilter::default()
    };
    let page = models.withdrawals(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let data = withdrawals(&reader.state, page).await?;
    reader.page(&list, data, next, position)
}

/// The withdrawals of a page, each with why it is where it is.
pub(crate) async fn withdrawals(
    state: &ApiState,
    page: Page<WithdrawalRow, Position>,
) -> Result<Vec<WithdrawalOut>, Problem> {
    let rows: Vec<&WithdrawalRow> = page.items.iter().collect();
    let reasons = state.read_models.withdrawal_reasons(&rows).await?;
    let place = |row: &&'_ WithdrawalRow| reasons.get(&row.id).map(Reference::as_str);
    let places: Vec<Place<'_>> = rows.iter().map(|row| Place::of(row, place(row))).collect();
    let mut details = details(state, &places).await?;
    drop(places);
    let mut data = Vec::with_capacity(page.items.len());
    for row in page.items {
        let detail = details.remove(&row.id);
        data.push(WithdrawalOut { status_detail: detail, ..of_row(row, page.position)? });
    }
    Ok(data)
}

/// What a row says.
fn of_row(row: WithdrawalRow, position: Position) -> Result<WithdrawalOut, Problem> {
    let currency = row.account.currency().map_err(|error| Problem::internal(&error))?;
    let amount = |mut value: Decimal| {
        value.rescale(row.amount.scale());
        Amount::new(value, currency)
    };
    Ok(WithdrawalOut {
        id: row.id,
        object: "withdrawal".to_owned(),
        status: row.status,
        is_final: row.status.is_final(),
        cancellable: row.status.is_cancellable(),
        funds: funds(row.status).to_owned(),
        amount: amount(row.amount),
        fee: amount(row.fee),
        unapplied: Some(amount(row.unapplied)),
        account: row.account,
        bank_account: row.bank_account,
        bank: row.bank,
        rail: row.rail,
        status_detail: None,
        version: Some(row.sequence),
        created_at: Some(row.requested_at),
        utr: None,
        paid_in_parts: None,
        late: Some(row.late),
        returned: None,
        owed: None,
        note: None,
        timeline: None,
        recorded_at: row.changed_at,
        position,
    })
}
