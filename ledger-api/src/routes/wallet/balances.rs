//! What is in a wallet, and what went in and out day by day.

use chrono::NaiveDate;
use ledger_core::ids::AccountId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::READ;
use crate::{
    http::{Problem, query::Params, reader::Reader, reply::Reply, wire::Amount},
    routes::accounts::MinPosition,
    wallet,
};

/// A wallet's balance in its parts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WalletBalances)]
pub(super) struct BalancesOut {
    /// Always `balances`.
    #[schema(example = "balances")]
    object: String,
    /// The wallet.
    #[schema(value_type = String, example = "wallet:01935c3a5e7c7d3e8f00a1b2c3d4e5f6:INR")]
    account: AccountId,
    /// What can be spent now.
    available: Amount,
    /// What a bank told of and is being checked.
    on_its_way_in: Amount,
    /// What was given to a bank or waits for it, with its fees.
    on_its_way_out: Amount,
    /// What is the wallet's and cannot be spent now: what waits to be claimed, and liens.
    held: Amount,
    /// The sum of these four.
    total: Amount,
    /// What one owes us: of what a bank took back or paid twice. The next money that comes repays
    /// it. No part of the sum.
    owed: Amount,
    /// The position that the answer reflects.
    position: u64,
}

/// Get one's balances
///
/// Never one number: what can be spent, what is on its way in and out, what is held.
#[utoipa::path(
    get,
    path = "/v1/balances",
    tag = "Wallet",
    params(MinPosition),
    responses((status = 200, description = "The balances.", body = BalancesOut)),
)]
pub(super) async fn now(
    reader: Reader,
    Params(query): Params<MinPosition>,
) -> Result<Reply<BalancesOut>, Problem> {
    let (person, _) = reader.admit_person(READ, query.min_position).await?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let found = wallet::balances(&reader.state, &account).await?;
    let position = found.position;
    Ok(Reply::ok(BalancesOut::from(found)).at(position))
}

impl From<wallet::Balances> for BalancesOut {
    fn from(found: wallet::Balances) -> Self {
        Self {
            object: "balances".to_owned(),
            account: found.account,
            available: found.available.into(),
            on_its_way_in: found.on_its_way_in.into(),
            on_its_way_out: found.on_its_way_out.into(),
            held: found.held.into(),
            total: found.total.into(),
            owed: found.owed.into(),
            position: found.position,
        }
    }
}

/// How far back to look.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// How many days, today included: 7, 30 or 90; 30 if left out.
    days: Option<u32>,
    /// Always `day`.
    #[param(inline)]
    interval: Option<IntervalWord>,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// What the history is divided by.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum IntervalWord {
    /// The book's days.
    Day,
}

/// Money in and out, day by day.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = BalanceHistory)]
pub(super) struct HistoryOut {
    /// Always `balance_history`.
    #[schema(example = "balance_history")]
    object: String,
    /// All the days, the oldest first.
    data: Vec<DayOut>,
    /// What came in on all of them.
    total_in: Amount,
    /// What went out on all of them.
    total_out: Amount,
    /// The position that the answer reflects.
    position: u64,
}

/// What moved on one day of the book.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = BalanceHistoryDay)]
struct DayOut {
    /// The day.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    /// What came; null before the wallet existed.
    #[serde(rename = "in")]
    money_in: Option<Amount>,
    /// What went; null before the wallet existed.
    #[serde(rename = "out")]
    money_out: Option<Amount>,
}

/// Get one's history by day
///
/// Every day of the span: zero where nothing moved, null before the wallet existed.
#[utoipa::path(
    get,
    path = "/v1/balances/history",
    tag = "Wallet",
    params(HistoryQuery),
    responses((status = 200, description = "The days.", body = HistoryOut)),
)]
pub(super) async fn by_day(
    reader: Reader,
    Params(query): Params<HistoryQuery>,
) -> Result<Reply<HistoryOut>, Problem> {
    let (person, _) = reader.admit_person(READ, query.min_position).await?;
    // There is one, so naming it changes nothing.
    let IntervalWord::Day = query.interval.unwrap_or(IntervalWord::Day);
    let span = query.days.unwrap_or(30);
    if !wallet::SPANS.contains(&span) {
        return Err(Problem::parameter("days", "7, 30 or 90."));
    }
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let found = wallet::history(&reader.state, &account, span).await?;
    let days = found.days.into_iter().map(|day| DayOut {
        day: day.day,
        money_in: day.money_in.map(Amount::from),
        money_out: day.money_out.map(Amount::from),
    });
    let answer = HistoryOut {
        object: "balance_history".to_owned(),
        data: days.collect(),
        total_in: found.total_in.into(),
        total_out: found.total_out.into(),
        position: found.position,
    };
    Ok(Reply::ok(answer).at(found.position))
}
