//! `/v1/statement-files`: statements that are too long to be made while somebody waits.

use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{READ, statements::as_file};
use crate::{
    http::{
        Problem, codes,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reach::Reaching as _,
        reader::Reader,
        reply::Reply,
        writer::Writer,
    },
    statement_files::{self, FileId, FileState, Format, StatementFile},
    wallet::Period,
};

/// Which statement to prepare.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StatementFileInput)]
struct FileIn {
    /// From this day of the book on.
    #[schema(value_type = String, format = Date, example = "2026-04-01")]
    from: NaiveDate,
    /// Up to this day; at most 366 days.
    #[schema(value_type = String, format = Date, example = "2027-03-31")]
    to: NaiveDate,
    /// In which form.
    format: Format,
}

/// A statement that is prepared.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementFile)]
pub(super) struct FileOut {
    /// Its id.
    #[schema(example = "sf_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `statement_file`.
    #[schema(example = "statement_file")]
    object: &'static str,
    /// `waiting`, `making`, `ready` or `failed`.
    state: FileState,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: NaiveDate,
    /// In which form.
    format: Format,
    /// How many lines were read.
    lines_done: u64,
    /// Out of how many.
    lines_of: u64,
    /// The place in the log that it reflects; null until it is ready.
    position: Option<u64>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it is taken away.
    expires_at: DateTime<Utc>,
}

impl From<StatementFile> for FileOut {
    fn from(file: StatementFile) -> Self {
        Self {
            id: file.id.to_string(),
            object: "statement_file",
            state: file.state,
            from: file.period.from,
            to: file.period.to,
            format: file.format,
            lines_done: file.lines_done,
            lines_of: file.lines_of,
            position: file.position,
            created_at: file.asked_at,
            expires_at: file.expires_at,
        }
    }
}

/// Prepare a statement
///
/// A file of up to 50,000 lines, made beside the requests and kept for an hour. One of a person at
/// a time: the same while it is prepared is that one, another one then is 409
/// `statement_preparing`, and takes the place of one that is ready.
#[utoipa::path(
    post,
    path = "/v1/statement-files",
    tag = "Wallet",
    request_body(content = FileIn, example = json!({
        "from": "2026-11-01", "to": "2026-11-30", "format": "csv"})),
    responses((status = 201, description = "The file; it can be had once it is `ready`.",
        body = FileOut, example = json!({
            "id": "sf_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "statement_file",
            "state": "waiting", "from": "2026-11-01", "to": "2026-11-30", "format": "csv",
            "lines_done": 0, "lines_of": 12345, "position": null,
            "created_at": "2026-11-22T14:02:11.004Z", "expires_at": "2026-11-22T15:02:11.004Z"}))),
)]
pub(super) async fn ask(writer: Writer, payload: Payload) -> Result<Reply<FileOut>, Problem> {
    let person = writer.caller.person(READ)?;
    let FileIn { from, to, format } = payload.parse()?;
    let period = Period { from, to };
    if !period.is_allowed() {
        let detail = "Not before from, and at most 366 days.";
        return Err(Problem::field(codes::INVALID, "/to", detail));
    }
    let file = statement_files::ask(&writer.state, person, period, format).await?;
    let location = format!("/v1/statement-files/{}", file.id);
    Ok(Reply::created(file.into(), &location))
}

/// Get a prepared statement's state
#[utoipa::path(
    get,
    path = "/v1/statement-files/{id}",
    tag = "Wallet",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "How far it is.", body = FileOut, example = json!({
        "id": "sf_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "statement_file",
        "state": "ready", "from": "2026-11-01", "to": "2026-11-30", "format": "csv",
        "lines_done": 12345, "lines_of": 12345, "position": 48213,
        "created_at": "2026-11-22T14:02:11.004Z", "expires_at": "2026-11-22T15:02:13.512Z"}))),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<FileId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<FileOut>, Problem> {
    let (person, _) = reader.admit_person(READ, None).await?;
    Ok(Reply::ok(statement_files::find(&reader.state, person, id).await?.into()))
}

/// Get a prepared statement
///
/// The file, once it is `ready`; 409 `statement_not_ready` until then.
#[utoipa::path(
    get,
    path = "/v1/statement-files/{id}/content",
    tag = "Wallet",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The file, in its form.",
        content_type = "application/octet-stream", body = String)),
)]
pub(super) async fn content(
    reader: Reader,
    Id(id): Id<FileId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Response, Problem> {
    let (person, _) = reader.admit_person(READ, None).await?;
    let (file, bytes) = statement_files::content(&reader.state, person, id).await?;
    let position = file.position.unwrap_or_default();
    Ok(as_file(bytes, &file.name(), file.format.media(), position))
}
