//! `/v1/accounts/{id}/usage`: what an account has used of its tier's limits. Read from the log
//! itself, since read models count nothing; so it is as fresh as the log.

use chrono::NaiveDate;
use ledger_core::{
    account::Usage,
    book::Book,
    engine,
    ids::{AccountId, TierName},
    tier::{Flow, FlowLimits, Limit, Tier},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        ApiState, Problem, codes,
        path::Id,
        query::{NoParams, Params},
        reader::Reader,
        reply::Reply,
        wire::Amount,
    },
    identity::Scope,
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get))
}

/// What was used of a limit. Where there is no limit, `maximum` and `left` are left out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = LimitUsage)]
struct LimitOut {
    /// What was moved in the period.
    used: Amount,
    /// The limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maximum: Option<Amount>,
    /// How much of it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left: Option<Amount>,
    /// The first day that is counted afresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    resets_on: Option<NaiveDate>,
}

/// What was used in one direction.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FlowUsage)]
struct FlowOut {
    /// The most that one transaction may move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_transaction: Option<Amount>,
    /// Today.
    day: LimitOut,
    /// This month.
    month: LimitOut,
    /// This calendar year.
    year: LimitOut,
}

/// What an account has used of its tier's limits.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AccountUsage)]
struct UsageOut {
    /// Always `account_usage`.
    #[schema(example = "account_usage")]
    object: String,
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// Its tier; `null` if it is on none, and then there is nothing more.
    #[schema(value_type = Option<String>, example = "full_kyc")]
    tier: Option<TierName>,
    /// The tier's version in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The book's day that is counted.
    #[schema(value_type = String, format = Date)]
    today: NaiveDate,
    /// The most that it may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    balance: Option<Amount>,
    /// What came in.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    incoming: Option<FlowOut>,
    /// What went out.
    #[serde(default, rename = "out", skip_serializing_if = "Option::is_none")]
    outgoing: Option<FlowOut>,
    /// The account's sequence that this is the usage of.
    sequence: u64,
}

/// What a flow is made of.
struct Flows<'a> {
    usage: &'a Usage,
    tier: &'a Tier,
    scale: u32,
    today: NaiveDate,
}

impl Flows<'_> {
    fn amount(&self, mut amount: Decimal) -> Amount {
        amount.rescale(self.scale);
        Amount::new(amount, self.tier.currency)
    }

    fn period(&self, flow: Flow, limits: &FlowLimits, limit: Limit) -> LimitOut {
        let used = self.usage.used(flow, limit, self.today);
        let maximum = limits.of(limit);
        let left = maximum.map(|maximum| maximum.saturating_sub(used).max(Decimal::ZERO));
        LimitOut {
            used: self.amount(used),
            maximum: maximum.map(|maximum| self.amount(maximum)),
            left: left.map(|left| self.amount(left)),
            resets_on: limit.resets_on(self.today),
        }
    }

    fn flow(&self, flow: Flow) -> FlowOut {
        let limits = self.tier.limits.flow(flow);
        FlowOut {
            per_transaction: limits.per_transaction.map(|limit| self.amount(limit)),
            day: self.period(flow, limits, Limit::Day),
            month: self.period(flow, limits, Limit::Month),
            year: self.period(flow, limits, Limit::Year),
        }
    }
}

/// Get what an account has used of its tier's limits
///
/// Today, this month and this year, in the book's time zone.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/usage",
    tag = "Accounts",
    params(("id" = String, Path, description = "Code and currency", example = "wallet:asha:INR")),
    responses((status = 200, description = "What was used.", body = UsageOut)),
)]
async fn get(
    reader: Reader,
    Id(id): Id<AccountId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<UsageOut>, Problem> {
    let scopes = [Scope::LedgerRead, Scope::BalancesRead];
    reader.admit_reach(&scopes, None).await?.0.account(&id)?;
    let state = &reader.state;
    // Taken before the account is read: what the answer reflects is no older.
    let status = state.ledger.status().borrow().clone();
    let mut db = state.reads.acquire().await?;
    let account = engine::read_account(&mut db, &id).await?;
    let Some(opened) = account.properties() else {
        return Err(Problem::new(codes::NOT_FOUND, "There is no such account."));
    };
    let book: &Book = &status.book;
    let today = book.day(state.clock.now());
    let found = account.usage().and_then(|usage| Some((usage, book.tiers().get(usage.tier())?)));
    let scale = u32::from(opened.scale);
    let flows = found.map(|(usage, tier)| Flows { usage, tier, scale, today });
    let answer = UsageOut {
        object: "account_usage".to_owned(),
        tier: account.usage().map(|usage| usage.tier().clone()),
        version: flows.as_ref().map(|flows| flows.tier.version),
        today,
        balance: flows.as_ref().and_then(|f| f.tier.limits.balance.map(|cap| f.amount(cap))),
        incoming: flows.as_ref().map(|flows| flows.flow(Flow::In)),
        outgoing: flows.as_ref().map(|flows| flows.flow(Flow::Out)),
        sequence: account.sequence(),
        account: id,
    };
    Ok(Reply::ok(answer).at(status.head.position))
}
