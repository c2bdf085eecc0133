//! Statements that are too long to be made while somebody waits.
//!
//! Asking keeps a row (`migrations/32_wallet_statement_files.sql`) and starts to make the file
//! beside the requests: one at a time of a person, one at a time in a process, each by one process.
//! Whoever looks at one that nobody makes any more, because its process ended, starts it again. The
//! file is sealed under the person's own key, kept for an hour, and given to nobody else.

mod making;
mod store;

use std::{
    collections::BTreeSet,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use ledger_core::{clock::Timestamp, log::Position};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    entry::throttle,
    http::{ApiState, Problem, codes},
    people::{PersonId, Rate},
    vault::SubjectKeys,
    wallet::{self, Period},
};

const PREFIX: &str = "sf_";
/// Files of one person: each reads many lines.
const BY_PERSON: Rate = Rate { name: "statement_file", burst: 5, seconds: 10 };
/// How long a file is kept.
const KEPT_FOR: TimeDelta = TimeDelta::hours(1);
/// Statements that are made or wait to be made in one process.
const UNDER_WAY_MAX: usize = 64;

/// Which file: `sf_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId(Uuid);

/// A text that names no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a statement's file is sf_ and 32 hexadecimal digits")]
pub(crate) struct FileIdError;

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0.simple())
    }
}

impl FromStr for FileId {
    type Err = FileIdError;

    fn from_str(text: &str) -> Result<Self, FileIdError> {
        let digits = text.strip_prefix(PREFIX).ok_or(FileIdError)?;
        let id = Self(Uuid::try_parse(digits).map_err(|_| FileIdError)?);
        if id.to_string() == text { Ok(id) } else { Err(FileIdError) }
    }
}

/// The form of a statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StatementFormat)]
pub(crate) enum Format {
    /// JSON.
    #[default]
    Json,
    /// Rows for spreadsheets.
    Csv,
    /// Pages to print.
    Pdf,
}

impl Format {
    /// The word, which also ends the file's name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Pdf => "pdf",
        }
    }

    /// The content type.
    pub(crate) const fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }
}

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(as = StatementFileState)]
pub(crate) enum FileState {
    /// Nobody has begun it yet.
    Waiting,
    /// It is being made.
    Making,
    /// It can be had.
    Ready,
    /// It could not be made.
    Failed,
}

impl FileState {
    /// Whether nothing more happens to it.
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Ready | Self::Failed)
    }
}

/// A file that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatementFile {
    pub(crate) id: FileId,
    person: PersonId,
    pub(crate) period: Period,
    pub(crate) format: Format,
    pub(crate) state: FileState,
    pub(crate) asked_at: Timestamp,
    leased_until: Option<Timestamp>,
    /// How many lines were read.
    pub(crate) lines_done: u64,
    /// Out of how many.
    pub(crate) lines_of: u64,
    /// The place in the log that it reflects; nothing until it is ready.
    pub(crate) position: Option<Position>,
    /// When it is taken away.
    pub(crate) expires_at: Timestamp,
}

impl StatementFile {
    /// The file's name.
    pub(crate) fn name(&self) -> String {
        file_name(self.period, self.format)
    }

    /// Whether nobody is at it: it was not begun, or who began it is not heard of any more.
    fn is_left(&self, now: Timestamp) -> bool {
        match self.state {
            FileState::Waiting => true,
            FileState::Making => self.leased_until.is_none_or(|until| until < now),
            FileState::Ready | FileState::Failed => false,
        }
    }
}

/// What a statement's file is called.
pub(crate) fn file_name(period: Period, format: Format) -> String {
    format!("statement-{}-{}.{}", period.from, period.to, format.as_str())
}

/// All files, and what this process makes of them; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct StatementFiles {
    pool: PgPool,
    keys: SubjectKeys,
    /// One file at a time: a long one takes memory.
    slot: Arc<Semaphore>,
    under_way: Arc<Mutex<BTreeSet<Uuid>>>,
}

impl StatementFiles {
    /// Those of a database, of the installation with this secret.
    pub(crate) fn new(pool: PgPool, secret: &[u8; 32]) -> Self {
        let keys = SubjectKeys::new(pool.clone(), secret);
        let slot = Arc::new(Semaphore::new(1));
        Self { pool, keys, slot, under_way: Arc::default() }
    }

    /// Whether it is for this process to make it now: not if it is at it, or has enough to do.
    fn begin(&self, id: FileId) -> Option<UnderWay> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = under_way.len() < UNDER_WAY_MAX && under_way.insert(id.0);
        is_new.then(|| UnderWay { of: Arc::clone(&self.under_way), id: id.0 })
    }
}

/// That a file is made by this process, until this is dropped.
struct UnderWay {
    of: Arc<Mutex<BTreeSet<Uuid>>>,
    id: Uuid,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.of.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Asks for a file; the one that is being made, if it is the same. 409 `statement_preparing` while
/// another one is, 422 `statement_too_long` if it has more lines than any file may have.
pub(crate) async fn ask(
    state: &ApiState,
    person: PersonId,
    period: Period,
    format: Format,
) -> Result<StatementFile, Problem> {
    throttle(state, BY_PERSON, person.uuid().as_bytes()).await?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let lines_of = wallet::statement_start(state, &account, period, 1).await?.line_count;
    if lines_of > wallet::PREPARED_LINES_MAX {
        let most = wallet::PREPARED_LINES_MAX;
        let detail = format!("It would have {lines_of} lines; at most {most}.");
        return Err(Problem::new(codes::STATEMENT_TOO_LONG, detail));
    }
    let now = state.sessions.now();
    let asked = StatementFile {
        id: FileId(state.ids.fresh()),
        person,
        period,
        format,
        state: FileState::Waiting,
        asked_at: now,
        leased_until: None,
        lines_done: 0,
        lines_of,
        position: None,
        expires_at: now.checked_add_signed(KEPT_FOR).unwrap_or(now),
    };
    let kept = state.statement_files.put(&asked).await?;
    if (kept.period, kept.format) != (period, format) {
        let detail = "Another statement of yours is being prepared. Wait for it, then ask again.";
        return Err(Problem::new(codes::STATEMENT_PREPARING, detail));
    }
    making::start(state, &kept);
    Ok(kept)
}

/// A file of a person; 404 if they have none of this id. One that nobody makes is started again.
pub(crate) async fn find(
    state: &ApiState,
    person: PersonId,
    id: FileId,
) -> Result<StatementFile, Problem> {
    let now = state.sessions.now();
    let found = state.statement_files.of(person, id, now).await?;
    let file = found.ok_or_else(crate::http::reach::nothing)?;
    if file.is_left(now) {
        making::start(state, &file);
    }
    Ok(file)
}

/// What is in a file of a person; 409 `statement_not_ready` until it is made.
pub(crate) async fn content(
    state: &ApiState,
    person: PersonId,
    id: FileId,
) -> Result<(StatementFile, Vec<u8>), Problem> {
    let file = find(state, person, id).await?;
    if let Some(bytes) = state.statement_files.content(&file).await? {
        return Ok((file, bytes));
    }
    let detail = "It is not made yet. Ask for its state, and for it when it is ready.";
    Err(Problem::new(codes::STATEMENT_NOT_READY, detail).retry_after(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "sf_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
        assert_eq!(text.parse::<FileId>().unwrap().to_string(), text);
        assert_eq!(text.to_uppercase().parse::<FileId>(), Err(FileIdError));
        assert_eq!("sf_1".parse::<FileId>(), Err(FileIdError));
    }

    #[tokio::test]
    async fn a_process_is_at_a_file_once_and_at_so_many_at_most() {
        let pool = PgPool::connect_lazy("postgres://nowhere").unwrap();
        let files = StatementFiles::new(pool, &[7; 32]);
        let id = |number: u128| FileId(Uuid::from_u128(number));
        let first = files.begin(id(1)).expect("nobody is at it");
        assert!(files.begin(id(1)).is_none());
        let others: Vec<_> = (2..=64).map(|number| files.begin(id(number)).unwrap()).collect();
        assert!(files.begin(id(65)).is_none(), "enough to do");
        drop(first);
        assert!(files.begin(id(65)).is_some());
        assert_eq!(others.len(), 63);
    }

    #[test]
    fn a_file_is_left_when_its_maker_is_not_heard_of() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let file = |state, leased_until| StatementFile {
            id: FileId(Uuid::nil()),
            person: PersonId::from_uuid(Uuid::nil()),
            period: Period::month("2026-11").unwrap(),
            format: Format::Csv,
            state,
            asked_at: at("2026-11-22T14:00:00Z"),
            leased_until,
            lines_done: 0,
            lines_of: 9,
            position: None,
            expires_at: at("2026-11-22T15:00:00Z"),
        };
        let now = at("2026-11-22T14:05:00Z");
        assert!(file(FileState::Waiting, None).is_left(now));
        assert!(file(FileState::Making, Some(at("2026-11-22T14:04:59Z"))).is_left(now));
        assert!(!file(FileState::Making, Some(at("2026-11-22T14:06:00Z"))).is_left(now));
        for over in [FileState::Ready, FileState::Failed] {
            assert!(!file(over, None).is_left(now) && over.is_over());
        }
        assert_eq!(file(FileState::Waiting, None).name(), "statement-2026-11-01-2026-11-30.csv");
    }
}
