//! What goes wrong around the API: too many readers, cut connections, a database that is away.

use std::time::{Duration, Instant};

use futures::future::join_all;
use ledger_api::{db, identity::Scope, setup};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    bahi::{Set, TestBahi, send, transfer},
    database::{APP, Database},
};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";

#[tokio::test(flavor = "multi_thread")]
async fn case_55_when_all_connections_are_taken_reads_are_refused_and_writes_and_health_go_on() {
    let set = Set { read_connections_max: 1, ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    admin.get(&format!("/v1/accounts/{A}")).await.made();

    // The only connection waits for a lock.
    let mut superuser = bahi.database.superuser().await;
    sqlx::query("begin").execute(&mut superuser).await.unwrap();
    sqlx::query("lock table read.accounts").execute(&mut superuser).await.unwrap();
    let blocked = admin.clone();
    let blocked = tokio::spawn(async move { blocked.get(&format!("/v1/accounts/{A}")).await });
    let waiting = "select count(*) from pg_locks where not granted and relation =
                   'read.accounts'::regclass";
    let locked = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut superuser).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), locked).await.expect("it waits for the lock");
    let refused = admin.get(&format!("/v1/accounts/{B}")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text);
    assert!(["overloaded", "ledger_unavailable"].contains(&&*refused.code()), "{}", refused.text);
    assert_eq!(refused.header("retry-after"), "1");
    // Money moves by the engine's own connection; health has its own.
    admin.transfer(A, B, "1.00").await.made();
    assert_eq!(admin.get("/readyz").await.status, StatusCode::OK);
    sqlx::query("rollback").execute(&mut superuser).await.unwrap();
    // It gave up by its lock time-out, or got through at the end.
    let blocked = blocked.await.unwrap();
    assert!(blocked.status.is_success() || blocked.code() == "ledger_unavailable");
    admin.get(&format!("/v1/accounts/{B}")).await.made();
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_53_reads_that_are_cut_off_leave_no_transaction_open() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    let cut = (0..60_u64).map(|index| {
        let admin = admin.clone();
        async move {
            let path = format!("/v1/accounts/{A}/statement");
            let patience = Duration::from_micros(index * 100);
            drop(tokio::time::timeout(patience, admin.get(&path)).await);
        }
    });
    join_all(cut).await;
    admin.get(&format!("/v1/accounts/{A}/statement")).await.made();
    let mut superuser = bahi.database.superuser().await;
    let open = "select count(*) from pg_stat_activity where datname = current_database()
                and state like 'idle in transaction%' and application_name = 'bahi-reads'";
    let closed = async {
        while sqlx::query_scalar::<_, i64>(open).fetch_one(&mut superuser).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), closed).await.expect("all are closed");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_68_sessions_have_time_limits() {
    let bahi = TestBahi::spawn().await;
    let pool = db::read_pool(bahi.database.options("bahi_app"), 1);
    for (name, value) in [
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "5s"),
    ] {
        let set: String =
            sqlx::query_scalar(&format!("show {name}")).fetch_one(&pool).await.unwrap();
        assert_eq!(set, value, "{name}");
    }
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_60_a_session_that_idles_in_a_transaction_is_ended_and_what_it_held_up_goes_on() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    // Of the two kinds that the service makes, one holds a lock and one an old snapshot.
    let began = Instant::now();
    let parts = setup::Database::own(&bahi.database.options(APP));
    let parts = parts.pool(parts.app().clone());
    let reads = db::read_pool(bahi.database.options(APP), 1);
    let (mut holder, mut reader) = (parts.acquire().await.unwrap(), reads.acquire().await.unwrap());
    let mut sessions: Vec<i32> = Vec::new();
    for (session, begin, hold) in [
        (&mut holder, "begin", "select position from read.checkpoint for update"),
        (&mut reader, "begin isolation level repeatable read", "select count(*) from events"),
    ] {
        sqlx::query(begin).execute(&mut **session).await.unwrap();
        sqlx::query(hold).execute(&mut **session).await.unwrap();
        let pid = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut **session).await;
        sessions.push(pid.unwrap());
    }
    let mut superuser = bahi.database.superuser().await;
    let held = "select count(*) from pg_stat_activity where pid = any($1)
                and state = 'idle in transaction'
                and (backend_xid is not null or backend_xmin is not null)";
    let held: i64 =
        sqlx::query_scalar(held).bind(&sessions).fetch_one(&mut superuser).await.unwrap();
    assert_eq!(held, 2);

    // Money moves; the read models cannot follow, and that is shown.
    let moved = admin.transfer(A, B, "1.00").await;
    let shown = admin.get("/readyz").await.made();
    assert!(shown["lag_events"].as_u64().unwrap() > 0, "{shown}");
    let left = "select count(*) from pg_stat_activity where pid = any($1)";
    let ended = async {
        let left = || sqlx::query_scalar::<_, i64>(left).bind(&sessions);
        while left().fetch_one(&mut superuser).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), ended).await.expect("both are ended");
    assert!(began.elapsed() >= Duration::from_secs(5), "something else ended them");
    assert_eq!(admin.balance(B, moved.position()).await, "1.00");
    // Their pools go on with others.
    drop((holder, reader));
    for pool in [parts, reads] {
        assert_eq!(sqlx::query_scalar::<_, i32>("select 1").fetch_one(&pool).await.unwrap(), 1);
    }
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_57_after_all_sessions_are_ended_the_service_goes_on() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let mut superuser = bahi.database.superuser().await;
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query(end).execute(&mut superuser).await.unwrap();
    let body = transfer(A, B, "1.00");
    let done = async {
        loop {
            let answer = admin.post_with("k", "/v1/transactions", &body).await;
            if answer.status == StatusCode::CREATED {
                return answer;
            }
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text);
            assert_eq!(answer.json()["retry"], "same_key");
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(15), done).await.expect("it recovers");
    let read = async {
        let path = format!("/v1/accounts/{B}/balance?min_position={}", answer.position());
        loop {
            let answer = admin.get(&path).await;
            if answer.status.is_success() {
                return answer.json()["posted"]["value"].clone();
            }
        }
    };
    let posted = tokio::time::timeout(Duration::from_secs(15), read).await.expect("it reads");
    assert_eq!(posted, "1.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_takes_two_people_and_is_on_record() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.open(A).await.made();
    admin.open("bank:hdfc:escrow:INR").await.made();
    let body = json!({
        "kind": "adjustment", "debit": "bank:hdfc:escrow:INR", "credit": A,
        "amount": {"value": "7.00", "currency": "INR"},
        "reason": "Bank error of 12 Nov", "evidence_sha256": "ab".repeat(32),
    });
    let boss = bahi.actor("boss", &[Scope::OpsApprove]).await;
    let twin = bahi.actor("admin", &[Scope::OpsApprove]).await;
    let ask = async |approver: Option<&str>| {
        let request = admin.request(Method::POST, "/v1/transactions").json(&body);
        let request = request.header("idempotency-key", "adjust-1");
        send(match approver {
            Some(key) => request.header("approver-authorization", format!("Bearer {key}")),
            None => request,
        })
        .await
    };
    for approver in [None, Some(&*twin.key)] {
        let refused = ask(approver).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.code(), "second_person_needed");
    }
    assert_eq!(ask(Some("nonsense")).await.status, StatusCode::UNAUTHORIZED);
    let made = ask(Some(&boss.key)).await;
    let path = format!("{}?min_position={}", made.header("location"), made.position());
    let read = admin.get(&path).await.made();
    assert_eq!((&read["actor"], &read["approver"]), (&json!("admin"), &json!("boss")));
    assert_eq!(read["reason"], "Bank error of 12 Nov");
    assert_eq!(read["evidence_sha256"], "ab".repeat(32));
    bahi.finish().await;
}
