//! Every version that the limits of a tier and the fees had: who made it, who agreed and
//! why, and what it says.

use ledger_core::{book::ShopTerms, clock::Timestamp, fee::ServiceFee, log::Metadata, tier::Tier};
use serde::de::DeserializeOwned;
use sqlx::{PgPool, Row as _};

/// The most versions that are read.
const VERSIONS_MAX: i64 = 200;

/// A version.
#[derive(Debug, Clone)]
pub(crate) struct Version<T> {
    /// What it says from then on.
    pub(crate) says: T,
    /// Where it stands in the log.
    pub(crate) position: i64,
    /// When.
    pub(crate) at: Timestamp,
    /// Who made it.
    pub(crate) by: Option<String>,
    /// Who agreed.
    pub(crate) approver: Option<String>,
    /// Why.
    pub(crate) reason: Option<String>,
}

/// All versions of all tiers, the last first.
///
/// # Errors
/// What the database says, or that an event is not what it should be.
pub(crate) async fn tiers(pool: &PgPool) -> sqlx::Result<Vec<Version<Tier>>> {
    versions(pool, "tier_defined").await
}

/// All versions of what shops pay but the first, which is in no event; the last first.
///
/// # Errors
/// What the database says, or that an event is not what it should be.
pub(crate) async fn terms(pool: &PgPool) -> sqlx::Result<Vec<Version<ShopTerms>>> {
    versions(pool, "terms_defined").await
}

/// All versions of what withdrawals and transfers cost but the first ones, which are in no event;
/// the last first.
///
/// # Errors
/// What the database says, or that an event is not what it should be.
pub(crate) async fn fees(pool: &PgPool) -> sqlx::Result<Vec<Version<ServiceFee>>> {
    versions(pool, "fee_defined").await
}

async fn versions<T: DeserializeOwned>(
    pool: &PgPool,
    event_type: &str,
) -> sqlx::Result<Vec<Version<T>>> {
    let sql = "select position, recorded_at, payload, metadata from events
               where aggregate_type = 'book' and event_type = $1
               order by sequence desc limit $2";
    let rows = sqlx::query(sql).bind(event_type).bind(VERSIONS_MAX).fetch_all(pool).await?;
    let decoded = |error| sqlx::Error::Decode(Box::new(error));
    let mut versions = Vec::with_capacity(rows.len());
    for row in &rows {
        let metadata: Metadata =
            serde_json::from_slice(row.try_get("metadata")?).map_err(decoded)?;
        versions.push(Version {
            says: serde_json::from_slice(row.try_get("payload")?).map_err(decoded)?,
            position: row.try_get("position")?,
            at: row.try_get("recorded_at")?,
            by: metadata.actor,
            approver: metadata.approver,
            reason: metadata.reason,
        });
    }
    Ok(versions)
}
