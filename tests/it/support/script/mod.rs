//! Scripts of postings: a line is a command and what becomes of it, so that a whole scenario is
//! read at a glance.
//!
//! ```text
//! open wallet:a                                          -> opened
//! post T1 deposit till:main wallet:a 100 if wallet:a sequence=1 -> posted
//! post T2 payment D wallet:a 10 C wallet:b 9 C fees:x 1  -> posted
//! hold H1 wallet:a 30 for 60                             -> held
//! capture H1 10 wallet:b                                 -> captured
//! balance wallet:a 80.00 held 0.00 available 80.00
//! ```
//!
//! `begin` and `commit` put the posts between them into one command. `wait` moves the clock by
//! minutes, `may` says which classes the commands below may move, `dry` before a command only asks,
//! `again` sends the command before once more. A code without a currency means rupees. A rejected
//! command must leave the log as it was; every rule of the books is held against the log.

mod line;
mod operation;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta};
use ledger_core::{
    chart::{Authority, PostingClass},
    clock::ManualClock,
    command::{Command, Outcome, Receipt},
    engine::{Answer, Engine, EngineConfig},
    ids::{HoldId, TransactionId},
    posting::Posting,
};
use rust_decimal::Decimal;
use sqlx::PgPool;

use super::{books::Books, database::Database, ledger};
use line::{Line, account};

/// Runs a script on a ledger of its own.
///
/// # Panics
/// At the first line that does not come out as it says.
pub(crate) async fn run(text: &str) -> Books {
    let mut run = Run::start().await;
    for (number, source) in (1..).zip(text.lines()) {
        if let Some(line) = Line::parse(source) {
            run.at = format!("line {number}: {}", source.trim());
            run.line(&line).await;
        }
    }
    assert!(run.begun.is_none(), "a `begin` without `commit`");
    run.books.assert_whole();
    run.books
}

struct Run {
    /// The server runs as long as somebody has one of its databases.
    _database: Database,
    engine: Engine,
    pool: PgPool,
    clock: Arc<ManualClock>,
    books: Books,
    transactions: BTreeMap<String, TransactionId>,
    holds: BTreeMap<String, HoldId>,
    authority: Authority,
    begun: Option<Vec<Posting>>,
    last: Option<(Command, Answer)>,
    at: String,
}

impl Run {
    async fn start() -> Self {
        let database = Database::create().await;
        let noon = DateTime::from_timestamp(1_795_348_800, 0).unwrap();
        let clock = Arc::new(ManualClock::at(noon));
        let config = EngineConfig { clock: clock.clone(), ..ledger::config(&database) };
        let engine = Engine::start(config).await.unwrap();
        let pool = database.pool().await;
        Self {
            engine,
            clock,
            books: Books::of(&pool).await,
            pool,
            transactions: BTreeMap::new(),
            holds: BTreeMap::new(),
            authority: Authority::all(),
            begun: None,
            last: None,
            at: String::new(),
            _database: database,
        }
    }

    async fn line(&mut self, line: &Line<'_>) {
        match line.verb {
            "wait" => self.clock.advance(TimeDelta::minutes(line.word(0).parse().unwrap())),
            "may" => {
                let named: Vec<&str> = line.word(0).split(',').collect();
                let classes = PostingClass::ALL.into_iter();
                let classes: Vec<_> = classes.filter(|c| named.contains(&c.as_str())).collect();
                self.authority = Authority::of(&classes);
            }
            "begin" => self.begun = Some(Vec::new()),
            "balance" => self.balance(line),
            "sequence" => {
                let expected: u64 = line.word(1).parse().unwrap();
                assert_eq!(self.account(line).sequence, expected, "{}", self.at);
            }
            "items" => {
                let open = self.books.items.iter().filter(|(_, amount)| !amount.is_zero());
                let open: Vec<String> =
                    open.map(|((id, item), amount)| format!("{id}/{item} {amount}")).collect();
                assert_eq!(open.join(", "), line.expected.unwrap_or_default(), "{}", self.at);
            }
            "backed" => self.backed().await,
            "again" => self.again().await,
            "post" if self.begun.is_some() => {
                let posting = self.posting(line);
                self.begun.get_or_insert_default().push(posting);
            }
            _ => self.command(line).await,
        }
    }

    async fn command(&mut self, line: &Line<'_>) {
        let (dry, line) = line.without_prefix("dry");
        let command = ledger::command(self.operation(&line));
        let command = Command { authority: self.authority, ..command };
        let before = self.books.position;
        let answer = if dry {
            self.engine.dry_run(command.clone()).await
        } else {
            self.engine.submit(command.clone()).await
        };
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", self.at));
        assert_eq!(told(&line, &answer), line.expected.unwrap_or_default(), "{}", self.at);
        self.books.follow(&self.pool).await;
        let happened = matches!(answer.outcome, Outcome::Accepted(_)) && !dry;
        assert_eq!(self.books.position > before, happened, "{}: the log", self.at);
        if happened {
            assert_eq!(answer.position, self.books.position, "{}", self.at);
        }
        if !dry {
            self.last = Some((command, answer));
        }
    }

    /// The command before, with its key: the same answer, and nothing happens.
    async fn again(&mut self) {
        let (command, first) = self.last.clone().expect("a command before");
        let answer = self.engine.submit(command).await.unwrap();
        assert!(answer.replayed, "{}", self.at);
        assert_eq!(answer.outcome, first.outcome, "{}", self.at);
        let before = self.books.position;
        self.books.follow(&self.pool).await;
        assert_eq!(self.books.position, before, "{}: the log", self.at);
    }

    fn balance(&self, line: &Line<'_>) {
        let book = self.account(line);
        let money = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(book.balance, money(line.word(1)), "{}", self.at);
        for (name, amount) in line.pairs(2) {
            match name {
                "held" => assert_eq!(book.held, money(amount), "{}", self.at),
                "available" => assert_eq!(book.available(), Some(money(amount)), "{}", self.at),
                other => panic!("{}: {other}?", self.at),
            }
        }
    }

    fn account(&self, line: &Line<'_>) -> &super::books::AccountBook {
        let id = account(line.word(0));
        self.books.accounts.get(&id).unwrap_or_else(|| panic!("{}: {id} is not open", self.at))
    }

    /// The end of a bank's day, as product rules have it: what the bank holds for customers, less
    /// what is on its way out, is exactly what customers are owed, after a top-up or sweep.
    async fn backed(&mut self) {
        for _ in 0..2 {
            let gap = self.headroom();
            let amount = gap.abs();
            let (own, escrow) = ("bank:hdfc:own", "bank:hdfc:escrow");
            let out = "bank:hdfc:clearing_out";
            let script = if gap.is_zero() {
                return;
            } else if gap < Decimal::ZERO {
                format!(
                    "post U1 treasury treasury:in_transit@t {own} {amount} -> posted
                     post U2 treasury {escrow} treasury:in_transit@t {amount} -> posted"
                )
            } else {
                format!(
                    "post U1 treasury treasury:in_transit@t {out}@t {amount} -> posted
                     post U2 treasury {out}@t {escrow} {amount} -> posted
                     post U3 treasury {own} treasury:in_transit@t {amount} -> posted"
                )
            };
            for line in script.lines().filter_map(Line::parse) {
                Box::pin(self.command(&line)).await;
            }
        }
        panic!("{}: customers' money is not backed: {}", self.at, self.headroom());
    }

    fn headroom(&self) -> Decimal {
        const CUSTOMERS: [&str; 9] = [
            "wallet:",
            "merchant:",
            "withdrawals:reserved",
            "withdrawals:in_flight",
            "fees:held",
            "suspense:credits",
            "returns:unapplied",
            "refunds:payable",
            "disputes:held",
        ];
        let debits = |start: &str| -> Decimal {
            let accounts = self.books.accounts.iter().filter(|(id, _)| id.starts_with(start));
            accounts.map(|(_, book)| book.debits - book.credits).sum()
        };
        let owed: Decimal = CUSTOMERS.iter().map(|start| -debits(start)).sum();
        debits("bank:hdfc:escrow") + debits("bank:hdfc:clearing_out") - owed
    }
}

/// What became of a command, in the words of a script.
fn told(line: &Line<'_>, answer: &Answer) -> String {
    match &answer.outcome {
        Outcome::Accepted(accepted) => {
            let word = match (line.verb, &accepted.receipt) {
                ("open", Receipt::Account { .. }) => "opened",
                ("close", Receipt::Account { .. }) => "closed",
                ("limits", Receipt::Account { .. }) => "changed",
                ("freeze" | "lien", Receipt::Account { .. }) => "frozen",
                ("unfreeze", Receipt::Account { .. }) => "unfrozen",
                ("post" | "commit", Receipt::Posted { .. }) => "posted",
                ("reverse", Receipt::Posted { .. }) => "reversed",
                ("hold", Receipt::Hold { .. }) => "held",
                ("increase", Receipt::Hold { .. }) => "increased",
                ("release", Receipt::Hold { .. }) => "released",
                ("expire", Receipt::Hold { .. }) => "expired",
                ("capture", Receipt::Captured { .. }) => "captured",
                (_, receipt) => panic!("an answer to something else: {receipt:?}"),
            };
            word.to_owned()
        }
        Outcome::Rejected(rejection) => {
            let mut told = rejection.code.clone();
            if let Some(available) = rejection.available {
                told = format!("{told} of {available}");
            }
            if let Some(transaction) = rejection.transaction {
                told = format!("{told} at {transaction}");
            }
            told
        }
    }
}
