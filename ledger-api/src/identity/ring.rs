//! The key ring: the keys in force, in memory, so that a request costs no query.
//!
//! The ring is read from the database again when it is older than [`FRESH_MAX`], in the
//! background, and before the answer when it is older than [`STALE_MAX`]: a revoked key is refused
//! by every process after [`STALE_MAX`] at the latest. A key that the ring does not know has to
//! wait for the next look, of which there is at most one in [`UNKNOWN_RELOAD_MIN`]: a new key
//! works at once, and a flood of wrong keys costs the database five queries a second. Keys are of
//! services and staff: thousands, not millions, which is why they all fit.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use sqlx::{PgPool, Row, postgres::PgRow};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

use super::{
    Caller, Scope, ScopeSet,
    keys::{is_well_formed, secret_hash},
};

/// From this age on the ring is renewed in the background.
pub(super) const FRESH_MAX: Duration = Duration::from_secs(2);
/// From this age on the ring is not used: a revocation takes effect after this time at the latest.
pub(super) const STALE_MAX: Duration = Duration::from_secs(5);
/// The least time between two looks for keys that the ring does not know.
pub(super) const UNKNOWN_RELOAD_MIN: Duration = Duration::from_millis(200);
/// How exact `last_used_at` is.
const LAST_USED_EVERY: Duration = Duration::from_secs(60);

/// Why a key was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not a key in force.
    #[error("the key is not in force")]
    Refused,
    /// The keys cannot be read now.
    #[error("the keys cannot be read")]
    Unavailable,
}

/// The keys in force.
#[derive(Debug)]
pub struct KeyRing {
    db: PgPool,
    current: RwLock<Arc<Snapshot>>,
    /// Held while the ring is read again, so that it is read once however many ask.
    reloading: Mutex<()>,
}

#[derive(Debug, Default)]
struct Snapshot {
    read_at: Option<Instant>,
    keys: HashMap<[u8; 32], Entry>,
    ids: HashSet<Arc<str>>,
    /// Keys that were in force once: their ids, and whose they were.
    revoked: HashMap<[u8; 32], (Arc<str>, Arc<str>)>,
}

impl Snapshot {
    fn new(read_at: Instant, keys: HashMap<[u8; 32], Entry>) -> Self {
        let ids = keys.values().map(|entry| Arc::clone(&entry.caller.key_id)).collect();
        Self { read_at: Some(read_at), keys, ids, revoked: HashMap::new() }
    }
}

#[derive(Debug)]
struct Entry {
    hash: [u8; 32],
    caller: Caller,
    used: std::sync::Mutex<Option<Instant>>,
}

impl KeyRing {
    /// An empty ring over a database; it is read at the first use.
    pub fn new(db: PgPool) -> Arc<Self> {
        Arc::new(Self { db, current: RwLock::default(), reloading: Mutex::default() })
    }

    /// The caller that a key belongs to.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn verify(self: &Arc<Self>, token: &str) -> Result<Caller, VerifyError> {
        if !is_well_formed(token) {
            return Err(VerifyError::Refused);
        }
        let hash = secret_hash(token);
        let snapshot = self.fresh_enough().await?;
        if let Some(entry) = snapshot.find(&hash) {
            self.note_use(entry);
            return Ok(entry.caller.clone());
        }
        // Perhaps it was made a moment ago. All who ask now share the next look.
        let asked = Instant::now();
        tokio::time::sleep(UNKNOWN_RELOAD_MIN.saturating_sub(snapshot.age())).await;
        let snapshot = self.reload(asked).await?;
        let entry = snapshot.find(&hash).ok_or(VerifyError::Refused)?;
        self.note_use(entry);
        Ok(entry.caller.clone())
    }

    /// Whether a key that was accepted before still is. If the keys cannot be read, it is not.
    pub async fn in_force(self: &Arc<Self>, key_id: &str) -> bool {
        let snapshot = self.fresh_enough().await;
        snapshot.is_ok_and(|snapshot| snapshot.ids.contains(key_id))
    }

    /// The id of a key that was in force once, and whose it was: of one that was refused, for who
    /// looks after it.
    pub(crate) fn revoked(&self, token: &str) -> Option<(Arc<str>, Arc<str>)> {
        self.snapshot().revoked.get(&secret_hash(token)).cloned()
    }

    async fn fresh_enough(self: &Arc<Self>) -> Result<Arc<Snapshot>, VerifyError> {
        let snapshot = self.snapshot();
        let age = snapshot.age();
        if age >= STALE_MAX {
            return self.reload(Instant::now()).await;
        }
        if age >= FRESH_MAX && self.reloading.try_lock().is_ok() {
            let (ring, asked) = (Arc::clone(self), Instant::now());
            tokio::spawn(async move {
                if ring.reload(asked).await.is_err() {
                    tracing::warn!("the API keys could not be read again");
                }
            });
        }
        Ok(snapshot)
    }

    /// Reads the keys, unless somebody else did since `asked`, while we waited for our turn.
    async fn reload(&self, asked: Instant) -> Result<Arc<Snapshot>, VerifyError> {
        let _turn = self.reloading.lock().await;
        let before = self.snapshot();
        if before.read_at.is_some_and(|at| at >= asked) {
            return Ok(before);
        }
        let read_at = Instant::now();
        let rows = sqlx::query(
            "select id, principal, scopes, secret_sha256, revoked_at is not null as revoked
             from api_keys",
        )
        .fetch_all(&self.db)
        .await
        .map_err(|error| {
            tracing::warn!(%error, "the API keys could not be read");
            VerifyError::Unavailable
        })?;
        let mut keys = HashMap::with_capacity(rows.len());
        let mut revoked = HashMap::new();
        for row in &rows {
            if row.try_get("revoked").unwrap_or(true) {
                revoked.extend(once(row).ok());
                continue;
            }
            // A row that this program does not understand is a key that it does not accept.
            let Ok(entry) = entry(row, &before) else {
                tracing::error!("an API key's row does not decode");
                continue;
            };
            keys.insert(entry.hash, entry);
        }
        let snapshot = Arc::new(Snapshot { revoked, ..Snapshot::new(read_at, keys) });
        let mut current = self.current.write().unwrap_or_else(|poisoned| {
            // Only ever replaced whole, so a panic elsewhere leaves nothing half-done.
            poisoned.into_inner()
        });
        *current = Arc::clone(&snapshot);
        Ok(snapshot)
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        let current = self.current.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Writes `last_used_at`, at most once a minute and never in the request's way.
    fn note_use(&self, entry: &Entry) {
        let Ok(mut used) = entry.used.try_lock() else {
            return;
        };
        if used.is_some_and(|at| at.elapsed() < LAST_USED_EVERY) {
            return;
        }
        *used = Some(Instant::now());
        let (db, id) = (self.db.clone(), Arc::clone(&entry.caller.key_id));
        tokio::spawn(async move {
            let written = sqlx::query("update api_keys set last_used_at = now() where id = $1")
                .bind(&*id)
                .execute(&db)
                .await;
            if let Err(error) = written {
                tracing::debug!(%error, "last_used_at was not written");
            }
        });
    }

    /// Puts keys into the ring without a database, in force for the life of the test.
    #[cfg(test)]
    pub(crate) fn fixed(db: PgPool, tokens: &[(&str, Caller)]) -> Arc<Self> {
        let far = Instant::now() + Duration::from_secs(3600);
        let keys = tokens.iter().map(|(token, caller)| {
            let hash = secret_hash(token);
            let entry =
                Entry { hash, caller: caller.clone(), used: std::sync::Mutex::new(Some(far)) };
            (hash, entry)
        });
        let snapshot = Snapshot::new(far, keys.collect());
        Arc::new(Self { db, current: RwLock::new(Arc::new(snapshot)), reloading: Mutex::default() })
    }
}

impl Snapshot {
    fn age(&self) -> Duration {
        self.read_at.map_or(Duration::MAX, |at| at.elapsed())
    }

    fn find(&self, hash: &[u8; 32]) -> Option<&Entry> {
        let entry = self.keys.get(hash)?;
        bool::from(entry.hash.ct_eq(hash)).then_some(entry)
    }
}

/// The hash of a key that is not in force any more, its id, and whose it was.
type Revoked = ([u8; 32], (Arc<str>, Arc<str>));

fn once(row: &PgRow) -> Result<Revoked, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("secret_sha256")?;
    let hash = hash.try_into().map_err(|_| sqlx::Error::Decode("not 32 bytes".into()))?;
    let (id, principal): (&str, &str) = (row.try_get("id")?, row.try_get("principal")?);
    Ok((hash, (id.into(), principal.into())))
}

fn entry(row: &PgRow, before: &Snapshot) -> Result<Entry, sqlx::Error> {
    let bad = |source: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(source);
    let hash: Vec<u8> = row.try_get("secret_sha256")?;
    let hash: [u8; 32] = hash.try_into().map_err(|_| bad("not 32 bytes".into()))?;
    let principal: String = row.try_get("principal")?;
    let id: String = row.try_get("id")?;
    let names: Vec<String> = row.try_get("scopes")?;
    let scopes: Result<Vec<Scope>, _> = names.iter().map(|name| name.parse()).collect();
    let scopes = ScopeSet::of(&scopes.map_err(|error| bad(Box::new(error)))?);
    let principal = principal.parse().map_err(|error| bad(Box::new(error)))?;
    let used =
        before.keys.get(&hash).and_then(|entry| entry.used.lock().ok().and_then(|used| *used));
    Ok(Entry {
        hash,
        caller: Caller::of_key(id.into(), principal, scopes),
        used: std::sync::Mutex::new(used),
    })
}
