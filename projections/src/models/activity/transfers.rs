//! What wallets see of transfers that wait to be claimed: the sender from the beginning on, whoever
//! claimed it from the claim on. A claim that came to nothing stays as that, so that a row which
//! was once there stays, however the rows are made.

use ledger_core::{
    ids::AccountId,
    transfer::{Transfer, TransferEvent, TransferStatus},
};
use rust_decimal::Decimal;

use super::rows::{IN, OUT, Row};
use crate::models::streams::{Lived, Place};

/// Who claimed it, and when first.
fn claims(lived: &Lived<Transfer>) -> Vec<(&AccountId, Place)> {
    let mut claims: Vec<(&AccountId, Place)> = Vec::new();
    for fact in &lived.facts {
        let claimer = match &fact.event {
            TransferEvent::ClaimInReview(claim) => Some(&claim.account),
            TransferEvent::Completed(completed) => Some(&completed.account),
            TransferEvent::Held(_) | TransferEvent::Cancelled(_) | TransferEvent::Expired {} => {
                None
            }
        };
        if let Some(account) = claimer
            && !claims.iter().any(|(known, _)| *known == account)
        {
            claims.push((account, fact.place));
        }
    }
    claims
}

/// What its sender sees, and who claimed it.
pub(super) fn of_transfer(lived: &Lived<Transfer>) -> Vec<Row> {
    let transfer = &lived.object;
    let known = transfer.properties().zip(transfer.status());
    let Some((held, status)) = known else { return Vec::new() };
    let Ok(currency) = held.account.currency() else { return Vec::new() };
    let row = |account: &AccountId, direction, status: TransferStatus, fee, began| Row {
        account: account.as_str().to_owned(),
        object: lived.id.to_string(),
        kind: "transfer".to_owned(),
        direction,
        status: status.into(),
        object_status: status.as_str(),
        currency: currency.as_str().to_owned(),
        amount: held.amount,
        fee,
        counterparty: None,
        utr: None,
        began,
        changed: lived.last,
    };
    let receiver = transfer.receiver().map(|account| account.as_str().to_owned());
    let sent = row(&held.account, OUT, status, held.fee, lived.first);
    let mut rows = vec![Row { counterparty: receiver, ..sent }];
    for (account, claimed) in claims(lived).into_iter().filter(|(a, _)| **a != held.account) {
        let has_it = transfer.receiver() == Some(account);
        let shown = match status {
            // Somebody else has it, or it waits again for somebody.
            TransferStatus::Completed | TransferStatus::PendingClaim if !has_it => {
                TransferStatus::Cancelled
            }
            TransferStatus::Completed
            | TransferStatus::PendingClaim
            | TransferStatus::ClaimInReview
            | TransferStatus::Cancelled
            | TransferStatus::Expired => status,
        };
        let got = row(account, IN, shown, Decimal::ZERO, claimed);
        rows.push(Row { counterparty: Some(held.account.as_str().to_owned()), ..got });
    }
    rows
}
