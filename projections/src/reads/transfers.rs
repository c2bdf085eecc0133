//! Transfers: those that wait or have waited from their own read model, all others from the
//! transactions that they are. A list shows both in one order, by where each began in the log.

use ledger_core::{
    account::AccountEvent,
    chart::Direction,
    clock::Timestamp,
    ids::{AccountId, PhoneHash, Reference, TransactionId, TransferId},
    log::{self, LogError, Position},
    money::CurrencyCode,
    posting::Kind,
    transfer::TransferStatus,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow, types::Uuid};

use super::{
    At, Page, ReadModels, TransactionFilter, alike, cut, decimal, parsed, rows, undecodable,
    unsigned, variant,
};
use crate::error::ReadError;

const COLUMNS: &str = "t.id, t.account_id, t.currency, t.amount::text as amount, \
    t.fee::text as fee, t.phone_hash, t.status, t.receiver_id, t.reason, t.expires_at, t.held_at, \
    t.held_position, t.changed_at";

/// The states in which something can still become of a transfer.
const OPEN: &str = "t.status in ('pending_claim', 'claim_in_review')";

/// A transfer, whether it waited or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransferRow {
    /// Its id.
    pub id: TransferId,
    /// The sender's account.
    pub account: AccountId,
    /// The receiver's, once it is known.
    pub receiver: Option<AccountId>,
    /// Its currency.
    pub currency: CurrencyCode,
    /// What the receiver gets.
    pub amount: Decimal,
    /// What it costs the sender, tax included.
    pub fee: Decimal,
    /// Where it is in its life.
    pub status: TransferStatus,
    /// Why a claim is in review, or was refused.
    pub reason: Option<Reference>,
    /// Keyed hash of the number that it was sent to; nothing if it never waited.
    #[serde(skip)]
    pub phone_hash: Option<PhoneHash>,
    /// Until when it can be claimed; nothing if it never waited.
    pub expires_at: Option<Timestamp>,
    /// When it began.
    pub begun_at: Timestamp,
    /// Where that stands in the log.
    pub begun_position: Position,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// The words that somebody put on it, if they were not erased.
    pub note: Option<String>,
}

/// Which transfers to list; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferFilter {
    /// Sent from or to this account.
    pub account: Option<AccountId>,
    /// In this status.
    pub status: Option<TransferStatus>,
    /// Begun before this position: the cursor.
    pub before: Option<Position>,
}

impl ReadModels {
    /// A transfer, if it exists.
    pub async fn transfer(&self, id: TransferId) -> Result<At<Option<TransferRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.transfers t on t.id = $1"
        );
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_one(&self.pool).await?;
        let position = unsigned(&row, "reflects")?;
        let mut found: Vec<TransferRow> = held_or_none(&row)?.into_iter().collect();
        if found.is_empty() {
            found = self.instant_transfers(&[id.transaction_id()]).await?;
        }
        self.put_words(&mut found).await?;
        Ok(At { position, value: found.pop() })
    }

    /// Transfers, newest first, `limit` at most. The cursor is a position.
    pub async fn transfers(
        &self,
        filter: &TransferFilter,
        limit: u32,
    ) -> Result<Page<TransferRow, Position>, ReadError> {
        let held = self.held_transfers(filter, limit).await?;
        // A transaction is complete from the beginning.
        let instant = if filter.status.is_none_or(|status| status == TransferStatus::Completed) {
            self.instant_page(filter, limit).await?
        } else {
            Page { items: Vec::new(), next: None, position: held.position }
        };
        let mut page = merged(held, instant, limit);
        self.put_words(&mut page.items).await?;
        Ok(page)
    }

    /// What waits for whoever proves a number, the oldest first; without words, which are for who
    /// has proved it and has come in.
    pub async fn transfers_waiting_for(
        &self,
        phone_hash: &PhoneHash,
        limit: u32,
    ) -> Result<At<Vec<TransferRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (
                 select * from read.transfers t where t.phone_hash = $1 and {OPEN}
                 order by t.held_position limit $2) t on true
             order by t.held_position"
        );
        let found = sqlx::query(&sql).bind(phone_hash.as_str()).bind(i64::from(limit));
        let (position, value) = rows(&found.fetch_all(&self.pool).await?, held_or_none)?;
        Ok(At { position, value })
    }

    /// Transfers whose time to be claimed has come, the longest first.
    pub async fn expired_transfers(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<At<Vec<TransferId>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, t.id
             from read.checkpoint c
             left join lateral (
                 select t.id, t.expires_at from read.transfers t
                 where {OPEN} and t.expires_at <= $1
                 order by t.expires_at, t.id limit $2) t on true
             order by t.expires_at, t.id"
        );
        let found =
            sqlx::query(&sql).bind(now).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        let (position, value) = rows(&found, |row| -> Result<_, ReadError> {
            Ok(row.try_get::<Option<Uuid>, _>("id")?.map(TransferId::from_uuid))
        })?;
        Ok(At { position, value })
    }

    async fn held_transfers(
        &self,
        filter: &TransferFilter,
        limit: u32,
    ) -> Result<Page<TransferRow, Position>, ReadError> {
        // Each branch by its own index; what an account sent to itself cannot be.
        let one = |column: &str| {
            format!(
                "(select * from read.transfers t
                  where {column} and t.held_position < $2 and ($3::text is null or t.status = $3)
                  order by t.held_position desc limit $4)"
            )
        };
        let wanted = if filter.account.is_some() {
            format!("{} union all {}", one("t.account_id = $1"), one("t.receiver_id = $1"))
        } else {
            one("$1::text is null")
        };
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join lateral ({wanted}) t on true
             order by t.held_position desc"
        );
        let found = sqlx::query(&sql)
            .bind(filter.account.as_ref().map(AccountId::as_str))
            .bind(log::read::signed(filter.before.unwrap_or(Position::MAX >> 1))?)
            .bind(filter.status.map(TransferStatus::as_str))
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.pool)
            .await?;
        let (position, found) = rows(&found, held_or_none)?;
        Ok(cut(found, limit, position, |row| row.begun_position))
    }

    async fn instant_page(
        &self,
        filter: &TransferFilter,
        limit: u32,
    ) -> Result<Page<TransferRow, Position>, ReadError> {
        let transactions = TransactionFilter {
            account: filter.account.clone(),
            kind: Some(Kind::transfer()),
            before: filter.before,
            ..TransactionFilter::default()
        };
        let page = self.transactions(&transactions, limit).await?;
        let plain = page.items.iter().filter(|t| t.cause.is_none() && t.reverses.is_none());
        let ids: Vec<TransactionId> = plain.map(|transaction| transaction.id).collect();
        let items = self.instant_transfers(&ids).await?;
        Ok(Page { items, next: page.next, position: page.position })
    }

    /// The transactions among these that are a transfer: of that kind, no object's, one account on
    /// the debit side and a first one on the other; what else is on that side is what it costs.
    async fn instant_transfers(
        &self,
        ids: &[TransactionId],
    ) -> Result<Vec<TransferRow>, ReadError> {
        let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let found = sqlx::query(
            "select t.id, t.first_position, t.recorded_at, t.currency, e.position, e.aggregate_id,
                    e.event_type, e.event_version, e.payload
             from read.transactions t
             join events e on e.position between t.first_position and t.last_position
             where t.id = any($1) and t.kind = $2 and t.cause is null
             order by t.first_position desc, e.position",
        )
        .bind(uuids)
        .bind(Kind::TRANSFER)
        .fetch_all(&self.pool)
        .await?;
        let mut transfers: Vec<Legs> = Vec::with_capacity(ids.len());
        for row in &found {
            let id = TransferId::from_uuid(row.try_get("id")?);
            if transfers.last().is_none_or(|last| last.id != id) {
                transfers.push(Legs { id, all: Vec::new(), first: first_of(row)? });
            }
            if let Some(last) = transfers.last_mut() {
                last.all.push(leg(row)?);
            }
        }
        Ok(transfers.into_iter().filter_map(Legs::transfer).collect())
    }

    async fn put_words(&self, transfers: &mut [TransferRow]) -> Result<(), ReadError> {
        let ids = transfers.iter().map(|t| t.id.transaction_id()).collect::<Vec<_>>();
        let mut notes = self.notes(&ids).await?;
        for transfer in transfers {
            transfer.note = notes.remove(&transfer.id.transaction_id());
        }
        Ok(())
    }
}

/// Two lists as one. Below where one of them ends for now, the other is not shown yet.
fn merged(
    held: Page<TransferRow, Position>,
    instant: Page<TransferRow, Position>,
    limit: u32,
) -> Page<TransferRow, Position> {
    let horizon = held.next.into_iter().chain(instant.next).max();
    let position = held.position.min(instant.position);
    let mut items: Vec<TransferRow> = held.items.into_iter().chain(instant.items).collect();
    items.retain(|row| horizon.is_none_or(|horizon| row.begun_position >= horizon));
    items.sort_by_key(|row| std::cmp::Reverse(row.begun_position));
    let mut page = cut(items, limit, position, |row| row.begun_position);
    page.next = page.next.or(horizon);
    page
}

/// A transaction's legs, and where it begins.
struct Legs {
    id: TransferId,
    all: Vec<(AccountId, Direction, Decimal)>,
    first: (Position, Timestamp, CurrencyCode),
}

impl Legs {
    fn transfer(self) -> Option<TransferRow> {
        let (begun_position, begun_at, currency) = self.first;
        let of = |wanted| self.all.iter().filter(move |(_, side, _)| *side == wanted);
        let (mut debits, mut credits) = (of(Direction::Debit), of(Direction::Credit));
        let ((account, _, total), (receiver, _, amount)) = (debits.next()?, credits.next()?);
        let same = account.currency().ok() == Some(currency);
        if debits.next().is_some() || !same || receiver.currency().ok() != Some(currency) {
            return None;
        }
        Some(TransferRow {
            id: self.id,
            account: account.clone(),
            receiver: Some(receiver.clone()),
            currency,
            amount: *amount,
            fee: total.checked_sub(*amount)?,
            status: TransferStatus::Completed,
            reason: None,
            phone_hash: None,
            expires_at: None,
            begun_at,
            begun_position,
            changed_at: begun_at,
            note: None,
        })
    }
}

fn first_of(row: &PgRow) -> Result<(Position, Timestamp, CurrencyCode), ReadError> {
    let position = unsigned(row, "first_position")?;
    Ok((position, row.try_get("recorded_at")?, parsed(row, "currency")?))
}

fn leg(row: &PgRow) -> Result<(AccountId, Direction, Decimal), ReadError> {
    let position = unsigned(row, "position")?;
    let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
    let event: AccountEvent = log::decode(name, version, row.try_get("payload")?)
        .map_err(|source| LogError::Corrupt { position, source })?;
    let (direction, leg) = event.leg().ok_or(ReadError::NotALeg(position))?;
    let account: &str = row.try_get("aggregate_id")?;
    let account = account.parse().map_err(|source| undecodable("aggregate_id", source))?;
    Ok((account, direction, leg.amount))
}

/// The transfer of a row; nothing if the row stands for none.
fn held_or_none(row: &PgRow) -> Result<Option<TransferRow>, ReadError> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("id")? else {
        return Ok(None);
    };
    let receiver = match row.try_get::<Option<&str>, _>("receiver_id")? {
        Some(_) => Some(parsed(row, "receiver_id")?),
        None => None,
    };
    let reason = match row.try_get::<Option<&str>, _>("reason")? {
        Some(_) => Some(parsed(row, "reason")?),
        None => None,
    };
    let [amount, fee] = alike([decimal(row, "amount")?, decimal(row, "fee")?]);
    Ok(Some(TransferRow {
        id: TransferId::from_uuid(id),
        account: parsed(row, "account_id")?,
        receiver,
        currency: parsed(row, "currency")?,
        amount,
        fee,
        status: variant(row, "status")?,
        reason,
        phone_hash: Some(parsed(row, "phone_hash")?),
        expires_at: Some(row.try_get("expires_at")?),
        begun_at: row.try_get("held_at")?,
        begun_position: unsigned(row, "held_position")?,
        changed_at: row.try_get("changed_at")?,
        note: None,
    }))
}
