//! Disputing a payment from the page of it, and saying more about a dispute.

use axum::{extract::Path, http::StatusCode, response::Response};
use ledger_core::ids::PaymentId;
use serde::Deserialize;

use super::one;
use crate::{
    http::{Problem, reach::nothing, reader::find, session::see_other},
    pages::{
        FormErrors, Visitor, act,
        disputes::{DisputeView, REASONS},
        respond,
        visitor::Sent,
    },
    payments::{self, DisputeIn, EvidenceIn},
};

/// What the page of a payment has of disputes: the one that there is, or the way to one.
pub(super) struct Disputing {
    pub(super) dispute: Option<DisputeView>,
    /// The nonce of the form that opens one, where one can be opened.
    pub(super) open: Option<String>,
}

/// For a payment that the visitor made; nothing for all else, and for shops.
pub(super) async fn of(visitor: &Visitor, object: &str) -> Result<Disputing, Problem> {
    let none = Disputing { dispute: None, open: None };
    let Ok(id) = object.parse::<PaymentId>() else { return Ok(none) };
    if visitor.shop.is_some() {
        return Ok(none);
    }
    let models = &visitor.state.read_models;
    let (_, row) = find(&visitor.state, || models.payment(id)).await?;
    let (_, history) = find(&visitor.state, || models.payment_history(id)).await?;
    let path = format!("/app/activity/{id}/dispute");
    let dispute = DisputeView::of(visitor, (id, &history.payment), &path).await?;
    let may = dispute.is_none()
        && row.payer == visitor.wallet
        && !history.payment.left().is_zero()
        && payments::may_dispute(&row, visitor.now());
    Ok(Disputing { dispute, open: may.then(|| visitor.nonce()) })
}

/// The form that opens one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenForm {
    reason: String,
    #[serde(default)]
    words: String,
    nonce: String,
}

/// The form that says more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct SayForm {
    pub(in crate::pages) words: String,
    pub(in crate::pages) nonce: String,
}

/// Opens one, once for the form.
pub(super) async fn open(
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<OpenForm>,
) -> Result<Response, Problem> {
    let payment: PaymentId = id.parse().map_err(|_| nothing())?;
    let reason = REASONS.iter().map(|(code, _)| *code).find(|code| *code == form.reason);
    let reason = reason.map(str::parse).transpose();
    let body = DisputeIn {
        amount: None,
        reason: reason.map_err(|error| Problem::internal(&error))?,
        words: Some(form.words.clone()),
    };
    let key = act::key("dispute", &form.nonce, &[&id, &form.reason])?;
    let done = payments::open_dispute(&visitor.writer()?, payment, key, &body).await.map(drop);
    after(&visitor, &id, done).await
}

/// Says more, once for the form.
pub(super) async fn say(
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<SayForm>,
) -> Result<Response, Problem> {
    let payment: PaymentId = id.parse().map_err(|_| nothing())?;
    let key = act::key("evidence", &form.nonce, &[&id, &form.words])?;
    let body = EvidenceIn { words: form.words };
    let done = payments::say(&visitor.writer()?, payment, &key, &body).await;
    after(&visitor, &id, done).await
}

async fn after(
    visitor: &Visitor,
    id: &str,
    done: Result<(), Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(see_other(&format!("/app/activity/{id}#dispute"))),
        Err(problem) => {
            let errors = refused(problem)?;
            let view = one::view(visitor, id, errors).await?;
            Ok(respond::page_with(StatusCode::UNPROCESSABLE_ENTITY, &view))
        }
    }
}

/// What a refusal means for either form.
pub(in crate::pages) fn refused(problem: Problem) -> Result<FormErrors, Problem> {
    if ![409, 422].contains(&problem.status()) {
        return Err(problem);
    }
    let body = problem.body();
    let said = body.errors.first().map(|error| error.detail.clone());
    let text = said.unwrap_or_else(|| format!("{} · {}", body.title, body.detail));
    Ok(FormErrors::one("dispute_words", text))
}
