//! The log as books: every transaction balanced and whole, every balance what its legs come to,
//! nothing below its floor at any position.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Event, Log, Transaction, Transactions};

/// The books that the log adds up to.
#[derive(Default)]
pub(crate) struct Books {
    accounts: BTreeMap<String, Account>,
    pub(crate) transactions: Transactions,
    /// Debits less credits per currency, over the whole log.
    sums: BTreeMap<String, Decimal>,
}

#[derive(Default)]
struct Account {
    debit_normal: bool,
    floor: Option<Decimal>,
    ceiling: Option<Decimal>,
    balance: Decimal,
    held: Decimal,
}

impl Books {
    /// Adds the log up, and checks each event against what stood before it.
    pub(crate) fn check(log: &Log) -> Self {
        let mut books = Self::default();
        let mut open: Option<(String, i64, i64)> = None;
        for event in &log.events {
            if event.is_leg() {
                books.leg(event);
                open = books.line_up(event, open);
            } else {
                assert_eq!(open, None, "position {}: a transaction is cut", event.position);
                books.other(event);
            }
            // At every prefix that ends with a whole transaction the books are balanced.
            if open.is_none() {
                let off = books.sums.iter().find(|(_, sum)| !sum.is_zero());
                assert_eq!(off, None, "position {}: off balance", event.position);
            }
        }
        assert_eq!(open, None, "the log ends in the middle of a transaction");
        books
    }

    /// The balance of an account on its normal side.
    pub(crate) fn balance(&self, account: &str) -> Decimal {
        self.accounts.get(account).map(|account| account.balance).unwrap_or_default()
    }

    /// Legs lie side by side and are numbered; says which leg must come next, if any.
    fn line_up(
        &mut self,
        event: &Event,
        open: Option<(String, i64, i64)>,
    ) -> Option<(String, i64, i64)> {
        let Event { position, .. } = event;
        let id = event.text("transaction_id").to_owned();
        let (leg, legs) = (event.number("leg"), event.number("legs"));
        let expected = open.unwrap_or_else(|| (id.clone(), 1, legs));
        assert_eq!((id.clone(), leg, legs), expected, "position {position}: legs out of line");
        let side = event.name.clone();
        let entry = (event.stream.clone(), side, event.text("amount").to_owned());
        if leg == 1 {
            let first = Transaction {
                first_position: *position,
                last_position: *position,
                legs: vec![entry],
            };
            let twice = self.transactions.insert(id.clone(), first);
            assert!(twice.is_none(), "position {position}: {id} is there twice");
        } else {
            let transaction = self.transactions.get_mut(&id).unwrap();
            transaction.last_position = *position;
            transaction.legs.push(entry);
        }
        (leg < legs).then(|| (id, leg + 1, legs))
    }

    fn leg(&mut self, event: &Event) {
        let Event { position, stream, .. } = event;
        let amount = decimal(&event.body, "amount").unwrap();
        assert!(amount > Decimal::ZERO, "position {position}: {amount}");
        let account = self.accounts.get_mut(stream).expect("an account is opened first");
        let debit = event.name == "debited";
        let increase = debit == account.debit_normal;
        account.balance += if increase { amount } else { -amount };
        assert_eq!(
            decimal(&event.body, "balance_after"),
            Some(account.balance),
            "position {position}: the balance of {stream}"
        );
        let held = decimal(&event.body, "held_after").unwrap_or_default();
        assert_eq!(held, account.held, "position {position}: what is held of {stream}");
        let free = account.balance - account.held;
        if let Some(floor) = account.floor.filter(|_| !increase) {
            assert!(free >= floor, "position {position}: {stream} at {free} is below {floor}");
        }
        if let Some(ceiling) = account.ceiling.filter(|_| increase) {
            let balance = account.balance;
            assert!(balance <= ceiling, "position {position}: {stream} at {balance}");
        }
        let currency = stream.rsplit(':').next().unwrap().to_owned();
        *self.sums.entry(currency).or_default() += if debit { amount } else { -amount };
    }

    fn other(&mut self, event: &Event) {
        if event.kind != "account" {
            return;
        }
        let account = self.accounts.entry(event.stream.clone()).or_default();
        match event.name.as_str() {
            "opened" => {
                account.debit_normal = ["asset", "expense"].contains(&event.text("type"));
                account.floor = decimal(&event.body, "floor");
                account.ceiling = decimal(&event.body, "ceiling");
            }
            "limits_changed" => {
                account.floor = decimal(&event.body, "floor");
                account.ceiling = decimal(&event.body, "ceiling");
            }
            "hold_placed" | "hold_increased" => {
                account.held += decimal(&event.body, "amount").unwrap();
                account.check_held(event);
                let free = account.balance - account.held;
                let enough = account.floor.is_none_or(|floor| free >= floor);
                assert!(enough, "position {}: held more than there is", event.position);
            }
            "hold_captured" | "hold_released" | "hold_expired" => {
                account.held -= decimal(&event.body, "amount").unwrap();
                account.check_held(event);
            }
            "frozen" | "unfrozen" | "closed" => {}
            other => panic!("position {}: the checker does not know {other}", event.position),
        }
    }
}

impl Account {
    fn check_held(&self, event: &Event) {
        let held = decimal(&event.body, "held_after");
        assert_eq!(held, Some(self.held), "position {}: the sum of holds", event.position);
    }
}

fn decimal(body: &Value, field: &str) -> Option<Decimal> {
    body.get(field)?.as_str().map(|text| text.parse().unwrap())
}
