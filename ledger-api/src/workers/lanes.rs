//! Lanes: who of several processes does a piece of work that one should do at a time.
//!
//! A lane is held for a short while and renewed; whoever stalls or dies loses it, and another takes
//! it over. The time that counts is the database's for who may take it, and our own monotonic one
//! for how long we may believe that it is ours: we stop before others may start.
//!
//! It saves work and keeps rates. That one attempt is sent once rests on the log, not on this.

use std::time::Duration;

use sqlx::PgPool;
use tokio::{sync::watch, time::Instant};
use uuid::Uuid;

/// For how long a lane is held.
const HELD_FOR: Duration = Duration::from_secs(10);
/// How long after its renewal its holder still acts on it.
const BELIEVED_FOR: Duration = Duration::from_secs(6);
/// How soon it is renewed.
const RENEWED_AFTER: Duration = Duration::from_secs(2);

/// One lane, as one process sees it.
#[derive(Debug)]
pub struct Lane {
    pool: PgPool,
    name: String,
    holder: Uuid,
    renewed: watch::Sender<Option<Instant>>,
}

/// Whether a lane is ours, for whoever works in it meanwhile.
#[derive(Debug, Clone)]
pub struct Held(watch::Receiver<Option<Instant>>);

impl Held {
    /// Whether it is surely still ours.
    pub fn is_held(&self) -> bool {
        self.0.borrow().is_some_and(|renewed| renewed.elapsed() < BELIEVED_FOR)
    }
}

impl Lane {
    /// A lane that is not held yet, by a name and a fresh id of whoever is to hold it.
    pub fn new(pool: PgPool, name: String, holder: Uuid) -> Self {
        Self { pool, name, holder, renewed: watch::Sender::new(None) }
    }

    /// Takes or renews it if that is due; whether it is ours.
    ///
    /// # Errors
    /// What the database says; it may be ours still, for as long as [`Self::is_held`] says.
    pub async fn hold(&mut self) -> sqlx::Result<bool> {
        if self.renewed.borrow().is_some_and(|renewed| renewed.elapsed() < RENEWED_AFTER) {
            return Ok(true);
        }
        // From before the question: the answer may be late.
        let asked = Instant::now();
        let sql = "
            insert into worker_lanes as l (lane, holder, expires_at)
            values ($1, $2, now() + make_interval(secs => $3))
            on conflict (lane) do update
                set holder = excluded.holder, expires_at = excluded.expires_at
                where l.holder = excluded.holder or l.expires_at < now()";
        let query = sqlx::query(sql).bind(&self.name).bind(self.holder);
        let done = query.bind(HELD_FOR.as_secs_f64()).execute(&self.pool).await?;
        let ours = done.rows_affected() > 0;
        self.renewed.send_replace(ours.then_some(asked));
        Ok(ours)
    }

    /// Whether it is surely still ours.
    pub fn is_held(&self) -> bool {
        self.held().is_held()
    }

    /// What says, from now on, whether it is ours.
    pub fn held(&self) -> Held {
        Held(self.renewed.subscribe())
    }

    /// Lets the next one have it at once.
    ///
    /// # Errors
    /// What the database says; it ends by itself then.
    pub async fn leave(&mut self) -> sqlx::Result<()> {
        self.renewed.send_replace(None);
        let sql = "update worker_lanes set expires_at = now() - interval '1 second'
                   where lane = $1 and holder = $2";
        sqlx::query(sql).bind(&self.name).bind(self.holder).execute(&self.pool).await?;
        Ok(())
    }
}
