//! What settles on which bank day: the shop's money that it was paid and cannot spend yet.

use chrono::NaiveDate;
use ledger_core::money::Currency;

use super::{Anybody, ShopVisitor};
use crate::{
    http::Problem,
    pages::ui::{Column, DataTable, MoneyView},
    payments::{self, BankCalendar},
    wallet,
};

/// The most days that are shown: a lag is a few bank days, and holidays lie between them.
const DAYS_MAX: u32 = 31;

/// The days as a table, the next one first; nothing if there is nothing to settle.
pub(super) async fn days(
    visitor: &ShopVisitor<Anybody>,
    currency: Currency,
) -> Result<Option<DataTable>, Problem> {
    let code = payments::code_of(visitor.at.shop.id)?;
    let found = visitor.state.read_models.settling_days(&code, currency.code, DAYS_MAX).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let today = BankCalendar::day_at(visitor.now());
    let columns = [Column::words("Day"), Column::numbers("Payments"), Column::numbers("Settles")];
    let rows = found.iter().map(|settling| {
        let amount = wallet::money(settling.amount, currency);
        let amount = amount.map_err(|error| Problem::internal(&error))?;
        Ok(vec![
            words(settling.day, today).into(),
            settling.payments.to_string().into(),
            MoneyView::plain(amount).into(),
        ])
    });
    let rows: Result<Vec<_>, Problem> = rows.collect();
    Ok(Some(DataTable::new("What settles on which day", &columns, rows?)))
}

/// A bank day, as somebody says it on `today`.
fn words(day: NaiveDate, today: NaiveDate) -> String {
    let date = day.format("%a %-d %b");
    // What is due is settled within the minute; until then it stands here.
    if day <= today {
        return "Today".to_owned();
    }
    if today.succ_opt() == Some(day) { format!("Tomorrow, {date}") } else { date.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_days_have_names() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-11-23");
        for (text, said) in [
            ("2026-11-22", "Today"),
            ("2026-11-23", "Today"),
            ("2026-11-24", "Tomorrow, Tue 24 Nov"),
            ("2026-11-25", "Wed 25 Nov"),
        ] {
            assert_eq!(words(day(text), today), said);
        }
    }
}
