//! Less paid than sent: what is proved moves, the rest stays in flight until it is proved as well,
//! and the fee is held till the end.

use super::*;

fn part(line: &str, amount: &str) -> Ask {
    let bank_reference = line.parse().unwrap();
    told(1, AttemptOutcome::PaidInPart { amount: inr(amount), bank_reference })
}

const OUT: &str = "bank:hdfc:clearing_out:INR";

/// Of 500 rupees 485 were paid.
fn in_part() -> World {
    let mut world = requested();
    world.all([begin(1), part("S1", "485")]);
    world
}

#[test]
fn case_110_what_is_proved_moves_and_the_rest_stays_unknown() {
    let mut world = in_part();
    assert_eq!(world.status(), WithdrawalStatus::OutcomeUnknown);
    let expected = [(WALLET, "490.00"), (IN_FLIGHT, "15.00"), (FEES, "10.00"), (OUT, "485.00")];
    balances(&world, &expected);
    // The same line again, and what proves nothing: nothing moves.
    world.all([part("S1", "485"), told(1, AttemptOutcome::Unknown)]);
    balances(&world, &expected);
    for contradiction in [part("S1", "484"), part("S2", "15.01")] {
        assert_eq!(world.ask(contradiction).unwrap_err().code, "paid_amount_differs");
    }
    // People have to look, and a later line still counts.
    world.all([told(1, AttemptOutcome::NeedsAttention)]);
    assert_eq!(world.status(), WithdrawalStatus::NeedsAttention);
    balances(&world, &expected);
}

#[test]
fn the_rest_is_paid_by_another_line_or_by_the_word_that_all_of_it_was() {
    for proof in [part("S2", "15"), paid(1)] {
        let mut world = in_part();
        world.all([proof.clone()]);
        assert_eq!(world.status(), WithdrawalStatus::Completed, "{proof:?}");
        let earned = [(IN_FLIGHT, "0.00"), (FEES, "0.00"), ("income:fees:INR", "8.47")];
        balances(&world, &earned);
        balances(&world, &[(WALLET, "490.00"), (OUT, "500.00")]);
    }
    let mut world = in_part();
    world.all([part("S2", "5"), part("S3", "10")]);
    assert_eq!(world.status(), WithdrawalStatus::Completed, "in three parts");
    // It can come back as any other payment, in whole.
    world.all([back(1, "R1", "500")]);
    assert_eq!(world.status(), WithdrawalStatus::Returned);
    balances(&world, &[(WALLET, "1000.00")]);
}

#[test]
fn the_rest_that_was_not_paid_is_given_back_with_the_fee_and_never_sent_again() {
    for refused in [AttemptOutcome::RefusedFinal, AttemptOutcome::RefusedRetryable] {
        let mut world = in_part();
        world.all([told(1, refused)]);
        assert_eq!(world.status(), WithdrawalStatus::Failed);
        balances(&world, &[(WALLET, "515.00"), (IN_FLIGHT, "0.00"), (FEES, "0.00")]);
        assert_eq!(world.ask(begin(2)).unwrap_err().code, "withdrawal_not_queued");
        // The bank pays the rest all the same, or takes back what it had paid.
        let mut late = world.clone();
        late.all([part("S2", "15")]);
        assert_eq!((late.status(), late.withdrawal.is_late()), (WithdrawalStatus::Completed, true));
        balances(&late, &[(WALLET, "500.00"), (OUT, "500.00")]);
        world.all([back(1, "R1", "485")]);
        assert_eq!(world.status(), WithdrawalStatus::Returned);
        balances(&world, &[(WALLET, "1000.00")]);
        assert_eq!(
            world.ask(back(1, "R2", "0.01")).unwrap_err().code,
            "return_exceeds_amount",
            "more than was paid"
        );
    }
}

#[test]
fn an_older_attempt_that_was_paid_after_all_takes_the_rest_and_the_customer_owes_what_lacks() {
    let mut world = requested();
    let refused = told(1, AttemptOutcome::RefusedRetryable);
    let bank_reference = "S1".parse().unwrap();
    let second = AttemptOutcome::PaidInPart { amount: inr("485"), bank_reference };
    world.all([begin(1), refused, begin(2), told(2, second), paid(1)]);
    assert_eq!(world.status(), WithdrawalStatus::Completed);
    // 985 went out: 500 of the request, and 485 of what the wallet had left.
    balances(&world, &[(WALLET, "5.00"), (IN_FLIGHT, "0.00"), (FEES, "0.00")]);
    assert_eq!(world.withdrawal.owed(), Decimal::ZERO);
}
