//! The business objects whose events name the transactions that they cause.

use super::super::{
    finding::Code,
    payload::{Leg, id},
};

/// An object that may be a leg's cause, and whose events name the transactions that they cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Object {
    Withdrawal(u128),
    Deposit(u128),
    Transfer(u128),
    Payment(u128),
    Refund(u128),
    Settlement(u128),
}

impl Object {
    /// The object that a leg names as its cause, if it is one of these.
    pub(super) fn caused(leg: &Leg<'_>) -> Option<Self> {
        let cause = leg.cause.as_deref()?;
        let withdrawal = id(cause, "wd_").map(Self::Withdrawal);
        let deposit = || id(cause, "dep_").map(Self::Deposit);
        let shops = || {
            let payment = id(cause, "pay_").map(Self::Payment);
            let refund = || id(cause, "rf_").map(Self::Refund);
            payment.or_else(refund).or_else(|| id(cause, "set_").map(Self::Settlement))
        };
        let transfer = || id(cause, "tr_").map(Self::Transfer);
        withdrawal.or_else(deposit).or_else(transfer).or_else(shops)
    }

    /// What is wrong if it and its transaction do not name each other.
    pub(super) const fn incomplete(self) -> Code {
        match self {
            Self::Withdrawal(_) => Code::WithdrawalIncomplete,
            Self::Deposit(_) => Code::DepositIncomplete,
            Self::Transfer(_) => Code::TransferIncomplete,
            Self::Payment(_) | Self::Refund(_) | Self::Settlement(_) => Code::PaymentIncomplete,
        }
    }
}
