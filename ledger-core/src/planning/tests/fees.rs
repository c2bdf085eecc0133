//! What withdrawals and transfers cost: the version in force at the moment of the command, and no
//! other.

use super::{world::World, *};
use crate::{
    book::DefineFee,
    fee::{Pricing, Service},
    ids::BankAccountId,
    testing::{transfer as transfer_id, withdrawal},
    transfer::HoldTransfer,
    withdrawal::{PayeeStanding, RequestWithdrawal},
};

fn define(service: Service, fee: &str, from: Option<i64>) -> Operation {
    Operation::DefineFee(Box::new(DefineFee {
        service,
        fee: inr(fee),
        tax_bps: 1_800,
        effective_from: from.map(minute),
        expected_version: None,
    }))
}

/// A withdrawal of 500.00 that says nothing true of what it costs.
fn withdraw(pricing: Pricing) -> Operation {
    let request = RequestWithdrawal {
        withdrawal_id: withdrawal(1),
        transaction_id: txn(1),
        account: account("wallet:a:INR"),
        amount: inr("500"),
        fee: inr("0"),
        tax: inr("0"),
        pricing,
        bank_account: BankAccountId::from_uuid(uuid::Uuid::from_u128(1)),
        bank: "hdfc".parse().unwrap(),
        rail: "imps".parse().unwrap(),
        payee_hash: None,
        payee: PayeeStanding::Unchecked,
        review: None,
        note: None,
    };
    WithdrawalOperation::Request(request).into()
}

fn hold(number: u128, pricing: Pricing) -> Operation {
    let hold = HoldTransfer {
        transfer_id: transfer_id(number),
        account: account("wallet:a:INR"),
        amount: inr("250"),
        fee: inr("0"),
        tax: inr("0"),
        pricing,
        phone_hash: "0a".repeat(32).parse().unwrap(),
        expires_at: minute(600),
        note: None,
    };
    TransferOperation::Hold(hold).into()
}

fn refusal(done: Result<super::world::Happened, Rejection>) -> String {
    done.unwrap_err().code
}

#[test]
fn a_withdrawal_costs_what_is_in_force_when_it_is_requested() {
    for (at, version, fee, tax) in [(59, 1, "10.00", "1.53"), (60, 2, "20.00", "3.05")] {
        let mut world = World::with("1000");
        world.submit(define(Service::Withdrawal, "20", Some(60))).unwrap();
        world.minute = at;
        world.submit(withdraw(Pricing::InForce(None))).unwrap();
        let requested = world.withdrawal.properties().unwrap();
        assert_eq!(requested.fee_version, Some(version), "{at}");
        assert_eq!((requested.fee, requested.tax), (dec(fee), dec(tax)), "{at}");
        assert_eq!(world.balance("fees:held:INR"), dec(fee), "{at}");
        assert_eq!(world.balance("wallet:a:INR"), dec("500.00").saturating_sub(dec(fee)), "{at}");
    }
}

#[test]
fn who_was_told_another_version_is_refused_and_nothing_moves() {
    let mut world = World::with("1000");
    world.submit(define(Service::Withdrawal, "20", None)).unwrap();
    world.submit(define(Service::Transfer, "5", None)).unwrap();
    assert_eq!(refusal(world.submit(withdraw(Pricing::InForce(Some(1))))), "fee_changed");
    assert_eq!(refusal(world.submit(hold(1, Pricing::InForce(Some(1))))), "fee_changed");
    assert_eq!(world.balance("wallet:a:INR"), dec("1000.00"));
    world.submit(withdraw(Pricing::InForce(Some(2)))).unwrap();
    world.submit(hold(1, Pricing::InForce(Some(2)))).unwrap();
    let held = world.transfers[&transfer_id(1)].properties().unwrap();
    assert_eq!((held.fee_version, held.fee, held.tax), (Some(2), dec("5.00"), dec("0.76")));
}

#[test]
fn a_fee_is_defined_in_a_currency_of_the_book_and_opens_what_it_needs() {
    let mut world = World::with("1000");
    let done = world.submit(define(Service::Transfer, "5", None)).unwrap();
    assert_eq!(done.events, ["fee_defined"]);
    for account_code in ["income:fees:INR", "tax:gst_output:INR"] {
        assert!(world.accounts.contains_key(&account(account_code)), "{account_code}");
    }
    world.submit(define(Service::Transfer, "6", None)).unwrap();
    let dollars = Operation::DefineFee(Box::new(DefineFee {
        service: Service::Transfer,
        fee: Money::parse("1", currency("USD")).unwrap(),
        tax_bps: 0,
        effective_from: None,
        expected_version: None,
    }));
    assert_eq!(refusal(world.submit(dollars)), "currency_unknown");
}

/// A transfer at once with these parts of a fee, as the wallet posts it.
fn sent(world: &World, net: &str, tax: &str) -> Result<Plan, Rejection> {
    let mut posting = transfer(1, inr("250"));
    let parts = [("income:fees:INR", inr(net)), ("tax:gst_output:INR", inr(tax))];
    for (code, amount) in parts.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        posting.legs[0].amount = posting.legs[0].amount.checked_add(amount).unwrap();
        posting.legs.push(leg(Direction::Credit, code, amount));
    }
    let command = Command {
        principal: "asha".parse().unwrap(),
        idempotency: None,
        request: RequestId::from_uuid(uuid::Uuid::from_u128(1)),
        authority: Authority::of_transfers(),
        approval: None,
        operation: Operation::Post(vec![posting]),
    };
    plan(&command, world, minute(world.minute))
}

/// What its legs say of the version that they were charged by.
fn named(plan: &Plan) -> Vec<Option<u32>> {
    let legs = plan.steps.iter().filter_map(|step| {
        let Step::Account(_, AccountCommand::Post(leg)) = step else { return None };
        Some(leg.fee_version)
    });
    legs.collect()
}

#[test]
fn a_transfer_at_once_names_the_version_on_its_first_leg() {
    let mut world = World::with("1000");
    assert_eq!(named(&sent(&world, "0", "0").unwrap()), [None, None], "the book has none");
    world.submit(define(Service::Transfer, "5", None)).unwrap();
    let charged = sent(&world, "4.24", "0.76").unwrap();
    assert_eq!(named(&charged), [Some(2), None, None, None]);
    world.submit(define(Service::Transfer, "0", None)).unwrap();
    assert_eq!(named(&sent(&world, "0", "0").unwrap()), [Some(3), None], "free by a version");
}

#[test]
fn a_transfer_at_once_has_the_legs_of_the_fee_in_force() {
    let mut world = World::with("1000");
    assert!(sent(&world, "0", "0").is_ok());
    assert_eq!(sent(&world, "4.24", "0.76").unwrap_err().code, "fee_changed");
    world.submit(define(Service::Transfer, "5", None)).unwrap();
    assert!(sent(&world, "4.24", "0.76").is_ok());
    for (net, tax) in [("0", "0"), ("5", "0"), ("4.24", "0"), ("4.23", "0.77"), ("8.48", "1.52")] {
        assert_eq!(sent(&world, net, tax).unwrap_err().code, "fee_changed", "{net} {tax}");
    }
}
