//! What clients asked and what they were told: the other side of the log.
//!
//! Each attempt at a request has a transaction id of its own, as the service gives it: so the log
//! tells which attempt was the one that happened, and that only one did.

use std::{collections::BTreeMap, sync::Mutex, time::Instant};

use ledger_core::{
    clock::{Ids, System},
    command::Outcome,
    ids::TransactionId,
};

/// A transfer that a client wants, under one key.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) key: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) amount: String,
}

/// What a client was told about an attempt.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// The outcome.
    Outcome(Outcome),
    /// For sure, nothing happened.
    Nothing,
    /// Nothing at all.
    Unknown,
}

/// One sending of a request.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) transaction: TransactionId,
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
    pub(crate) told: Told,
}

/// A request with all its attempts.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) request: Request,
    pub(crate) attempts: Vec<Attempt>,
}

/// When an accepted transfer was asked for and acknowledged, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
    pub(crate) position: u64,
}

impl Entry {
    /// The outcome, if any attempt was told one. All that were told were told the same.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        let mut told = self.attempts.iter().filter_map(|attempt| match &attempt.told {
            Told::Outcome(outcome) => Some(outcome),
            Told::Nothing | Told::Unknown => None,
        });
        let first = told.next()?;
        for other in told {
            assert_eq!(first, other, "{}: two answers to one key", self.request.key);
        }
        Some(first)
    }

    /// Whether every attempt was told that nothing happened.
    pub(crate) fn nothing_happened(&self) -> bool {
        self.attempts.iter().all(|attempt| matches!(attempt.told, Told::Nothing))
    }

    /// When it happened, if it was accepted.
    pub(crate) fn span(&self) -> Option<Span> {
        let Some(Outcome::Accepted(accepted)) = self.outcome() else {
            return None;
        };
        let answered = self.attempts.iter().filter(|a| matches!(a.told, Told::Outcome(_)));
        Some(Span {
            asked: self.attempts.iter().map(|attempt| attempt.asked).min()?,
            answered: answered.map(|attempt| attempt.answered).min()?,
            position: accepted.position,
        })
    }
}

/// All requests of a test's clients.
#[derive(Default)]
pub(crate) struct History(Mutex<BTreeMap<String, Entry>>);

impl History {
    /// A snapshot of all requests, by key.
    pub(crate) fn entries(&self) -> Vec<(String, Entry)> {
        let entries = self.0.lock().unwrap();
        entries.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect()
    }

    /// How many keys have an outcome.
    pub(crate) fn decided(&self) -> usize {
        self.0.lock().unwrap().values().filter(|entry| entry.outcome().is_some()).count()
    }

    /// Sends a request to a target once, and notes what it was told.
    pub(crate) async fn ask(&self, target: &impl Target, request: &Request) -> Told {
        let transaction = TransactionId::from_uuid(System.fresh());
        let asked = Instant::now();
        // Noted before it is sent: whatever becomes of this client, the attempt was made.
        let place = {
            let mut entries = self.0.lock().unwrap();
            let entry = entries
                .entry(request.key.clone())
                .or_insert_with(|| Entry { request: request.clone(), attempts: Vec::new() });
            let told = Told::Unknown;
            entry.attempts.push(Attempt { transaction, asked, answered: asked, told });
            entry.attempts.len() - 1
        };
        let told = target.ask(request, transaction).await;
        let mut entries = self.0.lock().unwrap();
        let attempt = &mut entries.get_mut(&request.key).unwrap().attempts[place];
        attempt.answered = Instant::now();
        attempt.told = told.clone();
        told
    }

    /// Sends every request whose outcome is not known again, until it is. Says how many there were.
    pub(crate) async fn resolve(&self, target: &impl Target) -> usize {
        let open: Vec<Request> = self
            .entries()
            .into_iter()
            .filter(|(_, entry)| entry.outcome().is_none() && !entry.nothing_happened())
            .map(|(_, entry)| entry.request)
            .collect();
        let resolve = open.iter().map(|request| async move {
            while !matches!(self.ask(target, request).await, Told::Outcome(_)) {
                tokio::task::yield_now().await;
            }
        });
        let all = futures::future::join_all(resolve);
        let patience = std::time::Duration::from_secs(60);
        tokio::time::timeout(patience, all).await.expect("every unknown outcome comes to be known");
        open.len()
    }
}

/// Something that transfers can be asked of: an engine here, or one in another process.
pub(crate) trait Target: Send + Sync + 'static {
    /// Asks for a transfer once.
    fn ask(
        &self,
        request: &Request,
        transaction: TransactionId,
    ) -> impl Future<Output = Told> + Send;
}
