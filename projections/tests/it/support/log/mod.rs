//! Writes valid events straight to the log, from a compact description: what the engine would have
//! appended. It keeps just enough of each account to state the balances that events carry.

mod append;
mod deposits;
mod holds;
mod withdrawals;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta};
use ledger_core::{
    account::{AccountEvent, Freeze, FreezeMode, Leg, LimitsChanged, Opened, Unfrozen},
    chart::{self, AccountType, Direction, PostingClass},
    clock::Timestamp,
    ids::{AccountId, HoldId, TransactionId},
    log::{self, Head, RecordedEvent, hash},
    reversal::{ReversalEvent, Reversed},
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

pub(crate) use append::append;

pub(crate) struct TestLog {
    pool: PgPool,
    pub(crate) head: Head,
    pub(crate) now: Timestamp,
    pub(crate) today: NaiveDate,
    accounts: BTreeMap<String, Books>,
    sequences: BTreeMap<(String, String), u64>,
    holds: BTreeMap<HoldId, (String, Decimal)>,
    legs: BTreeMap<TransactionId, Vec<OwnLeg>>,
    pending: Vec<RecordedEvent>,
    ids: u128,
}

#[derive(Clone)]
struct Books {
    normal: Direction,
    itemised: bool,
    scale: u32,
    balance: Decimal,
    held: Decimal,
}

/// A leg to post: account, side, amount, item.
pub(crate) type OwnLeg = (String, Direction, Decimal, Option<String>);

pub(crate) fn debit(account: &str, amount: &str) -> OwnLeg {
    leg(account, Direction::Debit, amount)
}

pub(crate) fn credit(account: &str, amount: &str) -> OwnLeg {
    leg(account, Direction::Credit, amount)
}

fn leg(account: &str, side: Direction, amount: &str) -> OwnLeg {
    // `account#item` names the item of an itemised account.
    let (account, item) = match account.split_once('#') {
        Some((account, item)) => (account, Some(item.to_owned())),
        None => (account, None),
    };
    (account.to_owned(), side, amount.parse().unwrap(), item)
}

impl TestLog {
    pub(crate) fn new(pool: &PgPool) -> Self {
        Self {
            pool: pool.clone(),
            head: Head {
                batch: 0,
                position: 0,
                hash: hash::GENESIS,
                recorded_at: DateTime::UNIX_EPOCH,
            },
            now: "2026-11-22T10:00:00Z".parse().unwrap(),
            today: "2026-11-22".parse().unwrap(),
            accounts: BTreeMap::new(),
            sequences: BTreeMap::new(),
            holds: BTreeMap::new(),
            legs: BTreeMap::new(),
            pending: Vec::new(),
            ids: 0,
        }
    }

    pub(crate) fn next_day(&mut self) {
        self.today = self.today.succ_opt().unwrap();
        self.now += TimeDelta::days(1);
    }

    /// Opens an account as the chart says, owned by its second segment.
    pub(crate) fn open(&mut self, id: &str) {
        let owner = id.split(':').nth(1).unwrap().to_owned();
        self.open_for(id, &owner);
    }

    pub(crate) fn open_for(&mut self, id: &str, owner: &str) {
        let account: AccountId = id.parse().unwrap();
        let entry = chart::lookup(&account.code());
        let scale = match account.currency().unwrap().as_str() {
            "JPY" => 0,
            "USDT" => 6,
            _ => 2,
        };
        let account_type = entry.map_or(AccountType::Asset, |entry| entry.account_type);
        let itemised = entry.is_some_and(|entry| entry.itemised);
        let floor = entry.filter(|entry| entry.floor_zero).map(|_| Decimal::ZERO);
        self.accounts.insert(
            id.to_owned(),
            Books {
                normal: account_type.normal_side(),
                itemised,
                scale: u32::from(scale),
                balance: Decimal::new(0, u32::from(scale)),
                held: Decimal::new(0, u32::from(scale)),
            },
        );
        let opened = AccountEvent::Opened(Opened {
            account,
            scale,
            owner: owner.parse().unwrap(),
            account_type,
            class: entry.map_or(PostingClass::Open, |entry| entry.class),
            itemised,
            floor,
            ceiling: None,
            metadata: [("made".to_owned(), "by \"test\" \u{0}".to_owned())].into(),
        });
        self.account_event(id, &opened);
    }

    /// Debits one, credits the other.
    pub(crate) fn transfer(&mut self, from: &str, to: &str, amount: &str) -> TransactionId {
        self.post("transfer", &[debit(from, amount), credit(to, amount)], None)
    }

    pub(crate) fn post(
        &mut self,
        kind: &str,
        legs: &[OwnLeg],
        cause: Option<&str>,
    ) -> TransactionId {
        self.ids += 1;
        let id = TransactionId::from_uuid(uuid_of(self.ids));
        self.post_as(id, kind, legs, cause);
        id
    }

    fn post_as(&mut self, id: TransactionId, kind: &str, legs: &[OwnLeg], cause: Option<&str>) {
        let count = u16::try_from(legs.len()).unwrap();
        for (number, (account, side, amount, item)) in (1..).zip(legs) {
            let books = self.accounts.get_mut(account).expect(account);
            let mut amount = *amount;
            amount.rescale(books.scale);
            books.balance += if *side == books.normal { amount } else { -amount };
            let item = item.clone().or(books.itemised.then(|| "item-0".to_owned()));
            let leg = Leg {
                transaction_id: id,
                leg: number,
                legs: count,
                kind: kind.parse().unwrap(),
                amount,
                balance_after: books.balance,
                held_after: books.held,
                effective_on: self.today,
                value_date: None,
                item: item.map(|item| item.parse().unwrap()),
                cause: cause.map(|cause| cause.parse().unwrap()),
                counted_on: None,
                fee_version: None,
            };
            let event = match side {
                Direction::Debit => AccountEvent::Debited(leg),
                Direction::Credit => AccountEvent::Credited(leg),
            };
            self.account_event(account, &event);
        }
        self.legs.insert(id, legs.to_vec());
    }

    pub(crate) fn reverse(&mut self, original: TransactionId) -> TransactionId {
        self.ids += 1;
        let by = TransactionId::from_uuid(uuid_of(self.ids));
        let reversed = ReversalEvent::Reversed(Reversed { by });
        self.push("reversal", &original.to_string(), reversed.name(), &reversed);
        let legs: Vec<OwnLeg> = self.legs[&original]
            .iter()
            .map(|(account, side, amount, item)| {
                (account.clone(), side.opposite(), *amount, item.clone())
            })
            .collect();
        self.post_as(by, "reversal", &legs, Some(&original.to_string()));
        by
    }

    pub(crate) fn freeze(&mut self, account: &str, reference: &str, lien: Option<&str>) {
        let freeze = AccountEvent::Frozen(Freeze {
            reference: reference.parse().unwrap(),
            mode: lien.map_or(FreezeMode::Debit, |_| FreezeMode::Lien),
            amount: lien.map(|amount| amount.parse().unwrap()),
        });
        self.account_event(account, &freeze);
    }

    pub(crate) fn unfreeze(&mut self, account: &str, reference: &str) {
        let reference = reference.parse().unwrap();
        self.account_event(account, &AccountEvent::Unfrozen(Unfrozen { reference }));
    }

    pub(crate) fn limit(&mut self, account: &str, floor: Option<&str>, ceiling: Option<&str>) {
        let limits = AccountEvent::LimitsChanged(LimitsChanged {
            floor: floor.map(|amount| amount.parse().unwrap()),
            ceiling: ceiling.map(|amount| amount.parse().unwrap()),
        });
        self.account_event(account, &limits);
    }

    pub(crate) fn close(&mut self, account: &str) {
        self.account_event(account, &AccountEvent::Closed {});
    }

    pub(crate) fn balance(&self, account: &str) -> (Decimal, Decimal) {
        let books = &self.accounts[account];
        (books.balance, books.held)
    }

    fn account_event(&mut self, account: &str, event: &AccountEvent) {
        self.push("account", account, event.name(), event);
    }

    fn push<E: Serialize>(&mut self, kind: &str, id: &str, name: &str, event: &E) {
        let payload = log::encode(event).unwrap();
        self.push_raw(kind, id, name, payload);
    }

    /// An event as it is, right or wrong.
    pub(crate) fn push_raw(&mut self, kind: &str, id: &str, name: &str, payload: Vec<u8>) {
        let sequence = self.sequences.entry((kind.to_owned(), id.to_owned())).or_default();
        *sequence += 1;
        self.pending.push(RecordedEvent {
            position: 0,
            aggregate_type: kind.to_owned(),
            aggregate_id: id.to_owned(),
            sequence: *sequence,
            event_type: name.to_owned(),
            event_version: "1.0".to_owned(),
            payload,
            metadata: br#"{"actor":"test"}"#.to_vec(),
            recorded_at: self.now,
            hash: hash::GENESIS,
        });
    }

    /// What is not committed yet, for tests that spoil it.
    pub(crate) fn pending(&mut self) -> &mut Vec<RecordedEvent> {
        &mut self.pending
    }

    pub(crate) fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// Appends everything since the last commit as one batch; returns the new head's position.
    pub(crate) async fn commit(&mut self) -> u64 {
        self.now += TimeDelta::milliseconds(1);
        let mut events = std::mem::take(&mut self.pending);
        for event in &mut events {
            self.head.position += 1;
            event.position = self.head.position;
            event.recorded_at = self.now;
            event.hash = event.hash_after(&self.head.hash);
            self.head.hash = event.hash;
        }
        self.head.batch += 1;
        self.head.recorded_at = self.now;
        if events.is_empty() {
            self.head.hash = hash::empty_batch_hash(&self.head.hash, self.head.batch);
        }
        append(&self.pool, &self.head, &events).await.unwrap();
        self.head.position
    }
}

/// Made like version 7 UUIDs: each greater than the one before.
fn uuid_of(number: u128) -> Uuid {
    Uuid::from_u128((0x0199_0000_0000_7000_8000 << 48) | number)
}
