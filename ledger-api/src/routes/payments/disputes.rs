//! Disputing a payment, saying what one knows, and deciding whose the money is.

use chrono::{DateTime, Utc};
use ledger_core::{ids::PaymentId, payment::PaymentEvent};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::PaymentOut;
use crate::{
    desk,
    http::{
        ApiState, Problem,
        auth::Require as _,
        codes,
        idempotency::Key,
        json::Payload,
        path::Id,
        query::Params,
        reach::Reaching as _,
        reader::{Reader, find},
        reply::Reply,
        wire::Amount,
        writer::Writer,
    },
    identity::Scope,
    payments::{self, DecisionIn, DisputeIn, EvidenceIn, READ},
    routes::accounts::MinPosition,
};

/// The dispute of a payment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Dispute)]
pub(super) struct DisputeOut {
    /// Always `dispute`.
    #[schema(example = "dispute")]
    object: String,
    /// The payment.
    #[schema(value_type = String, example = "pay_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    payment: PaymentId,
    /// `open`, or who has won it: `payer`, `merchant`.
    #[schema(example = "open")]
    status: String,
    /// How much of the payment: held of the shop's, and lent to the payer, until it is decided.
    amount: Amount,
    /// Why, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it was opened.
    opened_at: DateTime<Utc>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decided_at: Option<DateTime<Utc>>,
    /// What was said about it, the first first.
    evidence: Vec<SaidOut>,
    /// The position that the answer reflects.
    position: u64,
}

/// Something that was said about a dispute.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Evidence)]
pub(super) struct SaidOut {
    /// By whom: `payer`, `shop`, `desk` (a person of ours).
    #[schema(example = "payer")]
    side: String,
    /// The words; left out once who said them was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<String>,
    /// When.
    said_at: DateTime<Utc>,
}

/// Dispute a payment
///
/// By its payer, within 120 days, once. What is disputed is held of the shop's money, and the payer
/// is lent the same until a person has decided whose it is. Both sides may say what they know.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/dispute",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment")),
    request_body(content = DisputeIn, example = json!({
        "reason": "not_delivered", "words": "The tea never came."})),
    responses((status = 201, description = "It is held, and lent.", body = PaymentOut)),
)]
pub(super) async fn open(
    writer: Writer,
    Id(id): Id<PaymentId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<PaymentOut>, Problem> {
    writer.caller.reach(payments::DISPUTE)?;
    let body: DisputeIn = payload.parse_or_empty()?;
    let done = payments::open_dispute(&writer, id, key, &body).await?;
    let payment = PaymentOut { dispute: Some("open".to_owned()), ..PaymentOut::made(&done)? };
    let location = format!("/v1/payments/{id}/dispute");
    Ok(Reply::created(payment, &location).at(done.position).replayed(done.replayed))
}

/// Get the dispute of a payment
///
/// For its payer and its shop, with what both said.
#[utoipa::path(
    get,
    path = "/v1/payments/{id}/dispute",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment"), MinPosition),
    responses((status = 200, description = "The dispute.", body = DisputeOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Id(id): Id<PaymentId>,
    Params(query): Params<MinPosition>,
) -> Result<Reply<DisputeOut>, Problem> {
    let (reach, models) = reader.admit_shop(READ, query.min_position).await?;
    let (_, row) = reader.find(|| models.payment(id)).await?;
    payments::check_party(reach, &row)?;
    let dispute = shown(&reader.state, id).await?;
    let position = dispute.position;
    Ok(Reply::ok(dispute).at(position))
}

/// Say something about a dispute
///
/// For its payer and its shop, and for who decides; 20 times each at most. Once it is decided it is
/// too late: 409 `dispute_decided`.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/dispute/evidence",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment")),
    request_body(content = EvidenceIn, example = json!({
        "words": "Handed over at 14:02, see receipt 17."})),
    responses((status = 201, description = "The dispute.", body = DisputeOut)),
)]
pub(super) async fn say(
    writer: Writer,
    Id(id): Id<PaymentId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<DisputeOut>, Problem> {
    writer.caller.reach_shop(payments::SAY)?;
    let body: EvidenceIn = payload.parse()?;
    payments::say(&writer, id, &key, &body).await?;
    let dispute = shown(&writer.state, id).await?;
    let (position, location) = (dispute.position, format!("/v1/payments/{id}/dispute"));
    Ok(Reply::created(dispute, &location).at(position))
}

/// Decide a dispute
///
/// What is held becomes the payer's or the shop's. If the shop has won, the payer gives back what
/// was lent, and owes what the wallet lacks. Not by whoever opened it,
/// who paid, or who works for the shop: 403 `second_person_needed`.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/dispute/decision",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment")),
    request_body(content = DecisionIn, example = json!({
        "won_by": "merchant", "reason": "proof_of_delivery"})),
    responses((status = 200, description = "It is decided.", body = PaymentOut)),
)]
pub(super) async fn decide(
    writer: Writer,
    Id(id): Id<PaymentId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<PaymentOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: DecisionIn = payload.parse()?;
    let done = desk::disputes::decide(&writer, id, key, &body).await?;
    let won_by = serde_json::to_value(body.won_by).map_err(|error| Problem::internal(&error))?;
    let dispute = won_by.as_str().map(str::to_owned);
    let payment = PaymentOut { dispute, ..PaymentOut::made(&done)? };
    Ok(Reply::ok(payment).at(done.position).replayed(done.replayed))
}

/// The dispute as it stands.
async fn shown(state: &ApiState, id: PaymentId) -> Result<DisputeOut, Problem> {
    let models = &state.read_models;
    let (position, history) = find(state, || models.payment_history(id)).await?;
    let none = || Problem::new(codes::DISPUTE_NOT_FOUND, "Nobody has disputed the payment.");
    let dispute = history.payment.dispute().ok_or_else(none)?;
    let completed = history.payment.properties().ok_or_else(none)?;
    let currency = completed.payer.currency().map_err(|error| Problem::internal(&error))?;
    let (mut opened, mut decided_at) = (None, None);
    for fact in &history.facts {
        if let PaymentEvent::DisputeOpened(event) = &fact.event {
            opened = Some((event, fact.recorded_at));
        } else if let PaymentEvent::DisputeDecided(_) = &fact.event {
            decided_at = Some(fact.recorded_at);
        }
    }
    let (opened, opened_at) = opened.ok_or_else(none)?;
    let said = state.dispute_words.about(id).await?.into_iter();
    let evidence = said.map(|said| {
        let (side, words) = (said.side.as_str().to_owned(), said.words);
        SaidOut { side, words, said_at: said.at }
    });
    Ok(DisputeOut {
        object: "dispute".to_owned(),
        payment: id,
        status: dispute.won_by.map_or("open", ledger_core::payment::DisputeWinner::as_str).into(),
        amount: Amount::new(dispute.amount, currency),
        reason: opened.reason.as_ref().map(ToString::to_string),
        opened_at,
        decided_at,
        evidence: evidence.collect(),
        position,
    })
}
