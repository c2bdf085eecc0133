//! Keys that were used lately, so that a quick repeat is answered without asking the database.
//! What is not here is found out by the append itself: the key is the table's primary key.

use lru::LruCache;

use super::{Answer, SubmitError};
use crate::{
    command::{Idempotency, Outcome},
    ids::{IdempotencyKey, Principal},
    log::Position,
};

/// How many keys are remembered.
const RECENT_MAX: usize = 20_000;

/// A key with its owner.
pub(super) type Key = (Principal, IdempotencyKey);

struct Known {
    fingerprint: [u8; 32],
    outcome: Outcome,
    position: Position,
}

pub(super) struct Recent(LruCache<Key, Known>);

impl Default for Recent {
    fn default() -> Self {
        Self(LruCache::unbounded())
    }
}

impl Recent {
    /// The answer to a repeat, if the key was used lately.
    pub(super) fn answer(
        &mut self,
        principal: &Principal,
        idempotency: &Idempotency,
    ) -> Option<Result<Answer, SubmitError>> {
        let known = self.0.get(&(principal.clone(), idempotency.key.clone()))?;
        Some(replay(
            known.fingerprint == idempotency.fingerprint,
            known.outcome.clone(),
            known.position,
        ))
    }

    /// Remembers what a key came to.
    pub(super) fn remember(
        &mut self,
        key: Key,
        fingerprint: [u8; 32],
        outcome: Outcome,
        position: Position,
    ) {
        self.0.put(key, Known { fingerprint, outcome, position });
        while self.0.len() > RECENT_MAX {
            self.0.pop_lru();
        }
    }
}

/// The same request gets the same answer; another one under the same key gets none.
pub(super) fn replay(
    same_request: bool,
    outcome: Outcome,
    position: Position,
) -> Result<Answer, SubmitError> {
    if !same_request {
        return Err(SubmitError::KeyReused);
    }
    let position = match &outcome {
        Outcome::Accepted(accepted) => accepted.position,
        Outcome::Rejected(_) => position,
    };
    Ok(Answer { outcome, replayed: true, position })
}
