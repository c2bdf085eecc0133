//! The auditor's check, which is a program of its own, on what the engine writes: two readings of
//! docs/events.md that have to agree, whatever is asked of the ledger.

use std::{sync::Arc, time::Duration};

use ledger_core::{
    account::FreezeMode,
    chart::Direction::{self, Credit, Debit},
    clock::{Clock, Ids, System, Timestamp},
    command::{
        CaptureHold, CaptureLeg, ChangeLimits, FreezeAccount, IncreaseHold, Operation, Outcome,
        PlaceHold, Reverse,
    },
    engine::Engine,
    ids::{AccountId, HoldId, TransactionId},
    posting::{Posting, PostingLeg},
};
use projections::{
    Projector,
    audit::{self, Options},
};
use tokio::sync::watch;

use crate::support::{
    database::Database,
    ledger::{Ledger, command, config, leg, money, opening, parse, posting},
};

const WALLETS: [&str; 4] = ["wallet:a:INR", "wallet:b:INR", "wallet:c:INR", "wallet:d:INR"];
const CLEARING: &str = "bank:hdfc:clearing_in:INR";
const ESCROW: &str = "bank:hdfc:escrow:INR";

/// Asks for whatever a seed comes to; most of it is accepted, the rest refused.
struct Asker {
    ledger: Ledger,
    random: u64,
    holds: Vec<HoldId>,
    posted: Vec<Posting>,
    items: Vec<String>,
    accepted: u32,
    refused: u32,
}

impl Asker {
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % bound
    }

    fn pick(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    fn wallet(&mut self) -> &'static str {
        WALLETS[self.pick(WALLETS.len())]
    }

    fn amount(&mut self) -> String {
        let paise = self.below(9_000) + 1;
        format!("{}.{:02}", paise / 100, paise % 100)
    }

    async fn ask(&mut self, operation: Operation) -> bool {
        let answer = self.ledger.engine.submit(command(operation)).await.expect("an outcome");
        let accepted = matches!(answer.outcome, Outcome::Accepted(_));
        *if accepted { &mut self.accepted } else { &mut self.refused } += 1;
        accepted
    }

    async fn post(&mut self, postings: Vec<Posting>) {
        if self.ask(Operation::Post(postings.clone())).await {
            self.posted.extend(postings);
        }
    }

    async fn step(&mut self) {
        match self.below(16) {
            0..=2 => self.transfer().await,
            3 => self.three_currencies().await,
            4 => self.deposit().await,
            5 => self.settle().await,
            6 | 7 => self.place().await,
            8 => self.increase().await,
            9 => self.capture().await,
            10 => self.end_hold().await,
            11 => self.reverse().await,
            12 => self.limits().await,
            13 => self.freeze().await,
            14 => self.unfreeze().await,
            _ => self.open_and_close().await,
        }
    }

    /// One posting of three legs, or two postings that stand or fall together.
    async fn transfer(&mut self) {
        let (from, to, amount) = (self.wallet(), self.wallet(), self.amount());
        let fee = |kind: &str| {
            posting(kind, vec![leg(Debit, from, "0.07"), leg(Credit, "income:fees:INR", "0.07")])
        };
        let legs = vec![leg(Debit, from, &amount), leg(Credit, to, &amount)];
        let postings = if self.below(2) == 0 {
            vec![posting("transfer", legs), fee("fee")]
        } else {
            let mut legs = legs;
            legs.extend(fee("fee").legs);
            vec![posting("transfer", legs)]
        };
        self.post(postings).await;
    }

    async fn three_currencies(&mut self) {
        let amount = self.amount();
        let pairs = [
            ("wallet:a:INR", ESCROW, amount.as_str()),
            ("bank:hdfc:escrow:JPY", "wallet:a:JPY", "12"),
            ("bank:hdfc:escrow:USDT", "wallet:a:USDT", "0.000001"),
        ];
        let legs = pairs.iter().flat_map(|(debit, credit, amount)| {
            [leg(Debit, debit, amount), leg(Credit, credit, amount)]
        });
        self.post(vec![posting("exchange", legs.collect())]).await;
    }

    fn on_item(direction: Direction, amount: &str, item: &str) -> PostingLeg {
        PostingLeg { item: Some(parse(item)), ..leg(direction, CLEARING, amount) }
    }

    async fn deposit(&mut self) {
        let (to, amount) = (self.wallet(), self.amount());
        let item = format!("dep_{}", self.items.len());
        let legs = vec![Self::on_item(Debit, &amount, &item), leg(Credit, to, &amount)];
        self.items.push(amount);
        self.post(vec![posting("deposit", legs)]).await;
    }

    async fn settle(&mut self) {
        if self.items.is_empty() {
            return;
        }
        let at = self.pick(self.items.len());
        let amount = self.items[at].clone();
        let item = format!("dep_{at}");
        let legs = vec![leg(Debit, ESCROW, &amount), Self::on_item(Credit, &amount, &item)];
        self.post(vec![posting("settlement", legs)]).await;
    }

    async fn place(&mut self) {
        let (account, amount) = (self.wallet(), self.amount());
        let hold_id = HoldId::from_uuid(System.fresh());
        let soon = System.now() + chrono::TimeDelta::milliseconds(200);
        let expires_at = (self.below(2) == 0).then_some(soon);
        let hold = PlaceHold {
            hold_id,
            account: parse(account),
            amount: money(account, &amount),
            expires_at,
        };
        if self.ask(Operation::PlaceHold(hold)).await {
            self.holds.push(hold_id);
        }
    }

    fn any_hold(&mut self) -> Option<HoldId> {
        // Ended ones too: what is asked of them is refused.
        if self.holds.is_empty() {
            return None;
        }
        let at = self.pick(self.holds.len());
        Some(self.holds[at])
    }

    async fn increase(&mut self) {
        let amount = self.amount();
        if let Some(hold_id) = self.any_hold() {
            let by = money(WALLETS[0], &amount);
            self.ask(Operation::IncreaseHold(IncreaseHold { hold_id, by })).await;
        }
    }

    async fn capture(&mut self) {
        let (to, amount, whole) = (self.wallet(), self.amount(), self.below(2) == 0);
        let Some(hold_id) = self.any_hold() else {
            return;
        };
        let capture = CaptureHold {
            hold_id,
            transaction_id: TransactionId::from_uuid(System.fresh()),
            kind: parse("payment"),
            amount: (!whole).then(|| money(to, &amount)),
            to: vec![CaptureLeg { account: parse(to), amount: None, item: None }],
            effective_on: None,
            value_date: None,
            note: None,
        };
        self.ask(Operation::CaptureHold(capture)).await;
    }

    async fn end_hold(&mut self) {
        let release = self.below(2) == 0;
        if let Some(hold_id) = self.any_hold() {
            let end = if release {
                Operation::ReleaseHold { hold_id }
            } else {
                Operation::ExpireHold { hold_id }
            };
            self.ask(end).await;
        }
    }

    async fn reverse(&mut self) {
        if self.posted.is_empty() {
            return;
        }
        let at = self.pick(self.posted.len());
        let original = self.posted[at].clone();
        let reverse = Reverse {
            original: original.transaction_id,
            original_kind: original.kind,
            original_cause: None,
            original_legs: original.legs,
            transaction_id: TransactionId::from_uuid(System.fresh()),
            effective_on: None,
            note: None,
        };
        self.ask(Operation::Reverse(reverse)).await;
    }

    async fn limits(&mut self) {
        let account = self.wallet();
        let floor = ["0.00", "30.00", "-5.00"][self.pick(3)];
        let ceiling = [None, Some("900.00"), Some("60.00")][self.pick(3)];
        let amount = |text: &str| text.parse().unwrap();
        let change = ChangeLimits {
            account: parse(account),
            floor: Some(amount(floor)),
            ceiling: ceiling.map(amount),
        };
        self.ask(Operation::ChangeLimits(change)).await;
    }

    async fn freeze(&mut self) {
        let account = self.wallet();
        let mode = [FreezeMode::Debit, FreezeMode::Credit, FreezeMode::Both, FreezeMode::Lien];
        let mode = mode[self.pick(4)];
        let lien = money(account, "40.00");
        let freeze = FreezeAccount {
            account: parse(account),
            reference: parse("order-1"),
            mode,
            amount: (mode == FreezeMode::Lien).then_some(lien),
        };
        self.ask(Operation::Freeze(freeze)).await;
        if self.below(2) == 0 {
            self.transfer().await;
        }
        let unfreeze = Operation::Unfreeze { account: parse(account), reference: parse("order-1") };
        self.ask(unfreeze).await;
    }

    async fn unfreeze(&mut self) {
        let account: AccountId = parse(self.wallet());
        self.ask(Operation::Unfreeze { account, reference: parse("order-2") }).await;
    }

    async fn open_and_close(&mut self) {
        let account = format!("wallet:x{}:INR", self.below(1_000));
        self.ask(Operation::OpenAccount(opening(&account))).await;
        if self.below(2) == 0 {
            let legs = vec![leg(Debit, "wallet:a:INR", "1.00"), leg(Credit, &account, "1.00")];
            self.post(vec![posting("transfer", legs)]).await;
        }
        self.ask(Operation::CloseAccount { account: parse(&account) }).await;
    }
}

async fn asker(ledger: Ledger, seed: u64) -> Asker {
    let mut asker = Asker {
        ledger,
        random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        holds: Vec::new(),
        posted: Vec::new(),
        items: Vec::new(),
        accepted: 0,
        refused: 0,
    };
    for account in ["wallet:a:JPY", "wallet:a:USDT", "income:fees:INR", CLEARING, ESCROW] {
        asker.ask(Operation::OpenAccount(opening(account))).await;
    }
    for account in ["bank:hdfc:escrow:JPY", "bank:hdfc:escrow:USDT"] {
        asker.ask(Operation::OpenAccount(opening(account))).await;
    }
    for wallet in WALLETS {
        asker.ask(Operation::OpenAccount(opening(wallet))).await;
        let legs = vec![leg(Debit, ESCROW, "200.00"), leg(Credit, wallet, "200.00")];
        asker.post(vec![posting("deposit", legs)]).await;
    }
    asker
}

/// The database's read models are brought up to its log, and all is checked.
pub(crate) async fn verified(database: &Database) -> audit::Report {
    let pool = database.pool().await;
    projections::rebuild(&pool, None, |_, _| {}).await.expect("read models");
    let report = audit::verify_database(&pool, &Options::default(), |_| {}).await.expect("a log");
    assert!(report.verified, "{report}");
    let mut export = Vec::new();
    audit::export(&pool, &mut export, |_| {}).await.expect("an export");
    let offline = audit::verify_export(&export[..], &Options::default(), |_| {}).expect("a log");
    assert!(offline.verified, "{offline}");
    assert_eq!(
        (offline.head, offline.currencies),
        (report.head.clone(), report.currencies.clone())
    );
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn case_180_whatever_is_asked_of_the_engine_its_log_is_verified() {
    for seed in 1..=4 {
        let mut asker = asker(Ledger::start().await, seed).await;
        for _ in 0..400 {
            asker.step().await;
        }
        let report = verified(&asker.ledger.database).await;
        assert!(asker.accepted > 150 && asker.refused > 30, "{} {}", asker.accepted, asker.refused);
        assert!(report.holds.captured > 0 && report.reversals > 0, "{report}");
        let models = report.read_models.expect("read models");
        assert_eq!((models.position, models.differing), (report.head.position, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_180_two_engines_that_take_turns_write_one_sound_log() {
    let first = Ledger::start().await;
    let second = Ledger::on(&first.database).await;
    let database = first.database.clone();
    let ask = async |ledger: Ledger, seed: u64| {
        let mut asker = asker(ledger, seed).await;
        for _ in 0..300 {
            asker.step().await;
        }
    };
    tokio::join!(ask(first, 11), ask(second, 12));
    verified(&database).await;
}

/// A clock that runs ahead and back, as machines' clocks do.
struct Unsteady(std::sync::atomic::AtomicI64);

impl Clock for Unsteady {
    fn now(&self) -> Timestamp {
        let turn = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        System.now() + chrono::TimeDelta::milliseconds(turn % 7 * 300 - 900)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i14_the_log_is_sound_under_a_clock_that_goes_back() {
    let database = Database::create().await;
    let mut config = config(&database);
    config.clock = Arc::new(Unsteady(0.into()));
    let engine = Engine::start(config).await.unwrap();
    let mut asker = asker(Ledger { database, engine }, 21).await;
    for _ in 0..300 {
        asker.step().await;
    }
    verified(&asker.ledger.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_hands_over_is_folded_as_the_log_has_it() {
    let mut asker = asker(Ledger::start().await, 9).await;
    let (engine, pool) = (asker.ledger.engine.clone(), asker.ledger.database.pool().await);
    let head = || engine.status().borrow().head.position;
    let (tail, before) = (engine.tail(), head());
    while head() == before {
        asker.step().await;
    }
    assert!(tail.follows(before));

    // What came before, it reads; then some of both.
    let projector = Projector::new(pool.clone(), watch::channel(0).1);
    let projector = projector.with_tail(Some(tail.clone()));
    let status = projector.status();
    let running = tokio::spawn(projector.run(std::future::pending()));
    for _ in 0..400 {
        asker.step().await;
    }
    assert!(projections::wait_for(&status, head(), Duration::from_secs(60)).await);
    assert!(!tail.follows(before), "what is folded is let go");
    let report = audit::verify_database(&pool, &Options::default(), |_| {}).await.expect("a log");
    assert!(report.verified, "{report}");
    let models = report.read_models.expect("read models");
    assert_eq!((models.position, models.differing), (report.head.position, 0));
    running.abort();
}
