//! The reference executor: the steps of a plan, each through the plain `CqrsFramework` on events
//! that postgres-es reads, and written at once or not at all. Slow, and free of every thought of
//! the engine's: no cache, no batch, no clone, no event store of our own.

mod overlay;

use std::collections::{BTreeMap, HashMap};

use cqrs_es::{
    Aggregate, AggregateError, CqrsFramework, EventStore,
    persist::{EventStoreAggregateContext, PersistedEventStore},
};
use ledger_core::{
    account::{Account, AccountError},
    bank_line::{BankLine, BankLineError},
    book::{BOOK_ID, Book, BookError},
    chart::Direction,
    clock::Timestamp,
    command::{Accepted, Command, Outcome, Receipt, Rejection},
    deposit::{Deposit, DepositError},
    hold::{Hold, HoldError, HoldState},
    ids::{
        AccountId, BankLineId, DepositId, HoldId, PaymentId, PaymentRequestId, TransferId,
        WithdrawalId,
    },
    log::{
        Head, Metadata,
        hash::{self, HashedFields},
        read,
    },
    payment::{Payment, PaymentError},
    payment_request::{PaymentRequest, PaymentRequestError},
    planning::{self, Plan, ReceiptPlan, Step, StreamId, View},
    reversal::{Reversal, ReversalError},
    transfer::{Transfer, TransferError},
    withdrawal::{Withdrawal, WithdrawalError},
};
use rust_decimal::Decimal;
use sqlx::PgPool;

use overlay::{Buffered, Overlay};

type Store<A> = PersistedEventStore<Overlay, A>;

/// The executor, on a database of its own.
pub(crate) struct Reference {
    pool: PgPool,
    overlay: Overlay,
    /// Every key that was used, with its request and its outcome.
    keys: BTreeMap<(String, String), ([u8; 32], Outcome)>,
}

/// Aggregates before a command.
struct Before {
    book: Book,
    holds: BTreeMap<HoldId, Hold>,
    accounts: BTreeMap<AccountId, Account>,
    withdrawals: BTreeMap<WithdrawalId, Withdrawal>,
    lines: BTreeMap<BankLineId, BankLine>,
    deposits: BTreeMap<DepositId, Deposit>,
    transfers: BTreeMap<TransferId, Transfer>,
    payments: BTreeMap<PaymentId, Payment>,
    requests: BTreeMap<PaymentRequestId, PaymentRequest>,
}

impl View for Before {
    fn book(&self) -> &Book {
        &self.book
    }

    fn hold(&self, hold_id: HoldId) -> Hold {
        self.holds.get(&hold_id).cloned().unwrap_or_default()
    }

    fn normal_side(&self, account: &AccountId) -> Option<Direction> {
        let opened = self.accounts.get(account)?.properties()?;
        Some(opened.account_type.normal_side())
    }

    fn account(&self, account: &AccountId) -> Option<&Account> {
        self.accounts.get(account)
    }

    fn withdrawal(&self, id: WithdrawalId) -> Withdrawal {
        self.withdrawals.get(&id).cloned().unwrap_or_default()
    }

    fn bank_line(&self, id: BankLineId) -> BankLine {
        self.lines.get(&id).cloned().unwrap_or_default()
    }

    fn deposit(&self, id: DepositId) -> Deposit {
        self.deposits.get(&id).cloned().unwrap_or_default()
    }

    fn transfer(&self, id: TransferId) -> Transfer {
        self.transfers.get(&id).cloned().unwrap_or_default()
    }

    fn payment(&self, id: PaymentId) -> Payment {
        self.payments.get(&id).cloned().unwrap_or_default()
    }

    fn payment_request(&self, id: PaymentRequestId) -> PaymentRequest {
        self.requests.get(&id).cloned().unwrap_or_default()
    }
}

/// A refusal as a rejection. Anything else is no refusal and must not happen here.
trait Refuses: std::error::Error {
    fn rejection(&self) -> Rejection;
}

macro_rules! refuses {
    ($($error:ty),+) => {
        $(impl Refuses for $error {
            fn rejection(&self) -> Rejection {
                Rejection::new(self.code(), &self.to_string())
            }
        })+
    };
}

refuses!(
    AccountError,
    BankLineError,
    BookError,
    DepositError,
    HoldError,
    PaymentError,
    PaymentRequestError,
    ReversalError,
    TransferError,
    WithdrawalError
);

impl Reference {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { overlay: Overlay::new(pool.clone()), pool, keys: BTreeMap::new() }
    }

    /// Does a command, once for its key. Nothing = the key was used with another request.
    pub(crate) async fn submit(&mut self, command: &Command, now: Timestamp) -> Option<Outcome> {
        let sent = command.idempotency.as_ref();
        let key = sent.map(|sent| (command.principal.to_string(), sent.key.to_string()));
        if let Some((fingerprint, outcome)) = key.as_ref().and_then(|key| self.keys.get(key)) {
            let same = sent.is_some_and(|sent| sent.fingerprint == *fingerprint);
            return same.then(|| outcome.clone());
        }
        let head = read::head(&self.pool).await.unwrap();
        let now = now.max(head.recorded_at);
        let decided = self.decide(command, now).await;
        let events = self.overlay.drain();
        let (outcome, events) = match decided {
            Ok(receipt) => {
                let count = u64::try_from(events.len()).unwrap();
                let (first_position, position) = (head.position + 1, head.position + count);
                let accepted = Accepted { first_position, position, recorded_at: now, receipt };
                (Outcome::Accepted(accepted), events)
            }
            // What was decided before the refusal is discarded.
            Err(rejection) => (Outcome::Rejected(rejection), Vec::new()),
        };
        self.write(head, now, &events, command, &outcome).await;
        if let (Some(key), Some(sent)) = (key, sent) {
            self.keys.insert(key, (sent.fingerprint, outcome.clone()));
        }
        Some(outcome)
    }

    async fn decide(&self, command: &Command, now: Timestamp) -> Result<Receipt, Rejection> {
        let before = self.before(command).await;
        let plan = planning::plan(command, &before, now)?;
        for step in &plan.steps {
            let metadata = metadata(command, &before.book, step);
            let located = |rejection: Rejection| match plan.transaction_of(step) {
                Some(index) => rejection.in_transaction(index),
                None => rejection,
            };
            self.step(step.clone(), metadata).await.map_err(located)?;
        }
        Ok(self.receipt(plan).await)
    }

    async fn step(&self, step: Step, metadata: HashMap<String, String>) -> Result<(), Rejection> {
        match step {
            Step::Book(command) => {
                let framework = self.framework::<Book>();
                refused(framework.execute_with_metadata(BOOK_ID, command, metadata).await)
            }
            Step::Account(id, command) => {
                let framework = self.framework::<Account>();
                match framework.execute_with_metadata(id.as_str(), command, metadata).await {
                    Err(AggregateError::UserError(error)) => Err(Rejection::from(error).of(&id)),
                    done => refused(done),
                }
            }
            Step::Hold(id, command) => {
                let framework = self.framework::<Hold>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, command, metadata).await)
            }
            Step::Reversal(id, command) => {
                let framework = self.framework::<Reversal>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, command, metadata).await)
            }
            Step::Deposit(id, command) => {
                let framework = self.framework::<Deposit>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, *command, metadata).await)
            }
            Step::Transfer(id, command) => {
                let framework = self.framework::<Transfer>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, *command, metadata).await)
            }
            Step::Payment(id, command) => {
                let framework = self.framework::<Payment>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, *command, metadata).await)
            }
            Step::PaymentRequest(id, command) => {
                let framework = self.framework::<PaymentRequest>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, *command, metadata).await)
            }
            Step::Withdrawal(id, command) => {
                let framework = self.framework::<Withdrawal>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, *command, metadata).await)
            }
            Step::BankLine(id, operation) => {
                let framework = self.framework::<BankLine>();
                let id = id.to_string();
                refused(framework.execute_with_metadata(&id, *operation, metadata).await)
            }
        }
    }

    fn store<A: Aggregate>(&self) -> Store<A> {
        PersistedEventStore::new_event_store(self.overlay.clone())
    }

    fn framework<A: Aggregate<Services = ()>>(&self) -> CqrsFramework<A, Store<A>> {
        CqrsFramework::new(self.store(), Vec::new(), ())
    }

    async fn load<A: Aggregate>(&self, id: &str) -> EventStoreAggregateContext<A> {
        self.store::<A>().load_aggregate(id).await.expect("a stream that can be read")
    }

    async fn before(&self, command: &Command) -> Before {
        let mut before = Before {
            book: self.load(BOOK_ID).await.aggregate,
            holds: BTreeMap::new(),
            accounts: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            lines: BTreeMap::new(),
            deposits: BTreeMap::new(),
            transfers: BTreeMap::new(),
            payments: BTreeMap::new(),
            requests: BTreeMap::new(),
        };
        let mut streams = planning::streams(&command.operation);
        if let Some(hold_id) = planning::account_of_hold(&command.operation) {
            let hold: Hold = self.load(&hold_id.to_string()).await.aggregate;
            streams.extend(hold.account().cloned().map(StreamId::Account));
            before.holds.insert(hold_id, hold);
        }
        if let Some(operation) = planning::withdrawal_operation(&command.operation) {
            let id = operation.withdrawal_id();
            let withdrawal: Withdrawal = self.load(&id.to_string()).await.aggregate;
            let accounts = planning::accounts_of_withdrawal(operation, &withdrawal);
            streams.extend(accounts.into_iter().map(StreamId::Account));
            before.withdrawals.insert(id, withdrawal);
        }
        if let Some(operation) = planning::deposit_operation(&command.operation) {
            let id = operation.deposit_id();
            let deposit: Deposit = self.load(&id.to_string()).await.aggregate;
            let accounts = planning::accounts_of_deposit(operation, &deposit);
            streams.extend(accounts.into_iter().map(StreamId::Account));
            before.deposits.insert(id, deposit);
        }
        if let Some(operation) = planning::transfer_operation(&command.operation) {
            let id = operation.transfer_id();
            let transfer: Transfer = self.load(&id.to_string()).await.aggregate;
            let accounts = planning::accounts_of_transfer(operation, &transfer);
            streams.extend(accounts.into_iter().map(StreamId::Account));
            before.transfers.insert(id, transfer);
        }
        if let Some(operation) = planning::payment_operation(&command.operation) {
            let id = operation.payment_id();
            let payment: Payment = self.load(&id.to_string()).await.aggregate;
            let accounts = planning::accounts_of_payment(operation, &payment);
            streams.extend(accounts.into_iter().map(StreamId::Account));
            before.payments.insert(id, payment);
        }
        self.load_named(&mut before, streams).await;
        before
    }

    /// What the command names by itself.
    async fn load_named(&self, before: &mut Before, streams: Vec<StreamId>) {
        for stream in streams {
            if let StreamId::Account(id) = stream {
                let account = self.load(id.as_str()).await.aggregate;
                before.accounts.insert(id, account);
            } else if let StreamId::Hold(id) = stream {
                let hold = self.load(&id.to_string()).await.aggregate;
                before.holds.insert(id, hold);
            } else if let StreamId::BankLine(id) = stream {
                let line = self.load(&id.to_string()).await.aggregate;
                before.lines.insert(id, line);
            } else if let StreamId::Deposit(id) = stream {
                let deposit = self.load(&id.to_string()).await.aggregate;
                before.deposits.insert(id, deposit);
            } else if let StreamId::Withdrawal(id) = stream {
                let withdrawal = self.load(&id.to_string()).await.aggregate;
                before.withdrawals.insert(id, withdrawal);
            } else if let StreamId::Payment(id) = stream {
                let payment = self.load(&id.to_string()).await.aggregate;
                before.payments.insert(id, payment);
            } else if let StreamId::PaymentRequest(id) = stream {
                let request = self.load(&id.to_string()).await.aggregate;
                before.requests.insert(id, request);
            }
        }
    }

    async fn receipt(&self, plan: Plan) -> Receipt {
        match plan.receipt {
            ReceiptPlan::Account(id) => {
                let sequence = self.load::<Account>(id.as_str()).await.current_sequence;
                Receipt::Account { sequence: u64::try_from(sequence).unwrap() }
            }
            ReceiptPlan::Posted { transactions, effective_on } => {
                Receipt::Posted { transactions, effective_on }
            }
            ReceiptPlan::Hold(hold_id) => {
                let hold: Hold = self.load(&hold_id.to_string()).await.aggregate;
                let open = hold.state() == Some(HoldState::Open);
                let nothing = Decimal::new(0, hold.amount().scale());
                Receipt::Hold {
                    hold_id,
                    account: hold.account().unwrap().clone(),
                    amount: if open { hold.amount() } else { nothing },
                }
            }
            ReceiptPlan::Captured {
                hold_id,
                account,
                transaction_id,
                amount,
                released,
                effective_on,
            } => Receipt::Captured {
                hold_id,
                account,
                transaction_id,
                amount,
                released,
                effective_on,
            },
            ReceiptPlan::Book => {
                let sequence = self.load::<Book>(BOOK_ID).await.current_sequence;
                Receipt::Book { sequence: u64::try_from(sequence).unwrap() }
            }
            ReceiptPlan::Deposit(id) => {
                let deposit: Deposit = self.load(&id.to_string()).await.aggregate;
                deposit.receipt(id).unwrap()
            }
            ReceiptPlan::Transfer(id) => {
                let transfer: Transfer = self.load(&id.to_string()).await.aggregate;
                transfer.receipt(id).unwrap()
            }
            ReceiptPlan::Payment(id) => {
                let payment: Payment = self.load(&id.to_string()).await.aggregate;
                payment.receipt(id).unwrap()
            }
            ReceiptPlan::Refund(id, refund_id) => {
                let payment: Payment = self.load(&id.to_string()).await.aggregate;
                payment.refund_receipt(id, refund_id).unwrap()
            }
            ReceiptPlan::Ready(receipt) => *receipt,
            ReceiptPlan::PaymentRequest(id) => {
                let request: PaymentRequest = self.load(&id.to_string()).await.aggregate;
                request.receipt(id).unwrap()
            }
            ReceiptPlan::Withdrawal(id) => {
                let withdrawal: Withdrawal = self.load(&id.to_string()).await.aggregate;
                withdrawal.receipt(id).unwrap()
            }
            ReceiptPlan::BankLine(id) => {
                let line: BankLine = self.load(&id.to_string()).await.aggregate;
                line.receipt(id).unwrap()
            }
        }
    }

    /// Writes what a command came to: all of it in one transaction of the database.
    async fn write(
        &self,
        head: Head,
        now: Timestamp,
        events: &[Buffered],
        command: &Command,
        outcome: &Outcome,
    ) {
        let mut db_tx = self.pool.begin().await.unwrap();
        let (mut position, mut chain, number) = (head.position, head.hash, head.batch + 1);
        for Buffered { event, payload, metadata } in events {
            position += 1;
            chain = hash::event_hash(
                &chain,
                &HashedFields {
                    position,
                    aggregate_type: &event.aggregate_type,
                    aggregate_id: &event.aggregate_id,
                    sequence: u64::try_from(event.sequence).unwrap(),
                    event_type: &event.event_type,
                    event_version: &event.event_version,
                    recorded_at: now,
                    payload,
                    metadata,
                },
            );
            let sql = "insert into events (position, aggregate_type, aggregate_id, sequence,
                           event_type, event_version, payload, metadata, recorded_at, hash)
                       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
            sqlx::query(sql)
                .bind(i64::try_from(position).unwrap())
                .bind(&event.aggregate_type)
                .bind(&event.aggregate_id)
                .bind(i64::try_from(event.sequence).unwrap())
                .bind(&event.event_type)
                .bind(&event.event_version)
                .bind(payload)
                .bind(metadata)
                .bind(now)
                .bind(&chain[..])
                .execute(&mut *db_tx)
                .await
                .unwrap();
        }
        if events.is_empty() {
            chain = hash::empty_batch_hash(&chain, number);
        }
        sqlx::query("insert into batches values ($1, $2, $3, $4)")
            .bind(i64::try_from(number).unwrap())
            .bind(i64::try_from(position).unwrap())
            .bind(&chain[..])
            .bind(now)
            .execute(&mut *db_tx)
            .await
            .unwrap();
        if let Some(sent) = &command.idempotency {
            sqlx::query("insert into idempotency values ($1, $2, $3, $4)")
                .bind(command.principal.as_str())
                .bind(sent.key.as_str())
                .bind(&sent.fingerprint[..])
                .bind(outcome.to_stored().unwrap())
                .execute(&mut *db_tx)
                .await
                .unwrap();
        }
        db_tx.commit().await.unwrap();
    }
}

fn refused<E: Refuses>(done: Result<(), AggregateError<E>>) -> Result<(), Rejection> {
    match done {
        Ok(()) => Ok(()),
        Err(AggregateError::UserError(error)) => Err(error.rejection()),
        Err(failure) => panic!("the reference failed: {failure}"),
    }
}

/// Who and what: on everything but the further legs of a transaction.
fn metadata(command: &Command, book: &Book, step: &Step) -> HashMap<String, String> {
    use ledger_core::account::AccountCommand;

    if matches!(step, Step::Account(_, AccountCommand::Post(leg)) if leg.leg > 1) {
        return HashMap::new();
    }
    let approval = command.approval.as_ref();
    let full = Metadata {
        actor: Some(command.principal.to_string()),
        approver: approval.map(|approval| approval.approver.to_string()),
        request: Some(command.request.to_string()),
        book: Some(book.sequence().to_string()),
        reason: approval.map(|approval| approval.reason.clone()),
        evidence_sha256: approval.map(|approval| approval.evidence_sha256.clone()),
    };
    serde_json::from_value(serde_json::to_value(full).unwrap()).unwrap()
}
