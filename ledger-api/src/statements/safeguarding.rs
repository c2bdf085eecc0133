//! Makes the safeguarding certificate of a bank day: once every bank has closed it, and every line
//! of it is booked. What it says is checked by `projections::audit`, which makes the figures again.
//!
//! The figures of our books are as of the moment of the certificate, for that is when the day's
//! lines are in them. Lines of later days may be in them too, where a bank has stated more of the
//! next day by then, or another bank is days behind: what they moved is counted. Of several days
//! that close at once the last one gets a certificate.

use chrono::NaiveDate;
use ed25519_dalek::{Signer as _, SigningKey};
use projections::audit::Certificate;
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, Row};

/// What certificates are signed with: a key that follows from the installation's secret.
#[derive(Clone)]
pub struct CertificateKey(SigningKey);

impl std::fmt::Debug for CertificateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CertificateKey")
    }
}

impl CertificateKey {
    /// The key of this installation.
    pub fn of(secret: &[u8; 32]) -> Self {
        let seed = Sha256::new().chain_update(b"bahi/safeguarding-key/1").chain_update(secret);
        let seed: [u8; 32] = seed.finalize().into();
        Self(SigningKey::from_bytes(&seed))
    }

    /// What it is known by to others.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }
}

/// Makes the certificates that are due; those that it made.
///
/// # Errors
/// What the database says.
pub async fn certify(pool: &PgPool, key: &CertificateKey) -> sqlx::Result<Vec<Certificate>> {
    let mut made = Vec::new();
    for certificate in due(pool).await? {
        let body = serde_json::to_string(&certificate)
            .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let files: Vec<String> = certificate.files.iter().map(ToString::to_string).collect();
        let inserted = sqlx::query(
            "insert into safeguarding_certificates
                 (day, currency, files, position, body, signature, public_key)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        )
        .bind(certificate.day)
        .bind(&certificate.currency)
        .bind(files.join(","))
        .bind(certificate.position)
        .bind(&body)
        .bind(key.0.sign(body.as_bytes()).to_bytes().as_slice())
        .bind(key.public().as_slice())
        .execute(pool)
        .await?;
        if inserted.rows_affected() > 0 {
            made.push(certificate);
        }
    }
    Ok(made)
}

/// What is due: one statement, so that the sums and the position are of one moment: the projector
/// moves both in one transaction.
const DUE: &str = "
    with current as (
        select distinct on (bank, currency, day) bank, currency, day, id, closing, closed
        from statement_files where account = 'escrow'
        order by bank, currency, day, id desc
    ), firsts as (
        select bank, currency, min(day) as first from current group by bank, currency
    ), days as (
        -- Every bank that we had by then has closed it.
        select c.currency, c.day, sum(c.closing) as closing,
               array_agg(c.id order by c.id) as files
        from current c group by c.currency, c.day
        having bool_and(c.closed) and count(*) = (
            select count(*) from firsts f where f.currency = c.currency and f.first <= c.day)
    ), last as (
        select distinct on (currency) currency, day, closing, files from days
        order by currency, day desc
    )
    select l.currency, l.day, l.closing, l.files,
           (select position from read.checkpoint) as position,
           (select coalesce(sum(case s.direction when 'credit' then s.amount
                                                 else -s.amount end), 0)
            from statement_lines s
            where s.account = 'escrow' and s.currency = l.currency and s.day > l.day
              and s.bank in (select bank from statement_files where id = any(l.files))
              and exists (
                  select from events e where e.aggregate_type = 'bank_line'
                  and e.aggregate_id = s.line_id and e.event_type = 'booked'
                  and e.position <= (select position from read.checkpoint))) as later,
           coalesce(sum(a.balance) filter (where a.code like 'bank:%'), 0) as clearing_out,
           coalesce(sum(a.balance) filter (where a.code not like 'bank:%'), 0) as liabilities,
           max(a.scale) as scale
    from last l
    left join read.accounts a on a.currency = l.currency
         and a.code ~ '^(wallet:|merchant:|withdrawals:(reserved|in_flight)$|fees:held$'
                   '|suspense:credits$|returns:unapplied$|refunds:payable$|disputes:held$'
                   '|bank:[^:]+:clearing_out$)'
    where not exists (
            select from statement_lines s where s.currency = l.currency and s.day <= l.day
            and not exists (select from statement_bookings b where b.line_id = s.line_id))
      and not exists (
            select from safeguarding_certificates k where k.currency = l.currency
            and k.day = l.day and k.files = array_to_string(l.files, ','))
    group by l.currency, l.day, l.closing, l.files";

/// The certificates that the days which are closed last lack, by currency.
async fn due(pool: &PgPool) -> sqlx::Result<Vec<Certificate>> {
    let rows = sqlx::query(DUE).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            let scale: Option<i32> = row.try_get("scale")?;
            let scale = scale.and_then(|scale| u32::try_from(scale).ok());
            let figure = |column| -> sqlx::Result<Decimal> {
                let mut figure: Decimal = row.try_get(column)?;
                if let Some(scale) = scale {
                    figure.rescale(scale);
                }
                Ok(figure)
            };
            Ok(Certificate {
                kind: Certificate::KIND.to_owned(),
                day: row.try_get::<NaiveDate, _>("day")?,
                currency: row.try_get("currency")?,
                position: row.try_get("position")?,
                escrow_stated: figure("closing")?,
                later: figure("later")?,
                clearing_out: figure("clearing_out")?,
                liabilities: figure("liabilities")?,
                files: row.try_get("files")?,
            })
        })
        .collect()
}
