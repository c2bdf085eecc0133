//! What the parts cost: deciding a transfer (no input or output), folding an event, and one append
//! of 1, 10, 100 and 1,000 transfers on a durable PostgreSQL; making and checking proofs of a log
//! of five million events. `cargo bench --bench core`.

#![expect(clippy::unwrap_used, reason = "a bench fails loudly")]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use cqrs_es::{Aggregate, event_sink::EventSink};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::FutureExt;
use ledger_api::postgres::{self, Mode, SUPERUSER};
use ledger_core::{
    account::{Account, AccountCommand, AccountEvent},
    bank_line::BankLine,
    book::{Book, BookEvent, Opened},
    chart::{AccountType, Authority, Direction, PostingClass},
    clock::{Clock, Ids, System},
    command::{Command, Idempotency, OpenAccount, Operation},
    deposit::Deposit,
    engine::{Engine, EngineConfig},
    hold::Hold,
    ids::{
        AccountId, BankLineId, DepositId, HoldId, PaymentId, PaymentRequestId, RequestId,
        TransactionId, TransferId, WithdrawalId,
    },
    log,
    money::{Currency, Money},
    payment::Payment,
    payment_request::PaymentRequest,
    planning::{self, Step, View},
    posting::{Posting, PostingLeg},
    transfer::Transfer,
    withdrawal::Withdrawal,
};
use projections::audit::proof::{
    Frontier, Hash, Nodes, consistency_proof, inclusion_proof, leaf_hash, node_hash,
    verify_consistency, verify_inclusion,
};
use sqlx::Connection;

struct World {
    book: Book,
    accounts: BTreeMap<AccountId, Account>,
}

impl View for World {
    fn book(&self) -> &Book {
        &self.book
    }

    fn hold(&self, _: HoldId) -> Hold {
        Hold::default()
    }

    fn normal_side(&self, account: &AccountId) -> Option<Direction> {
        let properties = self.accounts.get(account)?.properties()?;
        Some(properties.account_type.normal_side())
    }

    fn account(&self, account: &AccountId) -> Option<&Account> {
        self.accounts.get(account)
    }

    fn withdrawal(&self, _: WithdrawalId) -> Withdrawal {
        Withdrawal::default()
    }

    fn bank_line(&self, _: BankLineId) -> BankLine {
        BankLine::default()
    }

    fn deposit(&self, _: DepositId) -> Deposit {
        Deposit::default()
    }

    fn transfer(&self, _: TransferId) -> Transfer {
        Transfer::default()
    }

    fn payment(&self, _: PaymentId) -> Payment {
        Payment::default()
    }

    fn payment_request(&self, _: PaymentRequestId) -> PaymentRequest {
        PaymentRequest::default()
    }
}

fn inr() -> Currency {
    Currency { code: "INR".parse().unwrap(), scale: 2 }
}

fn ask(account: &mut Account, command: AccountCommand) -> Vec<AccountEvent> {
    let sink = EventSink::default();
    account.handle(command, &(), &sink).now_or_never().unwrap().unwrap();
    sink.collect().now_or_never().unwrap()
}

fn opening(code: &str) -> OpenAccount {
    OpenAccount {
        account: code.parse().unwrap(),
        currency: inr(),
        owner: "bench".parse().unwrap(),
        account_type: AccountType::Liability,
        class: PostingClass::Open,
        itemised: false,
        floor: None,
        ceiling: None,
        metadata: BTreeMap::new(),
    }
}

fn world() -> World {
    let mut book = Book::default();
    book.apply(BookEvent::Opened(Opened { time_zone: chrono_tz::Tz::Asia__Kolkata }));
    book.apply(BookEvent::CurrencyAdded(inr()));
    let mut accounts = BTreeMap::new();
    for code in ["wallet:a:INR", "wallet:b:INR"] {
        let mut account = Account::default();
        ask(&mut account, AccountCommand::Open(opening(code)));
        accounts.insert(code.parse().unwrap(), account);
    }
    World { book, accounts }
}

fn command(operation: Operation) -> Command {
    Command {
        principal: "bench".parse().unwrap(),
        idempotency: Some(Idempotency {
            key: System.fresh().to_string().parse().unwrap(),
            fingerprint: [7; 32],
        }),
        request: RequestId::from_uuid(System.fresh()),
        authority: Authority::all(),
        approval: None,
        operation,
    }
}

fn transfer() -> Command {
    let leg = |direction, account: &str| PostingLeg {
        account: account.parse().unwrap(),
        direction,
        amount: Money::parse("1.00", inr()).unwrap(),
        item: None,
    };
    command(Operation::Post(vec![Posting {
        transaction_id: TransactionId::from_uuid(System.fresh()),
        kind: "transfer".parse().unwrap(),
        legs: vec![leg(Direction::Debit, "wallet:a:INR"), leg(Direction::Credit, "wallet:b:INR")],
        effective_on: None,
        value_date: None,
        conditions: Vec::new(),
        note: None,
    }]))
}

/// Plans a transfer and has both accounts decide it, on clones, as the engine does.
fn decide(world: &World, command: &Command) -> usize {
    let plan = planning::plan(command, world, System.now()).unwrap();
    let mut events = 0;
    for step in plan.steps {
        if let Step::Account(id, command) = step {
            let mut account = world.accounts[&id].clone();
            events += ask(&mut account, command).len();
        }
    }
    events
}

fn deciding(criterion: &mut Criterion) {
    let world = world();
    let command = transfer();
    assert_eq!(decide(&world, &command), 2);
    criterion.bench_function("decide/transfer", |b| b.iter(|| decide(&world, &command)));
}

fn folding(criterion: &mut Criterion) {
    let mut world = world();
    let plan = planning::plan(&transfer(), &world, System.now()).unwrap();
    let Some(Step::Account(id, posting)) = plan.steps.into_iter().next() else {
        unreachable!("a transfer begins with a leg")
    };
    let events = ask(world.accounts.get_mut(&id).unwrap(), posting);
    let payload = log::encode(&events[0]).unwrap();
    criterion.bench_function("fold/decode and apply a leg", |b| {
        b.iter(|| {
            let event: AccountEvent = log::decode("debited", log::EVENT_VERSION, &payload).unwrap();
            world.accounts.get_mut(&id).unwrap().apply(event);
        });
    });
}

fn appending(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("bench-postgres");
    let cluster = postgres::open(&folder, Mode::Durable).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = Arc::new(runtime.block_on(async {
        let name = "bench_core";
        postgres::drop_database(&cluster, name).await.unwrap();
        postgres::create_database(&cluster, name, None).await.unwrap();
        let mut db = sqlx::PgConnection::connect(&cluster.url(name, SUPERUSER)).await.unwrap();
        log::MIGRATOR.run(&mut db).await.unwrap();
        sqlx::query("alter role bahi_app login").execute(&mut db).await.unwrap();
        let options = cluster.url(name, "bahi_app").parse().unwrap();
        let engine = Engine::start(EngineConfig::new(options)).await.unwrap();
        for code in ["wallet:a:INR", "wallet:b:INR"] {
            engine.submit(command(Operation::OpenAccount(opening(code)))).await.unwrap();
        }
        engine
    }));
    let mut group = criterion.benchmark_group("append");
    for transfers in [1_u64, 10, 100, 1_000] {
        group.throughput(Throughput::Elements(transfers));
        group.bench_function(BenchmarkId::from_parameter(transfers), |b| {
            b.to_async(&runtime).iter_batched(
                || (0..transfers).map(|_| transfer()).collect::<Vec<_>>(),
                |commands| async { engine.submit_all(commands).await.unwrap() },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
    runtime.block_on(engine.shutdown());
    drop(runtime);
}

/// A tree in memory, by its levels.
struct Tree(Vec<Vec<Hash>>);

impl Tree {
    fn of(leaves: u64) -> Self {
        let mut levels: Vec<Vec<Hash>> =
            vec![(0..leaves).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect()];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let pairs = below.chunks_exact(2);
            let above = pairs.map(|pair| node_hash(&pair[0], &pair[1])).collect();
            levels.push(above);
        }
        Self(levels)
    }
}

impl Nodes for Tree {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let level = self.0.get(usize::try_from(level).ok()?)?;
        level.get(usize::try_from(index).ok()?).copied()
    }
}

fn proving(criterion: &mut Criterion) {
    let leaves = std::env::var("BAHI_BENCH_LEAVES").ok().and_then(|n| n.parse().ok());
    let size: u64 = leaves.unwrap_or(5_000_000);
    let tree = Tree::of(size);
    let head = |size: u64| {
        let leaves = tree.0[0].iter().take(usize::try_from(size).unwrap());
        let mut frontier = Frontier::default();
        leaves.for_each(|leaf| frontier.push(*leaf));
        frontier.root()
    };
    let (index, old) = (size / 3, size - size / 7);
    let (root, old_root) = (head(size), head(old));
    let leaf = tree.0[0][usize::try_from(index).unwrap()];
    let path = inclusion_proof(index, size, &tree).unwrap();
    let between = consistency_proof(old, size, &tree).unwrap();
    assert!(verify_inclusion(&leaf, index, size, &root, &path));
    assert!(verify_consistency((old, &old_root), (size, &root), &between));
    let mut group = criterion.benchmark_group(format!("proof/of {size} events"));
    group.bench_function("make inclusion", |b| b.iter(|| inclusion_proof(index, size, &tree)));
    group.bench_function("check inclusion", |b| {
        b.iter(|| verify_inclusion(&leaf, index, size, &root, &path));
    });
    group.bench_function("make consistency", |b| b.iter(|| consistency_proof(old, size, &tree)));
    group.bench_function("check consistency", |b| {
        b.iter(|| verify_consistency((old, &old_root), (size, &root), &between));
    });
    group.finish();
}

criterion_group!(benches, deciding, folding, proving, appending);
criterion_main!(benches);
