//! What a load writes to the write-ahead log, and how much of that is whole pages.

use std::{fmt, time::Duration};

use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};

/// After how long an idle server process has reported what it counted (it says so after ten
/// seconds at the latest).
const REPORTED: Duration = Duration::from_secs(11);

/// The server's counts.
#[derive(Clone, Copy)]
pub(crate) struct Wal {
    bytes: i64,
    full_pages: i64,
}

impl Wal {
    /// The counts when everything has been reported. Call it when nothing writes.
    pub(crate) async fn settled(database: &PgConnectOptions) -> anyhow::Result<Self> {
        tokio::time::sleep(REPORTED).await;
        let mut db = PgConnection::connect_with(database).await?;
        let row = sqlx::query("select wal_bytes::bigint, wal_fpi from pg_stat_wal")
            .fetch_one(&mut db)
            .await?;
        db.close().await?;
        Ok(Self { bytes: row.try_get(0)?, full_pages: row.try_get(1)? })
    }

    /// What came since.
    pub(crate) const fn since(self, before: Self) -> Self {
        Self { bytes: self.bytes - before.bytes, full_pages: self.full_pages - before.full_pages }
    }
}

impl fmt::Display for Wal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MB of WAL with {} full pages", self.bytes / 1_000_000, self.full_pages)
    }
}
