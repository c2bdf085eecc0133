//! What shops pay for being paid, by the version that they agreed to.
//!
//! A version is never changed: the next one gets a number of its own, and a payment keeps the
//! rates that it was made by.

use ledger_core::payment::Terms;
use rust_decimal::Decimal;

/// What a shop may owe us for refunds: nothing. A refund that it is short of waits.
pub(crate) const RECEIVABLE_LIMIT: Decimal = Decimal::ZERO;

/// 18 % of goods and services tax, in the fee.
const TAX_BPS: u16 = 1_800;
/// The fees by version, in basis points of what is paid, tax included.
const FEES_BPS: [(u32, u16); 1] = [(1, 200)];

/// The terms of a version; nothing for one that there never was.
pub(super) fn terms(version: u32) -> Option<Terms> {
    let known = FEES_BPS.into_iter().find(|(known, _)| *known == version);
    known.map(|(version, fee_bps)| Terms { version, fee_bps, tax_bps: TAX_BPS })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_sound_and_two_percent_is_what_shops_begin_with() {
        for (version, _) in FEES_BPS {
            assert!(terms(version).unwrap().are_sound());
        }
        let split = terms(1).unwrap().split("1000.00".parse().unwrap()).unwrap();
        let parts = [split.net, split.income, split.tax].map(|part| part.to_string());
        assert_eq!(parts, ["980.00", "16.95", "3.05"]);
        assert_eq!(terms(0), None);
    }
}
