//! A ledger of one test: an engine on a database of its own, and verbs to use it with.

use std::{
    collections::BTreeSet,
    str::FromStr,
    sync::atomic::{AtomicU64, Ordering},
};

use ledger_core::{
    chart::{self, AccountType, Authority, Direction, PostingClass},
    clock::{Ids, System},
    command::{Command, Idempotency, OpenAccount, Operation, Outcome, Receipt, Rejection},
    engine::{Answer, Engine, EngineConfig, SubmitError},
    ids::{AccountId, RequestId, TransactionId},
    money::{Currency, Money},
    posting::{Posting, PostingLeg},
};

use super::database::{APP, Database};

static FRESH: AtomicU64 = AtomicU64::new(1);

/// A ledger of one test.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) database: Database,
    pub(crate) engine: Engine,
}

impl Ledger {
    /// On a fresh database.
    pub(crate) async fn start() -> Self {
        Self::on(&Database::create().await).await
    }

    /// On a fresh database, with an engine that keeps next to nothing in memory.
    pub(crate) async fn forgetful() -> Self {
        let database = Database::create().await;
        let config = EngineConfig { cache_entries_max: 4, ..config(&database) };
        let engine = Engine::start(config).await.unwrap();
        Self { database, engine }
    }

    /// One more engine on a database, as another process would have it.
    pub(crate) async fn on(database: &Database) -> Self {
        let engine = Engine::start(config(database)).await.unwrap();
        Self { database: database.clone(), engine }
    }

    /// Opens an account as the chart has it; `till:…` codes are assets without limits.
    pub(crate) async fn open(&self, account: &str) {
        let operation = Operation::OpenAccount(opening(account));
        accepted(self.submit(operation).await);
    }

    /// Opens a wallet and gives it money out of `till:main`.
    pub(crate) async fn wallet(&self, account: &str, amount: &str) {
        let till = format!("till:main:{}", account.rsplit(':').next().unwrap());
        let opened = self.submit(Operation::OpenAccount(opening(&till))).await.unwrap();
        drop(opened);
        self.open(account).await;
        if amount != "0" {
            accepted(self.transfer(&till, account, amount).await);
        }
    }

    /// Debits `from` and credits `to`.
    pub(crate) async fn transfer(
        &self,
        from: &str,
        to: &str,
        amount: &str,
    ) -> Result<Answer, SubmitError> {
        self.submit(Operation::Post(vec![transfer(from, to, amount)])).await
    }

    /// Submits with a fresh key, as somebody who may move everything.
    pub(crate) async fn submit(&self, operation: Operation) -> Result<Answer, SubmitError> {
        self.engine.submit(command(operation)).await
    }

    /// Gives it many commands, batch by batch: enough are done, more than `codes_min` kinds of
    /// refusal are seen, and none that would be the engine's own mistake.
    pub(crate) async fn takes_in_batches(&self, commands: &[Command], codes_min: usize) {
        let (mut done, mut codes) = (0, BTreeSet::new());
        for batch in commands.chunks(40) {
            for answer in self.engine.submit_all(batch.to_vec()).await.unwrap() {
                match answer.expect("an outcome").outcome {
                    Outcome::Accepted(_) => done += 1,
                    Outcome::Rejected(rejection) => drop(codes.insert(rejection.code)),
                }
            }
        }
        assert!(done > 60 && codes.len() > codes_min, "{done} {codes:?}");
        for never in ["internal", "account_not_found", "account_exists"] {
            assert!(!codes.contains(never), "{codes:?}");
        }
    }

    /// An account's posted balance on its normal side, from the log.
    pub(crate) async fn balance(&self, account: &str) -> String {
        let mut db = self.database.superuser().await;
        sqlx::query_scalar(
            "select convert_from(payload, 'UTF8')::json ->> 'balance_after' from events
             where aggregate_type = 'account' and aggregate_id = $1
               and event_type in ('debited', 'credited')
             order by sequence desc limit 1",
        )
        .bind(account)
        .fetch_optional(&mut db)
        .await
        .unwrap()
        .unwrap_or_else(|| "0".to_owned())
    }
}

/// The engine's set-up on a test's database.
pub(crate) fn config(database: &Database) -> EngineConfig {
    EngineConfig::new(database.options(APP))
}

/// A command with a fresh key.
pub(crate) fn command(operation: Operation) -> Command {
    let key = format!("key-{}", FRESH.fetch_add(1, Ordering::Relaxed));
    keyed(&key, 0, operation)
}

/// A command with a key, and a mark that stands for the content of its request.
pub(crate) fn keyed(key: &str, mark: u8, operation: Operation) -> Command {
    Command {
        principal: "tester".parse().unwrap(),
        idempotency: Some(Idempotency { key: key.parse().unwrap(), fingerprint: [mark; 32] }),
        request: RequestId::from_uuid(System.fresh()),
        authority: Authority::all(),
        approval: None,
        operation,
    }
}

/// An account to open: as the chart has it, or an asset without limits.
pub(crate) fn opening(account: &str) -> OpenAccount {
    let account: AccountId = account.parse().unwrap();
    let entry = chart::lookup(&account.code());
    let zero = Money::zero(currency(account.currency().unwrap().as_str())).amount();
    OpenAccount {
        currency: currency(account.currency().unwrap().as_str()),
        owner: "test".parse().unwrap(),
        account_type: entry.map_or(AccountType::Asset, |entry| entry.account_type),
        class: entry.map_or(PostingClass::Open, |entry| entry.class),
        itemised: entry.is_some_and(|entry| entry.itemised),
        floor: entry.filter(|entry| entry.floor_zero).map(|_| zero),
        ceiling: None,
        metadata: std::collections::BTreeMap::new(),
        account,
    }
}

/// A currency of a fresh book.
pub(crate) fn currency(code: &str) -> Currency {
    let scale = match code {
        "INR" | "USD" => 2,
        "JPY" => 0,
        "KWD" => 3,
        "USDT" => 6,
        "BTC" => 8,
        other => panic!("{other} is not in a fresh book"),
    };
    Currency { code: code.parse().unwrap(), scale }
}

/// An amount in the currency of an account.
pub(crate) fn money(account: &str, amount: &str) -> Money {
    let code = account.rsplit(':').next().unwrap();
    Money::parse(amount, currency(code)).unwrap()
}

/// A leg.
pub(crate) fn leg(direction: Direction, account: &str, amount: &str) -> PostingLeg {
    PostingLeg {
        account: account.parse().unwrap(),
        direction,
        amount: money(account, amount),
        item: None,
    }
}

/// A transaction of two legs.
pub(crate) fn transfer(from: &str, to: &str, amount: &str) -> Posting {
    posting(
        "transfer",
        vec![leg(Direction::Debit, from, amount), leg(Direction::Credit, to, amount)],
    )
}

/// A transaction.
pub(crate) fn posting(kind: &str, legs: Vec<PostingLeg>) -> Posting {
    Posting {
        transaction_id: TransactionId::from_uuid(System.fresh()),
        kind: kind.parse().unwrap(),
        legs,
        effective_on: None,
        value_date: None,
        conditions: Vec::new(),
        note: None,
    }
}

/// What an accepted command made.
#[track_caller]
pub(crate) fn accepted(answer: Result<Answer, SubmitError>) -> Receipt {
    match answer.expect("an outcome").outcome {
        Outcome::Accepted(accepted) => accepted.receipt,
        Outcome::Rejected(rejection) => panic!("rejected: {rejection:?}"),
    }
}

/// Why a command was rejected.
#[track_caller]
pub(crate) fn rejected(answer: Result<Answer, SubmitError>) -> Rejection {
    match answer.expect("an outcome").outcome {
        Outcome::Rejected(rejection) => rejection,
        Outcome::Accepted(accepted) => panic!("accepted: {accepted:?}"),
    }
}

/// Parses what is known to be well-formed.
pub(crate) fn parse<T: FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}
