//! Given these events, when this is asked, then these events or that refusal.

mod decisions;
mod limits;
mod refusals;
mod shape;

use cqrs_es::{Aggregate, test::TestFramework};
use rust_decimal::Decimal;

use super::*;
use crate::{
    chart::PostingClass,
    testing::{account, currency, day, dec, hold, minute, txn},
};

/// An account as [`opened`] opens it: `wallet:a:INR`, a liability that can't go below zero.
fn properties() -> Opened {
    Opened {
        account: account("wallet:a:INR"),
        scale: 2,
        owner: "asha".parse().unwrap(),
        account_type: AccountType::Liability,
        class: PostingClass::Open,
        itemised: false,
        floor: Some(dec("0.00")),
        ceiling: None,
        metadata: BTreeMap::new(),
    }
}

fn opened() -> AccountEvent {
    AccountEvent::Opened(properties())
}

fn opened_with(change: impl FnOnce(&mut Opened)) -> AccountEvent {
    let mut properties = properties();
    change(&mut properties);
    AccountEvent::Opened(properties)
}

fn leg(amount: &str, balance_after: &str) -> Leg {
    Leg {
        transaction_id: txn(1),
        leg: 1,
        legs: 2,
        kind: "transfer".parse().unwrap(),
        amount: dec(amount),
        balance_after: dec(balance_after),
        held_after: Decimal::ZERO,
        effective_on: day(),
        value_date: None,
        item: None,
        cause: None,
        counted_on: None,
        fee_version: None,
    }
}

fn credited(amount: &str, balance_after: &str) -> AccountEvent {
    AccountEvent::Credited(leg(amount, balance_after))
}

fn debited(amount: &str, balance_after: &str) -> AccountEvent {
    AccountEvent::Debited(leg(amount, balance_after))
}

fn change(number: u128, amount: &str, balance_after: &str, held_after: &str) -> HoldChange {
    HoldChange {
        hold_id: hold(number),
        amount: dec(amount),
        balance_after: dec(balance_after),
        held_after: dec(held_after),
        expires_at: None,
    }
}

fn held(amount: &str, balance_after: &str, held_after: &str) -> AccountEvent {
    AccountEvent::HoldPlaced(change(1, amount, balance_after, held_after))
}

fn freeze(reference: &str, mode: FreezeMode, amount: Option<&str>) -> Freeze {
    Freeze { reference: reference.parse().unwrap(), mode, amount: amount.map(dec) }
}

fn frozen(reference: &str, mode: FreezeMode) -> AccountEvent {
    AccountEvent::Frozen(freeze(reference, mode, None))
}

fn lien(reference: &str, amount: &str) -> AccountEvent {
    AccountEvent::Frozen(freeze(reference, FreezeMode::Lien, Some(amount)))
}

fn post(direction: Direction, amount: &str) -> PostLeg {
    PostLeg {
        transaction_id: txn(1),
        leg: 1,
        legs: 2,
        kind: "transfer".parse().unwrap(),
        direction,
        amount: dec(amount),
        effective_on: day(),
        value_date: None,
        item: None,
        cause: None,
        fee_version: None,
        authority: Authority::all(),
        expected_sequence: None,
        minimum_balance: None,
        today: day(),
        tiers: std::sync::Arc::default(),
    }
}

fn debit(amount: &str) -> AccountCommand {
    AccountCommand::Post(post(Direction::Debit, amount))
}

fn credit(amount: &str) -> AccountCommand {
    AccountCommand::Post(post(Direction::Credit, amount))
}

fn place(amount: &str) -> AccountCommand {
    AccountCommand::PlaceHold {
        hold_id: hold(1),
        amount: dec(amount),
        expires_at: None,
        authority: Authority::all(),
    }
}

fn end(amount: &str, end: HoldEnd) -> AccountCommand {
    AccountCommand::EndHold { hold_id: hold(1), amount: dec(amount), end }
}

fn limits(floor: Option<&str>, ceiling: Option<&str>) -> AccountCommand {
    AccountCommand::ChangeLimits { floor: floor.map(dec), ceiling: ceiling.map(dec) }
}

fn limits_changed(floor: Option<&str>, ceiling: Option<&str>) -> AccountEvent {
    AccountEvent::LimitsChanged(LimitsChanged { floor: floor.map(dec), ceiling: ceiling.map(dec) })
}

fn open_command(change: impl FnOnce(&mut OpenAccount)) -> AccountCommand {
    let Opened { account, owner, account_type, class, itemised, floor, ceiling, metadata, .. } =
        properties();
    let currency = currency("INR");
    let mut open = OpenAccount {
        account,
        currency,
        owner,
        account_type,
        class,
        itemised,
        floor,
        ceiling,
        metadata,
    };
    change(&mut open);
    AccountCommand::Open(open)
}

#[track_caller]
fn expect(given: Vec<AccountEvent>, when: AccountCommand, then: Vec<AccountEvent>) {
    TestFramework::<Account>::with(()).given(given).when(when).then_expect_events(then);
}

fn folded(events: impl IntoIterator<Item = AccountEvent>) -> Account {
    events.into_iter().fold(Account::default(), |mut account, event| {
        account.apply(event);
        account
    })
}
