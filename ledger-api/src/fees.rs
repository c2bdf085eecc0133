//! What withdrawals and transfers cost, by the book as this process knows it.
//!
//! It is told and planned by this; the ledger charges by its own book, at the moment of the
//! command. Who was told a version can name it, and is refused where another is in force.

use ledger_core::{
    book::Book,
    clock::Timestamp,
    fee::Service,
    money::{Money, MoneyError},
    withdrawal::quote::Quote,
};

use crate::http::{ApiState, Problem, codes};

/// The price of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Price {
    /// The version that says so.
    pub(crate) version: u32,
    /// The price.
    pub(crate) quote: Quote,
}

/// What an amount costs at a moment.
pub(crate) fn price(
    book: &Book,
    service: Service,
    amount: Money,
    now: Timestamp,
) -> Result<Price, MoneyError> {
    let fee = book.fee(service, amount.currency(), now)?;
    Ok(Price { version: fee.version, quote: fee.price(amount)? })
}

/// What an amount costs now, as far as this process knows.
pub(crate) fn price_now(
    state: &ApiState,
    service: Service,
    amount: Money,
) -> Result<Price, Problem> {
    let book = state.ledger.status().borrow().book.clone();
    price(&book, service, amount, state.clock.now()).map_err(|error| {
        Problem::field(codes::AMOUNT_OVERFLOW, "/amount/value", format!("{error}."))
    })
}

/// What an amount costs now by the log: for what people are told before they agree.
pub(crate) async fn price_as_of_log(
    state: &ApiState,
    service: Service,
    amount: Money,
) -> Result<Price, Problem> {
    state.ledger.refresh().await?;
    price_now(state, service, amount)
}

/// Goes on unless another version than the one in force was told.
pub(crate) fn check_told(price: &Price, told: Option<u32>) -> Result<(), Problem> {
    match told {
        Some(told) if told != price.version => {
            let detail = format!("Version {} of the fee is in force, not {told}.", price.version);
            Err(Problem::new(codes::FEE_CHANGED, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// What is available without the fee of withdrawing it: the most that can be withdrawn.
pub(crate) fn whole(book: &Book, available: Money, now: Timestamp) -> Option<Money> {
    let fee = price(book, Service::Withdrawal, available, now).ok()?.quote.fee;
    available.checked_sub(fee).ok().filter(Money::is_positive)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use ledger_core::money::Currency;

    use super::*;

    #[test]
    fn all_that_can_be_withdrawn_is_what_is_left_without_the_fee() {
        let rupees = Currency { code: "INR".parse().unwrap(), scale: 2 };
        let money = |text: &str| Money::parse(text, rupees).unwrap();
        let whole = |text| whole(&Book::default(), money(text), DateTime::UNIX_EPOCH);
        assert_eq!(whole("510.00"), Some(money("500.00")));
        assert_eq!((whole("10.00"), whole("9.99")), (None, None));
    }

    #[test]
    fn who_was_told_another_version_is_told_which_is_in_force() {
        let rupees = Currency { code: "INR".parse().unwrap(), scale: 2 };
        let amount = Money::parse("5", rupees).unwrap();
        let price =
            price(&Book::default(), Service::Transfer, amount, DateTime::UNIX_EPOCH).unwrap();
        assert!(check_told(&price, None).is_ok() && check_told(&price, Some(1)).is_ok());
        assert_eq!(check_told(&price, Some(2)).unwrap_err().code(), "fee_changed");
    }
}
