//! Taking turns with other processes. An engine that lost an append decides under a lock that the
//! processes share, until nobody else has appended for a while. The lock is for fairness only:
//! losing it, or going on without it, can do no harm, because compare-and-append decides.

use sqlx::postgres::PgConnectOptions;
use tracing::debug;

use super::link::{Link, answered};

/// The lock's name: "bahi" in ASCII.
const LOCK: i64 = 0x6261_6869;
/// After so many turns in which nobody else appended, the lock is left alone.
const QUIET_TURNS: u32 = 50;

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

    /// An append was lost.
    pub(super) const fn lost(&mut self) {
        self.contended = true;
        self.quiet = 0;
    }

    /// Waits for the turn.
    pub(super) async fn take(&mut self) {
        let taken = match self.link.get().await {
            Ok(db) => {
                answered(sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(db)).await
            }
            Err(error) => Err(error),
        };
        self.held = taken.is_ok();
        if let Err(error) = taken {
            debug!(%error, "going on without the turn");
            self.link.broken();
        }
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
        let released = match self.link.get().await {
            Ok(db) => {
                answered(sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(db)).await
            }
            Err(error) => Err(error),
        };
        if released.is_err() {
            self.link.broken();
        }
    }
}
