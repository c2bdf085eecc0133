//! What a withdrawal costs. A fee is stated with its tax in it; the tax is taken out by integers of
//! minor units, half up on the tax, so that fee less tax and tax always come to the fee.

use rust_decimal::Decimal;

use crate::money::{Money, MoneyError};

/// A rate in hundredths of a percent: 18 % is 1800.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasisPoints(pub u16);

/// The price of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// What the payee gets.
    pub amount: Money,
    /// What it costs, tax included.
    pub fee: Money,
    /// How much of the fee is earned.
    pub net: Money,
    /// How much of the fee is tax.
    pub tax: Money,
    /// What leaves the wallet.
    pub total: Money,
}

/// The price of sending `amount` for `fee`, of which a tax at `rate` is a part.
///
/// # Errors
/// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
pub fn quote(amount: Money, fee: Money, rate: BasisPoints) -> Result<Quote, MoneyError> {
    let tax = tax_within(fee, rate)?;
    let (net, total) = (fee.checked_sub(tax)?, amount.checked_add(fee)?);
    Ok(Quote { amount, fee, net, tax, total })
}

/// The tax at `rate` that a price includes.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn tax_within(price: Money, rate: BasisPoints) -> Result<Money, MoneyError> {
    let (price, currency) = (price.amount(), price.currency());
    let rate = i128::from(rate.0);
    let tax = (|| {
        let whole = rate.checked_add(10_000)?;
        let double = price.mantissa().checked_mul(rate)?.checked_mul(2)?;
        double.checked_add(whole)?.checked_div_euclid(whole.checked_mul(2)?)
    })();
    let tax = tax.ok_or(MoneyError::Overflow)?;
    let tax = Decimal::try_from_i128_with_scale(tax, price.scale());
    Money::from_decimal(tax.map_err(|_| MoneyError::Overflow)?, currency)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        money::Currency,
        testing::{currency, dec, inr},
    };

    const GST: BasisPoints = BasisPoints(1_800);

    #[test]
    fn a_fee_has_its_tax_in_it() {
        let quoted = quote(inr("5000"), inr("20.00"), GST).unwrap();
        assert_eq!((quoted.net, quoted.tax), (inr("16.95"), inr("3.05")));
        assert_eq!(quoted.total, inr("5020.00"));
        let quoted = quote(inr("5000"), inr("10.00"), GST).unwrap();
        assert_eq!((quoted.net, quoted.tax), (inr("8.47"), inr("1.53")));
        let free = quote(inr("5000"), inr("0"), GST).unwrap();
        assert_eq!((free.net, free.tax, free.total), (inr("0"), inr("0"), inr("5000")));
    }

    #[test]
    fn exactly_half_a_minor_unit_of_tax_is_rounded_up() {
        // 0.03 at 20 % has 0.005 of tax in it.
        assert_eq!(tax_within(inr("0.03"), BasisPoints(2_000)), Ok(inr("0.01")));
        assert_eq!(tax_within(inr("0.02"), BasisPoints(2_000)), Ok(inr("0.00")));
        let yen = Money::parse("3", currency("JPY")).unwrap();
        assert_eq!(tax_within(yen, BasisPoints(2_000)).unwrap().amount(), dec("1"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let dollars = Money::parse("1", currency("USD")).unwrap();
        assert_eq!(quote(inr("1"), dollars, GST), Err(MoneyError::CurrencyMismatch));
        let most = Decimal::MAX;
        let wei = Currency { code: "WEI".parse().unwrap(), scale: 0 };
        let most = Money::from_decimal(most, wei).unwrap();
        assert_eq!(quote(most, most, GST), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn tax_and_net_come_to_the_fee(minor in 0_i64..=1_000_000_000, rate in 0_u16..=10_000) {
            let fee = Money::from_decimal(Decimal::new(minor, 2), currency("INR")).unwrap();
            let quoted = quote(inr("1"), fee, BasisPoints(rate)).unwrap();
            prop_assert_eq!(quoted.net.checked_add(quoted.tax), Ok(fee));
            // Within half a minor unit of the exact tax: |tax * (1 + r) - fee * r| <= (1 + r) / 2.
            let (tax, rate) = (quoted.tax.amount().mantissa(), i128::from(rate));
            let whole = rate.saturating_add(10_000);
            let exact = i128::from(minor).saturating_mul(rate);
            let off = tax.saturating_mul(whole).abs_diff(exact);
            prop_assert!(off.saturating_mul(2) <= whole.unsigned_abs(), "{off}");
        }
    }
}
