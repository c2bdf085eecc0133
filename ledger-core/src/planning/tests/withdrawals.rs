//! Withdrawals with their accounts: the stories, all orders of messages, and whatever may come.

use proptest::prelude::*;

mod parts;

use super::{
    world::{Happened, World},
    *,
};
use crate::{
    fee::Pricing,
    testing::withdrawal,
    withdrawal::{
        ApplyUnapplied, AttemptOutcome, AttemptState, BeginAttempt, CancelWithdrawal, DecideReview,
        FeeState, Funds, PayeeStanding, RecordOutcome, RecordReturn, RequestWithdrawal, Source,
        WithdrawalOperation as Ask, WithdrawalStatus,
    },
};

const WALLET: &str = "wallet:a:INR";
const RESERVED: &str = "withdrawals:reserved:INR";
const IN_FLIGHT: &str = "withdrawals:in_flight:INR";
const FEES: &str = "fees:held:INR";
const UNAPPLIED: &str = "returns:unapplied:INR";
const OWED: &str = "receivable:overpaid:a:INR";
const BANKS: [&str; 2] = ["hdfc", "axis"];

fn item() -> String {
    withdrawal(1).to_string()
}

fn request() -> RequestWithdrawal {
    RequestWithdrawal {
        withdrawal_id: withdrawal(1),
        transaction_id: txn(1),
        account: account(WALLET),
        amount: inr("500"),
        fee: inr("10"),
        tax: inr("1.53"),
        pricing: Pricing::AsGiven,
        bank_account: crate::ids::BankAccountId::from_uuid(uuid::Uuid::from_u128(1)),
        bank: "hdfc".parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: Some("0a".repeat(32).parse().unwrap()),
        payee: PayeeStanding::Unchecked,
        review: None,
        note: None,
    }
}

fn begin(attempt: u32) -> Ask {
    Ask::BeginAttempt(BeginAttempt {
        withdrawal_id: withdrawal(1),
        attempt,
        reference: format!("BH{attempt}").parse().unwrap(),
        bank: BANKS[usize::from(attempt == 2)].parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: request().payee_hash,
        transaction_id: txn(2),
    })
}

fn told(attempt: u32, outcome: AttemptOutcome) -> Ask {
    Ask::RecordOutcome(RecordOutcome {
        withdrawal_id: withdrawal(1),
        attempt,
        outcome,
        source: Source::Webhook,
        code: None,
        transaction_id: txn(3),
    })
}

fn paid(attempt: u32) -> Ask {
    let bank_reference = format!("UTR{attempt}").parse().unwrap();
    told(attempt, AttemptOutcome::Paid { amount: inr("500"), bank_reference })
}

fn back(attempt: u32, reference: &str, amount: &str) -> Ask {
    Ask::RecordReturn(RecordReturn {
        withdrawal_id: withdrawal(1),
        attempt,
        bank_reference: reference.parse().unwrap(),
        amount: inr(amount),
        source: Source::Statement,
        transaction_id: txn(4),
        applied_transaction_id: txn(5),
    })
}

fn cancel() -> Ask {
    Ask::Cancel(CancelWithdrawal { withdrawal_id: withdrawal(1), transaction_id: txn(6) })
}

fn apply() -> Ask {
    Ask::ApplyUnapplied(ApplyUnapplied { withdrawal_id: withdrawal(1), transaction_id: txn(7) })
}

fn review(approve: bool) -> Ask {
    let (withdrawal_id, transaction_id) = (withdrawal(1), txn(8));
    Ask::DecideReview(DecideReview { withdrawal_id, approve, reason: None, transaction_id })
}

impl World {
    fn ask(&mut self, ask: Ask) -> Result<Happened, Rejection> {
        let done = self.submit(Operation::from(ask));
        self.assert_in_one_place();
        done
    }

    #[track_caller]
    fn all(&mut self, asks: impl IntoIterator<Item = Ask>) {
        for ask in asks {
            self.ask(ask.clone()).unwrap_or_else(|r| panic!("{ask:?}: {r:?}"));
        }
    }

    fn frozen(&mut self, mode: FreezeMode) {
        let freeze = FreezeAccount {
            account: account(WALLET),
            reference: "order".parse().unwrap(),
            mode,
            amount: None,
        };
        self.submit(Operation::Freeze(freeze)).unwrap();
    }

    fn thawed(&mut self) {
        let (account, reference) = (account(WALLET), "order".parse().unwrap());
        self.submit(Operation::Unfreeze { account, reference }).unwrap();
    }

    /// The amount is in exactly one place, and every item is what the withdrawal says it is.
    #[track_caller]
    fn assert_in_one_place(&self) {
        let withdrawal = &self.withdrawal;
        let Some(requested) = withdrawal.properties() else { return };
        let (amount, fee) = (requested.amount, requested.fee);
        let at = |code: &str| self.item(code, &item());
        let left = withdrawal.left();
        let if_in = |funds| if withdrawal.funds() == funds { left } else { Decimal::ZERO };
        assert_eq!(at(RESERVED), if_in(Funds::Reserved));
        assert_eq!(at(IN_FLIGHT), if_in(Funds::InFlight));
        let held = withdrawal.fee_state() == FeeState::Held;
        assert_eq!(at(FEES), if held { fee } else { Decimal::ZERO });
        let earned = matches!(withdrawal.fee_state(), FeeState::Earned | FeeState::DueBack);
        let income: Decimal =
            ["income:fees:INR", "tax:gst_output:INR"].map(|code| self.balance(code)).iter().sum();
        assert_eq!(income, if earned { fee } else { Decimal::ZERO });
        assert_eq!(at(UNAPPLIED), withdrawal.unapplied());
        let clearing = |kind: &str| -> Decimal {
            BANKS.iter().map(|bank| at(&format!("bank:{bank}:{kind}:INR"))).sum()
        };
        let is_paid = |state: &AttemptState| matches!(state, AttemptState::Paid { .. });
        let count = withdrawal.attempts().iter().filter(|a| is_paid(&a.state)).count();
        let paid: Decimal = withdrawal.attempts().iter().map(|a| a.paid(amount)).sum();
        assert_eq!(clearing("clearing_out"), paid);
        assert_eq!(Decimal::ZERO.saturating_sub(clearing("clearing_in")), withdrawal.returned());
        assert_eq!(self.balance(OWED), withdrawal.owed());
        assert_eq!(count > 0, withdrawal.funds() == Funds::Out, "paid means gone");
        assert!(self.balance(WALLET) >= Decimal::ZERO);
    }

    fn status(&self) -> WithdrawalStatus {
        self.withdrawal.status().unwrap()
    }
}

fn requested() -> World {
    let mut world = World::with("1000");
    world.all([Ask::Request(request())]);
    world
}

/// What must stand on which account, on its normal side.
#[track_caller]
fn balances(world: &World, expected: &[(&str, &str)]) {
    for (code, balance) in expected {
        assert_eq!(world.balance(code), dec(balance), "{code}");
    }
}

#[test]
fn a_withdrawal_is_paid_and_its_fee_is_earned() {
    let mut world = requested();
    balances(&world, &[(WALLET, "490.00"), (RESERVED, "500.00"), (FEES, "10.00")]);
    world.all([begin(1)]);
    balances(&world, &[(RESERVED, "0.00"), (IN_FLIGHT, "500.00")]);
    world.all([paid(1)]);
    assert_eq!(world.status(), WithdrawalStatus::Completed);
    let earned = [("income:fees:INR", "8.47"), ("tax:gst_output:INR", "1.53"), (FEES, "0.00")];
    balances(&world, &earned);
    balances(&world, &[(WALLET, "490.00"), ("bank:hdfc:clearing_out:INR", "500.00")]);
}

#[test]
fn the_money_is_set_aside_by_the_request_so_it_cannot_be_spent_twice() {
    let mut world = World::with("509.99");
    let refused = world.ask(Ask::Request(request())).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.account),
        ("insufficient_funds", Some(account(WALLET)))
    );
    assert!(world.withdrawal.properties().is_none(), "nothing of it happened");
    let mut world = requested();
    assert_eq!(
        world.move_money(WALLET, "wallet:b:INR", "490.01").unwrap_err().code,
        "insufficient_funds"
    );
}

#[test]
fn what_is_cancelled_rejected_or_refused_is_given_back_with_its_fee() {
    let ends: [(&[Ask], WithdrawalStatus); 3] = [
        (&[cancel()], WithdrawalStatus::Cancelled),
        (&[begin(1), told(1, AttemptOutcome::RefusedFinal)], WithdrawalStatus::Failed),
        (
            &[begin(1), told(1, AttemptOutcome::RefusedRetryable), cancel()],
            WithdrawalStatus::Cancelled,
        ),
    ];
    for (asks, status) in ends {
        let mut world = requested();
        world.all(asks.to_vec());
        assert_eq!(world.status(), status);
        balances(&world, &[(WALLET, "1000.00"), (FEES, "0.00"), (IN_FLIGHT, "0.00")]);
    }
    let mut world = World::with("1000");
    let review_first = RequestWithdrawal { review: "new_payee".parse().ok(), ..request() };
    world.all([Ask::Request(review_first), review(false)]);
    assert_eq!(world.status(), WithdrawalStatus::Rejected);
    balances(&world, &[(WALLET, "1000.00"), (RESERVED, "0.00")]);
}

#[test]
fn a_refusal_that_may_be_retried_leads_to_another_attempt_by_another_bank() {
    let mut world = requested();
    world.all([begin(1), told(1, AttemptOutcome::RefusedRetryable)]);
    assert_eq!(world.status(), WithdrawalStatus::Queued);
    balances(&world, &[(RESERVED, "500.00"), (IN_FLIGHT, "0.00")]);
    world.all([begin(2), paid(2)]);
    assert_eq!(world.status(), WithdrawalStatus::Completed);
    assert!(!world.withdrawal.is_late());
    balances(&world, &[("bank:axis:clearing_out:INR", "500.00")]);
}

#[test]
fn what_comes_back_goes_to_the_wallet_with_the_fee() {
    let mut world = requested();
    world.all([begin(1), paid(1), back(1, "R1", "500")]);
    assert_eq!(world.status(), WithdrawalStatus::Returned);
    balances(&world, &[(WALLET, "1000.00"), (UNAPPLIED, "0.00"), ("income:fees:INR", "0.00")]);
    balances(&world, &[("bank:hdfc:clearing_in:INR", "500.00"), ("tax:gst_output:INR", "0.00")]);
}

#[test]
fn a_part_that_comes_back_is_credited_and_the_fee_with_the_first_part() {
    let mut world = requested();
    world.all([begin(1), paid(1), back(1, "R1", "200")]);
    assert_eq!(world.status(), WithdrawalStatus::Returned);
    balances(&world, &[(WALLET, "700.00"), ("income:fees:INR", "0.00")]);
    world.all([back(1, "R2", "300")]);
    balances(&world, &[(WALLET, "1000.00")]);
    assert_eq!(world.ask(back(1, "R3", "0.01")).unwrap_err().code, "return_exceeds_amount");
}

#[test]
fn a_wallet_that_is_frozen_gets_its_money_when_it_thaws() {
    let mut world = requested();
    world.frozen(FreezeMode::Credit);
    world.all([begin(1), told(1, AttemptOutcome::RefusedFinal)]);
    balances(&world, &[(WALLET, "490.00"), (UNAPPLIED, "510.00")]);
    assert_eq!(world.ask(apply()).unwrap_err().code, "wallet_blocked");
    world.thawed();
    world.all([apply()]);
    balances(&world, &[(WALLET, "1000.00"), (UNAPPLIED, "0.00")]);

    let mut world = requested();
    world.frozen(FreezeMode::Both);
    world.all([begin(1), paid(1), back(1, "R1", "500")]);
    balances(&world, &[(UNAPPLIED, "500.00"), ("income:fees:INR", "8.47")]);
    world.thawed();
    world.all([apply()]);
    balances(&world, &[(WALLET, "1000.00"), ("income:fees:INR", "0.00")]);
}

#[test]
fn a_bank_that_paid_after_saying_no_is_paid_by_the_wallet_and_what_it_lacks_is_owed() {
    let failed = || {
        let mut world = requested();
        world.all([begin(1), told(1, AttemptOutcome::RefusedFinal)]);
        world
    };
    let mut world = failed();
    world.all([paid(1)]);
    assert_eq!((world.status(), world.withdrawal.is_late()), (WithdrawalStatus::Completed, true));
    balances(&world, &[(WALLET, "500.00"), (OWED, "0.00"), ("income:fees:INR", "0.00")]);

    let mut world = failed();
    world.move_money(WALLET, "wallet:b:INR", "900").unwrap();
    world.all([paid(1)]);
    balances(&world, &[(WALLET, "0.00"), (OWED, "400.00")]);
    balances(&world, &[("bank:hdfc:clearing_out:INR", "500.00")]);
    // What then comes back pays the debt first.
    world.all([back(1, "R1", "500")]);
    balances(&world, &[(WALLET, "100.00"), (OWED, "0.00")]);

    let mut world = requested();
    world.frozen(FreezeMode::Both);
    world.all([begin(1), told(1, AttemptOutcome::RefusedFinal), paid(1)]);
    // What had been given back and was not on the wallet yet; the fee stays there.
    balances(&world, &[(UNAPPLIED, "10.00"), (WALLET, "490.00"), (OWED, "0.00")]);
}

#[test]
fn an_older_attempt_that_was_paid_after_all_is_never_dropped() {
    // While it waits for the next one: the money is there.
    let mut world = requested();
    world.all([begin(1), told(1, AttemptOutcome::RefusedRetryable), paid(1)]);
    assert_eq!((world.status(), world.withdrawal.is_late()), (WithdrawalStatus::Completed, true));
    balances(&world, &[(RESERVED, "0.00"), ("bank:hdfc:clearing_out:INR", "500.00")]);
    assert_eq!(world.ask(begin(2)).unwrap_err().code, "withdrawal_not_queued");

    // While the next one is on its way: that one can only be an overpayment now.
    let mut world = requested();
    world.all([begin(1), told(1, AttemptOutcome::RefusedRetryable), begin(2), paid(1)]);
    balances(&world, &[(IN_FLIGHT, "0.00"), ("bank:hdfc:clearing_out:INR", "500.00")]);
    let mut refused = world.clone();
    refused.all([told(2, AttemptOutcome::RefusedFinal)]);
    assert_eq!(refused.status(), WithdrawalStatus::Completed);
    balances(&refused, &[(WALLET, "490.00")]);
    world.all([paid(2)]);
    balances(&world, &[(WALLET, "0.00"), (OWED, "10.00")]);
    balances(&world, &[("bank:axis:clearing_out:INR", "500.00")]);
    // One of the two comes back: the payee still has one.
    world.all([back(2, "R1", "500")]);
    assert_eq!(world.status(), WithdrawalStatus::Completed);
    balances(&world, &[(WALLET, "490.00"), (OWED, "0.00"), ("income:fees:INR", "8.47")]);
}

#[test]
fn a_free_withdrawal_has_no_legs_of_a_fee() {
    let mut world = World::with("500");
    let free = RequestWithdrawal { fee: inr("0"), tax: inr("0"), ..request() };
    assert_eq!(world.ask(Ask::Request(free)).unwrap().legs, 2);
    world.all([begin(1), paid(1), back(1, "R1", "500")]);
    balances(&world, &[(WALLET, "500.00")]);
}

#[test]
fn only_wallets_and_what_shops_can_dispose_of_are_withdrawn_from() {
    for code in ["till:main:INR", "merchant:m:unsettled:INR", "income:fees:INR"] {
        let mut world = World::with("1000");
        let asked = RequestWithdrawal { account: account(code), ..request() };
        assert_eq!(world.ask(Ask::Request(asked)).unwrap_err().code, "not_withdrawable");
    }
    let long = format!("wallet:{}:INR", "a".repeat(80));
    let asked = RequestWithdrawal { account: account(&long), ..request() };
    let refused = World::with("1000").ask(Ask::Request(asked)).unwrap_err();
    assert_eq!(refused.code, "not_withdrawable", "no room for a receivable beside it");
    let asked = RequestWithdrawal { account: account("wallet:nobody:INR"), ..request() };
    let refused = World::with("1000").ask(Ask::Request(asked)).unwrap_err();
    assert_eq!(refused.code, "account_not_found");
    let dollars = Money::parse("1", currency("USD")).unwrap();
    let asked = RequestWithdrawal { fee: dollars, ..request() };
    let refused = World::with("1000").ask(Ask::Request(asked)).unwrap_err();
    assert_eq!(refused.code, "currency_mismatch");
}

#[test]
fn money_goes_to_a_checked_bank_account_of_the_same_owner_only() {
    let known =
        |owner: &str, verified| PayeeStanding::Known { owner: owner.parse().unwrap(), verified };
    let mut world = World::with("1000");
    for (payee, code) in [
        (PayeeStanding::Unknown, "bank_account_not_found"),
        (known("ravi", true), "bank_account_not_found"),
        (known("ravi", false), "bank_account_not_found"),
        (known("asha", false), "bank_account_unverified"),
    ] {
        let refused = world.ask(Ask::Request(RequestWithdrawal { payee, ..request() }));
        assert_eq!(refused.unwrap_err().code, code);
    }
    let payee = known("asha", true);
    assert!(world.ask(Ask::Request(RequestWithdrawal { payee, ..request() })).is_ok());
}

#[test]
fn the_machine_opens_its_own_accounts_and_names_their_owners() {
    let mut world = requested();
    world.all([begin(1), told(1, AttemptOutcome::RefusedFinal)]);
    world.move_money(WALLET, "wallet:b:INR", "900").unwrap();
    world.all([paid(1)]);
    let owner = |code: &str| world.accounts[&account(code)].properties().unwrap().owner.clone();
    assert_eq!(owner(OWED).as_str(), "asha");
    assert_eq!(owner("bank:hdfc:clearing_out:INR").as_str(), "bahi");
}

/// Every order of these.
fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

#[test]
fn all_orders_of_messages_that_tell_the_same_truth_end_alike() {
    let truths =
        [paid(1), told(1, AttemptOutcome::RefusedFinal), told(1, AttemptOutcome::RefusedRetryable)];
    let vague = [AttemptOutcome::Unknown, AttemptOutcome::NeedsAttention];
    let mut orders = 0;
    for truth in truths {
        let mut ends: Vec<(Withdrawal, _, _)> = Vec::new();
        for submit in [told(1, AttemptOutcome::Unknown), truth.clone()] {
            for enquiry in vague.iter().map(|v| told(1, v.clone())).chain([truth.clone()]) {
                let messages = [submit.clone(), truth.clone(), truth.clone(), enquiry];
                for order in permutations(&messages) {
                    let mut world = requested();
                    world.all([begin(1)]);
                    world.all(order);
                    let World { withdrawal, items, .. } = &world;
                    ends.push((withdrawal.clone(), items.clone(), world.balance(WALLET)));
                    orders += 1;
                }
            }
        }
        ends.dedup();
        assert_eq!(ends.len(), 1, "{truth:?}");
    }
    assert_eq!(orders, 3 * 2 * 3 * 24);
}

fn ask() -> impl Strategy<Value = Ask> {
    let attempt = 1_u32..=3;
    let outcome = prop_oneof![
        4 => (1_u8..=2, prop::bool::weighted(0.9)).prop_map(|(utr, whole)| AttemptOutcome::Paid {
            amount: inr(if whole { "500" } else { "499.99" }),
            bank_reference: format!("UTR{utr}").parse().unwrap(),
        }),
        3 => (1_u8..=3, 0_usize..4).prop_map(|(line, amount)| AttemptOutcome::PaidInPart {
            amount: inr(["485", "15", "200", "500"][amount]),
            bank_reference: format!("S{line}").parse().unwrap(),
        }),
        3 => Just(AttemptOutcome::RefusedRetryable),
        2 => Just(AttemptOutcome::RefusedFinal),
        2 => Just(AttemptOutcome::Unknown),
        1 => Just(AttemptOutcome::NeedsAttention),
    ];
    let amounts = prop_oneof![Just("500"), Just("200"), Just("0.01")];
    prop_oneof![
        1 => Just(cancel()),
        1 => any::<bool>().prop_map(review),
        5 => attempt.clone().prop_map(begin),
        9 => (attempt.clone(), outcome).prop_map(|(attempt, outcome)| told(attempt, outcome)),
        5 => (attempt, prop_oneof![Just("R1"), Just("R2"), Just("R3")], amounts)
            .prop_map(|(attempt, credit, amount)| back(attempt, credit, amount)),
        2 => Just(apply()),
    ]
}

/// What else may happen to the wallet meanwhile.
fn shake(world: &mut World, number: u8) {
    let frozen = world.accounts[&account(WALLET)].room() == Some(Decimal::ZERO)
        || world.accounts[&account(WALLET)].spendable() == Some(Decimal::ZERO);
    match number {
        0 => drop(world.move_money(WALLET, "wallet:b:INR", "400")),
        1 => drop(world.move_money("wallet:b:INR", WALLET, "50")),
        2 | 3 if !frozen => {
            world.frozen(if number == 2 { FreezeMode::Credit } else { FreezeMode::Both });
        }
        4 => {
            let (account, reference) = (account(WALLET), "order".parse().unwrap());
            drop(world.submit(Operation::Unfreeze { account, reference }));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn whatever_comes_every_append_balances_and_the_amount_is_in_one_place(
        under_review in any::<bool>(),
        asks in prop::collection::vec((ask(), 0_u8..12), 1..40),
    ) {
        let mut world = World::with("1000");
        let rule = under_review.then(|| "new_payee".parse().unwrap());
        world.all([Ask::Request(RequestWithdrawal { review: rule, ..request() })]);
        for (ask, number) in asks {
            let before = world.clone();
            if world.ask(ask.clone()).is_ok() {
                // The same again moves nothing: it is known, or refused.
                let once = world.clone();
                if let Ok(again) = world.ask(ask) {
                    prop_assert_eq!(again, Happened::default());
                }
                prop_assert_eq!(&world.withdrawal, &once.withdrawal);
                prop_assert_eq!(&world.accounts, &once.accounts);
            } else {
                prop_assert_eq!(&world.withdrawal, &before.withdrawal);
            }
            shake(&mut world, number);
            world.assert_in_one_place();
        }
    }
}
