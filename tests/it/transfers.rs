//! Transfers that wait to be claimed, on the real engine: against the reference executor, many who
//! want the same one at once, several steps in one batch, with nothing of it in memory, and killed
//! before and after each step.

mod kills;
mod over_http;
mod people;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use ledger_core::{
    account::FreezeMode,
    clock::{Clock, Ids, System},
    command::{ChangeLimits, Command, FreezeAccount, OpenAccount, Operation, Outcome, Receipt},
    fee::Pricing,
    ids::TransferId,
    transfer::{
        ClaimTransfer, DecideClaim, HoldTransfer, TransferEvent, TransferOperation as Ask,
        TransferStatus,
    },
};

use crate::{
    audit_engine::verified,
    reference::Both,
    support::ledger::{self, Ledger, accepted, command, money, opening, parse, rejected},
};

const SENDER: &str = "wallet:a:INR";
const RECEIVERS: [&str; 3] = ["wallet:b:INR", "wallet:c:INR", "wallet:d:INR"];

/// One transfer of a test, and what can be asked of it.
#[derive(Debug, Clone, Copy)]
struct One(TransferId);

impl One {
    fn new() -> Self {
        Self(TransferId::from_uuid(System.fresh()))
    }

    fn held(self, amount: &str, expires_at: ledger_core::clock::Timestamp) -> Ask {
        Ask::Hold(HoldTransfer {
            transfer_id: self.0,
            account: parse(SENDER),
            amount: money(SENDER, amount),
            fee: money(SENDER, "5"),
            tax: money(SENDER, "0.76"),
            pricing: Pricing::AsGiven,
            phone_hash: parse(&"0a".repeat(32)),
            expires_at,
            note: Some("Tea".to_owned()),
        })
    }

    /// For a week by the machine's clock.
    fn sent(self) -> Ask {
        self.held("250", System.now() + TimeDelta::days(7))
    }

    fn claim(self, account: &str) -> Ask {
        Ask::Claim(ClaimTransfer {
            transfer_id: self.0,
            account: parse(account),
            phone_hash: parse(&"0a".repeat(32)),
            review: None,
        })
    }

    fn ruled(self) -> Ask {
        let Ask::Claim(claim) = self.claim(RECEIVERS[0]) else { panic!("a claim") };
        Ask::Claim(ClaimTransfer { review: Some(parse("large")), ..claim })
    }

    fn decide(self, approve: bool) -> Ask {
        let reason = (!approve).then(|| parse("sanctions"));
        Ask::DecideClaim(DecideClaim { transfer_id: self.0, approve, reason })
    }

    fn cancel(self) -> Ask {
        Ask::Cancel(self.0)
    }

    fn expire(self) -> Ask {
        Ask::Expire(self.0)
    }
}

/// A wallet of somebody of its own.
fn wallet(account: &str) -> Operation {
    let owner = parse(&account.replace(':', "-"));
    Operation::OpenAccount(OpenAccount { owner, ..opening(account) })
}

fn beginning() -> Vec<Command> {
    let wallets = [SENDER].into_iter().chain(RECEIVERS).map(wallet);
    let till = Operation::OpenAccount(opening("till:main:INR"));
    let funded = Operation::Post(vec![ledger::transfer("till:main:INR", SENDER, "100000")]);
    std::iter::once(till).chain(wallets).chain([funded]).map(command).collect()
}

async fn begun(ledger: &Ledger) {
    for command in beginning() {
        accepted(ledger.engine.submit(command).await);
    }
}

#[track_caller]
fn status(receipt: &Receipt) -> TransferStatus {
    let Receipt::Transfer { status, .. } = receipt else { panic!("another: {receipt:?}") };
    *status
}

async fn ask(ledger: &Ledger, ask: Ask) -> TransferStatus {
    status(&accepted(ledger.submit(ask.into()).await))
}

/// Asks for whatever a seed comes to, of a few transfers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(u64::try_from(of.len()).unwrap())).unwrap()]
    }

    fn operation(&mut self, ones: &[One], now: ledger_core::clock::Timestamp) -> Operation {
        let one = self.pick(ones);
        let to = self.pick(&RECEIVERS);
        let minutes = i64::try_from(self.below(600)).unwrap();
        let ask = match self.below(24) {
            0..=6 => one.held("250", now + TimeDelta::minutes(minutes)),
            7..=10 => one.claim(to),
            11 => one.ruled(),
            12 => one.decide(true),
            13 => one.decide(false),
            14..=15 => one.cancel(),
            16..=18 => one.expire(),
            19 => return Operation::Post(vec![ledger::transfer(SENDER, to, "50")]),
            20 => return Operation::ReleaseHold { hold_id: one.0.hold_id() },
            21 => return self.limits(to),
            _ => return self.freeze(to),
        };
        ask.into()
    }

    fn limits(&mut self, account: &str) -> Operation {
        let ceiling = (self.below(2) == 0).then(|| money(account, "400").amount());
        let floor = Some(money(account, "0").amount());
        Operation::ChangeLimits(ChangeLimits { account: parse(account), floor, ceiling })
    }

    fn freeze(&mut self, receiver: &str) -> Operation {
        let account = parse(if self.below(2) == 0 { receiver } else { SENDER });
        let reference = parse("order");
        if self.below(3) > 0 {
            return Operation::Unfreeze { account, reference };
        }
        let (mode, amount) = (FreezeMode::Both, None);
        Operation::Freeze(FreezeAccount { account, reference, mode, amount })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_writes_of_transfers_what_the_reference_writes_to_the_last_hash() {
    let mut both = Both::start().await;
    for command in beginning() {
        both.agree(&command).await;
    }
    let mut random = Random(0x7ea);
    let ones: Vec<One> = (0..60).map(|_| One::new()).collect();
    for _ in 0..1_200 {
        let command = command(random.operation(&ones, both.clock.now()));
        both.agree(&command).await;
        both.clock.advance(TimeDelta::seconds(20));
    }
    both.assert_same_with_all_of("transfer", TransferEvent::NAMES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_batches_and_with_little_in_memory_nothing_is_missed() {
    let ledger = Ledger::forgetful().await;
    begun(&ledger).await;
    let mut random = Random(0xba7c4);
    let ones: Vec<One> = (0..30).map(|_| One::new()).collect();
    let commands: Vec<Command> =
        (0..600).map(|_| command(random.operation(&ones, System.now()))).collect();
    ledger.takes_in_batches(&commands, 6).await;
    verified(&ledger.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_in_one_batch_touches_accounts_that_nobody_had_in_memory() {
    let ledger = Ledger::start().await;
    begun(&ledger).await;
    let one = One::new();
    let life = [
        (one.sent(), TransferStatus::PendingClaim),
        (one.ruled(), TransferStatus::ClaimInReview),
        (one.decide(true), TransferStatus::Completed),
        (one.claim(RECEIVERS[0]), TransferStatus::Completed),
    ];
    let (asks, ends): (Vec<_>, Vec<_>) = life.into_iter().unzip();
    let commands = asks.into_iter().map(|ask| command(ask.into())).collect();
    let answers = ledger.engine.submit_all(commands).await.unwrap();
    for (answer, expected) in answers.into_iter().zip(ends) {
        assert_eq!(status(&accepted(answer)), expected);
    }
    assert_eq!(ledger.balance(SENDER).await, "99745.00");
    assert_eq!(ledger.balance(RECEIVERS[0]).await, "250.00");
    assert_eq!(ledger.balance("income:fees:INR").await, "4.24");
    assert_eq!(ledger.balance("tax:gst_output:INR").await, "0.76");
    let of_object = Operation::Reverse(ledger_core::command::Reverse {
        original: one.0.transaction_id(),
        original_kind: parse("transfer"),
        original_cause: Some(parse(&one.0.to_string())),
        original_legs: ledger::transfer(SENDER, RECEIVERS[0], "250").legs,
        transaction_id: ledger_core::ids::TransactionId::from_uuid(System.fresh()),
        effective_on: None,
        note: None,
    });
    assert_eq!(rejected(ledger.submit(of_object).await).code, "not_reversible");
    verified(&ledger.database).await;
}

/// Fifty want the same money, its sender wants it back, and it may have expired, by two processes
/// at once: exactly one gets it, every time.
#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_want_it_at_once_exactly_one_gets_it() {
    let ledger = Ledger::start().await;
    let other = Ledger::on(&ledger.database).await;
    begun(&ledger).await;
    let (mut claimed, mut given_up) = (0, 0);
    for round in 0..8 {
        let one = One::new();
        assert_eq!(ask(&ledger, one.sent()).await, TransferStatus::PendingClaim);
        let asks = (0..50_usize).map(|number| {
            let ledger = if number % 2 == 0 { ledger.clone() } else { other.clone() };
            // In each round something else comes first.
            let ask = match (number + round) % 4 {
                0 => one.cancel(),
                wants => one.claim(RECEIVERS[wants - 1]),
            };
            async move { ledger.submit(ask.clone().into()).await.map(|answer| (ask, answer)) }
        });
        let mut ends = BTreeSet::new();
        for answer in futures::future::join_all(asks).await {
            let (ask, answer) = answer.expect("an outcome");
            match answer.outcome {
                // Whoever wins may ask again and hears the same.
                Outcome::Accepted(_) => drop(ends.insert(format!("{ask:?}"))),
                Outcome::Rejected(rejection) => {
                    let codes = ["not_claimable", "not_cancellable"];
                    assert!(codes.contains(&rejection.code.as_str()), "{rejection:?}");
                }
            }
        }
        assert_eq!(ends.len(), 1, "round {round}: {ends:?}");
        match ask(&other, one.expire()).await {
            TransferStatus::Completed => claimed += 1,
            TransferStatus::Cancelled => given_up += 1,
            another @ (TransferStatus::PendingClaim
            | TransferStatus::ClaimInReview
            | TransferStatus::Expired) => panic!("{another:?}"),
        }
    }
    assert_eq!(claimed + given_up, 8);
    assert_eq!(ledger.balance(SENDER).await, format!("{}.00", 100_000 - 255 * claimed));
    verified(&ledger.database).await;
}
