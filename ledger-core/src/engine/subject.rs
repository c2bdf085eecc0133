//! The aggregates that the engine keeps in memory, as one type.

use std::{fmt::Debug, sync::Arc};

use cqrs_es::{Aggregate, event_sink::EventSink};
use futures::FutureExt;
use serde::Serialize;

use crate::{
    account::{Account, AccountEvent, Leg},
    bank_line::{BankLine, BankLineEvent},
    book::{BOOK_ID, Book, BookEvent},
    chart::Direction,
    command::Rejection,
    deposit::{Deposit, DepositEvent},
    hold::{Hold, HoldEvent},
    log::{self, CodecError},
    payment::{Payment, PaymentEvent},
    payment_request::{PaymentRequest, PaymentRequestEvent},
    planning::{Step, StreamId},
    reversal::{Reversal, ReversalEvent},
    transfer::{Transfer, TransferEvent},
    withdrawal::{Withdrawal, WithdrawalEvent},
};

/// The version of the folds below, written into snapshots. Another one does not read them.
pub(crate) const FOLD_VERSION: i32 = 2;

/// An event of any kind of stream, decided and not yet appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnyEvent {
    Book(BookEvent),
    Account(AccountEvent),
    Hold(HoldEvent),
    Reversal(ReversalEvent),
    Withdrawal(WithdrawalEvent),
    BankLine(BankLineEvent),
    Deposit(DepositEvent),
    Transfer(TransferEvent),
    Payment(PaymentEvent),
    PaymentRequest(PaymentRequestEvent),
}

impl AnyEvent {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Book(event) => event.name(),
            Self::Account(event) => event.name(),
            Self::Hold(event) => event.name(),
            Self::Reversal(event) => event.name(),
            Self::Withdrawal(event) => event.name(),
            Self::BankLine(event) => event.name(),
            Self::Deposit(event) => event.name(),
            Self::Transfer(event) => event.name(),
            Self::Payment(event) => event.name(),
            Self::PaymentRequest(event) => event.name(),
        }
    }

    /// The leg that it is, if it is one, with its side.
    pub(crate) const fn leg(&self) -> Option<(Direction, &Leg)> {
        if let Self::Account(event) = self { event.leg() } else { None }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Book(event) => log::encode(event),
            Self::Account(event) => log::encode(event),
            Self::Hold(event) => log::encode(event),
            Self::Reversal(event) => log::encode(event),
            Self::Withdrawal(event) => log::encode(event),
            Self::BankLine(event) => log::encode(event),
            Self::Deposit(event) => log::encode(event),
            Self::Transfer(event) => log::encode(event),
            Self::Payment(event) => log::encode(event),
            Self::PaymentRequest(event) => log::encode(event),
        }
    }
}

/// Where a stream stands in the log: its kind and its id.
pub(crate) fn address(stream: &StreamId) -> (&'static str, Arc<str>) {
    match stream {
        StreamId::Book => (Book::TYPE, Arc::from(BOOK_ID)),
        StreamId::Account(account) => (Account::TYPE, account.shared()),
        StreamId::Hold(hold) => (Hold::TYPE, Arc::from(hold.to_string())),
        StreamId::Reversal(id) => (Reversal::TYPE, Arc::from(id.to_string())),
        StreamId::Withdrawal(id) => (Withdrawal::TYPE, Arc::from(id.to_string())),
        StreamId::BankLine(id) => (BankLine::TYPE, Arc::from(id.to_string())),
        StreamId::Deposit(id) => (Deposit::TYPE, Arc::from(id.to_string())),
        StreamId::Transfer(id) => (Transfer::TYPE, Arc::from(id.to_string())),
        StreamId::Payment(id) => (Payment::TYPE, Arc::from(id.to_string())),
        StreamId::PaymentRequest(id) => (PaymentRequest::TYPE, Arc::from(id.to_string())),
    }
}

/// The stream at a place in the log; nothing for a kind that this program does not know.
pub(crate) fn stream_at(aggregate_type: &str, aggregate_id: &str) -> Option<StreamId> {
    match aggregate_type {
        Book::TYPE => Some(StreamId::Book),
        Account::TYPE => aggregate_id.parse().ok().map(StreamId::Account),
        Hold::TYPE => aggregate_id.parse().ok().map(StreamId::Hold),
        Reversal::TYPE => aggregate_id.parse().ok().map(StreamId::Reversal),
        Withdrawal::TYPE => aggregate_id.parse().ok().map(StreamId::Withdrawal),
        BankLine::TYPE => aggregate_id.parse().ok().map(StreamId::BankLine),
        Deposit::TYPE => aggregate_id.parse().ok().map(StreamId::Deposit),
        Transfer::TYPE => aggregate_id.parse().ok().map(StreamId::Transfer),
        Payment::TYPE => aggregate_id.parse().ok().map(StreamId::Payment),
        PaymentRequest::TYPE => aggregate_id.parse().ok().map(StreamId::PaymentRequest),
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Book(Book),
    Account(Account),
    Hold(Hold),
    Reversal(Reversal),
    Withdrawal(Withdrawal),
    BankLine(BankLine),
    Deposit(Deposit),
    Transfer(Transfer),
    Payment(Payment),
    PaymentRequest(PaymentRequest),
}

/// An aggregate in memory, with how many events it has. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    state: State,
    sequence: u64,
}

impl Subject {
    /// The aggregate of a stream without events.
    pub(crate) fn empty(stream: &StreamId) -> Self {
        let state = match stream {
            StreamId::Book => State::Book(Book::default()),
            StreamId::Account(_) => State::Account(Account::default()),
            StreamId::Hold(_) => State::Hold(Hold::default()),
            StreamId::Reversal(_) => State::Reversal(Reversal::default()),
            StreamId::Withdrawal(_) => State::Withdrawal(Withdrawal::default()),
            StreamId::BankLine(_) => State::BankLine(BankLine::default()),
            StreamId::Deposit(_) => State::Deposit(Deposit::default()),
            StreamId::Transfer(_) => State::Transfer(Transfer::default()),
            StreamId::Payment(_) => State::Payment(Payment::default()),
            StreamId::PaymentRequest(_) => State::PaymentRequest(PaymentRequest::default()),
        };
        Self { state, sequence: 0 }
    }

    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) const fn as_account(&self) -> Option<&Account> {
        if let State::Account(account) = &self.state { Some(account) } else { None }
    }

    pub(crate) const fn as_hold(&self) -> Option<&Hold> {
        if let State::Hold(hold) = &self.state { Some(hold) } else { None }
    }

    pub(crate) const fn as_withdrawal(&self) -> Option<&Withdrawal> {
        if let State::Withdrawal(withdrawal) = &self.state { Some(withdrawal) } else { None }
    }

    pub(crate) const fn as_bank_line(&self) -> Option<&BankLine> {
        if let State::BankLine(line) = &self.state { Some(line) } else { None }
    }

    pub(crate) const fn as_deposit(&self) -> Option<&Deposit> {
        if let State::Deposit(deposit) = &self.state { Some(deposit) } else { None }
    }

    pub(crate) const fn as_transfer(&self) -> Option<&Transfer> {
        if let State::Transfer(transfer) = &self.state { Some(transfer) } else { None }
    }

    pub(crate) const fn as_payment(&self) -> Option<&Payment> {
        if let State::Payment(payment) = &self.state { Some(payment) } else { None }
    }

    pub(crate) const fn as_payment_request(&self) -> Option<&PaymentRequest> {
        if let State::PaymentRequest(request) = &self.state { Some(request) } else { None }
    }

    pub(crate) const fn as_book(&self) -> Option<&Book> {
        if let State::Book(book) = &self.state { Some(book) } else { None }
    }

    /// Asks the aggregate; on acceptance it has changed and the events are returned. On refusal
    /// it must be thrown away: cqrs-es lets `handle` change the aggregate before it refuses.
    pub(crate) fn ask(&mut self, step: Step) -> Result<Vec<AnyEvent>, Rejection> {
        let events = match (&mut self.state, step) {
            (State::Book(book), Step::Book(command)) => handle(book, command, AnyEvent::Book)
                .map_err(|error| Rejection::new(error.code(), &error.to_string()))?,
            (State::Account(account), Step::Account(id, command)) => {
                handle(account, command, AnyEvent::Account)
                    .map_err(|error| Rejection::from(error).of(&id))?
            }
            (State::Hold(hold), Step::Hold(_, command)) => {
                handle(hold, command, AnyEvent::Hold).map_err(Rejection::from)?
            }
            (State::Reversal(reversal), Step::Reversal(_, command)) => {
                handle(reversal, command, AnyEvent::Reversal)
                    .map_err(|error| Rejection::new(error.code(), &error.to_string()))?
            }
            (State::Withdrawal(withdrawal), Step::Withdrawal(_, command)) => {
                handle(withdrawal, *command, AnyEvent::Withdrawal).map_err(Rejection::from)?
            }
            (State::BankLine(line), Step::BankLine(_, operation)) => {
                handle(line, *operation, AnyEvent::BankLine).map_err(Rejection::from)?
            }

            (State::Deposit(deposit), Step::Deposit(_, command)) => {
                handle(deposit, *command, AnyEvent::Deposit).map_err(Rejection::from)?
            }
            (State::Transfer(transfer), Step::Transfer(_, command)) => {
                handle(transfer, *command, AnyEvent::Transfer).map_err(Rejection::from)?
            }
            (State::Payment(payment), Step::Payment(_, command)) => {
                handle(payment, *command, AnyEvent::Payment).map_err(Rejection::from)?
            }
            (State::PaymentRequest(request), Step::PaymentRequest(_, command)) => {
                handle(request, *command, AnyEvent::PaymentRequest).map_err(Rejection::from)?
            }
            _ => {
                return Err(Rejection::new("internal", "a step met a stream of another kind"));
            }
        };
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        self.sequence = self.sequence.saturating_add(count);
        Ok(events)
    }

    /// Applies a stored event. The caller has checked that it is the next one.
    pub(crate) fn apply(
        &mut self,
        event_type: &str,
        version: &str,
        payload: &[u8],
    ) -> Result<(), CodecError> {
        match &mut self.state {
            State::Book(book) => book.apply(log::decode(event_type, version, payload)?),
            State::Account(account) => account.apply(log::decode(event_type, version, payload)?),
            State::Hold(hold) => hold.apply(log::decode(event_type, version, payload)?),
            State::Reversal(reversal) => {
                reversal.apply(log::decode(event_type, version, payload)?);
            }
            State::Withdrawal(withdrawal) => {
                withdrawal.apply(log::decode(event_type, version, payload)?);
            }
            State::BankLine(line) => line.apply(log::decode(event_type, version, payload)?),
            State::Deposit(deposit) => deposit.apply(log::decode(event_type, version, payload)?),
            State::Transfer(transfer) => {
                transfer.apply(log::decode(event_type, version, payload)?);
            }
            State::Payment(payment) => payment.apply(log::decode(event_type, version, payload)?),
            State::PaymentRequest(request) => {
                request.apply(log::decode(event_type, version, payload)?);
            }
        }
        self.sequence = self.sequence.saturating_add(1);
        Ok(())
    }

    /// Whether this fold can be the one that ends with a stored event: what the event says of the
    /// account's balance and holds is what they are here.
    pub(crate) fn agrees(&self, event_type: &str, version: &str, payload: &[u8]) -> bool {
        match &self.state {
            State::Book(book) => book.sequence() == self.sequence,
            State::Account(account) => {
                let said = match log::decode(event_type, version, payload) {
                    Ok(AccountEvent::Debited(leg) | AccountEvent::Credited(leg)) => {
                        Some((leg.balance_after, leg.held_after))
                    }
                    Ok(
                        AccountEvent::HoldPlaced(change)
                        | AccountEvent::HoldIncreased(change)
                        | AccountEvent::HoldCaptured(change)
                        | AccountEvent::HoldReleased(change)
                        | AccountEvent::HoldExpired(change),
                    ) => Some((change.balance_after, change.held_after)),
                    Ok(
                        AccountEvent::Opened(_)
                        | AccountEvent::LimitsChanged(_)
                        | AccountEvent::TierSet(_)
                        | AccountEvent::Frozen(_)
                        | AccountEvent::Unfrozen(_)
                        | AccountEvent::Closed {},
                    ) => None,
                    Err(_) => return false,
                };
                account.sequence() == self.sequence
                    && said.is_none_or(|said| said == (account.balance(), account.held()))
            }
            State::Hold(_)
            | State::Reversal(_)
            | State::Withdrawal(_)
            | State::BankLine(_)
            | State::Deposit(_)
            | State::Transfer(_)
            | State::Payment(_)
            | State::PaymentRequest(_) => true,
        }
    }

    /// The aggregate as bytes, for a snapshot.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, serde_json::Error> {
        match &self.state {
            State::Book(book) => serde_json::to_vec(book),
            State::Account(account) => serde_json::to_vec(account),
            State::Hold(hold) => serde_json::to_vec(hold),
            State::Reversal(reversal) => serde_json::to_vec(reversal),
            State::Withdrawal(withdrawal) => serde_json::to_vec(withdrawal),
            State::BankLine(line) => serde_json::to_vec(line),
            State::Deposit(deposit) => serde_json::to_vec(deposit),
            State::Transfer(transfer) => serde_json::to_vec(transfer),
            State::Payment(payment) => serde_json::to_vec(payment),
            State::PaymentRequest(request) => serde_json::to_vec(request),
        }
    }

    /// The aggregate of a snapshot.
    pub(crate) fn restore(
        stream: &StreamId,
        sequence: u64,
        payload: &[u8],
    ) -> Result<Self, serde_json::Error> {
        let state = match stream {
            StreamId::Book => State::Book(serde_json::from_slice(payload)?),
            StreamId::Account(_) => State::Account(serde_json::from_slice(payload)?),
            StreamId::Hold(_) => State::Hold(serde_json::from_slice(payload)?),
            StreamId::Reversal(_) => State::Reversal(serde_json::from_slice(payload)?),
            StreamId::Withdrawal(_) => State::Withdrawal(serde_json::from_slice(payload)?),
            StreamId::BankLine(_) => State::BankLine(serde_json::from_slice(payload)?),
            StreamId::Deposit(_) => State::Deposit(serde_json::from_slice(payload)?),
            StreamId::Transfer(_) => State::Transfer(serde_json::from_slice(payload)?),
            StreamId::Payment(_) => State::Payment(serde_json::from_slice(payload)?),
            StreamId::PaymentRequest(_) => State::PaymentRequest(serde_json::from_slice(payload)?),
        };
        Ok(Self { state, sequence })
    }
}

/// Runs one `handle` to its end. Ours never wait for anything, so one poll is the end; tokio's
/// budget of polls, which would make the sink's uncontended lock yield, is switched off for it.
fn handle<A>(
    aggregate: &mut A,
    command: A::Command,
    wrap: fn(A::Event) -> AnyEvent,
) -> Result<Vec<AnyEvent>, A::Error>
where
    A: Aggregate<Services = ()> + Debug + Serialize,
{
    let sink = EventSink::default();
    let run = async {
        aggregate.handle(command, &(), &sink).await?;
        Ok(sink.collect().await)
    };
    let done = tokio::task::unconstrained(run).now_or_never();
    let events: Vec<A::Event> = done.expect("a handle that waits is a bug")?;
    Ok(events.into_iter().map(wrap).collect())
}
