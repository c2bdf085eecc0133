//! A balance, which is never one number: what is available, on its way in, on its way out, held.

use askama::{Template, filters::HtmlSafe};
use ledger_core::money::Money;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::MoneyView;

/// How wide the bar is, in its own units.
const BAR: u32 = 1_000;
/// The least that something that is there takes of it.
const SEGMENT_MIN: u32 = 12;

/// The parts of a balance.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/balance.html")]
pub(crate) struct BalanceSplit {
    available: MoneyView,
    incoming: MoneyView,
    outgoing: MoneyView,
    held: MoneyView,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    class: &'static str,
    x: u32,
    width: u32,
}

impl BalanceSplit {
    /// The four parts.
    pub(crate) fn new(available: Money, incoming: Money, outgoing: Money, held: Money) -> Self {
        let parts = [
            ("seg-available", available),
            ("seg-in", incoming),
            ("seg-out", outgoing),
            ("seg-held", held),
        ];
        Self {
            available: MoneyView::plain(available).hero().live("available"),
            incoming: MoneyView::plain(incoming).live("incoming"),
            outgoing: MoneyView::plain(outgoing).live("outgoing"),
            held: MoneyView::plain(held).live("held"),
            segments: segments(&parts),
        }
    }
}

impl HtmlSafe for BalanceSplit {}

/// The parts of the bar, in proportion; nothing if there is no money at all.
fn segments(parts: &[(&'static str, Money)]) -> Vec<Segment> {
    let there: Vec<_> = parts.iter().filter(|(_, money)| money.is_positive()).collect();
    let total = there.iter().fold(Decimal::ZERO, |sum, (_, money)| sum + money.amount());
    let mut x = 0;
    let mut segments = Vec::new();
    for (index, (class, money)) in there.iter().enumerate() {
        let share = money.amount() * Decimal::from(BAR) / total;
        let last = index + 1 == there.len();
        let most = BAR.saturating_sub(x);
        let width = share.trunc().to_u32().unwrap_or(0).max(SEGMENT_MIN);
        let width = if last { most } else { width.min(most) };
        segments.push(Segment { class, x, width });
        x = x.saturating_add(width);
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_core::money::Currency;

    fn rupees(text: &str) -> Money {
        Money::parse(text, Currency { code: "INR".parse().unwrap(), scale: 2 }).unwrap()
    }

    #[test]
    fn the_bar_is_full_and_in_proportion() {
        let parts = [
            ("a", rupees("750")),
            ("b", rupees("0")),
            ("c", rupees("0.01")),
            ("d", rupees("249.99")),
        ];
        let bar = segments(&parts);
        let widths: Vec<_> = bar.iter().map(|s| (s.class, s.x, s.width)).collect();
        assert_eq!(widths, [("a", 0, 750), ("c", 750, 12), ("d", 762, 238)]);
        assert_eq!(segments(&[("a", rupees("0"))]), []);
    }

    #[test]
    fn all_four_parts_are_shown_even_when_zero() {
        let zero = rupees("0");
        let split = BalanceSplit::new(rupees("1200"), zero, rupees("5000"), zero).to_string();
        let parts = ["Available", "On its way in", "On its way out", "Held", "₹5,000.00", "₹0.00"];
        for part in parts {
            assert!(split.contains(part), "{part}: {split}");
        }
    }
}
