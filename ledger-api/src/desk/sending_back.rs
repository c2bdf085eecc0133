//! What lies in suspense goes back to whom it came from.
//!
//! The payee is who paid, by the bank's own word, asked for anew; kept as bank accounts are, so it
//! can be erased and a swapped one is found out before anything is sent. Where the bank does not
//! say, two persons name a bank account that was verified before.

use ledger_core::{
    bank_line::LineKey,
    chart::Authority,
    deposit::credit,
    ids::{BankAccountId, BankCode, Item, Owner, PayeeHash, Rail, Reference, WithdrawalId},
    money::Money,
    withdrawal::{SendBack, WithdrawalOperation},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::suspense as rule;
use crate::{
    banks::{
        Bank, Credit, Payee,
        accounts::{Checked, CreateError, NewBankAccount},
    },
    http::{
        Problem,
        approval::Approver,
        codes,
        idempotency::{self, Key},
        reader::caught_up,
        writer::{Done, Identity, Permission, Writer},
    },
    statements::stored_line,
    suspense::{self, OpenCredit},
};

/// Whose the bank accounts are that money is sent back to: no customer's.
const OWNER: &str = "bahi";

/// Why it goes back, and where to if the bank does not say who paid.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuspenseReturn)]
pub(crate) struct ReturnIn {
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "third_party")]
    pub(crate) reason: Reference,
    /// A verified bank account of the owner `bahi`, where the bank does not say who paid; takes two
    /// persons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) bank_account: Option<BankAccountId>,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal; where it takes two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) evidence_sha256: Option<String>,
}

/// Sends a credit back, all of it, once.
pub(crate) async fn send_back(
    writer: &Writer,
    approver: &Approver,
    item: &Item,
    key: Key,
    body: &ReturnIn,
) -> Result<Done, Problem> {
    caught_up(&writer.state).await?;
    let office = Office { writer, item, body };
    let open = suspense::open_credits(&writer.state.reads, Some(item)).await?;
    match open.first() {
        Some(open) => {
            let permission = office.permission(approver, open)?;
            let way = office.way(open, &key).await?;
            office.submit(key, permission, way).await
        }
        // Asked before by this key it is answered again; else the ledger says why it is not there.
        None => office.submit(key, Authority::of_withdrawals().into(), office.nothing()?).await,
    }
}

/// What is sent, to whom, and how.
struct Route {
    amount: Money,
    line: Option<LineKey>,
    bank: BankCode,
    rail: Rail,
    bank_account: BankAccountId,
    payee_hash: PayeeHash,
}

/// A request to send an item back.
struct Office<'a> {
    writer: &'a Writer,
    item: &'a Item,
    body: &'a ReturnIn,
}

impl Office<'_> {
    fn permission(&self, approver: &Approver, open: &OpenCredit) -> Result<Permission, Problem> {
        let is_named = self.body.bank_account.is_some();
        let credit = (open.amount, open.currency);
        let two = is_named || rule::takes_two(self.writer, credit);
        let said = (&self.body.reason, self.body.evidence_sha256.as_deref());
        rule::permission(self.writer, approver, two, said, Authority::of_withdrawals())
    }

    async fn submit(
        &self,
        key: Key,
        permission: Permission,
        route: Route,
    ) -> Result<Done, Problem> {
        let back = WithdrawalOperation::SendBack(SendBack {
            withdrawal_id: self.writer.withdrawal_id(),
            transaction_id: self.writer.transaction_id(),
            item: self.item.clone(),
            line: route.line,
            amount: route.amount,
            bank_account: route.bank_account,
            bank: route.bank,
            rail: route.rail,
            payee_hash: route.payee_hash,
            reason: Some(self.body.reason.clone()),
        });
        let path = &[self.item.as_str()];
        let identity = Identity { key, operation: "return_suspense", path, body: self.body };
        self.writer.submit(identity, permission, back.into()).await
    }

    async fn way(&self, open: &OpenCredit, key: &Key) -> Result<Route, Problem> {
        let amount = self.amount(open)?;
        let line = match self.item.as_str().parse() {
            Ok(line) => stored_line(&self.writer.state.reads, line).await?.map(|line| line.key),
            Err(_) => None,
        };
        let sender = self.item.as_str().parse::<WithdrawalId>().ok();
        let (bank, before) = match sender {
            Some(sender) => self.sent_before(sender).await?,
            None => (open.said.as_ref().map(|said| said.bank.clone()), None),
        };
        let bank = bank.as_ref().and_then(|bank| self.writer.state.banks.get(bank));
        let bank = bank.ok_or_else(|| {
            Problem::new(codes::BANK_UNKNOWN, "This service does not call the credit's bank.")
        })?;
        let rail = rail(bank.as_ref(), amount).await?;
        let (bank_account, payee_hash) = match self.body.bank_account.or(before) {
            Some(account) => self.verified(account).await?,
            None => self.remitter(bank.as_ref(), amount, key).await?,
        };
        let bank = bank.code().clone();
        Ok(Route { amount, line, bank, rail, bank_account, payee_hash })
    }

    fn amount(&self, open: &OpenCredit) -> Result<Money, Problem> {
        let status = self.writer.state.ledger.status();
        let currency = status.borrow().book.currency(open.currency);
        let currency = currency.ok_or_else(|| Problem::internal(&"no currency"))?;
        Money::from_decimal(open.amount, currency).map_err(|error| Problem::internal(&error))
    }

    /// A route that nothing can go by, for an item that is not there: less than anything that lies
    /// in suspense would be.
    fn nothing(&self) -> Result<Route, Problem> {
        let currency = "INR".parse().map_err(|error| Problem::internal(&error))?;
        let currency = self.writer.state.ledger.status().borrow().book.currency(currency);
        let unknown = || Problem::not_found("There is nothing of this id.");
        let smallest = currency.and_then(|currency| {
            let least = rust_decimal::Decimal::new(1, u32::from(currency.scale));
            Money::from_decimal(least, currency).ok()
        });
        let parsed = "none".parse().ok().zip("none".parse().ok()).zip("0".repeat(64).parse().ok());
        let ((bank, rail), payee_hash) = parsed.ok_or_else(unknown)?;
        let bank_account = BankAccountId::from_uuid(self.writer.state.ids.fresh());
        let amount = smallest.ok_or_else(unknown)?;
        Ok(Route { amount, line: None, bank, rail, bank_account, payee_hash })
    }

    /// Where a withdrawal was to send it that did not get through.
    async fn sent_before(
        &self,
        sender: WithdrawalId,
    ) -> Result<(Option<BankCode>, Option<BankAccountId>), Problem> {
        let found = self.writer.state.read_models.withdrawal(sender).await?.value;
        let requested = found.and_then(|found| found.withdrawal.properties().cloned());
        Ok(requested.map(|requested| (requested.bank, requested.bank_account)).unzip())
    }

    /// A verified bank account of nobody's, with its hash as it comes out now.
    async fn verified(&self, id: BankAccountId) -> Result<(BankAccountId, PayeeHash), Problem> {
        let accounts = &self.writer.state.bank_accounts;
        let known = accounts.get(id).await?.filter(|known| known.owner.as_str() == OWNER);
        known.ok_or_else(|| {
            let detail = format!("{OWNER} has no such bank account.");
            Problem::new(codes::BANK_ACCOUNT_NOT_FOUND, detail)
        })?;
        let (_, hash) = accounts.payee(id).await?.ok_or_else(|| {
            let detail = "The bank account was not verified, or was erased.";
            Problem::new(codes::BANK_ACCOUNT_UNVERIFIED, detail)
        })?;
        Ok((id, hash))
    }

    /// Who paid, by the bank's word, kept as a bank account; the same one if asked again.
    async fn remitter(
        &self,
        bank: &dyn Bank,
        amount: Money,
        Key(key): &Key,
    ) -> Result<(BankAccountId, PayeeHash), Problem> {
        let payee = self.payer(bank, amount).await?;
        let state = &self.writer.state;
        let owner: Owner = OWNER.parse().map_err(|error| Problem::internal(&error))?;
        let path = &[self.item.as_str()];
        let secret = &state.fingerprint_key;
        let new = NewBankAccount {
            id: BankAccountId::from_uuid(state.ids.fresh()),
            owner,
            payee,
            at: state.clock.now(),
            principal: self.writer.caller.principal.clone(),
            idempotency: idempotency::bind(secret, key.clone(), "remitter", path, self.body)?,
        };
        let kept = state.bank_accounts.create(&new).await.map_err(|error| match error {
            CreateError::KeyReused => {
                Problem::new(codes::IDEMPOTENCY_KEY_REUSED, "The key came with another request.")
            }
            CreateError::Database(error) => error.into(),
        })?;
        let right = Checked::Right { registered_name: None };
        let id = kept.account.id;
        state.bank_accounts.note_check(id, bank.code(), &right, state.clock.now()).await?;
        self.verified(id).await
    }

    /// Who paid: what the bank says of this very credit, and of no other.
    async fn payer(&self, bank: &dyn Bank, amount: Money) -> Result<Payee, Problem> {
        let unknown = || {
            let detail = "The bank does not say from which account the money came.";
            Problem::new(codes::REMITTER_UNKNOWN, detail)
        };
        let (deposit_id, number) = credit::of_item(self.item).ok_or_else(unknown)?;
        let found = self.writer.state.read_models.deposit(deposit_id).await?.value;
        let known = found.and_then(|found| found.deposit.credit(number).cloned());
        let known = known.ok_or_else(unknown)?.credit;
        let credit_id = known.credit_id.ok_or_else(unknown)?;
        let told = bank.credit(&credit_id).await.map_err(|error| {
            tracing::warn!(bank = %bank.code(), %error, "who paid was not found out");
            unavailable()
        })?;
        let same = |told: &Credit| {
            told.bank_transaction_id == known.bank_transaction_id
                && told.value_date == known.value_date
                && told.amount.amount() == amount.amount()
        };
        let payer = told.filter(same).and_then(|told| told.payer).ok_or_else(unknown)?;
        Payee::parse(&payer.account_number, &payer.ifsc, &payer.name).map_err(|_| unknown())
    }
}

/// The first way of a bank that takes the amount.
async fn rail(bank: &dyn Bank, amount: Money) -> Result<Rail, Problem> {
    let contract = bank.contract().await.map_err(|error| {
        tracing::warn!(bank = %bank.code(), %error, "its rails are not known");
        unavailable()
    })?;
    let fits = contract.rails.iter().find(|terms| terms.takes(amount));
    fits.map(|terms| terms.rail.clone()).ok_or_else(|| {
        Problem::new(codes::RAIL_UNKNOWN, "The bank does not send this much, or this little.")
    })
}

fn unavailable() -> Problem {
    let detail = "The bank gave no answer to rely on. Nothing was changed.";
    Problem::new(codes::BANK_UNAVAILABLE, detail).retry_after(5)
}
