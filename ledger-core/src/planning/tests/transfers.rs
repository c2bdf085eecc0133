//! Transfers that wait, with their accounts and holds: the stories, and whatever may come.

use proptest::prelude::*;

use super::{
    world::{Happened, World},
    *,
};
use crate::{
    fee::Pricing,
    hold::HoldState,
    testing::transfer,
    transfer::{
        ClaimTransfer, DecideClaim, HoldTransfer, TransferOperation as Ask, TransferStatus,
        movement::total,
    },
};

const SENDER: &str = "wallet:a:INR";
const RECEIVER: &str = "wallet:c:INR";
const OTHER: &str = "wallet:d:INR";
const EXPIRY: i64 = 60;

/// A sender with this much, and receivers who are somebody else.
fn world(balance: &str) -> World {
    let mut world = World::with(balance);
    for (code, owner) in [(RECEIVER, "chitra"), (OTHER, "dev")] {
        let (account, owner) = (account(code), owner.parse().unwrap());
        let open = OpenAccount { account, owner, ..opening() };
        world.submit(Operation::OpenAccount(open)).unwrap();
    }
    world
}

fn holding(number: u128, amount: &str, fee: &str, tax: &str) -> Ask {
    Ask::Hold(HoldTransfer {
        transfer_id: transfer(number),
        account: account(SENDER),
        amount: inr(amount),
        fee: inr(fee),
        tax: inr(tax),
        pricing: Pricing::AsGiven,
        phone_hash: "0a".repeat(32).parse().unwrap(),
        expires_at: minute(EXPIRY),
        note: None,
    })
}

fn claim(number: u128, code: &str) -> Ask {
    Ask::Claim(ClaimTransfer {
        transfer_id: transfer(number),
        account: account(code),
        phone_hash: "0a".repeat(32).parse().unwrap(),
        review: None,
    })
}

fn ruled(number: u128) -> Ask {
    let Ask::Claim(claim) = claim(number, RECEIVER) else { panic!("a claim") };
    Ask::Claim(ClaimTransfer { review: "large".parse().ok(), ..claim })
}

fn decide(number: u128, approve: bool) -> Ask {
    Ask::DecideClaim(DecideClaim { transfer_id: transfer(number), approve, reason: None })
}

impl World {
    fn of_transfers(&mut self, ask: Ask) -> Result<Happened, Rejection> {
        let done = self.submit(Operation::from(ask));
        self.assert_held();
        done
    }

    /// What the sender's account says is held is what the open transfers are; each hold is open as
    /// long as its transfer, and ended as it did.
    #[track_caller]
    fn assert_held(&self) {
        let mut open = Decimal::ZERO;
        for (id, transfer) in &self.transfers {
            let (held, status) = transfer.properties().zip(transfer.status()).unwrap();
            let kept = self.hold(id.hold_id());
            assert_eq!(kept.amount(), total(held));
            let state = match status {
                TransferStatus::PendingClaim | TransferStatus::ClaimInReview => HoldState::Open,
                TransferStatus::Completed => HoldState::Captured,
                TransferStatus::Cancelled | TransferStatus::Expired => HoldState::Released,
            };
            assert_eq!(kept.state(), Some(state), "{id}");
            if !status.is_final() {
                open = open.saturating_add(total(held));
            }
        }
        let sender = self.accounts.get(&account(SENDER)).unwrap();
        assert_eq!(sender.held(), open);
        assert!(sender.available().is_some_and(|left| left >= Decimal::ZERO));
    }

    fn freeze_one(&mut self, code: &str, mode: FreezeMode) {
        let freeze = FreezeAccount {
            account: account(code),
            reference: "order".parse().unwrap(),
            mode,
            amount: None,
        };
        self.submit(Operation::Freeze(freeze)).unwrap();
    }
}

fn code_of(done: Result<Happened, Rejection>) -> String {
    done.expect_err("a refusal").code
}

#[test]
fn the_fee_is_fixed_when_it_is_sent_and_taken_when_it_is_claimed() {
    let mut world = world("300");
    world.of_transfers(holding(1, "250", "5", "0.76")).unwrap();
    assert_eq!(world.balance(SENDER), dec("300.00"));
    let done = world.of_transfers(claim(1, RECEIVER)).unwrap();
    assert_eq!((done.events, done.legs), (vec!["completed"], 4));
    assert_eq!(world.balance(SENDER), dec("45.00"));
    assert_eq!(world.balance(RECEIVER), dec("250.00"));
    assert_eq!(world.balance("income:fees:INR"), dec("4.24"));
    assert_eq!(world.balance("tax:gst_output:INR"), dec("0.76"));
}

#[test]
fn a_transfer_that_ends_otherwise_moves_nothing() {
    for (ask, at) in [(Ask::Cancel(transfer(1)), 0), (Ask::Expire(transfer(1)), EXPIRY)] {
        let mut world = world("300");
        world.of_transfers(holding(1, "250", "5", "0.76")).unwrap();
        assert_eq!(code_of(world.of_transfers(holding(2, "50", "0", "0"))), "insufficient_funds");
        world.minute = at;
        assert_eq!(world.of_transfers(ask).unwrap().legs, 0);
        assert_eq!(world.balance(SENDER), dec("300.00"));
        // It is spendable again.
        world.move_money(SENDER, "wallet:b:INR", "300").unwrap();
    }
}

#[test]
fn nobody_ends_the_hold_but_the_transfer() {
    let mut world = world("300");
    world.of_transfers(holding(1, "250", "0", "0")).unwrap();
    let hold_id = transfer(1).hold_id();
    let increase = IncreaseHold { hold_id, by: inr("1") };
    let capture = CaptureHold { hold_id, ..capturing(None, vec![to(RECEIVER, None)]) };
    for operation in [
        Operation::ReleaseHold { hold_id },
        Operation::ExpireHold { hold_id },
        Operation::IncreaseHold(increase),
        Operation::CaptureHold(capture),
    ] {
        assert_eq!(world.submit(operation).unwrap_err().code, "hold_of_object");
    }
    world.assert_held();
}

#[test]
fn accounts_that_cannot_stop_a_claim_or_make_it_wait() {
    let mut sender_frozen = world("300");
    sender_frozen.of_transfers(holding(1, "250", "0", "0")).unwrap();
    sender_frozen.freeze_one(SENDER, FreezeMode::Debit);
    assert_eq!(code_of(sender_frozen.of_transfers(claim(1, RECEIVER))), "sender_blocked");
    assert_eq!(code_of(sender_frozen.of_transfers(holding(2, "1", "0", "0"))), "account_frozen");
    // A frozen sender may still take it back.
    sender_frozen.of_transfers(Ask::Cancel(transfer(1))).unwrap();

    let mut frozen = world("300");
    frozen.of_transfers(holding(1, "250", "0", "0")).unwrap();
    frozen.freeze_one(RECEIVER, FreezeMode::Credit);
    let done = frozen.of_transfers(claim(1, RECEIVER)).unwrap();
    assert_eq!((done.events, done.legs), (vec!["claim_in_review"], 0));
    assert_eq!(code_of(frozen.of_transfers(decide(1, true))), "receiver_blocked");
    let reference = "order".parse().unwrap();
    frozen.submit(Operation::Unfreeze { account: account(RECEIVER), reference }).unwrap();
    frozen.of_transfers(claim(1, RECEIVER)).unwrap();
    assert_eq!(frozen.balance(RECEIVER), dec("250.00"));

    let mut full = world("300");
    full.of_transfers(holding(1, "250", "0", "0")).unwrap();
    let (floor, ceiling) = (Some(dec("0.00")), Some(dec("249.99")));
    let account = account(RECEIVER);
    full.submit(Operation::ChangeLimits(ChangeLimits { account, floor, ceiling })).unwrap();
    assert_eq!(full.of_transfers(claim(1, RECEIVER)).unwrap().events, ["claim_in_review"]);
    assert_eq!(full.of_transfers(claim(1, OTHER)).unwrap().events, ["completed"]);
    assert_eq!(full.balance(OTHER), dec("250.00"));
}

#[test]
fn refusals_before_any_aggregate_is_asked() {
    let mut world = world("300");
    let mut till = holding(1, "1", "0", "0");
    if let Ask::Hold(hold) = &mut till {
        hold.account = account("till:main:INR");
    }
    assert_eq!(code_of(world.of_transfers(till)), "not_transferable");
    let mut yen = holding(1, "1", "0", "0");
    if let Ask::Hold(hold) = &mut yen {
        hold.amount = Money::parse("1", currency("JPY")).unwrap();
    }
    assert_eq!(code_of(world.of_transfers(yen)), "currency_mismatch");
    world.of_transfers(holding(1, "1", "0", "0")).unwrap();
    assert_eq!(code_of(world.of_transfers(claim(1, "till:main:INR"))), "not_transferable");
    assert_eq!(code_of(world.of_transfers(claim(1, "wallet:nobody:INR"))), "account_not_found");
    assert_eq!(code_of(world.of_transfers(claim(1, "wallet:c:JPY"))), "currency_mismatch");
    // `wallet:b` is the sender's own.
    assert_eq!(code_of(world.of_transfers(claim(1, "wallet:b:INR"))), "self_claim");
    assert_eq!(code_of(world.of_transfers(claim(2, RECEIVER))), "transfer_not_found");
}

fn anything() -> impl Strategy<Value = (u128, u8, i64)> {
    (1..=3_u128, 0..9_u8, 0..25_i64)
}

proptest! {
    /// Whatever comes in whatever order: no money is made or lost, nothing is paid out twice, and
    /// each transfer ends at most once.
    #[test]
    fn whatever_comes_exactly_one_end_wins(story in prop::collection::vec(anything(), 1..40)) {
        let mut world = world("1000");
        let mut ends: BTreeMap<u128, &str> = BTreeMap::new();
        for (number, what, minutes) in story {
            world.minute = world.minute.saturating_add(minutes / 5);
            let ask = match what {
                0 | 1 => holding(number, "250", "5", "0.76"),
                2 => claim(number, RECEIVER),
                3 => claim(number, OTHER),
                4 => ruled(number),
                5 => decide(number, true),
                6 => decide(number, false),
                7 => Ask::Cancel(transfer(number)),
                _ => Ask::Expire(transfer(number)),
            };
            let Ok(done) = world.of_transfers(ask) else { continue };
            for event in done.events {
                if matches!(event, "completed" | "cancelled" | "expired") {
                    prop_assert!(ends.insert(number, event).is_none(), "{number} ended twice");
                }
            }
        }
        let paid = ends.values().filter(|end| **end == "completed").count();
        let paid = Decimal::from(u32::try_from(paid).unwrap());
        let of = |amount: &str| paid.checked_mul(dec(amount)).unwrap();
        let received = world.balance(RECEIVER).saturating_add(world.balance(OTHER));
        prop_assert_eq!(received, of("250.00"));
        prop_assert_eq!(world.balance(SENDER), dec("1000.00").saturating_sub(of("255.00")));
        prop_assert_eq!(world.balance("tax:gst_output:INR"), of("0.76"));
    }
}
