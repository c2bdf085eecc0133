//! The story of a credit that lies in suspense, is sent back twice in vain, and is a wallet's in
//! the end: every kind of event that sending back has, in the order of a life.

use chrono::TimeDelta;
use ledger_core::{
    clock::{Clock, Ids, System},
    command::Operation,
    deposit::{BeginDeposit, ConfirmCredit, CreditClaim, DepositOperation},
    ids::{BankAccountId, DepositId, TransactionId, WithdrawalId},
    money::Money,
    withdrawal::{
        AssignUnapplied, AttemptOutcome, BeginAttempt, RecordOutcome, SendBack, Source,
        WithdrawalOperation,
    },
};

use super::ledger::{money, parse};

/// The commands, each of which is accepted where `wallet` is open.
pub(crate) fn story(wallet: &str) -> Vec<Operation> {
    let deposit_id = DepositId::from_uuid(System.fresh());
    let [first, second] = [(); 2].map(|()| WithdrawalId::from_uuid(System.fresh()));
    let amount = money(wallet, "500");
    let begin = BeginDeposit {
        deposit_id,
        account: parse(wallet),
        amount,
        bank: parse("hdfc"),
        expires_at: System.now() + TimeDelta::days(365 * 20),
        payer_hash: None,
    };
    let claim = CreditClaim {
        bank: parse("hdfc"),
        bank_transaction_id: parse("S-sent-back"),
        credit_id: Some(parse("crd_sent_back")),
        utr: None,
        value_date: "2026-11-22".parse().unwrap(),
        amount,
        source: Source::Enquiry,
        payer_hash: None,
        review: Some(parse("third_party")),
        unsolicited_to: None,
    };
    let transaction_id = fresh();
    let assign = AssignUnapplied {
        withdrawal_id: second,
        account: parse(wallet),
        reason: Some(parse("found")),
        transaction_id: fresh(),
    };
    let in_vain = |id| [attempt(id), refused(id)].map(Operation::from);
    let send = |id, item: &str| Operation::from(send(id, item, amount));
    [
        DepositOperation::Begin(begin).into(),
        DepositOperation::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id }).into(),
        send(first, &format!("{deposit_id}.1")),
    ]
    .into_iter()
    .chain(in_vain(first))
    .chain([send(second, &first.to_string())])
    .chain(in_vain(second))
    .chain([WithdrawalOperation::AssignUnapplied(assign).into()])
    .collect()
}

fn send(id: WithdrawalId, item: &str, amount: Money) -> WithdrawalOperation {
    WithdrawalOperation::SendBack(SendBack {
        withdrawal_id: id,
        transaction_id: fresh(),
        item: parse(item),
        line: None,
        amount,
        bank_account: BankAccountId::from_uuid(System.fresh()),
        bank: parse("hdfc"),
        rail: parse("imps"),
        payee_hash: parse(&"0a".repeat(32)),
        reason: Some(parse("third_party")),
    })
}

fn attempt(withdrawal_id: WithdrawalId) -> WithdrawalOperation {
    WithdrawalOperation::BeginAttempt(BeginAttempt {
        withdrawal_id,
        attempt: 1,
        reference: parse("BH1"),
        bank: parse("hdfc"),
        rail: parse("imps"),
        payee_hash: Some(parse(&"0a".repeat(32))),
        transaction_id: fresh(),
    })
}

fn refused(withdrawal_id: WithdrawalId) -> WithdrawalOperation {
    WithdrawalOperation::RecordOutcome(RecordOutcome {
        withdrawal_id,
        attempt: 1,
        outcome: AttemptOutcome::RefusedFinal,
        source: Source::Enquiry,
        code: None,
        transaction_id: fresh(),
    })
}

fn fresh() -> TransactionId {
    TransactionId::from_uuid(System.fresh())
}
