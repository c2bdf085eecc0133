//! What a withdrawal costs, by several processes on one log: the version in force by the log, in
//! whichever process it is asked for and after every restart.

use chrono::TimeDelta;
use ledger_core::{
    book::DefineFee,
    clock::{Ids as _, System},
    command::Operation,
    fee::{Pricing, Service},
    ids::{TransactionId, WithdrawalId},
    withdrawal::{PayeeStanding, RequestWithdrawal, WithdrawalOperation},
};

use crate::{
    audit_engine::verified,
    reference::Both,
    support::ledger::{Ledger, accepted, command, money, opening, parse, rejected, transfer},
};

const WALLET: &str = "wallet:a:INR";
const HELD: &str = "fees:held:INR";

fn define(fee: &str) -> Operation {
    Operation::DefineFee(Box::new(DefineFee {
        service: Service::Withdrawal,
        fee: money(WALLET, fee),
        tax_bps: 1_800,
        effective_from: None,
        expected_version: None,
    }))
}

/// A withdrawal by whoever was told this version; its fee is for the ledger to say.
fn withdraw(told: Option<u32>) -> Operation {
    let request = RequestWithdrawal {
        withdrawal_id: WithdrawalId::from_uuid(System.fresh()),
        transaction_id: TransactionId::from_uuid(System.fresh()),
        account: parse(WALLET),
        amount: money(WALLET, "1.00"),
        fee: money(WALLET, "0.00"),
        tax: money(WALLET, "0.00"),
        pricing: Pricing::InForce(told),
        bank_account: parse("ba_019a0000000070008000000000000021"),
        bank: parse("hdfc"),
        rail: parse("imps"),
        payee_hash: None,
        payee: PayeeStanding::Unchecked,
        review: None,
        note: None,
    };
    WithdrawalOperation::Request(request).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_has_not_heard_of_a_version_charges_it_all_the_same() {
    let ledger = Ledger::start().await;
    ledger.wallet(WALLET, "1000.00").await;
    let other = Ledger::on(&ledger.database).await;
    accepted(other.submit(withdraw(Some(1))).await);
    assert_eq!(ledger.balance(HELD).await, "10.00");
    accepted(ledger.submit(define("12.50")).await);
    // It has not read the log since.
    assert_eq!(other.engine.status().borrow().book.fees().len(), 0);
    accepted(other.submit(withdraw(None)).await);
    assert_eq!(ledger.balance(HELD).await, "22.50");
    accepted(ledger.submit(define("0.00")).await);
    assert_eq!(rejected(other.submit(withdraw(Some(2))).await).code, "fee_changed");
    assert_eq!(ledger.balance(HELD).await, "22.50");
    let restarted = Ledger::on(&ledger.database).await;
    assert_eq!(restarted.engine.status().borrow().book.fees().len(), 2);
    accepted(restarted.submit(withdraw(Some(3))).await);
    assert_eq!(ledger.balance(HELD).await, "22.50");
    verified(&ledger.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_executor_charges_the_same() {
    let mut both = Both::start().await;
    let opened = ["till:main:INR", WALLET].map(|code| Operation::OpenAccount(opening(code)));
    let funded = Operation::Post(vec![transfer("till:main:INR", WALLET, "1000.00")]);
    let asked = [withdraw(None), define("12.50"), withdraw(Some(2)), withdraw(Some(1))];
    for operation in opened.into_iter().chain([funded]).chain(asked) {
        both.agree(&command(operation)).await;
        both.clock.advance(TimeDelta::seconds(1));
    }
    let kinds = both.assert_same_logs(true).await;
    assert!(kinds.contains(&("book".to_owned(), "fee_defined".to_owned())), "{kinds:?}");
}
