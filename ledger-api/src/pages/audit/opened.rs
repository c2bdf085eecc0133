//! `/audit/open`: what is masked, opened with a reason: a name, a note, the bytes of a message.
//!
//! The line in the access log is written first: what could not be written down is not shown. It is
//! shown on the page that answers the form and on no other.

use askama::Template;
use axum::response::Response;
use ledger_core::ids::TransactionId;
use serde::Deserialize;

use super::visitor::{Auditor, AuditorSent, reason};
use crate::{
    access_log::{MESSAGE_OPENED, NAME_OPENED, NOTE_OPENED},
    http::{Problem, codes, reach::nothing},
    pages::{
        Layout, respond,
        ui::{Pair, Pairs},
    },
    people::PersonId,
    shops::MerchantId,
    webhooks::Delivery,
};

/// What is to be opened.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Name,
    Note,
    Message,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenForm {
    kind: Kind,
    subject: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "audit/opened.html")]
struct OpenedView {
    layout: Layout,
    title: &'static str,
    subject: String,
    reason: String,
    pairs: Pairs,
    /// Bytes as they came, as text.
    raw: Option<String>,
}

/// Opens it, once.
pub(super) async fn open(sent: AuditorSent<OpenForm>) -> Result<Response, Problem> {
    let AuditorSent { auditor, form } = sent;
    let reason = reason(&form.reason).ok_or_else(|| {
        let detail = "Say why, in a few words: it is written down with your name.";
        Problem::field(codes::INVALID, "/reason", detail)
    })?;
    let (title, pairs, raw) = match form.kind {
        Kind::Name => name(&auditor, &form.subject, &reason).await?,
        Kind::Note => note(&auditor, &form.subject, &reason).await?,
        Kind::Message => message(&auditor, &form.subject, &reason).await?,
    };
    let layout = auditor.layout(title, "access");
    let pairs = Pairs::new(pairs);
    Ok(respond::page(&OpenedView { layout, title, subject: form.subject, reason, pairs, raw }))
}

type Opened = (&'static str, Vec<Pair>, Option<String>);

async fn name(auditor: &Auditor, subject: &str, reason: &str) -> Result<Opened, Problem> {
    let erased = || vec![Pair::new("Name", "erased: nobody can read it any more")];
    if let Ok(id) = subject.parse::<PersonId>() {
        auditor.record(NAME_OPENED, subject, reason).await?;
        let face = auditor.reads.people.faces(&[id]).await?.remove(&id);
        let pairs = face.map_or_else(erased, |face| {
            vec![
                Pair::new("Name", face.name.expose()),
                Pair::new("Handle", format!("@{}", face.handle)),
            ]
        });
        return Ok(("A name", pairs, None));
    }
    let id: MerchantId = subject.parse().map_err(|_| nothing())?;
    auditor.record(NAME_OPENED, subject, reason).await?;
    let shop = auditor.reads.shops.by_id(id).await?;
    let pairs = shop.map_or_else(erased, |shop| {
        vec![
            Pair::new("Name over the door", shop.display_name.expose()),
            Pair::new("Name on its papers", shop.legal_name.expose()),
        ]
    });
    Ok(("A shop’s name", pairs, None))
}

async fn note(auditor: &Auditor, subject: &str, reason: &str) -> Result<Opened, Problem> {
    let id: TransactionId = subject.parse().map_err(|_| nothing())?;
    auditor.record(NOTE_OPENED, subject, reason).await?;
    let note = auditor.reads.read_models.note(id).await?;
    let note = note.unwrap_or_else(|| "there is none, or it was erased".to_owned());
    Ok(("A note", vec![Pair::new("Note", note)], None))
}

async fn message(auditor: &Auditor, subject: &str, reason: &str) -> Result<Opened, Problem> {
    let id: i64 = subject.parse().map_err(|_| nothing())?;
    let inbox = auditor.reads.inbox.as_ref().ok_or_else(nothing)?;
    auditor.record(MESSAGE_OPENED, &format!("delivery {id}"), reason).await?;
    let delivery = inbox.find(id).await?.ok_or_else(nothing)?;
    let pairs = vec![
        Pair::new("Bank", delivery.bank.to_uppercase()),
        Pair::new("Id at the bank", delivery.event_id.clone()),
        Pair::new("Received", auditor.when(delivery.received_at)),
        Pair::new("Sent, as the bank says", auditor.when(delivery.sent_at)),
        Pair::new("SHA-256 of its bytes", hex::encode(&delivery.body_sha256)),
    ];
    Ok(("A message of a bank", pairs, Some(bytes(&delivery))))
}

/// The bytes as they came. What is no text is shown as hexadecimal.
fn bytes(delivery: &Delivery) -> String {
    match &delivery.body {
        Some(body) => String::from_utf8(body.clone()).unwrap_or_else(|_| hex::encode(body)),
        None if delivery.is_unreadable => "not what was sealed when it came".to_owned(),
        None => "erased with whom it was about".to_owned(),
    }
}
