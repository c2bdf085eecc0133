//! Where a call leaves what it saw: a queue of bounded length, which never makes anybody wait.

use std::{fmt, sync::Arc, time::Instant};

use ledger_core::{
    clock::{Clock, Timestamp},
    ids::{BankCode, Reference},
};
use serde::Serialize;
use tokio::sync::{Mutex, MutexGuard, mpsc};
use utoipa::ToSchema;

/// The most bytes of a body that are kept: more than an honest answer about a transfer has.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// How many exchanges may wait to be written: 32 MB if each were as large as can be.
pub(super) const WAITING_MAX: usize = 1_024;

/// What was asked of a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeKind {
    /// To make a transfer.
    Submit,
    /// What became of one.
    Enquiry,
}

impl ExchangeKind {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Enquiry => "enquiry",
        }
    }
}

/// Why there is no answer, or none that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// None came in time.
    TimedOut,
    /// No connection came about, or it broke.
    NoConnection,
    /// It leads elsewhere, where nobody went.
    Redirect,
    /// It is larger than an answer may be.
    TooLarge,
    /// Nothing was sent: what was to be asked for can't stand in a path.
    NotSent,
}

impl Failure {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::NoConnection => "no_connection",
            Self::Redirect => "redirect",
            Self::TooLarge => "too_large",
            Self::NotSent => "not_sent",
        }
    }
}

/// A call to a bank about one transfer, as it went.
#[derive(Clone)]
pub struct Exchange {
    /// The bank.
    pub bank: BankCode,
    /// What the bank knows the transfer by.
    pub reference: Reference,
    /// What was asked.
    pub kind: ExchangeKind,
    /// When it began.
    pub started_at: Timestamp,
    /// How many milliseconds it took.
    pub took_ms: i32,
    /// The status of the answer; nothing if there was none.
    pub http_status: Option<u16>,
    /// Why there is no whole answer.
    pub failure: Option<Failure>,
    /// The beginning of the request's body.
    pub request: Vec<u8>,
    /// How many bytes that has in all.
    pub request_bytes: usize,
    /// The beginning of the answer's body.
    pub answer: Vec<u8>,
    /// How many bytes that has in all, as far as it was read.
    pub answer_bytes: usize,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bodies name people.
        f.debug_struct("Exchange")
            .field("bank", &self.bank)
            .field("reference", &self.reference)
            .field("kind", &self.kind)
            .field("http_status", &self.http_status)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// What takes exchanges in; cheap to clone.
#[derive(Clone)]
pub struct Recorder(Arc<Inner>);

struct Inner {
    waiting: mpsc::Sender<Exchange>,
    taken: Mutex<mpsc::Receiver<Exchange>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// A call that has begun.
pub(crate) struct Begun {
    recorder: Recorder,
    bank: BankCode,
    reference: Reference,
    kind: ExchangeKind,
    at: Timestamp,
    since: Instant,
}

impl Recorder {
    /// One whose exchanges are of this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (waiting, taken) = mpsc::channel(WAITING_MAX);
        Self(Arc::new(Inner { waiting, taken: Mutex::new(taken), clock }))
    }

    /// A call begins.
    pub(crate) fn begin(&self, of: (&BankCode, &Reference), kind: ExchangeKind) -> Begun {
        Begun {
            recorder: self.clone(),
            bank: of.0.clone(),
            reference: of.1.clone(),
            kind,
            at: self.0.clock.now(),
            since: Instant::now(),
        }
    }

    /// Takes an exchange in, or loses it if too many wait. Never waits.
    pub fn record(&self, exchange: Exchange) {
        if self.0.waiting.try_send(exchange).is_err() {
            lost(FULL, 1);
        }
    }

    /// What waits, for the one task that writes it.
    pub(super) async fn taken(&self) -> MutexGuard<'_, mpsc::Receiver<Exchange>> {
        self.0.taken.lock().await
    }

    /// Now, by its clock.
    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl Begun {
    /// It ended: with these bodies, this status, or this failure.
    pub(crate) fn end(
        self,
        (request, answer): (&[u8], &[u8]),
        http_status: Option<u16>,
        failure: Option<Failure>,
    ) {
        let took = self.since.elapsed().as_millis();
        let recorder = self.recorder;
        recorder.record(Exchange {
            bank: self.bank,
            reference: self.reference,
            kind: self.kind,
            started_at: self.at,
            took_ms: i32::try_from(took).unwrap_or(i32::MAX),
            http_status,
            failure,
            request: beginning(request),
            request_bytes: request.len(),
            answer: beginning(answer),
            answer_bytes: answer.len(),
        });
    }
}

fn beginning(body: &[u8]) -> Vec<u8> {
    body.get(..BODY_BYTES_MAX).unwrap_or(body).to_vec()
}

/// The queue had no room for them.
pub(super) const FULL: &str = "full";
/// The database did not take them.
pub(super) const DATABASE: &str = "database";

/// Counts from zero on: the first increase of a counter that was not there is seen by no alarm.
pub(crate) fn none_lost() {
    for why in [FULL, DATABASE] {
        lost(why, 0);
    }
}

/// Counts exchanges that nobody will see.
pub(super) fn lost(why: &'static str, count: usize) {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    metrics::counter!("bahi_bank_exchanges_lost_total", "why" => why).increment(count);
}

#[cfg(test)]
mod tests {
    use ledger_core::clock::System;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_loses_what_comes_and_makes_nobody_wait() {
        let recorder = Recorder::new(Arc::new(System));
        let (bank, reference) = ("hdfc".parse().unwrap(), "BH1".parse().unwrap());
        for _ in 0..WAITING_MAX + 5 {
            let begun = recorder.begin((&bank, &reference), ExchangeKind::Enquiry);
            begun.end((b"", b""), None, Some(Failure::TimedOut));
        }
        let mut taken = recorder.taken().await;
        let mut waiting = 0;
        while taken.try_recv().is_ok() {
            waiting += 1;
        }
        assert_eq!(waiting, WAITING_MAX);
    }

    #[tokio::test]
    async fn of_a_large_body_the_beginning_is_kept_and_its_size() {
        let recorder = Recorder::new(Arc::new(System));
        let (bank, reference) = ("hdfc".parse().unwrap(), "BH1".parse().unwrap());
        let large = vec![b'x'; BODY_BYTES_MAX + 1];
        let begun = recorder.begin((&bank, &reference), ExchangeKind::Submit);
        begun.end((b"{}", &large), Some(200), None);
        let kept = recorder.taken().await.try_recv().unwrap();
        assert_eq!((kept.answer.len(), kept.answer_bytes), (BODY_BYTES_MAX, BODY_BYTES_MAX + 1));
        assert_eq!((kept.request.as_slice(), kept.request_bytes), (b"{}".as_slice(), 2));
        assert!(!format!("{kept:?}").contains("xx"));
    }
}
