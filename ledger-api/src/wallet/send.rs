//! Sending money from a wallet to another person's, at once. It is a transaction of kind
//! `transfer`; its id with the prefix `tr_` is the transfer's.

use ledger_core::{
    chart::Direction,
    command::{Operation, Receipt},
    ids::{IdError, TransferId},
    money::Money,
    posting::{Kind, Posting, PostingLeg},
};
use serde::Serialize;

use crate::{
    http::{
        Problem,
        authority::open_only,
        codes,
        reach::Reaching as _,
        wire::{NOTE_CHARS_MAX, check_words},
        writer::{Done, Identity, Writer, wrong_receipt},
    },
    identity::Scope,
    people::{PublicFace, Recipient},
};

/// What to send, and to whom.
pub(crate) struct Sending<'a> {
    /// To whom.
    pub(crate) to: &'a Recipient,
    /// How much; above zero.
    pub(crate) amount: Money,
    /// Words to keep beside the log, erasable.
    pub(crate) note: Option<&'a str>,
}

/// What was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The transfer.
    pub(crate) id: TransferId,
    /// Who has it.
    pub(crate) to: PublicFace,
    /// What the ledger said.
    pub(crate) done: Done,
}

/// Who a recipient is, for somebody who wants to send them money: 422 `recipient_unknown` if
/// nobody, or nobody with a wallet in use, is called so.
pub(crate) async fn recipient(writer: &Writer, to: &Recipient) -> Result<PublicFace, Problem> {
    let found = writer.state.people.find(to).await?;
    found.ok_or_else(|| {
        Problem::field(codes::RECIPIENT_UNKNOWN, "/to", "Nobody here is found by this.")
    })
}

/// Sends money from the caller's wallet. `identity` is the request as it came: the same again is
/// answered as before, and nothing is sent twice.
pub(crate) async fn send<T: Serialize>(
    writer: &Writer,
    sending: Sending<'_>,
    identity: Identity<'_, T>,
) -> Result<Sent, Problem> {
    let person = writer.caller.person(&[Scope::TransfersWrite])?;
    if let Some(note) = sending.note {
        check_words(note, NOTE_CHARS_MAX, "/note")?;
    }
    let to = recipient(writer, sending.to).await?;
    if to.id == person {
        let detail = "This is yourself: choose somebody else.";
        return Err(Problem::field(codes::SAME_ACCOUNT, "/to", detail));
    }
    let internal = |error: IdError| Problem::internal(&error);
    let leg =
        |account, direction| PostingLeg { account, direction, amount: sending.amount, item: None };
    let posting = Posting {
        transaction_id: writer.transaction_id(),
        kind: Kind::TRANSFER.parse().map_err(internal)?,
        legs: vec![
            leg(person.wallet().map_err(internal)?, Direction::Debit),
            leg(to.id.wallet().map_err(internal)?, Direction::Credit),
        ],
        effective_on: None,
        value_date: None,
        conditions: Vec::new(),
        note: sending.note.map(str::to_owned),
    };
    let operation = Operation::Post(vec![posting]);
    let done = writer.submit(identity, open_only().into(), operation).await?;
    let Receipt::Posted { transactions, .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let [transaction] = transactions.as_slice() else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let id = TransferId::from_uuid(transaction.uuid());
    Ok(Sent { id, to, done })
}
