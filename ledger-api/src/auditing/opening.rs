//! What is masked, opened with a reason: a name, a note, the bytes of a bank's message, what was
//! said to a bank.
//!
//! The line in the access log is written first: what could not be written down is not shown.
//! Whether it is a page or a program that asks makes no difference.

use ledger_core::ids::TransactionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::AuditReads;
use crate::{
    access_log::{EXCHANGE_OPENED, Entry, MESSAGE_OPENED, NAME_OPENED, NOTE_OPENED, one_line},
    exchanges::{Body, KeptExchange},
    http::{Problem, codes, reach::nothing},
    people::PersonId,
    shops::MerchantId,
    webhooks::Delivery,
};

/// The fewest characters of a reason.
const REASON_CHARS_MIN: usize = 5;

/// What is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OpeningKind)]
pub(crate) enum Masked {
    /// The name of a person (`usr_…`) or of a shop (`mer_…`).
    Name,
    /// The words on a transaction (`txn_…`).
    Note,
    /// The bytes of a bank's message, by its number.
    Message,
    /// What was said to a bank about a transfer, and its answer, by the exchange's id.
    Exchange,
}

/// Who opens it, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Because<'a> {
    /// A person's id, or a key's principal.
    pub(crate) who: &'a str,
    /// Why: one line.
    pub(crate) reason: &'a str,
}

/// What it was.
pub(crate) enum Opened {
    /// A person's name and handle.
    Person { name: String, handle: String },
    /// A shop's name over the door, and that on its papers.
    Shop { display_name: String, legal_name: String },
    /// A name that nobody can read any more.
    Erased,
    /// The words, if there are any.
    Note(Option<String>),
    /// A message with its bytes.
    Message(Box<Delivery>),
    /// An exchange with its bodies.
    Exchange(Box<KeptExchange>),
}

/// A reason that was given, as one line; refused if it says nothing.
pub(crate) fn reason(text: &str) -> Result<String, Problem> {
    let line = one_line(text);
    if line.chars().count() >= REASON_CHARS_MIN {
        return Ok(line);
    }
    let detail = "Say why, in a few words: it is written down with your name.";
    Err(Problem::field(codes::INVALID, "/reason", detail))
}

impl AuditReads {
    /// Opens it, once, after a line in the access log.
    pub(crate) async fn open(
        &self,
        kind: Masked,
        subject: &str,
        because: Because<'_>,
    ) -> Result<Opened, Problem> {
        match kind {
            Masked::Name => self.open_name(subject, because).await,
            Masked::Note => {
                let id: TransactionId = subject.parse().map_err(|_| nothing())?;
                self.write_down(NOTE_OPENED, subject, because).await?;
                Ok(Opened::Note(self.read_models.note(id).await?))
            }
            Masked::Message => self.open_message(subject, because).await,
            Masked::Exchange => {
                let id: Uuid = subject.parse().map_err(|_| nothing())?;
                self.write_down(EXCHANGE_OPENED, &format!("exchange {id}"), because).await?;
                let kept = self.exchanges.find(id).await?.ok_or_else(nothing)?;
                Ok(Opened::Exchange(Box::new(kept)))
            }
        }
    }

    async fn write_down(
        &self,
        what: &'static str,
        subject: &str,
        Because { who, reason }: Because<'_>,
    ) -> Result<(), Problem> {
        Ok(self.access_log.record(&Entry { who, what, subject, reason }).await?)
    }

    async fn open_name(&self, subject: &str, because: Because<'_>) -> Result<Opened, Problem> {
        if let Ok(id) = subject.parse::<PersonId>() {
            self.write_down(NAME_OPENED, subject, because).await?;
            let face = self.people.faces(&[id]).await?.remove(&id);
            return Ok(face.map_or(Opened::Erased, |face| Opened::Person {
                name: face.name.expose().to_owned(),
                handle: face.handle.to_string(),
            }));
        }
        let id: MerchantId = subject.parse().map_err(|_| nothing())?;
        self.write_down(NAME_OPENED, subject, because).await?;
        let shop = self.shops.by_id(id).await?;
        Ok(shop.map_or(Opened::Erased, |shop| Opened::Shop {
            display_name: shop.display_name.expose().to_owned(),
            legal_name: shop.legal_name.expose().to_owned(),
        }))
    }

    async fn open_message(&self, subject: &str, because: Because<'_>) -> Result<Opened, Problem> {
        let id: i64 = subject.parse().map_err(|_| nothing())?;
        let inbox = self.inbox.as_ref().ok_or_else(nothing)?;
        self.write_down(MESSAGE_OPENED, &format!("delivery {id}"), because).await?;
        let delivery = inbox.find(id).await?.ok_or_else(nothing)?;
        Ok(Opened::Message(Box::new(delivery)))
    }
}

/// The bytes as they came. What is no text is shown as hexadecimal.
pub(crate) fn bytes(delivery: &Delivery) -> String {
    match &delivery.body {
        Some(body) => String::from_utf8(body.clone()).unwrap_or_else(|_| hex::encode(body)),
        None if delivery.is_unreadable => "not what was sealed when it came".to_owned(),
        None => "erased with whom it was about".to_owned(),
    }
}

/// A body of an exchange as text. What is no text is shown as hexadecimal.
pub(crate) fn said(body: &Body, bytes: i32) -> String {
    let kept = match body {
        Body::Bytes(kept) => kept,
        Body::Erased => return "erased with whom it was about".to_owned(),
        Body::Unreadable => return "not what was sealed when it was written".to_owned(),
    };
    let text = String::from_utf8(kept.clone()).unwrap_or_else(|_| hex::encode(kept));
    if i32::try_from(kept.len()) == Ok(bytes) {
        return text;
    }
    format!("{text}\n… the first {} of {bytes} bytes", kept.len())
}
