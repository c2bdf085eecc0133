//! The inbox as whoever applies deliveries finds it, and what nobody may do to it.

use std::time::{Duration, Instant};

use ledger_api::webhooks::{Inbox, Mark, Outcome, Recorded};
use sqlx::{Connection, PgConnection, PgPool};

use crate::support::{
    database::{APP, Database, SUPERUSER},
    intake::{BODY, TestIntake, inbox},
    server::Server,
};

/// An inbox with some events in it.
async fn filled(events: &[&str]) -> (Database, PgPool) {
    let database = Database::create().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    for event in events {
        assert!(!intake.bank().send(event, BODY).await.is_duplicate());
    }
    intake.stop().await;
    let pool = database.pool().await;
    (database, pool)
}

async fn fresh(inbox: &Inbox, mark: Mark) -> (Vec<String>, Mark) {
    let fresh = inbox.fresh(mark, 100).await.unwrap();
    (fresh.deliveries.into_iter().map(|delivery| delivery.event_id).collect(), fresh.mark)
}

async fn id(pool: &PgPool, event: &str) -> i64 {
    let sql = "select id from inbox_deliveries where event_id = $1";
    sqlx::query_scalar(sql).bind(event).fetch_one(pool).await.unwrap()
}

async fn state(inbox: &Inbox, delivery: i64) -> String {
    let listed = inbox.list(Some("hdfc"), None, 100).await.unwrap();
    listed.into_iter().find(|one| one.id == delivery).unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_fresh_until_somebody_came_to_a_conclusion() {
    let (_database, pool) = filled(&["msg_1", "msg_2", "msg_3"]).await;
    let inbox = inbox(&pool);
    let (seen, mark) = fresh(&inbox, Mark::default()).await;
    assert_eq!(seen, ["msg_1", "msg_2", "msg_3"]);
    // Not settled, so they are still there for whoever goes on from here.
    assert_eq!(fresh(&inbox, mark).await.0, seen);
    let second = id(&pool, "msg_2").await;
    inbox.record(second, Outcome::Applied("dep_1")).await.unwrap();
    let (seen, mark) = fresh(&inbox, mark).await;
    assert_eq!(seen, ["msg_1", "msg_3"]);
    for event in ["msg_1", "msg_3"] {
        let outcome = Outcome::Ignored("known from the statement");
        inbox.record(id(&pool, event).await, outcome).await.unwrap();
    }
    // What is settled is not looked at again, once no transaction is open that is older: other
    // tests have some, on the same server.
    let began = Instant::now();
    loop {
        let (seen, moved) = fresh(&inbox, mark).await;
        assert_eq!(seen, Vec::<String>::new());
        if moved > mark {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "the mark does not move");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let few = inbox.fresh(Mark::default(), 2).await.unwrap();
    assert_eq!(few.deliveries.len(), 0);
}

/// Ids become visible in another order than they are given out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_late_is_not_skipped() {
    let (database, pool) = filled(&["msg_1"]).await;
    let inbox = inbox(&pool);
    let mut late = PgConnection::connect(&database.url(APP)).await.unwrap();
    let mut db_tx = late.begin().await.unwrap();
    let sql = "insert into inbox_deliveries (bank, event_id, sent_at, body_sha256)
               values ('hdfc', $1, now(), decode(repeat('00', 32), 'hex'))";
    sqlx::query(sql).bind("msg_late").execute(&mut *db_tx).await.unwrap();
    for event in ["msg_2", "msg_3"] {
        sqlx::query(sql).bind(event).execute(&pool).await.unwrap();
    }
    let mut mark = Mark::default();
    // All that can be seen is settled, and the mark moves as far as it may.
    loop {
        let found = inbox.fresh(mark, 100).await.unwrap();
        mark = found.mark;
        if found.deliveries.is_empty() {
            break;
        }
        for delivery in found.deliveries {
            inbox.record(delivery.id, Outcome::Applied("x")).await.unwrap();
        }
    }
    let before = id(&pool, "msg_3").await;
    db_tx.commit().await.unwrap();
    assert!(id(&pool, "msg_late").await < before, "its number is lower than those seen");
    assert_eq!(fresh(&inbox, mark).await.0, ["msg_late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_101_what_waits_for_a_reference_is_found_when_it_appears() {
    let (_database, pool) = filled(&["msg_1", "msg_2"]).await;
    let inbox = inbox(&pool);
    let (first, second) = (id(&pool, "msg_1").await, id(&pool, "msg_2").await);
    for (delivery, reference) in [(first, "BH0199A1"), (second, "BH0199A2")] {
        let outcome = Outcome::Parked { reference: Some(reference), detail: "not ours yet" };
        assert_eq!(inbox.record(delivery, outcome).await.unwrap(), Recorded::Now);
        assert_eq!(state(&inbox, delivery).await, "parked");
    }
    assert_eq!(fresh(&inbox, Mark::default()).await.0, Vec::<String>::new());
    let waiting = inbox.parked("BH0199A1").await.unwrap();
    assert_eq!(waiting.iter().map(|one| one.id).collect::<Vec<_>>(), [first]);
    assert_eq!(waiting[0].body.as_deref(), Some(BODY.as_bytes()));
    assert!(inbox.parked("BH0199A3").await.unwrap().is_empty());
    assert_eq!(inbox.record(first, Outcome::Applied("wd_1")).await.unwrap(), Recorded::Now);
    assert_eq!(state(&inbox, first).await, "applied");
    assert!(inbox.parked("BH0199A1").await.unwrap().is_empty());
    assert_eq!(inbox.attempts(first).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_settled_once_whoever_comes_to_it() {
    let (_database, pool) = filled(&["msg_1"]).await;
    let inbox = inbox(&pool);
    let delivery = id(&pool, "msg_1").await;
    let workers = (0..16).map(|worker: i32| {
        let inbox = inbox.clone();
        tokio::spawn(async move {
            let outcome = match worker % 3 {
                0 => Outcome::Parked { reference: None, detail: "later" },
                1 => Outcome::Applied("once"),
                _ => Outcome::Ignored("nothing new"),
            };
            (worker % 3 != 0, inbox.record(delivery, outcome).await.unwrap())
        })
    });
    let told = futures::future::join_all(workers).await;
    let told: Vec<_> = told.into_iter().map(Result::unwrap).collect();
    let settled = told.iter().filter(|(is_final, told)| *is_final && *told == Recorded::Now);
    assert_eq!(settled.count(), 1, "{told:?}");
    let attempts = inbox.attempts(delivery).await.unwrap();
    let (last, before) = attempts.split_last().unwrap();
    assert_ne!(last.outcome, "parked", "nothing is noted after the end");
    assert!(before.iter().all(|attempt| attempt.outcome == "parked"));
    // By hand, again: the same delivery, and no second end.
    assert!(inbox.find(delivery).await.unwrap().unwrap().body.is_some());
    let again = inbox.record(delivery, Outcome::Applied("again")).await.unwrap();
    assert_eq!(again, Recorded::Settled);
    let again = Outcome::Parked { reference: None, detail: "again" };
    assert_eq!(inbox.record(delivery, again).await.unwrap(), Recorded::Settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_can_be_erased_and_its_event_stays_known() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let bank = intake.bank();
    let other = BODY.replace("0001", "0002");
    for body in [BODY, &other] {
        bank.send("msg_1", body).await.made();
    }
    let inbox = inbox(&pool);
    let delivery = id(&pool, "msg_1").await;
    assert!(inbox.erase(delivery).await.unwrap());
    assert!(!inbox.erase(delivery).await.unwrap(), "once");
    let left = inbox.find(delivery).await.unwrap().unwrap();
    assert_eq!((left.body, left.body_sha256.len()), (None, 32));
    assert_eq!(inbox.conflicts(10).await.unwrap()[0].other_body, None);
    // What comes again does not bring the bytes back.
    for body in [BODY, &other] {
        assert!(bank.send("msg_1", body).await.is_duplicate());
    }
    assert_eq!(inbox.find(delivery).await.unwrap().unwrap().body, None);
    intake.stop().await;
}

async fn code(db: &mut PgConnection, sql: &str) -> String {
    match sqlx::raw_sql(sql).execute(db).await {
        Ok(_) => "done".to_owned(),
        Err(error) => error.as_database_error().unwrap().code().unwrap().into_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_173_nobody_rewrites_what_a_bank_said() {
    let (database, pool) = filled(&["msg_1"]).await;
    inbox(&pool).record(id(&pool, "msg_1").await, Outcome::Applied("x")).await.unwrap();
    let mut app = PgConnection::connect(&database.url(APP)).await.unwrap();
    let conflict = "insert into inbox_conflicts (delivery_id, sent_at, body_sha256)
                    select id, sent_at, body_sha256 from inbox_deliveries";
    assert_eq!(code(&mut app, conflict).await, "done");
    let tables = [
        ("inbox_deliveries", "event_type = 'x'"),
        ("inbox_conflicts", "sent_at = now()"),
        ("inbox_applied", "outcome = 'ignored'"),
    ];
    let changes: Vec<String> = tables
        .iter()
        .flat_map(|(table, assignment)| {
            [
                format!("update {table} set {assignment}"),
                format!("delete from {table}"),
                format!("truncate {table}"),
            ]
        })
        .chain(["update inbox_bodies set body = 'x'".to_owned()])
        .collect();
    for sql in &changes {
        assert_eq!(code(&mut app, sql).await, "42501", "{sql}: the privilege is missing");
    }
    assert_eq!(code(&mut app, "truncate inbox_bodies").await, "42501");
    let mut owner = PgConnection::connect(&database.url(SUPERUSER)).await.unwrap();
    for role in ["origin", "replica"] {
        let set = format!("set session_replication_role = {role}");
        assert_eq!(code(&mut owner, &set).await, "done");
        for sql in &changes {
            assert_eq!(code(&mut owner, sql).await, "23000", "{sql}: the trigger as {role}");
        }
    }
    assert_eq!(code(&mut app, "delete from inbox_bodies").await, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_keep_what_the_intake_promises_even_from_the_intake() {
    let (database, pool) = filled(&["msg_1"]).await;
    let delivery = id(&pool, "msg_1").await;
    let mut app = PgConnection::connect(&database.url(APP)).await.unwrap();
    let insert = |bank: &str, event: &str, hash: &str| {
        format!(
            "insert into inbox_deliveries (bank, event_id, sent_at, body_sha256)
             values ('{bank}', '{event}', now(), {hash})"
        )
    };
    let hash = "decode(repeat('00', 32), 'hex')";
    let (duplicate, check) = ("23505", "23514");
    assert_eq!(code(&mut app, &insert("hdfc", "msg_1", hash)).await, duplicate);
    assert_eq!(code(&mut app, &insert("", "msg_2", hash)).await, check);
    assert_eq!(code(&mut app, &insert("hdfc", "", hash)).await, check);
    assert_eq!(code(&mut app, &insert("hdfc", "msg_2", "'short'")).await, check);
    let applied = |attempt: i32, outcome: &str, reference: &str| {
        format!(
            "insert into inbox_applied (delivery_id, attempt, outcome, reference, detail)
             values ({delivery}, {attempt}, '{outcome}', {reference}, '')"
        )
    };
    assert_eq!(code(&mut app, &applied(0, "parked", "null")).await, check);
    assert_eq!(code(&mut app, &applied(1, "lost", "null")).await, check);
    assert_eq!(code(&mut app, &applied(1, "applied", "'ref'")).await, check);
    assert_eq!(code(&mut app, &applied(1, "applied", "null")).await, "done");
    assert_eq!(code(&mut app, &applied(2, "ignored", "null")).await, duplicate);
}

/// Waits until all sessions of the application have ended, and what they read is counted.
async fn all_gone(db: &mut PgConnection) {
    let sql = "select count(*) from pg_stat_activity where usename = $1";
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(sql).bind(APP).fetch_one(&mut *db).await.unwrap() > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "a session does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How many rows of deliveries were read so far, by whatever way.
async fn rows_read(db: &mut PgConnection) -> i64 {
    let sql = "select (seq_tup_read + idx_tup_fetch)::bigint from pg_stat_user_tables
               where relname = 'inbox_deliveries'";
    sqlx::query_scalar(sql).fetch_one(db).await.unwrap()
}

/// As far as it is the inbox's: a worker finds the few that are new among the many that are settled
/// without reading these. On a server of its own, where nobody else's transactions hold it back.
#[tokio::test(flavor = "multi_thread")]
async fn case_171_new_deliveries_are_found_without_reading_the_old_ones() {
    let server = Server::start().await;
    let mut owner = server.connect().await;
    for sql in [
        "insert into inbox_deliveries (bank, event_id, sent_at, body_sha256)
         select 'hdfc', 'old_' || n, now(), decode(repeat('00', 32), 'hex')
         from generate_series(1, 20000) n",
        "insert into inbox_applied (delivery_id, attempt, outcome, detail)
         select id, 1, 'applied', '' from inbox_deliveries",
        "analyze inbox_deliveries, inbox_applied",
    ] {
        assert_eq!(code(&mut owner, sql).await, "done");
    }
    // The connections end with their pool, which is dropped at once.
    let look = async |mark: Mark| {
        let pool = PgPool::connect_with(server.options(APP)).await.unwrap();
        fresh(&inbox(&pool), mark).await
    };
    let (none, mark) = look(Mark::default()).await;
    assert_eq!(none, Vec::<String>::new());
    let one = "insert into inbox_deliveries (bank, event_id, sent_at, body_sha256)
               values ('hdfc', 'new', now(), decode(repeat('00', 32), 'hex'))";
    assert_eq!(code(&mut owner, one).await, "done");
    all_gone(&mut owner).await;
    let before = rows_read(&mut owner).await;

    for _ in 0..20 {
        assert_eq!(look(mark).await.0, ["new"]);
    }
    all_gone(&mut owner).await;
    let rows = rows_read(&mut owner).await - before;
    assert!((20..200).contains(&rows), "20 looks read {rows} rows");
}
