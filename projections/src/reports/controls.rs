//! Control totals: each class of accounts against what it must be the sum of, as it stands in
//! tables that are kept apart from it. A difference means that one of the two is wrong.
//!
//! Read in one statement of one snapshot of the database. Nothing is moved by it, and nobody
//! decides by it: a difference is for people to look at.

use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{PgConnection, Row, postgres::PgRow};

/// What an account, or all accounts of a heading, are held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Which control: a stable name.
    pub control: String,
    /// The account or heading.
    pub subject: String,
    /// The currency.
    pub currency: String,
    /// What the accounts have.
    pub ledger: Decimal,
    /// What their parts come to.
    pub counted: Decimal,
    /// The one less the other; zero if all is well.
    pub difference: Decimal,
}

impl Control {
    /// Whether both sides are made of the log alone: then a difference means that a read model is
    /// wrong. In the others somebody else has a say: a bank whose lines wait to be booked, or who
    /// posts on a shop's account by hand.
    pub fn is_of_the_log(&self) -> bool {
        !["bank_statement", "unsettled_payments"].contains(&&*self.control)
    }

    /// Whether both are the same.
    pub fn holds(&self) -> bool {
        self.difference.is_zero()
    }
}

/// What the database could not tell.
#[derive(Debug, thiserror::Error)]
#[error("a control total cannot be read")]
pub struct ControlError(#[from] pub(crate) sqlx::Error);

/// All controls, one part of the statement each: name, subject, currency, scale, ledger, counted.
const CONTROLS: [&str; 6] = [
    // Accounts that are kept by item, against their open items.
    "select 'open_items' as control, a.id as subject, a.currency, a.scale, a.balance as ledger,
            coalesce(sum(case when a.account_type in ('asset', 'expense') then o.net_debits
                              else -o.net_debits end), 0) as counted
     from read.accounts a left join read.open_items o on o.account_id = a.id
     where a.itemised group by a.id",
    // Every heading, against the flows of all its days: two tables that the same legs made.
    "select 'daily_flows', heading, currency, max(scale), sum(ledger), sum(counted)
     from (select {heading} as heading, a.currency, a.scale,
                  a.debits_posted - a.credits_posted as ledger, coalesce(f.net, 0) as counted
           from read.accounts a
           left join (select account_id, sum(debits - credits) as net
                      from read.flows group by account_id) f on f.account_id = a.id) one
     group by heading, currency",
    // What accounts hold, against their open holds.
    "select 'open_holds', heading, currency, max(scale), sum(ledger), sum(counted)
     from (select {heading} as heading, a.currency, a.scale, a.held as ledger,
                  coalesce(h.amount, 0) as counted
           from read.accounts a
           left join (select account_id, sum(amount) as amount from read.holds
                      where state = 'open' group by account_id) h on h.account_id = a.id
           where a.held <> 0 or h.amount is not null) one
     group by heading, currency",
    // Money set aside for withdrawals, against withdrawals that are under way: what is there for
    // one that has ended, or for none, is not counted.
    "select 'withdrawals_under_way', a.id, a.currency, a.scale, a.balance,
            coalesce(sum(-o.net_debits) filter (where w.status in ('pending_review', 'queued',
                'processing', 'outcome_unknown', 'needs_attention')), 0)
     from read.accounts a
     left join read.open_items o on o.account_id = a.id
     left join read.withdrawals w on 'wd_' || replace(w.id::text, '-', '') = o.item
     where a.code in ('withdrawals:reserved', 'withdrawals:in_flight') group by a.id",
    // What shops wait for is at least what their payments that are not settled come to, less what
    // refunds and disputes may have taken from there. More may have come by other ways.
    "select 'unsettled_payments', a.id, a.currency, a.scale, a.balance,
            greatest(a.balance, coalesce(sum(p.net - p.refunded - p.disputed), 0))
     from read.accounts a
     left join read.payments p on p.settlement_id is null and p.currency = a.currency
                              and a.code = 'merchant:' || p.merchant || ':unsettled'
     where a.code like 'merchant:%:unsettled' group by a.id",
    // A bank's own account, against what the bank stated at the close of its last closed day and
    // the lines of later days that are booked already.
    "select 'bank_statement', s.account_id, s.currency, coalesce(a.scale, scale(s.closing)),
            coalesce(a.balance, 0),
            s.closing + coalesce((
                select sum(case l.direction when 'credit' then b.amount else -b.amount end)
                from statement_lines l join statement_bookings b using (line_id)
                where l.bank = s.bank and l.account = s.account and l.currency = s.currency
                  and l.day > s.day), 0)
     from (select distinct on (bank, account, currency) *,
                  format('bank:%s:%s:%s', bank, account, currency) as account_id
           from statement_files where closed
           order by bank, account, currency, day desc, id desc) s
     left join read.accounts a on a.id = s.account_id",
];

/// Reads all controls, those that hold too, by name and subject.
///
/// # Errors
/// What the database says.
pub async fn controls(connection: &mut PgConnection) -> Result<Vec<Control>, ControlError> {
    let parts = CONTROLS.map(|part| part.replace("{heading}", super::HEADING_SQL));
    let sql = format!(
        "select control, subject, currency, scale::int as scale, ledger::text, counted::text
         from ({}) c order by control, subject, currency",
        parts.join("\nunion all\n")
    );
    let rows = sqlx::query(&sql).fetch_all(connection).await?;
    Ok(rows.iter().map(control).collect::<sqlx::Result<_>>()?)
}

fn control(row: &PgRow) -> sqlx::Result<Control> {
    let scale: i32 = row.try_get("scale")?;
    let scale = u32::try_from(scale).unwrap_or_default();
    let at_scale = |mut amount: Decimal| {
        if amount.scale() < scale {
            amount.rescale(scale);
        }
        amount
    };
    let (ledger, counted) =
        (crate::reads::decimal(row, "ledger")?, crate::reads::decimal(row, "counted")?);
    let difference = ledger.checked_sub(counted).ok_or_else(|| {
        crate::reads::undecodable("counted", std::io::Error::other("the difference is too large"))
    })?;
    Ok(Control {
        control: row.try_get("control")?,
        subject: row.try_get("subject")?,
        currency: row.try_get("currency")?,
        ledger: at_scale(ledger),
        counted: at_scale(counted),
        difference: at_scale(difference),
    })
}
