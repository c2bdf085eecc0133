//! `/audit/open`: what is masked, opened with a reason, and shown on the page that answers the form
//! and on no other.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::visitor::{Auditor, AuditorSent};
use crate::{
    auditing::{Because, Masked, Opened, bytes, reason, said},
    exchanges::KeptExchange,
    http::Problem,
    pages::{
        Layout, respond,
        ui::{Pair, Pairs},
    },
    webhooks::Delivery,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenForm {
    kind: Masked,
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
    /// Bytes as they came, as text, each with what they are.
    raw: Vec<(&'static str, String)>,
}

/// Opens it, once.
pub(super) async fn open(sent: AuditorSent<OpenForm>) -> Result<Response, Problem> {
    let AuditorSent { auditor, form } = sent;
    let reason = reason(&form.reason)?;
    let who = auditor.staff.person.to_string();
    let because = Because { who: &who, reason: &reason };
    let opened = auditor.reads.open(form.kind, &form.subject, because).await?;
    let raw = match &opened {
        Opened::Message(delivery) => vec![("Bytes as they came", bytes(delivery))],
        Opened::Exchange(kept) => vec![
            ("What was sent", said(&kept.request, kept.request_bytes)),
            ("What was answered", said(&kept.answer, kept.answer_bytes)),
        ],
        Opened::Person { .. } | Opened::Shop { .. } | Opened::Erased | Opened::Note(_) => {
            Vec::new()
        }
    };
    let (title, pairs) = shown(&auditor, opened);
    let layout = auditor.layout(title, "access");
    let pairs = Pairs::new(pairs);
    Ok(respond::page(&OpenedView { layout, title, subject: form.subject, reason, pairs, raw }))
}

fn shown(auditor: &Auditor, opened: Opened) -> (&'static str, Vec<Pair>) {
    match opened {
        Opened::Person { name, handle } => {
            let handle = format!("@{handle}");
            ("A name", vec![Pair::new("Name", name), Pair::new("Handle", handle)])
        }
        Opened::Shop { display_name, legal_name } => (
            "A shop’s name",
            vec![
                Pair::new("Name over the door", display_name),
                Pair::new("Name on its papers", legal_name),
            ],
        ),
        Opened::Erased => {
            ("A name", vec![Pair::new("Name", "erased: nobody can read it any more")])
        }
        Opened::Note(note) => {
            let note = note.unwrap_or_else(|| "there is none, or it was erased".to_owned());
            ("A note", vec![Pair::new("Note", note)])
        }
        Opened::Message(delivery) => ("A message of a bank", message(auditor, &delivery)),
        Opened::Exchange(kept) => ("What was said to a bank", exchange(auditor, &kept)),
    }
}

fn message(auditor: &Auditor, delivery: &Delivery) -> Vec<Pair> {
    vec![
        Pair::new("Bank", delivery.bank.to_uppercase()),
        Pair::new("Id at the bank", delivery.event_id.clone()),
        Pair::new("Received", auditor.when(delivery.received_at)),
        Pair::new("Sent, as the bank says", auditor.when(delivery.sent_at)),
        Pair::new("SHA-256 of its bytes", hex::encode(&delivery.body_sha256)),
    ]
}

fn exchange(auditor: &Auditor, kept: &KeptExchange) -> Vec<Pair> {
    vec![
        Pair::new("Bank", kept.bank.to_uppercase()),
        Pair::new("Our reference", kept.reference.clone()),
        Pair::new("When", auditor.when(kept.started_at)),
        Pair::new("Outcome", kept.outcome()),
    ]
}
