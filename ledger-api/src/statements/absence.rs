//! Whether statements prove that a bank did not pay: the only proof of absence there is.

use chrono::{Days, NaiveDate};
use ledger_core::ids::{BankCode, Reference};
use sqlx::PgPool;

/// What the statements say of a reference of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Both closed statements are without it, and nothing in them could be it.
    Proved,
    /// A statement is missing or can still change, or it has a debit that nobody could explain.
    NotYet,
    /// It is there.
    Present,
}

/// Whether the closed statements of the day of sending and of the next are without `reference`.
///
/// A debit that nobody could explain yet might be the payment under a mangled reference, so it
/// stands in the way of a proof until people have said what it is.
///
/// # Errors
/// What the database says.
pub async fn absent_from_statements(
    pool: &PgPool,
    bank: &BankCode,
    reference: &Reference,
    sent_on: NaiveDate,
) -> sqlx::Result<Absence> {
    let next = sent_on.checked_add_days(Days::new(1)).unwrap_or(sent_on);
    // One statement: what is looked at twice could change in between.
    let (present, closed, unexplained): (bool, i64, bool) = sqlx::query_as(
        "select exists (select from statement_lines where bank = $1 and reference = $2),
                (select count(*) from (
                     select distinct on (day) closed from statement_files
                     where bank = $1 and account = 'escrow' and day in ($3, $4)
                     order by day, id desc) f where f.closed),
                exists (select from statement_lines l
                        left join statement_bookings b using (line_id)
                        where l.bank = $1 and l.account = 'escrow' and l.day in ($3, $4)
                          and l.direction = 'debit'
                          and coalesce(b.purpose, 'unknown') = 'unknown')",
    )
    .bind(bank.as_str())
    .bind(reference.as_str())
    .bind(sent_on)
    .bind(next)
    .fetch_one(pool)
    .await?;
    Ok(match (present, closed, unexplained) {
        (true, _, _) => Absence::Present,
        (false, 2, false) => Absence::Proved,
        (false, _, _) => Absence::NotYet,
    })
}
