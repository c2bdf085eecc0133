//! The engine's own connection to the database. It is in no pool, so no cancelled request can
//! leave it in a transaction; and it is thrown away as soon as anything about it is doubtful.

use std::{future::Future, time::Duration};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take, beyond the server's own time-outs, before it counts as lost.
const ANSWER: Duration = Duration::from_secs(8);

pub(super) struct Link {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Link {
    pub(super) fn new(database: &PgConnectOptions) -> Self {
        // Asserted for the session, because the role's own settings may have been changed.
        let options = database.clone().application_name("bahi-engine").options([
            ("synchronous_commit", "on"),
            // The planner takes a load of a thousand streams for work that is worth compiling for;
            // compiling takes longer than the load.
            ("jit", "off"),
            ("statement_timeout", "5s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "5s"),
        ]);
        Self { options: options.disable_statement_logging(), connection: None }
    }

    /// With another session setting.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.options = self.options.options([(name, value)]);
        self
    }

    /// The connection, made if need be.
    pub(super) async fn get(&mut self) -> sqlx::Result<&mut PgConnection> {
        if self.connection.is_none() {
            let connected = within(CONNECT, PgConnection::connect_with(&self.options)).await?;
            self.connection = Some(connected);
        }
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Takes the connection out, for a task that brings it back.
    pub(super) async fn take(&mut self) -> sqlx::Result<PgConnection> {
        self.get().await?;
        self.connection.take().ok_or(sqlx::Error::PoolClosed)
    }

    /// Brings it back.
    pub(super) fn give(&mut self, connection: PgConnection) {
        self.connection = Some(connection);
    }

    /// Throws the connection away. The server undoes what it had not committed.
    pub(super) fn broken(&mut self) {
        self.connection = None;
    }
}

/// Runs a statement, but not for ever: a stalled server must not stall the engine unseen. The
/// connection must be thrown away after an error, for its answer may still come.
pub(super) async fn answered<T, E: From<sqlx::Error>>(
    statement: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    within(ANSWER, statement).await
}

async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(elapsed) => {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed);
            Err(E::from(sqlx::Error::Io(late)))
        }
    }
}
