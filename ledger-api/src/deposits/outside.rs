//! Money that payers with apps of other banks send to a shop's code: known by the reference (`tr`)
//! that the code says, which is the id of a payment request, or by the shop's address, which is all
//! that the code on a wall says.
//!
//! Each such credit has an account of its own, a wallet that belongs to nobody: the credit is a
//! deposit on it, the payment takes the money from there, and what goes back to the payer goes back
//! from there. So every step is one that the ledger knows and proves already, and no payer's money
//! lies together with another's. What is noted here only says what the money is for; everything is
//! once by ids that follow from the credit.

mod back;
mod listed;
mod seen;

use std::collections::BTreeMap;

use ledger_core::{
    account::AccountError,
    chart::{self, Authority, PostingClass},
    command::{OpenAccount, Operation, Outcome},
    deposit::{CreditClaim, DepositOperation, RecordReceived, credit},
    ids::{
        AccountCode, AccountId, BankCode, DepositId, IdError, MerchantCode, PaymentId,
        PaymentRequestId, Reference,
    },
    money::Money,
};
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, Row as _, postgres::PgRow, types::Uuid};

use super::{CreditDesk, DeskError, Handled, handled_of};
pub use back::OutsideReturn;
pub use listed::{IncomingCounts, IncomingFilter};
pub use seen::{Incoming, IncomingState, Mark, Stuck};

use crate::{payments::handle_of, shops::MerchantId};

/// What the accounts of such credits begin with.
const BEGINS: &str = "wallet:upi-";

/// What is known of such credits; cheap to clone.
#[derive(Debug, Clone)]
pub struct Outside {
    pool: PgPool,
}

/// A credit that is to become a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideCredit {
    /// Its deposit.
    pub deposit_id: DepositId,
    /// Where its money is.
    pub account: AccountId,
    /// The bank.
    pub bank: BankCode,
    /// The bank's name for it.
    pub credit_id: Option<Reference>,
    /// The request that it pays; nothing if only the shop was named.
    pub request: Option<PaymentRequestId>,
    /// Whose that is.
    pub merchant: MerchantId,
}

impl OutsideCredit {
    /// The payment that it becomes: always the same one.
    pub fn payment_id(&self) -> PaymentId {
        payment_of(&self.account)
    }
}

/// The payment that the credit of an account becomes.
fn payment_of(account: &AccountId) -> PaymentId {
    PaymentId::from_uuid(derived("payment", account.as_str()))
}

/// What a reference names: a request, if it is one, and the shop.
type Named = (Option<PaymentRequestId>, MerchantId);

/// Whether an account is one of such a credit.
pub fn is_outside(account: &AccountId) -> bool {
    account.as_str().starts_with(BEGINS)
}

/// A UUID that follows from what it is for.
fn derived(what: &str, of: &str) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(format!("bahi.outside.1\n{what}\n{of}"));
    let digest: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(digest.split_at(16).0);
    // Version 8: no id that was made can be one of these.
    uuid::Builder::from_custom_bytes(half).into_uuid()
}

/// The account of a credit. The day is in it, for banks use their numbers again after years.
///
/// # Errors
/// Never: it is short and well formed.
fn account_of(claim: &CreditClaim) -> Result<AccountId, IdError> {
    let deposit = credit::id_of(&claim.bank, &claim.bank_transaction_id);
    let own = derived("account", &format!("{deposit}\n{}", claim.value_date));
    let code: AccountCode = format!("{BEGINS}{}", own.simple()).parse()?;
    Ok(AccountId::new(&code, claim.amount.currency().code))
}

/// Who owns the accounts that money from outside waits on: no customer.
const HOUSE: &str = "bahi";

const CREDIT: &str = "c.deposit_id, c.account_id, c.bank, c.credit_id, c.request_id, c.merchant";

/// When something is looked at again that waits since a moment: after a quarter of the time that
/// it has waited, within a minute.
fn again_after(since: &str) -> String {
    format!(
        "now() + least(interval '1 minute', greatest(interval '1 second', (now() - {since}) / 4))"
    )
}

impl Outside {
    /// Those of a database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// What a reference names: a request and whose it is, or a shop by its address alone; nothing
    /// if it is none of ours. A request is asked of the log: a read model may lag, and somebody's
    /// money would be taken for nobody's.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn named(&self, token: &Reference) -> sqlx::Result<Option<Named>> {
        if let Some(handle) = handle_of(token.as_str()) {
            // Of a shop that is closed as well: then it goes back, and is no money in suspense.
            let sql = "select id from merchants where handle = $1";
            let query = sqlx::query_scalar(sql).bind(handle.to_ascii_lowercase());
            let found: Option<Uuid> = query.fetch_optional(&self.pool).await?;
            return Ok(found.map(|id| (None, MerchantId::from_uuid(id))));
        }
        let Ok(id) = token.as_str().parse::<PaymentRequestId>() else { return Ok(None) };
        let sql = "select convert_from(payload, 'UTF8')::json ->> 'merchant' from events
                   where aggregate_type = 'payment_request' and aggregate_id = $1
                     and event_type = 'created'";
        let found: Option<String> =
            sqlx::query_scalar(sql).bind(id.to_string()).fetch_optional(&self.pool).await?;
        let code = found.and_then(|text| text.parse::<MerchantCode>().ok());
        let shop = code.and_then(|code| crate::payments::shop_of(&code));
        Ok(shop.map(|shop| (Some(id), shop)))
    }

    /// The account of a credit that was noted for the same before, if it was: banks use their
    /// numbers again after years, and not sooner.
    async fn account_noted(
        &self,
        claim: &CreditClaim,
        (request, merchant): &Named,
    ) -> sqlx::Result<Option<AccountId>> {
        let sql = "select account_id from outside_credits
                   where deposit_id = $1 and request_id is not distinct from $2 and merchant = $3
                     and noted_at > now() - interval '180 days'
                   order by noted_at limit 1";
        let row = sqlx::query(sql)
            .bind(credit::id_of(&claim.bank, &claim.bank_transaction_id).uuid())
            .bind(request.map(PaymentRequestId::uuid))
            .bind(merchant.uuid())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| text(&row, "account_id")).transpose()
    }

    /// Notes what a credit is for, once; the bank's name for it, as soon as it is known; and how
    /// much the bank says that it is.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn note(
        &self,
        claim: &CreditClaim,
        account: &AccountId,
        (request, merchant): Named,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "insert into outside_credits as c
                 (deposit_id, account_id, bank, credit_id, request_id, merchant, amount,
                  payment_id, noted_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, now())
             on conflict (account_id) do update
                 set credit_id = coalesce(c.credit_id, excluded.credit_id),
                     amount = excluded.amount, payment_id = excluded.payment_id",
        )
        .bind(credit::id_of(&claim.bank, &claim.bank_transaction_id).uuid())
        .bind(account.as_str())
        .bind(claim.bank.as_str())
        .bind(claim.credit_id.as_ref().map(Reference::as_str))
        .bind(request.map(PaymentRequestId::uuid))
        .bind(merchant.uuid())
        .bind(claim.amount.amount())
        .bind(payment_of(account).uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes up credits that are neither the shop's yet nor going back. Each comes again later, and
    /// ever more seldom, so that those that wait for something keep no other back.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn take_open(&self, limit: u32) -> sqlx::Result<Vec<OutsideCredit>> {
        let sql = format!(
            "with due as (
                 select account_id from outside_credits where state = 'open' and due_at <= now()
                 order by due_at limit $1 for update skip locked
             )
             update outside_credits c set due_at = {}
             from due where c.account_id = due.account_id
             returning {CREDIT}",
            again_after("c.noted_at")
        );
        let rows = sqlx::query(&sql).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        rows.iter().map(outside_credit).collect()
    }

    /// Whether the log has the payment that a credit becomes: whoever made it may have ended before
    /// it said so.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn is_paid(&self, credit: &OutsideCredit) -> sqlx::Result<bool> {
        let sql = "select exists (select from events
                                  where aggregate_type = 'payment' and aggregate_id = $1)";
        let query = sqlx::query_scalar(sql).bind(credit.payment_id().to_string());
        query.fetch_one(&self.pool).await
    }

    /// Says that the shop has it, or that people look.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn conclude(
        &self,
        credit: &OutsideCredit,
        state: &'static str,
        reason: Option<&str>,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "update outside_credits set state = $2, reason = $3
             where account_id = $1 and state = 'open'",
        )
        .bind(credit.account.as_str())
        .bind(state)
        .bind(reason)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

impl CreditDesk {
    /// Has the log say that a bank's message told of such a credit, which is not money yet: so the
    /// shop sees that something comes, and is told so, before the bank itself was asked.
    pub(super) async fn received_outside(
        &self,
        claim: CreditClaim,
        account: AccountId,
    ) -> Result<Handled, DeskError> {
        let deposit_id = credit::id_of(&claim.bank, &claim.bank_transaction_id);
        let claim = CreditClaim { unsolicited_to: Some(account), ..claim };
        let received = RecordReceived { deposit_id, claim };
        let outcome = self.outcome(DepositOperation::RecordReceived(received)).await?;
        Ok(handled_of(deposit_id, outcome))
    }

    /// The account of a credit whose reference names a shop's payment request: noted for what it
    /// is, and open before anything is booked on it.
    pub(super) async fn outside_account(
        &self,
        token: Option<&Reference>,
        claim: &CreditClaim,
    ) -> Result<Option<AccountId>, DeskError> {
        let Some(token) = token else { return Ok(None) };
        let Some(named) = self.outside.named(token).await? else { return Ok(None) };
        // What a message dated otherwise than the bank's answer is the same credit still.
        let account = match self.outside.account_noted(claim, &named).await? {
            Some(account) => account,
            None => account_of(claim)?,
        };
        self.outside.note(claim, &account, named).await?;
        let unknown = IdError { expected: "account in the chart" };
        let entry = chart::lookup(&account.code()).ok_or(unknown)?;
        let open = OpenAccount {
            floor: entry.floor_zero.then(|| Money::zero(claim.amount.currency()).amount()),
            ceiling: None,
            currency: claim.amount.currency(),
            owner: HOUSE.parse()?,
            account_type: entry.account_type,
            class: entry.class,
            itemised: entry.itemised,
            metadata: BTreeMap::new(),
            account: account.clone(),
        };
        let authority = Authority::of(&[PostingClass::Open]);
        match self.handed_in(authority, Operation::OpenAccount(open)).await? {
            Outcome::Rejected(refused) if refused.code != AccountError::Exists.code() => {
                tracing::warn!(%account, code = refused.code, "no account for a shop's credit");
                Ok(None)
            }
            Outcome::Accepted(_) | Outcome::Rejected(_) => Ok(Some(account)),
        }
    }
}

fn text<T: std::str::FromStr>(row: &PgRow, column: &str) -> sqlx::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn outside_credit(row: &PgRow) -> sqlx::Result<OutsideCredit> {
    let named = row.try_get::<Option<&str>, _>("credit_id")?.is_some();
    Ok(OutsideCredit {
        deposit_id: DepositId::from_uuid(row.try_get("deposit_id")?),
        account: text(row, "account_id")?,
        bank: text(row, "bank")?,
        credit_id: if named { Some(text(row, "credit_id")?) } else { None },
        request: row.try_get::<Option<Uuid>, _>("request_id")?.map(PaymentRequestId::from_uuid),
        merchant: MerchantId::from_uuid(row.try_get("merchant")?),
    })
}

#[cfg(test)]
mod tests {
    use ledger_core::{
        money::{Currency, Money},
        withdrawal::Source,
    };

    use super::*;

    #[test]
    fn a_credit_has_an_account_of_its_own_that_follows_from_it() {
        let rupees = Currency { code: "INR".parse().unwrap(), scale: 2 };
        let claim = CreditClaim {
            bank: "hdfc".parse().unwrap(),
            bank_transaction_id: "HT-1".parse().unwrap(),
            credit_id: None,
            utr: None,
            value_date: "2026-11-23".parse().unwrap(),
            amount: Money::parse("10", rupees).unwrap(),
            source: Source::Enquiry,
            payer_hash: None,
            review: None,
            unsolicited_to: None,
        };
        let account = account_of(&claim).unwrap();
        assert!(is_outside(&account) && ledger_core::deposit::movement::is_wallet(&account));
        assert_eq!(account_of(&claim), Ok(account.clone()));
        let later = CreditClaim { value_date: "2032-11-23".parse().unwrap(), ..claim.clone() };
        let other = CreditClaim { bank: "axis".parse().unwrap(), ..claim };
        for another in [later, other] {
            assert_ne!(account_of(&another).unwrap(), account);
        }
        assert!(!is_outside(&"wallet:upi:INR".parse().unwrap()));
    }
}
