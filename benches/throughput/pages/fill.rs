//! People with wallets, and what they send each other.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ledger_api::{
    http::Ledger,
    people::{NewPerson, People, PersonId, Wallets},
};
use ledger_core::{
    chart::{AccountType, Authority, Direction, PostingClass},
    clock::{Clock, Ids, ManualClock, System},
    command::{Command, Idempotency, OpenAccount, Operation, Outcome},
    engine::{Engine, EngineConfig},
    ids::{AccountId, RequestId, TransactionId},
    money::{Currency, Money},
    posting::{Posting, PostingLeg},
};
use projections::ReadModels;
use sqlx::postgres::PgConnectOptions;

/// The secret that the service of the bench has.
pub(crate) const SECRET: [u8; 32] = [7; 32];
/// How many people have a long history.
const LONG: u64 = 10;
/// Of so many movements, one is theirs.
const LONG_SHARE: u64 = 5;
/// How many people sign up at once.
const AT_ONCE: usize = 64;
/// How many movements are handed in at once.
const CHUNK: u64 = 1_000;
/// How far back the log begins.
const DAYS: i64 = 90;
/// How long the projector may take for what was written.
const FOLDED_WITHIN: Duration = Duration::from_secs(3_600);

/// What there is afterwards.
pub(super) struct Filled {
    /// People with a long history.
    pub(super) long: Vec<PersonId>,
    /// Some of those with a short one.
    pub(super) short: Vec<PersonId>,
    /// How many movements one of the long has.
    pub(super) longest: u64,
    /// And one of the short, on average.
    pub(super) shortest: u64,
    /// The last event's place.
    pub(super) head: u64,
}

/// Fills a database.
pub(super) async fn fill(
    database: &PgConnectOptions,
    people: u64,
    events: u64,
) -> anyhow::Result<Filled> {
    anyhow::ensure!(people > 10 * LONG, "at least {} people", 10 * LONG + 1);
    let began = Utc::now() - TimeDelta::days(DAYS);
    let clock = Arc::new(ManualClock::at(began));
    let config = crate::callers::config(database.clone());
    let engine = Engine::start(EngineConfig { clock: clock.clone(), ..config }).await?;
    let filler = Filler { engine: engine.clone(), currency: rupee()? };
    filler.open_capital().await?;
    let ids = sign_up(database, &engine, people).await?;
    let wallets: Vec<AccountId> = ids.iter().map(|id| id.wallet()).collect::<Result<_, _>>()?;
    filler.fund(&wallets).await?;
    let mut movements = 0;
    let head = || engine.status().borrow().head.position;
    let missing = events.saturating_sub(head()) / 2;
    // The days go by evenly over what is still to come.
    let step = TimeDelta::days(DAYS) / i32::try_from((missing / CHUNK).max(1))?;
    let started = Instant::now();
    while head() < events {
        filler.transfers(&wallets, movements).await?;
        movements += CHUNK;
        clock.advance(step.min(Utc::now() - clock.now()));
        if movements % (100 * CHUNK) == 0 {
            eprintln!("{} events after {} s …", head(), started.elapsed().as_secs());
        }
    }
    let head = head();
    engine.shutdown().await;
    let (long, short) = ids.split_at(usize::try_from(LONG)?);
    Ok(Filled {
        long: long.to_vec(),
        short: short.iter().take(50).copied().collect(),
        longest: movements / LONG_SHARE / LONG,
        shortest: 1 + 2 * (movements - movements / LONG_SHARE) / people,
        head,
    })
}

/// How far back the movements of [`one_long`] begin.
pub(super) const LONG_DAYS: i64 = 60;

/// Fills a database with somebody whose wallet has so many movements, to and from a few others; who
/// it is, and the last event's place.
pub(super) async fn one_long(
    database: &PgConnectOptions,
    lines: u64,
) -> anyhow::Result<(PersonId, u64)> {
    let clock = Arc::new(ManualClock::at(Utc::now() - TimeDelta::days(LONG_DAYS)));
    let config = crate::callers::config(database.clone());
    let engine = Engine::start(EngineConfig { clock: clock.clone(), ..config }).await?;
    let filler = Filler { engine: engine.clone(), currency: rupee()? };
    filler.open_capital().await?;
    let ids = sign_up(database, &engine, 11).await?;
    let wallets: Vec<AccountId> = ids.iter().map(|id| id.wallet()).collect::<Result<_, _>>()?;
    filler.fund(&wallets).await?;
    let (long, others) = wallets.split_first().context("nobody")?;
    // What they were given is the first line.
    let left = lines.saturating_sub(1);
    let step = TimeDelta::days(LONG_DAYS) / i32::try_from(left / CHUNK + 1)?;
    for begin in (0..left).step_by(usize::try_from(CHUNK)?) {
        let some = (begin..left.min(begin + CHUNK)).zip(others.iter().cycle());
        let commands = some.map(|(n, other)| {
            let (from, to) = if n % 2 == 0 { (long, other) } else { (other, long) };
            filler.posting("transfer", from, to, "0.01")
        });
        filler.all(commands.collect::<anyhow::Result<_>>()?).await?;
        clock.advance(step);
    }
    let head = engine.status().borrow().head.position;
    engine.shutdown().await;
    Ok((*ids.first().context("nobody")?, head))
}

/// Waits for a projector to have folded it all.
pub(crate) async fn until_folded(models: &ReadModels, head: u64) -> anyhow::Result<()> {
    models.wait_for(head, FOLDED_WITHIN).await?;
    Ok(())
}

fn rupee() -> anyhow::Result<Currency> {
    Ok(Currency { code: "INR".parse()?, scale: 2 })
}

/// Makes people, each with a wallet on its tier.
async fn sign_up(
    database: &PgConnectOptions,
    engine: &Engine,
    people: u64,
) -> anyhow::Result<Vec<PersonId>> {
    let pool = ledger_api::db::read_pool(database.clone(), 16);
    let store = People::new(pool, &SECRET);
    let ledger: Arc<dyn Ledger> = Arc::new(engine.clone());
    let wallets = Wallets::new(store.clone(), ledger, Arc::new(System), Arc::new(System));
    let one = |n: u64| {
        let (store, wallets) = (store.clone(), wallets.clone());
        async move {
            let id = PersonId::from_uuid(System.fresh());
            let new = NewPerson {
                id,
                handle: format!("person{n}").parse()?,
                name: format!("Person Number {n}").parse()?,
                email: format!("person{n}@example.com").parse()?,
                phone: None,
                password: None,
                email_is_proved: true,
                at: System.now(),
            };
            store.create(&new).await?;
            if let Some(person) = store.by_id(id).await? {
                wallets.settle(&person).await?;
            }
            anyhow::Ok(id)
        }
    };
    let made = stream::iter(0..people).map(one).buffered(AT_ONCE);
    made.try_collect().await
}

struct Filler {
    engine: Engine,
    currency: Currency,
}

impl Filler {
    async fn open_capital(&self) -> anyhow::Result<()> {
        let open = OpenAccount {
            account: "equity:capital:INR".parse()?,
            currency: self.currency,
            owner: "bahi".parse()?,
            account_type: AccountType::Equity,
            class: PostingClass::Equity,
            itemised: false,
            floor: None,
            ceiling: None,
            metadata: std::collections::BTreeMap::new(),
        };
        self.all(vec![Self::command(Operation::OpenAccount(open))?]).await
    }

    /// Gives every wallet what its tier lets in with room to spare.
    async fn fund(&self, wallets: &[AccountId]) -> anyhow::Result<()> {
        let capital: AccountId = "equity:capital:INR".parse()?;
        for part in wallets.chunks(usize::try_from(CHUNK)?) {
            let commands =
                part.iter().map(|wallet| self.posting("opening", &capital, wallet, "5000.00"));
            self.all(commands.collect::<anyhow::Result<_>>()?).await?;
        }
        Ok(())
    }

    /// Some transfers of a paisa: every fifth has somebody with a long history on one side.
    async fn transfers(&self, wallets: &[AccountId], from: u64) -> anyhow::Result<()> {
        let count = u64::try_from(wallets.len())?;
        let commands = (from..from + CHUNK).map(|n| {
            // Spread, and the same in each run.
            let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let one = if n % LONG_SHARE == 0 { n / LONG_SHARE % LONG } else { mixed % count };
            let other = (mixed / count) % (count - LONG) + LONG;
            let other =
                if one == other { LONG + (other + 1 - LONG) % (count - LONG) } else { other };
            let at = |n: u64| -> anyhow::Result<&AccountId> { Ok(&wallets[usize::try_from(n)?]) };
            let (from, to) = if n % 2 == 0 { (one, other) } else { (other, one) };
            self.posting("transfer", at(from)?, at(to)?, "0.01")
        });
        self.all(commands.collect::<anyhow::Result<_>>()?).await
    }

    fn posting(
        &self,
        kind: &str,
        from: &AccountId,
        to: &AccountId,
        amount: &str,
    ) -> anyhow::Result<Command> {
        let amount = Money::parse(amount, self.currency)?;
        let leg = |direction, account: &AccountId| PostingLeg {
            account: account.clone(),
            direction,
            amount,
            item: None,
        };
        Self::command(Operation::Post(vec![Posting {
            transaction_id: TransactionId::from_uuid(System.fresh()),
            kind: kind.parse()?,
            legs: vec![leg(Direction::Debit, from), leg(Direction::Credit, to)],
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        }]))
    }

    fn command(operation: Operation) -> anyhow::Result<Command> {
        Ok(Command {
            principal: "bench".parse()?,
            idempotency: Some(Idempotency {
                key: System.fresh().to_string().parse()?,
                fingerprint: SECRET,
            }),
            request: RequestId::from_uuid(System.fresh()),
            authority: Authority::all(),
            approval: None,
            operation,
        })
    }

    async fn all(&self, commands: Vec<Command>) -> anyhow::Result<()> {
        for answer in self.engine.submit_all(commands).await? {
            let outcome = answer?.outcome;
            anyhow::ensure!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        }
        Ok(())
    }
}
