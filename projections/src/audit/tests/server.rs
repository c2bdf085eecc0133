//! A database of a test's own, on the launcher's server that all tests share.

#[expect(dead_code, reason = "the tests of the whole ledger use more of it")]
#[path = "../../../../tests/it/support/database.rs"]
mod database;

use sqlx::{Connection as _, Executor as _, PgPool};

/// The server stops with the last of them.
pub(super) struct Database {
    /// As the application's role: for what is tried.
    pub(super) pool: PgPool,
    database: database::Database,
}

impl Database {
    /// A fresh one, migrated.
    pub(super) async fn new() -> Self {
        let database = database::Database::create().await;
        Self { pool: database.pool().await, database }
    }

    /// Does what only a superuser can.
    pub(super) async fn execute(&self, sql: &str) {
        let mut superuser = self.database.superuser().await;
        superuser.execute(sql).await.expect(sql);
        superuser.close().await.expect("it ends");
    }

    /// Asserts that a trigger refuses it even to a superuser.
    pub(super) async fn refused(&self, sql: &str) {
        let mut superuser = self.database.superuser().await;
        let refused = superuser.execute(sql).await.expect_err(sql);
        assert!(refused.to_string().contains("append-only"), "{sql}: {refused}");
        superuser.close().await.expect("it ends");
    }
}
