//! Money in and out for each day, as bars, with the same figures as a table behind them.
//!
//! The bars are stretched to whatever width there is; words are not: they stand outside the
//! drawing, so that they keep their size on a narrow screen. A day that is not known yet is shaded
//! and is not a day of zero.

use askama::{Template, filters::HtmlSafe};
use chrono::NaiveDate;
use ledger_core::money::Money;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{MoneyView, money_text};

/// How high the drawing is, in its own units.
const HEIGHT: u32 = 1_000;
/// How much of it one day takes.
const DAY: usize = 10;
/// From this many days on, only some are named.
const NAMED_MAX: usize = 10;

/// What came in and went out in one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayFlow {
    /// The day.
    pub(crate) date: NaiveDate,
    /// What came in and went out; nothing if that is not known.
    pub(crate) flow: Option<(Money, Money)>,
}

/// What was sold in one hour of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HourSales {
    /// Which hour, from 0 on.
    pub(crate) hour: u32,
    /// What was sold; nothing if the hour has not come.
    pub(crate) sold: Option<Money>,
}

/// The chart.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/chart.html")]
pub(crate) struct BarChart {
    title: String,
    summary: String,
    width: usize,
    bars: Vec<Bar>,
    rows: Vec<Row>,
    top: String,
    middle: String,
    labels: Vec<String>,
    each_named: bool,
    empty: bool,
    /// What one bar stands for.
    unit: &'static str,
    /// What the bars show: one kind of them, or what came beside what went.
    incoming: &'static str,
    outgoing: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bar {
    x: usize,
    in_height: u32,
    out_height: u32,
    known: bool,
    words: String,
}

impl Bar {
    fn in_y(&self) -> u32 {
        HEIGHT - self.in_height
    }

    fn out_y(&self) -> u32 {
        HEIGHT - self.out_height
    }
}

#[derive(Debug, Clone)]
struct Row {
    day: String,
    flow: Option<(MoneyView, MoneyView)>,
}

impl BarChart {
    /// The chart of these days, in order.
    pub(crate) fn new(title: impl Into<String>, days: &[DayFlow]) -> Self {
        let amounts = || days.iter().filter_map(|day| day.flow);
        let largest = amounts()
            .flat_map(|(incoming, outgoing)| [incoming.amount(), outgoing.amount()])
            .max()
            .unwrap_or_default();
        let top = round_up(largest);
        let half = top / Decimal::TWO;
        Self {
            title: title.into(),
            summary: summary(days),
            width: days.len() * DAY,
            bars: days.iter().enumerate().map(|(index, day)| bar(index, day, top)).collect(),
            rows: days.iter().rev().map(row).collect(),
            top: short(top),
            middle: short(half),
            labels: labels(days),
            each_named: days.len() <= NAMED_MAX,
            empty: largest.is_zero(),
            unit: "Day",
            incoming: "In",
            outgoing: Some("Out"),
        }
    }

    /// The chart of a day's hours, in order: what was sold in each.
    pub(crate) fn of_hours(title: impl Into<String>, hours: &[HourSales]) -> Self {
        let sold = || hours.iter().filter_map(|hour| hour.sold);
        let largest = sold().map(|money| money.amount()).max().unwrap_or_default();
        let top = round_up(largest);
        let all = sold().reduce(|all, one| all.checked_add(one).unwrap_or(all));
        let summary = all.map_or_else(String::new, |all| format!("{} sold.", money_text(&all)));
        Self {
            title: title.into(),
            summary,
            width: hours.len() * DAY,
            bars: hours.iter().enumerate().map(|(at, hour)| hour_bar(at, hour, top)).collect(),
            rows: hours.iter().rev().filter_map(hour_row).collect(),
            top: short(top),
            middle: short(top / Decimal::TWO),
            labels: HOURS_NAMED.map(str::to_owned).to_vec(),
            each_named: false,
            empty: largest.is_zero(),
            unit: "Hour",
            incoming: "Sold",
            outgoing: None,
        }
    }
}

/// The first hour, noon and the last.
const HOURS_NAMED: [&str; 3] = ["00", "12", "23"];

fn hour_bar(at: usize, hour: &HourSales, top: Decimal) -> Bar {
    let name = hour_name(hour.hour);
    Bar {
        x: at * DAY,
        in_height: hour.sold.map_or(0, |sold| height(sold, top)),
        out_height: 0,
        known: hour.sold.is_some(),
        words: match hour.sold {
            Some(sold) => format!("{name}: {}", money_text(&sold)),
            None => format!("{name}: still to come"),
        },
    }
}

/// Hours that are still to come have no row.
fn hour_row(hour: &HourSales) -> Option<Row> {
    let sold = MoneyView::plain(hour.sold?);
    Some(Row { day: hour_name(hour.hour), flow: Some((sold, sold)) })
}

fn hour_name(hour: u32) -> String {
    format!("{hour:02}:00 to {:02}:00", hour + 1)
}

/// How high a bar is. What is there is seen, however little it is.
fn height(money: Money, top: Decimal) -> u32 {
    let scaled = money.amount() * Decimal::from(HEIGHT) / top;
    let least = if money.is_positive() { 10 } else { 0 };
    scaled.trunc().to_u32().unwrap_or(0).clamp(least, HEIGHT)
}

impl HtmlSafe for BarChart {}

fn bar(index: usize, day: &DayFlow, top: Decimal) -> Bar {
    let height = |money: Money| height(money, top);
    let name = day.date.format("%-d %b");
    let words = match day.flow {
        Some((incoming, outgoing)) => {
            format!("{name}: in {}, out {}", money_text(&incoming), money_text(&outgoing))
        }
        None => format!("{name}: not known yet"),
    };
    Bar {
        x: index * DAY,
        in_height: day.flow.map_or(0, |(incoming, _)| height(incoming)),
        out_height: day.flow.map_or(0, |(_, outgoing)| height(outgoing)),
        known: day.flow.is_some(),
        words,
    }
}

fn row(day: &DayFlow) -> Row {
    let flow = day.flow.map(|(incoming, out)| (MoneyView::plain(incoming), MoneyView::plain(out)));
    Row { day: day.date.format("%a %-d %b").to_string(), flow }
}

/// The whole in one sentence, for who does not see the bars.
fn summary(days: &[DayFlow]) -> String {
    let known = days.iter().filter_map(|day| day.flow);
    let sums = known.reduce(|(all_in, all_out), (incoming, outgoing)| {
        // Sums that do not fit stay where they are: the table has every figure.
        let sum = |all: Money, one: Money| all.checked_add(one).unwrap_or(all);
        (sum(all_in, incoming), sum(all_out, outgoing))
    });
    match sums {
        Some((all_in, all_out)) => {
            format!("In {}, out {}.", money_text(&all_in), money_text(&all_out))
        }
        None => "Nothing is known of these days yet.".to_owned(),
    }
}

/// The names under the bars: each of a few days, or the first, the middle and the last of many.
fn labels(days: &[DayFlow]) -> Vec<String> {
    if days.len() <= NAMED_MAX {
        return days.iter().map(|day| day.date.format("%a").to_string()).collect();
    }
    [0, days.len() / 2, days.len() - 1]
        .into_iter()
        .filter_map(|index| days.get(index))
        .map(|day| day.date.format("%-d %b").to_string())
        .collect()
}

/// The next of 1, 2, 5, 10, 20, 50 … at or above it; 100 for nothing.
fn round_up(amount: Decimal) -> Decimal {
    let mut scale = Decimal::ONE;
    if amount.is_zero() {
        return Decimal::ONE_HUNDRED;
    }
    loop {
        for step in [1_u32, 2, 5] {
            let Some(top) = scale.checked_mul(Decimal::from(step)) else {
                return amount;
            };
            if top >= amount {
                return top;
            }
        }
        scale = scale.saturating_mul(Decimal::TEN);
    }
}

/// A round figure in a few letters: thousands, lakhs, crores.
fn short(amount: Decimal) -> String {
    let units = [(10_000_000_u32, "Cr"), (100_000, "L"), (1_000, "K")];
    for (size, unit) in units {
        let size = Decimal::from(size);
        if amount >= size {
            return format!("₹{}{unit}", (amount / size).normalize());
        }
    }
    format!("₹{}", amount.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_core::money::Currency;

    fn rupees(text: &str) -> Money {
        Money::parse(text, Currency { code: "INR".parse().unwrap(), scale: 2 }).unwrap()
    }

    fn days(flows: &[Option<(&str, &str)>]) -> Vec<DayFlow> {
        let first: NaiveDate = "2026-11-16".parse().unwrap();
        let dates = first.iter_days().zip(flows);
        dates
            .map(|(date, flow)| DayFlow {
                date,
                flow: flow.map(|(incoming, out)| (rupees(incoming), rupees(out))),
            })
            .collect()
    }

    #[test]
    fn the_axis_is_round_and_short() {
        let tops = ["0.01", "100", "101", "18400", "250000", "99999999"];
        let tops = tops.map(|amount| short(round_up(amount.parse().unwrap())));
        assert_eq!(tops, ["₹1", "₹100", "₹200", "₹20K", "₹5L", "₹10Cr"]);
    }

    #[test]
    fn bars_are_in_proportion_and_an_unknown_day_is_not_zero() {
        let days = days(&[Some(("1000", "500")), None, Some(("0", "0.01"))]);
        let heights: Vec<_> = BarChart::new("Test", &days)
            .bars
            .iter()
            .map(|bar| (bar.in_height, bar.out_height, bar.known))
            .collect();
        assert_eq!(heights, [(1000, 500, true), (0, 0, false), (0, 10, true)]);
        let chart = BarChart::new("Test", &days).to_string();
        assert!(chart.contains("class=\"unknown-day\"") && chart.contains("not known yet"));
        assert!(chart.contains("In ₹1,000.00, out ₹500.01."), "{chart}");
    }

    #[test]
    fn hours_that_have_not_come_are_neither_bars_of_zero_nor_rows() {
        let sold = [Some("0"), Some("200"), Some("50.50"), None];
        let hours: Vec<HourSales> = (0..)
            .zip(sold)
            .map(|(hour, sold)| HourSales { hour, sold: sold.map(rupees) })
            .collect();
        let chart = BarChart::of_hours("Today", &hours);
        let heights: Vec<_> = chart.bars.iter().map(|bar| (bar.in_height, bar.known)).collect();
        assert_eq!(heights, [(0, true), (1_000, true), (252, true), (0, false)]);
        let text = chart.to_string();
        assert!(text.contains("₹250.50 sold.") && text.contains("03:00 to 04:00: still to come"));
        assert_eq!(text.matches("<tr>").count(), 1 + 3, "{text}");
        assert!(!text.contains("bar-out") && !text.contains("Out"), "{text}");
    }

    #[test]
    fn a_chart_of_nothing_says_so_and_keeps_its_axis() {
        let chart = BarChart::new("Test", &days(&[Some(("0", "0")); 30])).to_string();
        assert!(chart.contains("Nothing moved"));
        assert!(chart.contains("₹100"));
        assert_eq!(chart.matches("<tr>").count(), 31);
    }
}
