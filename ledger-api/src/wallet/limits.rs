//! How much a wallet's tier still lets in or out: the limit that stands in the way first.
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

/// What the nearest limit leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitLeft {
    /// How much can still move at once.
    pub(crate) left: Money,
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
    let status = state.ledger.status().borrow().clone();
    let mut db = state.reads.acquire().await?;
    let account = engine::read_account(&mut db, &balances.account).await?;
    let today = status.book.day(state.clock.now());
    let Some(usage) = account.usage() else { return Ok(None) };
    let Some(tier) = status.book.tiers().get(usage.tier()) else { return Ok(None) };
    let limits = tier.limits.flow(flow);
    let periods = Limit::PERIODS.into_iter().filter_map(|limit| {
        let used = usage.used(flow, limit, today);
        Some((limit, limits.of(limit)?.saturating_sub(used)))
    });
    // What is held counts: it is still on the wallet.
    let holds = balances.available.amount().saturating_add(balances.held.amount());
    let cap = tier.limits.balance.filter(|_| flow == Flow::In);
    let cap = cap.map(|cap| (Limit::Balance, cap.saturating_sub(holds)));
    let nearest = periods.chain(cap).min_by_key(|(_, left)| *left);
    let Some((limit, left)) = nearest else { return Ok(None) };
    let left = super::money(left.max(Decimal::ZERO), balances.currency)
        .map_err(|error| Problem::internal(&error))?;
    Ok(Some(LimitLeft { left, limit, resets_on: limit.resets_on(today) }))
}
