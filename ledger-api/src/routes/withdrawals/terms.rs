//! What a withdrawal costs. One flat fee per currency, its tax in it; currencies that are not in
//! the table cost nothing.

use ledger_core::{
    money::{Money, MoneyError},
    withdrawal::quote::{BasisPoints, Quote, quote},
};

/// The fees, tax included.
const FEES: [(&str, &str); 1] = [("INR", "10.00")];
/// GST, 18 %.
const TAX: BasisPoints = BasisPoints(1_800);

/// The price of sending `amount`.
pub(crate) fn price(amount: Money) -> Result<Quote, MoneyError> {
    let currency = amount.currency();
    let fee = FEES.iter().find(|(code, _)| *code == currency.code.as_str());
    let fee = match fee {
        Some((_, fee)) => Money::parse(fee, currency)?,
        None => Money::zero(currency),
    };
    quote(amount, fee, TAX)
}

#[cfg(test)]
mod tests {
    use ledger_core::money::Currency;

    use super::*;

    #[test]
    fn rupees_cost_ten_and_other_currencies_nothing() {
        let money = |code: &str, scale, text| {
            Money::parse(text, Currency { code: code.parse().unwrap(), scale }).unwrap()
        };
        let rupees = price(money("INR", 2, "5000.13")).unwrap();
        assert_eq!(rupees.total, money("INR", 2, "5010.13"));
        assert_eq!(rupees.tax, money("INR", 2, "1.53"));
        let yen = price(money("JPY", 0, "5000")).unwrap();
        assert!(yen.fee.is_zero() && yen.total == yen.amount);
    }
}
