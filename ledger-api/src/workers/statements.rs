//! Fetches banks' statements and has them booked.
//!
//! Several processes may do it at once: a statement is stored once and a line booked once. One at a
//! time fetches an account, so that an older answer cannot come in after a newer one.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{Days, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use ledger_core::{
    clock::Clock,
    ids::{BankCode, IdError, Principal},
    money::{Currency, CurrencyCode},
};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use tokio::sync::watch;

use crate::{
    banks::{Bank, BankRegistry, CallError, Contract},
    statements::{
        BookError, Booker, CertificateKey, FetchLock, Format, ImportError, ParseError,
        ParsedStatement, backing, certify, import,
    },
    treasury::Moves,
};

/// How often it looks for lines to book.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it asks the banks, by the clock that the ledger goes by.
const ASK_EVERY: TimeDelta = TimeDelta::minutes(5);
/// The most days of one account in one round, so that a long outage starves no other bank.
const DAYS_MAX: u32 = 31;

/// In whose name statements are taken and booked.
///
/// # Errors
/// Never: it is a constant.
pub fn statements_principal() -> Result<Principal, IdError> {
    "ledger:statements".parse()
}

/// What fetches statements.
pub struct StatementFetcher {
    /// The banks.
    pub banks: Arc<BankRegistry>,
    /// What books their lines.
    pub booker: Booker,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// What certificates of closed days are signed with.
    pub certificate_key: CertificateKey,
    /// What is kept in escrow beyond what is owed.
    pub treasury_buffer: Decimal,
}

/// Why an account's statements did not get through. The next round tries again.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The bank did not answer.
    #[error("the bank gave no statement")]
    Bank(#[from] CallError),
    /// What it answered is no statement that we could take.
    #[error("the bank's statement is none")]
    Parse(#[from] ParseError),
    /// The statement was refused or could not be stored.
    #[error("the statement was not taken")]
    Import(#[from] ImportError),
    /// The database did not answer.
    #[error("the statements could not be read")]
    Database(#[from] sqlx::Error),
    /// The book lacks the bank's currency.
    #[error("the book does not have the bank's currency {0}")]
    Currency(CurrencyCode),
}

impl StatementFetcher {
    /// Works until `stopping` turns true. A failed round is told and tried again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut asked = None;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            let now = self.clock.now();
            let due = asked.is_none_or(|asked| now.signed_duration_since(asked) >= ASK_EVERY);
            let round = async {
                if due {
                    // A bank that failed is asked at the next look: a day is only closed once its
                    // statement is here, and withdrawals wait for that.
                    return self.round().await.then_some(now);
                }
                self.book_what_waits().await;
                asked
            };
            let done = tokio::select! {
                done = round => done,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            asked = done;
        }
    }

    /// Looks at every bank once, and books what waits. Says whether all banks answered.
    pub async fn round(&self) -> bool {
        let mut answered = true;
        for bank in self.banks.iter() {
            if let Err(error) = self.bank(bank.as_ref()).await {
                tell(bank.code(), &error);
                answered = false;
            }
        }
        self.book_what_waits().await;
        if let Err(error) = self.certify().await {
            tracing::warn!(%error, "a day's certificate could not be made; trying again");
        }
        if let Err(error) = self.ask_for_moves().await {
            tracing::warn!(%error, "no move of our own could be asked for; trying again");
        }
        if let Err(error) = self.watch_backing().await {
            tracing::warn!(%error, "the backing could not be computed; trying again");
        }
        answered
    }

    async fn book_what_waits(&self) {
        if let Err(error) = self.book_all().await {
            let error = projections::describe(&error);
            metrics::counter!("bahi_statement_booking_errors_total").increment(1);
            tracing::warn!(error, "lines of statements could not be booked; trying again");
        }
    }

    /// Certifies the days that are closed now, and says loudly if one is short.
    async fn certify(&self) -> sqlx::Result<()> {
        for certificate in certify(&self.booker.pool, &self.certificate_key).await? {
            let (day, currency) = (certificate.day, &certificate.currency);
            let short = certificate.is_short();
            let gauge = metrics::gauge!("bahi_safeguarding_short", "currency" => currency.clone());
            gauge.set(i32::from(short));
            let headroom = certificate.headroom();
            if short {
                tracing::warn!(%day, currency, %headroom, "customers' money was short");
            } else {
                tracing::info!(%day, currency, %headroom, "customers' money was there");
            }
        }
        Ok(())
    }

    /// Asks people for the top-ups and sweeps that the last closed days ask for.
    async fn ask_for_moves(&self) -> sqlx::Result<()> {
        let moves = Moves::new(self.booker.pool.clone());
        let fresh = || self.booker.ids.fresh();
        for asked in moves.propose(self.treasury_buffer, self.clock.now(), fresh).await? {
            let (id, day, currency) = (asked.id, asked.day, &asked.currency);
            let (way, amount) = (asked.way.as_str(), asked.amount);
            tracing::warn!(%id, %day, currency, way, %amount, "a move of our own is asked for");
        }
        // Rupees from the start, so that a watcher tells "none" from "not told".
        let mut counts = BTreeMap::from([("INR".to_owned(), 0)]);
        counts.extend(moves.open().await?);
        for (currency, open) in counts {
            metrics::gauge!("bahi_treasury_moves_open", "currency" => currency).set(gauge(open));
        }
        Ok(())
    }

    /// Says loudly if customers' money is not all there.
    async fn watch_backing(&self) -> sqlx::Result<()> {
        for backing in backing(&self.booker.pool).await? {
            let currency = backing.currency.clone();
            let gauge = metrics::gauge!("bahi_backing_short", "currency" => currency);
            gauge.set(i32::from(backing.is_short()));
            if backing.is_short() {
                tracing::warn!(
                    currency = backing.currency,
                    escrow_stated = %backing.escrow_stated,
                    clearing_out = %backing.clearing_out,
                    liabilities = %backing.liabilities,
                    "customers' money is not all there"
                );
            }
        }
        Ok(())
    }

    async fn book_all(&self) -> Result<(), BookError> {
        while self.booker.book().await? > 0 {}
        Ok(())
    }

    async fn bank(&self, bank: &dyn Bank) -> Result<(), FetchError> {
        let contract = bank.contract().await?;
        let book = self.booker.ledger.status().borrow().book.clone();
        let currency = book.currency(contract.currency);
        let currency = currency.ok_or(FetchError::Currency(contract.currency))?;
        for account in &contract.accounts {
            self.account(bank, &contract, &account.name, currency).await?;
        }
        Ok(())
    }

    /// Fetches the days of an account that can have news, the oldest first.
    async fn account(
        &self,
        bank: &dyn Bank,
        contract: &Contract,
        account: &str,
        currency: Currency,
    ) -> Result<(), FetchError> {
        let lock = FetchLock::take(&self.booker.pool, bank.code(), account).await?;
        let Some(mut lock) = lock else { return Ok(()) };
        let today = self.today(contract.time_zone);
        self.fetch(bank, account, currency, today, lock.connection()).await?;
        lock.give_back().await?;
        Ok(())
    }

    async fn fetch(
        &self,
        bank: &dyn Bank,
        account: &str,
        currency: Currency,
        today: NaiveDate,
        db: &mut PgConnection,
    ) -> Result<(), FetchError> {
        let last: Option<(NaiveDate, bool)> = sqlx::query_as(
            "select day, closed from statement_files where bank = $1 and account = $2
             order by day desc, id desc limit 1",
        )
        .bind(bank.code().as_str())
        .bind(account)
        .fetch_optional(db)
        .await?;
        let mut day = match last {
            Some((day, true)) => next(day),
            Some((day, false)) => day,
            None => today,
        };
        for _ in 0..DAYS_MAX {
            if day > today {
                return Ok(());
            }
            let Some(statement) = bank.statement(account, day).await? else { return Ok(()) };
            let parsed = ParsedStatement::fetched(&statement, currency)?;
            let Booker { pool, principal, .. } = &self.booker;
            let imported = import(pool, bank.code(), Format::Adapter, &parsed, principal).await?;
            if imported.new_lines > 0 || imported.breaks > 0 {
                let (lines, breaks) = (imported.new_lines, imported.breaks);
                tracing::info!(bank = %bank.code(), account, %day, lines, breaks, "a statement");
            }
            if !parsed.closed {
                return Ok(());
            }
            day = next(day);
        }
        Ok(())
    }

    fn today(&self, time_zone: Tz) -> NaiveDate {
        self.clock.now().with_timezone(&time_zone).date_naive()
    }
}

/// A count as the recorder takes it.
fn gauge(count: i64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

fn tell(bank: &BankCode, error: &FetchError) {
    let error = projections::describe(error);
    metrics::counter!("bahi_statement_fetch_errors_total", "bank" => bank.to_string()).increment(1);
    tracing::warn!(%bank, error, "a bank's statements could not be taken; trying again");
}
