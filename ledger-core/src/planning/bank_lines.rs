//! Takes operations on a bank's lines apart. Accounts that are the machine's own are opened with
//! the first leg on them; a wallet only by its owner.

use chrono::NaiveDate;

use super::{
    Plan, ReceiptPlan, Step, StreamId, View, checks,
    lumps::{self, Shown},
    planner::Planner,
    withdrawals::internal,
};
use crate::{
    account::AccountCommand,
    bank_line::{
        BankLineError, BankLineEvent, BankLineOperation, Part, PartsError, Purpose,
        movement::{self, Movement},
    },
    command::Rejection,
    ids::{AccountId, BankLineId, Reference, TransactionId},
    money::{Currency, Money},
    posting::{Posting, PostingLeg},
};

/// The streams that an operation touches: it names them all itself.
pub(super) fn streams(operation: &BankLineOperation) -> Vec<StreamId> {
    let deposits = lumps::deposits_of(operation.parts()).map(StreamId::Deposit);
    let accounts = accounts_of(operation).into_iter().map(StreamId::Account);
    std::iter::once(StreamId::BankLine(operation.line_id()))
        .chain(deposits)
        .chain(accounts)
        .collect()
}

/// The accounts that an operation may touch.
fn accounts_of(operation: &BankLineOperation) -> Vec<AccountId> {
    let (key, currency) = (operation.key(), operation.currency().code);
    let suspense = Part::plain(Purpose::Unknown, rust_decimal::Decimal::ZERO);
    let first = match operation {
        BankLineOperation::Expect(_) | BankLineOperation::SendBack(_) => return Vec::new(),
        BankLineOperation::Book(_) => movement::house_account(key, currency),
        BankLineOperation::Resolve(_) => movement::part_account(key, currency, &suspense),
    };
    let parts = operation.parts().iter();
    let parts = parts.map(|part| movement::part_account(key, currency, part));
    // What names no account is refused by the line itself.
    std::iter::once(first).chain(parts).flatten().collect()
}

impl<V: View> Planner<'_, V> {
    pub(super) fn bank_line(&self, operation: &BankLineOperation) -> Result<Plan, Rejection> {
        let (id, currency) = (operation.line_id(), operation.currency());
        self.known(currency)?;
        if matches!(operation, BankLineOperation::Expect(_) | BankLineOperation::SendBack(_)) {
            // They stand beside what they are about, never alone.
            return Err(internal());
        }
        let scale = u32::from(currency.scale);
        if operation.parts().iter().any(|part| part.amount.scale() != scale) {
            return Err(BankLineError::from(PartsError::Amount).into());
        }
        let mut steps = Vec::new();
        if let Some(transaction_id) = self.moves(operation)? {
            let bank = &operation.key().bank;
            let shown = Shown { bank, currency, parts: operation.parts(), transaction_id };
            self.settle_parts(&shown, &mut steps)?;
        }
        self.bank_line_steps(operation, &mut Vec::new(), &mut steps)?;
        Ok(Plan { steps, receipt: ReceiptPlan::BankLine(id), notes: Vec::new() })
    }

    /// What is asked of the line, and what follows from it. `opened` are the accounts that steps
    /// before these open.
    pub(super) fn bank_line_steps(
        &self,
        operation: &BankLineOperation,
        opened: &mut Vec<AccountId>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let id = operation.line_id();
        let event = self.view.bank_line(id).decide(operation)?;
        steps.push(Step::BankLine(id, Box::new(operation.clone())));
        match event {
            Some(event) => self.bank_line_movement(operation, &event, opened, steps),
            None => Ok(()),
        }
    }

    fn bank_line_movement(
        &self,
        operation: &BankLineOperation,
        event: &BankLineEvent,
        opened: &mut Vec<AccountId>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        let (key, currency) = (operation.key(), operation.currency());
        let moved = movement::movement(key, currency.code, event).map_err(|_| internal())?;
        let Some(movement) = moved else { return Ok(()) };
        let id: BankLineId = key.id();
        let cause: Reference = checks::reference(&id)?;
        self.post_items(movement, (currency, key.value_date), &cause, (opened, steps))
    }

    /// The transaction that an operation would make; nothing if nothing moves any more.
    fn moves(&self, operation: &BankLineOperation) -> Result<Option<TransactionId>, Rejection> {
        Ok(match self.view.bank_line(operation.line_id()).decide(operation)? {
            Some(BankLineEvent::Booked(booked)) => Some(booked.transaction_id),
            Some(BankLineEvent::Resolved(resolved)) => Some(resolved.transaction_id),
            Some(BankLineEvent::Expected(_) | BankLineEvent::SentBack(_)) | None => None,
        })
    }

    /// The legs of a movement that names the item of each, on accounts of the machine's own that
    /// are opened where they are missing.
    pub(super) fn post_items(
        &self,
        movement: Movement,
        (currency, value_date): (Currency, NaiveDate),
        cause: &Reference,
        (opened, steps): (&mut Vec<AccountId>, &mut Vec<Step>),
    ) -> Result<(), Rejection> {
        self.open_house_accounts(&movement, opened, steps)?;
        let mut legs = Vec::with_capacity(movement.legs.len());
        for leg in movement.legs {
            let amount = Money::from_decimal(leg.amount, currency).map_err(|_| internal())?;
            let (account, direction, item) = (leg.account, leg.direction, leg.item);
            legs.push(PostingLeg { account, direction, amount, item });
        }
        let posting = Posting {
            transaction_id: movement.transaction_id,
            kind: movement.kind,
            legs,
            effective_on: None,
            value_date: Some(value_date),
            conditions: Vec::new(),
            note: None,
        };
        self.legs(&posting, self.today(None), Some(cause), steps)
    }

    fn open_house_accounts(
        &self,
        movement: &Movement,
        opened: &mut Vec<AccountId>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Rejection> {
        for leg in &movement.legs {
            let account = &leg.account;
            let customers = account.as_str().starts_with("wallet:");
            // Deciding without an account in sight would open it twice.
            let known = self.view.account(account).ok_or_else(internal)?;
            if known.properties().is_some() || customers || opened.contains(account) {
                continue;
            }
            let open = self.opening(account, None)?;
            steps.push(Step::Account(account.clone(), AccountCommand::Open(open)));
            opened.push(account.clone());
        }
        Ok(())
    }
}

impl From<BankLineError> for Rejection {
    fn from(error: BankLineError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
