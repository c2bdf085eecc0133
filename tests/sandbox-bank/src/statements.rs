//! What the customer reads: the lines of one account on one day, between two balances.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::{
    accounts::{Account, Books, Transaction},
    clock::{Timestamp, bank_day},
    lumps::Gateway,
    money::wire,
    wire::Reply,
};

/// The first day that has a statement, and what is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) account: Account,
    pub(crate) date: NaiveDate,
    pub(crate) first: NaiveDate,
    pub(crate) now: Timestamp,
}

/// The statement, if that day has one.
pub(crate) fn statement((books, gateway): (&Books, &Gateway), asked: Asked) -> Reply {
    let today = bank_day(asked.now);
    if asked.date < asked.first || asked.date > today {
        let detail = format!("there are statements from {} to {today}", asked.first);
        return Reply::problem(404, "no_statement", &detail);
    }
    let mut opening = 0_i64;
    let mut closing = 0_i64;
    let mut lines = Vec::new();
    for transaction in books.transactions() {
        let date = transaction.booking_date();
        if date > asked.date {
            continue;
        }
        for (account, direction, change) in legs(transaction) {
            if account != asked.account {
                continue;
            }
            closing = closing.saturating_add(change);
            if date < asked.date {
                opening = opening.saturating_add(change);
            } else {
                lines.push(line(transaction, direction, gateway));
            }
        }
    }
    Reply::ok(json!({
        "account": asked.account,
        "date": asked.date,
        "closed": asked.date < today,
        "opening": wire(opening),
        "closing": wire(closing),
        "lines": lines,
    }))
}

fn legs(transaction: &Transaction) -> [(Account, &'static str, i64); 2] {
    let amount = transaction.amount.paise();
    [(transaction.debit, "debit", -amount), (transaction.credit, "credit", amount)]
}

fn line(transaction: &Transaction, direction: &str, gateway: &Gateway) -> Value {
    let mut line = json!({
        "bank_transaction_id": transaction.id,
        "booking_date": transaction.booking_date(),
        "value_date": transaction.value_date.unwrap_or_else(|| transaction.booking_date()),
        "direction": direction,
        "amount": transaction.amount,
        "utr": transaction.utr,
        "reference": transaction.reference,
        "narration": transaction.narration,
    });
    if let Some(stated) = gateway.stated(&transaction.id) {
        line["lump"] = stated.clone();
    }
    line
}
