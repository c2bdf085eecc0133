//! The withdrawal alone: what each command comes to, and every refusal.

use cqrs_es::{Aggregate, test::TestFramework};

use super::*;
use crate::{
    fee::Pricing,
    ids::{BankAccountId, PayeeHash, Reference},
    testing::{account, assert_every_variant, dec, inr, txn, withdrawal},
};

mod sending_back;

type Event = WithdrawalEvent;
type Ask = WithdrawalOperation;

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn hash(digits: &str) -> PayeeHash {
    digits.repeat(32).parse().unwrap()
}

fn request() -> RequestWithdrawal {
    RequestWithdrawal {
        withdrawal_id: withdrawal(1),
        transaction_id: txn(1),
        account: account("wallet:a:INR"),
        amount: inr("5000"),
        fee: inr("10"),
        tax: inr("1.53"),
        pricing: Pricing::AsGiven,
        bank_account: BankAccountId::from_uuid(uuid::Uuid::from_u128(7)),
        bank: "hdfc".parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: Some(hash("0a")),
        payee: PayeeStanding::Unchecked,
        review: None,
        note: Some("Rent".to_owned()),
    }
}

fn reviewed() -> RequestWithdrawal {
    RequestWithdrawal { review: Some(reference("new_payee")), ..request() }
}

fn begin(attempt: u32, text: &str) -> BeginAttempt {
    BeginAttempt {
        withdrawal_id: withdrawal(1),
        attempt,
        reference: reference(text),
        bank: "hdfc".parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: Some(hash("0a")),
        transaction_id: txn(2),
    }
}

fn told(attempt: u32, outcome: AttemptOutcome) -> Ask {
    Ask::RecordOutcome(RecordOutcome {
        withdrawal_id: withdrawal(1),
        attempt,
        outcome,
        source: Source::Webhook,
        code: Some(reference("91")),
        transaction_id: txn(3),
    })
}

fn paid(attempt: u32, utr: &str) -> Ask {
    let bank_reference = reference(utr);
    told(attempt, AttemptOutcome::Paid { amount: inr("5000"), bank_reference })
}

fn back(credit: &str, amount: &str) -> Ask {
    Ask::RecordReturn(RecordReturn {
        withdrawal_id: withdrawal(1),
        attempt: 1,
        bank_reference: reference(credit),
        amount: inr(amount),
        source: Source::Statement,
        transaction_id: txn(4),
        applied_transaction_id: txn(5),
    })
}

fn cancel() -> Ask {
    Ask::Cancel(CancelWithdrawal { withdrawal_id: withdrawal(1), transaction_id: txn(6) })
}

fn review(approve: bool) -> Ask {
    Ask::DecideReview(DecideReview {
        withdrawal_id: withdrawal(1),
        approve,
        reason: Some(reference("sanctions")),
        transaction_id: txn(7),
    })
}

fn apply() -> Ask {
    Ask::ApplyUnapplied(ApplyUnapplied { withdrawal_id: withdrawal(1), transaction_id: txn(8) })
}

const REFUSED: [AttemptOutcome; 2] =
    [AttemptOutcome::RefusedRetryable, AttemptOutcome::RefusedFinal];

/// On a wallet without limits that owes nothing.
fn asked(operation: Ask) -> WithdrawalCommand {
    WithdrawalCommand { operation, standing: Standing::default() }
}

/// On a wallet that can take nothing.
fn blocked(operation: Ask) -> WithdrawalCommand {
    let standing = Standing { room: Some(Decimal::ZERO), ..Standing::default() };
    WithdrawalCommand { operation, standing }
}

/// The events that these come to, one after the other.
fn after(asks: impl IntoIterator<Item = Ask>) -> Vec<Event> {
    after_commands(asks.into_iter().map(asked))
}

fn after_commands(commands: impl IntoIterator<Item = WithdrawalCommand>) -> Vec<Event> {
    let (mut withdrawal, mut events) = (Withdrawal::default(), Vec::new());
    for command in commands {
        for event in withdrawal.decide(&command).unwrap() {
            withdrawal.apply(event.clone());
            events.push(event);
        }
    }
    events
}

fn folded(events: impl IntoIterator<Item = Event>) -> Withdrawal {
    events.into_iter().fold(Withdrawal::default(), |mut withdrawal, event| {
        withdrawal.apply(event);
        withdrawal
    })
}

#[track_caller]
fn expect(given: Vec<Event>, when: Ask, then: Vec<Event>) {
    TestFramework::<Withdrawal>::with(()).given(given).when(asked(when)).then_expect_events(then);
}

fn queued() -> Vec<Event> {
    after([Ask::Request(request())])
}

fn sent() -> Vec<Event> {
    after([Ask::Request(request()), Ask::BeginAttempt(begin(1, "BH1"))])
}

fn and(given: Vec<Event>, asks: impl IntoIterator<Item = Ask>) -> Vec<Event> {
    let mut withdrawal = folded(given.clone());
    let mut events = given;
    for ask in asks {
        for event in withdrawal.decide(&asked(ask)).unwrap() {
            withdrawal.apply(event.clone());
            events.push(event);
        }
    }
    events
}

fn refusals() -> Vec<(Vec<Event>, Ask, WithdrawalError)> {
    use WithdrawalError as No;
    use WithdrawalStatus as Status;
    let completed = || and(sent(), [paid(1, "UTR1")]);
    let retried = || and(sent(), [told(1, AttemptOutcome::RefusedRetryable)]);
    let two_banks = BeginAttempt { bank: "axis".parse().unwrap(), ..begin(2, "BH1") };
    let less =
        told(1, AttemptOutcome::Paid { amount: inr("4999.99"), bank_reference: reference("UTR1") });
    let swapped = BeginAttempt { payee_hash: Some(hash("0b")), ..begin(1, "BH1") };
    let nobody = BeginAttempt { payee_hash: None, ..begin(1, "BH1") };
    let taxed = RequestWithdrawal { tax: inr("10.01"), ..request() };
    let mut rows = vec![
        (queued(), Ask::Request(request()), No::Exists),
        (vec![], Ask::Request(taxed), No::FeeInvalid),
        (sent(), cancel(), No::NotCancellable { status: Status::Processing }),
        (completed(), cancel(), No::NotCancellable { status: Status::Completed }),
        (queued(), review(true), No::NotInReview { status: Status::Queued }),
        (queued(), Ask::BeginAttempt(swapped), No::PayeeMismatch),
        (queued(), Ask::BeginAttempt(nobody), No::PayeeMismatch),
        (queued(), Ask::BeginAttempt(begin(2, "BH1")), No::AttemptOutOfTurn { expected: 1 }),
        (retried(), Ask::BeginAttempt(begin(1, "BH9")), No::AttemptOutOfTurn { expected: 2 }),
        (retried(), Ask::BeginAttempt(two_banks), No::ReferenceUsed),
        // Case 108: who comes second to send an attempt may not send it.
        (sent(), Ask::BeginAttempt(begin(1, "BH1")), No::NotQueued { status: Status::Processing }),
        (
            and(sent(), [told(1, AttemptOutcome::Unknown)]),
            Ask::BeginAttempt(begin(2, "BH2")),
            No::NotQueued { status: Status::OutcomeUnknown },
        ),
        (sent(), paid(2, "UTR1"), No::AttemptNotFound),
        (sent(), paid(0, "UTR1"), No::AttemptNotFound),
        (sent(), less, No::PaidAmountDiffers { amount: dec("5000.00") }),
        (completed(), paid(1, "UTR2"), No::BankReferenceDiffers),
        (completed(), told(1, AttemptOutcome::RefusedFinal), No::AttemptPaid),
        (retried(), told(1, AttemptOutcome::RefusedFinal), No::RefusalDiffers),
        (sent(), back("R1", "1"), No::AttemptNotPaid),
        (and(completed(), [back("R1", "1")]), back("R1", "2"), No::ReturnDiffers),
        (
            and(completed(), [back("R1", "1")]),
            back("R2", "4999.01"),
            No::ReturnExceedsAmount { left: dec("4999.00") },
        ),
        (in_pieces(), back("last", "0.01"), No::TooManyReturns),
        (tried_often(), Ask::BeginAttempt(begin(101, "BH101")), No::TooManyAttempts),
    ];
    rows.extend(sending_back::refusals());
    let every = [
        cancel(),
        review(true),
        Ask::BeginAttempt(begin(1, "BH1")),
        paid(1, "UTR1"),
        back("R1", "1"),
        apply(),
    ];
    rows.extend(every.map(|ask| (vec![], ask, No::NotFound)));
    rows
}

fn in_pieces() -> Vec<Event> {
    let pieces = (0..RETURNS_MAX).map(|piece| back(&format!("R{piece}"), "0.01"));
    and(sent(), std::iter::once(paid(1, "UTR1")).chain(pieces))
}

fn tried_often() -> Vec<Event> {
    let attempts = (1_u32..).take(ATTEMPTS_MAX).flat_map(|attempt| {
        let begun = Ask::BeginAttempt(begin(attempt, &format!("BH{attempt}")));
        [begun, told(attempt, AttemptOutcome::RefusedRetryable)]
    });
    and(queued(), attempts)
}

#[test]
fn every_refusal_happens() {
    let mut seen = Vec::new();
    for (given, when, then) in refusals() {
        TestFramework::<Withdrawal>::with(())
            .given(given)
            .when(asked(when))
            .then_expect_error(then);
        seen.push(then);
    }
    let waiting = after_commands([asked(Ask::Request(request())), blocked(cancel())]);
    TestFramework::<Withdrawal>::with(())
        .given(waiting)
        .when(blocked(apply()))
        .then_expect_error(WithdrawalError::WalletBlocked);
    seen.push(WithdrawalError::WalletBlocked);
    assert_every_variant!(
        WithdrawalError,
        seen,
        WithdrawalError::NotFound,
        WithdrawalError::Exists,
        WithdrawalError::FeeInvalid,
        WithdrawalError::NotCancellable { .. },
        WithdrawalError::NotInReview { .. },
        WithdrawalError::NotQueued { .. },
        WithdrawalError::PayeeMismatch,
        WithdrawalError::AttemptOutOfTurn { .. },
        WithdrawalError::ReferenceUsed,
        WithdrawalError::TooManyAttempts,
        WithdrawalError::AttemptNotFound,
        WithdrawalError::PaidAmountDiffers { .. },
        WithdrawalError::BankReferenceDiffers,
        WithdrawalError::AttemptPaid,
        WithdrawalError::RefusalDiffers,
        WithdrawalError::AttemptNotPaid,
        WithdrawalError::ReturnDiffers,
        WithdrawalError::ReturnExceedsAmount { .. },
        WithdrawalError::TooManyReturns,
        WithdrawalError::NotInSuspense,
        WithdrawalError::SuspenseAmountDiffers { .. },
        WithdrawalError::WalletBlocked,
    );
    let mut codes: Vec<&str> = seen.iter().map(|error| error.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 22, "each refusal has a code of its own: {codes:?}");
}

#[test]
fn a_request_is_queued_or_looked_at_first() {
    let names = |events: Vec<Event>| events.iter().map(Event::name).collect::<Vec<_>>();
    assert_eq!(names(queued()), ["requested", "queued"]);
    let waiting = after([Ask::Request(reviewed())]);
    assert_eq!(names(waiting.clone()), ["requested", "review_required"]);
    assert_eq!(folded(waiting.clone()).status(), Some(WithdrawalStatus::PendingReview));
    let approved = and(waiting.clone(), [review(true)]);
    assert_eq!(names(approved.clone())[2..], ["approved", "queued"]);
    expect(approved.clone(), review(true), vec![]);
    let not_any_more = WithdrawalError::NotInReview { status: WithdrawalStatus::Queued };
    TestFramework::<Withdrawal>::with(())
        .given(approved)
        .when(asked(review(false)))
        .then_expect_error(not_any_more);
    let rejected = and(waiting.clone(), [review(false)]);
    assert_eq!(folded(rejected.clone()).status(), Some(WithdrawalStatus::Rejected));
    expect(rejected, review(false), vec![]);
    assert_eq!(folded(and(waiting, [cancel()])).status(), Some(WithdrawalStatus::Cancelled));
}

#[test]
fn case_116_it_is_given_up_only_until_it_is_sent() {
    let total = dec("5010.00");
    let back = GivenBack { total, unapplied: false, reason: None, transaction_id: txn(6) };
    expect(queued(), cancel(), vec![Event::Cancelled(back)]);
    expect(and(queued(), [cancel()]), cancel(), vec![]);
    let again = and(sent(), [told(1, AttemptOutcome::RefusedRetryable), cancel()]);
    assert_eq!(folded(again).funds(), Funds::GivenBack);
}

#[test]
fn case_104_what_is_unknown_stays_so_until_there_is_proof() {
    let unknown = and(sent(), [told(1, AttemptOutcome::Unknown)]);
    let state = folded(unknown.clone());
    assert_eq!(state.status(), Some(WithdrawalStatus::OutcomeUnknown));
    assert_eq!((state.funds(), state.attempts().len()), (Funds::InFlight, 1));
    expect(unknown.clone(), told(1, AttemptOutcome::Unknown), vec![]);
    // Case 117: people look at it; it is never given back by itself.
    let attention = and(unknown.clone(), [told(1, AttemptOutcome::NeedsAttention)]);
    let state = folded(attention.clone());
    assert_eq!(state.status(), Some(WithdrawalStatus::NeedsAttention));
    assert_eq!(state.funds(), Funds::InFlight);
    expect(attention.clone(), told(1, AttemptOutcome::Unknown), vec![]);
    for open in [unknown, attention] {
        let done = folded(and(open.clone(), [paid(1, "UTR1")]));
        assert_eq!(done.status(), Some(WithdrawalStatus::Completed));
        for (refused, status) in
            REFUSED.into_iter().zip([WithdrawalStatus::Queued, WithdrawalStatus::Failed])
        {
            let done = folded(and(open.clone(), [told(1, refused)]));
            assert_eq!(done.status(), Some(status));
        }
    }
}

#[test]
fn what_is_known_changes_nothing_when_it_comes_again() {
    let ends = [paid(1, "UTR1"), told(1, REFUSED[0].clone()), told(1, REFUSED[1].clone())];
    for end in ends {
        let given = and(sent(), [end.clone()]);
        expect(given.clone(), end, vec![]);
        for vague in [AttemptOutcome::Unknown, AttemptOutcome::NeedsAttention] {
            expect(given.clone(), told(1, vague), vec![]);
        }
    }
    let returned = and(sent(), [paid(1, "UTR1"), back("R1", "5000")]);
    expect(returned.clone(), back("R1", "5000"), vec![]);
    expect(returned, apply(), vec![]);
}

#[test]
fn a_refused_attempt_that_was_paid_is_marked_late() {
    let given = and(sent(), [told(1, AttemptOutcome::RefusedRetryable)]);
    let completed = Completed {
        attempt: 1,
        bank_reference: reference("UTR1"),
        source: Source::Webhook,
        late: true,
        transaction_id: txn(3),
    };
    expect(given, paid(1, "UTR1"), vec![Event::Completed(completed)]);
    let failed = and(sent(), [told(1, AttemptOutcome::RefusedFinal)]);
    let late = CompletedLate {
        from_in_flight: dec("0"),
        attempt: 1,
        bank_reference: reference("UTR1"),
        source: Source::Webhook,
        from_unapplied: Decimal::ZERO,
        from_wallet: dec("5000.00"),
        owed: Decimal::ZERO,
        transaction_id: txn(3),
    };
    expect(failed.clone(), paid(1, "UTR1"), vec![Event::CompletedLate(late.clone())]);
    let standing = Standing { spendable: Some(dec("1200.00")), ..Standing::default() };
    let owed = CompletedLate { from_wallet: dec("1200.00"), owed: dec("3800.00"), ..late };
    TestFramework::<Withdrawal>::with(())
        .given(failed)
        .when(WithdrawalCommand { operation: paid(1, "UTR1"), standing })
        .then_expect_events(vec![Event::CompletedLate(owed)]);
}

#[test]
fn the_state_tells_what_is_final_and_what_can_be_given_up() {
    use WithdrawalStatus as Status;
    let finals: Vec<_> = Status::ALL.into_iter().filter(|s| s.is_final()).collect();
    let ended =
        [Status::Completed, Status::Returned, Status::Failed, Status::Rejected, Status::Cancelled];
    assert_eq!(finals, ended);
    let cancellable: Vec<_> = Status::ALL.into_iter().filter(|s| s.is_cancellable()).collect();
    assert_eq!(cancellable, [Status::PendingReview, Status::Queued]);
    for status in Status::ALL {
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
}

#[test]
fn a_snapshot_taken_after_any_event_is_the_withdrawal() {
    let lives = [
        and(sent(), [told(1, AttemptOutcome::Unknown), paid(1, "UTR1"), back("R1", "5000")]),
        and(sent(), [told(1, AttemptOutcome::RefusedFinal), paid(1, "UTR1"), back("R1", "1")]),
        and(after([Ask::Request(reviewed())]), [review(false)]),
        after_commands([asked(Ask::Request(request())), blocked(cancel())]),
    ];
    for events in lives {
        let whole = folded(events.clone());
        for taken in 0..=events.len() {
            let before = folded(events.iter().take(taken).cloned());
            let bytes = serde_json::to_vec(&before).unwrap();
            let mut restored: Withdrawal = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(restored, before);
            for event in events.iter().skip(taken).cloned() {
                restored.apply(event);
            }
            assert_eq!(restored, whole);
        }
    }
}
