//! Safeguarding certificates: what was said at the close of a bank's day about customers' money,
//! signed, and whether the log and the statements still say so.
//!
//! The figures are made again from the events themselves, one pass over the log for all
//! certificates, and never from read models. A certificate proves who made it only to somebody who
//! knows the key: it is printed, to be compared with one that was noted down elsewhere.

use chrono::NaiveDate;
use ed25519_dalek::{Signature, VerifyingKey};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, Row};

use super::{
    AuditError,
    finding::{Code, Findings},
};

/// The accounts that count, by their ids: what is owed to customers, and what banks say they paid.
const COUNTED: &str = "^(wallet:|merchant:|withdrawals:(reserved|in_flight):|fees:held:\
    |suspense:credits:|returns:unapplied:|refunds:payable:|disputes:held:\
    |bank:[^:]+:clearing_out:)";

/// What is said of a day and a currency. Amounts are as they were computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// What this is: `bahi.safeguarding.2`.
    pub kind: String,
    /// The bank's day.
    pub day: NaiveDate,
    /// The currency.
    pub currency: String,
    /// The figures of our books are as of this position.
    pub position: i64,
    /// Escrow at all banks, as their closed statements of the day state it.
    pub escrow_stated: Decimal,
    /// What lines of later days have brought to escrow and taken from it that are in our books by
    /// that position: they have moved what is owed, and the day's statements do not have them.
    #[serde(default)]
    pub later: Decimal,
    /// What banks said they paid, and no statement shows yet.
    pub clearing_out: Decimal,
    /// All that is owed to customers.
    pub liabilities: Decimal,
    /// The numbers of the statements.
    pub files: Vec<i64>,
}

impl Certificate {
    /// The first word of what is signed.
    pub const KIND: &str = "bahi.safeguarding.2";
    /// The one before: it did not say what came later.
    const KIND_1: &str = "bahi.safeguarding.1";

    /// What is there beyond what is owed; below zero if money is missing.
    pub fn headroom(&self) -> Decimal {
        let escrow = self.escrow_stated.saturating_add(self.later);
        escrow.saturating_sub(self.clearing_out).saturating_sub(self.liabilities)
    }

    /// Whether money is missing.
    pub fn is_short(&self) -> bool {
        self.headroom() < Decimal::ZERO
    }
}

/// A certificate as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its number.
    pub number: i64,
    /// What it says; nothing if its words are none.
    pub certificate: Option<Certificate>,
    /// The words that are signed.
    pub body: String,
    /// The signature.
    pub signature: Vec<u8>,
    /// The key that it was made with.
    pub public_key: Vec<u8>,
}

impl Signed {
    /// Whether the words are those that were signed.
    pub fn is_signed(&self) -> bool {
        let key = <[u8; 32]>::try_from(self.public_key.as_slice());
        let key = key.ok().and_then(|key| VerifyingKey::from_bytes(&key).ok());
        let signature = Signature::from_slice(&self.signature).ok();
        key.zip(signature).is_some_and(|(key, signature)| {
            key.verify_strict(self.body.as_bytes(), &signature).is_ok()
        })
    }
}

/// The certificates of a day, or of all days, the oldest first; with what is wrong with each.
///
/// # Errors
/// [`AuditError::Database`] if they or the log cannot be read.
pub async fn safeguarding(
    pool: &PgPool,
    day: Option<NaiveDate>,
) -> Result<Vec<(Signed, Vec<String>)>, AuditError> {
    let mut connection = pool.acquire().await?;
    let stored = stored(&mut connection, day).await?;
    let faults = faults(&mut connection, &stored).await?;
    Ok(stored.into_iter().zip(faults).collect())
}

/// Puts what is wrong with any certificate among the findings, if the database has them.
pub(super) async fn compare(
    connection: &mut PgConnection,
    findings: &mut Findings,
) -> Result<(), AuditError> {
    // An older database has none, and an auditor's role may not be allowed to read them.
    let there: Option<bool> = sqlx::query_scalar(
        "select has_table_privilege(to_regclass('safeguarding_certificates'), 'select')
            and has_table_privilege(to_regclass('statement_files'), 'select')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if there != Some(true) {
        return Ok(());
    }
    let stored = stored(connection, None).await?;
    for (signed, faults) in stored.iter().zip(faults(connection, &stored).await?) {
        for fault in faults {
            let words = format!("certificate {}: {fault}", signed.number);
            findings.whole(Code::SafeguardingDiffers, words);
        }
    }
    Ok(())
}

async fn stored(
    connection: &mut PgConnection,
    day: Option<NaiveDate>,
) -> Result<Vec<Signed>, sqlx::Error> {
    let rows = sqlx::query(
        "select number, day, currency, position, body, signature, public_key
         from safeguarding_certificates where day = $1 or $1 is null order by number",
    )
    .bind(day)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let body: String = row.try_get("body")?;
            let columns: (NaiveDate, String, i64) =
                (row.try_get("day")?, row.try_get("currency")?, row.try_get("position")?);
            // The columns beside the words are for finding it, and say the same.
            let read: Option<Certificate> = serde_json::from_str(&body).ok();
            let certificate = read.filter(|c| {
                [Certificate::KIND, Certificate::KIND_1].contains(&c.kind.as_str())
                    && (c.day, &c.currency, c.position) == (columns.0, &columns.1, columns.2)
            });
            Ok(Signed {
                number: row.try_get("number")?,
                certificate,
                body,
                signature: row.try_get("signature")?,
                public_key: row.try_get("public_key")?,
            })
        })
        .collect()
}

async fn faults(
    connection: &mut PgConnection,
    stored: &[Signed],
) -> Result<Vec<Vec<String>>, sqlx::Error> {
    let books = Books::read(connection, stored).await?;
    let mut all = Vec::with_capacity(stored.len());
    for signed in stored {
        let mut faults = Vec::new();
        if !signed.is_signed() {
            faults.push("the words are not those that were signed".to_owned());
        }
        match &signed.certificate {
            None => faults.push("its words are no certificate of its day".to_owned()),
            Some(certificate) => {
                let escrow = escrow_of(connection, certificate).await?;
                let later = later_lines(connection, certificate).await?;
                let (clearing_out, liabilities) = books.at(certificate);
                let figures = [
                    ("escrow as stated", certificate.escrow_stated, escrow),
                    ("lines of later days", certificate.later, later),
                    ("clearing_out", certificate.clearing_out, clearing_out),
                    ("liabilities", certificate.liabilities, liabilities),
                ];
                let differing = figures.iter().filter(|(_, said, is)| said != is);
                faults.extend(
                    differing
                        .map(|(what, said, is)| format!("{what}: says {said}, and it is {is}")),
                );
            }
        }
        all.push(faults);
    }
    Ok(all)
}

/// What the statements that a certificate rests on come to.
async fn escrow_of(
    connection: &mut PgConnection,
    certificate: &Certificate,
) -> Result<Decimal, sqlx::Error> {
    sqlx::query_scalar(
        "select coalesce(sum(closing), 0) from statement_files
         where id = any($1) and account = 'escrow' and currency = $2 and day = $3 and closed",
    )
    .bind(&certificate.files)
    .bind(&certificate.currency)
    .bind(certificate.day)
    .fetch_one(connection)
    .await
}

/// What lines of escrow of later days come to that were booked by a certificate's position.
async fn later_lines(
    connection: &mut PgConnection,
    certificate: &Certificate,
) -> Result<Decimal, sqlx::Error> {
    if certificate.kind == Certificate::KIND_1 {
        return Ok(certificate.later);
    }
    sqlx::query_scalar(
        "select coalesce(sum(case l.direction when 'credit' then l.amount else -l.amount end), 0)
         from statement_lines l
         where l.account = 'escrow' and l.currency = $1 and l.day > $2
           and l.bank in (select bank from statement_files where id = any($4)) and exists (
             select from events e where e.aggregate_type = 'bank_line'
             and e.aggregate_id = l.line_id and e.event_type = 'booked' and e.position <= $3)",
    )
    .bind(&certificate.currency)
    .bind(certificate.day)
    .bind(certificate.position)
    .bind(&certificate.files)
    .fetch_one(connection)
    .await
}

/// What the legs between two certificates' positions come to.
struct Step {
    /// The first of the positions at or after them, counted from 1.
    upto: usize,
    currency: String,
    clearing_out: Decimal,
    liabilities: Decimal,
}

/// The balances that count, at the positions of certificates.
struct Books {
    positions: Vec<i64>,
    steps: Vec<Step>,
}

impl Books {
    async fn read(connection: &mut PgConnection, stored: &[Signed]) -> Result<Self, sqlx::Error> {
        let certificates = stored.iter().filter_map(|signed| signed.certificate.as_ref());
        let mut positions: Vec<i64> = certificates.map(|c| c.position).collect();
        positions.sort_unstable();
        positions.dedup();
        let Some(last) = positions.last() else { return Ok(Self { positions, steps: Vec::new() }) };
        // All of these are liabilities: credits less debits. Both bounds, as everywhere.
        let rows = sqlx::query(
            "select width_bucket(position - 1, $1::bigint[]) + 1 as upto,
                    substring(aggregate_id from ':([A-Z0-9]+)$') as currency,
                    aggregate_id like 'bank:%' as out,
                    sum(case event_type when 'credited' then 1 else -1 end
                        * (convert_from(payload, 'UTF8')::json ->> 'amount')::numeric) as sum
             from events
             where position > 0 and position <= $2 and aggregate_type = 'account'
               and event_type in ('debited', 'credited') and aggregate_id ~ $3
             group by 1, 2, 3",
        )
        .bind(&positions)
        .bind(last)
        .bind(COUNTED)
        .fetch_all(connection)
        .await?;
        let mut steps = Vec::with_capacity(rows.len());
        for row in rows {
            let (upto, out): (i32, bool) = (row.try_get("upto")?, row.try_get("out")?);
            let sum: Decimal = row.try_get("sum")?;
            let (clearing_out, liabilities) =
                if out { (sum, Decimal::ZERO) } else { (Decimal::ZERO, sum) };
            let (upto, currency) = (usize::try_from(upto).unwrap_or(0), row.try_get("currency")?);
            steps.push(Step { upto, currency, clearing_out, liabilities });
        }
        Ok(Self { positions, steps })
    }

    /// `clearing_out` and liabilities at a certificate's position, in its currency.
    fn at(&self, certificate: &Certificate) -> (Decimal, Decimal) {
        let place = self.positions.partition_point(|position| *position < certificate.position);
        let steps = self.steps.iter().filter(|step| {
            step.upto <= place.saturating_add(1) && step.currency == certificate.currency
        });
        steps.fold((Decimal::ZERO, Decimal::ZERO), |(out, owed), step| {
            (out.saturating_add(step.clearing_out), owed.saturating_add(step.liabilities))
        })
    }
}
