//! Payments with their accounts: the stories, and whatever may come.

use proptest::prelude::*;

use super::{
    world::{Happened, World},
    *,
};
use crate::{
    payment::{
        DecideDispute, DisputeWinner, OpenDispute, PayMerchant, PaymentOperation as Ask,
        RefundPayment, RefundStatus, RetryRefund, Settle,
    },
    payment_request::{CreatePaymentRequest, PaymentRequestOperation},
    testing::{payment, refund, request, settlement, terms},
};

const PAYER: &str = "wallet:a:INR";
const UNSETTLED: &str = "merchant:tea:unsettled:INR";
const AVAILABLE: &str = "merchant:tea:available:INR";
const OWED: &str = "receivable:merchant:tea:INR";

/// A payer with this much, and a shop.
fn world(balance: &str) -> World {
    let mut world = World::with(balance);
    for code in [UNSETTLED, AVAILABLE] {
        let (account, owner) = (account(code), "tea".parse().unwrap());
        let open = OpenAccount { account, owner, ..opening() };
        world.submit(Operation::OpenAccount(open)).unwrap();
    }
    world
}

fn pay(number: u128, amount: &str) -> PayMerchant {
    PayMerchant {
        payment_id: payment(number),
        payer: account(PAYER),
        merchant: "tea".parse().unwrap(),
        amount: inr(amount),
        terms: terms(),
        request: None,
        settles_on: day(),
        order: None,
        store: None,
        terminal: None,
    }
}

fn give_back(number: u128, of: u128, amount: &str, receivable_limit: &str) -> Ask {
    Ask::Refund(RefundPayment {
        payment_id: payment(of),
        refund_id: refund(number),
        amount: inr(amount),
        reason: None,
        receivable_limit: dec(receivable_limit),
    })
}

fn retry(number: u128, of: u128) -> Ask {
    let receivable_limit = Decimal::ZERO;
    Ask::RetryRefund(RetryRefund {
        payment_id: payment(of),
        refund_id: refund(number),
        receivable_limit,
    })
}

fn dispute(of: u128, amount: &str) -> Ask {
    Ask::OpenDispute(OpenDispute {
        payment_id: payment(of),
        amount: inr(amount),
        reason: None,
        transaction_id: txn(1_000_u128.saturating_add(of)),
    })
}

fn decide(of: u128, won_by: DisputeWinner) -> Ask {
    Ask::DecideDispute(DecideDispute {
        payment_id: payment(of),
        won_by,
        reason: None,
        transaction_id: txn(2_000_u128.saturating_add(of)),
    })
}

fn settle(number: u128, payments: &[u128]) -> Operation {
    Operation::from(Settle {
        settlement_id: settlement(number),
        merchant: "tea".parse().unwrap(),
        currency: currency("INR").code,
        day: day(),
        payments: payments.iter().map(|number| payment(*number)).collect(),
    })
}

fn asking(number: u128, single_use: bool) -> CreatePaymentRequest {
    CreatePaymentRequest {
        request_id: request(number),
        merchant: "tea".parse().unwrap(),
        currency: currency("INR").code,
        amount: Some(inr("100")),
        order: "order-7".parse().ok(),
        store: "mg-road".parse().ok(),
        terminal: None,
        single_use,
        expires_at: Some(minute(60)),
        description: Some("Tea for two".to_owned()),
    }
}

impl World {
    fn of_payments(&mut self, ask: Ask) -> Result<Happened, Rejection> {
        let done = self.submit(Operation::from(ask));
        self.assert_shop();
        done
    }

    /// What is not settled of all payments is what the shop's account says; and no payment gave
    /// away more than it was.
    #[track_caller]
    fn assert_shop(&self) {
        let unsettled = self.payments.values().map(Payment::unsettled);
        let unsettled = unsettled.fold(Decimal::ZERO, Decimal::saturating_add);
        assert_eq!(self.balance(UNSETTLED), unsettled);
        assert!(self.payments.values().all(|payment| payment.left() >= Decimal::ZERO));
        for code in [PAYER, UNSETTLED, AVAILABLE, OWED] {
            assert!(self.balance(code) >= Decimal::ZERO, "{code}");
        }
        // What is lent to payers is what is held of shops, item by item.
        for (account, item) in self.items.keys().filter(|(code, _)| code.contains("disputes")) {
            let both = ["held", "provisional"].map(|kind| {
                let code = format!("disputes:{kind}:INR");
                self.item(&code, item)
            });
            assert_eq!(both[0].saturating_add(both[1]), Decimal::ZERO, "{account} {item}");
        }
    }

    fn told(&self) -> [String; 4] {
        [PAYER, UNSETTLED, AVAILABLE, OWED].map(|code| {
            let mut balance = self.balance(code);
            balance.rescale(2);
            balance.to_string()
        })
    }
}

fn code_of(done: Result<Happened, Rejection>) -> String {
    done.expect_err("a refusal").code
}

#[test]
fn a_payment_its_settlement_and_its_refund() {
    let mut world = world("2000");
    let done = world.of_payments(Ask::Pay(pay(1, "1000"))).unwrap();
    assert_eq!((done.events, done.legs), (vec!["completed"], 4));
    assert_eq!(world.told(), ["1000.00", "980.00", "0.00", "0.00"]);
    assert_eq!(world.balance("income:mdr:INR"), dec("16.95"));
    assert_eq!(world.balance("tax:gst_output:INR"), dec("3.05"));
    // A part of what is not settled, then the rest is settled.
    assert_eq!(world.of_payments(give_back(1, 1, "100", "0")).unwrap().legs, 2);
    assert_eq!(world.submit(settle(1, &[1])).unwrap().legs, 2);
    assert_eq!(world.told(), ["1100.00", "0.00", "880.00", "0.00"]);
    // Again: nothing. By another settlement: refused.
    assert_eq!(world.submit(settle(1, &[1])).unwrap(), Happened::default());
    assert_eq!(world.submit(settle(2, &[1])).unwrap_err().code, "payment_settled");
    world.of_payments(give_back(2, 1, "880", "0")).unwrap();
    assert_eq!(world.told(), ["1980.00", "0.00", "0.00", "0.00"]);
    // The fee is ours: what is missing the shop has to bring.
    assert_eq!(world.of_payments(give_back(3, 1, "20", "0")).unwrap().legs, 0);
    assert_eq!(
        world.of_payments(give_back(4, 1, "0.01", "100")).unwrap_err().code,
        "refund_exceeds_payment"
    );
    assert_eq!(world.of_payments(retry(3, 1)).unwrap(), Happened::default());
    world.of_payments(Ask::Pay(pay(2, "500"))).unwrap();
    // Not settled yet, and another payment's: the refund still waits.
    assert_eq!(world.of_payments(retry(3, 1)).unwrap(), Happened::default());
    world.submit(settle(3, &[2])).unwrap();
    assert_eq!(world.of_payments(retry(3, 1)).unwrap().events, ["refund_completed"]);
    assert_eq!(world.told(), ["1500.00", "0.00", "470.00", "0.00"]);
}

#[test]
fn what_a_shop_owes_the_next_settlement_repays() {
    let mut world = world("2000");
    world.of_payments(Ask::Pay(pay(1, "1000"))).unwrap();
    assert_eq!(world.of_payments(give_back(1, 1, "1000", "20")).unwrap().legs, 3);
    assert_eq!(world.told(), ["2000.00", "0.00", "0.00", "20.00"]);
    let owner = world.accounts[&account(OWED)].properties().unwrap().owner.clone();
    assert_eq!(owner.as_str(), "tea");
    for number in [2, 3] {
        world.of_payments(Ask::Pay(pay(number, "10"))).unwrap();
    }
    // 9.80 each: the first is all repaid, and of the second what is still owed of 20.00.
    assert_eq!(world.submit(settle(1, &[2])).unwrap().legs, 2);
    assert_eq!(world.told(), ["1980.00", "9.80", "0.00", "10.20"]);
    world.of_payments(Ask::Pay(pay(4, "10"))).unwrap();
    assert_eq!(world.submit(settle(2, &[1, 3, 4])).unwrap().legs, 3);
    assert_eq!(world.told(), ["1970.00", "0.00", "9.40", "0.00"]);
    let repaid = |number| world.payments[&payment(number)].settled().unwrap().repaid.to_string();
    assert_eq!([1, 3, 4].map(repaid), ["0.00", "9.80", "0.40"]);
}

#[test]
fn a_shop_is_closed_before_it_owes_or_not_at_all() {
    let close = |code: &str| Operation::CloseAccount { account: account(code) };
    let mut world = world("2000");
    for number in [1, 2] {
        world.of_payments(Ask::Pay(pay(number, "1000"))).unwrap();
    }
    world.of_payments(give_back(1, 1, "1000", "20")).unwrap();
    for code in [UNSETTLED, AVAILABLE] {
        let refused = world.submit(close(code)).unwrap_err();
        assert_eq!((&*refused.code, refused.account), ("debt_open", Some(account(code))));
    }
    world.submit(settle(1, &[2])).unwrap();
    world.move_money(AVAILABLE, PAYER, "960").unwrap();
    for code in [UNSETTLED, AVAILABLE] {
        world.submit(close(code)).unwrap();
        assert_eq!(world.submit(close(code)).unwrap_err().code, "account_closed");
    }
    // Whose shop is closed is lent nothing, whatever was agreed: the refund waits.
    assert_eq!(
        world.of_payments(give_back(2, 2, "1", "500")).unwrap().events,
        ["refund_requested"]
    );
    assert_eq!(world.balance(OWED), Decimal::ZERO);
}

#[test]
fn a_dispute_lends_the_payer_what_is_held_of_the_shop() {
    for (won_by, payer, available, recalled) in [
        (DisputeWinner::Payer, "1400.00", "0.00", "0.00"),
        (DisputeWinner::Merchant, "1000.00", "390.00", "0.00"),
    ] {
        let mut world = world("2000");
        world.of_payments(Ask::Pay(pay(1, "1000"))).unwrap();
        // Of 980.00 that are not settled 390.00 are left: the shop owes the rest.
        world.of_payments(give_back(1, 1, "590", "0")).unwrap();
        world.of_payments(dispute(1, "400")).unwrap();
        assert_eq!(world.told(), ["1990.00", "0.00", "0.00", "10.00"]);
        assert_eq!(
            code_of(world.of_payments(give_back(2, 1, "10.01", "99"))),
            "refund_exceeds_payment"
        );
        world.of_payments(decide(1, won_by)).unwrap();
        let expected: Decimal = dec(payer).saturating_add(dec("590"));
        assert_eq!(world.balance(PAYER), expected, "{won_by:?}");
        assert_eq!(world.balance(AVAILABLE), dec(available), "{won_by:?}");
        assert_eq!(world.balance("receivable:recall:a:INR"), dec(recalled));
        assert!(world.items.is_empty(), "{:?}", world.items);
        let other = match won_by {
            DisputeWinner::Payer => DisputeWinner::Merchant,
            DisputeWinner::Merchant => DisputeWinner::Payer,
        };
        assert_eq!(code_of(world.of_payments(decide(1, other))), "dispute_decided");
    }
}

#[test]
fn what_the_payer_has_spent_of_the_loan_is_owed() {
    let mut world = world("1000");
    world.of_payments(Ask::Pay(pay(1, "1000"))).unwrap();
    world.of_payments(dispute(1, "900")).unwrap();
    world.move_money(PAYER, "wallet:b:INR", "700").unwrap();
    let done = world.of_payments(decide(1, DisputeWinner::Merchant)).unwrap();
    assert_eq!((done.events, done.legs), (vec!["dispute_decided"], 5));
    assert_eq!(world.told(), ["0.00", "80.00", "900.00", "0.00"]);
    assert_eq!(world.balance("receivable:recall:a:INR"), dec("700.00"));
    assert!(world.items.is_empty());
}

#[test]
fn a_request_is_paid_once_by_whoever_comes_first() {
    let mut world = world("1000");
    let create = PaymentRequestOperation::Create(asking(1, true));
    world.submit(Operation::from(create)).unwrap();
    let with = |number, amount| PayMerchant { request: Some(request(1)), ..pay(number, amount) };
    assert_eq!(code_of(world.of_payments(Ask::Pay(with(1, "99")))), "payment_request_amount");
    let done = world.of_payments(Ask::Pay(with(1, "100"))).unwrap();
    assert_eq!(done.events, ["completed", "paid"]);
    assert_eq!(code_of(world.of_payments(Ask::Pay(with(2, "100")))), "payment_request_not_payable");
    // What the request says stands in the payment.
    let completed = world.payments[&payment(1)].properties().unwrap().clone();
    assert_eq!(completed.order, "order-7".parse().ok());
    assert_eq!((completed.store, completed.terminal), ("mg-road".parse().ok(), None));
    // One for many stays open until its time has come.
    let create = PaymentRequestOperation::Create(asking(2, false));
    world.submit(Operation::from(create)).unwrap();
    let many = |number| PayMerchant { request: Some(request(2)), ..pay(number, "100") };
    for number in [3, 4] {
        assert_eq!(world.of_payments(Ask::Pay(many(number))).unwrap().events, ["completed"]);
    }
    world.minute = 60;
    assert_eq!(code_of(world.of_payments(Ask::Pay(many(5)))), "qr_expired");
}

#[test]
fn payers_and_shops_that_cannot() {
    let freeze = |code: &str, mode| {
        let reference = "order".parse().unwrap();
        Operation::Freeze(FreezeAccount { account: account(code), reference, mode, amount: None })
    };
    let mut poor = world("99.99");
    assert_eq!(code_of(poor.of_payments(Ask::Pay(pay(1, "100")))), "insufficient_funds");
    poor.submit(freeze(PAYER, FreezeMode::Debit)).unwrap();
    assert_eq!(code_of(poor.of_payments(Ask::Pay(pay(1, "10")))), "account_frozen");
    let mut frozen = world("1000");
    frozen.submit(freeze(UNSETTLED, FreezeMode::Credit)).unwrap();
    assert_eq!(code_of(frozen.of_payments(Ask::Pay(pay(1, "10")))), "shop_blocked");
    let unknown = PayMerchant { merchant: "tee".parse().unwrap(), ..pay(1, "10") };
    assert_eq!(code_of(frozen.of_payments(Ask::Pay(unknown))), "shop_blocked");
    let till = PayMerchant { payer: account("till:main:INR"), ..pay(1, "10") };
    assert_eq!(code_of(frozen.of_payments(Ask::Pay(till))), "not_payable");
    let mut closing = world("1000");
    closing.of_payments(Ask::Pay(pay(1, "1000"))).unwrap();
    closing.submit(Operation::CloseAccount { account: account(PAYER) }).unwrap();
    let done = closing.of_payments(give_back(1, 1, "10", "0")).unwrap();
    assert_eq!((done.events, done.legs), (vec!["refund_requested", "refund_failed"], 0));
    assert_eq!(code_of(closing.of_payments(dispute(1, "10"))), "payer_blocked");
}

#[test]
fn settlements_that_are_none() {
    let mut world = world("1000");
    for number in [1, 2] {
        world.of_payments(Ask::Pay(pay(number, "10"))).unwrap();
    }
    let code = |world: &mut World, operation| code_of(world.submit(operation));
    assert_eq!(code(&mut world, settle(1, &[])), "settlement_payments");
    assert_eq!(code(&mut world, settle(1, &[1, 1])), "settlement_payments");
    let many: Vec<u128> = (1..=101).collect();
    assert_eq!(code(&mut world, settle(1, &many)), "settlement_payments");
    assert_eq!(code(&mut world, settle(1, &[1, 3])), "payment_not_found");
    world.submit(settle(1, &[1])).unwrap();
    assert_eq!(code(&mut world, settle(1, &[1, 2])), "settlement_differs");
    assert_eq!(world.told(), ["980.00", "9.80", "9.80", "0.00"]);
}

proptest! {
    /// Whatever comes in whatever order: no money is made or lost, no payment gives away more than
    /// it was, and each refund ends at most once.
    #[test]
    fn whatever_comes_nothing_is_given_twice(
        story in prop::collection::vec((1..=3_u128, 1..=4_u128, 0..10_u8, 1..40_u32), 1..60),
    ) {
        let mut world = world("1000");
        let mut settlements = 10_u128;
        for (number, other, what, amount) in story {
            let amount = format!("{amount}.37");
            let id = number.saturating_mul(10).saturating_add(other);
            let done = match what {
                0 | 1 => world.of_payments(Ask::Pay(pay(number, &amount))),
                2 | 3 => world.of_payments(give_back(id, number, &amount, "3.00")),
                4 => world.of_payments(retry(id, number)),
                5 => world.of_payments(Ask::CancelRefund {
                    payment_id: payment(number),
                    refund_id: refund(id),
                }),
                6 => world.of_payments(dispute(number, &amount)),
                7 => world.of_payments(decide(number, DisputeWinner::Payer)),
                8 => world.of_payments(decide(number, DisputeWinner::Merchant)),
                _ => {
                    settlements = settlements.saturating_add(1);
                    world.submit(settle(settlements, &[number]))
                }
            };
            if let Err(refused) = done {
                prop_assert_ne!(refused.code, "internal");
            }
            world.assert_shop();
        }
        for payment in world.payments.values() {
            let refunds = payment.refunds().iter();
            let done = refunds.filter(|refund| refund.status == RefundStatus::Completed);
            let sum = done.map(|refund| refund.amount);
            let sum = sum.fold(Decimal::ZERO, Decimal::saturating_add);
            prop_assert!(payment.properties().is_none_or(|paid| sum <= paid.amount));
        }
        // The whole book: what is owed to anybody is what anybody owes and has.
        let sum: Decimal = world.accounts.values().fold(Decimal::ZERO, |sum, account| {
            sum.saturating_add(account.debits_posted()).saturating_sub(account.credits_posted())
        });
        prop_assert!(sum.is_zero());
    }
}
