//! Has the ledger book what banks state, line by line, in the order of the statements.
//!
//! Every step is once by its nature: the outcome of an attempt, the return, the line. A process
//! that dies between two of them, or works beside another one, repeats what changes nothing. What
//! the read models have not seen yet is waited for, so that a reference that was used a moment ago
//! is known.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ledger_core::{
    bank_line::{
        BankLineOperation, BookBankLine, HouseAccount, LineDirection, Part, Purpose,
        ResolveBankLine,
    },
    chart::Authority,
    clock::Ids,
    command::{Command, Operation, Outcome},
    engine::SubmitError,
    ids::{BankCode, IdError, Item, Principal, Reference, RequestId, TransactionId, WithdrawalId},
    money::{Currency, Money},
    withdrawal::{
        AttemptOutcome, AttemptState, RecordOutcome, RecordReturn, Source, WithdrawalOperation,
        WithdrawalStatus,
    },
};
use projections::{ReadError, ReadModels};
use sqlx::PgPool;

use super::{
    CreditError, Credits, Rules, credits,
    evidence::{self, Booking, StoredLine},
    matching::{self, Match, Named},
};
use crate::{http::Ledger, workers::withdrawals::AMOUNT_DIFFERS};

/// How many lines are booked before it looks again.
const LINES_MAX: i64 = 500;
/// How long the read models may lag behind.
const CATCH_UP: Duration = Duration::from_secs(5);

/// Why lines wait. The next round tries again.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The lines could not be read.
    #[error("the lines of statements could not be read or noted")]
    Database(#[from] sqlx::Error),
    /// The read models could not be read.
    #[error("the withdrawals could not be read")]
    Read(#[from] ReadError),
    /// The ledger took no commands.
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    /// The ledger refuses a line: a defect, or a bank that contradicts itself.
    #[error("the ledger refuses line {line}: {code}")]
    Refused {
        /// The line.
        line: String,
        /// Why.
        code: String,
    },
    /// A line is in a currency that the book lacks.
    #[error("the book does not have the currency of line {0}")]
    Currency(String),
    /// Deposits did not take a credit.
    #[error("a credit could not be matched with deposits")]
    Credit(#[from] CreditError),
    /// An id does not fit where it must.
    #[error("an id is none")]
    Id(#[from] IdError),
}

/// Books lines.
#[derive(Clone)]
pub struct Booker {
    /// Where the statements are.
    pub pool: PgPool,
    /// Which withdrawals there are.
    pub read_models: ReadModels,
    /// The engine.
    pub ledger: Arc<dyn Ledger>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
    /// In whose name.
    pub principal: Principal,
    /// Who books credits that belong to deposits.
    pub credits: Option<Arc<dyn Credits>>,
    /// What banks' own words mean.
    pub rules: BTreeMap<BankCode, Rules>,
    /// After which line it goes on to look at what could not be explained.
    pub again_after: Arc<AtomicI64>,
}

impl Booker {
    /// Books what waits, and explains what could not be explained before; how many lines it saw.
    ///
    /// # Errors
    /// [`BookError`] at the first line that could not be booked; those before it are.
    pub async fn book(&self) -> Result<usize, BookError> {
        self.ledger.refresh().await?;
        let head = self.ledger.status().borrow().head.position;
        self.read_models.wait_for(head, CATCH_UP).await?;
        let waiting = evidence::unbooked(&self.pool, LINES_MAX).await?;
        for line in &waiting {
            self.line(line, false).await?;
        }
        self.look_again().await?;
        Ok(waiting.len())
    }

    /// Looks at some of the lines that nobody could explain, from where it stopped the last time:
    /// those that never will be explained hold nobody up.
    async fn look_again(&self) -> Result<(), BookError> {
        let after = self.again_after.load(Ordering::Relaxed);
        let some = evidence::unexplained(&self.pool, after, LINES_MAX).await?;
        let all_seen = some.len() < usize::try_from(LINES_MAX).unwrap_or(usize::MAX);
        for line in &some {
            self.again_after.store(line.number, Ordering::Relaxed);
            self.line(line, true).await?;
        }
        if all_seen {
            self.again_after.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn line(&self, line: &StoredLine, again: bool) -> Result<(), BookError> {
        let named = self.named(line).await?;
        let no_rules = Rules::default();
        let rules = self.rules.get(&line.key.bank).unwrap_or(&no_rules);
        let mut found = matching::decide(line, named.as_ref(), rules);
        if found == Match::Unknown && named.is_none() && self.settled(line).await? {
            return Ok(());
        }
        match found {
            Match::Payment { withdrawal_id, attempt, first_proof: true } => {
                if !self.record_paid(line, withdrawal_id, attempt).await? {
                    found = Match::Unknown;
                }
            }
            Match::Return { withdrawal_id, attempt } => {
                if !self.record_return(line, withdrawal_id, attempt).await? {
                    found = Match::Unknown;
                }
            }
            Match::Unknown => self.other_amount(line, named.as_ref()).await?,
            Match::Payment { .. } | Match::Words(_) => {}
        }
        if again && found == Match::Unknown {
            return Ok(());
        }
        let part = part(found, self.money(line)?.amount())?;
        self.submit_line(line, part.clone(), again).await?;
        let attempt = match found {
            Match::Payment { attempt, .. } | Match::Return { attempt, .. } => Some(attempt),
            Match::Words(_) | Match::Unknown => None,
        };
        let item = part.item.as_ref().map(Item::as_str);
        let booking = Booking { purpose: part.purpose, item, attempt, amount: line.amount };
        evidence::note(&self.pool, line.key.id(), &booking).await?;
        if found == Match::Unknown {
            metrics::counter!("bahi_statement_lines_unexplained_total").increment(1);
            tracing::warn!(line = %line.key.id(), bank = %line.key.bank, "nobody knows this line");
        }
        Ok(())
    }

    /// Whether a line is a deposit's, which is booked then.
    async fn settled(&self, line: &StoredLine) -> Result<bool, BookError> {
        let Some(credits) = &self.credits else { return Ok(false) };
        let of_escrow = line.key.account == HouseAccount::Escrow;
        if line.key.direction != LineDirection::Credit || !of_escrow {
            return Ok(false);
        }
        let told = credits::told(line, self.money(line)?);
        let Some(item) = credits.settle(&line.key.bank, &told).await? else { return Ok(false) };
        let (purpose, item) = (Purpose::Arrival, Some(item.as_str()));
        let booking = Booking { purpose, item, attempt: None, amount: line.amount };
        evidence::note(&self.pool, line.key.id(), &booking).await?;
        Ok(true)
    }

    /// The attempt that a line names: by our reference, else by the bank's and the amount.
    async fn named(&self, line: &StoredLine) -> Result<Option<Named>, BookError> {
        let bank = &line.key.bank;
        let found = match (&line.reference, &line.utr) {
            (Some(reference), _) => {
                let known = self.read_models.attempt_of(bank, reference).await?.value;
                known.map(|known| (known.withdrawal.id, Some(known.attempt)))
            }
            (None, Some(utr)) => {
                let paid = evidence::paid_under(&self.pool, bank, line.currency, utr).await?;
                paid.map(|id| (id, None))
            }
            (None, None) => None,
        };
        let Some((withdrawal_id, attempt)) = found else { return Ok(None) };
        let history = self.read_models.withdrawal(withdrawal_id).await?.value;
        let Some(withdrawal) = history.map(|history| history.withdrawal) else { return Ok(None) };
        let Some(requested) = withdrawal.properties() else { return Ok(None) };
        let of_utr = |state: &AttemptState| match state {
            AttemptState::Paid { bank_reference } => line.utr.as_ref() == Some(bank_reference),
            AttemptState::Open | AttemptState::Refused { .. } => false,
        };
        let numbered = (1_u32..).zip(withdrawal.attempts());
        let mut of_bank = numbered.filter(|(_, attempt)| attempt.bank == *bank);
        let attempt = of_bank.find(|(number, candidate)| match attempt {
            Some(attempt) => *number == attempt,
            None => of_utr(&candidate.state) && requested.amount == line.amount,
        });
        let Some((attempt, known)) = attempt else { return Ok(None) };
        let id = line.key.id();
        let booked = evidence::booked_of(&self.pool, withdrawal_id, attempt, id).await?;
        Ok(Some(Named {
            withdrawal_id,
            attempt,
            amount: requested.amount,
            state: known.state.clone(),
            is_sought: matches!(
                withdrawal.status(),
                Some(WithdrawalStatus::Processing | WithdrawalStatus::OutcomeUnknown)
            ),
            paid: booked.0,
            returned: booked.1,
        }))
    }

    /// Says that an attempt was paid, of which the line is the first proof; whether it is so now.
    async fn record_paid(
        &self,
        line: &StoredLine,
        withdrawal_id: WithdrawalId,
        attempt: u32,
    ) -> Result<bool, BookError> {
        let outcome = RecordOutcome {
            withdrawal_id,
            attempt,
            outcome: AttemptOutcome::Paid {
                amount: self.money(line)?,
                bank_reference: bank_reference(line),
            },
            source: Source::Statement,
            code: None,
            transaction_id: self.transaction_id(),
        };
        let authority = Authority::of_withdrawals();
        let operation = WithdrawalOperation::RecordOutcome(outcome).into();
        let refused = self.submit(operation, authority).await?;
        // Somebody else said so meanwhile, and named the payment otherwise.
        Ok(refused.is_none_or(|code| code == "bank_reference_differs"))
    }

    /// A bank paid another amount of an attempt than was sent: people have to look, for no proof
    /// of what was sent will come.
    async fn other_amount(
        &self,
        line: &StoredLine,
        named: Option<&Named>,
    ) -> Result<(), BookError> {
        let open = named.filter(|named| {
            line.key.direction == LineDirection::Debit
                && named.is_sought
                && named.state == AttemptState::Open
                && named.amount != line.amount
        });
        let Some(named) = open else { return Ok(()) };
        let outcome = RecordOutcome {
            withdrawal_id: named.withdrawal_id,
            attempt: named.attempt,
            outcome: AttemptOutcome::NeedsAttention,
            source: Source::Statement,
            code: AMOUNT_DIFFERS.parse().ok(),
            transaction_id: self.transaction_id(),
        };
        let operation = WithdrawalOperation::RecordOutcome(outcome).into();
        self.submit(operation, Authority::of_withdrawals()).await.map(drop)
    }

    async fn record_return(
        &self,
        line: &StoredLine,
        withdrawal_id: WithdrawalId,
        attempt: u32,
    ) -> Result<bool, BookError> {
        let back = RecordReturn {
            withdrawal_id,
            attempt,
            bank_reference: bank_reference(line),
            amount: self.money(line)?,
            source: Source::Statement,
            transaction_id: self.transaction_id(),
            applied_transaction_id: self.transaction_id(),
        };
        let authority = Authority::of_withdrawals();
        let operation = WithdrawalOperation::RecordReturn(back).into();
        Ok(self.submit(operation, authority).await?.is_none())
    }

    async fn submit_line(
        &self,
        line: &StoredLine,
        part: Part,
        again: bool,
    ) -> Result<(), BookError> {
        let (key, parts, transaction_id) = (line.key.clone(), vec![part], self.transaction_id());
        let operation = if again {
            let currency = self.currency(line)?;
            BankLineOperation::Resolve(ResolveBankLine { key, currency, parts, transaction_id })
        } else {
            let (booking_date, amount) = (line.booking_date, self.money(line)?);
            let book = BookBankLine { key, booking_date, amount, parts, transaction_id };
            BankLineOperation::Book(book)
        };
        match self.submit(operation.into(), Authority::of_statements()).await? {
            // It was explained by somebody else: as good.
            Some(code) if again && code == "nothing_unexplained" => Ok(()),
            Some(code) => Err(BookError::Refused { line: line.key.id().to_string(), code }),
            None => Ok(()),
        }
    }

    /// Hands an operation in; the code if it is refused.
    async fn submit(
        &self,
        operation: Operation,
        authority: Authority,
    ) -> Result<Option<String>, BookError> {
        let command = Command {
            principal: self.principal.clone(),
            idempotency: None,
            request: RequestId::from_uuid(self.ids.fresh()),
            authority,
            approval: None,
            operation,
        };
        Ok(match self.ledger.submit(command).await?.outcome {
            // What a line later in the statement rests on must be seen when it is looked at.
            Outcome::Accepted(accepted) if authority == Authority::of_withdrawals() => {
                self.read_models.wait_for(accepted.position, CATCH_UP).await?;
                None
            }
            Outcome::Accepted(_) => None,
            Outcome::Rejected(rejection) => {
                tracing::warn!(code = rejection.code, detail = rejection.detail, "refused");
                Some(rejection.code)
            }
        })
    }

    fn currency(&self, line: &StoredLine) -> Result<Currency, BookError> {
        let known = self.ledger.status().borrow().book.currency(line.currency);
        known.ok_or_else(|| BookError::Currency(line.key.id().to_string()))
    }

    fn money(&self, line: &StoredLine) -> Result<Money, BookError> {
        let currency = self.currency(line)?;
        let mut amount = line.amount;
        // A numeric column keeps the scale that it was given; the text of an amount is the rule.
        amount.rescale(u32::from(currency.scale));
        Money::from_decimal(amount, currency)
            .map_err(|_| BookError::Currency(line.key.id().to_string()))
    }

    fn transaction_id(&self) -> TransactionId {
        TransactionId::from_uuid(self.ids.fresh())
    }
}

fn part(found: Match, amount: rust_decimal::Decimal) -> Result<Part, IdError> {
    let of = |purpose, id: WithdrawalId| -> Result<Part, IdError> {
        Ok(Part::of_item(purpose, id.to_string().parse::<Item>()?, amount))
    };
    match found {
        Match::Payment { withdrawal_id, .. } => of(Purpose::Payment, withdrawal_id),
        Match::Return { withdrawal_id, .. } => of(Purpose::Arrival, withdrawal_id),
        Match::Words(purpose) => Ok(Part::plain(purpose, amount)),
        Match::Unknown => Ok(Part::plain(Purpose::Unknown, amount)),
    }
}

/// What the bank calls the payment, or the credit, between banks; else its own number.
fn bank_reference(line: &StoredLine) -> Reference {
    line.utr.clone().unwrap_or_else(|| line.key.bank_transaction_id.clone())
}
