//! Deposits' credits that are settled. Three say the same of one: the deposit, the line or the lump
//! that names it as a part, and the leg that closes its item of `clearing_in`; all in one append,
//! so that of a lump's credits none is settled without the others.

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::{Leg, id, id_text},
    },
    account::Account,
    bank_line::Part,
};

/// A deposit's word that a transaction settles a credit of its own.
#[derive(Debug)]
struct Said {
    transaction: u128,
    item: String,
    position: i64,
}

/// A credit as a part, or as what moves it: with the amount in words.
#[derive(Debug)]
struct Named {
    transaction: u128,
    item: String,
    amount: String,
    position: i64,
    /// What is wrong if nothing settles it.
    incomplete: Code,
}

/// What the append that is read says of credits that are settled.
#[derive(Debug, Default)]
pub(super) struct Settling {
    said: Vec<Said>,
    parts: Vec<Named>,
    moved: Vec<Named>,
    /// Transactions of lumps that are divided.
    dividing: Vec<u128>,
    /// The transaction that is read, if what it moves may settle credits.
    open: Option<u128>,
}

impl Settling {
    /// A deposit says that a transaction settles a credit.
    pub(super) fn says(&mut self, transaction: u128, item: String, position: i64) {
        self.said.push(Said { transaction, item, position });
    }

    /// A line, or a lump that is divided, names its parts.
    pub(super) fn names(
        &mut self,
        transaction: u128,
        parts: &[Part<'_>],
        (position, incomplete): (i64, Code),
    ) {
        let arrived = parts.iter().filter(|part| &*part.purpose == "arrival");
        for part in arrived {
            let Some(item) = part.item.as_deref().filter(|item| is_credit(item)) else { continue };
            let (item, amount) = (item.to_owned(), (*part.amount).to_owned());
            self.parts.push(Named { transaction, item, amount, position, incomplete });
        }
    }

    /// A lump is divided by a transaction, which may settle credits as a line's does.
    pub(super) fn divides(&mut self, transaction: u128) {
        self.dividing.push(transaction);
    }

    /// Takes a leg in; whether it has to close its item.
    pub(super) fn leg(&mut self, place: Place<'_>, leg: &Leg<'_>, debit: bool) -> bool {
        let transaction = id(&leg.transaction_id, "txn_");
        if leg.leg == 1 {
            let of_line = leg.cause.as_deref().is_some_and(|cause| id(cause, "bl_").is_some());
            let may = |id: &u128| of_line || self.dividing.contains(id);
            self.open = transaction.filter(may);
        }
        let Some(transaction) = self.open.filter(|open| Some(*open) == transaction) else {
            return false;
        };
        let item = leg.item.as_deref().filter(|item| is_credit(item));
        let Some(item) = item.filter(|_| !debit && is_clearing_in(place.aggregate_id)) else {
            return false;
        };
        self.moved.push(Named {
            transaction,
            item: item.to_owned(),
            amount: (*leg.amount).to_owned(),
            position: place.position,
            incomplete: Code::DepositIncomplete,
        });
        true
    }

    /// An append is over: what one says the others say as well.
    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        for moved in self.moved.drain(..) {
            let of = |said: &Said| said.transaction == moved.transaction && said.item == moved.item;
            if let Some(at) = self.said.iter().position(of) {
                self.said.swap_remove(at);
            } else {
                let words = format!("no deposit says that {} is settled by this", moved.item);
                findings.position(moved.position, moved.incomplete, words);
            }
            let same = |part: &Named| {
                part.transaction == moved.transaction
                    && part.item == moved.item
                    && part.amount == moved.amount
            };
            if let Some(at) = self.parts.iter().position(same) {
                self.parts.swap_remove(at);
            } else {
                let words =
                    format!("{} of {} is no part of what moves it", moved.amount, moved.item);
                findings.position(moved.position, Code::BankLineDiffers, words);
            }
        }
        for said in self.said.drain(..) {
            let transaction = id_text(said.transaction, "txn_");
            let words = format!("{transaction} does not settle {} in this append", said.item);
            findings.position(said.position, Code::DepositIncomplete, words);
        }
        for part in self.parts.drain(..) {
            let words = format!("{} of {} is not settled in this append", part.amount, part.item);
            findings.position(part.position, part.incomplete, words);
        }
        self.dividing.clear();
        self.open = None;
    }
}

/// What settles a credit settles it whole: its item is open no more.
pub(super) fn closed(place: Place<'_>, leg: &Leg<'_>, account: &Account, findings: &mut Findings) {
    let open = leg.item.as_deref().filter(|item| account.open_of(item).is_some());
    if let Some(item) = open {
        let words = format!("{item} is settled with another amount than arrived");
        findings.event(place, Code::DepositDiffers, words);
    }
}

/// Whether an item is a deposit's credit.
fn is_credit(item: &str) -> bool {
    let parts = item.rsplit_once('.');
    parts.is_some_and(|(deposit, number)| {
        id(deposit, "dep_").is_some() && number.parse::<u32>().is_ok()
    })
}

fn is_clearing_in(account: &str) -> bool {
    let mut segments = account.split(':');
    segments.next() == Some("bank") && segments.nth(1) == Some("clearing_in")
}
