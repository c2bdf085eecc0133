//! Giving back: a part of a payment, or all of it.

use ledger_core::{
    chart::Authority,
    ids::{PaymentId, Reference, RefundId},
    money::Money,
    payment::{PaymentOperation, RefundPayment},
};
use projections::{PaymentRow, ReadError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{REFUND, debt_limit, shop};
use crate::{
    deposits::{Outside, is_outside},
    http::{
        Problem, codes,
        idempotency::Key,
        reach::{Reach, Reaching as _, nothing},
        reader::{caught_up, find},
        wire::{MoneyIn, with_book},
        writer::{Done, Identity, Writer},
    },
    transfers::known,
};

/// Money to give back.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefundInput)]
pub(crate) struct RefundIn {
    /// How much; all that is left of the payment, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<MoneyIn>,
    /// Why, as a code of the shop's own: `returned`, `RMA-7`. No personal data: it is kept for
    /// ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "returned")]
    pub(crate) reason: Option<Reference>,
}

/// Gives back, once for its key; waits if the shop is short.
pub(crate) async fn refund(
    writer: &Writer,
    payment_id: PaymentId,
    key: Key,
    body: &RefundIn,
) -> Result<Done, Problem> {
    let row = of_shop(writer, payment_id).await?;
    let id = payment_id.to_string();
    let identity = Identity { key, operation: "refund_payment", path: &[&id], body };
    let permission = Authority::of_payments().into();
    let amount = match &body.amount {
        Some(asked) => {
            with_book(&writer.state, |book| asked.resolve_positive(book, "/amount")).await
        }
        None => rest(writer, payment_id).await,
    };
    let amount = match amount {
        Ok(amount) => amount,
        // What was left may have gone back by this very request.
        Err(problem) => return known::or_replay(writer, identity, permission, problem).await,
    };
    let book = writer.state.ledger.status().borrow().book.clone();
    let limit = debt_limit(&writer.state.reads, &book, &row.merchant).await;
    let refund_id = RefundId::from_uuid(writer.state.ids.fresh());
    if is_outside(&row.payer) {
        // Before the ledger is asked: what is given back must not stay where no payer sees it.
        let outside = Outside::new(writer.state.reads.clone());
        outside.note_refund(refund_id, &row.payer).await.map_err(ReadError::from)?;
    }
    let operation = PaymentOperation::Refund(RefundPayment {
        payment_id,
        refund_id,
        amount,
        reason: body.reason.clone(),
        receivable_limit: limit.map_err(ReadError::from)?,
    });
    writer.submit(identity, permission, operation.into()).await
}

/// Gives up a refund that still waits.
pub(crate) async fn cancel<T: Serialize>(
    writer: &Writer,
    refund_id: RefundId,
    key: Key,
    body: &T,
) -> Result<Done, Problem> {
    let models = &writer.state.read_models;
    let (_, refund) = find(&writer.state, || models.refund(refund_id)).await?;
    let payment_id = of_shop(writer, refund.payment).await?.id;
    let id = refund_id.to_string();
    let identity = Identity { key, operation: "cancel_refund", path: &[&id], body };
    let operation = PaymentOperation::CancelRefund { payment_id, refund_id };
    writer.submit(identity, Authority::of_payments().into(), operation.into()).await
}

/// The payment, if it is the caller's shop's.
async fn of_shop(writer: &Writer, payment_id: PaymentId) -> Result<PaymentRow, Problem> {
    let reach = writer.caller.reach_shop(REFUND)?;
    if let Reach::Of(_) = reach {
        return Err(nothing());
    }
    let models = &writer.state.read_models;
    let (_, row) = find(&writer.state, || models.payment(payment_id)).await?;
    shop::check_shop(reach, &row.merchant)?;
    Ok(row)
}

/// What is left of a payment, after everything that the engine knows. If more goes back meanwhile,
/// the ledger refuses.
pub(super) async fn rest(writer: &Writer, payment_id: PaymentId) -> Result<Money, Problem> {
    let models = caught_up(&writer.state).await?;
    let row = models.payment(payment_id).await?.value.ok_or_else(nothing)?;
    let gone = [row.refunded, row.pending, row.disputed].into_iter();
    let left = gone.fold(row.gross, rust_decimal::Decimal::saturating_sub);
    if left.is_zero() {
        let detail = "All of the payment went back already, or waits to, or is disputed.";
        return Err(Problem::new(codes::ALREADY_REFUNDED, detail));
    }
    let currency = with_book(&writer.state, |book| {
        let unknown = || Problem::internal(&"a payment in a currency that the book has not");
        book.currency(row.currency).ok_or_else(unknown)
    });
    Money::parse(&left.to_string(), currency.await?).map_err(|error| Problem::internal(&error))
}
