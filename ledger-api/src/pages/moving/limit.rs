//! What a tier still lets through, beside the forms.

use chrono::NaiveDate;
use ledger_core::{
    money::Money,
    tier::{Flow, Limit},
};

use super::Tab;
use crate::{
    http::{ApiState, Problem},
    pages::ui::money_text,
    wallet::{self, Balances, LimitLeft},
};

/// "₹18,000.00 more fits within your monthly limit, until 1 Dec."; nothing where there is no limit.
pub(super) async fn words(
    state: &ApiState,
    balances: &Balances,
    tab: Tab,
) -> Result<String, Problem> {
    let flow = match tab {
        Tab::Add => Flow::In,
        Tab::Send | Tab::Withdraw => Flow::Out,
    };
    let left = wallet::limit_left(state, balances, flow).await?;
    Ok(left.map(|left| said(&left)).unwrap_or_default())
}

/// Why so much cannot be added now; nothing if it can.
pub(super) async fn above(
    state: &ApiState,
    balances: &Balances,
    money: Money,
) -> Result<Option<String>, Problem> {
    let left = wallet::limit_left(state, balances, Flow::In).await?;
    let left = left.filter(|limit| limit.left.amount() < money.amount());
    Ok(left.map(|left| format!("That is over your limit. {}", said(&left))))
}

fn said(found: &LimitLeft) -> String {
    let left = money_text(&found.left);
    let again = |day: NaiveDate| format!(" It starts afresh on {}.", day.format("%-d %b"));
    let again = found.resets_on.map(again).unwrap_or_default();
    match found.limit {
        Limit::Transaction => format!("At most {left} at once."),
        Limit::Day => format!("{left} left of your daily limit.{again}"),
        Limit::Month => format!("{left} left of your monthly limit.{again}"),
        Limit::Year => format!("{left} left of your yearly limit.{again}"),
        Limit::Balance => format!("Your wallet has room for {left} more."),
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::money::{Currency, Money};

    use super::*;

    #[test]
    fn what_is_left_is_said_with_the_day_that_it_starts_afresh() {
        let currency = Currency { code: "INR".parse().unwrap(), scale: 2 };
        let left = Money::parse("18000", currency).unwrap();
        let said = |limit, day: Option<&str>| {
            let resets_on = day.map(|day| day.parse().unwrap());
            said(&LimitLeft { most: left, left, flow: Flow::Out, limit, resets_on })
        };
        assert_eq!(
            said(Limit::Month, Some("2026-12-01")),
            "₹18,000.00 left of your monthly limit. It starts afresh on 1 Dec."
        );
        assert_eq!(said(Limit::Transaction, None), "At most ₹18,000.00 at once.");
        assert_eq!(said(Limit::Balance, None), "Your wallet has room for ₹18,000.00 more.");
    }
}
