//! What lies in suspense and goes back, with its accounts: whoever decides first about an item
//! wins, and what does not get through is in suspense again, once.

use super::{
    deposits::{CLEARING, SUSPENSE, WALLET, claim, confirmed},
    world::World,
    *,
};
use crate::{
    bank_line::{
        BankLineOperation, BookBankLine, HouseAccount, LineDirection, LineKey, Part, Purpose,
        ResolveBankLine,
    },
    deposit::{BeginDeposit, CreditClaim, DecideDepositReview, DepositOperation, DepositStatus},
    ids::Item,
    testing::{deposit, withdrawal},
    withdrawal::{
        AssignUnapplied, AttemptOutcome, BeginAttempt, CancelWithdrawal, RecordOutcome,
        RecordReturn, SendBack, Source, WithdrawalOperation as Ask, WithdrawalStatus,
    },
};

const RESERVED: &str = "withdrawals:reserved:INR";
const OWED: &str = "receivable:overpaid:suspense:INR";

fn send(number: u128, item: &str, amount: &str) -> Ask {
    Ask::SendBack(SendBack {
        withdrawal_id: withdrawal(number),
        transaction_id: txn(20),
        item: item.parse().unwrap(),
        line: item.starts_with("bl_").then(key),
        amount: inr(amount),
        bank_account: crate::ids::BankAccountId::from_uuid(uuid::Uuid::from_u128(1)),
        bank: "hdfc".parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: "0a".repeat(32).parse().unwrap(),
        reason: "third_party".parse().ok(),
    })
}

fn begin(number: u128) -> Ask {
    Ask::BeginAttempt(BeginAttempt {
        withdrawal_id: withdrawal(number),
        attempt: 1,
        reference: "BH1".parse().unwrap(),
        bank: "hdfc".parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: "0a".repeat(32).parse().ok(),
        transaction_id: txn(21),
    })
}

fn told(outcome: AttemptOutcome) -> Ask {
    Ask::RecordOutcome(RecordOutcome {
        withdrawal_id: withdrawal(1),
        attempt: 1,
        outcome,
        source: Source::Enquiry,
        code: None,
        transaction_id: txn(22),
    })
}

fn paid() -> Ask {
    let bank_reference = "UTR1".parse().unwrap();
    told(AttemptOutcome::Paid { amount: inr("500"), bank_reference })
}

fn back(amount: &str) -> Ask {
    Ask::RecordReturn(RecordReturn {
        withdrawal_id: withdrawal(1),
        attempt: 1,
        bank_reference: "R1".parse().unwrap(),
        amount: inr(amount),
        source: Source::Statement,
        transaction_id: txn(23),
        applied_transaction_id: txn(24),
    })
}

fn assign(number: u128) -> Ask {
    Ask::AssignUnapplied(AssignUnapplied {
        withdrawal_id: withdrawal(number),
        account: account(WALLET),
        reason: None,
        transaction_id: txn(25),
    })
}

fn key() -> LineKey {
    LineKey {
        bank: "hdfc".parse().unwrap(),
        account: HouseAccount::Escrow,
        direction: LineDirection::Credit,
        value_date: day(),
        bank_transaction_id: "S9".parse().unwrap(),
    }
}

fn credit() -> String {
    format!("{}.1", deposit(1))
}

fn own(number: u128) -> String {
    withdrawal(number).to_string()
}

/// A world in which 500 of a deposit lie in suspense.
fn aside() -> World {
    let mut world = World::with("100");
    let begin = DepositOperation::Begin(BeginDeposit {
        deposit_id: deposit(1),
        account: account(WALLET),
        amount: inr("500"),
        bank: "hdfc".parse().unwrap(),
        expires_at: minute(30),
        payer_hash: None,
    });
    let review = CreditClaim { review: "third_party".parse().ok(), ..claim(1, "500") };
    for operation in [begin, confirmed(review)] {
        world.submit(operation.into()).unwrap();
    }
    assert_eq!(world.item(SUSPENSE, &credit()), dec("500.00"));
    world
}

fn decide(to: Option<&str>) -> Operation {
    DepositOperation::DecideReview(DecideDepositReview {
        deposit_id: deposit(1),
        number: 1,
        assign_to: to.map(account),
        reason: None,
        transaction_id: txn(26),
    })
    .into()
}

#[track_caller]
fn refused(world: &mut World, operation: impl Into<Operation>, code: &str) {
    let before = world.items.clone();
    let refused = world.submit(operation.into()).unwrap_err();
    assert_eq!((refused.code.as_str(), &world.items), (code, &before), "{refused:?}");
}

#[track_caller]
fn all(world: &mut World, asks: impl IntoIterator<Item = Ask>) {
    for ask in asks {
        world.submit(ask.clone().into()).unwrap_or_else(|r| panic!("{ask:?}: {r:?}"));
    }
}

#[test]
fn of_an_assignment_and_a_sending_back_exactly_one_wins() {
    for left_before in [false, true] {
        let mut world = aside();
        if left_before {
            world.submit(decide(None)).unwrap();
        }
        refused(&mut world, send(1, &credit(), "499"), "credit_differs");
        let done = world.submit(send(1, &credit(), "500").into()).unwrap();
        assert_eq!(done.events, ["sent_back", "requested", "queued"]);
        assert_eq!(world.item(SUSPENSE, &credit()), dec("0"));
        assert_eq!(world.item(RESERVED, &own(1)), dec("500.00"));
        assert_eq!(world.deposits[&deposit(1)].status(), Some(DepositStatus::SentBack));
        refused(&mut world, decide(Some(WALLET)), "credit_not_in_review");
        refused(&mut world, send(2, &credit(), "500"), "credit_not_in_review");
    }
    let mut world = aside();
    world.submit(decide(Some(WALLET))).unwrap();
    refused(&mut world, send(1, &credit(), "500"), "credit_not_in_review");
    assert_eq!(world.balance(WALLET), dec("600.00"));
}

#[test]
fn what_is_paid_is_gone_and_what_is_not_is_in_suspense_again() {
    let mut world = aside();
    all(&mut world, [send(1, &credit(), "500"), begin(1), paid()]);
    assert!(world.balance(SUSPENSE).is_zero() && world.balance(RESERVED).is_zero());
    assert_eq!(world.item("bank:hdfc:clearing_out:INR", &own(1)), dec("500.00"));
    // It bounces: what comes is in suspense, and nobody's wallet is touched.
    all(&mut world, [back("500"), back("500")]);
    assert_eq!(world.item(SUSPENSE, &own(1)), dec("500.00"));
    assert_eq!(world.item(CLEARING, &own(1)), dec("-500.00"));
    assert_eq!(world.withdrawal.status(), Some(WithdrawalStatus::Returned));

    let ends: [&dyn Fn() -> Vec<Ask>; 2] =
        [&|| vec![begin(1), told(AttemptOutcome::RefusedFinal)], &|| {
            vec![Ask::Cancel(CancelWithdrawal {
                withdrawal_id: withdrawal(1),
                transaction_id: txn(27),
            })]
        }];
    for end in ends {
        let mut world = aside();
        all(&mut world, std::iter::once(send(1, &credit(), "500")).chain(end()));
        assert_eq!(world.item(SUSPENSE, &own(1)), dec("500.00"));
        assert_eq!((world.item(RESERVED, &own(1)), world.balance(WALLET)), (dec("0"), dec("100")));
    }
}

#[test]
fn what_is_in_suspense_again_goes_to_a_wallet_or_back_once_more_and_only_once() {
    let failed = || {
        let mut world = aside();
        all(&mut world, [send(1, &credit(), "500"), begin(1), told(AttemptOutcome::RefusedFinal)]);
        world
    };
    let mut assigned = failed();
    all(&mut assigned, [assign(1)]);
    assert_eq!((assigned.balance(WALLET), assigned.balance(SUSPENSE)), (dec("600"), dec("0")));
    refused(&mut assigned, assign(1), "not_in_suspense");
    refused(&mut assigned, send(2, &own(1), "500"), "not_in_suspense");

    let mut again = failed();
    refused(&mut again, send(2, &own(1), "1"), "suspense_amount_differs");
    let done = again.submit(send(2, &own(1), "500").into()).unwrap();
    assert_eq!(done.events, ["sent_again", "requested", "queued"]);
    assert_eq!(again.item(RESERVED, &own(2)), dec("500.00"));
    refused(&mut again, assign(1), "not_in_suspense");
    assert!(again.balance(SUSPENSE).is_zero());
}

/// The bank said no and paid after all: from suspense if it is there still, else somebody out there
/// owes us, and no customer does.
#[test]
fn a_bank_that_pays_after_its_no_takes_what_is_in_suspense_or_is_owed_by_nobody_of_ours() {
    let mut there = aside();
    let no = || told(AttemptOutcome::RefusedFinal);
    all(&mut there, [send(1, &credit(), "500"), begin(1), no(), paid()]);
    assert!(there.balance(SUSPENSE).is_zero());
    assert_eq!((there.balance(WALLET), there.balance(OWED)), (dec("100"), dec("0")));
    let mut gone = aside();
    all(&mut gone, [send(1, &credit(), "500"), begin(1), no(), assign(1), paid()]);
    assert_eq!((gone.balance(WALLET), gone.balance(OWED)), (dec("600"), dec("500")));
}

#[test]
fn a_line_that_nobody_explained_goes_back_and_is_explained_no_more() {
    let mut world = World::with("100");
    let parts = vec![Part::plain(Purpose::Unknown, dec("70.00"))];
    let (booking_date, amount, transaction_id) = (day(), inr("70"), txn(30));
    let book = BookBankLine { key: key(), booking_date, amount, parts, transaction_id };
    let item = key().id().to_string();
    refused(&mut world, send(1, &item, "70"), "bank_line_not_found");
    world.submit(BankLineOperation::Book(book).into()).unwrap();
    refused(&mut world, send(1, &item, "69.99"), "exceeds_unexplained");
    let other: Item = "bl_00000000000000000000000000000009".parse().unwrap();
    refused(&mut world, send(1, other.as_str(), "70"), "not_in_suspense");
    let done = world.submit(send(1, &item, "70").into()).unwrap();
    assert_eq!(done.events, ["sent_back", "requested", "queued"]);
    assert_eq!((world.item(SUSPENSE, &item), world.item(RESERVED, &own(1))), (dec("0"), dec("70")));
    let wallet = Some(account(WALLET));
    let parts = vec![Part { wallet, ..Part::plain(Purpose::Wallet, dec("70.00")) }];
    let currency = currency("INR");
    let resolve = ResolveBankLine { key: key(), currency, parts, transaction_id: txn(31) };
    refused(&mut world, BankLineOperation::Resolve(resolve), "nothing_unexplained");
}

#[test]
fn nobody_says_that_something_leaves_suspense_without_the_withdrawal_that_takes_it() {
    let mut world = aside();
    let sent = crate::deposit::SendBackCredit {
        deposit_id: deposit(1),
        number: 1,
        amount: inr("500"),
        withdrawal_id: withdrawal(1),
        reason: None,
    };
    refused(&mut world, DepositOperation::SendBack(sent), "internal");
    let again = crate::withdrawal::SendAgain {
        withdrawal_id: withdrawal(1),
        by: withdrawal(2),
        amount: inr("500"),
        reason: None,
    };
    refused(&mut world, Ask::SendAgain(again), "internal");
    let (amount, withdrawal_id, reason) = (inr("70"), withdrawal(1), None);
    let line = crate::bank_line::SendBackLine { key: key(), amount, withdrawal_id, reason };
    refused(&mut world, BankLineOperation::SendBack(line), "internal");
}
