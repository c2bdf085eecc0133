//! Payouts that go by themselves: whose day has come, and what became of each day.
//!
//! A day is noted once, by its primary key, in the statement that moves the shop on to its next
//! one. The note is for people: what keeps a day from being paid twice is the withdrawal's id,
//! which the worker makes of the shop and the day.

use chrono::{Days, NaiveDate};
use ledger_core::{
    clock::Timestamp,
    ids::{BankAccountId, WithdrawalId},
};
use sqlx::{Row as _, postgres::PgRow, types::Uuid};

use super::{MerchantId, ShopError, Shops};

/// A day on which a shop's money goes to its bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuePayout {
    /// Whose.
    pub shop: MerchantId,
    /// The day. It may be over: nobody looked.
    pub day: NaiveDate,
    /// The days until the next one.
    pub every: u8,
    /// Where the money is to go.
    pub to: Option<BankAccountId>,
}

impl DuePayout {
    /// The shop's next day after `today`, in its rhythm.
    pub fn next_after(&self, today: NaiveDate) -> NaiveDate {
        let every = Days::new(u64::from(self.every.max(1)));
        let mut next = self.day;
        while next <= today {
            match next.checked_add_days(every) {
                Some(later) => next = later,
                None => return NaiveDate::MAX,
            }
        }
        next
    }
}

/// Why nothing went to the bank on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutSkip {
    /// There was less than the least that goes by itself.
    BelowMinimum,
    /// No bank account is chosen, or the chosen one is not verified any more.
    NoAccount,
    /// No bank sends this much.
    NoWay,
    /// The ledger refused, by this code.
    Refused(String),
}

impl PayoutSkip {
    /// What is stored.
    pub fn as_str(&self) -> &str {
        match self {
            Self::BelowMinimum => "below_minimum",
            Self::NoAccount => "no_account",
            Self::NoWay => "no_way",
            Self::Refused(code) => code,
        }
    }

    fn stored(text: &str) -> Self {
        match text {
            "below_minimum" => Self::BelowMinimum,
            "no_account" => Self::NoAccount,
            "no_way" => Self::NoWay,
            code => Self::Refused(code.to_owned()),
        }
    }

    /// Why, for the shop.
    pub fn words(&self) -> &'static str {
        match self {
            Self::BelowMinimum => "less was available than the least that goes by itself",
            Self::NoAccount => "there was no verified bank account to send it to",
            Self::NoWay => "no bank sends that much at once; withdraw it in parts",
            Self::Refused(code) if code == "account_frozen" => "the shop’s money was frozen",
            Self::Refused(code) if code == "account_closed" => "the shop’s account was closed",
            Self::Refused(_) => "a rule of the ledger was against it",
        }
    }
}

/// What became of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutOutcome {
    /// All that was available goes to the bank.
    Requested(WithdrawalId),
    /// Nothing goes.
    Skipped(PayoutSkip),
}

/// A day that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutDay {
    /// The day.
    pub day: NaiveDate,
    /// What became of it.
    pub outcome: PayoutOutcome,
}

impl Shops {
    /// Whose day has come, the oldest day first.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn due_payouts(
        &self,
        today: NaiveDate,
        at_most: u32,
    ) -> Result<Vec<DuePayout>, ShopError> {
        let rows = sqlx::query(
            "select id, payout_next, payout_every, payout_account from merchants
             where payout_every is not null and payout_next <= $1 and status = 'active'
             order by payout_next, id limit $2",
        )
        .bind(today)
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(due).collect()
    }

    /// Notes what became of a day, and moves the shop on. A day that was noted stays as it was
    /// noted, and a schedule that was changed meanwhile as it was changed.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn note_payout(
        &self,
        due: &DuePayout,
        outcome: &PayoutOutcome,
        (today, at): (NaiveDate, Timestamp),
    ) -> Result<(), ShopError> {
        let (withdrawal, skipped) = match outcome {
            PayoutOutcome::Requested(id) => (Some(id.uuid()), None),
            PayoutOutcome::Skipped(why) => (None, Some(why.as_str())),
        };
        sqlx::query(
            "with noted as (
                 insert into merchant_payouts (merchant_id, day, withdrawal_id, skipped, noted_at)
                 values ($1, $2, $3, $4, $5) on conflict (merchant_id, day) do nothing
             )
             update merchants set payout_next = $6 where id = $1 and payout_next = $2",
        )
        .bind(due.shop.uuid())
        .bind(due.day)
        .bind(withdrawal)
        .bind(skipped)
        .bind(at)
        .bind(due.next_after(today))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The last days of a shop, the newest first.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn payout_days(
        &self,
        shop: MerchantId,
        at_most: u32,
    ) -> Result<Vec<PayoutDay>, ShopError> {
        let rows = sqlx::query(
            "select day, withdrawal_id, skipped from merchant_payouts where merchant_id = $1
             order by day desc limit $2",
        )
        .bind(shop.uuid())
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(day).collect()
    }
}

fn due(row: &PgRow) -> Result<DuePayout, ShopError> {
    let every: i16 = row.try_get("payout_every")?;
    let to: Option<Uuid> = row.try_get("payout_account")?;
    Ok(DuePayout {
        shop: MerchantId::from_uuid(row.try_get("id")?),
        day: row.try_get("payout_next")?,
        every: u8::try_from(every).map_err(|_| ShopError::Malformed("payout_every"))?,
        to: to.map(BankAccountId::from_uuid),
    })
}

fn day(row: &PgRow) -> Result<PayoutDay, ShopError> {
    let withdrawal: Option<Uuid> = row.try_get("withdrawal_id")?;
    let skipped: Option<&str> = row.try_get("skipped")?;
    let outcome = match (withdrawal, skipped) {
        (Some(id), _) => PayoutOutcome::Requested(WithdrawalId::from_uuid(id)),
        (None, Some(why)) => PayoutOutcome::Skipped(PayoutSkip::stored(why)),
        (None, None) => return Err(ShopError::Malformed("merchant_payouts")),
    };
    Ok(PayoutDay { day: row.try_get("day")?, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_keeps_its_rhythm_also_when_nobody_looked() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let due = |every| DuePayout {
            shop: MerchantId::from_uuid(Uuid::from_u128(1)),
            day: date("2026-11-20"),
            every,
            to: None,
        };
        for (every, today, next) in [
            (1, "2026-11-20", "2026-11-21"),
            (1, "2026-11-23", "2026-11-24"),
            (2, "2026-11-20", "2026-11-22"),
            (2, "2026-11-23", "2026-11-24"),
            (7, "2026-12-04", "2026-12-11"),
            (30, "2026-11-21", "2026-12-20"),
        ] {
            assert_eq!(due(every).next_after(date(today)), date(next), "{every} {today}");
        }
    }

    #[test]
    fn why_a_day_was_skipped_is_read_as_it_was_stored() {
        let refused = PayoutSkip::Refused("account_frozen".to_owned());
        for why in [PayoutSkip::BelowMinimum, PayoutSkip::NoAccount, PayoutSkip::NoWay, refused] {
            assert_eq!(PayoutSkip::stored(why.as_str()), why);
        }
    }
}
