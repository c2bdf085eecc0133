//! A payment gateway's way to pay: each credit is told of and answered about by its own number, and
//! what came in a day comes to our account as one line at the next midnight, net of charges and
//! tax.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    accounts::{Account, Transaction},
    bank::{Bank, Due},
    clock::{Timestamp, next_midnight},
    credits::Credit,
    faults::Lumps,
    money::{Amount, wire},
};

/// The most credits of a line; what is more comes as another one.
const CREDITS_MAX: usize = 90;
/// What is kept back, in percent, and the tax on that.
const CHARGES_PERCENT: i64 = 1;
const TAX_PERCENT: i64 = 18;

/// What has come and is not on our account yet, and what the lines said that they are made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gateway {
    waiting: Vec<Part>,
    taken: u64,
    stated: BTreeMap<String, Value>,
}

#[derive(Debug, Clone)]
struct Part {
    amount: Amount,
    id: String,
    utr: String,
    token: Option<String>,
    named: bool,
}

impl Gateway {
    /// The number of the next credit that waits: no number of the books.
    pub(crate) fn next_id(&self) -> String {
        format!("G{:010}", self.taken.saturating_add(1))
    }

    /// What a line is made of, if it said so.
    pub(crate) fn stated(&self, transaction: &str) -> Option<&Value> {
        self.stated.get(transaction)
    }
}

impl Bank {
    /// Keeps a credit until the day is over.
    pub(crate) fn keep_for_lump(&mut self, credit: &Credit, lumps: Lumps, at: Timestamp) {
        if self.gateway.waiting.is_empty() {
            self.plan(next_midnight(at), Due::SettleLumps);
        }
        self.gateway.taken = self.gateway.taken.saturating_add(1);
        self.gateway.waiting.push(Part {
            amount: credit.amount,
            id: credit.booked.bank_transaction_id.clone(),
            utr: credit.booked.utr.clone(),
            token: credit.token.clone(),
            named: lumps == Lumps::Named,
        });
    }

    /// Books what waits, as lines of so many credits.
    pub(crate) fn settle_lumps(&mut self, at: Timestamp) {
        let waiting = std::mem::take(&mut self.gateway.waiting);
        let (named, unnamed): (Vec<Part>, Vec<Part>) =
            waiting.into_iter().partition(|part| part.named);
        for batch in named.chunks(CREDITS_MAX).chain(unnamed.chunks(CREDITS_MAX)) {
            self.book_lump(batch, at);
        }
    }

    fn book_lump(&mut self, batch: &[Part], at: Timestamp) {
        let gross = batch.iter().map(|part| part.amount.paise()).fold(0, i64::saturating_add);
        let charges = gross.saturating_mul(CHARGES_PERCENT) / 100;
        // Half up.
        let tax = charges.saturating_mul(TAX_PERCENT).saturating_add(50) / 100;
        let net = gross.saturating_sub(charges).saturating_sub(tax);
        let Some(amount) = Amount::from_paise(net) else { return };
        let id = self.books.next_id();
        let booked = self.books.post(Transaction {
            id: id.clone(),
            at,
            value_date: None,
            debit: Account::Network,
            credit: Account::Escrow,
            amount,
            utr: self.utr("lump", &id),
            reference: None,
            narration: format!("GATEWAY SETTLEMENT OF {}", batch.len()),
        });
        if booked.is_err() {
            tracing::warn!(amount = %amount, "a lump does not fit into the books");
            return;
        }
        if batch.iter().all(|part| part.named) {
            let credits = batch.iter().map(|part| {
                json!({ "amount": part.amount, "bank_transaction_id": part.id, "utr": part.utr,
                        "reference": part.token })
            });
            let mut stated = json!({ "credits": credits.collect::<Vec<_>>() });
            for (name, paise) in [("charges", charges), ("tax", tax)] {
                if paise > 0 {
                    stated[name] = wire(paise);
                }
            }
            self.gateway.stated.insert(id, stated);
        }
    }
}
