//! The unit of work of one command: clones of the aggregates it touches, and the events they gave.
//! All steps accept, and the clones become the truth; or one refuses, and everything is dropped.

use std::{borrow::Cow, sync::Arc};

use rust_decimal::Decimal;

use super::{
    cache::Cache,
    subject::{AnyEvent, Subject, address},
};
use crate::{
    account::Account,
    bank_line::BankLine,
    book::Book,
    chart::Direction,
    clock::Timestamp,
    command::{Command, Receipt, Rejection},
    deposit::Deposit,
    hold::{Hold, HoldState},
    ids::{
        AccountId, BankLineId, DepositId, HoldId, PaymentId, PaymentRequestId, TransactionId,
        TransferId, WithdrawalId,
    },
    log::Metadata,
    payment::Payment,
    payment_request::PaymentRequest,
    planning::{self, ReceiptPlan, Step, StreamId, View},
    transfer::Transfer,
    withdrawal::Withdrawal,
};

/// An event that was decided, in the form the log takes.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub(crate) aggregate_type: &'static str,
    pub(crate) aggregate_id: Arc<str>,
    pub(crate) sequence: u64,
    pub(crate) event_type: &'static str,
    pub(crate) payload: Vec<u8>,
    pub(crate) metadata: Cow<'static, [u8]>,
}

/// A command that all its aggregates accepted.
pub(crate) struct Decision {
    pub(crate) touched: Vec<(StreamId, Subject)>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) receipt: Receipt,
    pub(crate) notes: Vec<(TransactionId, String)>,
}

/// Aggregates as they are before the command: what is cached, which is all that it touches.
struct Before<'a>(&'a Cache);

impl View for Before<'_> {
    fn book(&self) -> &Book {
        self.0.book()
    }

    fn hold(&self, hold_id: HoldId) -> Hold {
        let cached = self.0.peek(&StreamId::Hold(hold_id));
        cached.and_then(Subject::as_hold).cloned().unwrap_or_default()
    }

    fn normal_side(&self, account: &AccountId) -> Option<Direction> {
        let account = self.0.peek(&StreamId::Account(account.clone()))?.as_account()?;
        account.properties().map(|opened| opened.account_type.normal_side())
    }

    fn account(&self, account: &AccountId) -> Option<&Account> {
        self.0.peek(&StreamId::Account(account.clone()))?.as_account()
    }

    fn withdrawal(&self, withdrawal_id: WithdrawalId) -> Withdrawal {
        let cached = self.0.peek(&StreamId::Withdrawal(withdrawal_id));
        cached.and_then(Subject::as_withdrawal).cloned().unwrap_or_default()
    }

    fn bank_line(&self, line_id: BankLineId) -> BankLine {
        let cached = self.0.peek(&StreamId::BankLine(line_id));
        cached.and_then(Subject::as_bank_line).cloned().unwrap_or_default()
    }

    fn deposit(&self, deposit_id: DepositId) -> Deposit {
        let cached = self.0.peek(&StreamId::Deposit(deposit_id));
        cached.and_then(Subject::as_deposit).cloned().unwrap_or_default()
    }

    fn transfer(&self, transfer_id: TransferId) -> Transfer {
        let cached = self.0.peek(&StreamId::Transfer(transfer_id));
        cached.and_then(Subject::as_transfer).cloned().unwrap_or_default()
    }

    fn payment(&self, payment_id: PaymentId) -> Payment {
        let cached = self.0.peek(&StreamId::Payment(payment_id));
        cached.and_then(Subject::as_payment).cloned().unwrap_or_default()
    }

    fn payment_request(&self, request_id: PaymentRequestId) -> PaymentRequest {
        let cached = self.0.peek(&StreamId::PaymentRequest(request_id));
        cached.and_then(Subject::as_payment_request).cloned().unwrap_or_default()
    }
}

/// Decides a command whose aggregates are all cached. Changes nothing.
pub(crate) fn decide(
    command: &Command,
    cache: &Cache,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    let mut plan = planning::plan(command, &Before(cache), now)?;
    let mut unit = Unit { cache, touched: Vec::new(), events: Vec::new(), sums: Vec::new() };
    let metadata = Metadatas::new(command, cache.book())?;
    for step in std::mem::take(&mut plan.steps) {
        let transaction = plan.transaction_of(&step);
        let located = |r: Rejection| match transaction {
            Some(index) => r.in_transaction(index),
            None => r,
        };
        unit.take(step, &metadata).map_err(located)?;
    }
    unit.assert_balanced();
    let receipt = unit.receipt(plan.receipt)?;
    Ok(Decision { touched: unit.touched, events: unit.events, receipt, notes: plan.notes })
}

struct Unit<'a> {
    cache: &'a Cache,
    touched: Vec<(StreamId, Subject)>,
    events: Vec<NewEvent>,
    /// Debits less credits, per transaction and currency.
    sums: Vec<(TransactionId, String, Decimal)>,
}

impl Unit<'_> {
    fn take(&mut self, step: Step, metadata: &Metadatas) -> Result<(), Rejection> {
        let stream = match &step {
            Step::Book(_) => StreamId::Book,
            Step::Account(account, _) => StreamId::Account(account.clone()),
            Step::Hold(hold_id, _) => StreamId::Hold(*hold_id),
            Step::Reversal(id, _) => StreamId::Reversal(*id),
            Step::Withdrawal(id, _) => StreamId::Withdrawal(*id),
            Step::BankLine(id, _) => StreamId::BankLine(*id),
            Step::Deposit(id, _) => StreamId::Deposit(*id),
            Step::Transfer(id, _) => StreamId::Transfer(*id),
            Step::Payment(id, _) => StreamId::Payment(*id),
            Step::PaymentRequest(id, _) => StreamId::PaymentRequest(*id),
        };
        let (aggregate_type, aggregate_id) = address(&stream);
        let subject = self.subject(stream);
        let mut sequence = subject.sequence();
        let events = subject.ask(step)?;
        for event in events {
            sequence = sequence.saturating_add(1);
            self.sum(&event, &aggregate_id);
            let payload = event.encode().map_err(|_| internal())?;
            self.events.push(NewEvent {
                aggregate_type,
                aggregate_id: Arc::clone(&aggregate_id),
                sequence,
                event_type: event.name(),
                payload,
                metadata: metadata.of(&event),
            });
        }
        Ok(())
    }

    fn sum(&mut self, event: &AnyEvent, account: &str) {
        let Some((direction, leg)) = event.leg() else { return };
        let signed = match direction {
            Direction::Debit => leg.amount,
            Direction::Credit => Decimal::ZERO.saturating_sub(leg.amount),
        };
        let currency = account.rsplit(':').next().unwrap_or_default();
        let known = self
            .sums
            .iter_mut()
            .find(|(id, code, _)| *id == leg.transaction_id && code.as_str() == currency);
        match known {
            Some((_, _, sum)) => *sum = sum.saturating_add(signed),
            None => self.sums.push((leg.transaction_id, currency.to_owned(), signed)),
        }
    }

    /// The law of double entry, held once more on what is about to be written. A breach is a bug of
    /// this program: nothing may be written after it.
    fn assert_balanced(&self) {
        for (transaction, currency, sum) in &self.sums {
            assert!(sum.is_zero(), "{transaction} is off balance by {sum} {currency}");
        }
    }

    /// The command's own clone of an aggregate, made at first touch.
    fn subject(&mut self, stream: StreamId) -> &mut Subject {
        let known = self.touched.iter().position(|(touched, _)| *touched == stream);
        let index = known.unwrap_or_else(|| {
            let cached = self.cache.peek(&stream).cloned();
            let subject = cached.unwrap_or_else(|| Subject::empty(&stream));
            self.touched.push((stream, subject));
            self.touched.len().saturating_sub(1)
        });
        &mut self.touched[index].1
    }

    fn after(&self, stream: &StreamId) -> Option<&Subject> {
        self.touched.iter().find(|(touched, _)| touched == stream).map(|(_, subject)| subject)
    }

    fn receipt(&self, plan: ReceiptPlan) -> Result<Receipt, Rejection> {
        let receipt = match plan {
            ReceiptPlan::Account(account) => self
                .after(&StreamId::Account(account))
                .map(|subject| Receipt::Account { sequence: subject.sequence() }),
            ReceiptPlan::Posted { transactions, effective_on } => {
                Some(Receipt::Posted { transactions, effective_on })
            }
            ReceiptPlan::Hold(hold_id) => self
                .after(&StreamId::Hold(hold_id))
                .and_then(Subject::as_hold)
                .and_then(|hold| hold_receipt(hold_id, hold)),
            ReceiptPlan::Captured {
                hold_id,
                account,
                transaction_id,
                amount,
                released,
                effective_on,
            } => Some(Receipt::Captured {
                hold_id,
                account,
                transaction_id,
                amount,
                released,
                effective_on,
            }),
            ReceiptPlan::Book => self
                .after(&StreamId::Book)
                .map(|subject| Receipt::Book { sequence: subject.sequence() }),
            ReceiptPlan::Withdrawal(id) => self
                .after(&StreamId::Withdrawal(id))
                .and_then(Subject::as_withdrawal)
                .and_then(|withdrawal| withdrawal.receipt(id)),
            ReceiptPlan::BankLine(id) => self
                .after(&StreamId::BankLine(id))
                .and_then(Subject::as_bank_line)
                .and_then(|line| line.receipt(id)),
            ReceiptPlan::Deposit(id) => self
                .after(&StreamId::Deposit(id))
                .and_then(Subject::as_deposit)
                .and_then(|deposit| deposit.receipt(id)),
            ReceiptPlan::Transfer(id) => self
                .after(&StreamId::Transfer(id))
                .and_then(Subject::as_transfer)
                .and_then(|transfer| transfer.receipt(id)),
            ReceiptPlan::Payment(id) => self
                .after(&StreamId::Payment(id))
                .and_then(Subject::as_payment)
                .and_then(|payment| payment.receipt(id)),
            ReceiptPlan::Refund(id, refund_id) => self
                .after(&StreamId::Payment(id))
                .and_then(Subject::as_payment)
                .and_then(|payment| payment.refund_receipt(id, refund_id)),
            ReceiptPlan::Ready(receipt) => Some(*receipt),
            ReceiptPlan::PaymentRequest(id) => self
                .after(&StreamId::PaymentRequest(id))
                .and_then(Subject::as_payment_request)
                .and_then(|request| request.receipt(id)),
        };
        receipt.ok_or_else(internal)
    }
}

fn hold_receipt(hold_id: HoldId, hold: &Hold) -> Option<Receipt> {
    let open = hold.state() == Some(HoldState::Open);
    let mut nothing = rust_decimal::Decimal::ZERO;
    nothing.rescale(hold.amount().scale());
    Some(Receipt::Hold {
        hold_id,
        account: hold.account()?.clone(),
        amount: if open { hold.amount() } else { nothing },
    })
}

fn internal() -> Rejection {
    Rejection::new("internal", "the ledger met a state that it should not be able to be in")
}

/// Who and what: the same for all events of a command, and left out on further legs.
struct Metadatas {
    full: Vec<u8>,
}

impl Metadatas {
    fn new(command: &Command, book: &Book) -> Result<Self, Rejection> {
        let approval = command.approval.as_ref();
        let metadata = Metadata {
            actor: Some(command.principal.as_str().to_owned()),
            approver: approval.map(|approval| approval.approver.as_str().to_owned()),
            request: Some(command.request.to_string()),
            book: Some(book.sequence().to_string()),
            reason: approval.map(|approval| approval.reason.clone()),
            evidence_sha256: approval.map(|approval| approval.evidence_sha256.clone()),
        };
        let full = serde_json::to_vec(&metadata).map_err(|_| internal())?;
        Ok(Self { full })
    }

    fn of(&self, event: &AnyEvent) -> Cow<'static, [u8]> {
        let further = event.leg().is_some_and(|(_, leg)| leg.leg > 1);
        if further { Cow::Borrowed(b"{}") } else { Cow::Owned(self.full.clone()) }
    }
}
