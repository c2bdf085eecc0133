//! Taking turns with other processes. An engine that lost an append decides under a lock that the
//! processes share, until nobody else has appended for a while. An engine that wins finds out by
//! its append whether somebody has or wants that lock, and then takes turns too: so one that is far
//! from the database, and decides on what is always a little old, is not starved by one that is
//! near. The lock is for fairness only: losing it, or going on without it, can do no harm, because
//! compare-and-append decides.

use sqlx::{error::DatabaseError, postgres::PgConnectOptions};
use tracing::debug;

use super::link::{Link, answered};
use crate::log::append::TURN;

/// After so many turns in which nobody else appended, the lock is left alone.
const QUIET_TURNS: u32 = 50;
/// What PostgreSQL calls a lock that was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

pub(super) struct Turn {
    link: Link,
    contended: bool,
    quiet: u32,
    held: bool,
}

impl Turn {
    pub(super) fn new(database: &PgConnectOptions) -> Self {
        // A process that is stopped while it holds the lock loses it after the idle time-out, and
        // one that waits gives up before long and goes on without.
        let link =
            Link::new(database).with("lock_timeout", "800ms").with("idle_session_timeout", "600ms");
        Self { link, contended: false, quiet: 0, held: false }
    }

    /// Whether another process appends too.
    pub(super) const fn contended(&self) -> bool {
        self.contended
    }

    /// An append was won. If somebody else wants the turn, they shall have it.
    pub(super) const fn won(&mut self, turn_wanted: bool) {
        if turn_wanted && !self.held {
            self.lost();
        }
    }

    /// An append was lost.
    pub(super) const fn lost(&mut self) {
        self.contended = true;
        self.quiet = 0;
    }

    /// Waits for the turn.
    pub(super) async fn take(&mut self) {
        // The session may have ended while it was idle: then the second one is a fresh one.
        for _ in 0..2 {
            let taken = self.ask("select pg_advisory_lock($1)").await;
            self.held = taken.is_ok();
            let Err(error) = taken else { return };
            debug!(%error, "the turn was not to be had");
            self.link.broken();
            let waited = error.as_database_error().and_then(DatabaseError::code);
            if waited.is_some_and(|code| code == LOCK_NOT_AVAILABLE) {
                return;
            }
        }
    }

    async fn ask(&mut self, sql: &str) -> sqlx::Result<()> {
        let db = self.link.get().await?;
        answered(sqlx::query(sql).bind(TURN).execute(db)).await?;
        Ok(())
    }

    /// Notes whether somebody else appended since the last turn.
    pub(super) const fn saw(&mut self, others: bool) {
        self.quiet = if others { 0 } else { self.quiet.saturating_add(1) };
        if self.quiet >= QUIET_TURNS {
            self.contended = false;
        }
    }

    /// Lets the next one have it.
    pub(super) async fn release(&mut self) {
        if !std::mem::take(&mut self.held) {
            return;
        }
        if self.ask("select pg_advisory_unlock($1)").await.is_err() {
            self.link.broken();
        }
    }
}
