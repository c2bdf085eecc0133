//! The trial balance: per currency all debits and all credits, by type and class of account.
//!
//! Now: the sums over the accounts. At an earlier position: the same, less the legs since then, or
//! the legs up to then, whichever are fewer. Legs are read in pieces and summed, so that memory
//! does not grow with the log.

use std::collections::{BTreeMap, HashMap};

use ledger_core::{
    chart::{AccountType, Direction, PostingClass},
    log::{self, LogError, Position},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{At, ReadModels, as_of::net, at_scale, decimal, unsigned};
use crate::{error::ReadError, models::decode_leg};

/// Positions that are read at once.
pub(super) const READ_EVENTS: u64 = 10_000;

/// All currencies of the book, each with what its accounts sum to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialBalance {
    /// By currency.
    pub currencies: Vec<CurrencyBalance>,
}

/// A currency's accounts, summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurrencyBalance {
    /// Which currency.
    pub currency: CurrencyCode,
    /// The sum of all debits.
    pub debits: Decimal,
    /// The sum of all credits.
    pub credits: Decimal,
    /// Whether the two are the same, as they must be.
    pub balanced: bool,
    /// By type and class of account.
    pub lines: Vec<TrialLine>,
}

/// The accounts of one type and class, summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialLine {
    /// Their type.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// Their class.
    pub class: PostingClass,
    /// How many there are.
    pub accounts: u64,
    /// The sum of their debits.
    pub debits: Decimal,
    /// The sum of their credits.
    pub credits: Decimal,
    /// The sum of their balances, on the type's normal side.
    pub balance: Decimal,
}

/// What a line stands for. By names, which sort and hash; the enums are made at the end.
type Key = (String, String, String);

#[derive(Clone, Copy, Default)]
struct Sums {
    accounts: u64,
    scale: u32,
    debits: Decimal,
    credits: Decimal,
}

/// Whether legs are put on the sums or taken off them.
#[derive(Clone, Copy)]
enum Way {
    On,
    Off,
}

impl ReadModels {
    /// The trial balance of everything that is in the read models.
    pub async fn trial_balance(&self) -> Result<At<TrialBalance>, ReadError> {
        let (position, sums) = self.sums_now(Position::MAX >> 1).await?;
        Ok(At { position, value: trial_balance(sums)? })
    }

    /// The trial balance after the event at `position`.
    ///
    /// # Errors
    /// [`ReadError::Behind`] if the read models do not reach that position.
    pub async fn trial_balance_at(
        &self,
        position: Position,
    ) -> Result<At<TrialBalance>, ReadError> {
        let (reached, mut sums) = self.sums_now(position).await?;
        if position > reached {
            return Err(ReadError::Behind { wanted: position, reached });
        }
        if reached - position <= position {
            self.sum_legs(&mut sums, position, reached, Way::Off).await?;
        } else {
            for sum in sums.values_mut() {
                (sum.debits, sum.credits) = (Decimal::ZERO, Decimal::ZERO);
            }
            self.sum_legs(&mut sums, 0, position, Way::On).await?;
        }
        Ok(At { position, value: trial_balance(sums)? })
    }

    /// The sums over the accounts as they are; counted are those opened up to `position`.
    async fn sums_now(
        &self,
        position: Position,
    ) -> Result<(Position, BTreeMap<Key, Sums>), ReadError> {
        let rows = sqlx::query(
            "select c.position as reflects, a.currency, a.account_type, a.class, a.accounts,
                    a.scale, a.debits, a.credits
             from read.checkpoint c
             left join (select currency, account_type, class, max(scale)::bigint as scale,
                               count(*) filter (where opened_position <= $1) as accounts,
                               sum(debits_posted)::text as debits,
                               sum(credits_posted)::text as credits
                        from read.accounts group by currency, account_type, class) a on true",
        )
        .bind(log::read::signed(position)?)
        .fetch_all(&self.pool)
        .await?;
        let (reached, lines) = super::rows(&rows, line_or_none)?;
        Ok((reached, lines.into_iter().collect()))
    }

    /// Puts the legs of positions `> after` and `<= upto` on the sums, or takes them off.
    async fn sum_legs(
        &self,
        sums: &mut BTreeMap<Key, Sums>,
        after: Position,
        upto: Position,
        way: Way,
    ) -> Result<(), ReadError> {
        let mut after = after;
        while after < upto {
            let end = upto.min(after.saturating_add(READ_EVENTS));
            let moved = self.moved(after, end).await?;
            let ids: Vec<&str> = moved.keys().map(String::as_str).collect();
            let rows = sqlx::query(
                "select id, currency, account_type, class from read.accounts where id = any($1)",
            )
            .bind(ids)
            .fetch_all(&self.pool)
            .await?;
            for row in &rows {
                let Some((debits, credits)) = moved.get(row.try_get::<&str, _>("id")?) else {
                    continue;
                };
                let sum = sums.entry(key(row)?).or_default();
                put(&mut sum.debits, *debits, way)?;
                put(&mut sum.credits, *credits, way)?;
            }
            after = end;
        }
        Ok(())
    }

    /// Debits and credits by account in a range of positions.
    pub(super) async fn moved(
        &self,
        after: Position,
        upto: Position,
    ) -> Result<HashMap<String, (Decimal, Decimal)>, ReadError> {
        let rows = sqlx::query(
            "select position, aggregate_id, event_type, event_version, payload from events
             where position > $1 and position <= $2
               and aggregate_type = 'account' and event_type in ('debited', 'credited')",
        )
        .bind(log::read::signed(after)?)
        .bind(log::read::signed(upto)?)
        .fetch_all(&self.pool)
        .await?;
        let mut moved: HashMap<String, (Decimal, Decimal)> = HashMap::new();
        for row in &rows {
            let event_type: &str = row.try_get("event_type")?;
            let position = unsigned(row, "position")?;
            let leg =
                decode_leg(event_type, row.try_get("event_version")?, row.try_get("payload")?)
                    .map_err(|source| LogError::Corrupt { position, source })?;
            let (debits, credits) = moved.entry(row.try_get("aggregate_id")?).or_default();
            let side = match event_type {
                "debited" => Direction::Debit,
                _ => Direction::Credit,
            };
            match side {
                Direction::Debit => put(debits, leg.amount, Way::On)?,
                Direction::Credit => put(credits, leg.amount, Way::On)?,
            }
        }
        Ok(moved)
    }
}

fn put(sum: &mut Decimal, amount: Decimal, way: Way) -> Result<(), ReadError> {
    let next = match way {
        Way::On => sum.checked_add(amount),
        Way::Off => sum.checked_sub(amount),
    };
    *sum = next.ok_or(ReadError::Amount)?;
    Ok(())
}

fn key(row: &PgRow) -> sqlx::Result<Key> {
    Ok((row.try_get("currency")?, row.try_get("account_type")?, row.try_get("class")?))
}

/// The line of a row; nothing if the row stands for none.
fn line_or_none(row: &PgRow) -> Result<Option<(Key, Sums)>, ReadError> {
    if row.try_get::<Option<&str>, _>("currency")?.is_none() {
        return Ok(None);
    }
    let sums = Sums {
        accounts: unsigned(row, "accounts")?,
        scale: u32::try_from(unsigned(row, "scale")?).map_err(|_| ReadError::Amount)?,
        debits: decimal(row, "debits")?,
        credits: decimal(row, "credits")?,
    };
    Ok(Some((key(row)?, sums)))
}

fn trial_balance(sums: BTreeMap<Key, Sums>) -> Result<TrialBalance, ReadError> {
    let mut currencies: Vec<CurrencyBalance> = Vec::new();
    for ((currency, account_type, class), sum) in sums {
        if sum.accounts == 0 {
            continue;
        }
        let currency: CurrencyCode =
            currency.parse().map_err(|source| super::undecodable("currency", source))?;
        let account_type: AccountType = super::named("account_type", &account_type)?;
        let balance = net(account_type, sum.debits, sum.credits)?;
        let line = TrialLine {
            account_type,
            class: super::named("class", &class)?,
            accounts: sum.accounts,
            debits: at_scale(sum.debits, sum.scale),
            credits: at_scale(sum.credits, sum.scale),
            balance: at_scale(balance, sum.scale),
        };
        // The lines come in the order of their currencies.
        match currencies.last_mut() {
            Some(last) if last.currency == currency => {
                put(&mut last.debits, line.debits, Way::On)?;
                put(&mut last.credits, line.credits, Way::On)?;
                last.balanced = last.debits == last.credits;
                last.lines.push(line);
            }
            Some(_) | None => currencies.push(CurrencyBalance {
                currency,
                debits: line.debits,
                credits: line.credits,
                balanced: line.debits == line.credits,
                lines: vec![line],
            }),
        }
    }
    Ok(TrialBalance { currencies })
}
