//! The stories of lumps: a line that names its deposits, and a credit that lies in suspense until
//! it is divided. Every kind of event that lumps have is in them.

use chrono::{NaiveDate, TimeDelta};
use ledger_core::{
    bank_line::{
        BankLineOperation, BookBankLine, HouseAccount, LineDirection, LineKey, Part, Purpose,
    },
    clock::{Clock, Ids, System},
    command::Operation,
    deposit::{
        BeginDeposit, ConfirmCredit, CreditClaim, DepositOperation, DivideCredit, SettleCredit,
        credit::{id_of, item_of},
    },
    ids::{DepositId, TransactionId},
    withdrawal::Source,
};

use super::ledger::{money, parse};

/// The commands, each of which is accepted where `wallet` is open.
pub(crate) fn story(wallet: &str) -> Vec<Operation> {
    let ids = [(); 3].map(|()| DepositId::from_uuid(System.fresh()));
    let credits = [("S-lump-1", "300"), ("S-lump-2", "200"), ("S-lump-3", "300")];
    let mut story = Vec::new();
    for (deposit_id, (number, amount)) in ids.into_iter().zip(credits) {
        story
            .extend(booked(wallet, deposit_id, claim(number, wallet, amount)).map(Operation::from));
    }
    let [first, second, third] = ids;
    let amount = money(wallet, "494.10");
    let book = BookBankLine {
        key: LineKey {
            bank: parse("hdfc"),
            account: HouseAccount::Escrow,
            direction: LineDirection::Credit,
            value_date: day(),
            bank_transaction_id: parse("L-1"),
        },
        booking_date: day(),
        amount,
        parts: parts(wallet, &[(first, "300"), (second, "200")]),
        transaction_id: fresh(),
    };
    story.push(BankLineOperation::Book(book).into());
    let stated = claim("L-2", wallet, "294.10");
    let lump = id_of(&stated.bank, &stated.bank_transaction_id);
    let settle = SettleCredit {
        deposit_id: lump,
        claim: CreditClaim { credit_id: None, source: Source::Statement, ..stated },
        booking_date: day(),
        charges: money(wallet, "0"),
        tax: money(wallet, "0"),
        confirmed_transaction_id: fresh(),
        transaction_id: fresh(),
    };
    let divide = DivideCredit {
        deposit_id: lump,
        number: 1,
        parts: parts(wallet, &[(third, "300")]),
        reason: Some(parse("settlement-2026-11-22")),
        transaction_id: fresh(),
    };
    story.push(DepositOperation::SettleCredit(settle).into());
    story.push(DepositOperation::Divide(divide).into());
    story
}

/// A deposit that an enquiry has booked.
fn booked(wallet: &str, deposit_id: DepositId, claim: CreditClaim) -> [DepositOperation; 2] {
    let begin = BeginDeposit {
        deposit_id,
        account: parse(wallet),
        amount: claim.amount,
        bank: parse("hdfc"),
        expires_at: System.now() + TimeDelta::days(365 * 20),
        payer_hash: None,
    };
    let transaction_id = fresh();
    [
        DepositOperation::Begin(begin),
        DepositOperation::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id }),
    ]
}

fn claim(number: &str, wallet: &str, amount: &str) -> CreditClaim {
    CreditClaim {
        bank: parse("hdfc"),
        bank_transaction_id: parse(number),
        credit_id: None,
        utr: None,
        value_date: day(),
        amount: money(wallet, amount),
        source: Source::Enquiry,
        payer_hash: None,
        review: None,
        unsolicited_to: None,
    }
}

/// These credits, less 5.00 and 0.90.
fn parts(wallet: &str, credits: &[(DepositId, &str)]) -> Vec<Part> {
    let arrived = credits.iter().map(|(id, amount)| {
        let item = item_of(*id, 1).unwrap();
        Part::of_item(Purpose::Arrival, item, money(wallet, amount).amount())
    });
    let kept = [(Purpose::Charges, "5.00"), (Purpose::Tax, "0.90")];
    let kept = kept.map(|(purpose, amount)| Part::plain(purpose, money(wallet, amount).amount()));
    arrived.chain(kept).collect()
}

fn day() -> NaiveDate {
    "2026-11-22".parse().unwrap()
}

fn fresh() -> TransactionId {
    TransactionId::from_uuid(System.fresh())
}
