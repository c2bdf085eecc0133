//! How a command is taken apart, and what is refused before any aggregate is asked.

mod deposits;
mod fees;
mod lumps;
mod payments;
mod refusals;
mod repayments;
mod sending_back;
mod settling;
mod steps;
mod transfers;
mod withdrawals;
mod world;

use std::collections::BTreeMap;

use super::*;
use crate::{
    account::{Freeze, FreezeMode, PostLeg},
    chart::{AccountType, Authority, PostingClass},
    command::{
        CaptureHold, CaptureLeg, ChangeLimits, FreezeAccount, IncreaseHold, OpenAccount, PlaceHold,
        Reverse,
    },
    ids::{Reference, RequestId},
    money::{Currency, Money},
    posting::{Posting, PostingLeg},
    testing::{account, currency, day, dec, hold, inr, minute, txn},
};
use cqrs_es::Aggregate;

/// A book of rupees and yen with one hold of 10.00 on `wallet:a:INR`, which is a liability.
struct Known {
    book: Book,
    hold: Hold,
    /// Never opened.
    account: Account,
}

impl Known {
    fn new() -> Self {
        let (mut book, mut hold) = (Book::default(), Hold::default());
        let time_zone = chrono_tz::Tz::Asia__Kolkata;
        book.apply(crate::book::BookEvent::Opened(crate::book::Opened { time_zone }));
        for code in ["INR", "JPY"] {
            book.apply(crate::book::BookEvent::CurrencyAdded(currency(code)));
        }
        hold.apply(crate::hold::HoldEvent::Placed(crate::hold::Placed {
            account: account("wallet:a:INR"),
            amount: dec("10.00"),
            expires_at: None,
            cause: None,
        }));
        Self { book, hold, account: Account::default() }
    }
}

impl View for Known {
    fn book(&self) -> &Book {
        &self.book
    }

    fn hold(&self, hold_id: HoldId) -> Hold {
        if hold_id == hold(1) { self.hold.clone() } else { Hold::default() }
    }

    fn normal_side(&self, account: &AccountId) -> Option<Direction> {
        (account.as_str() == "wallet:a:INR").then_some(Direction::Credit)
    }

    fn account(&self, _: &AccountId) -> Option<&Account> {
        Some(&self.account)
    }

    fn withdrawal(&self, _: WithdrawalId) -> Withdrawal {
        Withdrawal::default()
    }

    fn bank_line(&self, _: BankLineId) -> BankLine {
        BankLine::default()
    }

    fn deposit(&self, _: DepositId) -> Deposit {
        Deposit::default()
    }

    fn payment(&self, _: PaymentId) -> Payment {
        Payment::default()
    }

    fn payment_request(&self, _: PaymentRequestId) -> PaymentRequest {
        PaymentRequest::default()
    }

    fn transfer(&self, _: TransferId) -> Transfer {
        Transfer::default()
    }
}

fn planned(operation: Operation) -> Result<Plan, Rejection> {
    let command = Command {
        principal: "asha".parse().unwrap(),
        idempotency: None,
        request: RequestId::from_uuid(uuid::Uuid::from_u128(1)),
        authority: Authority::all(),
        approval: None,
        operation,
    };
    plan(&command, &Known::new(), minute(0))
}

fn leg(direction: Direction, code: &str, amount: Money) -> PostingLeg {
    PostingLeg { account: account(code), direction, amount, item: None }
}

fn transfer(number: u128, amount: Money) -> Posting {
    let code = amount.currency().code;
    Posting {
        transaction_id: txn(number),
        kind: "transfer".parse().unwrap(),
        legs: vec![
            leg(Direction::Debit, &format!("wallet:a:{code}"), amount),
            leg(Direction::Credit, &format!("wallet:b:{code}"), amount),
        ],
        effective_on: None,
        value_date: None,
        conditions: Vec::new(),
        note: None,
    }
}

fn opening() -> OpenAccount {
    OpenAccount {
        account: account("wallet:a:INR"),
        currency: currency("INR"),
        owner: "asha".parse().unwrap(),
        account_type: AccountType::Liability,
        class: PostingClass::Open,
        itemised: false,
        floor: Some(dec("0.00")),
        ceiling: None,
        metadata: BTreeMap::new(),
    }
}

fn capturing(amount: Option<Money>, to: Vec<CaptureLeg>) -> CaptureHold {
    CaptureHold {
        hold_id: hold(1),
        transaction_id: txn(1),
        kind: "payment".parse().unwrap(),
        amount,
        to,
        effective_on: None,
        value_date: None,
        note: None,
    }
}

fn to(code: &str, amount: Option<Money>) -> CaptureLeg {
    CaptureLeg { account: account(code), amount, item: None }
}

fn reversing() -> Reverse {
    Reverse {
        original: txn(1),
        original_kind: "transfer".parse().unwrap(),
        original_cause: None,
        original_legs: transfer(1, inr("5")).legs,
        transaction_id: txn(2),
        effective_on: None,
        note: None,
    }
}
