//! Every version that a tier had: who made it, who agreed, and what it allows.

use ledger_core::{clock::Timestamp, log::Metadata, tier::Tier};
use sqlx::{PgPool, Row as _};

/// The most versions that are read.
const VERSIONS_MAX: i64 = 200;

/// A version of a tier.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// The tier, as it was from then on.
    pub(crate) tier: Tier,
    /// Where it stands in the log.
    pub(crate) position: i64,
    /// When.
    pub(crate) at: Timestamp,
    /// Who made it.
    pub(crate) by: Option<String>,
    /// Who agreed.
    pub(crate) approver: Option<String>,
}

/// All versions of all tiers, the last first.
///
/// # Errors
/// What the database says, or that an event is not what it should be.
pub(crate) async fn versions(pool: &PgPool) -> sqlx::Result<Vec<Version>> {
    let sql = "select position, recorded_at, payload, metadata from events
               where aggregate_type = 'book' and event_type = 'tier_defined'
               order by sequence desc limit $1";
    let rows = sqlx::query(sql).bind(VERSIONS_MAX).fetch_all(pool).await?;
    let decoded = |error| sqlx::Error::Decode(Box::new(error));
    let mut versions = Vec::with_capacity(rows.len());
    for row in &rows {
        let metadata: Metadata =
            serde_json::from_slice(row.try_get("metadata")?).map_err(decoded)?;
        versions.push(Version {
            tier: serde_json::from_slice(row.try_get("payload")?).map_err(decoded)?,
            position: row.try_get("position")?,
            at: row.try_get("recorded_at")?,
            by: metadata.actor,
            approver: metadata.approver,
        });
    }
    Ok(versions)
}
