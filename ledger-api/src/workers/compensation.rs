//! What a bank's lateness costs us: a withdrawal that failed or came back later than the end of the
//! bank's next day gives its customer so much for each day more, once, by itself.
//!
//! The ledger knows each compensation by a key of its withdrawal, so that it is paid once whoever
//! asks how often; the table only spares the looking.

use chrono::Days;
use ledger_core::{
    chart::Direction,
    clock::Timestamp,
    command::{Command, Idempotency, Operation, Outcome},
    ids::{AccountId, RequestId, WithdrawalId},
    log::Position,
    money::{Currency, Money},
    posting::{Kind, Posting, PostingLeg},
};
use projections::WithdrawalRow;
use rust_decimal::Decimal;

use super::dues::{Dues, DuesError, TAKEN_MAX, house_account};
use crate::banks::Contract;

/// The currency that the rule is about (RBI, 2019). How much it is, the house decides.
const CURRENCY: &str = "INR";
const EXPENSE: &str = "expense:compensation";

impl Dues {
    /// Pays for what was late and was not looked at; the last position.
    pub(super) async fn compensate(&self) -> Result<Position, DuesError> {
        let mut position = 0;
        for row in self.late().await? {
            let Some(bank) = self.banks.get(&row.bank) else { continue };
            // Not told now: the next look asks again.
            let Ok(contract) = bank.contract().await else { continue };
            let days = days_late(&row, &contract).unwrap_or_default();
            if days > 0
                && !self.per_day.is_zero()
                && row.account.currency().is_ok_and(|code| code.as_str() == CURRENCY)
            {
                let Some(at) = self.pay(&row, days).await? else { continue };
                position = position.max(at);
            }
            self.note(row.id, days).await?;
        }
        Ok(position)
    }

    /// Withdrawals that ended on their wallets more than a day after they were sent, and were not
    /// looked at.
    async fn late(&self) -> Result<Vec<WithdrawalRow>, DuesError> {
        let seen = self.read_models.late_withdrawals(TAKEN_MAX).await?;
        Ok(seen.value)
    }

    /// Nothing if the wallet cannot take it now.
    async fn pay(&self, row: &WithdrawalRow, days: i64) -> Result<Option<Position>, DuesError> {
        let code = row.account.currency().ok();
        let Some(currency) = code.and_then(|code| self.clerk.currency(code)) else {
            return Ok(None);
        };
        let Some((operation, idempotency)) = compensation(self, row, currency, days) else {
            return Ok(None);
        };
        if let Some(open) = house_account(EXPENSE, currency) {
            self.clerk.hand_in(open).await?;
        }
        // A refusal would stand under the key for ever; a wallet that cannot take it now may later.
        if !self.clerk.would_accept(operation.clone()).await? {
            return Ok(None);
        }
        let command = Command {
            principal: self.clerk.principal.clone(),
            idempotency: Some(idempotency),
            request: RequestId::from_uuid(self.clerk.ids.fresh()),
            authority: self.clerk.authority,
            approval: None,
            operation,
        };
        match self.clerk.ledger.submit(command).await?.outcome {
            Outcome::Accepted(accepted) => {
                metrics::counter!("bahi_compensations_total").increment(1);
                tracing::info!(withdrawal = %row.id, days, "a late bank is paid for");
                Ok(Some(accepted.position))
            }
            Outcome::Rejected(rejection) => {
                let code = rejection.code;
                tracing::warn!(withdrawal = %row.id, code, "a late bank is not paid for: look");
                Ok(Some(0))
            }
        }
    }

    async fn note(&self, id: WithdrawalId, days: i64) -> sqlx::Result<()> {
        let sql = "insert into withdrawal_compensations
                       (withdrawal_id, days_late, noted_at, per_day)
                   values ($1, $2, $3, $4) on conflict do nothing";
        let now = self.clerk.clock.now();
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        sqlx::query(sql)
            .bind(id.uuid())
            .bind(days)
            .bind(now)
            .bind(self.per_day)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}

fn compensation(
    dues: &Dues,
    row: &WithdrawalRow,
    currency: Currency,
    days: i64,
) -> Option<(Operation, Idempotency)> {
    let mut amount = dues.per_day.checked_mul(Decimal::from(days))?;
    amount.rescale(u32::from(currency.scale));
    let amount = Money::from_decimal(amount, currency).ok()?;
    let expense = AccountId::new(&EXPENSE.parse().ok()?, currency.code);
    let leg = |account, direction| PostingLeg { account, direction, amount, item: None };
    let legs = vec![leg(expense, Direction::Debit), leg(row.account.clone(), Direction::Credit)];
    let posting = Posting {
        transaction_id: dues.clerk.transaction_id(),
        kind: Kind::COMPENSATION.parse().ok()?,
        legs,
        effective_on: None,
        value_date: None,
        conditions: Vec::new(),
        note: Some(format!("{}: {days} days late", row.id)),
    };
    let mut fingerprint = [0; 32];
    for (byte, of_id) in fingerprint.iter_mut().zip(row.id.uuid().as_bytes()) {
        *byte = *of_id;
    }
    let key = format!("compensation/{}", row.id).parse().ok()?;
    Some((Operation::Post(vec![posting]), Idempotency { key, fingerprint }))
}

/// How many of the bank's days later than the day after its sending a withdrawal ended.
fn days_late(row: &WithdrawalRow, contract: &Contract) -> Option<i64> {
    let day = |at: Timestamp| at.with_timezone(&contract.time_zone).date_naive();
    let due = day(row.begun_at?).checked_add_days(Days::new(1))?;
    Some(day(row.changed_at).signed_duration_since(due).num_days().max(0))
}
