//! Takes recalls of credits apart: the hold that keeps what a bank asks for, from its wish to a
//! person's decision.

use super::{Step, View, planner::Planner};
use crate::{
    account::{AccountCommand, HoldEnd},
    command::Rejection,
    deposit::{DecideRecall, Deposit, DepositEvent, movement},
    hold::{Hold, HoldCommand, HoldState},
    ids::{AccountId, HoldId},
};

impl<V: View> Planner<'_, V> {
    /// The hold of a recall, from the bank's wish to a person's decision. Without an end of its
    /// own: a person may need long.
    pub(super) fn recall_hold(
        &self,
        event: &DepositEvent,
        wallet: Option<&AccountId>,
        (hold_id, open): (Option<HoldId>, Option<&Hold>),
        steps: &mut Vec<Step>,
    ) {
        let (Some(hold_id), Some(wallet)) = (hold_id, wallet) else { return };
        let (now, authority) = (self.now, self.authority);
        let (hold, account) = match (event, open) {
            (DepositEvent::RecallRequested(asked), _) if asked.hold_id.is_some() => {
                let (account, amount, expires_at) = (wallet.clone(), asked.held, None);
                let hold = HoldCommand::Place { account, amount, expires_at, cause: None, now };
                (hold, AccountCommand::PlaceHold { hold_id, amount, expires_at, authority })
            }
            (DepositEvent::RecallGranted(granted), Some(open)) => {
                let (amount, transaction_id) = (granted.from_wallet, granted.transaction_id);
                let hold = HoldCommand::Capture { amount, transaction_id, now };
                (hold, ended(hold_id, open, HoldEnd::Captured))
            }
            (DepositEvent::RecallRefused(_), Some(open)) => {
                (HoldCommand::Release, ended(hold_id, open, HoldEnd::Released))
            }
            _ => return,
        };
        steps.push(Step::Hold(hold_id, hold));
        steps.push(Step::Account(wallet.clone(), account));
    }
}

fn ended(hold_id: HoldId, open: &Hold, end: HoldEnd) -> AccountCommand {
    AccountCommand::EndHold { hold_id, amount: open.amount(), end }
}

pub(super) fn is_open(hold: &Hold) -> bool {
    hold.state() == Some(HoldState::Open)
}

/// What a wallet no longer has its owner owes, in an account beside it.
pub(super) fn check_receivable(decide: &DecideRecall, before: &Deposit) -> Result<(), Rejection> {
    let wallet = before.wallet_of(decide.number).filter(|_| decide.granted);
    match wallet.map(|wallet| (wallet, movement::receivable_of(wallet))) {
        Some((wallet, Err(_))) => {
            let text = "the wallet's code leaves no room for what its owner would owe";
            Err(Rejection::new("not_withdrawable", text).of(wallet))
        }
        Some((_, Ok(_))) | None => Ok(()),
    }
}
