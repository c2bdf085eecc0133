//! `/v1/settlements`: what became spendable of a shop's payments.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{ids::SettlementId, log::Position};
use projections::{SettlementFilter, SettlementRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    http::{
        Problem, codes,
        path::Id,
        query::Params,
        reach::Reach,
        reader::{Listed, Reader, limit},
        reply::Reply,
        wire::Amount,
    },
    identity::Scope,
    payments::{self, BankCalendar},
    routes::accounts::MinPosition,
    shops::MerchantId,
};

/// What reading settlements takes; of shops, those who see money.
const READ: &[Scope] = &[Scope::LedgerRead, Scope::BalancesRead];

/// A settlement: payments whose money the shop can spend from then on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Settlement)]
pub(super) struct SettlementOut {
    /// Its id. The transaction that moves the money has the same digits.
    #[schema(value_type = String, example = "set_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: SettlementId,
    /// Always `settlement`.
    #[schema(example = "settlement")]
    object: String,
    /// The shop.
    #[schema(value_type = Option<String>, example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    merchant: Option<MerchantId>,
    /// The bank day on which it was made.
    day: NaiveDate,
    /// How many payments: a hundred at most. A busy day has several settlements.
    payments: u64,
    /// What was paid.
    gross: Amount,
    /// What that cost the shop, without the tax in it.
    fee: Amount,
    /// The tax.
    tax: Amount,
    /// What was taken out of these payments before: given back, or held for a dispute.
    refunds: Amount,
    /// What it moved: `gross` without `fee`, `tax` and `refunds`.
    net: Amount,
    /// How much of that repaid what the shop owed; the rest the shop can spend.
    repaid: Amount,
    /// When.
    created_at: DateTime<Utc>,
    /// The position that the answer reflects.
    position: u64,
}

impl SettlementOut {
    pub(super) fn of(row: &SettlementRow, position: Position) -> Self {
        let scale = row.gross.scale();
        let money = |mut value: rust_decimal::Decimal| {
            value.rescale(scale);
            Amount::new(value, row.currency)
        };
        Self {
            id: row.id,
            object: "settlement".to_owned(),
            merchant: payments::shop_of(&row.merchant),
            day: BankCalendar::day_at(row.settled_at),
            payments: row.payments,
            gross: money(row.gross),
            fee: money(row.fee),
            tax: money(row.tax),
            refunds: money(row.refunds),
            net: money(row.net),
            repaid: money(row.repaid),
            created_at: row.settled_at,
            position,
        }
    }
}

/// Which settlements to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SettlementsQuery {
    /// Of this shop; of shops, their own if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    merchant: Option<MerchantId>,
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

/// Goes on only for who sees a shop's money.
fn check_role(reach: Reach) -> Result<(), Problem> {
    match reach {
        Reach::OfMerchant(_, role) if !role.sees_money() => {
            Err(Problem::new(codes::FORBIDDEN, "Who stands at the till sees no settlements."))
        }
        Reach::Everything | Reach::Of(_) | Reach::OfMerchant(..) => Ok(()),
    }
}

/// List settlements
///
/// The last one first. `GET /v1/payments?settlement=` lists what one is made of.
#[utoipa::path(
    get,
    path = "/v1/settlements",
    tag = "Payments",
    params(SettlementsQuery),
    responses((status = 200, description = "A page of them.", body = Listed<SettlementOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<SettlementsQuery>,
) -> Result<Reply<Listed<SettlementOut>>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    check_role(reach)?;
    let limit = limit(query.limit)?;
    let list = reader.list("settlements", &query);
    let shop = payments::listed_shop(reach, query.merchant)?;
    let code = shop.map(payments::code_of).transpose()?;
    let before = list.resume(query.cursor.as_deref())?;
    let filter = SettlementFilter { merchant: code, before, ..SettlementFilter::default() };
    let page = models.settlements(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let data = page.items.iter().map(|row| SettlementOut::of(row, position));
    reader.page(&list, data.collect(), next, position)
}

/// Get a settlement
#[utoipa::path(
    get,
    path = "/v1/settlements/{id}",
    tag = "Payments",
    params(("id" = String, Path, description = "The settlement"), MinPosition),
    responses((status = 200, description = "The settlement.", body = SettlementOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<SettlementId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<SettlementOut>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    check_role(reach)?;
    let (position, row) = reader.find(|| models.settlement(id)).await?;
    payments::check_shop(reach, &row.merchant)?;
    Ok(Reply::ok(SettlementOut::of(&row, position)).at(position))
}
