//! Deposits with their accounts: the stories, all orders of messages, and whatever may come.

use proptest::prelude::*;

use super::{
    world::{Happened, World},
    *,
};
use crate::{
    deposit::{
        BeginDeposit, CancelDeposit, ConfirmCredit, CreditClaim, CreditPlace, DecideDepositReview,
        DepositOperation as Ask, DepositStatus, ExpireDeposit, RecordDeclined, RecordReceived,
        SettleCredit,
        credit::{id_of, item_of},
    },
    testing::deposit,
    withdrawal::Source,
};

pub(super) const WALLET: &str = "wallet:a:INR";
pub(super) const CLEARING: &str = "bank:hdfc:clearing_in:INR";
pub(super) const ESCROW: &str = "bank:hdfc:escrow:INR";
pub(super) const SUSPENSE: &str = "suspense:credits:INR";

fn begin() -> Ask {
    Ask::Begin(BeginDeposit {
        deposit_id: deposit(1),
        account: account(WALLET),
        amount: inr("500"),
        bank: "hdfc".parse().unwrap(),
        expires_at: minute(30),
        payer_hash: Some("0a".repeat(32).parse().unwrap()),
    })
}

pub(super) fn claim(number: u8, amount: &str) -> CreditClaim {
    CreditClaim {
        bank: "hdfc".parse().unwrap(),
        bank_transaction_id: format!("S{number}").parse().unwrap(),
        credit_id: format!("crd_{number}").parse().ok(),
        utr: None,
        value_date: day(),
        amount: inr(amount),
        source: Source::Enquiry,
        payer_hash: "0a".repeat(32).parse().ok(),
        review: None,
        unsolicited_to: None,
    }
}

fn stranger(number: u8, amount: &str) -> CreditClaim {
    CreditClaim { payer_hash: "0b".repeat(32).parse().ok(), ..claim(number, amount) }
}

fn received(claim: CreditClaim) -> Ask {
    let claim = CreditClaim { source: Source::Webhook, ..claim };
    Ask::RecordReceived(RecordReceived { deposit_id: deposit(1), claim })
}

pub(super) fn confirmed(claim: CreditClaim) -> Ask {
    let (deposit_id, transaction_id) = (deposit(1), txn(1));
    Ask::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id })
}

fn net_of(charges: &str, tax: &str, claim: CreditClaim) -> Ask {
    Ask::SettleCredit(SettleCredit {
        deposit_id: deposit(1),
        claim: CreditClaim { credit_id: None, source: Source::Statement, ..claim },
        booking_date: day(),
        charges: inr(charges),
        tax: inr(tax),
        confirmed_transaction_id: txn(2),
        transaction_id: txn(3),
    })
}

pub(super) fn settled(claim: CreditClaim) -> Ask {
    net_of("0", "0", claim)
}

fn decide(number: u32, to: Option<&str>) -> Ask {
    Ask::DecideReview(DecideDepositReview {
        deposit_id: deposit(1),
        number,
        assign_to: to.map(account),
        reason: None,
        transaction_id: txn(4),
    })
}

fn cancel() -> Ask {
    Ask::Cancel(CancelDeposit { deposit_id: deposit(1) })
}

fn expire() -> Ask {
    Ask::Expire(ExpireDeposit { deposit_id: deposit(1) })
}

fn declined() -> Ask {
    let deposit_id = deposit(1);
    Ask::RecordDeclined(RecordDeclined { deposit_id, source: Source::Webhook, code: None })
}

impl World {
    pub(super) fn go(&mut self, ask: Ask) -> Result<Happened, Rejection> {
        let done = self.submit(Operation::from(ask));
        self.assert_items();
        done
    }

    #[track_caller]
    pub(super) fn each(&mut self, asks: impl IntoIterator<Item = Ask>) {
        for ask in asks {
            self.go(ask.clone()).unwrap_or_else(|r| panic!("{ask:?}: {r:?}"));
        }
    }

    /// Every item is what the deposits say it is, and the accounts are the sums of their items.
    #[track_caller]
    pub(super) fn assert_items(&self) {
        let (mut clearing, mut escrow, mut aside) = (Vec::new(), Vec::new(), Vec::new());
        for (id, deposit) in &self.deposits {
            for (number, known) in (1_u32..).zip(deposit.credits()) {
                let item = item_of(*id, number).unwrap();
                let amount = known.credit.amount;
                let if_so = |so: bool| if so { amount } else { Decimal::ZERO };
                let open = if_so(known.is_booked() && !known.settled);
                assert_eq!(self.item(CLEARING, item.as_str()), Decimal::ZERO.saturating_sub(open));
                assert_eq!(self.item(SUSPENSE, item.as_str()), if_so(known.is_aside()));
                clearing.push(open);
                // A lump that was divided is what its parts are.
                let divided = known.place == CreditPlace::Divided;
                escrow.push(if_so(known.settled && !divided));
                aside.push(if_so(known.is_aside()));
            }
        }
        // What the bank kept for itself came with the credits, too.
        let escrows = [ESCROW, "expense:bank_charges:INR", "tax:gst_input:INR"];
        for (codes, credits) in
            [(&[CLEARING][..], clearing), (&escrows[..], escrow), (&[SUSPENSE][..], aside)]
        {
            let balance: Decimal = codes.iter().map(|code| self.balance(code)).sum();
            assert_eq!(balance, credits.iter().sum::<Decimal>(), "{codes:?}");
        }
    }

    #[track_caller]
    pub(super) fn stands(&self, wallet: &str, status: DepositStatus) {
        assert_eq!(self.balance(WALLET), dec(wallet));
        assert_eq!(self.deposits[&deposit(1)].status(), Some(status));
    }
}

pub(super) fn begun() -> World {
    let mut world = World::with("100");
    world.each([begin()]);
    world
}

#[test]
fn a_webhook_is_no_money_an_enquiry_is_and_the_statement_settles_it() {
    let mut world = begun();
    world.each([received(claim(1, "500"))]);
    world.stands("100", DepositStatus::Received);
    world.each([confirmed(claim(1, "500"))]);
    world.stands("600", DepositStatus::Completed);
    assert_eq!((world.balance(CLEARING), world.balance(ESCROW)), (dec("500"), dec("0")));
    world.each([settled(claim(1, "500"))]);
    world.stands("600", DepositStatus::Settled);
    assert_eq!((world.balance(CLEARING), world.balance(ESCROW)), (dec("0"), dec("500")));
    let again = [received(claim(1, "500")), confirmed(claim(1, "500")), settled(claim(1, "500"))];
    for ask in again {
        assert_eq!(world.go(ask), Ok(Happened::default()));
    }
}

#[test]
fn the_statement_first_books_both_in_one_append() {
    let mut world = begun();
    let done = world.go(settled(claim(1, "500"))).unwrap();
    assert_eq!((done.events, done.legs), (vec!["credited", "settled", "booked"], 4));
    world.stands("600", DepositStatus::Settled);
}

#[test]
fn what_arrived_is_credited_and_never_what_was_asked() {
    for amount in ["501", "499", "0.01"] {
        let mut world = begun();
        world.each([confirmed(claim(1, amount))]);
        assert_eq!(world.balance(WALLET), dec("100") + dec(amount));
    }
    let mut world = begun();
    world.each([confirmed(claim(1, "500")), confirmed(claim(2, "500")), settled(claim(2, "500"))]);
    world.stands("1100", DepositStatus::Completed);
    let open: Vec<_> = world.items.keys().filter(|(code, _)| code == CLEARING).collect();
    assert_eq!(open.len(), 1, "the second credit's item is closed, the first one's is not");
    assert!(open[0].1.ends_with(".1"), "{open:?}");
}

#[test]
fn what_the_bank_keeps_is_an_expense_and_the_customer_gets_the_whole() {
    let mut world = begun();
    world.each([confirmed(claim(1, "500")), net_of("5.00", "0.90", claim(1, "500"))]);
    world.stands("600", DepositStatus::Settled);
    let codes = [ESCROW, "expense:bank_charges:INR", "tax:gst_input:INR"];
    assert_eq!(codes.map(|code| world.balance(code)), ["494.10", "5.00", "0.90"].map(dec));
    let refused = begun().go(net_of("500", "0", claim(1, "500"))).unwrap_err();
    assert_eq!(refused.code, "charges_invalid");
}

#[test]
fn the_same_credit_with_another_amount_is_refused_and_nothing_is_booked() {
    let mut world = begun();
    world.each([confirmed(claim(1, "500"))]);
    for ask in [received(claim(1, "501")), confirmed(claim(1, "501")), settled(claim(1, "499"))] {
        assert_eq!(world.go(ask).unwrap_err().code, "credit_differs");
    }
    world.stands("600", DepositStatus::Completed);
}

#[test]
fn a_strangers_money_waits_in_suspense_for_a_person() {
    let mut world = begun();
    world.each([confirmed(stranger(1, "500"))]);
    world.stands("100", DepositStatus::InReview);
    assert_eq!(world.balance(SUSPENSE), dec("500"));
    world.each([settled(stranger(1, "500"))]);
    let mut back = world.clone();
    back.each([decide(1, None)]);
    back.stands("100", DepositStatus::ToReturn);
    world.each([decide(1, Some(WALLET))]);
    world.stands("600", DepositStatus::Settled);
    assert_eq!(world.balance(SUSPENSE), dec("0"));
    let mut other = begun();
    other.each([confirmed(stranger(1, "500"))]);
    for (to, code) in [
        ("wallet:nobody:INR", "account_not_found"),
        ("wallet:a:JPY", "account_not_found"),
        ("till:main:INR", "not_depositable"),
    ] {
        assert_eq!(other.go(decide(1, Some(to))).unwrap_err().code, code);
    }
}

#[test]
fn a_wallet_that_cannot_take_it_never_refuses_what_a_bank_already_sent() {
    let freeze = FreezeAccount {
        account: account(WALLET),
        reference: "order".parse().unwrap(),
        mode: FreezeMode::Both,
        amount: None,
    };
    let ceiling = crate::command::ChangeLimits {
        account: account(WALLET),
        floor: Some(dec("0.00")),
        ceiling: Some(dec("599.99")),
    };
    for stop in [Operation::Freeze(freeze), Operation::ChangeLimits(ceiling)] {
        let mut world = begun();
        world.submit(stop).unwrap();
        world.each([confirmed(claim(1, "500"))]);
        world.stands("100", DepositStatus::InReview);
        assert_eq!(world.go(decide(1, Some(WALLET))).unwrap_err().code, "wallet_blocked");
    }
}

#[test]
fn money_that_nobody_asked_for_goes_to_the_wallet_of_its_virtual_account_or_to_suspense() {
    let ask = |to: Option<&str>, amount| {
        let claim = CreditClaim { unsolicited_to: to.map(account), ..claim(7, amount) };
        let deposit_id = id_of(&claim.bank, &claim.bank_transaction_id);
        Ask::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id: txn(1) })
    };
    for (to, wallet, aside) in [
        (Some(WALLET), "600", "0"),
        (None, "100", "500"),
        // Its wallet was never opened.
        (Some("wallet:nobody:INR"), "100", "500"),
    ] {
        let mut world = World::with("100");
        world.each([ask(to, "500"), ask(to, "500")]);
        assert_eq!((world.balance(WALLET), world.balance(SUSPENSE)), (dec(wallet), dec(aside)));
        assert_eq!(world.go(ask(to, "499")).unwrap_err().code, "credit_differs");
    }
    let mut world = World::with("100");
    let refused = world.go(ask(Some("wallet:a:JPY"), "500")).unwrap_err();
    assert_eq!(refused.code, "currency_mismatch");
    assert_eq!(world.go(ask(Some("till:main:INR"), "500")).unwrap_err().code, "not_depositable");
    assert_eq!(world.go(confirmed(claim(1, "500"))).unwrap_err().code, "deposit_not_found");
}

#[test]
fn only_wallets_that_exist_can_be_paid_in_to() {
    let Ask::Begin(asked) = begin() else { panic!("an intent") };
    let dollars = Money::parse("1", currency("USD")).unwrap();
    let refused = [
        (BeginDeposit { account: account("till:main:INR"), ..asked.clone() }, "not_depositable"),
        (BeginDeposit { account: account("wallet:n:INR"), ..asked.clone() }, "account_not_found"),
        (BeginDeposit { amount: dollars, ..asked.clone() }, "currency_unknown"),
        (BeginDeposit { amount: inr("0"), ..asked.clone() }, "amount_not_positive"),
        (BeginDeposit { expires_at: minute(0), ..asked }, "deposit_expiry_past"),
    ];
    for (asked, code) in refused {
        assert_eq!(World::with("100").go(Ask::Begin(asked)).unwrap_err().code, code);
    }
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
fn all_orders_of_messages_end_in_the_same_balances_and_state() {
    let one = || claim(1, "500");
    let told = [
        received(one()),
        received(one()),
        confirmed(one()),
        settled(one()),
        declined(),
        expire(),
        cancel(),
    ];
    let liar = [received(claim(1, "501")), confirmed(one()), settled(one()), settled(one())];
    for messages in [&told[..], &liar[..]] {
        for order in permutations(messages) {
            let mut world = begun();
            world.minute = 30;
            for ask in order {
                // Too late to be given up, or contradicting: refused, and nothing follows.
                let before = world.clone();
                if let Err(refused) = world.go(ask) {
                    assert!(
                        ["deposit_not_cancellable", "credit_differs"]
                            .contains(&refused.code.as_str()),
                        "{refused:?}"
                    );
                    assert_eq!(world.deposits, before.deposits);
                }
            }
            world.stands("600", DepositStatus::Settled);
            assert_eq!((world.balance(ESCROW), world.balance(CLEARING)), (dec("500"), dec("0")));
        }
    }
}

fn ask() -> impl Strategy<Value = Ask> {
    let amounts = prop_oneof![6 => Just("500"), 2 => Just("0.01"), 1 => Just("501")];
    let claims = (1_u8..=3, amounts, prop::bool::weighted(0.2));
    let claims =
        claims.prop_map(
            |(number, amount, by_stranger)| {
                if by_stranger { stranger(number, amount) } else { claim(number, amount) }
            },
        );
    let wallets = prop_oneof![Just(None), Just(Some(WALLET)), Just(Some("wallet:b:INR"))];
    prop_oneof![
        3 => claims.clone().prop_map(received),
        4 => claims.clone().prop_map(confirmed),
        3 => claims.clone().prop_map(settled),
        1 => claims.prop_map(|claim| net_of("0.00", "0.00", claim)),
        2 => (1_u32..=4, wallets).prop_map(|(number, to)| decide(number, to)),
        1 => Just(cancel()),
        1 => Just(expire()),
        1 => Just(declined()),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_every_append_balances_and_every_item_is_its_credit(
        asks in prop::collection::vec((ask(), 0_u8..10), 1..40),
    ) {
        let mut world = begun();
        world.minute = 31;
        for (ask, number) in asks {
            let before = world.clone();
            if world.go(ask.clone()).is_ok() {
                // The same again moves nothing: it is known, or refused.
                let once = world.clone();
                if let Ok(again) = world.go(ask) {
                    prop_assert_eq!(again, Happened::default());
                }
                prop_assert_eq!(&world.deposits, &once.deposits);
                prop_assert_eq!(&world.accounts, &once.accounts);
            } else {
                prop_assert_eq!(&world.deposits, &before.deposits);
            }
            let (account, reference) = (account(WALLET), "order".parse().unwrap());
            match number {
                0 => {
                    let (mode, amount) = (FreezeMode::Both, None);
                    let freeze = FreezeAccount { account, reference, mode, amount };
                    drop(world.submit(Operation::Freeze(freeze)));
                }
                1 => drop(world.submit(Operation::Unfreeze { account, reference })),
                _ => {}
            }
            world.assert_items();
        }
    }
}
