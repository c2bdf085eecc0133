//! Where in the log what a payment did to its payer or its shop stands: what can be proven to them.

use ledger_core::{
    ids::{PaymentId, TransactionId},
    log::Position,
};
use projections::ReadModels;

use crate::http::{Problem, reach::Reach};

/// The position of the payment's debit or credit on an account of the caller's; nothing for who
/// reaches everything, and has no account in it.
pub(crate) async fn own_leg(
    models: &ReadModels,
    payment: PaymentId,
    reach: Reach,
) -> Result<Option<Position>, Problem> {
    if reach == Reach::Everything {
        return Ok(None);
    }
    let transaction = models.transaction(TransactionId::from_uuid(payment.uuid())).await?.value;
    let legs = transaction.into_iter().flat_map(|transaction| transaction.legs);
    let own = legs.filter(|leg| reach.account(&leg.account).is_ok());
    Ok(own.map(|leg| leg.position).next())
}
