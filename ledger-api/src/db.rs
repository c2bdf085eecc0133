//! Pools of connections for reading. The engine has its own connection and appends by itself.
//!
//! A future that is dropped inside a transaction leaves it open on its connection, and the next
//! user's autocommitted writes would vanish in it. So every connection is rolled back when it
//! comes back to its pool, whatever state it was in. All waits are bounded: for a connection, a
//! lock, a statement, an idle transaction.

use std::time::Duration;

use sqlx::{
    Executor,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a readiness check waits for one.
const HEALTH_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(500);

/// What every connection of the service is set to.
pub fn with_timeouts(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "5s"),
        // Statements are short; compiling them costs more than it saves.
        ("jit", "off"),
        // Rolling back outside of a transaction, which is the rule (see above), is only noticed.
        ("client_min_messages", "error"),
    ])
}

/// The pool that requests read from. Connects when it is first used, so that the service starts
/// before its database does.
pub fn read_pool(options: PgConnectOptions, connections_max: u32) -> PgPool {
    rolled_back(connections_max, ACQUIRE_TIMEOUT)
        .connect_lazy_with(with_timeouts(options).application_name("bahi-reads"))
}

/// The small pool of the health checks, so that they answer when the others are exhausted.
pub fn health_pool(options: PgConnectOptions) -> PgPool {
    rolled_back(2, HEALTH_ACQUIRE_TIMEOUT)
        .connect_lazy_with(with_timeouts(options).application_name("bahi-health"))
}

/// The role that auditors' pages read by (`migrations/25_staff.sql`).
pub const AUDITOR_ROLE: &str = "bahi_auditor";
/// Connections that auditors' pages read with.
const AUDIT_CONNECTIONS_MAX: u32 = 4;

/// The pool that auditors' pages read from: the database of `like`, by a role that can write
/// nothing there but what it looked at.
pub fn audit_pool(like: &PgPool) -> PgPool {
    let options = PgConnectOptions::clone(&like.connect_options());
    let options =
        options.options([("role", AUDITOR_ROLE), ("default_transaction_read_only", "on")]);
    rolled_back(AUDIT_CONNECTIONS_MAX, ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.application_name("bahi-audit"))
}

fn rolled_back(connections_max: u32, acquire_timeout: Duration) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(acquire_timeout)
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.execute("rollback").await?;
                Ok(true)
            })
        })
}
