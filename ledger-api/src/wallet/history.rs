//! Money in and out of a wallet, day by day: the bars of the dashboard.

use chrono::{Days, NaiveDate};
use ledger_core::{
    ids::AccountId,
    log::Position,
    money::{Money, MoneyError},
};
use rust_decimal::Decimal;

use crate::http::{ApiState, Problem, reader::known_account};

/// The spans that are shown.
pub(crate) const SPANS: [u32; 3] = [7, 30, 90];

/// What moved on one day of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryDay {
    /// The day.
    pub day: NaiveDate,
    /// What came; nothing before the wallet existed.
    pub money_in: Option<Money>,
    /// What went; nothing before the wallet existed.
    pub money_out: Option<Money>,
}

/// The last days of a wallet, every one of them, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The days.
    pub days: Vec<HistoryDay>,
    /// What came on all of them.
    pub total_in: Money,
    /// What went on all of them.
    pub total_out: Money,
    /// The position that this reflects.
    pub position: Position,
}

/// The last so many days of a wallet, today included.
pub(crate) async fn history(
    state: &ApiState,
    account: &AccountId,
    span: u32,
) -> Result<History, Problem> {
    let opened = known_account(state, account).await?.ok_or_else(crate::http::reach::nothing)?;
    let book = state.ledger.status().borrow().book.clone();
    let today = book.day(state.clock.now());
    let back = u64::from(span.saturating_sub(1));
    let from = today.checked_sub_days(Days::new(back)).unwrap_or(today);
    let flows = state.read_models.flows(account, from, today).await?;
    let found = flows.value.ok_or_else(crate::http::reach::nothing)?;
    let born = book.day(opened.opened_at);
    let internal = |error: MoneyError| Problem::internal(&error);
    let money = |amount| super::money(amount, found.currency).map_err(internal);
    let sum = |of: fn(&projections::DayFlow) -> Decimal| {
        let amounts = found.days.iter().map(of);
        money(amounts.fold(Decimal::ZERO, Decimal::saturating_add))
    };
    let (total_in, total_out) = (sum(|day| day.money_in)?, sum(|day| day.money_out)?);
    let mut days = Vec::new();
    for day in from.iter_days().take_while(|day| *day <= today) {
        let moved = found.days.iter().find(|flow| flow.day == day);
        let of = |amount: Decimal| (day >= born).then(|| money(amount)).transpose();
        days.push(HistoryDay {
            day,
            money_in: of(moved.map_or(Decimal::ZERO, |flow| flow.money_in))?,
            money_out: of(moved.map_or(Decimal::ZERO, |flow| flow.money_out))?,
        });
    }
    Ok(History { days, total_in, total_out, position: flows.position })
}
