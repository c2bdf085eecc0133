//! Rows as files for spreadsheets. What people wrote is kept from being a formula there.
//!
//! A file is sent while it is read: a page of rows at a time, so that its length is bounded by
//! nothing but the rows and none of them waits in memory. What fails on the way cuts the
//! connection: a file that is not whole must not look as if it were.

use std::{borrow::Cow, io};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures::{Stream, StreamExt as _};

use crate::http::Problem;

/// A text as a cell: quoted, and with a quote before what a spreadsheet would calculate.
pub(crate) fn cell(text: &str) -> String {
    let calculates = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quote = if calculates && !is_number(text) { "'" } else { "" };
    format!("\"{quote}{}\"", text.replace('"', "\"\""))
}

/// An amount below zero is a number, and nothing to calculate.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut parts = digits.split('.');
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(is_digits)
        && parts.next().is_none_or(is_digits)
        && parts.next().is_none()
}

/// Cells as a line.
pub(crate) fn line<'t>(cells: impl IntoIterator<Item = Cow<'t, str>>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(&text)).collect();
    format!("{}\r\n", cells.join(","))
}

/// The file: its head, and its parts as they come.
pub(crate) fn file(
    name: &str,
    head: &'static str,
    parts: impl Stream<Item = Result<String, Problem>> + Send + 'static,
) -> Response {
    let head = futures::stream::once(async move { Ok(format!("{head}\r\n")) });
    let parts = head.chain(parts).map(|part| {
        part.map_err(|problem: Problem| {
            tracing::warn!(code = problem.code(), "a file was cut off");
            io::Error::other("the file could not be read to its end")
        })
    });
    let mut response = Body::from_stream(parts).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Ok(said) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, said);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_162_a_spreadsheet_calculates_nothing_and_amounts_stay_numbers() {
        assert_eq!(cell("=cmd|'/c calc'!A0"), "\"'=cmd|'/c calc'!A0\"");
        assert_eq!(cell("-1+cmd"), "\"'-1+cmd\"");
        assert_eq!(cell("@asha"), "\"'@asha\"");
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("-250.00"), "\"-250.00\"");
        assert_eq!(cell("-"), "\"'-\"");
        assert_eq!(cell("-1.2.3"), "\"'-1.2.3\"");
        assert_eq!(line(["a".into(), "1.00".into()]), "\"a\",\"1.00\"\r\n");
    }
}
