//! What is sent back from suspense, and what becomes of it if it does not get through.

use super::*;

fn send_back() -> Ask {
    Ask::SendBack(SendBack {
        withdrawal_id: withdrawal(1),
        transaction_id: txn(1),
        item: "bl_1".parse().unwrap(),
        line: None,
        amount: inr("500"),
        bank_account: request().bank_account,
        bank: "hdfc".parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: hash("0a"),
        reason: Some(reference("third_party")),
    })
}

fn assign() -> Ask {
    Ask::AssignUnapplied(AssignUnapplied {
        withdrawal_id: withdrawal(1),
        account: account("wallet:b:INR"),
        reason: Some(reference("case-1")),
        transaction_id: txn(9),
    })
}

fn again(amount: &str) -> Ask {
    let (withdrawal_id, by, amount) = (withdrawal(1), withdrawal(2), inr(amount));
    Ask::SendAgain(SendAgain { withdrawal_id, by, amount, reason: None })
}

/// Refused for good: in suspense again.
fn failed() -> Vec<Event> {
    let begun = Ask::BeginAttempt(begin(1, "BH1"));
    let refused = told(1, AttemptOutcome::RefusedFinal);
    after_commands([send_back(), begun, refused].map(blocked))
}

pub(super) fn refusals() -> Vec<(Vec<Event>, Ask, WithdrawalError)> {
    use WithdrawalError as No;
    let assigned = and(failed(), [assign()]);
    let amount = dec("500.00");
    vec![
        (failed(), send_back(), No::Exists),
        (queued(), assign(), No::NotInSuspense),
        (after([send_back()]), assign(), No::NotInSuspense),
        (assigned.clone(), assign(), No::NotInSuspense),
        (assigned, again("500"), No::NotInSuspense),
        (failed(), again("499.99"), No::SuspenseAmountDiffers { amount }),
        (vec![], assign(), No::NotFound),
    ]
}

#[test]
fn it_costs_nothing_and_is_queued_like_any_other() {
    let withdrawal = folded(after([send_back()]));
    let requested = withdrawal.properties().unwrap();
    assert_eq!(requested.account, account("suspense:credits:INR"));
    assert_eq!((requested.fee, requested.tax), (dec("0.00"), dec("0.00")));
    assert_eq!(withdrawal.status(), Some(WithdrawalStatus::Queued));
}

#[test]
fn what_fails_is_in_suspense_again_until_it_goes_somewhere_once() {
    let known = folded(failed());
    assert_eq!(known.status(), Some(WithdrawalStatus::Failed));
    assert_eq!(known.unapplied(), dec("500.00"));
    let assigned = folded(and(failed(), [assign()]));
    let sent = folded(and(failed(), [again("500")]));
    assert!(assigned.unapplied().is_zero() && sent.unapplied().is_zero());
    let full = blocked(assign());
    assert_eq!(known.decide(&full), Err(WithdrawalError::WalletBlocked));
}
