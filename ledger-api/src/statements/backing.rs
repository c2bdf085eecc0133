//! Backing: whether customers' money is there. Per currency, what the banks state last of escrow,
//! less what they said they paid and no statement shows yet, against all that is owed to customers.

use rust_decimal::Decimal;
use sqlx::{PgPool, Row, postgres::PgRow};

/// The figures of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backing {
    /// The currency.
    pub currency: String,
    /// Escrow at all banks, as they state it last.
    pub escrow_stated: Decimal,
    /// What they said they paid, and no statement shows yet.
    pub clearing_out: Decimal,
    /// All that is owed to customers.
    pub liabilities: Decimal,
}

impl Backing {
    /// What is there beyond what is owed; below zero if money is missing.
    pub fn headroom(&self) -> Decimal {
        self.escrow_stated.saturating_sub(self.clearing_out).saturating_sub(self.liabilities)
    }

    /// Whether money is missing.
    pub fn is_short(&self) -> bool {
        self.headroom() < Decimal::ZERO
    }
}

/// The backing of every currency in which a bank has stated an escrow.
///
/// # Errors
/// What the database says.
pub async fn backing(pool: &PgPool) -> sqlx::Result<Vec<Backing>> {
    // One statement, so that the sums are of one moment.
    let sql = "
        with stated as (
            select currency, sum(closing) as closing from (
                select distinct on (bank, currency) bank, currency, closing from statement_files
                where account = 'escrow' order by bank, currency, day desc, id desc) last
            group by currency
        )
        select s.currency, s.closing, max(a.scale) as scale,
               coalesce(sum(a.balance) filter (where a.code like 'bank:%'), 0) as clearing_out,
               coalesce(sum(a.balance) filter (where a.code not like 'bank:%'), 0) as liabilities
        from stated s
        left join read.accounts a on a.currency = s.currency
             and a.code ~ '^(wallet:|merchant:|withdrawals:(reserved|in_flight)$|fees:held$'
                       '|suspense:credits$|returns:unapplied$|refunds:payable$|disputes:held$'
                       '|bank:[^:]+:clearing_out$)'
        group by s.currency, s.closing order by s.currency";
    let rows = sqlx::query(sql).fetch_all(pool).await?;
    rows.iter().map(one).collect()
}

fn one(row: &PgRow) -> sqlx::Result<Backing> {
    let scale: Option<i32> = row.try_get("scale")?;
    let at_scale = |column| -> sqlx::Result<Decimal> {
        let mut amount: Decimal = row.try_get(column)?;
        if let Some(scale) = scale.and_then(|scale| u32::try_from(scale).ok()) {
            amount.rescale(scale);
        }
        Ok(amount)
    };
    Ok(Backing {
        currency: row.try_get("currency")?,
        escrow_stated: at_scale("closing")?,
        clearing_out: at_scale("clearing_out")?,
        liabilities: at_scale("liabilities")?,
    })
}
