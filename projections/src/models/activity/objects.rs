//! What wallets see of deposits and withdrawals.

use std::collections::BTreeMap;

use ledger_core::{
    deposit::{CreditPlace, Deposit, DepositStatus, KnownCredit},
    ids::AccountId,
    withdrawal::{Attempt, AttemptState, Withdrawal},
};
use rust_decimal::Decimal;

use super::rows::{IN, OUT, Row};
use crate::models::streams::Lived;

/// The wallet that a deposit was for, and those that people assigned its credits to.
pub(super) fn of_deposit(lived: &Lived<Deposit>) -> Vec<Row> {
    let deposit = &lived.object;
    let Some((status, currency)) = deposit.status().zip(deposit.currency()) else {
        return Vec::new();
    };
    let mut wallets: BTreeMap<&AccountId, Vec<&KnownCredit>> = BTreeMap::new();
    if let Some(account) = deposit.account() {
        wallets.insert(account, Vec::new());
    }
    for credit in deposit.credits() {
        if let Some(wallet) = credit.assigned_to.as_ref().or_else(|| deposit.account()) {
            wallets.entry(wallet).or_default().push(credit);
        }
    }
    let rows = wallets.into_iter().map(|(wallet, credits)| {
        let is_own = Some(wallet) == deposit.account();
        let status = if is_own { status } else { assigned_status(&credits) };
        let expected = deposit.intent().filter(|_| is_own).map(|begun| begun.amount);
        Row {
            account: wallet.as_str().to_owned(),
            object: lived.id.to_string(),
            kind: "deposit".to_owned(),
            direction: IN,
            status: status.into(),
            object_status: status.as_str(),
            currency: currency.as_str().to_owned(),
            amount: amount(&credits, expected),
            fee: Decimal::ZERO,
            counterparty: None,
            utr: credits
                .iter()
                .rev()
                .find_map(|known| Some(known.credit.utr.as_ref()?.to_string())),
            began: lived.first,
            changed: lived.last,
        }
    });
    rows.collect()
}

/// Where the credits are that a person assigned to another wallet than the deposit's.
fn assigned_status(credits: &[&KnownCredit]) -> DepositStatus {
    if credits.iter().any(|credit| credit.is_recall_open()) {
        DepositStatus::RecallRequested
    } else if credits.iter().all(|credit| credit.place == CreditPlace::Recalled) {
        DepositStatus::Recalled
    } else if credits.iter().all(|credit| credit.settled) {
        DepositStatus::Settled
    } else {
        DepositStatus::Completed
    }
}

/// What a person has to look at; else what is on the wallet, arrived, or was told of; else what was
/// expected.
fn amount(credits: &[&KnownCredit], expected: Option<Decimal>) -> Decimal {
    let sum = |which: &dyn Fn(&KnownCredit) -> bool| {
        let amounts = credits.iter().filter(|known| which(known)).map(|known| known.credit.amount);
        amounts.reduce(Decimal::saturating_add)
    };
    sum(&|known| matches!(known.place, CreditPlace::Review { .. }))
        .or_else(|| sum(&|known| known.place == CreditPlace::Wallet))
        .or_else(|| sum(&KnownCredit::is_booked))
        .or_else(|| sum(&|_| true))
        .or(expected)
        .unwrap_or_default()
}

/// The wallet that a withdrawal is from.
pub(super) fn of_withdrawal(lived: &Lived<Withdrawal>) -> Option<Row> {
    let withdrawal = &lived.object;
    let requested = withdrawal.properties()?;
    let status = withdrawal.status()?;
    let paid = |attempt: &Attempt| match &attempt.state {
        AttemptState::Paid { bank_reference } => Some(bank_reference.to_string()),
        AttemptState::Open | AttemptState::Refused { .. } => None,
    };
    Some(Row {
        account: requested.account.as_str().to_owned(),
        object: lived.id.to_string(),
        kind: "withdrawal".to_owned(),
        direction: OUT,
        status: status.into(),
        object_status: status.as_str(),
        currency: requested.account.currency().ok()?.as_str().to_owned(),
        amount: requested.amount,
        fee: requested.fee,
        counterparty: None,
        utr: withdrawal.attempts().iter().rev().find_map(paid),
        began: lived.first,
        changed: lived.last,
    })
}
