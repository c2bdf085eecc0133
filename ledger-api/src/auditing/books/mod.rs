//! Trial balance, balance sheet and profit and loss as they are handed on: on a page, as JSON, and
//! as files. Pages and programs have one way to the figures and to the files.

mod paper;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use ledger_core::log::Position;
use projections::{
    At,
    reports::{self, Report, Sheet, Statement},
};

use super::{AuditReads, event_at};
use crate::http::{Problem, reply::set_position};

/// As what file a report is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileForm {
    /// Figures for other programs.
    Csv,
    /// Pages to print.
    Pdf,
}

/// A report, of a place in the log or of days, and perhaps beside another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Books {
    /// Which of the three.
    pub(crate) report: Report,
    /// What it is of, in words.
    pub(crate) of: String,
    /// The position of the log that it reflects.
    pub(crate) position: Position,
    /// By currency.
    pub(crate) statements: Vec<Statement>,
}

impl Books {
    /// The report of a sheet, beside another one if there is one.
    pub(crate) fn of(
        report: Report,
        now: &At<Sheet>,
        then: Option<&At<Sheet>>,
        of: String,
    ) -> Result<Self, Problem> {
        let statements = reports::statements(report, &now.value, then.map(|then| &then.value))
            .ok_or_else(|| Problem::internal(&"a sum is too large for a report"))?;
        Ok(Self { report, of, position: now.position, statements })
    }

    /// The report as a file.
    pub(crate) async fn file(
        self,
        reads: &AuditReads,
        form: FileForm,
    ) -> Result<Response, Problem> {
        let (name, position) = (self.report.name(), self.position);
        let (bytes, media, ending) = match form {
            FileForm::Csv => {
                (reports::csv(&self.statements).into_bytes(), "text/csv; charset=utf-8", "csv")
            }
            FileForm::Pdf => {
                let hash = reads.hash_at(position).await?;
                (paper::pdf(self, hash).await?, "application/pdf", "pdf")
            }
        };
        let mut response = bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        let said = format!("attachment; filename=\"{name}-{position}.{ending}\"");
        if let Ok(value) = HeaderValue::try_from(said) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        set_position(headers, position);
        Ok(response)
    }
}

impl AuditReads {
    /// The hash of the chain after the event at a position; zeros before the first one.
    async fn hash_at(&self, position: Position) -> Result<String, Problem> {
        if position == 0 {
            return Ok(hex::encode([0; 32]));
        }
        let found = event_at(&self.pool, position).await?;
        let (event, _) = found.ok_or_else(|| Problem::internal(&"a log without its end"))?;
        Ok(hex::encode(event.hash))
    }
}
