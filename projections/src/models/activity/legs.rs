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
use sqlx::PgConnection;

use super::{
    ActivityStatus, is_plain, is_wallet,
    rows::{IN, OUT},
};
use crate::{
    error::{PoisonReason, ProjectionError},
    models::{PlacedLeg, Schema, add_to, bigint},
};

/// Objects that are rows themselves: what they move is told by them.
const OBJECTS: [&str; 6] = ["dep_", "wd_", "tr_", "pay_", "rf_", "set_"];

/// Whether a transaction is a part of its object's row. What comes to a wallet out of the sending
/// back of somebody's money is that wallet's alone: it has no part in the withdrawal.
fn is_told_by_object(cause: &str, kind: &str) -> bool {
    let is_of_other = cause.starts_with("wd_") && kind == Kind::DEPOSIT;
    !is_of_other && OBJECTS.iter().any(|prefix| cause.starts_with(prefix))
}

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
        if is_plain(leg) || is_told_by_object(cause, leg.kind.as_str()) {
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

    /// Writes a row for each wallet of each transaction. They are new, whatever was written before:
    /// a transaction is in one run of events only. So none is looked for first.
    pub(super) async fn insert_in_tx(
        &self,
        db: &mut PgConnection,
        schema: Schema,
    ) -> Result<(), ProjectionError> {
        if self.complete.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::default();
        for transaction in &self.complete {
            for (account, share) in &transaction.accounts {
                if is_wallet(account) {
                    rows.push(transaction, account, share)?;
                }
            }
        }
        let sql = format!(
            "insert into {}.activity (account_id, object_id, kind, direction, status, object_status,
                 currency, amount, fee, counterparty, began_at, began_position, changed_at,
                 last_position)
             select account, object, kind, direction, '{}', 'completed', currency, amount, 0,
                    counterparty, at, position, at, position
             from (select unnest($1::text[]) as account, unnest($2::text[]) as object,
                          unnest($3::text[]) as kind, unnest($4::text[]) as direction,
                          unnest($5::text[]) as currency, unnest($6::numeric[]) as amount,
                          unnest($7::text[]) as counterparty, unnest($8::timestamptz[]) as at,
                          unnest($9::bigint[]) as position) as made",
            schema.name(),
            ActivityStatus::Done.as_str(),
        );
        sqlx::query(&sql)
            .bind(rows.account)
            .bind(rows.object)
            .bind(rows.kind)
            .bind(rows.direction)
            .bind(rows.currency)
            .bind(rows.amount)
            .bind(rows.counterparty)
            .bind(rows.at)
            .bind(rows.position)
            .execute(db)
            .await?;
        Ok(())
    }
}

#[derive(Default)]
struct Rows<'a> {
    account: Vec<&'a str>,
    object: Vec<String>,
    kind: Vec<&'a str>,
    direction: Vec<&'static str>,
    currency: Vec<&'a str>,
    amount: Vec<Decimal>,
    counterparty: Vec<Option<&'a str>>,
    at: Vec<Timestamp>,
    position: Vec<i64>,
}

impl<'a> Rows<'a> {
    fn push(
        &mut self,
        transaction: &'a Transaction<'_>,
        account: &'a str,
        share: &Share,
    ) -> Result<(), ProjectionError> {
        let (_, currency) = account.rsplit_once(':').unwrap_or_default();
        self.account.push(account);
        self.object.push(transaction.object());
        self.kind.push(transaction.kind.as_str());
        self.direction.push(match share.side {
            Direction::Credit => IN,
            Direction::Debit => OUT,
        });
        self.currency.push(currency);
        self.amount.push(share.amount);
        self.counterparty.push(transaction.counterparty(share.side, currency));
        self.at.push(transaction.recorded_at);
        self.position.push(bigint(share.position)?);
        Ok(())
    }
}

impl Transaction<'_> {
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
