//! The transfer alone: what each command comes to, and every refusal.

use cqrs_es::test::TestFramework;
use rust_decimal::Decimal;

use super::*;
use crate::{
    clock::Timestamp,
    fee::Pricing,
    ids::PhoneHash,
    testing::{account, assert_every_variant, dec, inr, minute, transfer},
};

type Event = TransferEvent;
type Ask = TransferOperation;

const EXPIRY: i64 = 60;

fn hash(digits: &str) -> PhoneHash {
    digits.repeat(32).parse().unwrap()
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn hold() -> HoldTransfer {
    HoldTransfer {
        transfer_id: transfer(1),
        account: account("wallet:a:INR"),
        amount: inr("250"),
        fee: inr("5"),
        tax: inr("0.76"),
        pricing: Pricing::AsGiven,
        phone_hash: hash("0a"),
        expires_at: minute(EXPIRY),
        note: Some("Rent".to_owned()),
    }
}

fn claim_to(code: &str) -> ClaimTransfer {
    ClaimTransfer {
        transfer_id: transfer(1),
        account: account(code),
        phone_hash: hash("0a"),
        review: None,
    }
}

fn claim() -> Ask {
    Ask::Claim(claim_to("wallet:b:INR"))
}

fn ruled() -> Ask {
    Ask::Claim(ClaimTransfer { review: Some(reference("large")), ..claim_to("wallet:b:INR") })
}

fn decide(approve: bool) -> Ask {
    let reason = Some(reference("sanctions")).filter(|_| !approve);
    Ask::DecideClaim(DecideClaim { transfer_id: transfer(1), approve, reason })
}

fn cancel() -> Ask {
    Ask::Cancel(transfer(1))
}

fn expire() -> Ask {
    Ask::Expire(transfer(1))
}

fn held() -> Event {
    Event::Held(Held {
        account: account("wallet:a:INR"),
        amount: dec("250.00"),
        fee: dec("5.00"),
        tax: dec("0.76"),
        fee_version: None,
        phone_hash: hash("0a"),
        hold_id: transfer(1).hold_id(),
        expires_at: minute(EXPIRY),
    })
}

fn completed(code: &str) -> Event {
    let transaction_id = transfer(1).transaction_id();
    Event::Completed(Completed { account: account(code), transaction_id })
}

fn in_review(reason: &str) -> Event {
    let (account, reason) = (account("wallet:b:INR"), reference(reason));
    Event::ClaimInReview(ClaimInReview { account, reason })
}

fn cancelled() -> Event {
    Event::Cancelled(Cancelled { reason: None })
}

fn full() -> TransferStanding {
    TransferStanding { room: Some(dec("249.99")), ..TransferStanding::default() }
}

fn at(now: Timestamp, operation: Ask, standing: TransferStanding) -> TransferCommand {
    TransferCommand { operation, standing, now }
}

#[track_caller]
fn expect(given: &[Event], when: Ask, then: &[Event]) {
    expect_with(given, at(minute(0), when, TransferStanding::default()), then);
}

#[track_caller]
fn expect_with(given: &[Event], when: TransferCommand, then: &[Event]) {
    TestFramework::<Transfer>::with(())
        .given(given.to_vec())
        .when(when)
        .then_expect_events(then.to_vec());
}

#[test]
fn money_is_held_and_has_one_end() {
    expect(&[], Ask::Hold(hold()), &[held()]);
    expect(&[held()], claim(), &[completed("wallet:b:INR")]);
    expect(&[held()], cancel(), &[cancelled()]);
    let later = at(minute(EXPIRY), expire(), TransferStanding::default());
    expect_with(&[held()], later, &[Event::Expired {}]);
}

#[test]
fn what_is_known_already_changes_nothing() {
    expect(&[held(), completed("wallet:b:INR")], claim(), &[]);
    expect(&[held(), cancelled()], cancel(), &[]);
    for end in [completed("wallet:b:INR"), cancelled(), Event::Expired {}] {
        expect(&[held(), end], expire(), &[]);
    }
    // A rule's review waits for a person, however often the claim comes.
    expect(&[held(), in_review("large")], claim(), &[]);
    expect_with(&[held(), in_review(ACCOUNT_CANNOT_TAKE)], at(minute(0), claim(), full()), &[]);
}

#[test]
fn a_claim_that_cannot_be_paid_out_waits_and_can_end_in_every_way() {
    let full_account = at(minute(0), claim(), full());
    expect_with(&[held()], full_account, &[in_review(ACCOUNT_CANNOT_TAKE)]);
    expect(&[held()], ruled(), &[in_review("large")]);
    let waits = [held(), in_review(ACCOUNT_CANNOT_TAKE)];
    // There is room now, or there is on another account.
    expect(&waits, claim(), &[completed("wallet:b:INR")]);
    let other = Ask::Claim(claim_to("wallet:c:INR"));
    expect(&waits, other, &[completed("wallet:c:INR")]);
    expect(&waits, cancel(), &[cancelled()]);
    let later = at(minute(EXPIRY), expire(), TransferStanding::default());
    expect_with(&waits, later, &[Event::Expired {}]);
    let reviewed = [held(), in_review("large")];
    expect(&reviewed, decide(true), &[completed("wallet:b:INR")]);
    let reason = Some(reference("sanctions"));
    expect(&reviewed, decide(false), &[Event::Cancelled(Cancelled { reason })]);
}

#[test]
fn the_last_moment_is_before_the_expiry() {
    let before = minute(EXPIRY) - chrono::TimeDelta::microseconds(1);
    let standing = TransferStanding::default();
    expect_with(&[held()], at(before, claim(), standing), &[completed("wallet:b:INR")]);
    let framework = TestFramework::<Transfer>::with(()).given(vec![held()]);
    // Whether or not the sweeper was there yet.
    framework.when(at(minute(EXPIRY), claim(), standing)).then_expect_error(TransferError::Expired);
}

#[test]
fn every_refusal_has_its_case() {
    let free = TransferStanding::default();
    let now = |ask| at(minute(0), ask, free);
    let late = |ask| at(minute(EXPIRY), ask, free);
    let poor = TransferStanding { spendable: Some(dec("254.99")), ..free };
    let own = TransferStanding { same_owner: true, ..free };
    let wrong = ClaimTransfer { phone_hash: hash("0b"), ..claim_to("wallet:b:INR") };
    let odd = HoldTransfer { tax: inr("5.01"), ..hold() };
    let past = HoldTransfer { expires_at: minute(0), ..hold() };
    let (waits, reviewed) = (vec![held()], vec![held(), in_review("large")]);
    let done = vec![held(), completed("wallet:b:INR")];
    let status = TransferStatus::Completed;
    let table = [
        (vec![], now(claim()), TransferError::NotFound),
        (waits.clone(), now(Ask::Hold(hold())), TransferError::Exists),
        (vec![], now(Ask::Hold(odd)), TransferError::FeeInvalid),
        (vec![], now(Ask::Hold(past)), TransferError::ExpiryPast),
        // The number before everything else: who has another one learns nothing.
        (done.clone(), late(Ask::Claim(wrong)), TransferError::AnotherNumber),
        (
            done.clone(),
            late(Ask::Claim(claim_to("wallet:c:INR"))),
            TransferError::NotClaimable { status },
        ),
        (done.clone(), now(cancel()), TransferError::NotCancellable { status }),
        (done, now(decide(true)), TransferError::NotInReview { status }),
        (waits.clone(), late(claim()), TransferError::Expired),
        (reviewed.clone(), late(decide(true)), TransferError::Expired),
        (waits.clone(), now(expire()), TransferError::NotExpired),
        (waits.clone(), now(Ask::Claim(claim_to("wallet:a:INR"))), TransferError::SelfClaim),
        (waits.clone(), at(minute(0), claim(), own), TransferError::SelfClaim),
        (waits, at(minute(0), claim(), poor), TransferError::SenderBlocked),
        (reviewed.clone(), at(minute(0), decide(true), poor), TransferError::SenderBlocked),
        (reviewed, at(minute(0), decide(true), full()), TransferError::ReceiverBlocked),
    ];
    let mut seen = Vec::new();
    for (given, when, error) in table {
        TestFramework::<Transfer>::with(()).given(given).when(when).then_expect_error(error);
        seen.push(error);
    }
    assert_every_variant!(
        TransferError,
        seen,
        TransferError::NotFound,
        TransferError::Exists,
        TransferError::FeeInvalid,
        TransferError::ExpiryPast,
        TransferError::AnotherNumber,
        TransferError::NotClaimable { .. },
        TransferError::NotCancellable { .. },
        TransferError::NotInReview { .. },
        TransferError::Expired,
        TransferError::NotExpired,
        TransferError::SelfClaim,
        TransferError::SenderBlocked,
        TransferError::ReceiverBlocked,
    );
    let codes: std::collections::BTreeSet<&str> = seen.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), 13, "each refusal has a code of its own: {codes:?}");
}

#[test]
fn a_claim_moves_what_the_specification_says() {
    let Event::Held(held) = held() else { panic!("another event") };
    let Event::Completed(completed) = completed("wallet:b:INR") else { panic!("another event") };
    let moved = movement::movement(&held, &completed).unwrap();
    let legs: Vec<(&str, String)> =
        moved.legs.iter().map(|leg| (leg.account.as_str(), leg.amount.to_string())).collect();
    let expected = [
        ("wallet:a:INR", "255.00"),
        ("wallet:b:INR", "250.00"),
        ("income:fees:INR", "4.24"),
        ("tax:gst_output:INR", "0.76"),
    ];
    assert_eq!(legs, expected.map(|(code, amount)| (code, amount.to_owned())));
    let free = Held { fee: dec("0.00"), tax: dec("0.00"), ..held };
    assert_eq!(movement::movement(&free, &completed).unwrap().legs.len(), 2);
    assert_eq!(movement::total(&free), dec("250.00"));
}

#[test]
fn states_are_told_and_survive_a_snapshot() {
    let told: Vec<&str> = TransferStatus::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(told, ["pending_claim", "claim_in_review", "completed", "cancelled", "expired"]);
    let last: Vec<bool> = TransferStatus::ALL.iter().map(|status| status.is_final()).collect();
    assert_eq!(last, [false, false, true, true, true]);
    let waits = Transfer::of([held(), in_review("large")]);
    let bytes = serde_json::to_vec(&waits).unwrap();
    assert_eq!(serde_json::from_slice::<Transfer>(&bytes).unwrap(), waits);
    assert_eq!(waits.receiver(), Some(&account("wallet:b:INR")));
    assert_eq!(waits.reason(), Some(&reference("large")));
    let receipt = waits.receipt(transfer(1)).unwrap();
    assert!(matches!(receipt, Receipt::Transfer { amount, fee, .. }
        if amount == dec("250.00") && fee == Decimal::new(500, 2)));
    assert!(Transfer::default().receipt(transfer(1)).is_none());
}
