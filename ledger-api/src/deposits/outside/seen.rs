//! What shops and people at the desk see of money from outside: notes, with where the read models
//! have the money. Nothing is decided by it.

use std::{fmt, str::FromStr};

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, IdError, PaymentId, PaymentRequestId, RefundId, WithdrawalId},
    withdrawal::WithdrawalStatus,
};
use rust_decimal::Decimal;
use sqlx::{Row as _, postgres::PgRow, types::Uuid};

use super::{CREDIT, Outside, OutsideCredit, outside_credit, text};
use crate::shops::MerchantId;

/// The most that a list shows.
const LISTED_MAX: i64 = 100;

/// Where a payment from outside is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncomingState {
    /// A bank has told of it, and the shop does not have it yet.
    Processing,
    /// The shop has it.
    Paid,
    /// The shop cannot have it: it goes back to its payer.
    Failed,
}

impl IncomingState {
    /// What the notes call it.
    pub(super) const fn noted(self) -> &'static [&'static str] {
        match self {
            Self::Processing => &["open", "people"],
            Self::Paid => &["paid"],
            Self::Failed => &["back"],
        }
    }
}

/// A payment from outside as its shop sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The credit.
    pub credit: OutsideCredit,
    /// The payment that it is or would be.
    pub payment: PaymentId,
    /// Where it is.
    pub state: IncomingState,
    /// Why the shop cannot have it: the ledger's code.
    pub reason: Option<String>,
    /// How much the bank says; in the currency of the credit's account.
    pub amount: Option<Decimal>,
    /// When the bank first told of it.
    pub told_at: Timestamp,
    /// The withdrawal that sends it back, once there is one, and where that is.
    pub back: Option<(WithdrawalId, Option<WithdrawalStatus>)>,
    /// What the shop knows its request by.
    pub order_id: Option<String>,
    /// The store of its request.
    pub store: Option<String>,
    /// The terminal of its request.
    pub terminal: Option<String>,
}

/// The columns and tables of what is seen, beside the credit's own columns.
pub(super) const SEEN: &str = "c.state, c.reason, c.amount, c.noted_at, r.withdrawal_id, \
    w.status as withdrawal_status, p.order_id, p.store, p.terminal \
    from outside_credits c \
    left join outside_returns r \
        on r.account_id = c.account_id and r.id = c.deposit_id and not r.is_refund \
    left join read.withdrawals w on w.id = r.withdrawal_id \
    left join read.payment_requests p on p.id = c.request_id";

/// Money of a payer from outside that waits for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The account that it lies on.
    pub account: AccountId,
    /// How much, in the account's currency.
    pub amount: Decimal,
    /// Since when.
    pub since: Timestamp,
    /// Whose code was paid.
    pub merchant: MerchantId,
    /// What was to go back; nothing if it is a credit that nobody decided about.
    pub back: Option<Uuid>,
    /// The refund, if that is what was to go back.
    pub refund: Option<RefundId>,
    /// The withdrawal that did not arrive, and how it ended.
    pub withdrawal: Option<(WithdrawalId, WithdrawalStatus)>,
    /// Why the shop does not have it.
    pub reason: Option<String>,
}

impl Stuck {
    /// The withdrawal after which it can be sent once more: one that is over, with all of its money
    /// on the account again.
    pub fn can_be_sent_after(&self) -> Option<WithdrawalId> {
        self.withdrawal.filter(|(_, status)| came_back(*status)).map(|(id, _)| id)
    }
}

/// Where a list of what waits goes on: behind this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    since: Timestamp,
    account: AccountId,
    /// All zeros for a credit that nothing of is to go back yet.
    back: Uuid,
}

impl Mark {
    /// Behind this one.
    pub fn behind(one: &Stuck) -> Self {
        let back = one.back.unwrap_or_default();
        Self { since: one.since, account: one.account.clone(), back }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.since.timestamp_micros(), self.back.simple(), self.account)
    }
}

impl FromStr for Mark {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError { expected: "place in a list" };
        let mut parts = text.splitn(3, ' ');
        let mut next = || parts.next().ok_or_else(wrong);
        let (since, back, account) = (next()?, next()?, next()?);
        let since = since.parse().ok().and_then(Timestamp::from_timestamp_micros);
        Ok(Self {
            since: since.ok_or_else(wrong)?,
            back: back.parse().map_err(|_| wrong())?,
            account: account.parse()?,
        })
    }
}

/// Whether a withdrawal is over and its money is where it came from.
fn came_back(status: WithdrawalStatus) -> bool {
    use WithdrawalStatus as At;
    match status {
        At::Failed | At::Rejected | At::Cancelled | At::Returned => true,
        At::PendingReview
        | At::Queued
        | At::Processing
        | At::OutcomeUnknown
        | At::NeedsAttention
        | At::Completed => false,
    }
}

impl Outside {
    /// What came or comes for a request, the newest first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn incoming_of_request(
        &self,
        request: PaymentRequestId,
    ) -> sqlx::Result<Vec<Incoming>> {
        self.incoming("c.request_id = $1", request.uuid()).await
    }

    /// What lies, or lay, on an account of such a credit.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn incoming_on(&self, account: &AccountId) -> sqlx::Result<Option<Incoming>> {
        let sql = format!("select {CREDIT}, {SEEN} where c.account_id = $1");
        let found = sqlx::query(&sql).bind(account.as_str()).fetch_optional(&self.pool).await?;
        found.as_ref().map(incoming).transpose()
    }

    /// Whether a payment's id is one that follows from a credit, as no other payment's does.
    pub fn may_have_made(payment: PaymentId) -> bool {
        payment.uuid().get_version_num() == 8
    }

    /// What is to become this payment.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn incoming_payment(&self, payment: PaymentId) -> sqlx::Result<Option<Incoming>> {
        let found = self.incoming("c.payment_id = $1", payment.uuid()).await?;
        Ok(found.into_iter().next())
    }

    async fn incoming(&self, of: &'static str, id: Uuid) -> sqlx::Result<Vec<Incoming>> {
        let sql = format!("select {CREDIT}, {SEEN} where {of} order by c.noted_at desc limit $2");
        let rows = sqlx::query(&sql).bind(id).bind(LISTED_MAX).fetch_all(&self.pool).await?;
        rows.iter().map(incoming).collect()
    }

    /// What waits for people, the oldest first, behind one of them: what came back of the payer's
    /// bank, and what is on such an account without anything happening to it.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn stuck(&self, behind: Option<&Mark>, most: u32) -> sqlx::Result<Vec<Stuck>> {
        self.stuck_of(behind, None, most).await
    }

    /// What did not arrive by this withdrawal and waits for people.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn stuck_after(&self, withdrawal: WithdrawalId) -> sqlx::Result<Option<Stuck>> {
        Ok(self.stuck_of(None, Some(withdrawal), 1).await?.pop())
    }

    async fn stuck_of(
        &self,
        behind: Option<&Mark>,
        of: Option<WithdrawalId>,
        most: u32,
    ) -> sqlx::Result<Vec<Stuck>> {
        let sql = "
            select * from (
            select c.account_id, a.balance, a.scale, r.asked_at as since, c.merchant, c.reason,
                   r.id as back, r.is_refund, r.withdrawal_id, w.status as withdrawal_status
            from outside_returns r
            join outside_credits c on c.account_id = r.account_id
            join read.accounts a on a.id = c.account_id and a.balance > 0
            left join read.withdrawals w on w.id = r.withdrawal_id
            where (r.state = 'sent' and w.status in ('failed', 'rejected', 'cancelled', 'returned'))
               or (r.state = 'open' and r.asked_at < now() - interval '10 minutes')
            union all
            select c.account_id, a.balance, a.scale, c.noted_at, c.merchant, c.reason,
                   null, false, null, null
            from outside_credits c
            join read.accounts a on a.id = c.account_id and a.balance > 0
            where c.state in ('open', 'people') and c.noted_at < now() - interval '10 minutes'
            ) waits
            where ($2::timestamptz is null
                   or (since, account_id, coalesce(back, $6)) > ($2, $3 collate \"C\", $4))
              and ($5::uuid is null or withdrawal_id = $5)
            order by since, account_id, coalesce(back, $6) limit $1";
        let query = sqlx::query(sql)
            .bind(i64::from(most))
            .bind(behind.map(|mark| mark.since))
            .bind(behind.map(|mark| mark.account.as_str()))
            .bind(behind.map(|mark| mark.back))
            .bind(of.map(WithdrawalId::uuid))
            .bind(Uuid::nil());
        query.fetch_all(&self.pool).await?.iter().map(stuck).collect()
    }
}

/// The withdrawal of a row and where it is, if there is one.
fn withdrawal(row: &PgRow) -> sqlx::Result<Option<(WithdrawalId, Option<WithdrawalStatus>)>> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("withdrawal_id")? else { return Ok(None) };
    let status: Option<&str> = row.try_get("withdrawal_status")?;
    let known = |text: &str| WithdrawalStatus::ALL.into_iter().find(|one| one.as_str() == text);
    Ok(Some((WithdrawalId::from_uuid(id), status.and_then(known))))
}

pub(super) fn incoming(row: &PgRow) -> sqlx::Result<Incoming> {
    let credit = outside_credit(row)?;
    Ok(Incoming {
        payment: credit.payment_id(),
        credit,
        state: match row.try_get("state")? {
            "paid" => IncomingState::Paid,
            "back" => IncomingState::Failed,
            _ => IncomingState::Processing,
        },
        reason: row.try_get("reason")?,
        amount: row.try_get("amount")?,
        told_at: row.try_get("noted_at")?,
        back: withdrawal(row)?,
        order_id: row.try_get("order_id")?,
        store: row.try_get("store")?,
        terminal: row.try_get("terminal")?,
    })
}

fn stuck(row: &PgRow) -> sqlx::Result<Stuck> {
    let back: Option<Uuid> = row.try_get("back")?;
    let is_refund: bool = row.try_get("is_refund")?;
    let (mut amount, scale): (Decimal, i32) = (row.try_get("balance")?, row.try_get("scale")?);
    amount.rescale(u32::try_from(scale).unwrap_or_default());
    Ok(Stuck {
        account: text(row, "account_id")?,
        amount,
        since: row.try_get("since")?,
        merchant: MerchantId::from_uuid(row.try_get("merchant")?),
        back,
        refund: back.filter(|_| is_refund).map(RefundId::from_uuid),
        withdrawal: withdrawal(row)?.and_then(|(id, status)| Some((id, status?))),
        reason: row.try_get("reason")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_read_as_it_was_written() {
        let mark = Mark {
            since: "2026-11-22T08:30:00.123456Z".parse().unwrap(),
            account: "wallet:upi-1:INR".parse().unwrap(),
            back: Uuid::from_u128(7),
        };
        assert_eq!(mark.to_string().parse::<Mark>(), Ok(mark));
        for wrong in ["", "1", "1 2", "x 00000000000000000000000000000007 wallet:upi-1:INR"] {
            assert!(wrong.parse::<Mark>().is_err(), "{wrong}");
        }
    }
}
