//! The sandbox without HTTP: by a clock that stands still, so nothing here waits.

mod chaos;
mod money_in;
mod money_out;
mod properties;

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::{
    BankCode, Command, Sandbox, Setup,
    accounts::Account,
    clock::{Clock, Timestamp, bank_day},
    wire::{Answered, Reply, TransferRequest},
};

/// Noon in India.
fn noon() -> Timestamp {
    "2026-11-22T06:30:00Z".parse().expect("a moment")
}

fn sandbox() -> Sandbox {
    let setup = Setup::usual(1, noon());
    Sandbox::start(&setup, Clock::standing(noon()), "http://bank").expect("a sandbox")
}

fn request(reference: &str, amount: &str) -> TransferRequest {
    let request = json!({
        "reference": reference,
        "amount": { "value": amount, "currency": "INR" },
        "rail": "imps",
        "beneficiary": {
            "account_number": "001234567890", "ifsc": "TEST0000001", "name": "ASHA RAO",
        },
    });
    serde_json::from_value(request).expect("a request")
}

/// What the tests do with a bank, in the tests' words.
struct Desk {
    sandbox: Sandbox,
    bank: BankCode,
}

impl Desk {
    fn at(bank: BankCode) -> Self {
        Self { sandbox: sandbox(), bank }
    }

    fn submit(&self, reference: &str, amount: &str) -> Reply {
        self.sandbox.execute(Command::Submit(self.bank, request(reference, amount)))
    }

    fn enquire(&self, reference: &str) -> Reply {
        self.sandbox.transfer(self.bank, reference)
    }

    fn status(&self, reference: &str) -> Value {
        self.enquire(reference).body["status"].clone()
    }

    fn wait(&self, seconds: i64) {
        self.sandbox.execute(Command::Advance(seconds * 1_000));
    }

    fn today(&self) -> NaiveDate {
        bank_day(self.sandbox.clock().now())
    }

    fn lines(&self, reference: &str) -> Vec<Value> {
        self.lines_of(self.today(), reference)
    }

    fn lines_of(&self, day: NaiveDate, reference: &str) -> Vec<Value> {
        let statement = self.sandbox.statement(self.bank, Account::Escrow, day);
        assert_eq!(statement.status, 200, "{statement:?}");
        let lines = statement.body["lines"].as_array().expect("lines").iter();
        lines.filter(|line| line["reference"] == reference).cloned().collect()
    }

    /// Takes all messages that are due, as delivered: type, data, and whether badly signed.
    fn messages(&self) -> Vec<(String, Value, bool)> {
        let taken = self.sandbox.take_messages(self.bank, usize::MAX);
        taken
            .into_iter()
            .map(|attempt| {
                self.sandbox.execute(Command::Heard(self.bank, attempt.number, true));
                let body: Value = serde_json::from_str(&attempt.body).expect("JSON");
                let kind = body["type"].as_str().expect("a type").to_owned();
                (kind, body["data"].clone(), attempt.badly_signed)
            })
            .collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.messages().into_iter().map(|(kind, _, _)| kind).collect()
    }

    fn balanced(&self) {
        assert_eq!(self.sandbox.overview(self.bank).body["balanced"], true);
    }
}

fn is_silent(reply: &Reply) -> bool {
    reply.answered == Answered::Never
}

/// So much after noon.
fn after(seconds: i64) -> Timestamp {
    noon() + TimeDelta::seconds(seconds)
}
