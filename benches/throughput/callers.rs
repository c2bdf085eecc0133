//! Callers of an engine in process, in a closed loop, each with one transfer under way. Every
//! transfer has a key; limits, hashes and everything else are on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use ledger_core::{
    chart::{AccountType, Authority, Direction, PostingClass},
    clock::{Ids, System},
    command::{Command, Idempotency, OpenAccount, Operation, Outcome},
    engine::{Engine, EngineConfig},
    fee::Pricing,
    ids::{
        AccountId, BankAccountId, MerchantCode, PaymentId, RequestId, TransactionId, WithdrawalId,
    },
    log::BatchKey,
    money::{Currency, Money},
    payment::{PayMerchant, PaymentOperation, Terms},
    posting::{Posting, PostingLeg},
    withdrawal::{PayeeStanding, RequestWithdrawal, WithdrawalOperation},
};
use sqlx::postgres::PgConnectOptions;

use crate::{
    Spread,
    instant_bank::PAYEE_HASH,
    naive::{pair, per_second},
    pages::SECRET,
    report::{Latencies, percentiles},
};

/// How many commands are handed in at once to open accounts.
const OPENED_AT_ONCE: usize = 1_000;

/// An engine and what its callers need.
pub(crate) struct Load {
    pub(crate) engine: Engine,
    accounts: Vec<AccountId>,
    currency: Currency,
    /// Whether the callers' keys come in order (UUIDv7) or at random (v4).
    ordered: bool,
    /// How often it was driven: each drive has pairs of accounts of its own.
    drives: AtomicU64,
}

/// An engine as `bahi serve` has it on this machine.
pub(crate) fn config(database: PgConnectOptions) -> EngineConfig {
    let cache_entries_max = ledger_api::machine::cache_accounts();
    let batch_key = Some(BatchKey::new(SECRET));
    EngineConfig { cache_entries_max, batch_key, ..EngineConfig::new(database) }
}

/// What callers got.
pub(crate) struct Driven {
    pub(crate) transfers: u64,
    /// Transfers a second.
    pub(crate) rate: u64,
    pub(crate) latencies: Latencies,
}

impl Load {
    /// Starts an engine on a database, for transfers among so many accounts.
    pub(crate) async fn start(
        database: PgConnectOptions,
        accounts: u64,
        ordered: bool,
    ) -> anyhow::Result<Arc<Self>> {
        let engine = Engine::start(config(database)).await?;
        let accounts = (0..accounts).map(|n| format!("wallet:w{n}:INR").parse());
        let accounts = accounts.collect::<Result<_, _>>()?;
        let currency = Currency { code: "INR".parse()?, scale: 2 };
        Ok(Arc::new(Self { engine, accounts, currency, ordered, drives: AtomicU64::new(0) }))
    }

    /// Opens the accounts.
    pub(crate) async fn open(&self) -> anyhow::Result<()> {
        for part in self.accounts.chunks(OPENED_AT_ONCE) {
            let commands = part.iter().map(|account| {
                let operation = Operation::OpenAccount(OpenAccount {
                    account: account.clone(),
                    currency: self.currency,
                    owner: "bench".parse().expect("well-formed"),
                    account_type: AccountType::Liability,
                    class: PostingClass::Open,
                    itemised: false,
                    // A credit line that no run exhausts: refusals are cheaper than transfers.
                    floor: Some(rust_decimal::Decimal::new(-1_000_000_000_000, 2)),
                    ceiling: None,
                    metadata: std::collections::BTreeMap::new(),
                });
                command(operation, true)
            });
            for answer in self.engine.submit_all(commands.collect()).await? {
                anyhow::ensure!(matches!(answer?.outcome, Outcome::Accepted(_)));
            }
        }
        Ok(())
    }

    /// Gives the bank's escrow what a bench can withdraw.
    pub(crate) async fn fund_escrow(&self) -> anyhow::Result<()> {
        let (escrow, capital) = ("bank:hdfc:escrow:INR", "equity:capital:INR");
        let accounts = [
            (escrow, AccountType::Asset, PostingClass::Bank),
            (capital, AccountType::Equity, PostingClass::Equity),
        ];
        for (account, account_type, class) in accounts {
            let open = OpenAccount {
                account: account.parse()?,
                currency: self.currency,
                owner: "bahi".parse()?,
                account_type,
                class,
                itemised: false,
                floor: None,
                ceiling: None,
                metadata: std::collections::BTreeMap::new(),
            };
            self.must(Operation::OpenAccount(open)).await?;
        }
        let amount = Money::parse("1000000.00", self.currency)?;
        let leg = |direction, account: &str| -> anyhow::Result<PostingLeg> {
            Ok(PostingLeg { account: account.parse()?, direction, amount, item: None })
        };
        let posting = Posting {
            transaction_id: TransactionId::from_uuid(System.fresh()),
            kind: "opening".parse()?,
            legs: vec![leg(Direction::Debit, escrow)?, leg(Direction::Credit, capital)?],
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        };
        self.must(Operation::Post(vec![posting])).await
    }

    /// Requests a withdrawal of a rupee from every account.
    pub(crate) async fn withdraw_from_all(&self) -> anyhow::Result<()> {
        let zero = Money::zero(self.currency);
        let amount = Money::parse("1.00", self.currency)?;
        let requests = self.accounts.iter().map(|account| -> anyhow::Result<Command> {
            let request = RequestWithdrawal {
                withdrawal_id: WithdrawalId::from_uuid(System.fresh()),
                transaction_id: TransactionId::from_uuid(System.fresh()),
                account: account.clone(),
                amount,
                fee: zero,
                tax: zero,
                pricing: Pricing::AsGiven,
                bank_account: BankAccountId::from_uuid(System.fresh()),
                bank: "hdfc".parse()?,
                rail: "imps".parse()?,
                payee_hash: Some(PAYEE_HASH.parse()?),
                payee: PayeeStanding::Unchecked,
                review: None,
                note: None,
            };
            let operation = WithdrawalOperation::Request(request).into();
            Ok(Command { authority: Authority::all(), ..command(operation, true) })
        });
        let requests = requests.collect::<anyhow::Result<Vec<_>>>()?;
        for answer in self.engine.submit_all(requests).await? {
            anyhow::ensure!(matches!(answer?.outcome, Outcome::Accepted(_)));
        }
        Ok(())
    }

    async fn must(&self, operation: Operation) -> anyhow::Result<()> {
        let command = Command { authority: Authority::all(), ..command(operation, true) };
        let outcome = self.engine.submit(command).await?.outcome;
        anyhow::ensure!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        Ok(())
    }

    /// Lets so many callers transfer for so long.
    pub(crate) async fn drive(
        self: &Arc<Self>,
        spread: Spread,
        callers: u64,
        time: Duration,
    ) -> anyhow::Result<Driven> {
        let drive = self.drives.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let end = started + time;
        let mut tasks = Vec::new();
        for caller in 0..callers {
            let load = Arc::clone(self);
            tasks.push(tokio::spawn(async move {
                load.call(spread, drive * 65_537 + caller, end).await
            }));
        }
        let mut latencies = Histogram::<u64>::new(3)?;
        for task in tasks {
            for latency in task.await?? {
                latencies.record(latency)?;
            }
        }
        let transfers = latencies.len();
        let rate = per_second(transfers, started.elapsed());
        Ok(Driven { transfers, rate, latencies: percentiles(&latencies) })
    }

    /// The latencies of one caller's transfers, in microseconds.
    async fn call(&self, spread: Spread, seed: u64, end: Instant) -> anyhow::Result<Vec<u64>> {
        let mut state = seed + 1;
        let mut latencies = Vec::new();
        while Instant::now() < end {
            let (from, to) = pair(spread, &mut state);
            latencies.push(self.transfer(from, to).await?);
        }
        Ok(latencies)
    }

    /// Lets so many callers pay a shop, each time from another of so many wallets.
    pub(crate) async fn drive_payments(
        self: &Arc<Self>,
        shop: &MerchantCode,
        (callers, wallets): (u64, u64),
        time: Duration,
    ) -> anyhow::Result<Driven> {
        let started = Instant::now();
        let end = started + time;
        let mut tasks = Vec::new();
        for caller in 0..callers {
            let (load, shop) = (Arc::clone(self), shop.clone());
            tasks.push(tokio::spawn(async move {
                let mut latencies = Vec::new();
                let mut from = caller;
                while Instant::now() < end {
                    latencies.push(load.pay(from % wallets, &shop).await?);
                    from += callers;
                }
                anyhow::Ok(latencies)
            }));
        }
        let mut latencies = Histogram::<u64>::new(3)?;
        for task in tasks {
            for latency in task.await?? {
                latencies.record(latency)?;
            }
        }
        let transfers = latencies.len();
        let rate = per_second(transfers, started.elapsed());
        Ok(Driven { transfers, rate, latencies: percentiles(&latencies) })
    }

    /// Pays a shop a rupee; returns how long it took, in microseconds.
    async fn pay(&self, from: u64, shop: &MerchantCode) -> anyhow::Result<u64> {
        let operation = PaymentOperation::Pay(PayMerchant {
            payment_id: PaymentId::from_uuid(System.fresh()),
            payer: self.accounts[usize::try_from(from)?].clone(),
            merchant: shop.clone(),
            amount: Money::parse("1.00", self.currency)?,
            terms: Terms { version: 1, fee_bps: 200, tax_bps: 1_800 },
            request: None,
            settles_on: chrono::Utc::now().date_naive(),
            order: None,
            store: None,
            terminal: None,
        });
        let authority = Authority::of_payments();
        let command = Command { authority, ..command(operation.into(), self.ordered) };
        let sent = Instant::now();
        let answer = self.engine.submit(command).await?;
        anyhow::ensure!(matches!(answer.outcome, Outcome::Accepted(_)), "a payment was refused");
        Ok(u64::try_from(sent.elapsed().as_micros())?)
    }

    /// Makes one transfer; returns how long it took, in microseconds.
    pub(crate) async fn transfer(&self, from: u64, to: u64) -> anyhow::Result<u64> {
        let amount = Money::parse("1.00", self.currency)?;
        let leg = |direction, account: u64| -> anyhow::Result<PostingLeg> {
            let account = self.accounts[usize::try_from(account)?].clone();
            Ok(PostingLeg { account, direction, amount, item: None })
        };
        let posting = Posting {
            transaction_id: TransactionId::from_uuid(System.fresh()),
            kind: "transfer".parse()?,
            legs: vec![leg(Direction::Debit, from)?, leg(Direction::Credit, to)?],
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        };
        let command = command(Operation::Post(vec![posting]), self.ordered);
        let sent = Instant::now();
        let answer = self.engine.submit(command).await?;
        anyhow::ensure!(matches!(answer.outcome, Outcome::Accepted(_)), "a transfer was refused");
        Ok(u64::try_from(sent.elapsed().as_micros())?)
    }
}

fn command(operation: Operation, ordered: bool) -> Command {
    let key = if ordered { System.fresh() } else { uuid::Uuid::new_v4() };
    Command {
        principal: "bench".parse().expect("well-formed"),
        idempotency: Some(Idempotency {
            key: key.to_string().parse().expect("well-formed"),
            fingerprint: [7; 32],
        }),
        request: RequestId::from_uuid(System.fresh()),
        authority: Authority::of(&[PostingClass::Open]),
        approval: None,
        operation,
    }
}
