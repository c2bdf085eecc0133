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
    command::{Command, Operation, Outcome, Receipt},
    engine::SubmitError,
    ids::{BankCode, IdError, Item, Principal, RequestId, TransactionId, WithdrawalId},
    money::{Currency, Money},
};
use projections::{ReadError, ReadModels};
use sqlx::PgPool;

use super::{
    CreditError, Credits, Rules, credits,
    evidence::{self, Booking, StoredLine},
    lump,
    matching::{self, Match},
};
use crate::http::Ledger;

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
    /// Books what waits, and explains what could not be explained before; how many lines it
    /// booked. A line that is refused is passed over, loudly, and tried again the next time: those
    /// behind it do not wait for people to find out.
    ///
    /// # Errors
    /// [`BookError`] if nothing can be booked now, whatever the line; those before it are.
    pub async fn book(&self) -> Result<usize, BookError> {
        self.ledger.refresh().await?;
        let head = self.ledger.status().borrow().head.position;
        self.read_models.wait_for(head, CATCH_UP).await?;
        let (mut booked, mut after, mut all_seen) = (0, 0, false);
        // What is passed over is looked behind, so that a page of nothing else holds nobody up.
        while booked == 0 && !all_seen {
            let waiting = evidence::unbooked(&self.pool, after, LINES_MAX).await?;
            all_seen = waiting.len() < usize::try_from(LINES_MAX).unwrap_or(usize::MAX);
            for line in &waiting {
                after = line.number;
                booked += usize::from(self.line_or_pass(line, false).await?);
            }
        }
        self.look_again().await?;
        Ok(booked)
    }

    /// Whether a line got through; if it is refused it is passed over.
    async fn line_or_pass(&self, line: &StoredLine, again: bool) -> Result<bool, BookError> {
        match self.line(line, again).await {
            Ok(()) => Ok(true),
            Err(
                error @ (BookError::Refused { .. }
                | BookError::Currency(_)
                | BookError::Credit(_)
                | BookError::Id(_)),
            ) => {
                let error = projections::describe(&error);
                metrics::counter!("bahi_statement_lines_passed_over_total").increment(1);
                tracing::error!(line = %line.key.id(), bank = %line.key.bank, error,
                    "a line is passed over; people have to look");
                Ok(false)
            }
            Err(error @ (BookError::Database(_) | BookError::Read(_) | BookError::Submit(_))) => {
                Err(error)
            }
        }
    }

    /// Looks at some of the lines that nobody could explain, from where it stopped the last time:
    /// those that never will be explained hold nobody up.
    async fn look_again(&self) -> Result<(), BookError> {
        let after = self.again_after.load(Ordering::Relaxed);
        let some = evidence::unexplained(&self.pool, after, LINES_MAX).await?;
        let all_seen = some.len() < usize::try_from(LINES_MAX).unwrap_or(usize::MAX);
        for line in &some {
            self.again_after.store(line.number, Ordering::Relaxed);
            self.line_or_pass(line, true).await?;
        }
        if all_seen {
            self.again_after.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn line(&self, line: &StoredLine, again: bool) -> Result<(), BookError> {
        // What a deposit expects is that deposit's, whatever its payer wrote: words and references
        // are the payer's, and the expectation is from our own enquiry.
        let expected = self.is_expected(line).await?;
        let named = if expected { None } else { self.named(line).await? };
        let no_rules = Rules::default();
        let rules = self.rules.get(&line.key.bank).filter(|_| !expected).unwrap_or(&no_rules);
        let ours = if expected { None } else { evidence::treasury_move(&self.pool, line).await? };
        let found = match (ours, self.recalled(line, named.is_none()).await?) {
            (Some(item), _) => Match::Treasury(item),
            (None, Some(item)) => Match::Recall(item),
            (None, None) => matching::decide(line, named.as_ref(), rules),
        };
        let credit = found == Match::Unknown && named.is_none();
        if credit && self.credited(line, expected, again).await? {
            return Ok(());
        }
        let found = self.record(line, found, named.as_ref()).await?;
        if again && found == Match::Unknown {
            return Ok(());
        }
        let part = part(&found, self.money(line)?.amount())?;
        self.submit_line(line, part.clone(), again).await?;
        let attempt = match found {
            Match::Payment { attempt, .. }
            | Match::Part { attempt, .. }
            | Match::Return { attempt, .. } => Some(attempt),
            Match::Treasury(_) | Match::Recall(_) | Match::Words(_) | Match::Unknown => None,
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

    /// Whether an enquiry has shown the credit of a line before, and a deposit booked it.
    async fn is_expected(&self, line: &StoredLine) -> Result<bool, BookError> {
        let Some(credits) = self.credits.as_ref().filter(|_| is_credit_of_escrow(line)) else {
            return Ok(false);
        };
        Ok(credits.expects(&line.key).await?)
    }

    /// The item of a deposit's credit that a line takes back for a bank that may have it.
    async fn recalled(
        &self,
        line: &StoredLine,
        names_nothing: bool,
    ) -> Result<Option<Item>, BookError> {
        let of_escrow = line.key.account == HouseAccount::Escrow;
        if line.key.direction == LineDirection::Credit || !of_escrow || !names_nothing {
            return Ok(None);
        }
        Ok(evidence::recalled_by(&self.pool, line).await?)
    }

    /// Whether a line is of one deposit or of several, and booked so. What an enquiry has shown as
    /// one credit is one, whatever the statement says that it is made of.
    async fn credited(
        &self,
        line: &StoredLine,
        expected: bool,
        again: bool,
    ) -> Result<bool, BookError> {
        let may_be = is_credit_of_escrow(line) && !expected;
        let stated = if may_be { lump::stated(&self.pool, line).await? } else { None };
        match stated {
            Some(lump) => self.lump(line, &lump, again).await,
            None => self.settled(line).await,
        }
    }

    /// Whether a line is a deposit's, which is booked then.
    async fn settled(&self, line: &StoredLine) -> Result<bool, BookError> {
        let Some(credits) = self.credits.as_ref().filter(|_| is_credit_of_escrow(line)) else {
            return Ok(false);
        };
        let told = credits::told(line, self.money(line)?);
        let Some(item) = credits.settle(&line.key.bank, &told).await? else { return Ok(false) };
        let (purpose, item) = (Purpose::Arrival, Some(item.as_str()));
        let booking = Booking { purpose, item, attempt: None, amount: line.amount };
        evidence::note(&self.pool, line.key.id(), &booking).await?;
        Ok(true)
    }

    async fn submit_line(
        &self,
        line: &StoredLine,
        part: Part,
        again: bool,
    ) -> Result<(), BookError> {
        match self.book_as(line, vec![part], again).await? {
            // It was explained by somebody else: as good.
            Err(code) if code != "nothing_unexplained" => {
                Err(BookError::Refused { line: line.key.id().to_string(), code })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Books a line as these parts, or says that they are what lies in suspense of it; or the code
    /// by which that is refused.
    pub(super) async fn book_as(
        &self,
        line: &StoredLine,
        parts: Vec<Part>,
        again: bool,
    ) -> Result<Result<(), String>, BookError> {
        let is_unknown = parts.iter().any(|part| part.purpose == Purpose::Unknown);
        let (key, transaction_id) = (line.key.clone(), self.transaction_id());
        if !again {
            let (booking_date, amount) = (line.booking_date, self.money(line)?);
            let (key, parts) = (key.clone(), parts.clone());
            let book = BookBankLine { key, booking_date, amount, parts, transaction_id };
            let operation = BankLineOperation::Book(book);
            match self.submit(operation.into(), Authority::of_statements()).await? {
                // Somebody booked it as unknown, and died or waits: what it is now has to be in the
                // log before it is noted, or the note would hide that the money lies in suspense.
                Ok(Receipt::BankLine { unexplained, .. })
                    if !unexplained.is_zero() && !is_unknown => {}
                other => return Ok(other.map(drop)),
            }
        }
        let (currency, transaction_id) = (self.currency(line)?, self.transaction_id());
        let resolve = ResolveBankLine { key, currency, parts, transaction_id };
        let operation = BankLineOperation::Resolve(resolve);
        Ok(self.submit(operation.into(), Authority::of_statements()).await?.map(drop))
    }

    /// Hands an operation in: what it made, or the code by which it is refused.
    pub(super) async fn submit(
        &self,
        operation: Operation,
        authority: Authority,
    ) -> Result<Result<Receipt, String>, BookError> {
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
                Ok(accepted.receipt)
            }
            Outcome::Accepted(accepted) => Ok(accepted.receipt),
            Outcome::Rejected(rejection) => {
                tracing::warn!(code = rejection.code, detail = rejection.detail, "refused");
                Err(rejection.code)
            }
        })
    }

    pub(super) fn currency(&self, line: &StoredLine) -> Result<Currency, BookError> {
        let known = self.ledger.status().borrow().book.currency(line.currency);
        known.ok_or_else(|| BookError::Currency(line.key.id().to_string()))
    }

    pub(super) fn money(&self, line: &StoredLine) -> Result<Money, BookError> {
        let currency = self.currency(line)?;
        let mut amount = line.amount;
        // A numeric column keeps the scale that it was given; the text of an amount is the rule.
        amount.rescale(u32::from(currency.scale));
        Money::from_decimal(amount, currency)
            .map_err(|_| BookError::Currency(line.key.id().to_string()))
    }

    pub(super) fn transaction_id(&self) -> TransactionId {
        TransactionId::from_uuid(self.ids.fresh())
    }
}

fn part(found: &Match, amount: rust_decimal::Decimal) -> Result<Part, IdError> {
    let of = |purpose, id: WithdrawalId| -> Result<Part, IdError> {
        Ok(Part::of_item(purpose, id.to_string().parse::<Item>()?, amount))
    };
    match found {
        Match::Payment { withdrawal_id, .. } | Match::Part { withdrawal_id, .. } => {
            of(Purpose::Payment, *withdrawal_id)
        }
        Match::Return { withdrawal_id, .. } => of(Purpose::Arrival, *withdrawal_id),
        Match::Treasury(item) => Ok(Part::of_item(Purpose::Treasury, item.clone(), amount)),
        Match::Recall(item) => Ok(Part::of_item(Purpose::Payment, item.clone(), amount)),
        Match::Words(purpose) => Ok(Part::plain(*purpose, amount)),
        Match::Unknown => Ok(Part::plain(Purpose::Unknown, amount)),
    }
}

/// Whether a deposit can be in a line.
fn is_credit_of_escrow(line: &StoredLine) -> bool {
    line.key.account == HouseAccount::Escrow && line.key.direction == LineDirection::Credit
}
