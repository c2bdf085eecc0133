//! The port: what can be asked of a bank, and what its answer proves.

use std::{fmt, sync::Arc, time::Duration};

use chrono::NaiveDate;
use futures::future::BoxFuture;
use ledger_core::ids::{BankCode, Reference};

use super::{
    BankStatement, CollectLink, Contract, Credit, NewCollectLink, Payee, Submission, Transfer,
};
use crate::exchanges::Recorder;

/// One bank. Every call ends by itself, within the time-out of whoever speaks to it; dropping a
/// call undoes nothing that the bank may have got.
pub trait Bank: Send + Sync {
    /// Its name in our account codes.
    fn code(&self) -> &BankCode;

    /// What it can do and promises; may be some minutes old.
    fn contract(&self) -> BoxFuture<'_, Result<Arc<Contract>, CallError>>;

    /// Hands in a transfer. What is answered is of this very submission: the same reference,
    /// amount, rail and account; all else is [`CallError::Unknown`].
    fn submit<'a>(
        &'a self,
        submission: &'a Submission,
    ) -> BoxFuture<'a, Result<Transfer, CallError>>;

    /// What became of a transfer. Nothing: the bank does not know the reference *now*, which is no
    /// proof of anything. The amount is the bank's word: compare it.
    fn enquire<'a>(
        &'a self,
        reference: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<Transfer>, CallError>>;

    /// A day of one of our accounts; nothing if the bank has no statement of it (yet).
    fn statement<'a>(
        &'a self,
        account: &'a str,
        day: NaiveDate,
    ) -> BoxFuture<'a, Result<Option<BankStatement>, CallError>>;

    /// Whose account it is. Moves no money.
    fn check_name<'a>(&'a self, payee: &'a Payee) -> BoxFuture<'a, Result<NameCheck, CallError>>;

    /// Makes a page where somebody pays; the same token, the same page.
    fn open_collect_link<'a>(
        &'a self,
        link: &'a NewCollectLink,
    ) -> BoxFuture<'a, Result<CollectLink, CallError>>;

    /// What became of a page; nothing if the bank does not know the token now.
    fn collect_link<'a>(
        &'a self,
        token: &'a Reference,
    ) -> BoxFuture<'a, Result<Option<CollectLink>, CallError>>;

    /// Whether money arrived; nothing if the bank does not know the credit now.
    fn credit<'a>(&'a self, id: &'a Reference) -> BoxFuture<'a, Result<Option<Credit>, CallError>>;

    /// Has what is said about transfers from now on written down as it went, if it can be. Never in
    /// the way of a call.
    fn record_to(&self, _recorder: Recorder) {}

    /// How it is. Nobody decides about money by it.
    fn health(&self) -> BoxFuture<'_, Health>;
}

/// Why a call brought nothing, by what that proves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The call was not understood, and nothing was passed to the bank. It will not be understood
    /// later either: people have to look.
    #[error("the bank's adapter did not understand the call ({status} {code})")]
    NotUnderstood {
        /// 400, 401, 413, 415 or 422.
        status: u16,
        /// The adapter's code for it.
        code: Reference,
    },
    /// The reference (or token) was used for something else; nothing new was passed to the bank.
    #[error("the reference was used for another transfer")]
    ReferenceReused,
    /// Too fast, and nothing was passed to the bank: the same reference again, later.
    #[error("the bank was called too fast; again after {retry_after:?}")]
    TooFast {
        /// Not before.
        retry_after: Duration,
    },
    /// Nobody knows what the bank did. No proof of anything.
    #[error("what the bank did is not known: {0}")]
    Unknown(Doubt),
}

/// Why nothing follows from a call. Names no person and shows nothing that the bank wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// No answer in time.
    TimedOut,
    /// No connection, or one that broke.
    Connection,
    /// An answer of this status.
    Status(u16),
    /// A redirect, which is not followed.
    Redirect,
    /// More than an answer may have.
    TooLarge,
    /// Not JSON by its own word.
    ContentType,
    /// Not what the protocol says; this was expected.
    Malformed(&'static str),
    /// It is of something else than what was asked; this differs.
    Mismatch(&'static str),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Connection => f.write_str("no connection, or it broke"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Redirect => f.write_str("a redirect, which is not followed"),
            Self::TooLarge => f.write_str("an answer that is too large"),
            Self::ContentType => f.write_str("an answer of another content type than JSON"),
            Self::Malformed(what) => write!(f, "an answer that is no {what}"),
            Self::Mismatch(what) => write!(f, "an answer with another {what}"),
        }
    }
}

impl From<Doubt> for CallError {
    fn from(doubt: Doubt) -> Self {
        Self::Unknown(doubt)
    }
}

/// How a bank is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Up,
    /// It works badly.
    Degraded,
    /// It does not work, or does not answer.
    Down,
}

/// Whose account it is, in the bank's words.
#[derive(Clone, PartialEq, Eq)]
pub enum NameCheck {
    /// There is such an account.
    Found {
        /// Its owner, as the bank has it.
        registered_name: String,
        /// Whether that is the name that was asked about.
        matched: NameMatch,
    },
    /// It was closed.
    Closed,
    /// There is none.
    NotFound,
}

impl fmt::Debug for NameCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { matched, .. } => write!(f, "Found(hidden, {matched:?})"),
            Self::Closed => f.write_str("Closed"),
            Self::NotFound => f.write_str("NotFound"),
        }
    }
}

/// How near two names are, by the bank's judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameMatch {
    /// The same.
    Exact,
    /// Nearly.
    Close,
    /// Others.
    None,
}
