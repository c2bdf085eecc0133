//! Disputes: a payer says that a payment was not right, both sides say what they know, and a person
//! of ours decides.
//!
//! Opening one moves money at once: it is taken from the shop and held, and the payer is lent the
//! same. So it is opened once for a payment, by its payer, and for a bounded time after it; a
//! person of ours may open one for a payer later. Words lie beside the log (`super::words`).

use chrono::TimeDelta;
use ledger_core::{
    chart::Authority,
    ids::{PaymentId, Reference, TransactionId},
    money::Money,
    payment::{DecideDispute, DisputeWinner, OpenDispute, PaymentOperation},
};
use projections::PaymentRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    refund::rest,
    shop,
    words::{self, Side, WORDS_MAX},
};
use crate::{
    http::{
        Problem, codes,
        idempotency::Key,
        reach::{Reach, Reaching as _},
        reader::find,
        wire::{MoneyIn, with_book},
        writer::{Done, Identity, Writer},
    },
    identity::Scope,
    transfers::known,
};

/// How many days after a payment its payer may dispute it.
pub(crate) const DAYS: i64 = 120;
/// What opening one takes.
pub(crate) const OPEN: &[Scope] = &[Scope::PaymentsWrite, Scope::OpsWrite];
/// What saying something takes: of payers as opening, of shops as giving back.
pub(crate) const SAY: &[Scope] = &[Scope::PaymentsWrite, Scope::RefundsWrite, Scope::OpsWrite];

/// A dispute to open.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DisputeInput)]
pub(crate) struct DisputeIn {
    /// How much of the payment; all that is left of it, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<MoneyIn>,
    /// Why, as a code: `not_delivered`, `not_as_described`, `not_mine`, `duplicate`. It is kept for
    /// ever, so no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "not_delivered")]
    pub(crate) reason: Option<Reference>,
    /// What happened, in words: for the shop and for who decides. 1,000 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "The tea never came.")]
    pub(crate) words: Option<String>,
}

/// Something to say about a dispute.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EvidenceInput)]
pub(crate) struct EvidenceIn {
    /// The words, 1 to 1,000 characters; both sides and who decides read them.
    #[schema(example = "Handed over at 14:02, see receipt 17.")]
    pub(crate) words: String,
}

/// Whose the money is.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DisputeWinner)]
pub(crate) enum Winner {
    /// The payer keeps what was lent.
    Payer,
    /// The shop gets back what is held; the payer gives back what was lent.
    Merchant,
}

impl From<Winner> for DisputeWinner {
    fn from(winner: Winner) -> Self {
        match winner {
            Winner::Payer => Self::Payer,
            Winner::Merchant => Self::Merchant,
        }
    }
}

/// A decision about a dispute.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DisputeDecisionInput)]
pub(crate) struct DecisionIn {
    /// Whose the money is.
    pub(crate) won_by: Winner,
    /// Why, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "proof_of_delivery")]
    pub(crate) reason: Option<Reference>,
}

/// Opens a dispute, once for its key. Words that a crash kept from being stored are stored when the
/// request comes again.
pub(crate) async fn open(
    writer: &Writer,
    payment_id: PaymentId,
    key: Key,
    body: &DisputeIn,
) -> Result<Done, Problem> {
    let reach = writer.caller.reach(OPEN)?;
    let row = seen(writer, reach, payment_id).await?;
    let words = body.words.as_deref().map(|text| words::checked("/words", text)).transpose()?;
    let id = payment_id.to_string();
    let identity = Identity { key: key.clone(), operation: "open_dispute", path: &[&id], body };
    let permission = Authority::of_payments().into();
    let amount = match amount(writer, (reach, &row), body).await {
        Ok(amount) => amount,
        Err(problem) => return known::or_replay(writer, identity, permission, problem).await,
    };
    let operation = PaymentOperation::OpenDispute(OpenDispute {
        payment_id,
        amount,
        reason: body.reason.clone(),
        transaction_id: TransactionId::from_uuid(writer.state.ids.fresh()),
    });
    let done = writer.submit(identity, permission, operation.into()).await?;
    if let Some(words) = words.filter(|words| !words.is_empty()) {
        note(writer, (reach, &row), &key, &words).await?;
    }
    Ok(done)
}

async fn amount(
    writer: &Writer,
    (reach, row): (Reach, &PaymentRow),
    body: &DisputeIn,
) -> Result<Money, Problem> {
    let is_late = !is_in_time(row, writer.state.clock.now());
    if is_late && reach != Reach::Everything {
        let detail = format!("A payment can be disputed for {DAYS} days.");
        return Err(Problem::new(codes::DISPUTE_TOO_LATE, detail));
    }
    match &body.amount {
        Some(asked) => {
            with_book(&writer.state, |book| asked.resolve_positive(book, "/amount")).await
        }
        None => rest(writer, row.id).await,
    }
}

/// Says something about a dispute, once for its key.
pub(crate) async fn say(
    writer: &Writer,
    payment_id: PaymentId,
    key: &Key,
    body: &EvidenceIn,
) -> Result<(), Problem> {
    let reach = writer.caller.reach_shop(SAY)?;
    let row = seen(writer, reach, payment_id).await?;
    if row.dispute.is_none() {
        return Err(Problem::new(codes::DISPUTE_NOT_FOUND, "Nobody has disputed the payment."));
    }
    if row.dispute.as_deref() != Some("open") {
        return Err(Problem::new(codes::DISPUTE_DECIDED, "The dispute is over."));
    }
    let words = words::checked("/words", &body.words)?;
    if words.is_empty() {
        let detail = format!("Say something, in {WORDS_MAX} characters at most.");
        return Err(Problem::field(codes::INVALID, "/words", detail));
    }
    note(writer, (reach, &row), key, &words).await
}

/// Decides a dispute: a person of ours.
pub(crate) async fn decide(
    writer: &Writer,
    payment_id: PaymentId,
    key: Key,
    body: &DecisionIn,
) -> Result<Done, Problem> {
    let id = payment_id.to_string();
    let identity = Identity { key, operation: "decide_dispute", path: &[&id], body };
    let operation = PaymentOperation::DecideDispute(DecideDispute {
        payment_id,
        won_by: body.won_by.into(),
        reason: body.reason.clone(),
        transaction_id: TransactionId::from_uuid(writer.state.ids.fresh()),
    });
    writer.submit(identity, Authority::of_payments().into(), operation.into()).await
}

/// The payment, if it is the caller's: the payer's, the shop's, or anybody's for ours.
async fn seen(writer: &Writer, reach: Reach, id: PaymentId) -> Result<PaymentRow, Problem> {
    let models = &writer.state.read_models;
    let (_, row) = find(&writer.state, || models.payment(id)).await?;
    check(reach, &row)?;
    Ok(row)
}

/// Goes on only if the payment is within reach.
pub(crate) fn check(reach: Reach, row: &PaymentRow) -> Result<(), Problem> {
    match reach {
        Reach::Of(_) => reach.account(&row.payer),
        Reach::Everything | Reach::OfMerchant(..) => shop::check_shop(reach, &row.merchant),
    }
}

async fn note(
    writer: &Writer,
    (reach, row): (Reach, &PaymentRow),
    key: &Key,
    words: &str,
) -> Result<(), Problem> {
    let internal = |error: ledger_core::ids::IdError| Problem::internal(&error);
    let (side, subject) = match reach {
        Reach::Of(person) => (Side::Payer, person.owner().map_err(internal)?),
        Reach::OfMerchant(shop, _) => (Side::Shop, shop.owner().map_err(internal)?),
        Reach::Everything => (Side::Desk, words::DESK.parse().map_err(internal)?),
    };
    let principal = writer.caller.principal.as_str();
    let id = words::id_of(principal, key.0.as_str(), row.id);
    let at = writer.state.clock.now();
    let kept = writer.state.dispute_words.keep((id, row.id), (side, &subject), (words, at)).await?;
    if kept { Ok(()) } else { Err(too_many()) }
}

fn too_many() -> Problem {
    Problem::new(codes::DISPUTE_WORDS_MANY, "Enough was said: a person of ours decides.")
}

/// Whether the payer may still dispute a payment.
pub(crate) fn is_in_time(row: &PaymentRow, now: ledger_core::clock::Timestamp) -> bool {
    row.paid_at.checked_add_signed(TimeDelta::days(DAYS)).is_some_and(|until| now <= until)
}
