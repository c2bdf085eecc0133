//! The check at start, against real servers and roles.

use sqlx::{PgPool, postgres::PgPoolOptions};

use super::*;

/// A durable server with a database as the migrations leave it, and a role as it should be.
async fn proper(root: &Path) -> Cluster {
    let cluster = open_with(root, &options(Mode::Durable)).unwrap();
    create_database(&cluster, "ledger", None).await.unwrap();
    tell(
        &cluster,
        "ledger",
        "create table events (n int); create table batches (n int);
         create table idempotency (n int);
         create role app login;
         grant select, insert on events, batches, idempotency to app;
         alter role app set statement_timeout = '5s';
         alter role app set lock_timeout = '2s';
         alter role app set idle_in_transaction_session_timeout = '5s'",
    )
    .await;
    cluster
}

async fn pool(cluster: &Cluster, database: &str, role: &str) -> PgPool {
    PgPoolOptions::new().max_connections(1).connect(&cluster.url(database, role)).await.unwrap()
}

/// The codes of the warnings, or of the refusal; with a pool of its own, to see fresh settings.
async fn check(cluster: &Cluster, role: &str, production: bool) -> Result<Codes, Codes> {
    let pool = pool(cluster, "ledger", role).await;
    let result = check_settings(&pool, production).await;
    pool.close().await;
    match result {
        Ok(warnings) => Ok(codes(&warnings)),
        Err(CheckError::Refused(findings)) => Err(codes(&findings)),
        Err(error) => panic!("{error}"),
    }
}

type Codes = Vec<&'static str>;

fn codes(findings: &[Finding]) -> Codes {
    findings.iter().map(|finding| finding.code).collect()
}

/// Spoils something, checks, and mends it again.
async fn spoiled(cluster: &Cluster, spoil: &str, mend: &str) -> Result<Codes, Codes> {
    tell(cluster, "ledger", spoil).await;
    let result = check(cluster, "app", true).await;
    tell(cluster, "ledger", mend).await;
    result
}

#[tokio::test]
async fn case_62_a_proper_server_passes_and_each_weakness_is_named() {
    let dir = fresh();
    let cluster = proper(dir.path()).await;
    assert_eq!(check(&cluster, "app", true).await, Ok(vec![]));
    assert_eq!(check(&cluster, SUPERUSER, true).await, Err(vec!["superuser"]));
    let weak = check(&cluster, SUPERUSER, false).await.unwrap();
    assert!(weak.contains(&"superuser"), "{weak:?}");

    let cases = [
        ("alter role app set synchronous_commit = off", "synchronous_commit_off"),
        ("alter role app set default_transaction_read_only = on", "read_only"),
    ];
    for (spoil, code) in cases {
        let mend = "alter role app reset synchronous_commit; \
                    alter role app reset default_transaction_read_only";
        assert_eq!(spoiled(&cluster, spoil, mend).await, Err(vec![code]), "{spoil}");
    }
    let mend = "alter role app reset synchronous_commit";
    let local = "alter role app set synchronous_commit = local";
    assert_eq!(spoiled(&cluster, local, mend).await, Ok(vec![]), "no standby to wait for");
    assert_eq!(check(&cluster, "app", true).await, Ok(vec![]), "mended");
}

#[tokio::test]
async fn privileges_on_the_log_are_select_and_insert_and_nothing_else() {
    let dir = fresh();
    let cluster = proper(dir.path()).await;
    let excess = [
        ("grant update on events to app", "revoke update on events from app"),
        ("grant update (n) on batches to app", "revoke update (n) on batches from app"),
        ("grant delete on idempotency to public", "revoke delete on idempotency from public"),
        ("grant truncate on events to app", "revoke truncate on events from app"),
        ("grant trigger on events to app", "revoke trigger on events from app"),
    ];
    for (spoil, mend) in excess {
        let expected = Err(vec!["privilege_excess"]);
        assert_eq!(spoiled(&cluster, spoil, mend).await, expected, "{spoil}");
    }
    let (spoil, mend) = ("revoke insert on batches from app", "grant insert on batches to app");
    assert_eq!(spoiled(&cluster, spoil, mend).await, Err(vec!["privilege_missing"]));
    let (spoil, mend) = ("alter table events owner to app", "alter table events owner to bahi");
    assert_eq!(spoiled(&cluster, spoil, mend).await, Err(vec!["log_owner"]));
    tell(&cluster, "ledger", "grant select, insert on events to app").await;
    tell(&cluster, "ledger", "drop table batches").await;
    assert_eq!(check(&cluster, "app", true).await, Ok(vec![]), "not there yet: not judged");
}

#[tokio::test]
async fn case_68_time_outs_that_are_not_set_are_named_with_the_line_that_sets_them() {
    let dir = fresh();
    let cluster = proper(dir.path()).await;
    for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        let (spoil, mend) =
            (format!("alter role app reset {name}"), format!("alter role app set {name} = '5s'"));
        let found = spoiled(&cluster, &spoil, &mend).await.unwrap();
        assert_eq!(found, [format!("{name}_unset")]);
    }
    tell(&cluster, "ledger", "alter role app reset lock_timeout").await;
    let pool = pool(&cluster, "ledger", "app").await;
    let warnings = check_settings(&pool, true).await.unwrap();
    let line = "alter role \"app\" set lock_timeout = '2s'";
    assert!(warnings[0].message.contains(line), "{}", warnings[0]);
    pool.close().await;
}

#[tokio::test]
async fn case_62_a_throwaway_server_is_refused_in_production_only() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    tell(&cluster, "postgres", "create role app login").await;
    let pool = pool(&cluster, "postgres", "app").await;
    let tolerated = codes(&check_settings(&pool, false).await.unwrap());
    assert!(tolerated.contains(&"fsync_off"), "{tolerated:?}");
    let refused = check_settings(&pool, true).await.unwrap_err();
    let CheckError::Refused(findings) = &refused else { panic!("{refused}") };
    assert_eq!(codes(findings), ["fsync_off", "full_page_writes_off"]);
    assert!(refused.to_string().contains("full_page_writes is off"), "{refused}");
    pool.close().await;
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused_everywhere() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    let latin = "create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' \
                 template template0";
    tell(&cluster, "postgres", latin).await;
    let pool = pool(&cluster, "latin", SUPERUSER).await;
    let refused = check_settings(&pool, false).await.unwrap_err();
    let CheckError::Refused(findings) = &refused else { panic!("{refused}") };
    assert_eq!(codes(findings), ["encoding_not_utf8"]);
    pool.close().await;
}
