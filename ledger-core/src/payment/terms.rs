//! What a shop pays for being paid: a rate with the tax in it, and how it is rounded.
//!
//! The fee is `gross × fee_bps / 10 000`, half up at the currency's scale; the tax in it is
//! `fee × tax_bps / (10 000 + tax_bps)`, half up as well; what is left of the fee is income. So
//! 1000.00 at 2 % is a fee of 20.00, which is 16.95 of income and 3.05 of tax at 18 %. Each part
//! but the last is rounded and the last is what is left, so they always add up to the whole.
//! Computed in whole minor units: a decimal would round a product by itself where it is long.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A hundred percent, in basis points.
const WHOLE_BPS: u16 = 10_000;

/// What is agreed with a shop: in force when a payment is made, and kept in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Which version of what is agreed.
    pub version: u32,
    /// Of a payment, in basis points, tax included; 10 000 at most.
    pub fee_bps: u16,
    /// The rate of the tax that is in the fee, in basis points: 1800 for 18 %; 10 000 at most.
    pub tax_bps: u16,
}

/// A payment taken apart; the three parts add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// What the shop gets.
    pub net: Decimal,
    /// What is earned.
    pub income: Decimal,
    /// The tax on that.
    pub tax: Decimal,
}

impl Terms {
    /// What shops began with: 2 %, with 18 % of goods and services tax in it.
    pub const FIRST: Self = Self { version: 1, fee_bps: 200, tax_bps: 1_800 };

    /// Whether the rates are rates.
    pub const fn are_sound(self) -> bool {
        self.fee_bps <= WHOLE_BPS && self.tax_bps <= WHOLE_BPS
    }

    /// Takes a payment apart. Nothing if the rates are none or the amount is below zero.
    pub fn split(self, gross: Decimal) -> Option<Split> {
        if !self.are_sound() || (gross.is_sign_negative() && !gross.is_zero()) {
            return None;
        }
        let (minor, scale) = (gross.mantissa(), gross.scale());
        let whole = i128::from(WHOLE_BPS);
        let fee = rounded(minor.checked_mul(i128::from(self.fee_bps))?, whole)?;
        let tax_bps = i128::from(self.tax_bps);
        let tax = rounded(fee.checked_mul(tax_bps)?, whole.checked_add(tax_bps)?)?;
        let part = |minor: i128| Decimal::try_from_i128_with_scale(minor, scale).ok();
        Some(Split {
            net: part(minor.checked_sub(fee)?)?,
            income: part(fee.checked_sub(tax)?)?,
            tax: part(tax)?,
        })
    }
}

/// `numerator / denominator`, half up; neither is below zero.
fn rounded(numerator: i128, denominator: i128) -> Option<i128> {
    let doubled = numerator.checked_mul(2)?.checked_add(denominator)?;
    doubled.checked_div(denominator.checked_mul(2)?)
}
