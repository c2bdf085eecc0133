//! Deposits on the real engine: against the reference executor, told of by many at once, several
//! steps of one in one batch, and with nothing of it in memory.

mod over_http;

use chrono::TimeDelta;
use ledger_core::{
    account::FreezeMode,
    clock::{Clock, Ids, System},
    command::{Command, FreezeAccount, Operation, Receipt},
    deposit::{
        BeginDeposit, CancelDeposit, ConfirmCredit, CreditClaim, DecideDepositReview, DecideRecall,
        DepositEvent, DepositOperation as Ask, DepositStatus, ExpireDeposit, RecordDeclined,
        RecordReceived, RequestRecall, SettleCredit, credit::id_of,
    },
    ids::{DepositId, HoldId, TransactionId},
    withdrawal::Source,
};

use uuid::Uuid;

use crate::{
    audit_engine::verified,
    reference::Both,
    support::{
        ledger::{self, Ledger, accepted, command, money, opening, parse, rejected},
        lumps, sent_back,
    },
};

const WALLET: &str = "wallet:a:INR";
const OTHER: &str = "wallet:b:INR";

fn fresh() -> TransactionId {
    TransactionId::from_uuid(System.fresh())
}

/// What a bank says of its credit of a number; by a stranger, if it is a third one.
fn claim(number: u64, amount: &str) -> CreditClaim {
    let hash = |digits: &str| Some(parse(&digits.repeat(32)));
    CreditClaim {
        bank: parse(if number.is_multiple_of(2) { "hdfc" } else { "axis" }),
        bank_transaction_id: parse(&format!("S{number}")),
        credit_id: Some(parse(&format!("crd_{number}"))),
        utr: None,
        value_date: "2026-11-22".parse().unwrap(),
        amount: money(WALLET, amount),
        source: Source::Enquiry,
        payer_hash: if number.is_multiple_of(3) { hash("0b") } else { None },
        review: None,
        unsolicited_to: None,
    }
}

/// One deposit of a test, and what can be asked of it.
#[derive(Clone, Copy)]
struct One(DepositId);

impl One {
    fn new() -> Self {
        Self(DepositId::from_uuid(System.fresh()))
    }

    fn begun(self) -> Ask {
        Ask::Begin(BeginDeposit {
            deposit_id: self.0,
            account: parse(WALLET),
            amount: money(WALLET, "500"),
            bank: parse("hdfc"),
            expires_at: System.now() + TimeDelta::days(1),
            payer_hash: Some(parse(&"0a".repeat(32))),
        })
    }

    fn received(self, claim: CreditClaim) -> Ask {
        let claim = CreditClaim { source: Source::Webhook, ..claim };
        Ask::RecordReceived(RecordReceived { deposit_id: self.0, claim })
    }

    fn confirmed(self, claim: CreditClaim) -> Ask {
        let (deposit_id, transaction_id) = (self.0, fresh());
        Ask::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id })
    }

    fn settled(self, claim: CreditClaim) -> Ask {
        Ask::SettleCredit(SettleCredit {
            deposit_id: self.0,
            booking_date: claim.value_date,
            claim: CreditClaim { credit_id: None, source: Source::Statement, ..claim },
            charges: money(WALLET, "0"),
            tax: money(WALLET, "0"),
            confirmed_transaction_id: fresh(),
            transaction_id: fresh(),
        })
    }

    fn declined(self) -> Ask {
        let (deposit_id, source) = (self.0, Source::Webhook);
        Ask::RecordDeclined(RecordDeclined { deposit_id, source, code: None })
    }

    fn cancel(self) -> Ask {
        Ask::Cancel(CancelDeposit { deposit_id: self.0 })
    }

    fn expire(self) -> Ask {
        Ask::Expire(ExpireDeposit { deposit_id: self.0 })
    }

    fn decide(self, number: u32, to: Option<&str>) -> Ask {
        Ask::DecideReview(DecideDepositReview {
            deposit_id: self.0,
            number,
            assign_to: to.map(parse),
            reason: None,
            transaction_id: fresh(),
        })
    }

    /// The bank wants a credit back; the hold follows from the deposit.
    fn recall(self, number: u64) -> Ask {
        let (claim, hold_id) = (claim(number, "500"), self.hold());
        Ask::RequestRecall(RequestRecall { deposit_id: self.0, claim, hold_id })
    }

    fn hold(self) -> HoldId {
        HoldId::from_uuid(Uuid::from_u128(self.0.uuid().as_u128() ^ 1))
    }

    fn decide_recall(self, number: u32, granted: bool, hold_id: Option<HoldId>) -> Ask {
        Ask::DecideRecall(DecideRecall {
            deposit_id: self.0,
            number,
            granted,
            reason: Some(parse("reason")),
            hold_id,
            transaction_id: fresh(),
        })
    }
}

#[track_caller]
fn status(receipt: &Receipt) -> DepositStatus {
    let Receipt::Deposit { status, .. } = receipt else { panic!("another: {receipt:?}") };
    *status
}

async fn ask(ledger: &Ledger, ask: Ask) -> Receipt {
    accepted(ledger.submit(ask.into()).await)
}

/// Asks for whatever a seed comes to, of a few deposits to one wallet.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn operation(&mut self, ones: &[One]) -> Operation {
        let index = self.below(u64::try_from(ones.len()).unwrap());
        let one = ones[usize::try_from(index).unwrap()];
        // Each deposit has its own credits; now and then it is told of another one's.
        let number = self.below(5) + if self.below(8) == 0 { 0 } else { index * 6 };
        let said = claim(number, if self.below(8) == 0 { "501" } else { "500" });
        let ask = match self.below(32) {
            0..=5 => one.begun(),
            6..=8 => one.received(said),
            9..=11 => one.confirmed(said),
            12..=14 => one.settled(said),
            15 => one.declined(),
            16 => one.cancel(),
            17 => one.expire(),
            18 => one.decide(1, Some(OTHER)),
            19 => one.decide(2, None),
            20 | 21 => {
                let said = claim(1_000 + self.below(12), "75");
                let one = One(id_of(&said.bank, &said.bank_transaction_id));
                let to = (self.below(2) == 0).then(|| parse(OTHER));
                one.confirmed(CreditClaim { unsolicited_to: to, ..said })
            }
            22 => return Operation::Post(vec![ledger::transfer(OTHER, WALLET, "50")]),
            23..=26 => one.recall(number),
            27..=29 => {
                let hold = (self.below(4) > 0).then(|| one.hold());
                let credit = u32::try_from(1 + self.below(3)).unwrap();
                one.decide_recall(credit, self.below(2) == 0, hold)
            }
            _ => return self.freeze(),
        };
        ask.into()
    }

    fn freeze(&mut self) -> Operation {
        let (account, reference) = (parse(WALLET), parse("order"));
        if self.below(3) > 0 {
            return Operation::Unfreeze { account, reference };
        }
        let (mode, amount) = (FreezeMode::Both, None);
        Operation::Freeze(FreezeAccount { account, reference, mode, amount })
    }
}

fn beginning() -> Vec<Command> {
    let accounts = ["till:main:INR", WALLET, OTHER];
    let opened = accounts.map(|account| Operation::OpenAccount(opening(account)));
    let funded = [WALLET, OTHER]
        .map(|wallet| Operation::Post(vec![ledger::transfer("till:main:INR", wallet, "30000")]));
    opened.into_iter().chain(funded).map(command).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_writes_of_deposits_what_the_reference_writes_to_the_last_hash() {
    let mut both = Both::start().await;
    let mut random = Random(0x5eed);
    let ones: Vec<One> = (0..40).map(|_| One::new()).collect();
    let asked = (0..1_200).map(|_| random.operation(&ones)).collect::<Vec<_>>();
    // What chance may leave out.
    let given = One::new();
    let (account, reference) = (parse(WALLET), parse("order"));
    let asks = [
        given.begun(),
        given.confirmed(claim(2_002, "500")),
        given.recall(2_002),
        given.decide_recall(1, true, Some(given.hold())),
    ];
    let script = std::iter::once(Operation::Unfreeze { account, reference });
    let script = script.chain(asks.map(Operation::from));
    let script = script.chain(sent_back::story(WALLET)).chain(lumps::story(WALLET));
    let asked = asked.into_iter().chain(script).map(command);
    for command in beginning().into_iter().chain(asked) {
        both.agree(&command).await;
        both.clock.advance(TimeDelta::seconds(1));
    }
    // Past the time of all that still waits.
    both.clock.advance(TimeDelta::days(2000));
    let waiting = One::new();
    let Ask::Begin(asked) = waiting.begun() else { panic!("an intent") };
    let expires_at = both.clock.now() + TimeDelta::seconds(1);
    let begun = Ask::Begin(BeginDeposit { expires_at, ..asked });
    let ends = ones.into_iter().chain([waiting]).map(One::expire);
    for ask in std::iter::once(begun).chain(ends) {
        let command = command(ask.into());
        both.agree(&command).await;
        both.clock.advance(TimeDelta::seconds(1));
    }
    both.assert_same_with_all_of("deposit", DepositEvent::NAMES).await;
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
    ledger.takes_in_batches(&commands, 6).await;
    verified(&ledger.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_in_one_batch_touches_accounts_that_nobody_had_in_memory() {
    use DepositStatus as Status;
    let ledger = Ledger::start().await;
    ledger.wallet(WALLET, "1000").await;
    let one = One::new();
    let life = [
        (one.begun(), Status::AwaitingPayment),
        (one.received(claim(2, "500")), Status::Received),
        (one.confirmed(claim(2, "500")), Status::Completed),
        (one.confirmed(claim(3, "499")), Status::InReview),
        (one.settled(claim(2, "500")), Status::InReview),
        (one.decide(2, Some(WALLET)), Status::Completed),
        (one.settled(claim(3, "499")), Status::Settled),
        (one.settled(claim(3, "499")), Status::Settled),
    ];
    let (asks, ends): (Vec<_>, Vec<_>) = life.into_iter().unzip();
    let commands = asks.into_iter().map(|ask| command(ask.into())).collect();
    let answers = ledger.engine.submit_all(commands).await.unwrap();
    for (answer, expected) in answers.into_iter().zip(ends) {
        assert_eq!(status(&accepted(answer)), expected);
    }
    assert_eq!(ledger.balance(WALLET).await, "1999.00");
    verified(&ledger.database).await;
}

/// Many workers of two processes are told of the same credits, in any order.
#[tokio::test(flavor = "multi_thread")]
async fn a_credit_that_many_tell_of_is_booked_once() {
    let ledger = Ledger::start().await;
    let other = Ledger::on(&ledger.database).await;
    ledger.wallet(WALLET, "1").await;
    let one = One::new();
    ask(&ledger, one.begun()).await;
    let said = || CreditClaim { payer_hash: None, ..claim(2, "500") };
    let unasked = CreditClaim { unsolicited_to: Some(parse(WALLET)), ..claim(8, "75") };
    let by_itself = One(id_of(&unasked.bank, &unasked.bank_transaction_id));
    let tellings = (0..60).map(|number| {
        let ledger = if number % 2 == 0 { ledger.clone() } else { other.clone() };
        let ask = match number % 6 {
            0 => one.received(said()),
            1 | 2 => one.confirmed(said()),
            3 => one.settled(said()),
            4 => by_itself.confirmed(unasked.clone()),
            _ => by_itself.settled(unasked.clone()),
        };
        async move { accepted(ledger.submit(ask.into()).await) }
    });
    futures::future::join_all(tellings).await;
    assert_eq!(status(&ask(&ledger, one.settled(said())).await), DepositStatus::Settled);
    let refused = rejected(other.submit(one.confirmed(claim(2, "500.01")).into()).await);
    assert_eq!(refused.code, "credit_differs");
    assert_eq!(ledger.balance(WALLET).await, "576.00");
    assert_eq!(ledger.balance("bank:hdfc:escrow:INR").await, "575.00");
    assert_eq!(ledger.balance("bank:hdfc:clearing_in:INR").await, "0.00");
    verified(&ledger.database).await;
}

/// 2.2: what the hold has goes back, the rest is owed; the bank's own account waits for its line.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_bank_gets_back_comes_from_the_hold_and_the_rest_is_owed() {
    let ledger = Ledger::start().await;
    ledger.wallet(WALLET, "0.01").await;
    ledger.wallet(OTHER, "0.01").await;
    let one = One::new();
    ask(&ledger, one.begun()).await;
    ask(&ledger, one.confirmed(claim(2, "500"))).await;
    accepted(ledger.transfer(WALLET, OTHER, "380.01").await);
    let asked = ask(&ledger, one.recall(2)).await;
    assert_eq!(status(&asked), DepositStatus::RecallRequested);
    assert_eq!(status(&ask(&ledger, one.recall(2)).await), DepositStatus::RecallRequested);
    let refused = rejected(ledger.transfer(WALLET, OTHER, "0.01").await);
    assert_eq!(refused.code, "insufficient_funds", "all that is left is held");
    let (hold, grant) = (Some(one.hold()), true);
    for _ in 0..2 {
        let granted = ask(&ledger, one.decide_recall(1, grant, hold)).await;
        assert_eq!(status(&granted), DepositStatus::Recalled);
    }
    let late = rejected(ledger.submit(one.decide_recall(1, false, hold).into()).await);
    assert_eq!(late.code, "recall_decided");
    assert_eq!(ledger.balance(WALLET).await, "0.00");
    assert_eq!(ledger.balance("receivable:recall:a:INR").await, "380.00");
    assert_eq!(ledger.balance("bank:hdfc:clearing_out:INR").await, "500.00");
    assert_eq!(status(&ask(&ledger, one.settled(claim(2, "500"))).await), DepositStatus::Recalled);
    assert_eq!(ledger.balance("bank:hdfc:escrow:INR").await, "500.00", "until its own line");
    verified(&ledger.database).await;
}
