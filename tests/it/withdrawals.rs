//! Withdrawals on the real engine: against the reference executor, many at once, several steps of
//! one in one batch, and with nothing of it in memory.

mod over_http;

use chrono::TimeDelta;
use ledger_core::{
    clock::{Ids, System},
    command::{Command, Operation, Outcome, Receipt},
    engine::{Engine, EngineConfig},
    fee::Pricing,
    ids::{TransactionId, WithdrawalId},
    withdrawal::{
        ApplyUnapplied, AttemptOutcome, BeginAttempt, CancelWithdrawal, DecideReview,
        RecordOutcome, RecordReturn, RequestWithdrawal, Source, WithdrawalEvent,
        WithdrawalOperation as Ask, WithdrawalStatus,
    },
};

use crate::{
    audit_engine::verified,
    reference::Both,
    support::{
        database::Database,
        ledger::{self, Ledger, accepted, command, money, opening, parse, rejected},
        sent_back,
    },
};

const WALLET: &str = "wallet:a:INR";
const OTHER: &str = "wallet:b:INR";

fn fresh() -> TransactionId {
    TransactionId::from_uuid(System.fresh())
}

/// One withdrawal of a test, and what can be asked of it.
#[derive(Clone, Copy)]
struct One(WithdrawalId);

impl One {
    fn new() -> Self {
        Self(WithdrawalId::from_uuid(System.fresh()))
    }

    fn request(self, wallet: &str, amount: &str) -> Ask {
        Ask::Request(RequestWithdrawal {
            withdrawal_id: self.0,
            transaction_id: fresh(),
            account: parse(wallet),
            amount: money(WALLET, amount),
            fee: money(WALLET, "10.00"),
            tax: money(WALLET, "1.53"),
            pricing: Pricing::AsGiven,
            bank_account: parse("ba_019a0000000070008000000000000021"),
            bank: parse("hdfc"),
            rail: parse("imps"),
            payee_hash: Some(parse(&"0a".repeat(32))),
            payee: ledger_core::withdrawal::PayeeStanding::Unchecked,
            review: None,
            note: None,
        })
    }

    fn reviewed(self, wallet: &str, amount: &str) -> Ask {
        let Ask::Request(request) = self.request(wallet, amount) else { panic!("a request") };
        Ask::Request(RequestWithdrawal { review: Some(parse("new_payee")), ..request })
    }

    fn review(self, approve: bool) -> Ask {
        let reason = Some(parse("sanctions"));
        let (withdrawal_id, transaction_id) = (self.0, fresh());
        Ask::DecideReview(DecideReview { withdrawal_id, approve, reason, transaction_id })
    }

    fn begin(self, attempt: u32) -> Ask {
        Ask::BeginAttempt(BeginAttempt {
            withdrawal_id: self.0,
            attempt,
            reference: parse(&format!("BH{attempt}")),
            bank: parse(if attempt == 1 { "hdfc" } else { "axis" }),
            rail: parse("imps"),
            payee_hash: Some(parse(&"0a".repeat(32))),
            transaction_id: fresh(),
        })
    }

    fn told(self, attempt: u32, outcome: AttemptOutcome) -> Ask {
        Ask::RecordOutcome(RecordOutcome {
            withdrawal_id: self.0,
            attempt,
            outcome,
            source: Source::Webhook,
            code: None,
            transaction_id: fresh(),
        })
    }

    fn paid(self, attempt: u32, amount: &str) -> Ask {
        let bank_reference = parse(&format!("UTR{attempt}"));
        self.told(attempt, AttemptOutcome::Paid { amount: money(WALLET, amount), bank_reference })
    }

    fn part(self, attempt: u32, amount: &str) -> Ask {
        let bank_reference = parse(&format!("S{attempt}-{amount}"));
        let amount = money(WALLET, amount);
        self.told(attempt, AttemptOutcome::PaidInPart { amount, bank_reference })
    }

    fn back(self, attempt: u32, credit: &str, amount: &str) -> Ask {
        Ask::RecordReturn(RecordReturn {
            withdrawal_id: self.0,
            attempt,
            bank_reference: parse(credit),
            amount: money(WALLET, amount),
            source: Source::Statement,
            transaction_id: fresh(),
            applied_transaction_id: fresh(),
        })
    }

    fn cancel(self) -> Ask {
        Ask::Cancel(CancelWithdrawal { withdrawal_id: self.0, transaction_id: fresh() })
    }

    fn apply(self) -> Ask {
        Ask::ApplyUnapplied(ApplyUnapplied { withdrawal_id: self.0, transaction_id: fresh() })
    }
}

#[track_caller]
fn status(receipt: &Receipt) -> WithdrawalStatus {
    let Receipt::Withdrawal { status, .. } = receipt else { panic!("another: {receipt:?}") };
    *status
}

impl Ledger {
    async fn ask(&self, ask: Ask) -> Receipt {
        let told = format!("{ask:?}");
        match self.submit(ask.into()).await.expect("an outcome").outcome {
            Outcome::Accepted(accepted) => accepted.receipt,
            Outcome::Rejected(rejection) => panic!("{told}: {rejection:?}"),
        }
    }
}

/// Asks for whatever a seed comes to, of a few withdrawals from one wallet.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn operation(&mut self, ones: &[One]) -> Operation {
        let one = ones[usize::try_from(self.below(u64::try_from(ones.len()).unwrap())).unwrap()];
        let attempt = u32::try_from(self.below(3)).unwrap() + 1;
        let ask = match self.below(29) {
            0..=2 => one.request(WALLET, "500"),
            3 => one.reviewed(WALLET, "500"),
            4 => one.review(self.below(2) == 0),
            5..=8 => one.begin(attempt),
            9..=11 => one.paid(attempt, "500"),
            12 => one.told(attempt, AttemptOutcome::RefusedFinal),
            13 | 14 => one.told(attempt, AttemptOutcome::RefusedRetryable),
            15 => one.told(attempt, AttemptOutcome::Unknown),
            22..=25 => one.told(1, AttemptOutcome::Unknown),
            26..=28 => one.part(attempt, if self.below(2) == 0 { "200" } else { "300" }),
            16 => one.told(attempt, AttemptOutcome::NeedsAttention),
            17 => one.back(attempt, &format!("R{}", self.below(3)), "200"),
            18 => one.cancel(),
            19 => one.apply(),
            20 => return Operation::Post(vec![ledger::transfer(WALLET, OTHER, "250")]),
            _ => return self.freeze(),
        };
        ask.into()
    }

    fn freeze(&mut self) -> Operation {
        use ledger_core::{account::FreezeMode, command::FreezeAccount};
        let (account, reference) = (parse(WALLET), parse("order"));
        if self.below(2) == 0 {
            return Operation::Unfreeze { account, reference };
        }
        Operation::Freeze(FreezeAccount {
            account,
            reference,
            mode: FreezeMode::Both,
            amount: None,
        })
    }
}

fn beginning() -> Vec<Command> {
    let accounts = ["till:main:INR", WALLET, OTHER];
    let opened = accounts.map(|account| Operation::OpenAccount(opening(account)));
    let funded = [WALLET, OTHER]
        .map(|wallet| Operation::Post(vec![ledger::transfer("till:main:INR", wallet, "30000")]));
    opened.into_iter().chain(funded).map(command).collect()
}

/// A payment after a refusal for good, and what people decide.
fn rare() -> Vec<Ask> {
    let (failed, passed, refused) = (One::new(), One::new(), One::new());
    let in_part = One::new();
    vec![
        in_part.request(OTHER, "500"),
        in_part.begin(1),
        in_part.part(1, "200"),
        in_part.told(1, AttemptOutcome::RefusedFinal),
        in_part.part(1, "300"),
        failed.request(OTHER, "500"),
        failed.begin(1),
        failed.told(1, AttemptOutcome::Unknown),
        failed.told(1, AttemptOutcome::NeedsAttention),
        failed.told(1, AttemptOutcome::RefusedFinal),
        failed.paid(1, "500"),
        failed.back(1, "R1", "500"),
        failed.apply(),
        passed.reviewed(OTHER, "500"),
        passed.review(true),
        passed.cancel(),
        refused.reviewed(OTHER, "500"),
        refused.review(false),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_writes_of_withdrawals_what_the_reference_writes_to_the_last_hash() {
    let mut both = Both::start().await;
    let mut random = Random(0x5eed);
    let ones: Vec<One> = (0..40).map(|_| One::new()).collect();
    let asked = (0..1_500).map(|_| command(random.operation(&ones)));
    // What is rare comes last.
    let rare = rare().into_iter().map(Operation::from).chain(sent_back::story(OTHER));
    let rare = rare.map(command);
    for command in beginning().into_iter().chain(asked).chain(rare) {
        both.agree(&command).await;
        both.clock.advance(TimeDelta::seconds(1));
    }
    both.assert_same_with_all_of("withdrawal", WithdrawalEvent::NAMES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_batches_and_with_little_in_memory_nothing_is_missed() {
    let ledger = Ledger::forgetful().await;
    let mut random = Random(0xba7c4);
    let ones: Vec<One> = (0..20).map(|_| One::new()).collect();
    for command in beginning() {
        accepted(ledger.engine.submit(command).await);
    }
    let commands: Vec<Command> = (0..600).map(|_| command(random.operation(&ones))).collect();
    ledger.takes_in_batches(&commands, 8).await;
    verified(&ledger.database).await;
}

/// The steps of a whole life, which ends as it should.
fn life(one: One) -> Vec<(Ask, WithdrawalStatus)> {
    use WithdrawalStatus as Status;
    vec![
        (one.request(WALLET, "500"), Status::Queued),
        (one.begin(1), Status::Processing),
        (one.told(1, AttemptOutcome::Unknown), Status::OutcomeUnknown),
        (one.told(1, AttemptOutcome::RefusedRetryable), Status::Queued),
        (one.begin(2), Status::Processing),
        (one.paid(2, "500"), Status::Completed),
        (one.back(2, "R1", "500"), Status::Returned),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_in_one_batch_touches_accounts_that_nobody_had_in_memory() {
    let ledger = Ledger::start().await;
    ledger.wallet(WALLET, "1000").await;
    let (asks, ends): (Vec<_>, Vec<_>) = life(One::new()).into_iter().unzip();
    let commands = asks.into_iter().map(|ask| command(ask.into())).collect();
    let answers = ledger.engine.submit_all(commands).await.unwrap();
    for (answer, expected) in answers.into_iter().zip(ends) {
        assert_eq!(status(&accepted(answer)), expected);
    }
    assert_eq!(ledger.balance(WALLET).await, "1000.00");
    verified(&ledger.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_almost_nothing_in_memory_it_is_the_same() {
    let database = Database::create().await;
    let ledger = Ledger::on(&database).await;
    ledger.wallet(WALLET, "5000").await;
    ledger.engine.shutdown().await;
    let config = EngineConfig { cache_entries_max: 1, ..ledger::config(&database) };
    let engine = Engine::start(config).await.unwrap();
    let ledger = Ledger { database, engine };
    for _ in 0..3 {
        for (ask, expected) in life(One::new()) {
            assert_eq!(status(&ledger.ask(ask).await), expected);
        }
    }
    // A batch too, right after others went.
    let commands = life(One::new()).into_iter().map(|(ask, _)| command(ask.into())).collect();
    for answer in ledger.engine.submit_all(commands).await.unwrap() {
        accepted(answer);
    }
    assert_eq!(ledger.balance(WALLET).await, "5000.00");
    verified(&ledger.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_1_of_fifty_withdrawals_of_a_whole_balance_one_is_accepted() {
    let ledger = Ledger::start().await;
    let other = Ledger::on(&ledger.database).await;
    ledger.wallet(WALLET, "110").await;
    let requests = (0..50).map(|number| {
        let ledger = if number % 2 == 0 { ledger.clone() } else { other.clone() };
        async move { ledger.submit(One::new().request(WALLET, "100").into()).await }
    });
    let answers = futures::future::join_all(requests).await;
    let mut won = 0;
    for answer in answers {
        match answer.expect("an outcome").outcome {
            Outcome::Accepted(_) => won += 1,
            Outcome::Rejected(rejection) => assert_eq!(rejection.code, "insufficient_funds"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(ledger.balance(WALLET).await, "0.00");
    verified(&ledger.database).await;
}

/// Two workers on two engines take the same withdrawal: one of them may send it.
#[tokio::test(flavor = "multi_thread")]
async fn case_108_of_two_workers_one_may_send() {
    let ledger = Ledger::start().await;
    let other = Ledger::on(&ledger.database).await;
    ledger.wallet(WALLET, "5000").await;
    for _ in 0..10 {
        let one = One::new();
        ledger.ask(one.request(WALLET, "100")).await;
        let (first, second) =
            tokio::join!(ledger.submit(one.begin(1).into()), other.submit(one.begin(1).into()));
        let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted(_));
        let (first, second) = (first.unwrap().outcome, second.unwrap().outcome);
        assert_ne!(accepted(&first), accepted(&second), "{first:?} {second:?}");
        // Case 116: and it cannot be given up any more.
        let refused = rejected(other.submit(one.cancel().into()).await);
        assert_eq!(refused.code, "not_cancellable");
        assert_eq!(status(&ledger.ask(one.paid(1, "100")).await), WithdrawalStatus::Completed);
    }
    verified(&ledger.database).await;
}

/// What a withdrawal caused is undone by the withdrawal alone.
#[tokio::test(flavor = "multi_thread")]
async fn its_transactions_cannot_be_reversed_and_its_accounts_not_be_posted_to() {
    use ledger_core::{
        chart::{
            Authority,
            Direction::{Credit, Debit},
            PostingClass,
        },
        command::Reverse,
    };
    let ledger = Ledger::start().await;
    ledger.wallet(WALLET, "1000").await;
    let one = One::new();
    let Ask::Request(request) = one.request(WALLET, "500") else { panic!("a request") };
    let original = request.transaction_id;
    ledger.ask(Ask::Request(request)).await;
    let legs = vec![ledger::leg(Debit, WALLET, "500"), ledger::leg(Credit, "fees:held:INR", "500")];
    let reverse = Operation::Reverse(Reverse {
        original,
        original_kind: parse("withdrawal"),
        original_cause: Some(parse(&one.0.to_string())),
        original_legs: legs,
        transaction_id: fresh(),
        effective_on: None,
        note: None,
    });
    assert_eq!(rejected(ledger.submit(reverse).await).code, "not_reversible");
    let mut credit = ledger::leg(Credit, "withdrawals:reserved:INR", "1");
    credit.item = Some(parse(&one.0.to_string()));
    let posting = ledger::posting("withdrawal", vec![ledger::leg(Debit, WALLET, "1"), credit]);
    let mut by_service = command(Operation::Post(vec![posting]));
    by_service.authority = Authority::of(&[PostingClass::Open, PostingClass::Clearing]);
    let refused = rejected(ledger.engine.submit(by_service).await);
    assert_eq!(refused.code, "posting_not_permitted");
}
