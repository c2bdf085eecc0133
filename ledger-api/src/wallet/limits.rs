//! How much a wallet's tier still lets in or out: all its limits, and the one that stands in the
//! way first.
//!
//! Read from the account itself, which counts what it used; so it is as fresh as the log. It is
//! told beside forms and decides nothing: the ledger refuses by its own count.

use chrono::NaiveDate;
use ledger_core::{
    engine,
    money::Money,
    tier::{Flow, Limit},
};
use rust_decimal::Decimal;

use super::Balances;
use crate::http::{ApiState, Problem};

/// A limit, and what it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitLeft {
    /// How much it lets through altogether.
    pub(crate) most: Money,
    /// How much can still move at once.
    pub(crate) left: Money,
    /// Of what.
    pub(crate) flow: Flow,
    /// Which limit it is.
    pub(crate) limit: Limit,
    /// The first day that is counted afresh.
    pub(crate) resets_on: Option<NaiveDate>,
}

/// The limit that leaves the least of a flow; nothing where there is none.
pub(crate) async fn limit_left(
    state: &ApiState,
    balances: &Balances,
    flow: Flow,
) -> Result<Option<LimitLeft>, Problem> {
    let all = limits_left(state, balances).await?;
    let of_flow = all.into_iter().filter(|limit| limit.flow == flow);
    Ok(of_flow.min_by_key(|limit| limit.left.amount()))
}

/// Every limit of the wallet's tier, of what comes in first. What may be held is one of those.
pub(crate) async fn limits_left(
    state: &ApiState,
    balances: &Balances,
) -> Result<Vec<LimitLeft>, Problem> {
    let status = state.ledger.status().borrow().clone();
    let mut db = state.reads.acquire().await?;
    let account = engine::read_account(&mut db, &balances.account).await?;
    let today = status.book.day(state.clock.now());
    let Some(usage) = account.usage() else { return Ok(Vec::new()) };
    let Some(tier) = status.book.tiers().get(usage.tier()) else { return Ok(Vec::new()) };
    let money = |amount: Decimal| {
        super::money(amount, balances.currency).map_err(|error| Problem::internal(&error))
    };
    let mut found = Vec::new();
    for flow in [Flow::In, Flow::Out] {
        let limits = tier.limits.flow(flow);
        let periods = Limit::PERIODS
            .into_iter()
            .filter_map(|limit| Some((limit, limits.of(limit)?, usage.used(flow, limit, today))));
        // What is held counts: it is still on the wallet.
        let holds = balances.available.amount().saturating_add(balances.held.amount());
        let cap = tier.limits.balance.filter(|_| flow == Flow::In);
        for (limit, most, used) in periods.chain(cap.map(|cap| (Limit::Balance, cap, holds))) {
            let left = money(most.saturating_sub(used).max(Decimal::ZERO))?;
            let resets_on = limit.resets_on(today);
            found.push(LimitLeft { most: money(most)?, left, flow, limit, resets_on });
        }
    }
    Ok(found)
}
