//! Sending one attempt: the intent first, then the call, then what came of it.
//!
//! Whoever gets the intent accepted by the ledger may send, once, and nobody else. If it dies then,
//! or is so late that others believe it dead, the attempt's outcome is unknown and is asked for; it
//! is never sent by somebody else. So a worker that wakes up late can at worst send a reference
//! that its bank knows.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use ledger_core::{
    clock::Timestamp,
    engine::SubmitError,
    ids::{BankAccountId, PayeeHash, Reference, WithdrawalId},
    log::Position,
    money::Money,
    withdrawal::{BeginAttempt, Source, WithdrawalOperation},
};
use projections::WithdrawalRow;
use tokio::{sync::watch, time};
use uuid::Uuid;

use super::{
    notes::Notes,
    slots::Slot,
    telling::{Teller, Told},
    verdict,
};
use crate::{
    banks::{Bank, CallError, Contract, Payee, Submission, accounts::BankAccounts},
    workers::{clerk::Handed, lanes::Held},
};

/// The digits of a reference, which can be told apart when they are read aloud.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Where the money is sent from.
const ESCROW: &str = "escrow";
/// The longest wait that a bank can ask for before the same reference is handed in again.
const TOO_FAST_MAX: Duration = Duration::from_secs(60);
/// How often it is handed in again before it counts as unknown.
const TOO_FAST_TIMES: u32 = 20;
/// How long after the intent it may be handed in at the latest. Statements that prove an attempt
/// absent are of the day after; a process that was stopped in between must not come after them.
const HANDED_IN_WITHIN: Duration = Duration::from_secs(1_800);

/// Who knows whom a bank account belongs to.
pub trait Payees: Send + Sync {
    /// The payee as it stands now, and its keyed hash as it comes out now; nothing if it was
    /// removed.
    fn payee(&self, id: BankAccountId) -> BoxFuture<'_, sqlx::Result<Option<(Payee, PayeeHash)>>>;
}

impl Payees for BankAccounts {
    fn payee(&self, id: BankAccountId) -> BoxFuture<'_, sqlx::Result<Option<(Payee, PayeeHash)>>> {
        Box::pin(Self::payee(self, id))
    }
}

/// What sends.
#[derive(Clone)]
pub struct Sender {
    /// The bank.
    pub bank: Arc<dyn Bank>,
    /// Whom to pay.
    pub payees: Arc<dyn Payees>,
    /// Tells the ledger.
    pub teller: Teller,
    /// The queue's notes.
    pub notes: Notes,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Which withdrawal.
    pub id: WithdrawalId,
    /// The position from which the read models know what came of it.
    pub position: Position,
    /// Whether the bank answered the submission; nothing if it was not called, or only asked.
    pub answered: Option<bool>,
}

/// Why an attempt was not begun. It may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The ledger took no commands.
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    /// The database could not be asked.
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
}

impl Sender {
    /// Sends the next attempt of a withdrawal, while the lane is held.
    pub(super) async fn send(
        self,
        row: WithdrawalRow,
        amount: Money,
        contract: Arc<Contract>,
        leave: (Slot, Held),
        stopping: watch::Receiver<bool>,
    ) -> Sent {
        let id = row.id;
        match self.begin_and_submit(row, amount, &contract, leave, stopping).await {
            Ok(sent) => sent,
            Err(error) => {
                let error = projections::describe(&error);
                tracing::warn!(withdrawal = %id, error, "an attempt was not begun; trying again");
                Sent { id, position: 0, answered: None }
            }
        }
    }

    async fn begin_and_submit(
        &self,
        row: WithdrawalRow,
        amount: Money,
        contract: &Contract,
        (slot, held): (Slot, Held),
        mut stopping: watch::Receiver<bool>,
    ) -> Result<Sent, SendError> {
        let id = row.id;
        let not_sent = |position| Sent { id, position, answered: None };
        let Some((payee, payee_hash)) = self.payees.payee(row.bank_account).await? else {
            self.block(id, "payee_unavailable").await?;
            return Ok(not_sent(0));
        };
        let attempt = row.attempts.saturating_add(1);
        let Some(reference) = reference(id, attempt) else {
            self.block(id, "reference_invalid").await?;
            return Ok(not_sent(0));
        };
        let intent = WithdrawalOperation::BeginAttempt(BeginAttempt {
            withdrawal_id: id,
            attempt,
            reference: reference.clone(),
            bank: row.bank.clone(),
            rail: row.rail.clone(),
            payee_hash: Some(payee_hash),
            transaction_id: self.teller.clerk.transaction_id(),
        });
        if !held.is_held() {
            return Ok(not_sent(0));
        }
        let begun_at = self.now();
        let begun = match self.teller.clerk.hand_in(intent.into()).await? {
            Handed::Accepted { position, .. } => position,
            Handed::Rejected(code) => {
                self.not_begun(id, &code).await?;
                return Ok(not_sent(0));
            }
        };
        let call = slot.call().await;
        if call.is_none() || !held.is_held() || late(begun_at, self.now()) {
            // Others may believe us dead and ask for the outcome already.
            tracing::warn!(withdrawal = %id, attempt, "too late to send; its outcome is asked for");
            return Ok(not_sent(begun));
        }
        let from = ESCROW.to_owned();
        let submission = Submission { reference, amount, rail: row.rail, from, beneficiary: payee };
        let answer = self.submit(&submission, (id, attempt), begun_at, &mut stopping).await;
        // The next one need not wait until the ledger knows of this one.
        drop((call, slot));
        let (verdict, word) = match &answer {
            Ok(transfer) => (verdict::verdict(transfer, amount, contract), "answered".to_owned()),
            Err(error) => (verdict::without_answer(error), error.to_string()),
        };
        let told = Told { id, attempt, source: Source::Submit };
        let known = self.teller.tell(told, verdict, &mut stopping).await?;
        let now = self.teller.clerk.clock.now();
        self.notes.submitted(id, attempt, now, &word).await?;
        let answered = !matches!(answer, Err(CallError::Unknown(_)));
        Ok(Sent { id, position: known.position().max(begun), answered: Some(answered) })
    }

    /// Hands it in; again, with the same reference, while the bank says that it was too fast and
    /// passed nothing on, and while nobody has come to anything else about it: others may believe
    /// us dead and have given the money back.
    async fn submit(
        &self,
        submission: &Submission,
        (id, attempt): (WithdrawalId, u32),
        begun_at: Timestamp,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<crate::banks::Transfer, CallError> {
        let mut times = 0;
        loop {
            let retry_after = match self.bank.submit(submission).await {
                Err(CallError::TooFast { retry_after }) if times < TOO_FAST_TIMES => retry_after,
                answer => return answer,
            };
            times += 1;
            tokio::select! {
                () = time::sleep(retry_after.min(TOO_FAST_MAX)) => {}
                _ = stopping.wait_for(|stop| *stop) => {
                    return Err(CallError::TooFast { retry_after });
                }
            }
            let told = Told { id, attempt, source: Source::Submit };
            if late(begun_at, self.now()) || !self.teller.is_being_sent(told).await {
                return Err(CallError::TooFast { retry_after });
            }
        }
    }

    fn now(&self) -> Timestamp {
        self.teller.clerk.clock.now()
    }

    async fn not_begun(&self, id: WithdrawalId, code: &str) -> sqlx::Result<()> {
        match code {
            // Somebody else was faster, or it was cancelled; the read models will tell.
            "withdrawal_not_queued" | "attempt_out_of_turn" => {
                tracing::debug!(withdrawal = %id, code, "not begun");
                Ok(())
            }
            _ => {
                if code == "payee_mismatch" {
                    metrics::counter!("bahi_payee_mismatches_total").increment(1);
                }
                self.block(id, code).await
            }
        }
    }

    async fn block(&self, id: WithdrawalId, code: &str) -> sqlx::Result<()> {
        tracing::error!(withdrawal = %id, code, "not sent: somebody has to look");
        metrics::counter!("bahi_withdrawals_blocked_total").increment(1);
        self.notes.block(id, code).await
    }
}

/// Whether it is too late to hand in what was begun then. By the time of day: it passes while a
/// whole machine is stopped.
fn late(begun_at: Timestamp, now: Timestamp) -> bool {
    let passed = now.signed_duration_since(begun_at).to_std().unwrap_or_default();
    passed > HANDED_IN_WITHIN
}

/// What a bank knows an attempt by: the withdrawal's id in 26 letters and digits, and the number.
/// The same attempt always has the same one, whoever sends it; no two have the same.
pub fn reference(id: WithdrawalId, attempt: u32) -> Option<Reference> {
    let mut rest = id.uuid().as_u128();
    let mut letters = [0_u8; 26];
    for letter in letters.iter_mut().rev() {
        let digit = usize::try_from(rest % 32).ok()?;
        *letter = *DIGITS.get(digit)?;
        rest /= 32;
    }
    let letters = std::str::from_utf8(&letters).ok()?;
    format!("BH{letters}-{attempt}").parse().ok()
}

/// The withdrawal and the number of the attempt that a bank knows by this reference; nothing if
/// it is of something else.
pub fn attempt_of(reference: &Reference) -> Option<(WithdrawalId, i32)> {
    let (letters, attempt) = reference.as_str().strip_prefix("BH")?.split_once('-')?;
    if letters.len() != 26 {
        return None;
    }
    let digit = |letter: u8| DIGITS.iter().position(|digit| *digit == letter);
    let uuid = letters.bytes().try_fold(0_u128, |uuid, letter| {
        uuid.checked_mul(32)?.checked_add(u128::try_from(digit(letter)?).ok()?)
    })?;
    let attempt = attempt.parse().ok().filter(|attempt| *attempt > 0)?;
    Some((WithdrawalId::from_uuid(Uuid::from_u128(uuid)), attempt))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reference_fits_what_banks_take() {
        let id = WithdrawalId::from_uuid(Uuid::from_u128(u128::MAX));
        let reference = reference(id, 100).unwrap();
        assert_eq!(reference.as_str(), "BH7ZZZZZZZZZZZZZZZZZZZZZZZZZ-100");
        assert!(reference.as_str().len() <= 35);
    }

    #[test]
    fn what_is_no_attempt_s_reference_is_none() {
        let letters = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ";
        for other in [
            "TM01935C3A5E7C7D3E8F".to_owned(),
            format!("BH{letters}"),
            format!("BH{letters}-0"),
            format!("BH{letters}-x"),
            format!("BHZ{}-1", &letters[1..]),
            format!("BHI{}-1", &letters[1..]),
            format!("BH{}-1", &letters[1..]),
        ] {
            assert_eq!(attempt_of(&other.parse().unwrap()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_two_attempts_share_a_reference(
            one in any::<u128>(), other in any::<u128>(), a in 1_u32..=100, b in 1_u32..=100,
        ) {
            let of = |id, attempt| reference(WithdrawalId::from_uuid(Uuid::from_u128(id)), attempt);
            prop_assert_eq!(of(one, a) == of(other, b), one == other && a == b);
            let read = attempt_of(&of(one, a).unwrap()).unwrap();
            prop_assert_eq!(read.0, WithdrawalId::from_uuid(Uuid::from_u128(one)));
            prop_assert_eq!(u32::try_from(read.1), Ok(a));
        }
    }
}
