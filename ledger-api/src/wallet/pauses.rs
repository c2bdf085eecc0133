//! Which banks are paused or drained, remembered for a second, so that a request for a withdrawal
//! costs the database nothing.
//!
//! A process that pauses a bank itself knows at once; another one within that second, in which it
//! may let a withdrawal in that then waits or is sent like those of the second before. Whoever
//! sends asks the table.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ledger_core::ids::BankCode;
use lru::LruCache;
use sqlx::PgPool;

use crate::workers::withdrawals::notes::{Notes, Pause};

/// How many banks are remembered, those that there are not too.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);
const REMEMBERED_FOR: Duration = Duration::from_secs(1);

/// From when what is remembered of a bank is.
type Remembered = LruCache<BankCode, (Instant, Option<Pause>)>;

/// The pauses of banks; cheap to clone.
#[derive(Clone)]
pub struct Pauses {
    notes: Notes,
    remembered: Arc<Mutex<Remembered>>,
}

impl Pauses {
    /// Those of a database.
    pub(crate) fn new(pool: PgPool) -> Self {
        let remembered = Arc::new(Mutex::new(LruCache::new(REMEMBERED_MAX)));
        Self { notes: Notes::new(pool), remembered }
    }

    /// Who paused or drained a bank, why and when; nothing if nobody did. As of now or a second
    /// ago.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn of(&self, bank: &BankCode) -> sqlx::Result<Option<Pause>> {
        // From before the question, so that what is forgotten meanwhile is not remembered for long.
        let asked_at = Instant::now();
        if let Some((since, pause)) = self.memory().get(bank)
            && since.elapsed() < REMEMBERED_FOR
        {
            return Ok(pause.clone());
        }
        let pause = self.notes.pause_of(bank).await?;
        self.memory().put(bank.clone(), (asked_at, pause.clone()));
        Ok(pause)
    }

    /// Somebody here paused a bank or lets it go on.
    pub(crate) fn forget(&self, bank: &BankCode) {
        self.memory().pop(bank);
    }

    fn memory(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
