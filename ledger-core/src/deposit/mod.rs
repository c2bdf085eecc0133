//! The deposit: money on its way in from a bank.
//!
//! It knows what was asked for, and each credit of a bank that came under its token; nothing of
//! accounts, of the clock or of banks. What each event moves stands in [`movement`]; an event and
//! its legs are one append.
//!
//! The law: a message of the bank alone is not money. A credit is booked once our own enquiry or
//! the bank's statement shows it, for what *arrived* and never for what was asked. Only a line of
//! the statement moves the bank's own account. What cannot go to the wallet waits in suspense for a
//! person. A line may be the lump of several credits: it settles them together, or none of them
//! (`SettlePart`). What is known already changes nothing when it comes again; the same credit with
//! another amount is refused, and people look.
//!
//! An intent can expire, be declined or be given up, and money can come all the same: it is taken,
//! and called late. Where a deposit stands therefore follows from its credits first, so that the
//! order of messages makes no difference. A credit that nobody asked for makes a deposit of its
//! own, whose id follows from the credit ([`credit::id_of`]), so that it cannot be booked twice.

mod command;
pub mod credit;
mod decide;
mod error;
mod event;
mod lump;
pub mod movement;
mod recall;
mod state;

use std::sync::Arc;

use cqrs_es::{Aggregate, event_sink::EventSink};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use command::{
    BeginDeposit, CancelDeposit, ConfirmCredit, CreditClaim, DecideDepositReview, DecideRecall,
    DepositCommand, DepositOperation, DepositStanding, DivideCredit, ExpireDeposit, RecordDeclined,
    RecordReceived, RequestRecall, SendBackCredit, SettleCredit, SettlePart,
};
pub use credit::Credit;
pub use error::DepositError;
pub use event::{
    Assigned, Begun, Booked, Declined, DepositEvent, Divided, LeftToReturn, PutAside,
    RecallGranted, RecallRefused, RecallRequested, Received, SentBack, Settled, Unsolicited,
};
pub use state::{CreditPlace, DepositStatus, IntentEnd, KnownCredit, Recall};

use crate::{
    command::Receipt,
    ids::{AccountId, BankCode, DepositId},
    money::CurrencyCode,
};

/// The most credits of one deposit.
pub const CREDITS_MAX: usize = 100;

/// A deposit as its events made it. Cheap enough to clone: a decision is made on a clone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Deposit {
    origin: Option<Origin>,
    end: Option<IntentEnd>,
    credits: Vec<KnownCredit>,
    late: bool,
}

/// How it came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    Begun(Arc<Begun>),
    Unsolicited(Arc<Unsolicited>),
}

impl Deposit {
    /// The deposit that these events made.
    pub fn of(events: impl IntoIterator<Item = DepositEvent>) -> Self {
        events.into_iter().fold(Self::default(), Self::after)
    }

    /// The deposit after one more event.
    pub fn after(mut self, event: DepositEvent) -> Self {
        self.apply(event);
        self
    }

    /// What was asked for, if it began with somebody asking.
    pub fn intent(&self) -> Option<&Begun> {
        match self.origin.as_ref()? {
            Origin::Begun(begun) => Some(begun),
            Origin::Unsolicited(_) => None,
        }
    }

    /// Whether it exists.
    pub const fn exists(&self) -> bool {
        self.origin.is_some()
    }

    /// The wallet that it is for, if that is known.
    pub fn account(&self) -> Option<&AccountId> {
        match self.origin.as_ref()? {
            Origin::Begun(begun) => Some(&begun.account),
            Origin::Unsolicited(unsolicited) => unsolicited.account.as_ref(),
        }
    }

    /// The bank that it began at.
    pub fn bank(&self) -> Option<&BankCode> {
        Some(match self.origin.as_ref()? {
            Origin::Begun(begun) => &begun.bank,
            Origin::Unsolicited(unsolicited) => &unsolicited.bank,
        })
    }

    /// Its currency.
    pub fn currency(&self) -> Option<CurrencyCode> {
        match self.origin.as_ref()? {
            Origin::Begun(begun) => begun.account.currency().ok(),
            Origin::Unsolicited(unsolicited) => Some(unsolicited.currency),
        }
    }

    /// How the intent ended without money, if it did.
    pub const fn end(&self) -> Option<IntentEnd> {
        self.end
    }

    /// Its credits, the first first.
    pub fn credits(&self) -> &[KnownCredit] {
        &self.credits
    }

    /// A credit by its number, from 1.
    pub fn credit(&self, number: u32) -> Option<&KnownCredit> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.credits.get(index)
    }

    /// The number of a credit, if it is one of this deposit's.
    pub fn number_of(&self, said: &Credit) -> Option<u32> {
        let known = |(_, known): &(u32, &KnownCredit)| {
            known.credit.relation(said) == credit::Relation::Same
        };
        (1_u32..).zip(&self.credits).find(known).map(|(number, _)| number)
    }

    /// The wallet of a credit, if that is known.
    pub fn wallet_of(&self, number: u32) -> Option<&AccountId> {
        self.credit(number)?.assigned_to.as_ref().or_else(|| self.account())
    }

    /// Whether money came after the intent had ended.
    pub const fn is_late(&self) -> bool {
        self.late
    }

    /// What is on the wallet because of it.
    pub fn credited(&self) -> Decimal {
        self.sum(|credit| credit.place == CreditPlace::Wallet)
    }

    /// What arrived and is not on the wallet.
    pub fn aside(&self) -> Decimal {
        self.sum(KnownCredit::is_aside)
    }

    fn sum(&self, which: impl Fn(&KnownCredit) -> bool) -> Decimal {
        let known = self.credits.first().map(|first| first.credit.amount);
        let scale = self.intent().map(|begun| begun.amount).or(known).unwrap_or_default().scale();
        let amounts = self.credits.iter().filter(|credit| which(credit)).map(|c| c.credit.amount);
        amounts.fold(Decimal::new(0, scale), Decimal::saturating_add)
    }

    /// Where it is in its life; nothing before it exists. What a person has to look at comes first,
    /// then money, then what was only told of, and only then how the intent ended.
    pub fn status(&self) -> Option<DepositStatus> {
        use DepositStatus as Status;
        self.origin.as_ref()?;
        let any = |which: fn(&KnownCredit) -> bool| self.credits.iter().any(which);
        Some(if any(|credit| matches!(credit.place, CreditPlace::Review { .. })) {
            Status::InReview
        } else if any(KnownCredit::is_recall_open) {
            Status::RecallRequested
        } else if any(|credit| credit.place == CreditPlace::Wallet) {
            let settled = |credit: &KnownCredit| !credit.is_booked() || credit.settled;
            if self.credits.iter().all(settled) { Status::Settled } else { Status::Completed }
        } else if any(KnownCredit::is_aside) {
            Status::ToReturn
        } else if any(|credit| credit.place == CreditPlace::Recalled) {
            Status::Recalled
        } else if any(|credit| matches!(credit.place, CreditPlace::SentBack { .. })) {
            Status::SentBack
        } else if any(|credit| credit.place == CreditPlace::Divided) {
            Status::Divided
        } else if any(|credit| credit.place == CreditPlace::Told) {
            Status::Received
        } else {
            match self.end {
                None => Status::AwaitingPayment,
                Some(IntentEnd::Expired) => Status::Expired,
                Some(IntentEnd::Declined) => Status::Failed,
                Some(IntentEnd::Cancelled) => Status::Cancelled,
            }
        })
    }

    /// What is answered to whoever changed it.
    pub fn receipt(&self, deposit_id: DepositId) -> Option<Receipt> {
        let intent = self.intent();
        Some(Receipt::Deposit {
            deposit_id,
            status: self.status()?,
            account: self.account().cloned(),
            currency: self.currency()?,
            amount: intent.map(|begun| begun.amount),
            credited: self.credited(),
            bank: self.bank()?.clone(),
            expires_at: intent.map(|begun| begun.expires_at),
        })
    }

    /// A credit as it is known from now on; the next one, if its number is new.
    fn put(&mut self, number: u32, credit: Credit, place: CreditPlace) {
        let known = KnownCredit { credit, place, settled: false, assigned_to: None, recall: None };
        let index = number.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.credits.get_mut(index)) {
            Some(earlier) => *earlier = known,
            None => self.credits.push(known),
        }
    }

    fn credit_mut(&mut self, number: u32) -> Option<&mut KnownCredit> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.credits.get_mut(index)
    }

    fn decided(&mut self, number: u32, granted: bool) {
        let recall = self.credit_mut(number).and_then(|credit| credit.recall.as_mut());
        if let Some(recall) = recall {
            recall.granted = Some(granted);
        }
    }

    fn place(&mut self, number: u32, place: CreditPlace) {
        if let Some(credit) = self.credit_mut(number) {
            credit.place = place;
        }
    }
}

impl Aggregate for Deposit {
    const TYPE: &'static str = "deposit";
    type Command = DepositCommand;
    type Event = DepositEvent;
    type Error = DepositError;
    type Services = ();

    async fn handle(
        &mut self,
        command: DepositCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), DepositError> {
        for event in self.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: DepositEvent) {
        match event {
            DepositEvent::Begun(begun) => self.origin = Some(Origin::Begun(Arc::new(begun))),
            DepositEvent::Unsolicited(unsolicited) => {
                self.origin = Some(Origin::Unsolicited(Arc::new(unsolicited)));
            }
            DepositEvent::Cancelled {} => self.end = Some(IntentEnd::Cancelled),
            DepositEvent::Expired {} => self.end = Some(IntentEnd::Expired),
            DepositEvent::Declined(_) => self.end = Some(IntentEnd::Declined),
            DepositEvent::Received(received) => {
                self.put(received.number, received.credit, CreditPlace::Told);
            }
            DepositEvent::Credited(booked) => {
                self.late |= booked.late;
                self.put(booked.number, booked.credit, CreditPlace::Wallet);
            }
            DepositEvent::PutAside(aside) => {
                self.late |= aside.late;
                let place = CreditPlace::Review { reason: aside.reason };
                self.put(aside.number, aside.credit, place);
            }
            DepositEvent::Settled(settled) => {
                if let Some(credit) = self.credit_mut(settled.number) {
                    credit.settled = true;
                }
            }
            DepositEvent::Assigned(assigned) => {
                self.place(assigned.number, CreditPlace::Wallet);
                if let Some(credit) = self.credit_mut(assigned.number) {
                    credit.assigned_to = Some(assigned.account);
                }
            }
            DepositEvent::LeftToReturn(left) => self.place(left.number, CreditPlace::ToReturn),
            DepositEvent::RecallRequested(asked) => {
                if let Some(credit) = self.credit_mut(asked.number) {
                    credit.recall = Some(Recall { hold_id: asked.hold_id, granted: None });
                }
            }
            DepositEvent::RecallGranted(granted) => {
                self.place(granted.number, CreditPlace::Recalled);
                self.decided(granted.number, true);
            }
            DepositEvent::RecallRefused(refused) => self.decided(refused.number, false),
            DepositEvent::SentBack(back) => {
                let withdrawal_id = back.withdrawal_id;
                self.place(back.number, CreditPlace::SentBack { withdrawal_id });
            }
            DepositEvent::Divided(divided) => self.place(divided.number, CreditPlace::Divided),
        }
    }
}

#[cfg(test)]
mod tests;
