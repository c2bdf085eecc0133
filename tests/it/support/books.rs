//! The books as docs/events.md says they come out of the log: a fold of its own, which shares no
//! code with the aggregates, and which holds every rule against every event on the way.

use std::collections::BTreeMap;

use ledger_core::{
    clock::Timestamp,
    log::{RecordedEvent, hash, read},
};
use rust_decimal::Decimal;
use serde::Deserialize;
use sqlx::{PgPool, Row};

/// What a log comes to.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) accounts: BTreeMap<String, AccountBook>,
    pub(crate) holds: BTreeMap<String, HoldBook>,
    /// Open amounts of itemised accounts, debits above zero, by account and item.
    pub(crate) items: BTreeMap<(String, String), Decimal>,
    pub(crate) transactions: BTreeMap<String, TransactionBook>,
    /// Transactions that were reversed, with the transaction that did it.
    pub(crate) reversed: BTreeMap<String, String>,
    pub(crate) position: u64,
    sequences: BTreeMap<(String, String), u64>,
    hash: hash::Hash,
    recorded_at: Timestamp,
    /// The transaction whose legs are being written, with the debits less credits by currency.
    open: Option<(String, u16, BTreeMap<String, Decimal>)>,
}

/// One account.
#[derive(Debug, Default)]
pub(crate) struct AccountBook {
    debit_normal: bool,
    scale: u32,
    itemised: bool,
    floor: Option<Decimal>,
    ceiling: Option<Decimal>,
    freezes: BTreeMap<String, Freeze>,
    pub(crate) closed: bool,
    pub(crate) balance: Decimal,
    pub(crate) held: Decimal,
    pub(crate) sequence: u64,
    pub(crate) debits: Decimal,
    pub(crate) credits: Decimal,
}

impl AccountBook {
    /// What a decrease could take; nothing = no limit.
    pub(crate) fn available(&self) -> Option<Decimal> {
        let liens: Decimal = self.freezes.values().filter_map(|freeze| freeze.amount).sum();
        self.floor.map(|floor| self.balance - self.held - liens - floor)
    }
}

/// One hold.
#[derive(Debug)]
pub(crate) struct HoldBook {
    pub(crate) account: String,
    pub(crate) amount: Decimal,
    pub(crate) end: Option<String>,
}

/// One transaction.
#[derive(Debug, Default)]
pub(crate) struct TransactionBook {
    pub(crate) kind: String,
    pub(crate) cause: Option<String>,
    pub(crate) legs: Vec<LegBook>,
}

/// One leg.
#[derive(Debug, Clone)]
pub(crate) struct LegBook {
    pub(crate) account: String,
    pub(crate) debit: bool,
    pub(crate) amount: Decimal,
    pub(crate) item: Option<String>,
    pub(crate) effective_on: String,
    pub(crate) value_date: Option<String>,
}

#[derive(Deserialize)]
struct Opened {
    account: String,
    scale: u32,
    #[serde(rename = "type")]
    account_type: String,
    #[serde(default)]
    itemised: bool,
    floor: Option<Decimal>,
    ceiling: Option<Decimal>,
}

#[derive(Deserialize)]
struct Leg {
    transaction_id: String,
    #[serde(rename = "leg")]
    number: u16,
    legs: u16,
    kind: String,
    amount: Decimal,
    balance_after: Decimal,
    #[serde(default)]
    held_after: Decimal,
    effective_on: String,
    value_date: Option<String>,
    item: Option<String>,
    cause: Option<String>,
}

#[derive(Deserialize)]
struct HoldChange {
    amount: Decimal,
    balance_after: Decimal,
    held_after: Decimal,
}

#[derive(Deserialize)]
struct Limits {
    floor: Option<Decimal>,
    ceiling: Option<Decimal>,
}

#[derive(Debug, Deserialize)]
struct Freeze {
    reference: String,
    mode: String,
    amount: Option<Decimal>,
}

#[derive(Deserialize)]
struct Reference {
    reference: String,
}

#[derive(Deserialize)]
struct Placed {
    account: String,
    amount: Decimal,
}

#[derive(Deserialize)]
struct Increased {
    amount: Decimal,
}

#[derive(Deserialize)]
struct Reversed {
    by: String,
}

fn payload<'a, T: Deserialize<'a>>(event: &'a RecordedEvent) -> T {
    serde_json::from_slice(&event.payload).unwrap_or_else(|error| panic!("{error}: {event:?}"))
}

impl Books {
    /// The books of a whole log, with every rule and the chain of hashes held against it.
    ///
    /// # Panics
    /// If a rule is broken.
    pub(crate) async fn of(pool: &PgPool) -> Self {
        let mut books = Self::default();
        books.follow(pool).await;
        books
    }

    /// Reads on from where these books end.
    pub(crate) async fn follow(&mut self, pool: &PgPool) {
        let batches = sqlx::query(
            "select number, last_position, head_hash, recorded_at from batches
             where last_position >= $1 order by number",
        )
        .bind(i64::try_from(self.position).unwrap())
        .fetch_all(pool)
        .await
        .unwrap();
        let last = batches.last().map_or(0, |row| row.get::<i64, _>("last_position"));
        let upto = u64::try_from(last).unwrap();
        let mut events =
            read::events(pool, self.position, upto, u32::MAX).await.unwrap().into_iter();
        // Up to the batch where these books ended, all was checked before.
        let mut known = true;
        for batch in batches {
            let number = u64::try_from(batch.get::<i64, _>("number")).unwrap();
            let last = u64::try_from(batch.get::<i64, _>("last_position")).unwrap();
            let head: Vec<u8> = batch.get("head_hash");
            if known {
                known = head != self.hash;
                continue;
            }
            if last == self.position {
                self.hash = hash::empty_batch_hash(&self.hash, number);
            }
            while self.position < last {
                let event = events.next().expect("an event for every position");
                self.apply(&event);
                let recorded_at: Timestamp = batch.get("recorded_at");
                assert_eq!(event.recorded_at, recorded_at, "{event:?}");
            }
            assert_eq!(head, self.hash, "the head of batch {number}");
            assert!(self.open.is_none(), "a transaction is spread over two batches");
        }
        assert!(!known, "the log lacks a batch that it had");
        assert!(events.next().is_none(), "an event that no batch brought");
    }

    fn apply(&mut self, event: &RecordedEvent) {
        self.position += 1;
        assert_eq!(event.position, self.position, "positions are 1 to n");
        let stream = (event.aggregate_type.clone(), event.aggregate_id.clone());
        let sequence = self.sequences.entry(stream).or_default();
        *sequence += 1;
        assert_eq!(event.sequence, *sequence, "sequences are 1 to n: {event:?}");
        assert!(event.recorded_at >= self.recorded_at, "time falls: {event:?}");
        self.recorded_at = event.recorded_at;
        self.hash = event.hash_after(&self.hash);
        assert_eq!(event.hash, self.hash, "the chain at {}", event.position);
        match event.aggregate_type.as_str() {
            "account" => self.account(event),
            "hold" => self.hold(event),
            "reversal" => {
                let Reversed { by } = payload(event);
                let before = self.reversed.insert(event.aggregate_id.clone(), by);
                assert!(before.is_none(), "reversed twice: {event:?}");
            }
            // What it moves are its legs, which are held against every rule here.
            "withdrawal" | "deposit" | "transfer" | "book" => {}
            other => panic!("an unknown kind of stream: {other}"),
        }
    }

    fn account(&mut self, event: &RecordedEvent) {
        let id = event.aggregate_id.as_str();
        if event.event_type == "opened" {
            let opened: Opened = payload(event);
            assert_eq!(opened.account, id);
            let book = AccountBook {
                debit_normal: matches!(opened.account_type.as_str(), "asset" | "expense"),
                scale: opened.scale,
                itemised: opened.itemised,
                floor: opened.floor,
                ceiling: opened.ceiling,
                sequence: event.sequence,
                ..AccountBook::default()
            };
            assert!(self.accounts.insert(id.to_owned(), book).is_none(), "opened twice: {id}");
            return;
        }
        let account = self.accounts.get_mut(id).unwrap_or_else(|| panic!("{id} was never opened"));
        assert!(!account.closed, "after the end: {event:?}");
        account.sequence = event.sequence;
        match event.event_type.as_str() {
            "debited" | "credited" => self.leg(event),
            "limits_changed" => {
                Limits { floor: account.floor, ceiling: account.ceiling } = payload(event);
            }
            "frozen" => {
                let freeze: Freeze = payload(event);
                assert_eq!(freeze.mode == "lien", freeze.amount.is_some());
                let before = account.freezes.insert(freeze.reference.clone(), freeze);
                assert!(before.is_none(), "frozen twice: {event:?}");
            }
            "unfrozen" => {
                let Reference { reference } = payload(event);
                assert!(account.freezes.remove(&reference).is_some(), "not frozen: {event:?}");
            }
            "closed" => {
                let empty = account.balance.is_zero() && account.held.is_zero();
                assert!(empty && account.freezes.is_empty(), "closed: {account:?}");
                account.closed = true;
            }
            _ => account.hold_changed(event),
        }
    }

    fn leg(&mut self, event: &RecordedEvent) {
        let (id, debit) = (event.aggregate_id.as_str(), event.event_type == "debited");
        let leg: Leg = payload(event);
        let account = self.accounts.get_mut(id).unwrap();
        account.moved(event, debit, &leg);
        let signed = if debit { leg.amount } else { -leg.amount };
        if let Some(item) = &leg.item {
            *self.items.entry((id.to_owned(), item.clone())).or_default() += signed;
        }
        let open =
            self.open.get_or_insert_with(|| (leg.transaction_id.clone(), 0, BTreeMap::new()));
        open.1 += 1;
        assert_eq!((&open.0, open.1), (&leg.transaction_id, leg.number), "legs lie side by side");
        let currency = id.rsplit(':').next().unwrap().to_owned();
        *open.2.entry(currency).or_default() += signed;
        if leg.number == leg.legs {
            let balanced = open.2.values().all(Decimal::is_zero);
            assert!(balanced, "{} is off balance: {:?}", leg.transaction_id, open.2);
            self.open = None;
        }
        let transaction = self.transactions.entry(leg.transaction_id).or_default();
        assert_eq!(transaction.legs.len() + 1, usize::from(leg.number), "an id was used twice");
        (transaction.kind, transaction.cause) = (leg.kind, leg.cause);
        transaction.legs.push(LegBook {
            account: id.to_owned(),
            debit,
            amount: leg.amount,
            item: leg.item,
            effective_on: leg.effective_on,
            value_date: leg.value_date,
        });
    }

    fn hold(&mut self, event: &RecordedEvent) {
        assert!(self.open.is_none(), "legs lie side by side");
        let id = event.aggregate_id.as_str();
        if event.event_type == "placed" {
            let Placed { account, amount } = payload(event);
            let hold = HoldBook { account, amount, end: None };
            assert!(self.holds.insert(id.to_owned(), hold).is_none(), "placed twice: {id}");
            return;
        }
        let hold = self.holds.get_mut(id).unwrap_or_else(|| panic!("{id} was never placed"));
        assert_eq!(hold.end, None, "after the end: {event:?}");
        match event.event_type.as_str() {
            "increased" => Increased { amount: hold.amount } = payload(event),
            end => hold.end = Some(end.to_owned()),
        }
    }

    /// Holds against the accounts what only the whole log can show.
    pub(crate) fn assert_whole(&self) {
        let mut held: BTreeMap<&str, Decimal> = BTreeMap::new();
        for hold in self.holds.values().filter(|hold| hold.end.is_none()) {
            *held.entry(&hold.account).or_default() += hold.amount;
        }
        let mut totals: BTreeMap<&str, Decimal> = BTreeMap::new();
        for (id, account) in &self.accounts {
            let open = held.get(id.as_str()).copied().unwrap_or_default();
            assert_eq!(account.held, open, "the open holds of {id}");
            *totals.entry(id.rsplit(':').next().unwrap()).or_default() +=
                account.debits - account.credits;
            if account.itemised {
                let items = self.items.iter().filter(|((of, _), _)| of == id);
                let open: Decimal = items.map(|(_, amount)| *amount).sum();
                assert_eq!(open, account.debits - account.credits, "the open items of {id}");
            }
        }
        assert!(totals.values().all(Decimal::is_zero), "the trial balance: {totals:?}");
    }
}

impl AccountBook {
    fn moved(&mut self, event: &RecordedEvent, debit: bool, leg: &Leg) {
        assert!(leg.amount > Decimal::ZERO, "{event:?}");
        let scales = [leg.amount.scale(), leg.balance_after.scale()];
        assert_eq!(scales, [self.scale; 2], "at the currency's scale: {event:?}");
        assert_eq!(leg.item.is_some(), self.itemised, "{event:?}");
        let stopped = self.freezes.values().any(|freeze| match freeze.mode.as_str() {
            "debit" => debit,
            "credit" => !debit,
            mode => mode == "both",
        });
        assert!(!stopped, "a frozen account moved: {event:?}");
        *(if debit { &mut self.debits } else { &mut self.credits }) += leg.amount;
        let increase = debit == self.debit_normal;
        self.balance += if increase { leg.amount } else { -leg.amount };
        assert_eq!((leg.balance_after, leg.held_after), (self.balance, self.held), "{event:?}");
        if increase {
            assert!(self.ceiling.is_none_or(|c| self.balance <= c), "above its ceiling: {event:?}");
        } else {
            self.assert_covered(event);
        }
    }

    fn hold_changed(&mut self, event: &RecordedEvent) {
        let change: HoldChange = payload(event);
        assert!(change.amount > Decimal::ZERO, "{event:?}");
        match event.event_type.as_str() {
            "hold_placed" | "hold_increased" => {
                self.held += change.amount;
                self.assert_covered(event);
            }
            "hold_captured" | "hold_released" | "hold_expired" => self.held -= change.amount,
            other => panic!("an unknown event: {other}"),
        }
        let told = (change.balance_after, change.held_after);
        assert_eq!(told, (self.balance, self.held), "{event:?}");
    }

    /// After a decrease or a hold the account can still give nothing less than nothing.
    fn assert_covered(&self, event: &RecordedEvent) {
        let covered = self.available().is_none_or(|available| available >= Decimal::ZERO);
        assert!(covered, "below its floor: {event:?}");
    }
}
