//! What people say is wrong with something of theirs, and what they are answered.
//!
//! A report moves no money and stops none: who reads it has other means for that. It is in
//! somebody's own words, so it is erased with them, and no part of the log. About one thing there
//! is one open report of a person: pressing twice reports once.

mod store;

pub(crate) use store::Reports;

use std::{fmt, str::FromStr};

use ledger_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    entry::throttle,
    http::{ApiState, Problem, codes},
    people::{PersonId, Rate},
    wallet,
};

const PREFIX: &str = "rp_";
/// The most characters of what is said, and of what is answered.
pub(crate) const WORDS_CHARS_MAX: usize = 1_000;
/// Reports of one person.
const RATE: Rate = Rate { name: "report", burst: 10, seconds: 60 };

/// Which report: `rp_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportId(pub(crate) Uuid);

/// A text that names no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a report is rp_ and 32 hexadecimal digits")]
pub(crate) struct ReportIdError;

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0.simple())
    }
}

impl FromStr for ReportId {
    type Err = ReportIdError;

    fn from_str(text: &str) -> Result<Self, ReportIdError> {
        let digits = text.strip_prefix(PREFIX).ok_or(ReportIdError)?;
        let id = Self(Uuid::try_parse(digits).map_err(|_| ReportIdError)?);
        if id.to_string() == text { Ok(id) } else { Err(ReportIdError) }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReportReason)]
pub(crate) enum Reason {
    /// "I did not do this."
    NotMine,
    /// "The amount is wrong."
    WrongAmount,
    /// "It has not arrived."
    NotArrived,
    /// Something else.
    Other,
}

impl Reason {
    pub(crate) const ALL: [Self; 4] =
        [Self::NotMine, Self::WrongAmount, Self::NotArrived, Self::Other];

    /// The code.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotMine => "not_mine",
            Self::WrongAmount => "wrong_amount",
            Self::NotArrived => "not_arrived",
            Self::Other => "other",
        }
    }

    /// The same in the words of who reports.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::NotMine => "I did not do this",
            Self::WrongAmount => "The amount is wrong",
            Self::NotArrived => "It has not arrived",
            Self::Other => "Something else",
        }
    }

    fn of(code: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code).unwrap_or(Self::Other)
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) id: ReportId,
    pub(crate) person: PersonId,
    /// The thing of their activity that it is about.
    pub(crate) about: String,
    pub(crate) reason: Reason,
    pub(crate) words: String,
    pub(crate) answer: Option<String>,
    pub(crate) made_at: Timestamp,
    pub(crate) settled_at: Option<Timestamp>,
}

/// Notes what a person says is wrong with something of theirs; the open report about it, if there
/// is one already.
pub(crate) async fn report(
    state: &ApiState,
    person: PersonId,
    about: &str,
    (reason, words): (Reason, &str),
) -> Result<Report, Problem> {
    let words = checked("/words", words)?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    // Of what is not theirs there is nothing to report.
    wallet::detail(state, &account, about).await?;
    throttle(state, RATE, person.uuid().as_bytes()).await?;
    let report = Report {
        id: ReportId(state.ids.fresh()),
        person,
        about: about.to_owned(),
        reason,
        words,
        answer: None,
        made_at: state.clock.now(),
        settled_at: None,
    };
    let kept = Reports::of_state(state).open(&report).await?;
    if kept.id == report.id {
        metrics::counter!("bahi_reports_total", "reason" => reason.as_str()).increment(1);
        tracing::info!(report = %kept.id, object = about, reason = reason.as_str(), "reported");
    }
    Ok(kept)
}

/// Words as they are kept.
pub(crate) fn checked(pointer: &str, words: &str) -> Result<String, Problem> {
    let words = words.trim().replace("\r\n", "\n");
    let is_plain = !words.chars().any(|c| c.is_control() && c != '\n');
    if words.chars().count() > WORDS_CHARS_MAX || !is_plain {
        let detail = format!("At most {WORDS_CHARS_MAX} characters of plain text.");
        return Err(Problem::field(codes::INVALID, pointer, detail));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain_and_bounded() {
        assert_eq!(checked("/words", " a\r\nb ").unwrap(), "a\nb");
        assert_eq!(checked("/words", &"x".repeat(1_000)).unwrap().len(), 1_000);
        for bad in ["x".repeat(1_001), "a\u{0}b".to_owned()] {
            assert_eq!(checked("/words", &bad).unwrap_err().status(), 422);
        }
    }

    #[test]
    fn an_id_has_one_spelling_and_each_reason_its_code() {
        let text = "rp_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
        assert_eq!(text.parse::<ReportId>().unwrap().to_string(), text);
        assert_eq!(text.to_uppercase().parse::<ReportId>(), Err(ReportIdError));
        for reason in Reason::ALL {
            assert_eq!(Reason::of(reason.as_str()), reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
