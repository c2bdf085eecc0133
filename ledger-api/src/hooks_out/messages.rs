//! From an event of the log to the message that tells of it: the whole object, as the API shows it,
//! as it was after that event.
//!
//! The object is folded from its own stream up to the event, so a message says the same whenever it
//! is made, and two messages of one object never show the same moment. Words that people put on
//! things are left out: they can be erased, and a delivery log could not.

mod outside;
mod payments;
mod withdrawals;

use std::collections::BTreeSet;

use bytes::Bytes;
use ledger_core::{
    account::AccountEvent,
    clock::Timestamp,
    deposit::{Deposit, DepositEvent},
    ids::{AccountId, TransferId},
    log::{self, CodecError, LogError, Metadata, Position, RecordedEvent},
    posting::Kind,
    transfer::{Transfer, TransferEvent},
};
use projections::{DepositFact, DepositHistory, ReadError, ReadModels, TransferRow};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;

use super::EndpointId;
use crate::routes::{deposits::deposit_out, transfers::transfer_out};

const ID_DOMAIN: &[u8] = b"bahi:webhook-id:1";
/// The most events of one object that are folded; none comes near it.
const EVENTS_MAX: u32 = 10_000;

/// What is told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Its type.
    pub(super) event_type: &'static str,
    /// What it is about.
    pub(super) object_id: String,
    /// Where in the object's life: grows, and may leave numbers out.
    pub(super) seq: u64,
    /// Where in the log.
    pub(super) position: Position,
    /// Whose it is.
    pub(super) accounts: Vec<AccountId>,
    /// Whether it is told beside the event's own message.
    pub(super) beside: bool,
    /// The bytes that are sent.
    pub(super) body: Bytes,
}

impl Message {
    /// What the receiver knows it by: the same whenever it is made or sent.
    pub(super) fn id_for(&self, endpoint: EndpointId) -> String {
        let digest = Sha256::new()
            .chain_update(ID_DOMAIN)
            .chain_update(endpoint.uuid().as_bytes())
            .chain_update(self.position.to_be_bytes())
            .chain_update(if self.beside { self.event_type } else { "" })
            .finalize();
        let half = digest.get(..16).unwrap_or_default();
        format!("msg_{}", hex::encode(half))
    }
}

/// Why an event was not made into a message. It is tried again, and nothing after it is made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessageError {
    #[error("the log could not be read")]
    Log(#[from] LogError),
    #[error("the read models could not be read")]
    Read(#[from] ReadError),
    #[error("the event at {position} does not decode")]
    Event {
        position: Position,
        #[source]
        source: CodecError,
    },
    #[error("what the event at {0} is about cannot be shown")]
    Object(Position),
    #[error("the read models are not at {0} yet")]
    Behind(Position),
}

/// What makes messages.
#[derive(Debug, Clone)]
pub(super) struct Messages {
    pub(super) pool: PgPool,
    pub(super) read_models: ReadModels,
}

impl Messages {
    /// The messages of an event; none if there is none to tell, or nobody wants their types.
    pub(super) async fn of(
        &self,
        event: &RecordedEvent,
        wanted: &BTreeSet<&'static str>,
    ) -> Result<Vec<Message>, MessageError> {
        let mut messages = self.own(event, wanted).await?;
        messages.extend(self.outside(event, |name| wanted.contains(name)).await?);
        Ok(messages)
    }

    /// What it says of what it is about, and of a refund that ends with it.
    async fn own(
        &self,
        event: &RecordedEvent,
        wanted: &BTreeSet<&'static str>,
    ) -> Result<Vec<Message>, MessageError> {
        let Some(event_type) = event_type(event)? else { return Ok(Vec::new()) };
        if event.aggregate_type == "withdrawal" {
            let refunds = wanted.iter().any(|name| name.starts_with("refund."));
            if refunds || wanted.contains(event_type) {
                return self.withdrawal(event, event_type).await;
            }
            return Ok(Vec::new());
        }
        // One to a payer from outside only goes on with what ends another.
        let goes_on =
            event_type == payments::REFUND_COMPLETED && wanted.contains(payments::REFUND_UPDATED);
        if !goes_on && !wanted.contains(event_type) {
            return Ok(Vec::new());
        }
        Ok(self.one_of(event, event_type).await?.into_iter().collect())
    }

    /// The one message of an event that is none of a withdrawal.
    async fn one_of(
        &self,
        event: &RecordedEvent,
        event_type: &'static str,
    ) -> Result<Option<Message>, MessageError> {
        match event.aggregate_type.as_str() {
            "deposit" => self.deposit(event, event_type).await.map(Some),
            "transfer" => self.transfer(event, event_type).await.map(Some),
            "payment" => self.payment(event, event_type).await.map(Some),
            "account" if event_type == payments::SETTLEMENT_PAID => {
                self.settlement(event, event_type).await
            }
            _ => self.instant_transfer(event, event_type).await,
        }
    }

    async fn deposit(
        &self,
        event: &RecordedEvent,
        event_type: &'static str,
    ) -> Result<Message, MessageError> {
        let mut facts = Vec::new();
        for past in self.stream(event).await? {
            facts.push(DepositFact {
                position: past.position,
                recorded_at: past.recorded_at,
                actor: metadata(&past).actor,
                event: decoded::<DepositEvent>(&past)?,
            });
        }
        let deposit = Deposit::of(facts.iter().map(|fact| fact.event.clone()));
        let account = deposit.account().cloned();
        let id = event.aggregate_id.parse().map_err(|_| MessageError::Object(event.position))?;
        let out = deposit_out(id, DepositHistory { deposit, facts }, event.position);
        let out = out.map_err(|_| MessageError::Object(event.position))?;
        message(event, event_type, event.sequence, (account.into_iter().collect(), &out))
    }

    /// A transfer that waits or has waited to be claimed.
    async fn transfer(
        &self,
        event: &RecordedEvent,
        event_type: &'static str,
    ) -> Result<Message, MessageError> {
        let unshown = || MessageError::Object(event.position);
        let stream = self.stream(event).await?;
        let first = stream.first().ok_or_else(unshown)?;
        let (begun_at, begun_position) = (first.recorded_at, first.position);
        let mut transfer = Transfer::default();
        for past in &stream {
            transfer = transfer.after(decoded::<TransferEvent>(past)?);
        }
        let (held, status) = transfer.properties().zip(transfer.status()).ok_or_else(unshown)?;
        let row = TransferRow {
            id: event.aggregate_id.parse().map_err(|_| unshown())?,
            account: held.account.clone(),
            receiver: transfer.receiver().cloned(),
            currency: held.account.currency().map_err(|_| unshown())?,
            amount: held.amount,
            fee: held.fee,
            status,
            reason: transfer.reason().cloned(),
            phone_hash: None,
            expires_at: Some(held.expires_at),
            begun_at,
            begun_position,
            changed_at: event.recorded_at,
            note: None,
        };
        transfer_message(event, event_type, event.sequence, row)
    }

    /// A transfer that was done at once has no stream of its own, only its transaction.
    async fn instant_transfer(
        &self,
        event: &RecordedEvent,
        event_type: &'static str,
    ) -> Result<Option<Message>, MessageError> {
        let AccountEvent::Debited(leg) = decoded::<AccountEvent>(event)? else { return Ok(None) };
        let id = TransferId::from_uuid(leg.transaction_id.uuid());
        let found = self.read_models.transfer(id).await?;
        if found.position < event.position {
            return Err(MessageError::Behind(event.position));
        }
        // What waited to be claimed is told of by its own events.
        let Some(row) = found.value.filter(|row| row.expires_at.is_none()) else { return Ok(None) };
        let row = TransferRow { note: None, ..row };
        transfer_message(event, event_type, 1, row).map(Some)
    }

    /// The object's events up to this one.
    async fn stream(&self, event: &RecordedEvent) -> Result<Vec<RecordedEvent>, LogError> {
        let (kind, id) = (&event.aggregate_type, &event.aggregate_id);
        log::read::stream(&self.pool, kind, id, 0, event.sequence, EVENTS_MAX).await
    }
}

/// What an event is told as; nothing if it is not.
fn event_type(event: &RecordedEvent) -> Result<Option<&'static str>, MessageError> {
    Ok(match event.aggregate_type.as_str() {
        "withdrawal" => withdrawals::of_withdrawal(&decoded(event)?),
        "deposit" => Some(of_deposit(&decoded(event)?)),
        "transfer" => Some(of_transfer(&decoded(event)?)),
        "payment" => payments::of_payment(&decoded(event)?),
        "account" if ["debited", "credited"].contains(&event.event_type.as_str()) => {
            let leg = decoded(event)?;
            of_leg(&leg).or_else(|| payments::of_settlement(&leg))
        }
        _ => None,
    })
}

const fn of_deposit(event: &DepositEvent) -> &'static str {
    match event {
        DepositEvent::Credited(_) | DepositEvent::Assigned(_) => "deposit.completed",
        DepositEvent::Declined(_) => "deposit.failed",
        DepositEvent::Expired {} => "deposit.expired",
        DepositEvent::Cancelled {} => "deposit.cancelled",
        DepositEvent::Settled(_) => "deposit.settled",
        DepositEvent::Begun(_)
        | DepositEvent::Unsolicited(_)
        | DepositEvent::Received(_)
        | DepositEvent::PutAside(_)
        | DepositEvent::LeftToReturn(_)
        | DepositEvent::SentBack(_)
        | DepositEvent::Divided(_)
        | DepositEvent::RecallRequested(_)
        | DepositEvent::RecallGranted(_)
        | DepositEvent::RecallRefused(_) => "deposit.updated",
    }
}

const fn of_transfer(event: &TransferEvent) -> &'static str {
    match event {
        TransferEvent::Completed(_) => "transfer.completed",
        TransferEvent::Cancelled(_) => "transfer.cancelled",
        TransferEvent::Expired {} => "transfer.expired",
        TransferEvent::Held(_) | TransferEvent::ClaimInReview(_) => "transfer.updated",
    }
}

/// The first leg of a transfer that was done at once.
fn of_leg(event: &AccountEvent) -> Option<&'static str> {
    let AccountEvent::Debited(leg) = event else { return None };
    let is_transfer = leg.leg == 1 && leg.kind.as_str() == Kind::TRANSFER && leg.cause.is_none();
    is_transfer.then_some("transfer.completed")
}

fn transfer_message(
    event: &RecordedEvent,
    event_type: &'static str,
    seq: u64,
    row: TransferRow,
) -> Result<Message, MessageError> {
    let accounts = [Some(row.account.clone()), row.receiver.clone()].into_iter().flatten();
    let (accounts, object_id) = (accounts.collect(), row.id.to_string());
    let out = transfer_out(row, event.position);
    let message = message(event, event_type, seq, (accounts, &out))?;
    Ok(Message { object_id, ..message })
}

/// `{type, timestamp, data}`: the data is the object, with `seq` in it.
fn message(
    event: &RecordedEvent,
    event_type: &'static str,
    seq: u64,
    (accounts, object): (Vec<AccountId>, &impl Serialize),
) -> Result<Message, MessageError> {
    let unshown = || MessageError::Object(event.position);
    let mut data = serde_json::to_value(object).map_err(|_| unshown())?;
    let fields = data.as_object_mut().ok_or_else(unshown)?;
    fields.insert("seq".to_owned(), json!(seq));
    Ok(Message {
        event_type,
        object_id: event.aggregate_id.clone(),
        seq,
        position: event.position,
        accounts,
        beside: false,
        body: body(event_type, event.recorded_at, &data).ok_or_else(unshown)?,
    })
}

/// The bytes of the message that tries an endpoint.
pub(crate) fn test_body(at: Timestamp, data: &Value) -> Option<Bytes> {
    body(super::TEST, at, data)
}

/// The bytes of a message.
fn body(event_type: &str, at: Timestamp, data: &Value) -> Option<Bytes> {
    #[derive(Serialize)]
    struct Told<'a> {
        #[serde(rename = "type")]
        event_type: &'a str,
        timestamp: Timestamp,
        data: &'a Value,
    }
    serde_json::to_vec(&Told { event_type, timestamp: at, data }).ok().map(Bytes::from)
}

fn decoded<E: DeserializeOwned>(event: &RecordedEvent) -> Result<E, MessageError> {
    let decoded = log::decode(&event.event_type, &event.event_version, &event.payload);
    decoded.map_err(|source| MessageError::Event { position: event.position, source })
}

/// Who did it; of a further event of an append nothing is said.
fn metadata(event: &RecordedEvent) -> Metadata {
    serde_json::from_slice(&event.metadata).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ledger_core::withdrawal::WithdrawalEvent;
    use uuid::Uuid;

    use super::{super::kinds, *};

    #[test]
    fn every_type_that_is_told_can_be_asked_for() {
        let told = [
            of_deposit(&DepositEvent::Expired {}),
            of_deposit(&DepositEvent::Cancelled {}),
            of_transfer(&TransferEvent::Expired {}),
            withdrawals::of_withdrawal(&WithdrawalEvent::Approved {}).unwrap(),
            outside::PROCESSING,
            outside::FAILED,
        ];
        for name in told {
            assert!(kinds::ALL.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_message_s_id_follows_from_the_endpoint_and_the_event() {
        let message = |position| Message {
            event_type: "deposit.completed",
            object_id: "dep_1".to_owned(),
            seq: 1,
            position,
            accounts: Vec::new(),
            beside: false,
            body: Bytes::new(),
        };
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let [one, other] = [one, other].map(EndpointId::from_uuid);
        let id = message(7).id_for(one);
        // A contract: what was sent before an upgrade is known after it.
        assert_eq!(id, message(7).id_for(one));
        assert!(id.starts_with("msg_") && id.len() == 36, "{id}");
        assert_ne!(id, message(8).id_for(one));
        assert_ne!(id, message(7).id_for(other));
    }
}
