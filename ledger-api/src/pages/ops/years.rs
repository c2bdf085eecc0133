//! The year's close, on the page of months: what was earned and is not in equity yet, and proposing
//! to move it there. It takes two persons, as closing a month does.

use axum::response::Response;
use chrono::{Datelike as _, NaiveDate};
use ledger_core::{
    book::{Book, BookEvent, PeriodOperation},
    chart::{AccountType, Authority},
};
use projections::PeriodChange;
use serde::Deserialize;

use super::{
    ActForm, Field, OpsSent, OpsVisitor, Part, after,
    periods::{self, code, date, propose, word},
};
use crate::{
    desk::{
        periods::{OF_YEARS, YearClosing, year},
        proposals::Kind,
    },
    http::Problem,
    pages::ui::{Cell, Column},
    periods::{YEAR_ENDS, last_closed_year},
};

/// What income and expense have of closed days, and the form that closes a year. `closed` are the
/// months that may be its last one, the latest first; nothing where there is none.
pub(super) async fn part(
    visitor: &OpsVisitor,
    (book, changes): (&Book, &[PeriodChange]),
    closed: Vec<(NaiveDate, String)>,
) -> Result<Option<Part>, Problem> {
    let Some((latest, _)) = closed.first() else { return Ok(None) };
    let until = last_closed_year(book, ends(changes)).unwrap_or(*latest);
    let earned = visitor.state.read_models.earned_until(until).await?.value;
    let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(earned.len());
    for one in &earned {
        let is_income = one.account_type == AccountType::Income;
        let amount = if is_income { -one.net_debits } else { one.net_debits };
        rows.push(vec![
            one.account.to_string().into(),
            if is_income { "Income" } else { "Expense" }.into(),
            visitor.money(amount, one.currency.code)?.into(),
        ]);
    }
    let columns =
        [Column::words("Account"), Column::words("What it is"), Column::numbers("Amount")];
    let nothing = format!("Nothing: what was earned up to {until} is in equity.");
    let text = format!(
        "What was earned up to {until} and is not in equity yet. One transaction of that day moves \
         every account of income and expense to zero, and the rest to equity:retained. The sums \
         are taken when it is approved."
    );
    let mut choices: Vec<_> =
        closed.into_iter().map(|(last, words)| (last.to_string(), words)).collect();
    if choices.iter().all(|(last, _)| *last != until.to_string()) {
        choices.push((until.to_string(), until.format("%B %Y").to_string()));
    }
    let form = ActForm::new(format!("{}/close-year", periods::PATH), "Propose to close the year")
        .field(Field::choice("until", "The year’s last month", choices).value(until.to_string()))
        .field(code())
        .field(Field::evidence());
    Ok(Some(Part::new("Close a year").text(text).table(&columns, rows, &nothing).form(form)))
}

/// The month and day that years end with: as the last one did, else as usual.
fn ends(changes: &[PeriodChange]) -> (u32, u32) {
    let last = changes.iter().find_map(|change| match &change.event {
        BookEvent::YearClosed(year) => Some((year.until.month(), year.until.day())),
        BookEvent::PeriodClosed(_)
        | BookEvent::PeriodReopened(_)
        | BookEvent::Opened(_)
        | BookEvent::CurrencyAdded(_)
        | BookEvent::TierDefined(_)
        | BookEvent::TermsDefined(_)
        | BookEvent::FeeDefined(_)
        | BookEvent::CheckpointKeyRotated(_) => None,
    });
    last.unwrap_or(YEAR_ENDS)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseYear {
    nonce: String,
    until: String,
    reason: String,
    evidence_sha256: String,
}

/// Proposes to close a year.
pub(super) async fn close(
    OpsSent { visitor, form }: OpsSent<CloseYear>,
) -> Result<Response, Problem> {
    let done = ask(&visitor, &form).await;
    after(done, "/ops/approvals", async |errors| periods::board(&visitor, &errors).await).await
}

async fn ask(visitor: &OpsVisitor, form: &CloseYear) -> Result<(), Problem> {
    let (until, reason) = (date("until", &form.until)?, word(&form.reason)?);
    let operation = PeriodOperation::CloseYear(year(&visitor.writer()?, until).await?);
    let body = serde_json::to_value(YearClosing { until });
    let asked = (Kind::CloseYear, body.map_err(|error| Problem::internal(&error))?);
    let said = (&*form.nonce, &reason, form.evidence_sha256.trim());
    propose(visitor, (Authority::of(&OF_YEARS), operation), asked, said).await
}
