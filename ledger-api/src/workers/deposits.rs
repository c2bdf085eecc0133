//! What nobody tells of deposits: that their time has come, and that they were paid all the same.
//!
//! An intent whose time has come is ended; money that comes later is taken. A webhook can be lost,
//! so banks are asked about young deposits without money: seldom, the more seldom the older, and a
//! bounded number of times; what is missed then is on the statement. A question is noted before it
//! is asked, so that any number of workers ask once. Nothing about money rests on it: what the bank
//! answers is handed to the [`CreditDesk`], which books a credit once.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::future;
use ledger_core::{
    clock::{Clock, Timestamp},
    deposit::{CreditPlace, credit::token_of},
    ids::{BankCode, DepositId},
};
use projections::{ReadError, ReadModels};
use sqlx::{PgPool, Row as _, types::Uuid};
use tokio::sync::watch;

use crate::{
    banks::CallError,
    deposits::{CreditDesk, DeskError, Handled},
};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How many intents it ends before it looks again.
const EXPIRED_MAX: u32 = 200;
/// How long it waits for the read models to see what it has ended.
const CATCH_UP: Duration = Duration::from_secs(2);
/// How many deposits one bank is asked about in one round.
const QUESTIONS_MAX: u32 = 20;
/// When the first question is asked; each next one after twice as long as the one before.
const ASK_AFTER: TimeDelta = TimeDelta::seconds(20);
const ASK_AFTER_MAX: TimeDelta = TimeDelta::hours(6);
/// How often at most, and how old a deposit may be.
const ASKED_MAX: i32 = 14;
const AGE_MAX: TimeDelta = TimeDelta::days(3);

/// Ends deposits, and asks banks about them.
#[derive(Clone)]
pub struct DepositKeeper {
    /// Who hands in what banks say.
    pub desk: CreditDesk,
    /// Which deposits there are.
    pub read_models: ReadModels,
    /// Where the questions are noted.
    pub pool: PgPool,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

/// Why a round did not get through. The next one tries again.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error("the deposits could not be read")]
    Read(#[from] ReadError),
    #[error("the deposits could not be read")]
    Database(#[from] sqlx::Error),
    #[error("a bank's word was not handed in")]
    Desk(#[from] DeskError),
}

/// A question that is due.
struct Due {
    id: DepositId,
    asked: i32,
    has_page: bool,
}

impl DepositKeeper {
    /// Works until `stopping` turns true. A failed round is told and tried again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                () = self.round() => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Looks once: one bank that does not answer delays no other.
    async fn round(&self) {
        let banks = self.desk.banks.iter().map(|bank| self.ask_about(bank.code()));
        let (expired, asked) = tokio::join!(self.expire(), future::join_all(banks));
        for result in asked.into_iter().chain([expired]) {
            if let Err(error) = result {
                let error = projections::describe(&error);
                tracing::warn!(error, "deposits are behind; trying again");
            }
        }
    }

    /// Ends intents whose time has come.
    async fn expire(&self) -> Result<(), KeepError> {
        let due = self.read_models.expired_deposits(self.clock.now(), EXPIRED_MAX).await?.value;
        if due.is_empty() {
            return Ok(());
        }
        for ended in future::join_all(due.iter().map(|id| self.desk.expire(*id))).await {
            match ended? {
                Handled::Noted { deposit_id, status, .. } => {
                    metrics::counter!("bahi_deposits_expired_total").increment(1);
                    tracing::info!(deposit = %deposit_id, status = status.as_str(), "time is up");
                }
                // Money came since the read models saw it, or another worker ended it.
                other @ (Handled::NotKnown | Handled::NotOurs(_) | Handled::Refused(_)) => {
                    tracing::debug!(?other, "not expired");
                }
            }
        }
        // Or the next look would see the same deposits again.
        let head = self.desk.ledger.status().borrow().head.position;
        self.read_models.wait_for(head, CATCH_UP).await?;
        Ok(())
    }

    /// Asks a bank about the deposits whose question is due.
    async fn ask_about(&self, bank: &BankCode) -> Result<(), KeepError> {
        for due in self.due(bank).await? {
            if !self.note(&due).await? {
                continue;
            }
            metrics::counter!("bahi_deposits_asked_total", "bank" => bank.to_string()).increment(1);
            match self.ask(bank, &due).await {
                // Not now: neither about the others.
                Err(KeepError::Desk(DeskError::Bank(
                    error @ (CallError::Unknown(_) | CallError::TooFast { .. }),
                ))) => {
                    tracing::debug!(%bank, %error, "the bank was not to be asked");
                    return Ok(());
                }
                done => done?,
            }
        }
        Ok(())
    }

    async fn ask(&self, bank: &BankCode, due: &Due) -> Result<(), KeepError> {
        // Also what was told of and is under no page's token.
        let history = self.read_models.deposit(due.id).await?.value;
        let credits = history.iter().flat_map(|history| history.deposit.credits());
        let told = credits.filter(|known| known.place == CreditPlace::Told);
        for id in told.filter_map(|known| known.credit.credit_id.as_ref()) {
            note_what_came(&self.desk.apply_credit(bank, id).await?);
        }
        if due.has_page {
            let token = token_of(due.id).map_err(DeskError::from)?;
            for handled in self.desk.apply_collect_link(bank, &token).await? {
                note_what_came(&handled);
            }
        }
        Ok(())
    }

    /// The questions that are due, the longest first.
    async fn due(&self, bank: &BankCode) -> sqlx::Result<Vec<Due>> {
        let now = self.clock.now();
        let rows = sqlx::query(
            "select d.id, d.amount is not null as has_page, coalesce(q.asked, 0) as asked
             from read.deposits d left join deposit_questions q on q.deposit_id = d.id
             where d.bank = $1
               and d.status in ('awaiting_payment', 'received', 'expired', 'failed', 'cancelled')
               and d.begun_at > $2 and d.begun_at <= $3
               and (q.deposit_id is null or (q.next_at <= $4 and q.asked < $5))
             order by coalesce(q.next_at, d.begun_at), d.id limit $6",
        )
        .bind(bank.as_str())
        .bind(before(now, AGE_MAX))
        .bind(before(now, ASK_AFTER))
        .bind(now)
        .bind(ASKED_MAX)
        .bind(i64::from(QUESTIONS_MAX))
        .fetch_all(&self.pool)
        .await?;
        let due = rows.iter().map(|row| {
            Ok(Due {
                id: DepositId::from_uuid(row.try_get::<Uuid, _>("id")?),
                asked: row.try_get("asked")?,
                has_page: row.try_get("has_page")?,
            })
        });
        due.collect()
    }

    /// Notes a question; whether it is this worker's to ask.
    async fn note(&self, due: &Due) -> sqlx::Result<bool> {
        let now = self.clock.now();
        let noted = sqlx::query(
            "insert into deposit_questions as q (deposit_id, asked, next_at) values ($1, $2, $3)
             on conflict (deposit_id) do update
                 set asked = excluded.asked, next_at = excluded.next_at
                 where q.asked = $4 and q.next_at <= $5",
        )
        .bind(due.id.uuid())
        .bind(due.asked.saturating_add(1))
        .bind(next(now, due.asked))
        .bind(due.asked)
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(noted.rows_affected() == 1)
    }
}

fn note_what_came(handled: &Handled) {
    match handled {
        Handled::Noted { .. } | Handled::NotKnown => {}
        Handled::NotOurs(why) => tracing::warn!(%why, "a credit is not a deposit"),
        Handled::Refused(rejection) => {
            tracing::warn!(code = rejection.code, "the ledger refuses a credit");
        }
    }
}

fn before(now: Timestamp, by: TimeDelta) -> Timestamp {
    now.checked_sub_signed(by).unwrap_or(Timestamp::MIN_UTC)
}

/// When a deposit that was asked about so often before is asked about again.
fn next(now: Timestamp, asked: i32) -> Timestamp {
    let doublings = u32::try_from(asked.clamp(0, 16)).unwrap_or(16);
    let factor = 1_i32.checked_shl(doublings).unwrap_or(i32::MAX);
    let pause = ASK_AFTER.checked_mul(factor).unwrap_or(ASK_AFTER_MAX);
    now.checked_add_signed(pause.min(ASK_AFTER_MAX)).unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_become_seldom_and_stay_bounded() {
        let now = Timestamp::UNIX_EPOCH;
        let pauses = [0, 1, 2, 9, 11, 40].map(|asked| (next(now, asked) - now).num_seconds());
        assert_eq!(pauses, [20, 40, 80, 10_240, 21_600, 21_600]);
    }
}
