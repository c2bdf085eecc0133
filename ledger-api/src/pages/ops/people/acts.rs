//! What is done to an account or its owner: freezing at once; what takes two is proposed.

use axum::response::Response;
use ledger_core::{account::FreezeMode, ids::Reference};
use serde::Deserialize;

use super::{Subject, answer, mode_name, nobody};
use crate::{
    desk::{
        accounts,
        carrying_out::{self, Unfreeze},
        proposals::{Kind, NewProposal},
        shops,
    },
    http::{Problem, codes, path::Id},
    pages::{
        act,
        ops::{OpsSent, OpsVisitor, Why},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreezeForm {
    nonce: String,
    mode: String,
    reference: String,
    reason: String,
}

fn reference(text: &str) -> Result<Reference, Problem> {
    text.trim().parse().map_err(|_| {
        let detail = "A reference without spaces, such as order-2026-17.";
        Problem::field(codes::INVALID, "/reference", detail)
    })
}

pub(super) async fn freeze(
    Id(id): Id<String>,
    OpsSent { visitor, form }: OpsSent<FreezeForm>,
) -> Result<Response, Problem> {
    let subject = Subject::parse(&id)?;
    let done = freeze_it(&visitor, subject, &form).await;
    answer(&visitor, subject, done).await
}

async fn freeze_it(
    visitor: &OpsVisitor,
    subject: Subject,
    form: &FreezeForm,
) -> Result<(), Problem> {
    let known = [FreezeMode::Debit, FreezeMode::Both, FreezeMode::Credit];
    let mode = known.into_iter().find(|mode| mode_name(*mode) == form.mode);
    let mode = mode.ok_or_else(|| Problem::field(codes::INVALID, "/mode", "Say what it stops."))?;
    let account = subject.account()?;
    let fields = [account.as_str(), &form.mode, &form.reference, &form.reason];
    let key = act::key("ops_freeze", &form.nonce, &fields)?;
    let what = (reference(&form.reference)?, mode);
    accounts::freeze(&visitor.writer()?, &account, what, (key, &form.reason)).await.map(drop)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnfreezeForm {
    nonce: String,
    reference: String,
    reason: String,
}

pub(super) async fn unfreeze(
    Id(id): Id<String>,
    OpsSent { visitor, form }: OpsSent<UnfreezeForm>,
) -> Result<Response, Problem> {
    let subject = Subject::parse(&id)?;
    let done = lift(&visitor, subject, &form).await;
    answer(&visitor, subject, done).await
}

async fn lift(visitor: &OpsVisitor, subject: Subject, form: &UnfreezeForm) -> Result<(), Problem> {
    let account = subject.account()?;
    let key =
        act::key("ops_unfreeze", &form.nonce, &[account.as_str(), &form.reference, &form.reason])?;
    let body = Unfreeze { account: account.clone(), reference: reference(&form.reference)? };
    let new = NewProposal {
        kind: Kind::UnfreezeAccount,
        subject: account.as_str(),
        body: serde_json::to_value(&body).map_err(|error| Problem::internal(&error))?,
        reason: &form.reason,
        evidence_sha256: None,
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&visitor.writer()?, &new).await.map(drop)
}

pub(super) async fn close(
    Id(id): Id<String>,
    OpsSent { visitor, form: Why { reason, .. } }: OpsSent<Why>,
) -> Result<Response, Problem> {
    let subject = Subject::parse(&id)?;
    let done = close_it(&visitor, subject, &reason).await;
    answer(&visitor, subject, done).await
}

async fn close_it(visitor: &OpsVisitor, subject: Subject, reason: &str) -> Result<(), Problem> {
    visitor.check_recent()?;
    let writer = visitor.writer()?;
    match subject {
        Subject::Person(person) => accounts::close(&writer, person, reason).await,
        Subject::Shop(shop) => shops::close(&writer, shop, reason).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetForm {
    nonce: String,
    reason: String,
}

pub(super) async fn reset(
    Id(id): Id<String>,
    OpsSent { visitor, form }: OpsSent<ResetForm>,
) -> Result<Response, Problem> {
    let subject = Subject::parse(&id)?;
    let done = propose_reset(&visitor, subject, &form).await;
    answer(&visitor, subject, done).await
}

async fn propose_reset(
    visitor: &OpsVisitor,
    subject: Subject,
    form: &ResetForm,
) -> Result<(), Problem> {
    let Subject::Person(person) = subject else { return Err(nobody()) };
    let id = person.to_string();
    let key = act::key("ops_reset", &form.nonce, &[&id, &form.reason])?;
    let new = NewProposal {
        kind: Kind::ResetPerson,
        subject: &id,
        body: serde_json::json!({}),
        reason: &form.reason,
        evidence_sha256: None,
        file: None,
        key: &key.0,
    };
    carrying_out::propose(&visitor.writer()?, &new).await.map(drop)
}
