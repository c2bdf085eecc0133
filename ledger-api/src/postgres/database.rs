//! Databases of a private server: made from a template, and dropped.
//!
//! Works as the superuser of a [`Cluster`] and so only there: on a server of their own, operators
//! make the database. Each call has a connection of its own, because neither statement may stand
//! in a transaction and both are rare.

use sqlx::{Connection, PgConnection};

use super::{Cluster, SUPERUSER};

/// PostgreSQL cuts longer names, silently.
const NAME_BYTES_MAX: usize = 63;

/// The database that is always there to connect to.
const MAINTENANCE: &str = "postgres";

/// Why a database could not be made or dropped.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The name can't be one of a database.
    #[error("{0:?} can't name a database: it needs 1 to 63 bytes, none of them zero")]
    Name(String),
    /// There is one of that name already.
    #[error("there is a database {0:?} already")]
    Exists(String),
    /// The template is not there.
    #[error("there is no database {0:?} to copy")]
    NoTemplate(String),
    /// The server could not be reached, or refused.
    #[error("the private PostgreSQL could not {action} the database {name:?}")]
    Server {
        /// What was asked of it.
        action: &'static str,
        /// The database.
        name: String,
        /// What it said.
        source: sqlx::Error,
    },
}

/// Makes a database, empty or as a copy of `template` (to which nobody may be connected then).
pub async fn create_database(
    cluster: &Cluster,
    name: &str,
    template: Option<&str>,
) -> Result<(), DatabaseError> {
    // template0 is the pristine one: template1 is a place for local additions.
    let copied = template.unwrap_or("template0");
    let sql = format!("create database {} template {}", quoted(name)?, quoted(copied)?);
    run(cluster, &sql).await.map_err(|source| match code(&source).as_deref() {
        Some("42P04") => DatabaseError::Exists(name.to_owned()),
        Some("3D000") => DatabaseError::NoTemplate(copied.to_owned()),
        _ => DatabaseError::Server { action: "create", name: name.to_owned(), source },
    })
}

/// Makes an empty database unless it is there; true if it was not. Two processes may do it at once.
pub async fn ensure_database(cluster: &Cluster, name: &str) -> Result<bool, DatabaseError> {
    let failed =
        |source| DatabaseError::Server { action: "look for", name: name.to_owned(), source };
    let known = async {
        let mut db = connect(cluster).await?;
        let known: bool =
            sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
                .bind(name)
                .fetch_one(&mut db)
                .await?;
        db.close().await.map(|()| known)
    };
    if known.await.map_err(failed)? {
        return Ok(false);
    }
    match create_database(cluster, name, None).await {
        Ok(()) => Ok(true),
        Err(DatabaseError::Exists(_)) => Ok(false),
        // Two that create one name at the same moment meet at the catalogue's unique index.
        Err(DatabaseError::Server { source, .. }) if code(&source).as_deref() == Some("23505") => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Drops a database if it is there, and ends the sessions that use it.
pub async fn drop_database(cluster: &Cluster, name: &str) -> Result<(), DatabaseError> {
    let sql = format!("drop database if exists {} with (force)", quoted(name)?);
    run(cluster, &sql).await.map_err(|source| DatabaseError::Server {
        action: "drop",
        name: name.to_owned(),
        source,
    })
}

async fn connect(cluster: &Cluster) -> Result<PgConnection, sqlx::Error> {
    PgConnection::connect(&cluster.url(MAINTENANCE, SUPERUSER)).await
}

async fn run(cluster: &Cluster, sql: &str) -> Result<(), sqlx::Error> {
    let mut db = connect(cluster).await?;
    sqlx::raw_sql(sql).execute(&mut db).await?;
    db.close().await
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

fn quoted(name: &str) -> Result<String, DatabaseError> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0') {
        return Err(DatabaseError::Name(name.to_owned()));
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_bounded() {
        assert_eq!(quoted("a\"; drop").unwrap(), "\"a\"\"; drop\"");
        for bad in ["", "a\0b", &"x".repeat(64)] {
            assert!(matches!(quoted(bad), Err(DatabaseError::Name(_))), "{bad:?}");
        }
        assert!(quoted(&"x".repeat(63)).is_ok());
    }
}
