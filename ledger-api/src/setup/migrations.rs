//! Running the migrations, and finding out whether they were run.
//!
//! They are run by the owner of the database, never by the application: `bahi migrate`, or the
//! start of a private server. The application only compares. A database that is *newer* is refused
//! too: an old program does not know what the new tables mean.

use std::collections::BTreeMap;

use ledger_core::log::MIGRATOR;
use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};

/// What is wrong with the migrations of a database.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// None or not all were run.
    #[error(
        "{missing} of its {all} migrations are missing: run `bahi migrate` with BAHI_MIGRATE_URL \
         set to the URL of its owner"
    )]
    Missing {
        /// How many are missing.
        missing: usize,
        /// How many there are.
        all: usize,
    },
    /// A newer program migrated it.
    #[error(
        "it was migrated by a newer program (migration {newest}; this one knows {known}): start \
         that one"
    )]
    Newer {
        /// The newest migration of the database.
        newest: i64,
        /// The newest one that is known here.
        known: i64,
    },
    /// A migration that was run is not the one that is known by its number.
    #[error("its migration {0} has another text than the one of this program")]
    Differs(i64),
    /// A migration began and did not end.
    #[error("its migration {0} was begun and did not end: see what it left, then migrate again")]
    Unfinished(i64),
    /// A migration failed.
    #[error("a migration failed")]
    Failed(#[source] sqlx::migrate::MigrateError),
    /// The database did not answer.
    #[error("the migrations could not be looked at")]
    Unavailable(#[source] sqlx::Error),
}

/// Runs what is missing, as the owner of the database. Several may call it at once.
///
/// # Errors
/// [`MigrationError`] if the database is newer, or differs, or a migration fails.
pub async fn migrate(owner: &PgConnectOptions) -> Result<(), MigrationError> {
    let known = known();
    let applied = applied(owner).await?;
    match compare(&known, &applied) {
        Ok(()) => return Ok(()),
        Err(MigrationError::Missing { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut db = owner
        .clone()
        .application_name("bahi-migrate")
        .connect()
        .await
        .map_err(MigrationError::Unavailable)?;
    MIGRATOR.run_direct(&mut db).await.map_err(MigrationError::Failed)?;
    db.close().await.map_err(MigrationError::Unavailable)
}

/// Whether the database has exactly the migrations of this program.
pub(super) async fn check(login: &PgConnectOptions) -> Result<(), MigrationError> {
    compare(&known(), &applied(login).await?)
}

/// What is wrong with a database where none were run.
pub(super) fn none_run() -> MigrationError {
    let all = known().len();
    MigrationError::Missing { missing: all, all }
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct Applied {
    version: i64,
    success: bool,
    checksum: Vec<u8>,
}

fn known() -> BTreeMap<i64, Vec<u8>> {
    MIGRATOR.iter().map(|migration| (migration.version, migration.checksum.to_vec())).collect()
}

async fn applied(options: &PgConnectOptions) -> Result<Vec<Applied>, MigrationError> {
    let asked = async {
        let mut db = options.connect().await?;
        let sql = "select to_regclass('_sqlx_migrations') is not null";
        let table: bool = sqlx::query_scalar(sql).fetch_one(&mut db).await?;
        let applied = if table {
            let sql = "select version, success, checksum from _sqlx_migrations order by version";
            sqlx::query_as(sql).fetch_all(&mut db).await?
        } else {
            Vec::new()
        };
        db.close().await.map(|()| applied)
    };
    asked.await.map_err(MigrationError::Unavailable)
}

fn compare(known: &BTreeMap<i64, Vec<u8>>, applied: &[Applied]) -> Result<(), MigrationError> {
    for migration in applied {
        let version = migration.version;
        let Some(checksum) = known.get(&version) else {
            let last = |versions: Option<i64>| versions.unwrap_or_default();
            return Err(MigrationError::Newer {
                newest: last(applied.iter().map(|a| a.version).max()),
                known: last(known.keys().next_back().copied()),
            });
        };
        if !migration.success {
            return Err(MigrationError::Unfinished(version));
        }
        if *checksum != migration.checksum {
            return Err(MigrationError::Differs(version));
        }
    }
    match known.len().saturating_sub(applied.len()) {
        0 => Ok(()),
        missing => Err(MigrationError::Missing { missing, all: known.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(version: i64, checksum: u8, success: bool) -> Applied {
        Applied { version, success, checksum: vec![checksum] }
    }

    #[test]
    fn case_45_a_database_that_is_not_of_this_program_is_named() {
        let known: BTreeMap<i64, Vec<u8>> = [(1, vec![1]), (2, vec![2])].into();
        let one = applied(1, 1, true);
        let both = [one.clone(), applied(2, 2, true)];
        assert!(compare(&known, &both).is_ok());
        let says = |rows: &[Applied]| compare(&known, rows).unwrap_err();
        for (rows, expected) in [(&both[..0], 2), (&both[..1], 1)] {
            let MigrationError::Missing { missing, all: 2 } = says(rows) else {
                panic!("{rows:?}");
            };
            assert_eq!(missing, expected);
        }
        let newer = [both[0].clone(), both[1].clone(), applied(3, 3, true)];
        assert!(matches!(says(&newer), MigrationError::Newer { newest: 3, known: 2 }));
        let other = [applied(1, 9, true)];
        assert!(matches!(says(&other), MigrationError::Differs(1)));
        let half = [one, applied(2, 2, false)];
        assert!(matches!(says(&half), MigrationError::Unfinished(2)));
    }
}
