//! What the house decides about its own money.
//!
//! `BAHI_COMPENSATION_PER_DAY`: what a customer gets for each day that a bank is late, in rupees.
//! Each payment says in the table of compensations by which rate it was made; in the log it is the
//! amount. `BAHI_TREASURY_BUFFER`: what is kept in escrow beyond what is owed, in each currency.
//! `BAHI_TREASURY_ORDERS`: whether banks are told by us to make the moves that people approved
//! (`on`), or people make them (`off`).

use std::ffi::OsString;

use rust_decimal::Decimal;

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct House {
    /// For each day; nothing is paid if it is zero.
    pub compensation_per_day: Decimal,
    /// Beyond what is owed.
    pub treasury_buffer: Decimal,
    /// Whether banks are told to make moves of our own.
    pub treasury_orders: bool,
}

impl Default for House {
    fn default() -> Self {
        // The first by the rule of the RBI of 2019 on the turn-around of failed transactions.
        Self {
            compensation_per_day: Decimal::ONE_HUNDRED,
            treasury_buffer: Decimal::ONE_THOUSAND,
            treasury_orders: true,
        }
    }
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not {1}")]
pub struct HouseError(&'static str, &'static str);

const AN_AMOUNT: &str = "an amount such as 100.00";
const ORDERS: &str = "BAHI_TREASURY_ORDERS";

impl House {
    /// As in the demonstration: more is kept in escrow, for its banks start with that and nobody
    /// comes to top them up.
    pub fn of_the_demo() -> Self {
        Self { treasury_buffer: Decimal::from(500_000), ..Self::default() }
    }

    /// As some variables say; what they do not say is as usual.
    ///
    /// # Errors
    /// [`HouseError`] with the variable that makes no sense.
    pub fn from_variables(
        usual: Self,
        get: impl Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, HouseError> {
        let amount = |name: &'static str, usual: Decimal| -> Result<Decimal, HouseError> {
            let Some(value) = get(name) else { return Ok(usual) };
            let text = value.to_str().ok_or(HouseError(name, AN_AMOUNT))?.trim();
            // As with other variables, an empty one counts as none.
            if text.is_empty() {
                return Ok(usual);
            }
            let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let amount = Decimal::from_str_exact(text).ok();
            amount.filter(|a| plain && a.scale() <= 2).ok_or(HouseError(name, AN_AMOUNT))
        };
        let said = get(ORDERS).unwrap_or_default();
        let treasury_orders = match said.to_str().map(str::trim) {
            Some("") => usual.treasury_orders,
            Some("on") => true,
            Some("off") => false,
            _ => return Err(HouseError(ORDERS, "on or off")),
        };
        Ok(Self {
            compensation_per_day: amount("BAHI_COMPENSATION_PER_DAY", usual.compensation_per_day)?,
            treasury_buffer: amount("BAHI_TREASURY_BUFFER", usual.treasury_buffer)?,
            treasury_orders,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_an_amount_or_as_usual() {
        let of = |per_day: &'static str| {
            House::from_variables(House::default(), |name| {
                (name == "BAHI_COMPENSATION_PER_DAY").then(|| OsString::from(per_day))
            })
        };
        assert_eq!(of(""), Ok(House::default()));
        let of_250 = of(" 250.50 ").unwrap();
        assert_eq!(of_250.compensation_per_day.to_string(), "250.50");
        assert_eq!(of_250.treasury_buffer, House::default().treasury_buffer);
        for bad in ["-1", "1e3", "a lot", "0.001"] {
            assert_eq!(of(bad), Err(HouseError("BAHI_COMPENSATION_PER_DAY", AN_AMOUNT)));
        }
        let orders = |said: &'static str| {
            House::from_variables(House::default(), |name| {
                (name == ORDERS).then(|| OsString::from(said))
            })
            .map(|house| house.treasury_orders)
        };
        assert_eq!((orders(""), orders(" off "), orders("on")), (Ok(true), Ok(false), Ok(true)));
        assert_eq!(orders("no"), Err(HouseError(ORDERS, "on or off")));
    }
}
