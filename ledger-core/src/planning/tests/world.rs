//! A ledger without a log: plans are run on aggregates in memory, whole or not at all, and what
//! must hold of every append is held against each.

use std::collections::BTreeMap;

use cqrs_es::{Aggregate, event_sink::EventSink};
use futures::FutureExt as _;

use super::*;
use crate::{
    account::AccountEvent,
    bank_line::BankLineEvent,
    book::BookEvent,
    deposit::DepositEvent,
    ids::Item,
    payment::PaymentEvent,
    payment_request::PaymentRequestEvent,
    testing::{minute, withdrawal},
    transfer::TransferEvent,
    withdrawal::WithdrawalEvent,
};

/// Aggregates, and the items of their accounts as the legs made them.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    book: Book,
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) withdrawal: Withdrawal,
    /// All withdrawals but the first.
    pub(super) others: BTreeMap<WithdrawalId, Withdrawal>,
    pub(super) lines: BTreeMap<BankLineId, BankLine>,
    pub(super) deposits: BTreeMap<DepositId, Deposit>,
    pub(super) transfers: BTreeMap<TransferId, Transfer>,
    pub(super) payments: BTreeMap<PaymentId, Payment>,
    pub(super) requests: BTreeMap<PaymentRequestId, PaymentRequest>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    /// What time it is, in minutes after the tests' noon.
    pub(super) minute: i64,
    /// Credits less debits, by account and item; those at zero are left out.
    pub(super) items: BTreeMap<(String, String), Decimal>,
    never_opened: Account,
}

impl View for World {
    fn book(&self) -> &Book {
        &self.book
    }

    fn hold(&self, hold_id: HoldId) -> Hold {
        self.holds.get(&hold_id).cloned().unwrap_or_default()
    }

    fn normal_side(&self, account: &AccountId) -> Option<Direction> {
        self.accounts.get(account).map(Account::normal_side)
    }

    fn account(&self, account: &AccountId) -> Option<&Account> {
        Some(self.accounts.get(account).unwrap_or(&self.never_opened))
    }

    fn withdrawal(&self, withdrawal_id: WithdrawalId) -> Withdrawal {
        if withdrawal_id == withdrawal(1) {
            return self.withdrawal.clone();
        }
        self.others.get(&withdrawal_id).cloned().unwrap_or_default()
    }

    fn bank_line(&self, line_id: BankLineId) -> BankLine {
        self.lines.get(&line_id).cloned().unwrap_or_default()
    }

    fn deposit(&self, deposit_id: DepositId) -> Deposit {
        self.deposits.get(&deposit_id).cloned().unwrap_or_default()
    }

    fn transfer(&self, transfer_id: TransferId) -> Transfer {
        self.transfers.get(&transfer_id).cloned().unwrap_or_default()
    }

    fn payment(&self, payment_id: PaymentId) -> Payment {
        self.payments.get(&payment_id).cloned().unwrap_or_default()
    }

    fn payment_request(&self, request_id: PaymentRequestId) -> PaymentRequest {
        self.requests.get(&request_id).cloned().unwrap_or_default()
    }
}

impl World {
    /// With `wallet:a:INR`, on which there is so much.
    pub(super) fn with(balance: &str) -> Self {
        let mut world = Self { book: Known::new().book, ..Self::default() };
        let till = OpenAccount {
            account: account("till:main:INR"),
            account_type: AccountType::Asset,
            floor: None,
            ..opening()
        };
        let other = OpenAccount { account: account("wallet:b:INR"), ..opening() };
        for open in [till, opening(), other] {
            world.submit(Operation::OpenAccount(open)).unwrap();
        }
        world.move_money("till:main:INR", "wallet:a:INR", balance).unwrap();
        world
    }

    /// Debits one account and credits the other.
    pub(super) fn move_money(&mut self, from: &str, to: &str, amount: &str) -> Done {
        let mut posting = transfer(0, inr(amount));
        posting.legs[0].account = account(from);
        posting.legs[1].account = account(to);
        self.submit(Operation::Post(vec![posting]))
    }

    /// An account's balance on its normal side.
    pub(super) fn balance(&self, code: &str) -> Decimal {
        self.accounts.get(&account(code)).map_or(Decimal::ZERO, Account::balance)
    }

    /// What is open on an item: credits less debits.
    pub(super) fn item(&self, code: &str, item: &str) -> Decimal {
        let key = (code.to_owned(), item.to_owned());
        self.items.get(&key).copied().unwrap_or_default()
    }

    /// The names of the business object's events and how many legs there were; or why nothing
    /// happened.
    pub(super) fn submit(&mut self, operation: Operation) -> Done {
        let announced = self.announced(&operation);
        let plan = plan(&asked(operation), self, minute(self.minute))?;
        let mut after = self.clone();
        let mut done = Happened::default();
        let mut sums = BTreeMap::<TransactionId, Decimal>::new();
        for step in plan.steps {
            match step {
                Step::Account(id, command) => {
                    assert!(announced.contains(&StreamId::Account(id.clone())), "{id}");
                    let account = after.accounts.entry(id.clone()).or_default();
                    let events = ask(account, command);
                    for event in events.map_err(|error| Rejection::from(error).of(&id))? {
                        done.legs = done.legs.saturating_add(usize::from(event.leg().is_some()));
                        after.leg(&id, &event, &mut sums);
                    }
                }
                Step::Withdrawal(id, command) => {
                    assert!(announced.contains(&StreamId::Withdrawal(id)), "{id}");
                    let events = ask(after.asked(id), *command).map_err(Rejection::from)?;
                    done.events.extend(events.iter().map(WithdrawalEvent::name));
                }
                Step::BankLine(id, operation) => {
                    assert!(announced.contains(&StreamId::BankLine(id)), "{id}");
                    let line = after.lines.entry(id).or_default();
                    let events = ask(line, *operation).map_err(Rejection::from)?;
                    done.events.extend(events.iter().map(BankLineEvent::name));
                }
                Step::Deposit(id, command) => {
                    assert!(announced.contains(&StreamId::Deposit(id)), "{id}");
                    let deposit = after.deposits.entry(id).or_default();
                    let events = ask(deposit, *command).map_err(Rejection::from)?;
                    done.events.extend(events.iter().map(DepositEvent::name));
                }
                Step::Transfer(id, command) => {
                    assert!(announced.contains(&StreamId::Transfer(id)), "{id}");
                    let transfer = after.transfers.entry(id).or_default();
                    let events = ask(transfer, *command).map_err(Rejection::from)?;
                    done.events.extend(events.iter().map(TransferEvent::name));
                }
                Step::Payment(id, command) => {
                    assert!(announced.contains(&StreamId::Payment(id)), "{id}");
                    let payment = after.payments.entry(id).or_default();
                    let events = ask(payment, *command).map_err(Rejection::from)?;
                    done.events.extend(events.iter().map(PaymentEvent::name));
                }
                Step::PaymentRequest(id, command) => {
                    assert!(announced.contains(&StreamId::PaymentRequest(id)), "{id}");
                    let request = after.requests.entry(id).or_default();
                    let events = ask(request, *command).map_err(Rejection::from)?;
                    done.events.extend(events.iter().map(PaymentRequestEvent::name));
                }
                Step::Hold(id, command) => {
                    assert!(announced.contains(&StreamId::Hold(id)), "{id}");
                    let hold = after.holds.entry(id).or_default();
                    ask(hold, command).map_err(Rejection::from)?;
                }
                Step::Book(command) => {
                    assert!(announced.contains(&StreamId::Book));
                    let events = ask(&mut after.book, command).map_err(Rejection::from)?;
                    done.events.extend(events.iter().map(BookEvent::name));
                }
                Step::Reversal(..) => panic!("not in this world"),
            }
        }
        assert!(sums.values().all(Decimal::is_zero), "off balance: {sums:?}");
        *self = after;
        Ok(done)
    }

    /// The withdrawal that the world is about, or another.
    fn asked(&mut self, id: WithdrawalId) -> &mut Withdrawal {
        if id == withdrawal(1) { &mut self.withdrawal } else { self.others.entry(id).or_default() }
    }

    fn announced(&self, operation: &Operation) -> Vec<StreamId> {
        let mut announced = streams(operation);
        if let Some(operation) = withdrawal_operation(operation) {
            let known = self.withdrawal(operation.withdrawal_id());
            let accounts = accounts_of_withdrawal(operation, &known);
            announced.extend(accounts.into_iter().map(StreamId::Account));
        }
        if let Some(operation) = deposit_operation(operation) {
            let deposit = self.deposit(operation.deposit_id());
            let accounts = accounts_of_deposit(operation, &deposit);
            announced.extend(accounts.into_iter().map(StreamId::Account));
        }
        if let Some(operation) = transfer_operation(operation) {
            let accounts = accounts_of_transfer(operation, &self.transfer(operation.transfer_id()));
            announced.extend(accounts.into_iter().map(StreamId::Account));
        }
        if let Some(operation) = payment_operation(operation) {
            let accounts = accounts_of_payment(operation, &self.payment(operation.payment_id()));
            announced.extend(accounts.into_iter().map(StreamId::Account));
        }
        announced
    }

    fn leg(
        &mut self,
        id: &AccountId,
        event: &AccountEvent,
        sums: &mut BTreeMap<TransactionId, Decimal>,
    ) {
        let Some((direction, leg)) = event.leg() else { return };
        let signed = match direction {
            Direction::Debit => Decimal::ZERO.saturating_sub(leg.amount),
            Direction::Credit => leg.amount,
        };
        let sum = sums.entry(leg.transaction_id).or_default();
        *sum = sum.saturating_add(signed);
        if let Some(item) = &leg.item {
            let key = (id.as_str().to_owned(), Item::as_str(item).to_owned());
            let open = self.items.entry(key.clone()).or_default();
            *open = open.saturating_add(signed);
            if open.is_zero() {
                self.items.remove(&key);
            }
        }
    }
}

/// What happened, or why nothing did.
pub(super) type Done = Result<Happened, Rejection>;

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Happened {
    pub(super) events: Vec<&'static str>,
    pub(super) legs: usize,
}

fn ask<A: Aggregate<Services = ()>>(
    aggregate: &mut A,
    command: A::Command,
) -> Result<Vec<A::Event>, A::Error> {
    let sink = EventSink::default();
    aggregate.handle(command, &(), &sink).now_or_never().expect("nothing to wait for")?;
    Ok(sink.collect().now_or_never().expect("nothing to wait for"))
}

/// A command of somebody who may do everything.
fn asked(operation: Operation) -> Command {
    Command {
        principal: "asha".parse().unwrap(),
        idempotency: None,
        request: RequestId::from_uuid(uuid::Uuid::from_u128(1)),
        authority: Authority::all(),
        approval: None,
        operation,
    }
}
