//! Payments to shops on the real engine: against the reference executor, with little in memory, and
//! by two processes at once.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use ledger_core::{
    account::FreezeMode,
    clock::{Clock, Ids, System, Timestamp},
    command::{Command, FreezeAccount, OpenAccount, Operation, Outcome, Receipt},
    ids::{PaymentId, PaymentRequestId, RefundId, SettlementId, TransactionId},
    payment::{
        DecideDispute, DisputeWinner, OpenDispute, PayMerchant, PaymentEvent,
        PaymentOperation as Ask, RefundPayment, RefundStatus, RetryRefund, Settle, Terms,
    },
    payment_request::{
        CreatePaymentRequest, PaymentRequestEvent, PaymentRequestOperation, PaymentRequestStatus,
    },
};

use crate::{
    audit_engine::verified,
    reference::Both,
    support::ledger::{self, Ledger, accepted, command, money, opening, parse, rejected},
};

const PAYERS: [&str; 2] = ["wallet:a:INR", "wallet:b:INR"];
const UNSETTLED: &str = "merchant:tea:unsettled:INR";
const AVAILABLE: &str = "merchant:tea:available:INR";

/// One payment of a test with its request and its refunds, and what can be asked of it.
#[derive(Debug, Clone)]
struct One {
    payment: PaymentId,
    request: PaymentRequestId,
    refunds: Vec<RefundId>,
    others: [TransactionId; 2],
}

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

impl One {
    fn new() -> Self {
        Self {
            payment: PaymentId::from_uuid(System.fresh()),
            request: PaymentRequestId::from_uuid(System.fresh()),
            refunds: (0..50).map(|_| RefundId::from_uuid(System.fresh())).collect(),
            others: [(); 2].map(|()| TransactionId::from_uuid(System.fresh())),
        }
    }

    fn paid(&self, payer: &str, amount: &str) -> PayMerchant {
        PayMerchant {
            payment_id: self.payment,
            payer: parse(payer),
            merchant: parse("tea"),
            amount: money(payer, amount),
            terms: Terms { version: 1, fee_bps: 200, tax_bps: 1800 },
            request: None,
            settles_on: day(20),
            order: None,
            store: None,
            terminal: None,
        }
    }

    fn pay(&self, payer: &str, amount: &str) -> Operation {
        Ask::Pay(self.paid(payer, amount)).into()
    }

    /// Pays the request of this one, by a payment of its own.
    fn pay_request(&self, payer: &str) -> Operation {
        let payment_id = PaymentId::from_uuid(System.fresh());
        let request = Some(self.request);
        Ask::Pay(PayMerchant { payment_id, request, ..self.paid(payer, "100") }).into()
    }

    fn ask_for_it(&self, single_use: bool, expires_at: Option<Timestamp>) -> Operation {
        let amount = Some(money(PAYERS[0], "100"));
        Operation::from(PaymentRequestOperation::Create(CreatePaymentRequest {
            request_id: self.request,
            merchant: parse("tea"),
            currency: parse("INR"),
            amount,
            order: Some(parse("order-7")),
            store: None,
            terminal: None,
            single_use,
            expires_at,
            description: Some("Tea for two".to_owned()),
        }))
    }

    fn close_request(&self) -> Operation {
        Operation::from(PaymentRequestOperation::Close(self.request))
    }

    fn expire_request(&self) -> Operation {
        Operation::from(PaymentRequestOperation::Expire(self.request))
    }

    fn refund(&self, number: usize, amount: &str, limit: &str) -> Operation {
        let (payment_id, refund_id) = (self.payment, self.refunds[number]);
        let amount = money(PAYERS[0], amount);
        let receivable_limit = money(PAYERS[0], limit).amount();
        let reason = Some(parse("cold_tea"));
        Ask::Refund(RefundPayment { payment_id, refund_id, amount, reason, receivable_limit })
            .into()
    }

    fn retry(&self, number: usize) -> Operation {
        let (payment_id, refund_id) = (self.payment, self.refunds[number]);
        let receivable_limit = money(PAYERS[0], "0").amount();
        Ask::RetryRefund(RetryRefund { payment_id, refund_id, receivable_limit }).into()
    }

    fn cancel(&self, number: usize) -> Operation {
        let (payment_id, refund_id) = (self.payment, self.refunds[number]);
        Ask::CancelRefund { payment_id, refund_id }.into()
    }

    fn dispute(&self, amount: &str) -> Operation {
        let (payment_id, transaction_id) = (self.payment, self.others[0]);
        let amount = money(PAYERS[0], amount);
        Ask::OpenDispute(OpenDispute { payment_id, amount, reason: None, transaction_id }).into()
    }

    fn decide(&self, won_by: DisputeWinner) -> Operation {
        let (payment_id, transaction_id) = (self.payment, self.others[1]);
        Ask::DecideDispute(DecideDispute { payment_id, won_by, reason: None, transaction_id })
            .into()
    }
}

fn settle(payments: Vec<PaymentId>) -> Operation {
    Operation::from(Settle {
        settlement_id: SettlementId::from_uuid(System.fresh()),
        merchant: parse("tea"),
        currency: parse("INR"),
        day: day(21),
        payments,
    })
}

/// An account of somebody of its own.
fn owned(account: &str) -> Operation {
    let owner = parse(&account.replace(':', "-"));
    Operation::OpenAccount(OpenAccount { owner, ..opening(account) })
}

fn beginning() -> Vec<Command> {
    let accounts = PAYERS.into_iter().chain([UNSETTLED, AVAILABLE]).map(owned);
    let till = Operation::OpenAccount(opening("till:main:INR"));
    let funded = PAYERS
        .map(|payer| Operation::Post(vec![ledger::transfer("till:main:INR", payer, "100000")]));
    std::iter::once(till).chain(accounts).chain(funded).map(command).collect()
}

async fn begun(ledger: &Ledger) {
    for command in beginning() {
        accepted(ledger.engine.submit(command).await);
    }
}

/// Asks for whatever a seed comes to, of a few payments.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }

    fn operation(&mut self, ones: &[One], now: Timestamp) -> Operation {
        let one = &ones[self.index(ones.len())];
        let payer = PAYERS[self.index(2)];
        let (number, amount) =
            (self.index(6), format!("{}.{:02}", self.below(90) + 1, number_of(now)));
        let minutes = i64::try_from(self.below(300)).unwrap();
        match self.below(30) {
            0..=6 => one.pay(payer, &format!("{}", self.below(200) + 20)),
            7..=10 => one.refund(number, &amount, "0"),
            11 => one.refund(number, &amount, "25"),
            12 | 13 => one.retry(number),
            14 => one.cancel(number),
            15 | 16 => one.dispute(&amount),
            17 => one.decide(DisputeWinner::Payer),
            18 => one.decide(DisputeWinner::Merchant),
            19..=22 => {
                let count = self.index(3) + 1;
                let some = (0..count).map(|_| ones[self.index(ones.len())].payment);
                settle(some.collect::<BTreeSet<_>>().into_iter().collect())
            }
            23 => one.ask_for_it(self.below(4) > 0, Some(now + TimeDelta::minutes(minutes))),
            24 | 25 => one.pay_request(payer),
            26 => one.close_request(),
            27 => one.expire_request(),
            28 => Operation::Post(vec![ledger::transfer(payer, PAYERS[self.index(1)], "5")]),
            _ => self.freeze(payer),
        }
    }

    fn freeze(&mut self, payer: &str) -> Operation {
        let account = parse(if self.below(2) == 0 { payer } else { AVAILABLE });
        let reference = parse("order");
        if self.below(3) > 0 {
            return Operation::Unfreeze { account, reference };
        }
        let (mode, amount) = (FreezeMode::Both, None);
        Operation::Freeze(FreezeAccount { account, reference, mode, amount })
    }
}

/// Some paise, another number each time.
fn number_of(now: Timestamp) -> i64 {
    now.timestamp().rem_euclid(100)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_writes_of_payments_what_the_reference_writes_to_the_last_hash() {
    let mut both = Both::start().await;
    for command in beginning() {
        both.agree(&command).await;
    }
    let mut random = Random(0x5a1e);
    let ones: Vec<One> = (0..40).map(|_| One::new()).collect();
    for _ in 0..1_500 {
        let command = command(random.operation(&ones, both.clock.now()));
        both.agree(&command).await;
        both.clock.advance(TimeDelta::seconds(20));
    }
    // A refund to a wallet that was closed meanwhile.
    let (closed, last) = ("wallet:c:INR", One::new());
    for operation in [
        owned(closed),
        Operation::Post(vec![ledger::transfer("till:main:INR", closed, "50")]),
        last.pay(closed, "50"),
        Operation::CloseAccount { account: parse(closed) },
        last.refund(0, "1", "0"),
    ] {
        let command = command(operation);
        let own = both.agree(&command).await;
        assert!(matches!(own, Some(Outcome::Accepted(_))), "{own:?}");
    }
    let kinds = both.assert_same_logs(true).await;
    let seen = |of: &str| kinds.iter().filter(|(stream, _)| stream == of).count();
    assert_eq!(seen("payment"), PaymentEvent::NAMES.len(), "kinds of events: {kinds:?}");
    assert_eq!(seen("payment_request"), PaymentRequestEvent::NAMES.len(), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_batches_and_with_little_in_memory_no_payment_is_missed() {
    let ledger = Ledger::forgetful().await;
    begun(&ledger).await;
    let mut random = Random(0xba7c5);
    let ones: Vec<One> = (0..30).map(|_| One::new()).collect();
    let commands: Vec<Command> =
        (0..600).map(|_| command(random.operation(&ones, System.now()))).collect();
    ledger.takes_in_batches(&commands, 6).await;
    verified(&ledger.database).await;
}

/// Fifty want to pay one request, its shop takes it back, and it may have expired, by two processes
/// at once: exactly one end wins, every time, and only the winner has paid.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_one_is_paid_by_one_of_fifty() {
    let ledger = Ledger::start().await;
    let other = Ledger::on(&ledger.database).await;
    begun(&ledger).await;
    let mut paid = 0;
    for round in 0..6 {
        let one = One::new();
        accepted(ledger.submit(one.ask_for_it(true, None)).await);
        let asks = (0..50_usize).map(|number| {
            let ledger = if number % 2 == 0 { ledger.clone() } else { other.clone() };
            let closes = (number + round) % 6 == 0;
            let asked =
                if closes { one.close_request() } else { one.pay_request(PAYERS[number % 2]) };
            async move { (closes, ledger.submit(asked).await.expect("an outcome").outcome) }
        });
        let (mut pays, mut closed) = (0, false);
        for (closes, outcome) in futures::future::join_all(asks).await {
            match outcome {
                Outcome::Accepted(_) if closes => closed = true,
                Outcome::Accepted(_) => pays += 1,
                Outcome::Rejected(rejection) => {
                    let codes = ["payment_request_not_payable", "payment_request_not_closable"];
                    assert!(codes.contains(&rejection.code.as_str()), "{rejection:?}");
                }
            }
        }
        assert_eq!(pays + usize::from(closed), 1, "round {round}: {pays} {closed}");
        let receipt = accepted(other.submit(one.expire_request()).await);
        let Receipt::PaymentRequest { status, .. } = receipt else { panic!("{receipt:?}") };
        assert_eq!(status == PaymentRequestStatus::Paid, pays == 1);
        paid += pays;
    }
    if paid > 0 {
        assert_eq!(ledger.balance(UNSETTLED).await, format!("{}.00", 98 * paid));
    }
    verified(&ledger.database).await;
}

/// Case 20: of fifty refunds of 30.00 at once of a payment of 1000.00 exactly those are accepted
/// that fit, and those that wait count.
#[tokio::test(flavor = "multi_thread")]
async fn case_20_of_fifty_refunds_at_once_exactly_those_that_fit() {
    let ledger = Ledger::start().await;
    let other = Ledger::on(&ledger.database).await;
    begun(&ledger).await;
    let one = One::new();
    accepted(ledger.submit(one.pay(PAYERS[0], "1000")).await);
    let asks = (0..50_usize).map(|number| {
        let ledger = if number % 2 == 0 { ledger.clone() } else { other.clone() };
        let asked = one.refund(number, "30", "0");
        async move { ledger.submit(asked).await.expect("an outcome").outcome }
    });
    let (mut done, mut waits) = (0, 0);
    for outcome in futures::future::join_all(asks).await {
        match outcome {
            Outcome::Accepted(accepted) => {
                let Receipt::Refund { status, .. } = accepted.receipt else {
                    panic!("{:?}", accepted.receipt)
                };
                match status {
                    RefundStatus::Completed => done += 1,
                    RefundStatus::Pending => waits += 1,
                    RefundStatus::Failed | RefundStatus::Cancelled => panic!("{status:?}"),
                }
            }
            Outcome::Rejected(rejection) => assert_eq!(rejection.code, "refund_exceeds_payment"),
        }
    }
    // The shop got 980.00 of it: 32 fit, one more waits, and 10.00 is left.
    assert_eq!((done, waits), (32, 1));
    assert_eq!(ledger.balance(UNSETTLED).await, "20.00");
    assert_eq!(ledger.balance(PAYERS[0]).await, "99960.00");
    verified(&ledger.database).await;
}

/// A payment is settled and a part of it given back at the same moment, and two settle it: whatever
/// comes first, the money is there once.
#[tokio::test(flavor = "multi_thread")]
async fn refunds_and_settlements_race_and_nothing_is_settled_twice() {
    let ledger = Ledger::start().await;
    let other = Ledger::on(&ledger.database).await;
    begun(&ledger).await;
    let mut all = Vec::new();
    for round in 1..=12_u32 {
        let one = One::new();
        accepted(ledger.submit(one.pay(PAYERS[0], "100")).await);
        let (first, second) = (settle(vec![one.payment]), settle(vec![one.payment]));
        let (first, second, refund) = futures::join!(
            ledger.submit(first),
            other.submit(second),
            other.submit(one.refund(0, "40", "0"))
        );
        let settled = [first, second].map(|answer| answer.expect("an outcome").outcome);
        let won = settled.iter().filter(|outcome| matches!(outcome, Outcome::Accepted(_))).count();
        assert_eq!(won, 1, "{settled:?}");
        accepted(refund);
        assert_eq!(ledger.balance(UNSETTLED).await, "0.00");
        assert_eq!(ledger.balance(AVAILABLE).await, format!("{}.00", 58 * round));
        all.push(one.payment);
    }
    // All of them once more, by one that does not know.
    assert_eq!(rejected(ledger.submit(settle(all)).await).code, "payment_settled");
    verified(&ledger.database).await;
}
