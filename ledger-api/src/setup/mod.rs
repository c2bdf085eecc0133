//! From settings to a database that the ledger can work on, whoever owns the server.
//!
//! Without `DATABASE_URL` the server is ours: it is started, the database and the roles are made,
//! the migrations are run. With it the server is somebody's: nothing is made or changed, only
//! checked ([`Database::check`]), and what is missing is said with the line that helps.
//!
//! In both cases everything that runs connects as [`APP_ROLE`], the application's own role, which
//! may read and append and nothing else. On somebody's server the login role is theirs to choose;
//! each session then takes on `bahi_app` at its start, before any statement.

mod installation;
mod migrations;
mod secret;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use self::{
    installation::{InstallationError, noted_secret},
    migrations::{MigrationError, migrate},
    secret::{Secret, SecretError, write_private},
};
use crate::{
    config::{DatabaseUrlError, Settings},
    postgres::{
        self, CheckError, Cluster, DatabaseError, Finding, LauncherError, Mode, SUPERUSER, Stopped,
    },
};

/// The role that everything runs as.
pub const APP_ROLE: &str = "bahi_app";

/// The database on the private server.
const PRIVATE_DATABASE: &str = "bahi";

/// What every session has, so that a stuck one can't block the ledger.
const SESSION: [(&str, &str); 4] = [
    ("synchronous_commit", "on"),
    ("statement_timeout", "5s"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "5s"),
];

/// What a session has that only reads, for long.
const READER: [(&str, &str); 3] = [
    ("default_transaction_read_only", "on"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "10min"),
];

/// The longest wait for one connection of a check.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no database to work on.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The URL is none.
    #[error("no database to connect to")]
    Url(#[from] DatabaseUrlError),
    /// The folder for the data can't be made.
    #[error("the folder {} can't be made", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The private server can't be started.
    #[error("no private PostgreSQL")]
    Launcher(#[source] LauncherError),
    /// The private server has no database.
    #[error("no database on the private PostgreSQL")]
    Database(#[source] DatabaseError),
    /// The migrations are not what this program needs.
    #[error("the database is not ready for this program")]
    Migrations(#[from] MigrationError),
    /// The server or the role is unsafe.
    #[error("the database can't be trusted with money")]
    Check(#[source] CheckError),
    /// The secret is missing or unusable.
    #[error("no secret to work with")]
    Secret(#[from] SecretError),
    /// The secret is another one than the database was used with.
    #[error("this is not the installation that the database belongs to")]
    Installation(#[from] InstallationError),
    /// The login role may not become the application's role.
    #[error("the role {login} may not act as {APP_ROLE}: grant {APP_ROLE} to \"{login}\"")]
    Role {
        /// The role of the URL.
        login: String,
    },
    /// The login role can do more than the role it takes on, and could take itself back.
    #[error(
        "the role {login} is a superuser or owns the log, so that it could rewrite it: let the \
         service log in as another one that was granted {APP_ROLE}"
    )]
    LoginTooStrong {
        /// The role of the URL.
        login: String,
    },
    /// The database did not answer.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
}

impl SetupError {
    /// Whether waiting may help: the server is not up yet, or is just starting.
    pub fn is_transient(&self) -> bool {
        let unavailable = match self {
            // A standby may be promoted: that is what a failover looks like from here.
            Self::Check(CheckError::Refused(findings)) => {
                return findings.iter().all(|finding| finding.code == "in_recovery");
            }
            Self::Unavailable(error)
            | Self::Check(CheckError::Unavailable(error))
            | Self::Migrations(MigrationError::Unavailable(error))
            | Self::Installation(InstallationError::Unavailable(error)) => error,
            Self::Url(_)
            | Self::Folder { .. }
            | Self::Launcher(_)
            | Self::Database(_)
            | Self::Migrations(_)
            | Self::Secret(_)
            | Self::Installation(_)
            | Self::Role { .. }
            | Self::LoginTooStrong { .. } => return false,
        };
        if let sqlx::Error::Database(error) = unavailable {
            let code = error.code().unwrap_or_default();
            // Connection lost, too many of them; shutting down, crashed, starting up.
            return ["08", "53"].iter().any(|class| code.starts_with(class))
                || ["57P01", "57P02", "57P03"].contains(&code.as_ref());
        }
        matches!(unavailable, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)
    }
}

/// A database to work on, and the private server behind it if there is one.
#[derive(Debug)]
pub struct Database {
    app: PgConnectOptions,
    reader: PgConnectOptions,
    login: String,
    cluster: Option<Arc<Cluster>>,
}

impl Database {
    /// Starts what has to be started. Does not connect to a server that is somebody's.
    ///
    /// # Errors
    /// [`SetupError`] if the private server or its database can't be had.
    pub async fn open(settings: &Settings) -> Result<Self, SetupError> {
        match settings.database_url.options()? {
            Some(options) => Ok(Self::own(options)),
            None => Self::private(settings).await,
        }
    }

    /// Somebody's server, by its URL.
    pub fn own(options: &PgConnectOptions) -> Self {
        let login = options.get_username().to_owned();
        let options = options.clone().application_name("bahi");
        let reader = options.clone().options(READER);
        let mut app = options.options(SESSION);
        if login != APP_ROLE {
            app = app.options([("role", APP_ROLE)]);
        }
        Self { app, reader, login, cluster: None }
    }

    async fn private(settings: &Settings) -> Result<Self, SetupError> {
        let data = settings.data.clone();
        let folder = settings.postgres_folder();
        std::fs::create_dir_all(&data)
            .map_err(|source| SetupError::Folder { folder: data, source })?;
        let opened = blocking(move || postgres::open(&folder, Mode::Durable)).await;
        let cluster = opened.map_err(SetupError::Launcher)?;
        Self::of_cluster(cluster, PRIVATE_DATABASE).await
    }

    /// The database `name` of a private server, made and migrated if it has to be.
    ///
    /// # Errors
    /// [`SetupError`] if that fails.
    pub async fn of_cluster(cluster: Cluster, name: &str) -> Result<Self, SetupError> {
        postgres::ensure_database(&cluster, name).await.map_err(SetupError::Database)?;
        let owner: PgConnectOptions =
            cluster.url(name, SUPERUSER).parse().map_err(SetupError::Unavailable)?;
        migrate(&owner).await?;
        installation::allow_login(&owner).await.map_err(SetupError::Unavailable)?;
        let app = cluster.url(name, APP_ROLE).parse().map_err(SetupError::Unavailable)?;
        let mut database = Self::own(&app);
        database.cluster = Some(Arc::new(cluster));
        Ok(database)
    }

    /// How to connect as the application.
    pub fn app(&self) -> &PgConnectOptions {
        &self.app
    }

    /// How to connect as the application for one long job: its statements may take their time.
    pub fn app_patient(&self) -> PgConnectOptions {
        self.app
            .clone()
            .options([("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "10min")])
    }

    /// How to connect as whoever logs in, for reading only and for as long as that takes. An
    /// auditor's role needs SELECT and nothing else, and may look at a standby.
    pub fn reader(&self) -> &PgConnectOptions {
        &self.reader
    }

    /// Whether a reader can read it: it has exactly the tables of this program.
    ///
    /// # Errors
    /// [`SetupError`] if not.
    pub async fn check_readable(&self) -> Result<(), SetupError> {
        Ok(migrations::check(&self.reader).await?)
    }

    /// The private server, if this is one.
    pub fn cluster(&self) -> Option<&Arc<Cluster>> {
        self.cluster.as_ref()
    }

    /// A few connections for one command.
    pub fn pool(&self, options: PgConnectOptions) -> PgPool {
        PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(CONNECT_PATIENCE)
            .connect_lazy_with(options)
    }

    /// Whether it can be used: the role, the migrations, and whether the server is safe. What is
    /// tolerable comes back.
    ///
    /// # Errors
    /// [`SetupError`] with everything that stands against it.
    pub async fn check(&self, allow_unsafe: bool) -> Result<Vec<Finding>, SetupError> {
        self.check_shape().await?;
        let pool = self.pool(self.app.clone());
        let checked = async {
            if !allow_unsafe {
                self.check_login(&pool).await?;
            }
            let checked = postgres::check_settings(&pool, !allow_unsafe).await;
            checked.map_err(SetupError::Check)
        };
        let checked = checked.await;
        pool.close().await;
        checked
    }

    /// The settings are checked as the application's role; a session can go back to the one that
    /// logged in.
    async fn check_login(&self, pool: &PgPool) -> Result<(), SetupError> {
        let sql = "select r.rolsuper or pg_has_role(r.oid, c.relowner, 'MEMBER')
                   from pg_roles r, pg_class c
                   where r.rolname = session_user and c.oid = 'events'::regclass";
        let too_strong: bool =
            sqlx::query_scalar(sql).fetch_one(pool).await.map_err(SetupError::Unavailable)?;
        if too_strong {
            let login = self.login.clone();
            return Err(SetupError::LoginTooStrong { login });
        }
        Ok(())
    }

    /// Whether this program can read it: the role and the migrations.
    ///
    /// # Errors
    /// [`SetupError`] with the first thing that stands against it.
    pub async fn check_shape(&self) -> Result<(), SetupError> {
        self.check_role().await?;
        Ok(migrations::check(&self.app).await?)
    }

    async fn check_role(&self) -> Result<(), SetupError> {
        match PgConnection::connect_with(&self.app).await {
            Ok(connection) => connection.close().await.map_err(SetupError::Unavailable),
            Err(sqlx::Error::Database(error)) => match error.code().as_deref() {
                // There is no such role: the first migration makes it.
                Some("22023") => Err(migrations::none_run().into()),
                Some("42501") => {
                    let login = self.login.clone();
                    Err(SetupError::Role { login })
                }
                _ => Err(SetupError::Unavailable(sqlx::Error::Database(error))),
            },
            Err(error) => Err(SetupError::Unavailable(error)),
        }
    }

    /// The secret that belongs to this database; made, and noted in the database, if neither has
    /// one yet.
    ///
    /// # Errors
    /// [`SetupError`] if there is none, or another one.
    pub async fn secret(&self, settings: &Settings) -> Result<Secret, SetupError> {
        let pool = self.pool(self.app.clone());
        let secret = installation::secret(&pool, &settings.secret_file()).await;
        pool.close().await;
        secret
    }

    /// Stops the private server if nobody else uses it. What holds on to it must be gone by then.
    ///
    /// # Errors
    /// [`SetupError::Launcher`] if it does not stop.
    pub async fn close(self) -> Result<Option<Stopped>, SetupError> {
        let Some(cluster) = self.cluster.and_then(Arc::into_inner) else {
            return Ok(None);
        };
        let stopped = blocking(move || cluster.stop_if_last()).await;
        stopped.map(Some).map_err(SetupError::Launcher)
    }
}

/// Runs what blocks where it may. A panic in it goes on here.
async fn blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(job).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}
