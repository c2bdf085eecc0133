//! The table of statements' files.

use ledger_core::{clock::Timestamp, log::Position};
use sqlx::{Row as _, postgres::PgRow};

use super::{FileId, FileState, Format, StatementFile, StatementFiles};
use crate::{http::Problem, people::PersonId, vault::VaultError, wallet::Period};

const COLUMNS: &str = "id, person_id, from_day, to_day, format, state, asked_at, leased_until, \
    lines_done, lines_of, position, expires_at";
/// What the file is called among what is sealed for a person.
const FIELD: &str = "statement_file";

impl StatementFiles {
    /// Keeps what is asked for, in the place of what the person had; what they have, while that is
    /// being made.
    pub(super) async fn put(&self, asked: &StatementFile) -> sqlx::Result<StatementFile> {
        let sql = format!(
            "with put as (
                 insert into wallet_statement_files as f
                     (id, person_id, from_day, to_day, format, state, asked_at, lines_of,
                      expires_at)
                 values ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8)
                 on conflict (person_id) do update
                     set id = excluded.id, from_day = excluded.from_day, to_day = excluded.to_day,
                         format = excluded.format, state = 'waiting', asked_at = excluded.asked_at,
                         leased_until = null, lines_done = 0, lines_of = excluded.lines_of,
                         position = null, content = null, expires_at = excluded.expires_at
                     where f.state in ('ready', 'failed') or f.expires_at <= excluded.asked_at
                 returning {COLUMNS})
             select {COLUMNS} from put
             union all
             select {COLUMNS} from wallet_statement_files
             where person_id = $2 and not exists (select from put)"
        );
        let put = sqlx::query(&sql)
            .bind(asked.id.0)
            .bind(asked.person.uuid())
            .bind(asked.period.from)
            .bind(asked.period.to)
            .bind(asked.format.as_str())
            .bind(asked.asked_at)
            .bind(signed(asked.lines_of))
            .bind(asked.expires_at)
            .fetch_optional(&self.pool)
            .await?;
        if let Some(row) = put {
            return read(&row);
        }
        // Another request put one there while this one looked.
        let sql = format!("select {COLUMNS} from wallet_statement_files where person_id = $1");
        read(&sqlx::query(&sql).bind(asked.person.uuid()).fetch_one(&self.pool).await?)
    }

    /// A file of a person, unless its time is over.
    pub(super) async fn of(
        &self,
        person: PersonId,
        id: FileId,
        now: Timestamp,
    ) -> sqlx::Result<Option<StatementFile>> {
        let sql = format!(
            "select {COLUMNS} from wallet_statement_files
             where id = $1 and person_id = $2 and expires_at > $3"
        );
        let query = sqlx::query(&sql).bind(id.0).bind(person.uuid()).bind(now);
        query.fetch_optional(&self.pool).await?.as_ref().map(read).transpose()
    }

    /// What is in a file; nothing until it is ready.
    pub(super) async fn content(&self, file: &StatementFile) -> Result<Option<Vec<u8>>, Problem> {
        let sql = "select content from wallet_statement_files where id = $1 and state = 'ready'";
        let query = sqlx::query_scalar(sql).bind(file.id.0);
        let sealed: Option<Vec<u8>> = query.fetch_optional(&self.pool).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let owner = file.person.owner().map_err(|error| Problem::internal(&error))?;
        match self.keys.open(&owner, FIELD, &sealed).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(VaultError::Erased) => Err(crate::http::reach::nothing()),
            Err(VaultError::Database(error)) => Err(error.into()),
            Err(error @ (VaultError::Tampered | VaultError::TooLarge)) => {
                Err(Problem::internal(&error))
            }
        }
    }

    /// Takes one that nobody makes; whether it was free to take.
    pub(super) async fn take(
        &self,
        id: FileId,
        now: Timestamp,
        leased_until: Timestamp,
    ) -> sqlx::Result<bool> {
        let sql = "update wallet_statement_files
                   set state = 'making', leased_until = $3, lines_done = 0
                   where id = $1 and (state = 'waiting'
                                      or (state = 'making' and leased_until < $2))";
        let query = sqlx::query(sql).bind(id.0).bind(now).bind(leased_until);
        Ok(query.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Says how far one is.
    pub(super) async fn note(
        &self,
        id: FileId,
        lines_done: u64,
        leased_until: Timestamp,
    ) -> sqlx::Result<()> {
        let sql = "update wallet_statement_files set lines_done = $2, leased_until = $3
                   where id = $1 and state = 'making'";
        let query = sqlx::query(sql).bind(id.0).bind(signed(lines_done)).bind(leased_until);
        query.execute(&self.pool).await.map(drop)
    }

    /// Keeps what was made, for as long from now on as files are kept.
    pub(super) async fn finish(
        &self,
        file: &StatementFile,
        (bytes, position): (&[u8], Position),
        expires_at: Timestamp,
    ) -> Result<(), Problem> {
        let owner = file.person.owner().map_err(|error| Problem::internal(&error))?;
        let sealed = self.keys.seal(&owner, FIELD, bytes).await;
        let sealed = sealed.map_err(|error| Problem::internal(&error))?;
        let sql = "update wallet_statement_files
                   set state = 'ready', leased_until = null, lines_done = lines_of,
                       content = $2, position = $3, expires_at = $4
                   where id = $1 and state = 'making'";
        let query = sqlx::query(sql).bind(file.id.0).bind(sealed).bind(signed(position));
        query.bind(expires_at).execute(&self.pool).await?;
        Ok(())
    }

    /// Notes that one could not be made (`failed`), or lets go of it (`waiting`).
    pub(super) async fn let_go(&self, id: FileId, state: FileState) -> sqlx::Result<()> {
        let sql = "update wallet_statement_files set state = $2, leased_until = null
                   where id = $1 and state = 'making'";
        sqlx::query(sql).bind(id.0).bind(state).execute(&self.pool).await.map(drop)
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read(row: &PgRow) -> sqlx::Result<StatementFile> {
    let count = |column: &str| -> sqlx::Result<u64> {
        let value: i64 = row.try_get(column)?;
        Ok(value.unsigned_abs())
    };
    let position: Option<i64> = row.try_get("position")?;
    let format: &str = row.try_get("format")?;
    Ok(StatementFile {
        id: FileId(row.try_get("id")?),
        person: PersonId::from_uuid(row.try_get("person_id")?),
        period: Period { from: row.try_get("from_day")?, to: row.try_get("to_day")? },
        format: match format {
            "pdf" => Format::Pdf,
            "csv" => Format::Csv,
            _ => Format::Json,
        },
        state: row.try_get("state")?,
        asked_at: row.try_get("asked_at")?,
        leased_until: row.try_get("leased_until")?,
        lines_done: count("lines_done")?,
        lines_of: count("lines_of")?,
        position: position.map(i64::unsigned_abs),
        expires_at: row.try_get("expires_at")?,
    })
}
