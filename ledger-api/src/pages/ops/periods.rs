//! `/ops/periods`: which months are closed and by whom, what the books say of the month that is
//! closed next, and proposing to close months or to open them again. Both take two persons. What
//! closes a year stands beside it ([`super::years`]).

use axum::response::Response;
use chrono::{Datelike as _, Months, NaiveDate};
use ledger_core::{
    book::{BookEvent, PeriodOperation},
    chart::Authority,
    ids::Reference,
};
use projections::{
    AsOf, PeriodChange,
    reports::{Report, statements},
};
use serde::Deserialize;

use super::{
    ActForm, Board, Counter, Field, OpsSent, OpsVisitor, Part, after, approvals,
    overview::proposals, years,
};
use crate::{
    desk::{
        carrying_out, caught_up,
        periods::{Closing, Opening},
        proposals::{Kind, NewProposal},
    },
    http::{Problem, codes},
    pages::{FormErrors, act, respond, ui::Column},
};

pub(super) const PATH: &str = "/ops/periods";
/// What proposals are about: there is one row of months.
const SUBJECT: &str = "periods";
/// How many months are shown.
const MONTHS: u32 = 13;

pub(super) async fn page(visitor: OpsVisitor) -> Result<Response, Problem> {
    Ok(respond::page(&board(&visitor, &FormErrors::none()).await?))
}

/// A month, by its first and its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Month {
    first: NaiveDate,
    last: NaiveDate,
}

impl Month {
    fn of(day: NaiveDate) -> Option<Self> {
        let first = day.with_day(1)?;
        Some(Self { first, last: first.checked_add_months(Months::new(1))?.pred_opt()? })
    }

    /// The last months up to the one of a day, the latest first.
    fn up_to(day: NaiveDate) -> Vec<Self> {
        let back = |months| Self::of(day.with_day(1)?.checked_sub_months(Months::new(months))?);
        (0..MONTHS).filter_map(back).collect()
    }

    fn words(self) -> String {
        self.first.format("%B %Y").to_string()
    }

    fn is_closed(self, until: Option<NaiveDate>) -> bool {
        until.is_some_and(|until| self.last <= until)
    }

    /// What closed it and was not taken back since; the changes come the last one first.
    fn closed_by(self, changes: &[PeriodChange]) -> Option<&PeriodChange> {
        let mut found = None;
        for change in changes.iter().rev() {
            if let BookEvent::PeriodClosed(closed) = &change.event
                && self.last <= closed.until
                && found.is_none()
            {
                found = Some(change);
            }
            if let BookEvent::PeriodReopened(opened) = &change.event
                && opened.from <= self.last
            {
                found = None;
            }
        }
        found
    }
}

pub(super) async fn board(visitor: &OpsVisitor, errors: &FormErrors) -> Result<Board, Problem> {
    caught_up(&visitor.state).await?;
    let book = visitor.state.ledger.status().borrow().book.clone();
    let (until, today) = (book.closed_until(), book.day(visitor.now()));
    let changes = visitor.state.read_models.period_changes().await?;
    let months = Month::up_to(today);
    let over = |month: &&Month| month.last < today && !month.is_closed(until);
    let open: Vec<Month> = months.iter().filter(over).copied().collect();
    let lead = "Nothing that belongs to a closed month is posted any more. Closing a month and \
                opening it again take two persons.";
    let mut board = Board::new(visitor, "Months", "periods").lead(lead).errors(errors);
    let closed = until.map_or_else(|| "nothing".to_owned(), |until| until.to_string());
    board = board
        .counter(Counter::new("Closed up to", closed))
        .counter(Counter::new("The book’s day", today.to_string()))
        .counter(Counter::new("Over and open", open.len().to_string()));
    for proposal in proposals(visitor).waiting(SUBJECT, visitor.now()).await? {
        board = board.part(approvals::part(visitor, &proposal));
    }
    // The first one behind those that are closed; of a book that never closed any, the last one.
    let next = if until.is_some() { open.last() } else { open.first() };
    if let Some(next) = next {
        board = totals(visitor, board, *next).await?.part(close_form(&open, *next));
    }
    board = board.part(list(visitor, &months, (until, today), &changes));
    let closed = months.iter().filter(|month| month.is_closed(until));
    let closed: Vec<_> = closed.map(|month| (month.last, month.words())).collect();
    if let Some(part) = years::part(visitor, (&book, &changes), closed).await? {
        board = board.part(part);
    }
    Ok(board.part(history(visitor, &changes)))
}

/// What the books say up to the end of a month, and what their parts come to now.
async fn totals(visitor: &OpsVisitor, board: Board, month: Month) -> Result<Board, Problem> {
    let models = &visitor.state.read_models;
    let sheet = models.sheet(AsOf::Day(month.last)).await?.value;
    let stated = statements(Report::TrialBalance, &sheet, None);
    let stated = stated.ok_or_else(|| Problem::internal(&"a trial balance that does not fit"))?;
    let mut rows = Vec::with_capacity(stated.len());
    for one in stated {
        rows.push(vec![
            one.currency.to_string().into(),
            visitor.money(one.debits, one.currency)?.into(),
            visitor.money(one.credits, one.currency)?.into(),
            visitor.money(one.result, one.currency)?.into(),
            if one.balanced { "Yes" } else { "No" }.into(),
        ]);
    }
    let columns = [
        Column::words("Currency"),
        Column::numbers("Debits"),
        Column::numbers("Credits"),
        Column::numbers("Income less expense"),
        Column::words("Balanced"),
    ];
    let title = format!("Up to the end of {}", month.words());
    let board = board.part(Part::new(title).table(&columns, rows, "Nothing was posted yet."));
    let controls = models.controls().await?.value;
    let holding = controls.iter().filter(|control| control.holds()).count();
    let differ = controls.iter().filter(|control| !control.holds());
    let rows = differ.map(|control| {
        vec![
            control.control.replace('_', " ").into(),
            control.subject.clone().into(),
            control.currency.clone().into(),
            control.ledger.to_string().into(),
            control.counted.to_string().into(),
            control.difference.to_string().into(),
        ]
    });
    let columns = [
        Column::words("Control"),
        Column::words("Account or heading"),
        Column::words("Currency"),
        Column::numbers("Ledger"),
        Column::numbers("Counted"),
        Column::numbers("Difference"),
    ];
    let others = if holding < controls.len() { " Look at the others first." } else { "" };
    let text = format!("{holding} of {} hold now.{others}", controls.len());
    let part = Part::new("Control totals").text(text);
    Ok(board.part(part.table(&columns, rows.collect(), "Every control total holds.")))
}

fn close_form(open: &[Month], next: Month) -> Part {
    let choices = open.iter().map(|month| (month.last.to_string(), month.words()));
    let form = ActForm::new(format!("{PATH}/close"), "Propose to close")
        .field(
            Field::choice("until", "Up to the end of", choices.collect())
                .value(next.last.to_string()),
        )
        .field(code())
        .field(Field::evidence());
    let text = "All months before are closed with it. The evidence is what both have seen: the \
                trial balance of the month, or the note of its close.";
    Part::new("Close months").text(text).form(form)
}

pub(super) fn code() -> Field {
    Field::line("reason", "Why", 64).hint("A code without spaces, such as month_end.")
}

fn list(
    visitor: &OpsVisitor,
    months: &[Month],
    (until, today): (Option<NaiveDate>, NaiveDate),
    changes: &[PeriodChange],
) -> Part {
    let rows = months.iter().map(|month| {
        let state = if month.is_closed(until) {
            "Closed"
        } else if month.last < today {
            "Open"
        } else {
            "Not over"
        };
        let by = month.closed_by(changes).filter(|_| month.is_closed(until));
        let who = |of: fn(&PeriodChange) -> &Option<String>| {
            visitor.who_was(by.and_then(|change| of(change).as_deref()))
        };
        vec![
            month.words().into(),
            state.into(),
            who(|change| &change.actor),
            who(|change| &change.approver),
            by.and_then(|change| change.reason.clone()).unwrap_or_default().into(),
            by.map_or_else(|| "".into(), |change| visitor.when(change.recorded_at).into()),
        ]
    });
    let columns = [
        Column::words("Month"),
        Column::words("State"),
        Column::words("Closed by"),
        Column::words("Agreed"),
        Column::words("Why"),
        Column::words("When"),
    ];
    let part = Part::new("Months").table(&columns, rows.collect(), "");
    let closed = months.iter().filter(|month| month.is_closed(until));
    let choices: Vec<_> = closed.map(|month| (month.first.to_string(), month.words())).collect();
    if choices.is_empty() {
        return part;
    }
    let form = ActForm::new(format!("{PATH}/reopen"), "Propose to open")
        .title("Open a month again, and all after it")
        .quiet()
        .field(Field::choice("from", "From the beginning of", choices))
        .field(code())
        .field(Field::evidence());
    part.form(form)
}

fn history(visitor: &OpsVisitor, changes: &[PeriodChange]) -> Part {
    let rows = changes.iter().map(|change| {
        let what = match &change.event {
            BookEvent::PeriodClosed(closed) => format!("Closed up to {}", closed.until),
            BookEvent::PeriodReopened(opened) => format!("Opened from {} on", opened.from),
            BookEvent::YearClosed(year) => format!("Year to {} closed", year.until),
            // Only those three are read.
            BookEvent::Opened(_)
            | BookEvent::CurrencyAdded(_)
            | BookEvent::TierDefined(_)
            | BookEvent::TermsDefined(_)
            | BookEvent::FeeDefined(_)
            | BookEvent::CheckpointKeyRotated(_) => String::new(),
        };
        vec![
            what.into(),
            visitor.who_was(change.actor.as_deref()),
            visitor.who_was(change.approver.as_deref()),
            change.reason.clone().unwrap_or_default().into(),
            visitor.when(change.recorded_at).into(),
            format!("#{}", change.position).into(),
        ]
    });
    let columns = [
        Column::words("What"),
        Column::words("By"),
        Column::words("Agreed"),
        Column::words("Why"),
        Column::words("When"),
        Column::words("Event"),
    ];
    Part::new("History").table(&columns, rows.collect(), "No month was closed yet.")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Close {
    nonce: String,
    until: String,
    reason: String,
    evidence_sha256: String,
}

/// Proposes to close months.
pub(super) async fn close(OpsSent { visitor, form }: OpsSent<Close>) -> Result<Response, Problem> {
    let done = ask_close(&visitor, &form).await;
    after(done, "/ops/approvals", async |errors| board(&visitor, &errors).await).await
}

async fn ask_close(visitor: &OpsVisitor, form: &Close) -> Result<(), Problem> {
    let (until, reason) = (date("until", &form.until)?, word(&form.reason)?);
    let body = serde_json::to_value(Closing { until });
    let asked = (Kind::ClosePeriod, body.map_err(|error| Problem::internal(&error))?);
    let said = (&*form.nonce, &reason, form.evidence_sha256.trim());
    let operation = (Authority::NONE, PeriodOperation::Close { until });
    propose(visitor, operation, asked, said).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reopen {
    nonce: String,
    from: String,
    reason: String,
    evidence_sha256: String,
}

/// Proposes to open months again.
pub(super) async fn reopen(
    OpsSent { visitor, form }: OpsSent<Reopen>,
) -> Result<Response, Problem> {
    let done = ask_reopen(&visitor, &form).await;
    after(done, "/ops/approvals", async |errors| board(&visitor, &errors).await).await
}

async fn ask_reopen(visitor: &OpsVisitor, form: &Reopen) -> Result<(), Problem> {
    let (from, reason) = (date("from", &form.from)?, word(&form.reason)?);
    let opening = Opening { from, reason: reason.clone() };
    let body = serde_json::to_value(&opening).map_err(|error| Problem::internal(&error))?;
    let operation = PeriodOperation::Reopen { from, reason: reason.clone() };
    let said = (&*form.nonce, &reason, form.evidence_sha256.trim());
    propose(visitor, (Authority::NONE, operation), (Kind::ReopenPeriod, body), said).await
}

/// What the book would refuse now is refused now, and not when the other person agrees.
pub(super) async fn propose(
    visitor: &OpsVisitor,
    (authority, operation): (Authority, PeriodOperation),
    (kind, body): (Kind, serde_json::Value),
    (nonce, reason, evidence): (&str, &Reference, &str),
) -> Result<(), Problem> {
    let writer = visitor.writer()?;
    writer.dry_run(authority.into(), operation.into()).await?;
    let fields = [kind.as_str(), &body.to_string(), reason.as_str(), evidence];
    let key = act::key("ops_period", nonce, &fields)?;
    let new = NewProposal {
        kind,
        subject: SUBJECT,
        body,
        reason: reason.as_str(),
        evidence_sha256: Some(evidence),
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&writer, &new).await.map(drop)
}

pub(super) fn date(field: &str, text: &str) -> Result<NaiveDate, Problem> {
    text.trim().parse().map_err(|_| {
        Problem::field(codes::INVALID, format!("/{field}"), "A day such as 2026-10-31.")
    })
}

pub(super) fn word(text: &str) -> Result<Reference, Problem> {
    text.trim().parse().map_err(|_| {
        Problem::field(codes::INVALID, "/reason", "A code without spaces, such as month_end.")
    })
}

#[cfg(test)]
mod tests {
    use ledger_core::book::{PeriodClosed, PeriodReopened};

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn change(position: u64, event: BookEvent) -> PeriodChange {
        let recorded_at = chrono::DateTime::UNIX_EPOCH;
        PeriodChange { event, position, recorded_at, actor: None, approver: None, reason: None }
    }

    #[test]
    fn months_go_back_from_the_one_of_a_day() {
        let months = Month::up_to(day("2026-03-31"));
        assert_eq!(months.len(), 13);
        let words: Vec<_> = months.iter().take(2).map(|month| month.words()).collect();
        assert_eq!(words, ["March 2026", "February 2026"]);
        assert_eq!(months[1].last, day("2026-02-28"));
        assert!(months[1].is_closed(Some(day("2026-02-28"))));
        assert!(!months[1].is_closed(Some(day("2026-01-31"))) && !months[1].is_closed(None));
    }

    #[test]
    fn a_month_was_closed_by_the_close_that_still_holds() {
        let close = |position, until| {
            change(position, BookEvent::PeriodClosed(PeriodClosed { until: day(until) }))
        };
        let reason = "late".parse().unwrap();
        let reopened = PeriodReopened { from: day("2026-02-01"), reason };
        let mut changes = vec![
            close(1, "2026-01-31"),
            close(2, "2026-03-31"),
            change(3, BookEvent::PeriodReopened(reopened)),
            close(4, "2026-02-28"),
        ];
        changes.reverse();
        let by = |text| {
            let found = Month::of(day(text)).unwrap().closed_by(&changes);
            found.map(|change| change.position)
        };
        assert_eq!(
            (by("2026-01-15"), by("2026-02-15"), by("2026-03-15")),
            (Some(1), Some(4), None)
        );
    }
}
