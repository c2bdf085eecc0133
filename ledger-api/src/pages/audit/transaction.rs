//! `/audit/transactions/{id}`: both sides of a transaction, why it is there, and what was told and
//! decided before it: the object that caused it, the banks' messages, the people.

use askama::Template;
use axum::response::Response;
use ledger_core::{chart::Direction, ids::TransactionId, log::RecordedEvent};
use projections::{TransactionDetail, TransactionLeg};

use super::visitor::Auditor;
use crate::{
    auditing::{Decision, Why},
    exchanges::KeptExchange,
    http::{Problem, path::Id, reach::nothing},
    pages::{
        Layout, respond,
        ui::{Cell, Column, DataTable, LedgerLegs, Leg, Pair, Pairs, When},
    },
    webhooks::Told,
};

#[derive(Template)]
#[template(path = "audit/transaction.html")]
struct TransactionView {
    layout: Layout,
    id: String,
    kind: String,
    legs: LedgerLegs,
    facts: Pairs,
    cause: String,
    history: Option<DataTable>,
    messages: Vec<MessageRow>,
    exchanges: Vec<ExchangeRow>,
    decisions: Option<DataTable>,
    has_note: bool,
}

/// A bank's message, unopened.
struct MessageRow {
    id: i64,
    bank: String,
    event_type: String,
    event_id: String,
    at: When,
    sha256: String,
    outcome: String,
    detail: String,
}

/// What was said to a bank, unopened.
struct ExchangeRow {
    id: String,
    what: String,
    at: When,
    outcome: String,
    sizes: String,
}

/// The page.
pub(super) async fn page(auditor: Auditor, Id(id): Id<TransactionId>) -> Result<Response, Problem> {
    let found = auditor.reads.read_models.transaction(id).await?.value.ok_or_else(nothing)?;
    let cause = found.transaction.cause.as_ref();
    let Why { history, messages, exchanges, decisions } = auditor.reads.why(cause).await?;
    let view = TransactionView {
        layout: auditor.layout("Transaction", "events"),
        id: id.to_string(),
        kind: found.transaction.kind.to_string(),
        legs: legs(&auditor, &found.legs)?,
        facts: facts(&auditor, &found),
        history: self::history(&auditor, &history),
        messages: messages.into_iter().map(|told| message(&auditor, told)).collect(),
        exchanges: exchanges.iter().map(|kept| exchange(&auditor, kept)).collect(),
        decisions: (!decisions.is_empty()).then(|| table(&auditor, &decisions)),
        has_note: found.transaction.note.is_some(),
        cause: cause.map(ToString::to_string).unwrap_or_default(),
    };
    Ok(respond::page(&view))
}

fn legs(auditor: &Auditor, legs: &[TransactionLeg]) -> Result<LedgerLegs, Problem> {
    let (mut debits, mut credits) = (Vec::new(), Vec::new());
    for leg in legs {
        let currency = leg.account.currency().map_err(|error| Problem::internal(&error))?;
        let item = leg.item.as_ref().map(|item| format!(", item {item}")).unwrap_or_default();
        let after = auditor.money(leg.balance_after, currency)?;
        let after = crate::pages::ui::money_text(&after);
        let shown = Leg {
            words: format!("event #{}{item}, then {after}", leg.position),
            account: leg.account.to_string(),
            amount: auditor.shown(leg.amount, currency)?,
        };
        match leg.direction {
            Direction::Debit => debits.push(shown),
            Direction::Credit => credits.push(shown),
        }
    }
    Ok(LedgerLegs { debits, credits })
}

fn facts(auditor: &Auditor, found: &TransactionDetail) -> Pairs {
    let (it, metadata) = (&found.transaction, &found.metadata);
    let place = Cell::Link(
        format!("#{} to #{}", it.first_position, it.last_position),
        format!("/audit/events?as_of={}&show={}", it.last_position, it.first_position),
    );
    let mut pairs = vec![
        Pair::new("Recorded", auditor.when(it.recorded_at)),
        Pair::new("Business day", it.effective_on.to_string()),
        Pair::new("Events", place),
        Pair::new(
            "Rule",
            format!(
                "{}, by version {} of the book’s rules",
                it.kind,
                metadata.book.as_deref().unwrap_or("1")
            ),
        ),
        Pair::new("Done by", metadata.actor.clone().unwrap_or_else(|| "—".to_owned())),
    ];
    let further = [
        ("Approved by", &metadata.approver),
        ("Request", &metadata.request),
        ("Why", &metadata.reason),
        ("Evidence, SHA-256", &metadata.evidence_sha256),
    ];
    for (label, value) in further {
        pairs.extend(value.clone().map(|value| Pair::new(label, value)));
    }
    for (label, other) in [("Undoes", it.reverses), ("Undone by", it.reversed_by)] {
        pairs.extend(other.map(|other| {
            Pair::new(label, Cell::Link(other.to_string(), format!("/audit/transactions/{other}")))
        }));
    }
    Pairs::new(pairs)
}

/// What happened to the object that caused it.
fn history(auditor: &Auditor, events: &[RecordedEvent]) -> Option<DataTable> {
    let columns = [Column::words("Event"), Column::words("What"), Column::words("When")];
    let row = |event: &RecordedEvent| {
        let href = format!("/audit/events?as_of={0}&show={0}", event.position);
        vec![
            Cell::Link(format!("#{}", event.position), href),
            event.event_type.clone().into(),
            auditor.when(event.recorded_at).into(),
        ]
    };
    let rows = || events.iter().map(row).collect();
    (!events.is_empty()).then(|| DataTable::new("What happened to it", &columns, rows()))
}

fn message(auditor: &Auditor, told: Told) -> MessageRow {
    MessageRow {
        id: told.id,
        bank: told.bank.to_uppercase(),
        event_type: told.event_type.unwrap_or_default(),
        event_id: told.event_id,
        at: auditor.when(told.received_at),
        sha256: hex::encode(told.body_sha256),
        outcome: told.outcome,
        detail: told.detail,
    }
}

fn exchange(auditor: &Auditor, kept: &KeptExchange) -> ExchangeRow {
    ExchangeRow {
        id: kept.id.to_string(),
        what: kept.what(),
        at: auditor.when(kept.started_at),
        outcome: kept.outcome(),
        sizes: format!("{} bytes sent, {} answered", kept.request_bytes, kept.answer_bytes),
    }
}

/// Decisions of people as a table.
pub(super) fn table(auditor: &Auditor, decided: &[Decision]) -> DataTable {
    let columns = [
        Column::words("When"),
        Column::words("What"),
        Column::words("About"),
        Column::words("Why"),
        Column::words("Proposed by"),
        Column::words("Decided by"),
        Column::words("Decision"),
    ];
    let rows = decided.iter().map(|one| {
        vec![
            auditor.when(one.at).into(),
            one.what.clone().into(),
            one.subject.clone().into(),
            one.reason.clone().into(),
            one.proposed_by.clone().into(),
            one.decided_by.clone().unwrap_or_else(|| "nobody yet".to_owned()).into(),
            one.decision.clone().into(),
        ]
    });
    DataTable::new("What two people decided", &columns, rows.collect())
}
