//! What is due between customers and us, besides their money: what they owe is repaid by what is on
//! their wallets, and what a late bank costs them is paid by us (`super::compensation`).
//!
//! Deposits, claims and returns repay in the append that brings them; this is for all else that
//! fills a wallet, and for wallets that could give nothing then. It reads who owes, and the ledger
//! decides: nothing is repaid beyond what is owed, whatever this believed, nor taken that a hold, a
//! floor or a freeze keeps. Any number may run.

use std::{sync::Arc, time::Duration};

use ledger_core::{
    chart::Direction,
    command::{OpenAccount, Operation},
    engine::SubmitError,
    money::Money,
    posting::{Condition, Kind, Posting, PostingLeg},
};
use projections::{Debt, ReadError, ReadModels};
use rust_decimal::Decimal;
use sqlx::PgPool;
use tokio::sync::watch;

use super::{
    clerk::{Clerk, Handed},
    lanes::Lane,
    rounds::{self, Rounds},
};
use crate::banks::BankRegistry;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How many it takes in hand in one look.
pub(super) const TAKEN_MAX: u32 = 100;
/// How long it waits for the read models to see what it did.
const CATCH_UP: Duration = Duration::from_secs(2);

/// The worker.
pub struct Dues {
    /// Hands in; may move wallets, receivables and expenses.
    pub clerk: Clerk,
    /// Who owes, and what was late.
    pub read_models: ReadModels,
    /// Which withdrawals were looked at.
    pub pool: PgPool,
    /// Until when they had to answer.
    pub banks: Arc<BankRegistry>,
    /// What each day that a bank is late is worth, in rupees.
    pub per_day: Decimal,
}

/// Why a round did not get through. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum DuesError {
    #[error("the read models could not be asked")]
    Read(#[from] ReadError),
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
}

impl Rounds for Dues {
    type Error = DuesError;
    const PAUSE: Duration = LOOK_EVERY;
    const WAITS: &'static str = "what is due waits";

    async fn work(&mut self, lane: &mut Lane) -> Result<(), DuesError> {
        self.round(lane).await
    }
}

impl Dues {
    /// Works until `stopping` turns true, while the lane is its own.
    pub async fn run(self, lane: Lane, stopping: watch::Receiver<bool>) {
        rounds::keep(self, lane, stopping).await;
    }

    async fn round(&self, lane: &mut Lane) -> Result<(), DuesError> {
        if !lane.hold().await? {
            return Ok(());
        }
        let mut position = 0;
        for debt in self.read_models.debts_that_can_be_repaid(TAKEN_MAX).await?.value {
            let Some(repayment) = self.repayment(&debt) else { continue };
            match self.clerk.hand_in(repayment).await? {
                Handed::Accepted { position: at, .. } => {
                    metrics::counter!("bahi_repayments_total").increment(1);
                    position = position.max(at);
                }
                // A hold or a freeze keeps it, or it was repaid meanwhile.
                Handed::Rejected(code) => {
                    tracing::debug!(debt = %debt.account, code, "not repaid now");
                }
            }
        }
        position = position.max(self.compensate().await?);
        // Or the next look would see the same again.
        self.read_models.wait_for(position, CATCH_UP).await?;
        Ok(())
    }

    /// From the wallet to what its owner owes, and never beyond that.
    fn repayment(&self, debt: &Debt) -> Option<Operation> {
        let currency = self.clerk.currency(debt.account.currency().ok()?)?;
        let amount = Money::from_decimal(debt.owed.min(debt.free), currency).ok()?;
        let leg = |account: &_, direction| PostingLeg {
            account: Clone::clone(account),
            direction,
            amount,
            item: None,
        };
        let legs = vec![leg(&debt.wallet, Direction::Debit), leg(&debt.account, Direction::Credit)];
        let nothing_more = Condition {
            account: debt.account.clone(),
            sequence: None,
            minimum_balance: Some(Money::zero(currency).amount()),
        };
        Some(Operation::Post(vec![Posting {
            transaction_id: self.clerk.transaction_id(),
            kind: Kind::REPAYMENT.parse().ok()?,
            legs,
            effective_on: None,
            value_date: None,
            conditions: vec![nothing_more],
            note: None,
        }]))
    }
}

/// An account of ours to open, as the chart has it; that it is open already is as good.
pub(crate) fn house_account(
    code: &str,
    currency: ledger_core::money::Currency,
) -> Option<Operation> {
    let code = code.parse().ok()?;
    let entry = ledger_core::chart::lookup(&code)?;
    Some(Operation::OpenAccount(OpenAccount {
        account: ledger_core::ids::AccountId::new(&code, currency.code),
        currency,
        owner: "bahi".parse().ok()?,
        account_type: entry.account_type,
        class: entry.class,
        itemised: entry.itemised,
        floor: None,
        ceiling: None,
        metadata: std::collections::BTreeMap::new(),
    }))
}
