//! The books at the end of a load: right, or there is nothing to measure.

use projections::audit::{self, Report};
use sqlx::{PgPool, postgres::PgConnectOptions};

/// Has the whole log verified; an error if anything is found.
pub(crate) async fn verified(database: PgConnectOptions) -> anyhow::Result<Report> {
    let pool = PgPool::connect_with(database).await?;
    let report = audit::verify_database(&pool, &audit::Options::default(), |_| ()).await?;
    pool.close().await;
    anyhow::ensure!(report.verified, "the books are not right: {:?}", report.findings);
    Ok(report)
}
