//! A transaction and what led to it on the wire, as auditors read it.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    chart::Direction,
    ids::{AccountId, Item, Reference, TransactionId},
    log::{Metadata, RecordedEvent},
    posting::Kind,
};
use projections::{TransactionDetail, TransactionLeg};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auditing::{Decision, Why},
    exchanges::KeptExchange,
    http::{Problem, wire::Amount},
    routes::transactions::body::DirectionWord,
    webhooks::Told,
};

/// A transaction, as an auditor reads it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedTransaction)]
pub(super) struct TransactionOut {
    /// Always `transaction`.
    #[schema(example = "transaction")]
    object: &'static str,
    /// Its id.
    #[schema(value_type = String)]
    id: TransactionId,
    /// What kind it is: the rule that it was made by.
    #[schema(value_type = String, example = "transfer")]
    kind: Kind,
    /// Where its first leg stands.
    first_position: u64,
    /// Where its last leg stands.
    last_position: u64,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// The business date.
    effective_on: NaiveDate,
    /// Its legs, in order.
    legs: Vec<LegOut>,
    /// Who did it, by which request and version of the rules.
    by: ByOut,
    /// The transaction that it undid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reverses: Option<TransactionId>,
    /// The transaction that undid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reversed_by: Option<TransactionId>,
    /// The object that caused it; null where nothing but the request did.
    #[schema(value_type = Option<String>)]
    cause: Option<Reference>,
    /// What happened to that object, oldest first.
    history: Vec<HappenedOut>,
    /// What banks told of it.
    messages: Vec<MessageOut>,
    /// What was said to banks about it, as long as that is kept.
    exchanges: Vec<SaidOut>,
    /// What people decided about it.
    decisions: Vec<DecisionOut>,
    /// Whether there are words on it. They are opened with a reason.
    has_note: bool,
}

/// A leg.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedLeg)]
struct LegOut {
    /// Its event.
    position: u64,
    /// The account.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// On which side.
    #[schema(value_type = DirectionWord)]
    direction: Direction,
    /// How much.
    amount: Amount,
    /// The balance after it.
    balance_after: Amount,
    /// The item that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    item: Option<Item>,
    /// The bank's date.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_date: Option<NaiveDate>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DoneBy)]
struct ByOut {
    /// Who.
    actor: Option<String>,
    /// The second person.
    #[serde(skip_serializing_if = "Option::is_none")]
    approver: Option<String>,
    /// By which request.
    request: Option<String>,
    /// By which version of the book's rules.
    book: String,
    /// Why, of what was done by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// SHA-256 of the evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_sha256: Option<String>,
}

/// Something that happened to an object.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Happened)]
struct HappenedOut {
    /// Its event.
    position: u64,
    /// What.
    #[serde(rename = "type")]
    #[schema(example = "requested")]
    event_type: String,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
}

/// A bank's message, unopened. Its signature was right when it came: others are not kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankMessage)]
struct MessageOut {
    /// Its number: what opens its bytes.
    id: i64,
    /// The bank.
    bank: String,
    /// The bank's id of the event.
    event_id: String,
    /// What it calls itself.
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// When it came.
    received_at: DateTime<Utc>,
    /// SHA-256 of its bytes.
    body_sha256: String,
    /// What it came to.
    outcome: String,
    /// The same in words.
    detail: String,
}

/// What was said to a bank about a transfer, unopened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankExchangeSeen)]
struct SaidOut {
    /// Its id: what opens request and answer.
    id: String,
    /// The bank.
    bank: String,
    /// What the bank knows the attempt by.
    reference: String,
    /// The attempt, from 1.
    attempt: Option<i32>,
    /// `submit` or `enquiry`.
    kind: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// How it ended, in words.
    outcome: String,
}

/// What people decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditedDecision)]
struct DecisionOut {
    /// When it was proposed.
    at: DateTime<Utc>,
    /// What was said.
    what: String,
    /// Why.
    reason: String,
    /// Who proposed it.
    proposed_by: String,
    /// Who decided; null if nobody did yet.
    decided_by: Option<String>,
    /// What became of it.
    decision: String,
}

impl TransactionOut {
    pub(super) fn of(found: TransactionDetail, why: Why) -> Result<Self, Problem> {
        let TransactionDetail { transaction: it, legs, metadata } = found;
        Ok(Self {
            object: "transaction",
            id: it.id,
            kind: it.kind,
            first_position: it.first_position,
            last_position: it.last_position,
            recorded_at: it.recorded_at,
            effective_on: it.effective_on,
            legs: legs.into_iter().map(LegOut::of).collect::<Result<_, _>>()?,
            by: metadata.into(),
            reverses: it.reverses,
            reversed_by: it.reversed_by,
            cause: it.cause,
            history: why.history.into_iter().map(HappenedOut::from).collect(),
            messages: why.messages.into_iter().map(MessageOut::from).collect(),
            exchanges: why.exchanges.into_iter().map(SaidOut::from).collect(),
            decisions: why.decisions.into_iter().map(DecisionOut::from).collect(),
            has_note: it.note.is_some(),
        })
    }
}

impl LegOut {
    fn of(leg: TransactionLeg) -> Result<Self, Problem> {
        let code = leg.account.currency().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            position: leg.position,
            direction: leg.direction,
            amount: Amount::new(leg.amount, code),
            balance_after: Amount::new(leg.balance_after, code),
            item: leg.item,
            value_date: leg.value_date,
            account: leg.account,
        })
    }
}

impl From<Metadata> for ByOut {
    fn from(metadata: Metadata) -> Self {
        Self {
            actor: metadata.actor,
            approver: metadata.approver,
            request: metadata.request,
            book: metadata.book.unwrap_or_else(|| "1".to_owned()),
            reason: metadata.reason,
            evidence_sha256: metadata.evidence_sha256,
        }
    }
}

impl From<RecordedEvent> for HappenedOut {
    fn from(event: RecordedEvent) -> Self {
        let RecordedEvent { position, event_type, recorded_at, .. } = event;
        Self { position, event_type, recorded_at }
    }
}

impl From<Told> for MessageOut {
    fn from(told: Told) -> Self {
        Self {
            id: told.id,
            bank: told.bank,
            event_id: told.event_id,
            event_type: told.event_type,
            received_at: told.received_at,
            body_sha256: hex::encode(told.body_sha256),
            outcome: told.outcome,
            detail: told.detail,
        }
    }
}

impl From<KeptExchange> for SaidOut {
    fn from(kept: KeptExchange) -> Self {
        Self {
            outcome: kept.outcome(),
            id: kept.id.to_string(),
            bank: kept.bank,
            reference: kept.reference,
            attempt: kept.attempt,
            kind: kept.kind,
            started_at: kept.started_at,
        }
    }
}

impl From<Decision> for DecisionOut {
    fn from(decision: Decision) -> Self {
        let Decision { at, what, reason, proposed_by, decided_by, decision, .. } = decision;
        Self { at, what, reason, proposed_by, decided_by, decision }
    }
}
