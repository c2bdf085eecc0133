//! A model of the ledger that is too simple to be wrong: whole numbers of minor units in an array
//! of accounts. It says what each command must come to, word for word, and turns it into what the
//! engine takes. Written from docs/events.md and the rules of the product.

mod accounts;
mod commands;
mod holds;
mod operations;

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    command::{Accepted, Command, Idempotency, Operation, Outcome, Receipt, Rejection},
    ids::{AccountId, HoldId, RequestId, TransactionId},
};
use uuid::Uuid;

pub(crate) use accounts::{Account, SLOTS};
pub(crate) use commands::{Case, Cmd, What, case};

/// How many transactions back a reversal may reach.
const MEMORY: usize = 12;
/// How many holds there are at a time.
pub(crate) const HOLDS: usize = 6;

/// The ledger as the model sees it: the accounts of one name space.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    space: u64,
    counter: u64,
    pub(crate) accounts: [Account; SLOTS],
    pub(crate) holds: [Hold; HOLDS],
    posted: VecDeque<Posted>,
    /// The position of the last event of the whole log.
    pub(crate) position: u64,
}

/// The last hold of a slot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hold {
    generation: u64,
    pub(crate) account: Option<usize>,
    pub(crate) amount: i128,
    expires_at: Option<DateTime<Utc>>,
    pub(crate) end: Option<&'static str>,
}

/// A transaction that can be asked to be undone.
#[derive(Debug, Clone)]
struct Posted {
    id: TransactionId,
    legs: Vec<Leg>,
    of_reversal: bool,
    by_hold: Option<HoldId>,
    undone: bool,
}

/// One leg of a transaction.
#[derive(Debug, Clone, Copy)]
struct Leg {
    slot: usize,
    debit: bool,
    amount: i128,
    item: Option<u8>,
}

/// A refusal, without its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) slot: Option<usize>,
    pub(crate) available: Option<i128>,
    pub(crate) transaction: Option<u16>,
}

impl Refusal {
    fn new(code: &'static str) -> Self {
        Self { code, slot: None, available: None, transaction: None }
    }

    fn of(slot: usize, code: &'static str) -> Self {
        Self { slot: Some(slot), ..Self::new(code) }
    }
}

/// What a command must come to.
pub(crate) type Expected = Result<Accepted, Refusal>;

/// How many events it makes, and what it answers.
type Done = Result<(u64, Receipt), Refusal>;

impl Model {
    /// A name space of a log that has come to `position`.
    pub(crate) fn new(space: u64, position: u64) -> Self {
        Self {
            space,
            counter: 0,
            accounts: std::array::from_fn(Account::new),
            holds: std::array::from_fn(|_| Hold::default()),
            posted: VecDeque::new(),
            position,
        }
    }

    /// The id of an account.
    pub(crate) fn id(&self, slot: usize) -> AccountId {
        let currency = self.accounts[slot].currency.code;
        format!("m:{}:{slot}:{currency}", self.space).parse().unwrap()
    }

    /// The id of the last hold of a slot.
    pub(crate) fn hold_id(&self, slot: usize) -> HoldId {
        let number = u64::try_from(slot).unwrap() << 48 | self.holds[slot].generation;
        HoldId::from_uuid(Uuid::from_u64_pair(self.space, number + 1))
    }

    fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn fresh_transaction(&mut self) -> TransactionId {
        TransactionId::from_uuid(Uuid::from_u64_pair(self.space, self.fresh()))
    }

    /// Does a command, and says what the engine must be asked and what it must answer.
    pub(crate) fn step(&mut self, cmd: &Cmd, now: DateTime<Utc>) -> (Command, Expected) {
        let before = self.accounts.clone();
        let (operation, done) = self.take(cmd, now);
        let expected = match done {
            Ok((events, receipt)) => {
                let first_position = self.position + 1;
                self.position += events;
                let position = self.position;
                Ok(Accepted { first_position, position, recorded_at: now, receipt })
            }
            Err(refusal) => {
                self.accounts = before;
                Err(refusal)
            }
        };
        (self.command(operation, cmd.open_only), expected)
    }

    fn command(&mut self, operation: Operation, open_only: bool) -> Command {
        use ledger_core::chart::{Authority, PostingClass};
        let number = self.fresh();
        Command {
            principal: "model".parse().unwrap(),
            idempotency: Some(Idempotency {
                key: format!("{}-{number}", self.space).parse().unwrap(),
                fingerprint: [7; 32],
            }),
            request: RequestId::from_uuid(Uuid::from_u64_pair(self.space, number)),
            authority: if open_only {
                Authority::of(&[PostingClass::Open])
            } else {
                Authority::all()
            },
            approval: None,
            operation,
        }
    }

    fn day(now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&chrono_tz::Tz::Asia__Kolkata).date_naive()
    }

    /// Whether an outcome is what was expected, in every word but the detail.
    pub(crate) fn agrees(&self, expected: &Expected, outcome: &Outcome) -> bool {
        match (expected, outcome) {
            (Ok(expected), Outcome::Accepted(accepted)) => expected == accepted,
            (Err(refusal), Outcome::Rejected(rejection)) => self.is(refusal, rejection),
            (Ok(_), Outcome::Rejected(_)) | (Err(_), Outcome::Accepted(_)) => false,
        }
    }

    fn is(&self, refusal: &Refusal, rejection: &Rejection) -> bool {
        let available = refusal.available.zip(refusal.slot);
        let available = available.map(|(amount, slot)| self.accounts[slot].decimal(amount));
        rejection.code == refusal.code
            && rejection.account == refusal.slot.map(|slot| self.id(slot))
            && rejection.available == available
            && rejection.transaction == refusal.transaction
    }
}
