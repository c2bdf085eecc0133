//! What wallets see of transactions that belong to no object of their own: transfers between
//! wallets, payments, fees, corrections.

use std::collections::BTreeMap;

use ledger_core::{
    chart::Direction,
    clock::Timestamp,
    ids::{TransactionId, TransferId},
    log::Position,
    posting::Kind,
};
use rust_decimal::Decimal;

use super::{
    ActivityStatus, is_wallet,
    rows::{IN, OUT, Row},
};
use crate::{
    error::PoisonReason,
    models::{PlacedLeg, add_to},
};

/// Objects that are rows themselves: what they move is told by them.
const OBJECTS: [&str; 6] = ["dep_", "wd_", "tr_", "pay_", "rf_", "set_"];

/// The transactions of a run of events.
#[derive(Default)]
pub(super) struct Transactions<'e> {
    open: Option<Transaction<'e>>,
    complete: Vec<Transaction<'e>>,
}

struct Transaction<'e> {
    id: TransactionId,
    kind: Kind,
    recorded_at: Timestamp,
    /// Whether a wallet is among its accounts.
    is_seen: bool,
    /// Whether it belongs to nothing but itself.
    is_alone: bool,
    accounts: BTreeMap<&'e str, Share>,
}

/// What one account has of it: all on one side.
struct Share {
    side: Direction,
    amount: Decimal,
    position: Position,
}

impl<'e> Transactions<'e> {
    pub(super) fn leg(&mut self, placed: PlacedLeg<'e, '_>) -> Result<(), PoisonReason> {
        let leg = placed.leg;
        let cause = leg.cause.as_ref().map_or("", |cause| cause.as_str());
        if OBJECTS.iter().any(|prefix| cause.starts_with(prefix)) {
            return Ok(());
        }
        let open = match self.open.take() {
            Some(open) if open.id == leg.transaction_id => open,
            Some(_) | None => Transaction {
                id: leg.transaction_id,
                kind: leg.kind.clone(),
                recorded_at: placed.event.recorded_at,
                is_seen: false,
                is_alone: cause.is_empty(),
                accounts: BTreeMap::new(),
            },
        };
        let open = self.open.insert(open);
        let account = placed.event.aggregate_id;
        open.is_seen |= is_wallet(account);
        let position = placed.event.position;
        let share = open.accounts.entry(account).or_insert(Share {
            side: placed.side,
            amount: Decimal::ZERO,
            position,
        });
        add_to(&mut share.amount, leg.amount)?;
        if leg.leg == leg.legs
            && let Some(complete) = self.open.take()
            && complete.is_seen
        {
            self.complete.push(complete);
        }
        Ok(())
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        self.complete.iter().flat_map(Transaction::rows).collect()
    }
}

impl Transaction<'_> {
    fn rows(&self) -> impl Iterator<Item = Row> {
        let seen = self.accounts.iter().filter(|(account, _)| is_wallet(account));
        seen.map(|(account, share)| {
            let (_, currency) = account.rsplit_once(':').unwrap_or_default();
            Row {
                account: (*account).to_owned(),
                object: self.object(),
                kind: self.kind.as_str().to_owned(),
                direction: match share.side {
                    Direction::Credit => IN,
                    Direction::Debit => OUT,
                },
                status: ActivityStatus::Done,
                object_status: "completed",
                currency: currency.to_owned(),
                amount: share.amount,
                fee: Decimal::ZERO,
                counterparty: self.counterparty(share.side, currency).map(str::to_owned),
                utr: None,
                began: (share.position, self.recorded_at),
                changed: (share.position, self.recorded_at),
            }
        })
    }

    /// What it is known by: between wallets it is a transfer, whose id it is.
    fn object(&self) -> String {
        if self.is_alone && self.kind.as_str() == Kind::TRANSFER {
            return TransferId::from_uuid(self.id.uuid()).to_string();
        }
        self.id.to_string()
    }

    /// The account on the other side, if it is one.
    fn counterparty(&self, side: Direction, currency: &str) -> Option<&str> {
        let mut others = self.accounts.iter().filter(|(account, share)| {
            share.side != side && account.rsplit_once(':').is_some_and(|(_, c)| c == currency)
        });
        let (account, _) = others.next()?;
        others.next().is_none().then_some(*account)
    }
}
