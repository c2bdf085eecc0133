//! What banks say of money that came, handed in to the ledger.
//!
//! A message of a bank is a claim: [`CreditDesk::tell`] only notes it. [`CreditDesk::apply_credit`]
//! asks the bank itself and books what it says; [`CreditDesk::settle`] books what a line of the
//! statement shows. Each is once by its nature: the deposit knows its credits, so that any number
//! of processes may say the same, in any order, again and again.
//!
//! Which deposit a credit belongs to is asked of the ledger, never of a read model, which may lag:
//! the one whose id the payer gave, if the ledger has it, else the one whose id follows from the
//! credit itself. Nothing here decides about money.

mod claim;
mod handled;
mod outside;
mod virtual_accounts;

use std::sync::Arc;

use ledger_core::{
    book::Book,
    chart::Authority,
    clock::Ids,
    command::{Command, Operation, Outcome},
    deposit::{
        ConfirmCredit, CreditClaim, DepositOperation, ExpireDeposit, RecordDeclined,
        RecordReceived, RequestRecall, SettleCredit, credit,
    },
    engine::SubmitError,
    ids::{BankCode, DepositId, HoldId, IdError, Principal, Reference, RequestId, TransactionId},
    money::Money,
    withdrawal::Source,
};
use sqlx::PgPool;

pub use claim::{NotOurs, claim_of_credit, claim_of_line};
pub use handled::Handled;
use handled::{belongs_elsewhere, handled_of};
pub use outside::{
    Incoming, IncomingCounts, IncomingFilter, IncomingState, Mark, Outside, OutsideCredit,
    OutsideReturn, Stuck, is_outside,
};
pub use virtual_accounts::{VirtualAccount, VirtualAccounts};

use crate::{
    banks::{
        Bank, BankRegistry, CallError, Credit, CreditStatus, LinkStatus, StatementLine,
        accounts::PayeeKey,
    },
    http::Ledger,
};

/// Hands in what banks say of money that came.
#[derive(Clone)]
pub struct CreditDesk {
    /// The engine.
    pub ledger: Arc<dyn Ledger>,
    /// The banks to ask.
    pub banks: Arc<BankRegistry>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
    /// Which wallet a virtual account stands for.
    pub virtual_accounts: VirtualAccounts,
    /// What was sent to the codes of shops from outside.
    pub outside: Outside,
    /// By which payers are known again.
    pub payers: PayeeKey,
}

/// A credit as the ledger is told of it, or why it cannot be.
type Claimed = Result<CreditClaim, NotOurs>;

/// Why nothing became of it yet. Trying again is safe, and helps unless the bank is none of ours.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such bank to ask.
    #[error("the service knows no such bank")]
    BankUnknown,
    /// The bank gave no answer.
    #[error("the bank gave no answer")]
    Bank(#[from] CallError),
    /// The ledger took no command.
    #[error("the ledger took no command")]
    Submit(#[from] SubmitError),
    /// The database could not be asked.
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
    /// A name of our own is none, which is a defect.
    #[error("a name of the service's own is malformed")]
    Name(#[from] IdError),
}

impl CreditDesk {
    /// A desk for the ledger whose tables are in the database of `pool`, with the installation's
    /// secret.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        banks: Arc<BankRegistry>,
        ids: Arc<dyn Ids>,
        pool: PgPool,
        secret: &[u8; 32],
    ) -> Self {
        let virtual_accounts = VirtualAccounts::new(pool.clone());
        let (outside, payers) = (Outside::new(pool), PayeeKey::derive(secret));
        Self { ledger, banks, ids, virtual_accounts, outside, payers }
    }

    /// Ends an intent whose time has come.
    ///
    /// # Errors
    /// [`DeskError`]; trying again is safe.
    pub async fn expire(&self, deposit_id: DepositId) -> Result<Handled, DeskError> {
        let expire = DepositOperation::Expire(ExpireDeposit { deposit_id });
        Ok(handled_of(deposit_id, self.outcome(expire).await?))
    }

    /// Notes what a message told of a credit, which is not money yet. What belongs to no deposit
    /// that somebody asked for and to no shop is not noted: whose it is follows from the bank's own
    /// answer alone. What a message says a shop's is goes nowhere else by it: if that answer says
    /// otherwise, the money waits for people.
    ///
    /// # Errors
    /// [`DeskError`]; trying again is safe.
    pub async fn tell(&self, bank: &BankCode, told: &Credit) -> Result<Handled, DeskError> {
        match claim_of_credit(bank, told, Source::Webhook, &self.book()) {
            Ok(claim) => {
                let token = told.token.as_ref();
                let named = token.filter(|_| told.virtual_account.is_none());
                match self.outside_account(named, &claim).await? {
                    Some(account) => self.received_outside(claim, account).await,
                    None => self.received(token, claim).await,
                }
            }
            Err(why) => Ok(Handled::NotOurs(why)),
        }
    }

    async fn received(
        &self,
        token: Option<&Reference>,
        claim: CreditClaim,
    ) -> Result<Handled, DeskError> {
        let Some(deposit_id) = token.and_then(credit::id_of_token) else {
            return Ok(Handled::NotKnown);
        };
        let received = RecordReceived { deposit_id, claim };
        let outcome = self.outcome(DepositOperation::RecordReceived(received)).await?;
        if belongs_elsewhere(&outcome) {
            return Ok(Handled::NotKnown);
        }
        Ok(handled_of(deposit_id, outcome))
    }

    /// What the bank says of a credit, with what we know of its payer and its wallet.
    async fn claim(&self, bank: &BankCode, credit: &Credit) -> Result<Claimed, DeskError> {
        let claim = match claim_of_credit(bank, credit, Source::Enquiry, &self.book()) {
            Ok(claim) => claim,
            Err(why) => return Ok(Err(why)),
        };
        let payer = credit.payer.as_ref();
        let payer_hash = payer.and_then(|p| self.payers.hash_payer(&p.account_number, &p.ifsc));
        let unsolicited_to = match &credit.virtual_account {
            Some(number) => self.virtual_accounts.wallet(bank, number).await?,
            None => self.outside_account(credit.token.as_ref(), &claim).await?,
        };
        Ok(Ok(CreditClaim { payer_hash, unsolicited_to, ..claim }))
    }

    /// Asks the bank about a credit, and books what it says.
    ///
    /// # Errors
    /// [`DeskError`]; trying again is safe.
    pub async fn apply_credit(
        &self,
        bank: &BankCode,
        credit_id: &Reference,
    ) -> Result<Handled, DeskError> {
        let Some(credit) = self.bank(bank)?.credit(credit_id).await? else {
            return Ok(Handled::NotKnown);
        };
        let claim = match self.claim(bank, &credit).await? {
            Ok(claim) => claim,
            Err(why) => return Ok(Handled::NotOurs(why)),
        };
        let transaction_id = self.transaction_id();
        let noted = self
            .submit(credit.token.as_ref(), &claim, |deposit_id| {
                let claim = claim.clone();
                DepositOperation::ConfirmCredit(ConfirmCredit { deposit_id, claim, transaction_id })
            })
            .await?;
        let asked_back = credit.status == CreditStatus::RecallRequested;
        match noted {
            Handled::Noted { deposit_id, .. } if asked_back => self.recall(deposit_id, claim).await,
            Handled::Noted { .. }
            | Handled::NotKnown
            | Handled::NotOurs(_)
            | Handled::Refused(_) => Ok(noted),
        }
    }

    /// Notes that the bank asks for money back, and holds what is still there, once.
    async fn recall(
        &self,
        deposit_id: DepositId,
        claim: CreditClaim,
    ) -> Result<Handled, DeskError> {
        let hold_id = HoldId::from_uuid(self.ids.fresh());
        let request = RequestRecall { deposit_id, claim, hold_id };
        let outcome = self.outcome(DepositOperation::RequestRecall(request)).await?;
        let mut handled = handled_of(deposit_id, outcome);
        if let Handled::Noted { recall_requested, .. } = &mut handled {
            *recall_requested = true;
        }
        Ok(handled)
    }

    /// Asks the bank about a page that was paid at or declined: books what arrived under its token,
    /// and notes a refusal. What was handled of each, the refusal last.
    ///
    /// # Errors
    /// [`DeskError`]; trying again is safe.
    pub async fn apply_collect_link(
        &self,
        bank: &BankCode,
        token: &Reference,
    ) -> Result<Vec<Handled>, DeskError> {
        let Some(link) = self.bank(bank)?.collect_link(token).await? else {
            return Ok(vec![Handled::NotKnown]);
        };
        let mut handled = Vec::new();
        for credit_id in &link.credits {
            handled.push(self.apply_credit(bank, credit_id).await?);
        }
        if let (LinkStatus::Declined { code }, Some(deposit_id)) =
            (link.status, credit::id_of_token(token))
        {
            let (source, code) = (Source::Enquiry, Some(code));
            let declined = RecordDeclined { deposit_id, source, code };
            let outcome = self.outcome(DepositOperation::RecordDeclined(declined)).await?;
            handled.push(handled_of(deposit_id, outcome));
        }
        Ok(handled)
    }

    /// Books a credit line of the escrow account's statement, whatever was known of it. The caller
    /// has seen that the line belongs to nothing that went out (a return has its payment's
    /// reference).
    ///
    /// # Errors
    /// [`DeskError`]; trying again is safe.
    pub async fn settle(
        &self,
        bank: &BankCode,
        line: &StatementLine,
    ) -> Result<Handled, DeskError> {
        let claim = match claim_of_line(bank, line, &self.book()) {
            Ok(claim) => claim,
            Err(why) => return Ok(Handled::NotOurs(why)),
        };
        let unsolicited_to = self.outside_account(line.reference.as_ref(), &claim).await?;
        let claim = CreditClaim { unsolicited_to, ..claim };
        let settling = self.settling(claim.clone(), line);
        self.submit(line.reference.as_ref(), &claim, settling).await
    }

    /// Books a credit line as what this deposit has booked already, whatever token the line has.
    ///
    /// # Errors
    /// [`DeskError`]; trying again is safe.
    pub async fn settle_as(
        &self,
        deposit_id: DepositId,
        bank: &BankCode,
        line: &StatementLine,
    ) -> Result<Handled, DeskError> {
        let claim = match claim_of_line(bank, line, &self.book()) {
            Ok(claim) => claim,
            Err(why) => return Ok(Handled::NotOurs(why)),
        };
        let outcome = self.outcome(self.settling(claim, line)(deposit_id)).await?;
        Ok(handled_of(deposit_id, outcome))
    }

    fn settling(
        &self,
        claim: CreditClaim,
        line: &StatementLine,
    ) -> impl Fn(DepositId) -> DepositOperation {
        let nothing = Money::zero(claim.amount.currency());
        let (first, second) = (self.transaction_id(), self.transaction_id());
        let booking_date = line.booking_date;
        move |deposit_id| {
            DepositOperation::SettleCredit(SettleCredit {
                deposit_id,
                claim: claim.clone(),
                booking_date,
                charges: nothing,
                tax: nothing,
                confirmed_transaction_id: first,
                transaction_id: second,
            })
        }
    }

    fn bank(&self, code: &BankCode) -> Result<&Arc<dyn Bank>, DeskError> {
        self.banks.get(code).ok_or(DeskError::BankUnknown)
    }

    fn book(&self) -> Arc<Book> {
        self.ledger.status().borrow().book.clone()
    }

    fn transaction_id(&self) -> TransactionId {
        TransactionId::from_uuid(self.ids.fresh())
    }

    /// To the deposit of the token, or else to the one that follows from the credit.
    async fn submit(
        &self,
        token: Option<&Reference>,
        claim: &CreditClaim,
        operation: impl Fn(DepositId) -> DepositOperation,
    ) -> Result<Handled, DeskError> {
        let asked_for = token.and_then(credit::id_of_token);
        if let Some(deposit_id) = asked_for {
            let outcome = self.outcome(operation(deposit_id)).await?;
            if !belongs_elsewhere(&outcome) {
                return Ok(handled_of(deposit_id, outcome));
            }
        }
        let deposit_id = credit::id_of(&claim.bank, &claim.bank_transaction_id);
        let outcome = self.outcome(operation(deposit_id)).await?;
        Ok(handled_of(deposit_id, outcome))
    }

    async fn outcome(&self, operation: DepositOperation) -> Result<Outcome, DeskError> {
        self.handed_in(Authority::of_deposits(), Operation::from(operation)).await
    }

    async fn handed_in(
        &self,
        authority: Authority,
        operation: Operation,
    ) -> Result<Outcome, DeskError> {
        let principal: Principal = "ledger:deposits".parse()?;
        let command = Command {
            principal,
            // The deposit knows its credits, and an account is opened once.
            idempotency: None,
            request: RequestId::from_uuid(self.ids.fresh()),
            authority,
            approval: None,
            operation,
        };
        Ok(self.ledger.submit(command).await?.outcome)
    }
}
