//! The trivial model: every leg and hold event of a prefix of the log, added up. It reads amounts,
//! not the balances that events state.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use ledger_core::{
    account::AccountEvent,
    chart::Direction,
    log::{self, RecordedEvent},
};
use rust_decimal::Decimal;
use sqlx::PgPool;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) normal: Direction,
    pub(crate) posted: Decimal,
    pub(crate) held: Decimal,
    pub(crate) sequence: u64,
    pub(crate) by_day: BTreeMap<NaiveDate, (Decimal, Decimal)>,
    pub(crate) items: BTreeMap<String, Decimal>,
}

/// The whole log.
pub(crate) async fn events(pool: &PgPool) -> Vec<RecordedEvent> {
    let head = log::read::head(pool).await.unwrap();
    log::read::events(pool, 0, head.position, u32::MAX).await.unwrap()
}

/// The accounts after the events up to `position`.
pub(crate) fn accounts(events: &[RecordedEvent], position: u64) -> BTreeMap<String, Truth> {
    let mut accounts = BTreeMap::new();
    let prefix = events.iter().take_while(|event| event.position <= position);
    for event in prefix.filter(|event| event.aggregate_type == "account") {
        let fact = log::decode(&event.event_type, &event.event_version, &event.payload).unwrap();
        if let AccountEvent::Opened(opened) = &fact {
            let truth = Truth {
                normal: opened.account_type.normal_side(),
                posted: Decimal::ZERO,
                held: Decimal::ZERO,
                sequence: 0,
                by_day: BTreeMap::new(),
                items: BTreeMap::new(),
            };
            accounts.insert(event.aggregate_id.clone(), truth);
        }
        let truth: &mut Truth = accounts.get_mut(&event.aggregate_id).unwrap();
        truth.sequence += 1;
        truth.apply(&fact);
    }
    accounts
}

impl Truth {
    fn apply(&mut self, fact: &AccountEvent) {
        let (side, leg) = match fact {
            AccountEvent::Debited(leg) => (Direction::Debit, leg),
            AccountEvent::Credited(leg) => (Direction::Credit, leg),
            AccountEvent::HoldPlaced(hold) | AccountEvent::HoldIncreased(hold) => {
                self.held += hold.amount;
                return;
            }
            AccountEvent::HoldCaptured(hold)
            | AccountEvent::HoldReleased(hold)
            | AccountEvent::HoldExpired(hold) => {
                self.held -= hold.amount;
                return;
            }
            AccountEvent::Opened(_)
            | AccountEvent::LimitsChanged(_)
            | AccountEvent::TierSet(_)
            | AccountEvent::Frozen(_)
            | AccountEvent::Unfrozen(_)
            | AccountEvent::Closed {} => return,
        };
        let day = self.by_day.entry(leg.effective_on).or_default();
        let signed = if side == self.normal {
            day.0 += leg.amount;
            leg.amount
        } else {
            day.1 += leg.amount;
            -leg.amount
        };
        self.posted += signed;
        if let Some(item) = &leg.item {
            *self.items.entry(item.to_string()).or_default() += signed;
        }
    }
}

/// Whether no transaction is under way after the event at `position`: the next is no later leg.
pub(crate) fn is_whole(events: &[RecordedEvent], position: u64) -> bool {
    let next = events.iter().find(|event| event.position > position);
    let next = next.filter(|event| event.aggregate_type == "account");
    let next = next
        .map(|event| log::decode(&event.event_type, &event.event_version, &event.payload).unwrap());
    match next {
        Some(AccountEvent::Debited(leg) | AccountEvent::Credited(leg)) => leg.leg == 1,
        _ => true,
    }
}
