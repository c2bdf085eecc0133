//! The rules that a statement must keep, by itself and beside its neighbours. One that breaks a
//! rule is refused whole.

use std::collections::HashSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::ParsedStatement;

/// A version of a day that was stored before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) opening: Decimal,
    pub(super) closing: Decimal,
    pub(super) closed: bool,
}

/// What is known of an account when a statement of it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Neighbours {
    pub(super) before: Option<Known>,
    pub(super) same: Option<Known>,
    pub(super) after: Option<Known>,
    /// The first and the last day.
    pub(super) days: Option<(NaiveDate, NaiveDate)>,
}

/// The rule that a statement breaks, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Its lines do not lead from its opening to its closing.
    #[error("opening and lines come to {sum}, and closing is {closing}")]
    Sum {
        /// What they come to.
        sum: Decimal,
        /// What it says.
        closing: Decimal,
    },
    /// A line is there twice.
    #[error("line {id} is there twice")]
    LineTwice {
        /// The bank's number.
        id: String,
    },
    /// A file has a day of an account twice.
    #[error("the file has {day} twice")]
    DayTwice {
        /// The day.
        day: NaiveDate,
    },
    /// A line is on the statement of another day.
    #[error("line {id} is on the statement of {day} already")]
    LineOfAnotherDay {
        /// The bank's number.
        id: String,
        /// The other day.
        day: NaiveDate,
    },
    /// Somebody of ours closed the day.
    #[error("the bank's days are closed up to {until}: two persons open them again")]
    DayLocked {
        /// The last closed day.
        until: NaiveDate,
    },
    /// The bank said that nothing of the day would change any more.
    #[error("the day was closed by an earlier statement, and this one leaves it open")]
    Reopened,
    /// Days before the first one are not taken.
    #[error("the first statement is of {first}")]
    BeforeFirst {
        /// The first day.
        first: NaiveDate,
    },
    /// A day in between is missing.
    #[error("the last statement is of {last}: a day in between is missing")]
    DayMissing {
        /// The last day.
        last: NaiveDate,
    },
    /// The day before can still change.
    #[error("the statement of the day before is not closed")]
    DayBeforeOpen,
    /// It does not begin where the day before has ended.
    #[error("the day before has closed with {closing}, and this one opens with {opening}")]
    Opening {
        /// How the day before has ended.
        closing: Decimal,
        /// How this one begins.
        opening: Decimal,
    },
    /// It does not end where the next day begins.
    #[error("the next day has opened with {opening}, and this one closes with {closing}")]
    Closing {
        /// How the next day begins.
        opening: Decimal,
        /// How this one ends.
        closing: Decimal,
    },
    /// It leaves a day open that others follow.
    #[error("the next day is known, and this one is not closed")]
    OpenInTheMiddle,
}

impl RuleError {
    /// The stable code of this refusal on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Sum { .. } => "statement_sum_differs",
            Self::LineTwice { .. } => "statement_line_repeated",
            Self::DayTwice { .. } => "statement_day_repeated",
            Self::LineOfAnotherDay { .. } => "statement_line_of_another_day",
            Self::DayLocked { .. } => "bank_day_closed",
            Self::Reopened | Self::OpenInTheMiddle => "statement_reopened",
            Self::BeforeFirst { .. } => "statement_before_first",
            Self::DayMissing { .. } => "statement_day_missing",
            Self::DayBeforeOpen => "statement_day_before_open",
            Self::Opening { .. } => "statement_opening_differs",
            Self::Closing { .. } => "statement_closing_differs",
        }
    }
}

/// What a statement must be by itself.
pub(super) fn alone(statement: &ParsedStatement) -> Result<(), RuleError> {
    use ledger_core::bank_line::LineDirection::{Credit, Debit};
    let mut sum = statement.opening;
    let mut seen = HashSet::with_capacity(statement.lines.len());
    for line in &statement.lines {
        // 100,000 amounts of at most 28 digits cannot all be largest: what saturates differs.
        sum = match line.direction {
            Credit => sum.saturating_add(line.amount),
            Debit => sum.saturating_sub(line.amount),
        };
        if !seen.insert((line.direction, line.value_date, &line.bank_transaction_id)) {
            return Err(RuleError::LineTwice { id: line.bank_transaction_id.to_string() });
        }
    }
    if sum == statement.closing {
        Ok(())
    } else {
        Err(RuleError::Sum { sum, closing: statement.closing })
    }
}

/// What the statements of one file must be together: the second version of a day would pass for the
/// first one again, since both are of the same bytes.
pub(super) fn together(statements: &[ParsedStatement]) -> Result<(), RuleError> {
    let mut seen = HashSet::with_capacity(statements.len());
    let twice = statements.iter().find(|one| !seen.insert((one.account, one.date)));
    twice.map_or(Ok(()), |one| Err(RuleError::DayTwice { day: one.date }))
}

/// What a statement must be beside its neighbours.
pub(super) fn between(
    statement: &ParsedStatement,
    neighbours: &Neighbours,
) -> Result<(), RuleError> {
    let Neighbours { before, same, after, days } = neighbours;
    let (opening, closing) = (statement.opening, statement.closing);
    let Some((first, last)) = *days else { return Ok(()) };
    if same.is_some_and(|same| same.closed) && !statement.closed {
        return Err(RuleError::Reopened);
    }
    if statement.date < first {
        return Err(RuleError::BeforeFirst { first });
    }
    match before {
        Some(before) if !before.closed => return Err(RuleError::DayBeforeOpen),
        Some(before) if before.closing != opening => {
            return Err(RuleError::Opening { closing: before.closing, opening });
        }
        None if statement.date > first => return Err(RuleError::DayMissing { last }),
        Some(_) | None => {}
    }
    match after {
        Some(after) if after.opening != closing => {
            Err(RuleError::Closing { opening: after.opening, closing })
        }
        Some(_) if !statement.closed => Err(RuleError::OpenInTheMiddle),
        Some(_) | None => Ok(()),
    }
}
