//! What wallets see of transfers that wait to be claimed: the sender from the beginning on, whoever
//! claimed it from the claim on. A claim that came to nothing stays as that, so that a row which
//! was once there stays, however the rows are made.

use std::collections::BTreeSet;

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, TransferId},
    log::{self, Position},
    transfer::{Transfer, TransferEvent, TransferStatus},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::rows::{IN, OUT, Row};
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    models::bigint,
    reads::unsigned,
};

/// A transfer, and who claimed it when.
struct Lived {
    id: TransferId,
    transfer: Transfer,
    claims: Vec<(AccountId, (Position, Timestamp))>,
    first: (Position, Timestamp),
    last: (Position, Timestamp),
}

/// The rows of the transfers, from their whole streams up to a position.
pub(super) async fn rows(
    db: &mut PgConnection,
    ids: &BTreeSet<TransferId>,
    upto: Position,
) -> Result<Vec<Row>, ProjectionError> {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sql = "
        select aggregate_id, position, recorded_at, event_type, event_version, payload
        from events
        where aggregate_type = 'transfer' and aggregate_id = any($1) and position <= $2
        order by aggregate_id, sequence";
    let found = sqlx::query(sql).bind(names).bind(bigint(upto)?).fetch_all(db).await?;
    let mut lives: Vec<Lived> = Vec::with_capacity(ids.len());
    for row in &found {
        let (id, place, event) = fact(row)?;
        match lives.last_mut() {
            Some(known) if known.id == id => known.apply(place, event),
            _ => {
                let transfer = Transfer::default();
                let claims = Vec::new();
                let mut begun = Lived { id, transfer, claims, first: place, last: place };
                begun.apply(place, event);
                lives.push(begun);
            }
        }
    }
    Ok(lives.iter().flat_map(Lived::rows).collect())
}

type Fact = (TransferId, (Position, Timestamp), TransferEvent);

fn fact(row: &PgRow) -> Result<Fact, ProjectionError> {
    let position = unsigned(row, "position")?;
    let poison = |reason| ProjectionError::Poison(Poison { position, reason });
    let id: &str = row.try_get("aggregate_id")?;
    let id = id.parse().map_err(|_| poison(PoisonReason::MalformedId))?;
    let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
    let event = log::decode(name, version, row.try_get("payload")?);
    let event = event.map_err(|error| poison(error.into()))?;
    Ok((id, (position, row.try_get("recorded_at")?), event))
}

impl Lived {
    fn apply(&mut self, place: (Position, Timestamp), event: TransferEvent) {
        let claimer = match &event {
            TransferEvent::ClaimInReview(claim) => Some(&claim.account),
            TransferEvent::Completed(completed) => Some(&completed.account),
            TransferEvent::Held(_) | TransferEvent::Cancelled(_) | TransferEvent::Expired {} => {
                None
            }
        };
        if let Some(account) = claimer
            && !self.claims.iter().any(|(known, _)| known == account)
        {
            self.claims.push((account.clone(), place));
        }
        self.transfer = self.transfer.clone().after(event);
        self.last = place;
    }

    fn rows(&self) -> Vec<Row> {
        let known = self.transfer.properties().zip(self.transfer.status());
        let Some((held, status)) = known else { return Vec::new() };
        let Ok(currency) = held.account.currency() else { return Vec::new() };
        let row = |account: &AccountId, direction, status: TransferStatus, fee, began| Row {
            account: account.as_str().to_owned(),
            object: self.id.to_string(),
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
            changed: self.last,
        };
        let receiver = self.transfer.receiver().map(|account| account.as_str().to_owned());
        let sent = row(&held.account, OUT, status, held.fee, self.first);
        let mut rows = vec![Row { counterparty: receiver, ..sent }];
        for (account, claimed) in self.claims.iter().filter(|(a, _)| *a != held.account) {
            let has_it = self.transfer.receiver() == Some(account);
            let status = match status {
                TransferStatus::Completed | TransferStatus::PendingClaim if !has_it => {
                    TransferStatus::Cancelled
                }
                TransferStatus::PendingClaim
                | TransferStatus::ClaimInReview
                | TransferStatus::Completed
                | TransferStatus::Cancelled
                | TransferStatus::Expired => status,
            };
            let got = row(account, IN, status, Decimal::ZERO, *claimed);
            rows.push(Row { counterparty: Some(held.account.as_str().to_owned()), ..got });
        }
        rows
    }
}
