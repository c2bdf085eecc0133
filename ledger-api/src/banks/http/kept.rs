//! A contract that is read when it is needed, and kept.
//!
//! Read again every few minutes; if that fails, the one that is kept stands. A bank that is down
//! is asked by one caller at a time, and not again at once, so that callers don't queue up behind
//! a dead bank.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::banks::{CallError, Contract};

/// How old a contract may be before it is read again.
const FRESH_FOR: Duration = Duration::from_secs(300);
/// How long a failure stands before the bank is asked again.
const FAILED_FOR: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Kept {
    state: Mutex<State>,
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    contract: Option<(Instant, Arc<Contract>)>,
    failed: Option<(Instant, CallError)>,
}

impl State {
    /// What needs no reading.
    fn at_hand(&self) -> Option<Result<Arc<Contract>, CallError>> {
        let failed = self.failed.as_ref().filter(|(at, _)| at.elapsed() < FAILED_FOR);
        match (&self.contract, failed) {
            (Some((_, contract)), Some(_)) => Some(Ok(Arc::clone(contract))),
            (Some((at, contract)), None) if at.elapsed() < FRESH_FOR => {
                Some(Ok(Arc::clone(contract)))
            }
            (None, Some((_, error))) => Some(Err(error.clone())),
            (_, None) => None,
        }
    }
}

impl Kept {
    /// The contract: kept, or read now.
    pub(super) async fn get<F>(
        &self,
        read: impl FnOnce() -> F + Send,
    ) -> Result<Arc<Contract>, CallError>
    where
        F: Future<Output = Result<Arc<Contract>, CallError>> + Send,
    {
        if let Some(at_hand) = self.state().at_hand() {
            return at_hand;
        }
        let _turn = self.reading.lock().await;
        if let Some(at_hand) = self.state().at_hand() {
            return at_hand;
        }
        let read = read().await;
        let mut state = self.state();
        match read {
            Ok(contract) => {
                *state =
                    State { contract: Some((Instant::now(), Arc::clone(&contract))), failed: None };
                Ok(contract)
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                state.contract.as_ref().map(|(_, kept)| Arc::clone(kept)).ok_or(error)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
