//! What ties a database to this installation: the id of its secret.

use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};

use super::{APP_ROLE, Secret, SetupError};

/// The row that has the id of the secret.
const FINGERPRINT_KEY: &str = "fingerprint_key";

/// Why the secret and the database don't belong together.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// The database was used with a secret, and there is none.
    #[error(
        "the database was used with a secret (id {id}) and there is none in {}: put it back there \
         from its backup. If the data may be thrown away, use another database, or remove the \
         private PostgreSQL's folder", .file.display()
    )]
    SecretMissing {
        /// The id of the secret that belongs there.
        id: String,
        /// Where it belongs.
        file: PathBuf,
    },
    /// The database was used with another secret.
    #[error(
        "the database was used with the secret {expected}, and {} holds {found}: with another \
         secret no request that comes back would be recognised", .file.display()
    )]
    SecretDiffers {
        /// The id of the secret that belongs there.
        expected: String,
        /// The id of the one that was found.
        found: String,
        /// Where it was found.
        file: PathBuf,
    },
    /// The database did not answer.
    #[error("the database could not be asked which secret it belongs to")]
    Unavailable(#[source] sqlx::Error),
}

/// The secret in `file`, if the database agrees; a new one if neither knows any.
pub(super) async fn secret(pool: &PgPool, file: &Path) -> Result<Secret, SetupError> {
    let known = noted_secret(pool).await?;
    let secret = match (Secret::read(file)?, &known) {
        (Some(secret), _) => secret,
        (None, Some(id)) => {
            return Err(
                InstallationError::SecretMissing { id: id.clone(), file: file.to_owned() }.into()
            );
        }
        (None, None) => Secret::generate().write_new(file)?,
    };
    let expected = match known {
        Some(id) => id,
        None => note(pool, &secret.key_id()).await?,
    };
    let found = secret.key_id();
    if expected == found {
        return Ok(secret);
    }
    Err(InstallationError::SecretDiffers { expected, found, file: file.to_owned() }.into())
}

/// The id of the secret that a database was used with; nothing if it was used with none.
///
/// # Errors
/// [`InstallationError::Unavailable`] if it can't be read.
pub async fn noted_secret(pool: &PgPool) -> Result<Option<String>, InstallationError> {
    sqlx::query_scalar("select value from installation where name = $1")
        .bind(FINGERPRINT_KEY)
        .fetch_optional(pool)
        .await
        .map_err(InstallationError::Unavailable)
}

/// Notes the id unless somebody did, and returns the one that stands there.
async fn note(pool: &PgPool, id: &str) -> Result<String, InstallationError> {
    sqlx::query("insert into installation (name, value) values ($1, $2) on conflict do nothing")
        .bind(FINGERPRINT_KEY)
        .bind(id)
        .execute(pool)
        .await
        .map_err(InstallationError::Unavailable)?;
    Ok(noted_secret(pool).await?.unwrap_or_else(|| id.to_owned()))
}

/// Lets the application's role log in, on the private server: its socket is in a private folder.
/// The migrations make the role without a login, because elsewhere that is the operator's choice.
pub(super) async fn allow_login(owner: &PgConnectOptions) -> sqlx::Result<()> {
    let mut db = PgConnection::connect_with(owner).await?;
    let may = "select rolcanlogin from pg_roles where rolname = $1";
    let may: bool = sqlx::query_scalar(may).bind(APP_ROLE).fetch_one(&mut db).await?;
    if !may {
        // Two processes that do it at once: one gets "tuple concurrently updated", and it is done.
        let sql = format!("alter role {APP_ROLE} login");
        let altered = sqlx::raw_sql(&sql).execute(&mut db).await;
        let at_once = altered.as_ref().err().and_then(sqlx::Error::as_database_error);
        if at_once.is_none_or(|error| error.code().as_deref() != Some("XX000")) {
            altered?;
        }
    }
    db.close().await
}
