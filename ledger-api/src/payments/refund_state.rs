//! Where a refund is for whoever gave it and whoever gets it. The ledger's refund ends when the
//! money has left the shop; one to a payer from outside goes on as a withdrawal, and is only over
//! when the payer's bank has it.

use ledger_core::{ids::AccountId, payment::RefundStatus, withdrawal::WithdrawalStatus};
use projections::{ReadError, RefundRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    deposits::{Outside, is_outside},
    http::{ApiState, Problem},
};

/// Where a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundStatus)]
pub(crate) enum RefundState {
    /// The shop is short, or the payer's wallet takes nothing for now: it goes out by itself.
    Pending,
    /// The shop has given it; the payer's bank does not have it yet.
    Processing,
    /// The payer has it.
    Completed,
    /// The payer cannot have it; of a payment from outside: the payer's bank did not take it, and
    /// people of ours send it again.
    Failed,
    /// The payer's bank had it and sent it back: people of ours send it again.
    Returned,
    /// The shop gave it up while it waited.
    Cancelled,
}

/// A refund's state, and what carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefundAt {
    /// Where it is.
    pub(crate) state: RefundState,
    /// Whether nothing more can become of it.
    pub(crate) is_final: bool,
    /// The status of the withdrawal that sends it to the payer's bank, if there is one.
    pub(crate) at_bank: Option<WithdrawalStatus>,
}

impl RefundAt {
    /// Of a refund to a wallet, which is over when the ledger says so.
    pub(crate) const fn to_wallet(status: RefundStatus) -> Self {
        let state = match status {
            RefundStatus::Pending => RefundState::Pending,
            RefundStatus::Completed => RefundState::Completed,
            RefundStatus::Failed => RefundState::Failed,
            RefundStatus::Cancelled => RefundState::Cancelled,
        };
        Self { state, is_final: !matches!(status, RefundStatus::Pending), at_bank: None }
    }

    /// Of a refund to a payer from outside, with where the withdrawal is that carries it. What
    /// failed is sent again, so that is not the end.
    pub(crate) fn to_bank(status: RefundStatus, at_bank: Option<WithdrawalStatus>) -> Self {
        use WithdrawalStatus as At;
        if status != RefundStatus::Completed {
            return Self::to_wallet(status);
        }
        let state = match at_bank {
            Some(At::Completed) => RefundState::Completed,
            Some(At::Failed | At::Rejected | At::Cancelled) => RefundState::Failed,
            Some(At::Returned) => RefundState::Returned,
            Some(
                At::PendingReview
                | At::Queued
                | At::Processing
                | At::OutcomeUnknown
                | At::NeedsAttention,
            )
            | None => RefundState::Processing,
        };
        Self { state, is_final: state == RefundState::Completed, at_bank }
    }

    /// Of a refund right after the ledger took it.
    pub(crate) fn after(status: RefundStatus, payer: &AccountId) -> Self {
        if is_outside(payer) { Self::to_bank(status, None) } else { Self::to_wallet(status) }
    }

    /// Of a refund as the read models have it now.
    ///
    /// # Errors
    /// If they could not be asked.
    pub(crate) async fn of(state: &ApiState, refund: &RefundRow) -> Result<Self, Problem> {
        if !is_outside(&refund.payer) || refund.status != RefundStatus::Completed {
            return Ok(Self::to_wallet(refund.status));
        }
        let sent = Outside::new(state.reads.clone()).sent_as(refund.id).await;
        let found = match sent.map_err(ReadError::from)? {
            Some(withdrawal) => state.read_models.withdrawal(withdrawal).await?.value,
            None => None,
        };
        let at_bank = found.and_then(|history| history.withdrawal.status());
        Ok(Self::to_bank(refund.status, at_bank))
    }

    /// Where its money is.
    pub(crate) const fn funds(self) -> &'static str {
        match self.state {
            RefundState::Completed => "moved",
            RefundState::Processing | RefundState::Returned => "in_transit",
            // Of one to a bank the shop has given it, and the payer does not have it.
            RefundState::Failed if self.at_bank.is_some() => "in_transit",
            RefundState::Pending | RefundState::Failed | RefundState::Cancelled => "not_moved",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_to_a_bank_is_over_when_the_bank_has_it_and_one_to_a_wallet_when_it_is_given() {
        let wallet = RefundAt::to_wallet(RefundStatus::Completed);
        assert_eq!((wallet.state, wallet.is_final), (RefundState::Completed, true));
        let of = |at| RefundAt::to_bank(RefundStatus::Completed, at);
        for status in WithdrawalStatus::ALL {
            let at = of(Some(status));
            assert_eq!(at.is_final, status == WithdrawalStatus::Completed, "{status:?}");
            assert_eq!(at.funds() == "moved", at.is_final, "{status:?}");
        }
        assert_eq!((of(None).state, of(None).funds()), (RefundState::Processing, "in_transit"));
        let waits = RefundAt::to_bank(RefundStatus::Pending, None);
        assert_eq!((waits.state, waits.funds()), (RefundState::Pending, "not_moved"));
    }
}
