//! The line of a bank's statement: the only thing that moves the bank's own accounts.
//!
//! It knows what the bank identifies it by, how much it is, what it was booked as, and how much of
//! it nobody could explain yet; nothing of accounts' balances, of statements or of banks. Which
//! accounts it moves stands in [`movement`]: both are one append.
//!
//! A line is booked once, for ever, under an id that is made from the bank's own words, so that any
//! number of processes may read the same statement at once. It is never changed. What was not
//! understood when it was booked lies in suspense under the line's own id, and is resolved later.
//! Whose money a credit is may be known before the line is there ([`Expected`]): from then on two
//! objects can't both take it.

mod command;
mod error;
mod event;
mod key;
pub mod movement;
mod part;

use std::sync::Arc;

use cqrs_es::{Aggregate, event_sink::EventSink};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use command::{BankLineOperation, BookBankLine, ExpectBankLine, ResolveBankLine, SendBackLine};
pub use error::{BankLineError, PartsError};
pub use event::{BankLineEvent, Booked, Expected, Resolved, SentBack};
pub use key::{HouseAccount, LineDirection, LineKey};
pub(crate) use part::total;
pub use part::{PARTS_MAX, Part, Purpose};

use crate::{
    command::Receipt,
    ids::{BankLineId, Item},
    money,
};

/// A line as its events made it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BankLine {
    /// Whose money it is, where the bank told of it before.
    #[serde(default)]
    expected: Option<Item>,
    booked: Option<Arc<Booked>>,
    /// What lies in suspense.
    unexplained: Decimal,
}

impl BankLine {
    /// What was booked, once it was.
    pub fn properties(&self) -> Option<&Booked> {
        self.booked.as_deref()
    }

    /// What of it nobody could explain yet.
    pub const fn unexplained(&self) -> Decimal {
        self.unexplained
    }

    /// What is answered to whoever booked or resolved it.
    pub fn receipt(&self, line_id: BankLineId) -> Option<Receipt> {
        let booked = self.properties()?;
        Some(Receipt::BankLine {
            line_id,
            amount: booked.amount,
            unexplained: self.unexplained,
            transaction_id: booked.transaction_id,
        })
    }

    /// What comes of an operation. The planner asks as well, to know what moves.
    ///
    /// # Errors
    /// The first [`BankLineError`] in order of precedence.
    pub fn decide(
        &self,
        operation: &BankLineOperation,
    ) -> Result<Option<BankLineEvent>, BankLineError> {
        match operation {
            BankLineOperation::Expect(expect) => self.expect(expect),
            BankLineOperation::Book(book) => self.book(book),
            BankLineOperation::Resolve(resolve) => self.resolve(resolve).map(Some),
            BankLineOperation::SendBack(back) => self.send_back(back).map(Some),
        }
    }

    fn expect(&self, expect: &ExpectBankLine) -> Result<Option<BankLineEvent>, BankLineError> {
        if self.expected.is_some() {
            self.check_items(std::iter::once(&expect.item))?;
            return Ok(None);
        }
        // It was booked as something that leaves nothing of it for the item.
        if self.properties().is_some() && self.unexplained.is_zero() {
            return Err(BankLineError::NothingUnexplained);
        }
        Ok(Some(BankLineEvent::Expected(Expected { item: expect.item.clone() })))
    }

    /// What arrives with a line that is somebody's is theirs. It may still lie in suspense, where
    /// the bank says otherwise now.
    fn check_items<'a>(
        &self,
        mut items: impl Iterator<Item = &'a Item>,
    ) -> Result<(), BankLineError> {
        match &self.expected {
            Some(expected) if items.any(|item| item != expected) => {
                Err(BankLineError::OfAnotherItem { item: expected.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn book(&self, book: &BookBankLine) -> Result<Option<BankLineEvent>, BankLineError> {
        if let Some(booked) = self.properties() {
            if booked.key() != book.key {
                return Err(BankLineError::IdentityDiffers);
            }
            if booked.amount != book.amount.amount()
                || booked.currency != book.amount.currency().code
            {
                return Err(BankLineError::AmountDiffers { amount: booked.amount });
            }
            // Whatever the caller makes of it now: it was booked, and is booked once.
            return Ok(None);
        }
        self.check_items(part::arrivals(&book.parts))?;
        let total = part::total(&book.parts, book.key.direction, &book.key.id().to_string())?;
        if total != book.amount.amount() {
            return Err(PartsError::Sum.into());
        }
        if book.parts.iter().any(|part| part.purpose == Purpose::Wallet) {
            return Err(PartsError::WalletAtOnce.into());
        }
        Ok(Some(BankLineEvent::Booked(Booked {
            bank: book.key.bank.clone(),
            account: book.key.account,
            direction: book.key.direction,
            booking_date: book.booking_date,
            value_date: book.key.value_date,
            bank_transaction_id: book.key.bank_transaction_id.clone(),
            currency: book.amount.currency().code,
            amount: book.amount.amount(),
            parts: book.parts.clone(),
            transaction_id: book.transaction_id,
        })))
    }

    fn resolve(&self, resolve: &ResolveBankLine) -> Result<BankLineEvent, BankLineError> {
        let booked = self.properties().ok_or(BankLineError::NotFound)?;
        if booked.key() != resolve.key || booked.currency != resolve.currency.code {
            return Err(BankLineError::IdentityDiffers);
        }
        self.check_items(part::arrivals(&resolve.parts))?;
        let to_wallet = |part: &Part| part.purpose == Purpose::Wallet;
        if let Some(item) = self.expected.as_ref().filter(|_| resolve.parts.iter().any(to_wallet)) {
            return Err(BankLineError::OfAnotherItem { item: item.clone() });
        }
        if self.unexplained.is_zero() {
            return Err(BankLineError::NothingUnexplained);
        }
        let total = part::total(&resolve.parts, booked.direction, &resolve.key.id().to_string())?;
        if resolve.parts.iter().any(|part| part.purpose == Purpose::Unknown) {
            return Err(PartsError::Purpose.into());
        }
        if total > self.unexplained {
            return Err(BankLineError::ExceedsUnexplained { left: self.unexplained });
        }
        Ok(BankLineEvent::Resolved(Resolved {
            parts: resolve.parts.clone(),
            amount: total,
            transaction_id: resolve.transaction_id,
        }))
    }

    /// Only what a customer's account got, nobody expects and nobody explained, and all of it.
    fn send_back(&self, back: &SendBackLine) -> Result<BankLineEvent, BankLineError> {
        let booked = self.properties().ok_or(BankLineError::NotFound)?;
        let currency = back.amount.currency().code;
        if booked.key() != back.key || booked.currency != currency {
            return Err(BankLineError::IdentityDiffers);
        }
        if let Some(item) = &self.expected {
            return Err(BankLineError::OfAnotherItem { item: item.clone() });
        }
        if self.unexplained.is_zero() {
            return Err(BankLineError::NothingUnexplained);
        }
        let of_escrow = booked.account == HouseAccount::Escrow;
        if booked.direction != LineDirection::Credit || !of_escrow {
            return Err(PartsError::Purpose.into());
        }
        if back.amount.amount() != self.unexplained {
            return Err(BankLineError::ExceedsUnexplained { left: self.unexplained });
        }
        let (withdrawal_id, amount) = (back.withdrawal_id, self.unexplained);
        let reason = back.reason.clone();
        Ok(BankLineEvent::SentBack(SentBack { withdrawal_id, amount, reason }))
    }
}

impl Aggregate for BankLine {
    const TYPE: &'static str = "bank_line";
    type Command = BankLineOperation;
    type Event = BankLineEvent;
    type Error = BankLineError;
    type Services = ();

    async fn handle(
        &mut self,
        operation: BankLineOperation,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), BankLineError> {
        if let Some(event) = self.decide(&operation)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: BankLineEvent) {
        match event {
            BankLineEvent::Expected(expected) => self.expected = Some(expected.item),
            BankLineEvent::Booked(booked) => {
                let unknown = booked.parts.iter().filter(|part| part.purpose == Purpose::Unknown);
                let amounts = unknown.map(|part| part.amount);
                self.unexplained = amounts
                    .reduce(|sum, amount| money::add(sum, amount).unwrap_or(sum))
                    .unwrap_or_else(|| Decimal::new(0, booked.amount.scale()));
                self.booked = Some(Arc::new(booked));
            }
            BankLineEvent::Resolved(resolved) => {
                self.unexplained = self.unexplained.saturating_sub(resolved.amount);
            }
            BankLineEvent::SentBack(back) => {
                self.unexplained = self.unexplained.saturating_sub(back.amount);
            }
        }
    }
}

#[cfg(test)]
mod tests;
