//! One bank: its books, its records, its outbox, and what it will do later.
//!
//! It does no I/O and knows no clock: every call says when it happens, and whatever was due until
//! then happens first, each thing at its own time. So its state depends on the calls and their
//! times alone, not on how often anybody looked; a replay of the same calls ends the same.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    accounts::{Account, Books, BooksError},
    clock::{Timestamp, bank_day},
    contract::{BankCode, Contract},
    credits::Credits,
    dice::Dice,
    faults::{Chaos, Fault, Mode, Weather},
    lumps::Gateway,
    money::{Amount, wire},
    receipts::Arrival,
    statements::{Asked, statement},
    transfers::Transfers,
    webhooks::{Outbox, Plan, Telling},
    wire::{NameCheck, Reply},
};

/// How much later a message comes whose call was silent.
const SILENT_TOLD_AFTER: TimeDelta = TimeDelta::seconds(90);
/// How much later a credit's message comes that is to be overtaken.
const OVERTAKEN_AFTER: TimeDelta = TimeDelta::seconds(20);

/// How a bank starts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankSetup {
    /// Which one.
    pub bank: BankCode,
    /// What the escrow account has, in paise.
    pub escrow_paise: i64,
    /// What the own account has, in paise.
    pub own_paise: i64,
    /// How many submissions it takes in a second.
    pub rate_per_second: u32,
}

impl BankSetup {
    /// Nine crore rupees of other people's, one of our own, and a rate that lets queues form.
    pub const fn usual(bank: BankCode) -> Self {
        Self { bank, escrow_paise: 9_000_000_000, own_paise: 1_000_000_000, rate_per_second: 200 }
    }
}

/// What will happen by itself.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    Pay { reference: String },
    RefuseLate { reference: String },
    Return { reference: String },
    Arrive(Box<Arrival>),
    AskBack { credit: String },
    SettleLumps,
}

/// One bank.
#[derive(Debug)]
pub(crate) struct Bank {
    pub(crate) contract: Contract,
    pub(crate) dice: Dice,
    pub(crate) books: Books,
    pub(crate) transfers: Transfers,
    pub(crate) credits: Credits,
    pub(crate) gateway: Gateway,
    pub(crate) outbox: Outbox,
    pub(crate) chaos: Chaos,
    /// Until when the other bank of a beneficiary is offline.
    pub(crate) offline: BTreeMap<String, Timestamp>,
    /// The second of the last submissions, and how many there were in it.
    pub(crate) pace: (i64, u32),
    /// Where people find it.
    pub(crate) base_url: String,
    agenda: BTreeMap<(Timestamp, u64), Due>,
    planned: u64,
    /// Enquiries so far: they change nothing but what chance does to the next.
    queries: u64,
    first_day: NaiveDate,
}

impl Bank {
    pub(crate) fn open(
        setup: BankSetup,
        seed: u64,
        at: Timestamp,
        base_url: &str,
    ) -> Result<Self, BooksError> {
        let code = setup.bank.as_str();
        let escrow = Amount::from_paise(setup.escrow_paise);
        let own = Amount::from_paise(setup.own_paise);
        Ok(Self {
            contract: Contract::of(setup.bank, setup.rate_per_second.max(1)),
            dice: Dice::new(seed, code),
            books: Books::open(at, escrow, own)?,
            transfers: Transfers::default(),
            credits: Credits::default(),
            gateway: Gateway::default(),
            outbox: Outbox::default(),
            chaos: Chaos::default(),
            offline: BTreeMap::new(),
            pace: (0, 0),
            base_url: format!("{base_url}/banks/{code}"),
            agenda: BTreeMap::new(),
            planned: 0,
            queries: 0,
            first_day: bank_day(at),
        })
    }

    pub(crate) fn plan(&mut self, at: Timestamp, due: Due) {
        self.agenda.insert((at, self.planned), due);
        self.planned = self.planned.saturating_add(1);
    }

    /// When something happens by itself next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    /// Does what is due until `now`, in order.
    pub(crate) fn run_until(&mut self, now: Timestamp) {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some(((at, _), due)) = self.agenda.pop_first() else {
                break;
            };
            match due {
                Due::Pay { reference } => self.pay(&reference, at),
                Due::RefuseLate { reference } => self.refuse_late(&reference, at),
                Due::Return { reference } => self.give_back(&reference, at),
                Due::Arrive(arrival) => self.arrive(*arrival, at),
                Due::AskBack { credit } => self.ask_back(&credit, at),
                Due::SettleLumps => self.settle_lumps(at),
            }
        }
    }

    /// Sets a mode.
    pub(crate) fn set_mode(&mut self, at: Timestamp, mode: &Mode) -> Reply {
        self.run_until(at);
        if let Some(objection) = mode.objection() {
            return Reply::problem(422, "invalid", objection);
        }
        self.chaos.set(at, mode.clone());
        Reply::ok(json!(mode))
    }

    /// Draws a UTR for one movement of money.
    pub(crate) fn utr(&self, purpose: &str, about: &str) -> String {
        let number = self.dice.roll(purpose, about) % 1_000_000_000_000;
        format!("{}{number:012}", self.contract.utr_prefix)
    }

    /// Puts a message into the outbox, unless a failure or chance swallows it.
    pub(crate) fn notify(&mut self, kind: &str, at: Timestamp, data: Value, fault: Option<Fault>) {
        self.notify_after(TimeDelta::zero(), kind, at, data, fault);
    }

    /// The same, told so much later.
    pub(crate) fn notify_after(
        &mut self,
        after: TimeDelta,
        kind: &str,
        at: Timestamp,
        mut data: Value,
        fault: Option<Fault>,
    ) {
        let number = self.outbox.next_number().to_string();
        let carriage = self.chaos.mode(at).carriage(&self.dice, &number);
        let swallowed = matches!(fault, Some(Fault::WebhookLost | Fault::OnlyOnStatement));
        if swallowed || carriage.lost {
            self.outbox.skip();
            return;
        }
        let held_back = match fault {
            Some(Fault::SilentButDone) => SILENT_TOLD_AFTER,
            Some(Fault::WebhookOutOfOrder) if kind.starts_with("credit.") => OVERTAKEN_AFTER,
            _ => TimeDelta::zero(),
        };
        if fault == Some(Fault::WebhookOtherAmount) {
            tell_other_amount(&mut data);
        }
        let due = at + after + held_back + carriage.late.unwrap_or_default();
        let telling = Telling {
            twice: carriage.twice || fault == Some(Fault::WebhookTwice),
            badly_signed_first: fault == Some(Fault::WebhookBadSignature),
        };
        let id = format!("msg_{}", self.dice.id("message", &number));
        self.outbox.put(id, kind, at, &data, Plan { due, telling });
    }

    /// What chance does to a question: an answer instead of the right one, or none.
    fn mishap(&mut self, at: Timestamp) -> Result<TimeDelta, Reply> {
        self.queries = self.queries.saturating_add(1);
        let about = format!("query/{}", self.queries);
        let mode = self.chaos.mode(at);
        match mode.weather(&self.dice, &about) {
            Weather::Fair => Ok(mode.latency(&self.dice, &about)),
            Weather::CallLost | Weather::AnswerLost => Err(Reply::silence()),
            Weather::ErrorBefore | Weather::ErrorAfter => Err(self.outage(&about)),
        }
    }

    /// An error that says nothing about what was done.
    pub(crate) fn outage(&self, about: &str) -> Reply {
        if self.dice.happens(50, "outage", about) {
            Reply::problem(500, "bank_error", "the bank's system failed")
        } else {
            Reply::problem(503, "bank_unavailable", "the bank's system is unavailable")
        }
    }

    /// Answers a question, if chance lets it.
    pub(crate) fn ask(&mut self, at: Timestamp, answer: impl FnOnce(&Self) -> Reply) -> Reply {
        self.run_until(at);
        match self.mishap(at) {
            Ok(latency) if latency.is_zero() => answer(self),
            Ok(latency) => answer(self).later(at + latency),
            Err(mishap) => mishap,
        }
    }

    /// What became of a transfer.
    pub(crate) fn transfer(&self, reference: &str) -> Reply {
        match self.transfers.get(reference).filter(|transfer| !transfer.is_hidden()) {
            Some(transfer) => Reply::ok(transfer.view()),
            None => Reply::not_found("transfer"),
        }
    }

    /// What arrived.
    pub(crate) fn credit(&self, id: &str) -> Reply {
        match self.credits.credit(id).filter(|credit| !credit.hidden) {
            Some(credit) => Reply::ok(credit.view()),
            None => Reply::not_found("credit"),
        }
    }

    /// What became of a link.
    pub(crate) fn link(&self, token: &str) -> Reply {
        match self.credits.link(token) {
            Some(link) => Reply::ok(self.credits.view(link)),
            None => Reply::not_found("link"),
        }
    }

    /// One day of one account.
    pub(crate) fn statement(&self, account: Account, date: NaiveDate, now: Timestamp) -> Reply {
        statement((&self.books, &self.gateway), Asked { account, date, first: self.first_day, now })
    }

    /// Whether it does well.
    pub(crate) fn health(&self, at: Timestamp) -> Reply {
        let status = if self.chaos.mode(at).is_calm() { "up" } else { "degraded" };
        Reply::ok(json!({ "status": status }))
    }

    /// What the bank has and does, for tests to compare with.
    pub(crate) fn overview(&self) -> Value {
        let mut transfers: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
        for transfer in self.transfers.iter() {
            let (count, paise) = transfers.entry(transfer.status.as_str()).or_default();
            *count = count.saturating_add(1);
            *paise = paise.saturating_add(transfer.amount.paise());
        }
        let transfers: BTreeMap<&str, Value> = transfers
            .into_iter()
            .map(|(status, (count, sum))| (status, json!({ "count": count, "sum": wire(sum) })))
            .collect();
        let tally = self.outbox.tally();
        json!({
            "balanced": self.books.check().is_ok(),
            "balances": {
                "escrow": wire(self.books.balance(Account::Escrow)),
                "own": wire(self.books.balance(Account::Own)),
                "network": wire(self.books.balance(Account::Network)),
            },
            "transactions": self.books.transactions().len(),
            "transfers": transfers,
            "credits": self.credits.len(),
            "planned": self.agenda.len(),
            "webhooks": {
                "waiting": self.outbox.waiting(),
                "delivered": tally.delivered,
                "given_up": tally.given_up,
                "dropped": tally.dropped,
            },
        })
    }
}

/// A rupee more than is true.
fn tell_other_amount(data: &mut Value) {
    let Some(amount) = data.get_mut("amount") else {
        return;
    };
    if let Ok(true_amount) = serde_json::from_value::<Amount>(amount.clone()) {
        *amount = json!(true_amount.and_a_rupee());
    }
}

/// Whose account this is. At a branch for tests, numbers that end in 0000 are closed, in 9999
/// unknown, in 9 somebody else's.
pub(crate) fn name_check(asked: &NameCheck) -> Reply {
    let number = asked.account_number.as_str();
    let status = match (asked.ifsc.is_test(), number) {
        (true, n) if n.ends_with("0000") => "closed",
        (true, n) if n.ends_with("9999") => "not_found",
        _ => "found",
    };
    let none: Option<&str> = None;
    if status != "found" {
        return Reply::ok(json!({ "status": status, "registered_name": none, "match": none }));
    }
    let given = asked.name.as_ref().map(|name| name.as_str().trim().to_uppercase());
    let other = asked.ifsc.is_test() && number.ends_with('9');
    let registered = match &given {
        Some(name) if !other => name.clone(),
        Some(_) | None => "MEERA NAIR".to_owned(),
    };
    let matches = given.map(|name| if name == registered { "exact" } else { "none" });
    Reply::ok(json!({ "status": status, "registered_name": registered, "match": matches }))
}
