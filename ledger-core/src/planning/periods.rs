//! Takes commands about periods apart.

use super::{Plan, ReceiptPlan, Step, StreamId, View, on_book, planner::Planner};
use crate::{
    account::AccountCommand,
    book::{BookCommand, BookError, CloseYear, PeriodOperation},
    chart::PostingClass,
    command::Rejection,
    posting::Kind,
};

/// The streams that an operation touches.
pub(super) fn streams(operation: &PeriodOperation) -> Vec<StreamId> {
    let legs = match operation {
        PeriodOperation::Close { .. } | PeriodOperation::Reopen { .. } => &[][..],
        PeriodOperation::CloseYear(close) => &close.posting.legs,
    };
    let accounts = legs.iter().map(|leg| StreamId::Account(leg.account.clone()));
    std::iter::once(StreamId::Book).chain(accounts).collect()
}

impl<V: View> Planner<'_, V> {
    pub(super) fn period(&self, operation: &PeriodOperation) -> Result<Plan, Rejection> {
        match operation {
            PeriodOperation::Close { until } => {
                let (until, today) = (*until, self.view.book().day(self.now));
                Ok(on_book(BookCommand::ClosePeriod { until, today }))
            }
            PeriodOperation::Reopen { from, reason } => {
                let (from, reason) = (*from, reason.clone());
                Ok(on_book(BookCommand::ReopenPeriod { from, reason }))
            }
            PeriodOperation::CloseYear(close) => self.close_year(close),
        }
    }

    fn close_year(&self, close: &CloseYear) -> Result<Plan, Rejection> {
        let CloseYear { until, posting, expected_sequence } = close;
        let (until, expected_sequence) = (*until, *expected_sequence);
        if posting.kind.as_str() != Kind::YEAR_CLOSE || posting.effective_on != Some(until) {
            let text = "what closes a year is of that kind, and of the year's last day";
            return Err(Rejection::new("malformed", text));
        }
        // What the book says comes first: its errors have precedence.
        let transaction_id = posting.transaction_id;
        self.view.book().decide_year(until, transaction_id, expected_sequence)?;
        if posting.legs.is_empty() {
            let text = "income and expense of those days lie in equity already";
            return Err(Rejection::new("nothing_to_close", text));
        }
        let command = BookCommand::CloseYear { until, transaction_id, expected_sequence };
        let mut steps = vec![Step::Book(command)];
        for leg in &posting.legs {
            let account = &leg.account;
            let entry = crate::chart::lookup(&account.code());
            let class = entry.map(|entry| entry.class);
            let fits = matches!(
                class,
                Some(PostingClass::Income | PostingClass::Expense | PostingClass::Equity)
            );
            if !fits {
                let text = "a year's close moves income, expense and equity alone";
                return Err(Rejection::new("malformed", text).of(account));
            }
            let opens = self.view.account(account).is_some_and(|a| a.properties().is_none());
            if opens && class == Some(PostingClass::Equity) {
                let open = self.opening(account, None)?;
                steps.push(Step::Account(account.clone(), AccountCommand::Open(open)));
            }
        }
        self.legs_of_any_day(posting, until, None, &mut steps)?;
        let receipt =
            ReceiptPlan::Posted { transactions: vec![transaction_id], effective_on: vec![until] };
        Ok(Plan { steps, receipt, notes: Vec::new() })
    }
}

impl From<BookError> for Rejection {
    fn from(error: BookError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
