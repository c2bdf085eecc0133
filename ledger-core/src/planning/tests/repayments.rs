//! What is owed is repaid by the next money that comes, in the same append.

use super::{
    deposits::{SUSPENSE, WALLET, begun, claim, confirmed, settled},
    world::World,
    *,
};
use crate::{
    command::OpenAccount,
    deposit::CreditClaim,
    fee::Pricing,
    testing::withdrawal,
    withdrawal::{
        AttemptOutcome, BeginAttempt, PayeeStanding, RecordOutcome, RequestWithdrawal, Source,
        WithdrawalOperation,
    },
};

const RECALL: &str = "receivable:recall:a:INR";
const OVERPAID: &str = "receivable:overpaid:a:INR";

/// The owner of the wallet owes so much, in two ways.
fn owing(recall: &str, overpaid: &str) -> World {
    let mut world = begun();
    for (code, amount) in [(RECALL, recall), (OVERPAID, overpaid)] {
        let open = OpenAccount {
            account: account(code),
            account_type: AccountType::Asset,
            class: PostingClass::Receivable,
            floor: None,
            ..opening()
        };
        world.submit(Operation::OpenAccount(open)).unwrap();
        world.move_money(code, "wallet:b:INR", amount).unwrap();
    }
    world
}

#[track_caller]
fn has(world: &World, wallet: &str, recall: &str, overpaid: &str) {
    let seen = [WALLET, RECALL, OVERPAID].map(|code| world.balance(code));
    assert_eq!(seen, [wallet, recall, overpaid].map(dec));
}

#[test]
fn a_deposit_repays_up_to_what_is_owed_and_never_more_than_it_brings() {
    for first in [confirmed, settled] {
        let mut world = owing("100", "40");
        world.submit(first(claim(1, "500")).into()).unwrap();
        // 100 were on the wallet and stay: what comes repays.
        has(&world, "460", "0", "0");
        // The same credit again brings nothing.
        world.submit(settled(claim(1, "500")).into()).unwrap();
        has(&world, "460", "0", "0");
    }
    let mut little = owing("400", "400");
    little.submit(confirmed(claim(1, "500")).into()).unwrap();
    has(&little, "100", "0", "300");
}

#[test]
fn what_is_put_aside_repays_nothing_and_a_wallet_that_may_not_give_does_not() {
    let mut aside = owing("100", "40");
    let review = CreditClaim { review: "over_limit".parse().ok(), ..claim(1, "500") };
    aside.submit(confirmed(review).into()).unwrap();
    has(&aside, "100", "100", "40");
    assert_eq!(aside.balance(SUSPENSE), dec("500"));
    let mut frozen = owing("100", "40");
    let freeze = FreezeAccount {
        account: account(WALLET),
        reference: "order".parse().unwrap(),
        mode: FreezeMode::Debit,
        amount: None,
    };
    frozen.submit(Operation::Freeze(freeze)).unwrap();
    frozen.submit(confirmed(claim(1, "500")).into()).unwrap();
    has(&frozen, "600", "100", "40");
}

#[test]
fn what_a_withdrawal_gives_back_repays_too() {
    let mut world = owing("30", "0.01");
    let payee_hash = "0a".repeat(32).parse().ok();
    let asks = [
        WithdrawalOperation::Request(RequestWithdrawal {
            withdrawal_id: withdrawal(1),
            transaction_id: txn(40),
            account: account(WALLET),
            amount: inr("90"),
            fee: inr("10"),
            tax: inr("1.53"),
            pricing: Pricing::AsGiven,
            bank_account: crate::ids::BankAccountId::from_uuid(uuid::Uuid::from_u128(1)),
            bank: "hdfc".parse().unwrap(),
            rail: "imps".parse().unwrap(),
            payee_hash: Clone::clone(&payee_hash),
            payee: PayeeStanding::Unchecked,
            review: None,
            note: None,
        }),
        WithdrawalOperation::BeginAttempt(BeginAttempt {
            withdrawal_id: withdrawal(1),
            attempt: 1,
            reference: "BH1".parse().unwrap(),
            bank: "hdfc".parse().unwrap(),
            rail: "imps".parse().unwrap(),
            payee_hash,
            transaction_id: txn(41),
        }),
        WithdrawalOperation::RecordOutcome(RecordOutcome {
            withdrawal_id: withdrawal(1),
            attempt: 1,
            outcome: AttemptOutcome::RefusedFinal,
            source: Source::Enquiry,
            code: None,
            transaction_id: txn(42),
        }),
    ];
    for ask in asks {
        world.submit(ask.into()).unwrap();
    }
    has(&world, "69.99", "0", "0");
}

#[test]
fn a_wallet_is_closed_only_when_nothing_is_owed() {
    for (recall, overpaid) in [("30", "0.01"), ("0.01", "30")] {
        let mut world = owing(recall, overpaid);
        world.move_money(WALLET, "wallet:b:INR", "100").unwrap();
        let close = || Operation::CloseAccount { account: account(WALLET) };
        let refused = world.submit(close()).unwrap_err();
        assert_eq!(refused.code, "debt_open");
        assert_eq!(refused.account, Some(account(WALLET)));
        // One of the two is repaid: the other still stands in the way.
        world.move_money("wallet:b:INR", RECALL, recall).unwrap();
        assert_eq!(world.submit(close()).unwrap_err().code, "debt_open");
        world.move_money("wallet:b:INR", OVERPAID, overpaid).unwrap();
        world.submit(close()).unwrap();
        // Closed is closed, and said before what a late return makes owed again.
        world.move_money(OVERPAID, "wallet:b:INR", "5").unwrap();
        assert_eq!(world.submit(close()).unwrap_err().code, "account_closed");
    }
}

#[test]
fn what_somebody_owes_keeps_nobody_elses_account_open() {
    let mut world = owing("30", "0.01");
    world.move_money("wallet:b:INR", "till:main:INR", "30.01").unwrap();
    world.submit(Operation::CloseAccount { account: account("wallet:b:INR") }).unwrap();
    let unknown = Operation::CloseAccount { account: account("wallet:c:INR") };
    assert_eq!(world.submit(unknown).unwrap_err().code, "account_not_found");
}
