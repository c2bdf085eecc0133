//! The auditors' role of the database, asked directly.

use sqlx::{Connection, PgConnection};

use crate::{
    support::database::{APP, SUPERUSER},
    user_api::person::Scene,
};

/// SQLSTATE of a missing privilege, of a transaction that only reads, and of the triggers.
const DENIED: &str = "42501";
const READ_ONLY: &str = "25006";
const REFUSED: &str = "23000";

async fn code(db: &mut PgConnection, sql: &str) -> String {
    match sqlx::raw_sql(sql).execute(db).await {
        Ok(_) => "done".to_owned(),
        Err(error) => {
            let database = error.as_database_error().unwrap_or_else(|| panic!("{sql}: {error}"));
            database.code().unwrap().into_owned()
        }
    }
}

/// All tables, of the log, the application and the read models.
async fn tables(db: &mut PgConnection) -> Vec<String> {
    let sql = "select format('%I.%I', schemaname, tablename) from pg_tables
               where schemaname in ('public', 'read') order by 1";
    sqlx::query_scalar(sql).fetch_all(db).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_143_the_auditors_role_writes_nothing_but_what_it_looked_at() {
    let scene = Scene::start().await;
    scene.person("asha", "10.00").await;
    let mut db = PgConnection::connect(&scene.bahi.database.url(APP)).await.unwrap();
    let tables = tables(&mut db).await;
    assert!(tables.len() > 40, "{tables:?}");
    // As the service takes it on, though not even read-only.
    sqlx::query("set role bahi_auditor").execute(&mut db).await.unwrap();
    for table in &tables {
        for sql in [
            format!("insert into {table} default values"),
            format!("delete from {table}"),
            format!("truncate {table}"),
            format!("drop table {table}"),
            format!("lock table {table} in access exclusive mode"),
        ] {
            let told = code(&mut db, &format!("begin; {sql}")).await;
            sqlx::query("rollback").execute(&mut db).await.unwrap();
            let own = ["public.access_log", "public.audit_runs"].contains(&table.as_str());
            if own && sql.starts_with("insert") {
                assert_ne!(told, "done", "{sql}");
            } else {
                assert_eq!(told, DENIED, "{sql}");
            }
        }
    }
    for sql in [
        "update events set payload = payload",
        "update access_log set reason = 'none'",
        "update audit_runs set verified = true",
        "update people set handle = 'other'",
        "insert into audit_runs (id, kind, asked_by, asked_at, state, verified, ended_at) \
         values (gen_random_uuid(), 'verify', 'me', now(), 'done', true, now())",
        "select phc from credentials",
        "select token_sha256 from sessions",
        "select * from api_keys",
        "select * from webhook_secrets",
        "create table mine (x int)",
    ] {
        assert_eq!(code(&mut db, sql).await, DENIED, "{sql}");
    }
    for table in ["events", "read.accounts", "access_log", "staff", "inbox_deliveries"] {
        assert_eq!(code(&mut db, &format!("select count(*) from {table}")).await, "done");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_143_the_pool_of_the_auditors_pages_is_that_role_and_only_reads() {
    let scene = Scene::start().await;
    let like = scene.bahi.database.pool().await;
    let pool = ledger_api::db::audit_pool(&like);
    let role: String =
        sqlx::query_scalar("select current_user::text").fetch_one(&pool).await.unwrap();
    assert_eq!(role, ledger_api::db::AUDITOR_ROLE);
    let sql = "insert into access_log (at, who, what, subject, reason)
               values (now(), 'me', 'name_opened', 'them', 'because')";
    let error = sqlx::query(sql).execute(&pool).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().unwrap(), READ_ONLY);
    pool.close().await;
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_177_nobody_rewrites_the_access_log() {
    let scene = Scene::start().await;
    let insert = "insert into access_log (at, who, what, subject, reason)
                  values (now(), 'me', 'name_opened', 'them', 'because')";
    for (role, refusal) in [(APP, DENIED), (SUPERUSER, REFUSED)] {
        let mut db = PgConnection::connect(&scene.bahi.database.url(role)).await.unwrap();
        assert_eq!(code(&mut db, insert).await, "done");
        for sql in [
            "update access_log set reason = 'none'",
            "delete from access_log",
            "truncate access_log",
        ] {
            assert_eq!(code(&mut db, sql).await, refusal, "{role} {sql}");
        }
        // Case 178: one line is one line, whoever writes it.
        let forged = insert.replace("'because'", "E'a\\nb'");
        assert_eq!(code(&mut db, &forged).await, "23514", "{role}");
    }
    scene.finish().await;
}
