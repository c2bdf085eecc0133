//! What workers hand in to the ledger: operations without a request and without a key, each once by
//! its nature, so that handing it in again changes nothing.

use std::{sync::Arc, time::Duration};

use ledger_core::{
    chart::Authority,
    clock::{Clock, Ids},
    command::{Command, Operation, Outcome, Receipt},
    engine::SubmitError,
    ids::{Principal, RequestId, TransactionId},
    log::Position,
    money::{Currency, CurrencyCode},
};
use tokio::{sync::watch, time};

use crate::http::Ledger;

/// The first and the longest pause before something is handed in again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Hands in operations in the name of one worker.
#[derive(Clone)]
pub struct Clerk {
    /// The engine.
    pub ledger: Arc<dyn Ledger>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
    /// In whose name.
    pub principal: Principal,
    /// What it may move.
    pub authority: Authority,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It is in the log, or was before.
    Accepted {
        /// The position that reflects it.
        position: Position,
        /// What it made.
        receipt: Receipt,
    },
    /// A rule of the ledger refuses it, by this code.
    Rejected(String),
}

impl Clerk {
    /// What would become of it, without anything appended.
    ///
    /// # Errors
    /// [`SubmitError`]: it may be asked again.
    pub async fn would_accept(&self, operation: Operation) -> Result<bool, SubmitError> {
        let answer = self.ledger.dry_run(self.command(operation)).await?;
        Ok(matches!(answer.outcome, Outcome::Accepted(_)))
    }

    /// Whether it would still say something new: it would be accepted, and something would be
    /// appended. By the log as it is now, whoever appended to it.
    ///
    /// # Errors
    /// [`SubmitError`]: it may be asked again.
    pub async fn would_be_news(&self, operation: Operation) -> Result<bool, SubmitError> {
        self.ledger.refresh().await?;
        let answer = self.ledger.dry_run(self.command(operation)).await?;
        Ok(match answer.outcome {
            // Nothing to append: then it ends before it begins.
            Outcome::Accepted(accepted) => accepted.position >= accepted.first_position,
            Outcome::Rejected(_) => false,
        })
    }

    /// Hands it in once.
    ///
    /// # Errors
    /// [`SubmitError`]: it may be handed in again.
    pub async fn hand_in(&self, operation: Operation) -> Result<Handed, SubmitError> {
        let answer = self.ledger.submit(self.command(operation)).await?;
        Ok(match answer.outcome {
            Outcome::Accepted(accepted) => {
                let position = answer.position.max(accepted.position);
                Handed::Accepted { position, receipt: accepted.receipt }
            }
            Outcome::Rejected(rejection) => Handed::Rejected(rejection.code),
        })
    }

    /// Hands it in until the ledger has decided; for what must not be lost on the way, such as the
    /// answer of a bank. Only for what changes nothing when it is handed in twice.
    ///
    /// # Errors
    /// [`SubmitError`] if it never will, or if it is time to stop.
    pub async fn insist(
        &self,
        operation: &Operation,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<Handed, SubmitError> {
        let mut pause = PAUSE_MIN;
        loop {
            let error = match self.hand_in(operation.clone()).await {
                Err(
                    error @ (SubmitError::Overloaded
                    | SubmitError::Unavailable
                    | SubmitError::OutcomeUnknown),
                ) => error,
                decided => return decided,
            };
            tokio::select! {
                () = time::sleep(pause) => {}
                _ = stopping.wait_for(|stop| *stop) => return Err(error),
            }
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    /// A fresh transaction id.
    pub fn transaction_id(&self) -> TransactionId {
        TransactionId::from_uuid(self.ids.fresh())
    }

    /// A currency of the book.
    pub fn currency(&self, code: CurrencyCode) -> Option<Currency> {
        self.ledger.status().borrow().book.currency(code)
    }

    fn command(&self, operation: Operation) -> Command {
        Command {
            principal: self.principal.clone(),
            idempotency: None,
            request: RequestId::from_uuid(self.ids.fresh()),
            authority: self.authority,
            approval: None,
            operation,
        }
    }
}
