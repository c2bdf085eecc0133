//! The projector: nothing twice, nothing left out, nothing by halves, whatever happens to it.

use std::time::Duration;

use ledger_core::log::hash;
use projections::{ProjectorState, ReadError, ReadModels, wait_for};
use sqlx::{PgPool, Row};
use tokio::sync::watch;

use crate::support::{
    PATIENCE, Running, TestLog, credit, database, debit, oracle, project, random::Random,
    random::random_log, tables,
};

/// What each account row says agrees with the events up to the checkpoint.
async fn assert_whole(pool: &PgPool) {
    let row = sqlx::query(
        "select (select position from read.checkpoint) as position,
                (select coalesce(sum(sequence), 0)::bigint from read.accounts) as folded,
                (select coalesce(sum(legs), 0)::bigint from read.transactions) as legs,
                (select coalesce(sum(legs), 0)::bigint from read.flows) as flows",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    let position: i64 = row.get("position");
    let expected = sqlx::query(
        "select count(*) filter (where aggregate_type = 'account') as events,
                count(*) filter (where event_type in ('debited', 'credited')) as legs
         from events where position <= $1",
    )
    .bind(position)
    .fetch_one(pool)
    .await
    .unwrap();
    let (events, legs): (i64, i64) = (expected.get("events"), expected.get("legs"));
    assert_eq!(row.get::<i64, _>("folded"), events, "at {position}");
    assert_eq!(row.get::<i64, _>("legs"), legs, "at {position}");
    assert_eq!(row.get::<i64, _>("flows"), legs, "at {position}");
}

#[tokio::test]
async fn case_75_read_models_equal_the_sum_of_the_legs_whatever_the_order() {
    for seed in 0..4 {
        let pool = database().await;
        let mut log = TestLog::new(&pool);
        // The projector follows while the log grows, so it cuts it in its own way.
        let running = Running::start(&pool);
        random_log(&mut log, &mut Random::new(seed), 60).await;
        let reads = ReadModels::new(pool.clone());
        reads.wait_for(log.head.position, PATIENCE).await.unwrap();
        running.stop().await;
        let events = oracle::events(&pool).await;
        for (id, truth) in oracle::accounts(&events, log.head.position) {
            let account = reads.account(&id.parse().unwrap()).await.unwrap();
            let account = account.value.unwrap();
            assert_eq!(account.balance.posted, truth.posted, "seed {seed}, {id}");
            assert_eq!(account.balance.held, truth.held, "seed {seed}, {id}");
            assert_eq!(account.balance.sequence, truth.sequence, "seed {seed}, {id}");
        }
        assert_whole(&pool).await;
    }
}

#[tokio::test]
async fn case_74_events_that_come_again_are_refused_and_change_nothing() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    random_log(&mut log, &mut Random::new(1), 20).await;
    project(&pool, log.head.position).await;
    let before = tables(&pool).await;
    // Somebody sets the checkpoint back, so that everything is delivered again.
    for position in [0, 6] {
        sqlx::query("update read.checkpoint set position = $1")
            .bind(position)
            .execute(&pool)
            .await
            .unwrap();
        let mut running = Running::start(&pool);
        let stopped = running
            .status
            .wait_for(|status| matches!(status.state, ProjectorState::Stopped { .. }));
        drop(tokio::time::timeout(PATIENCE, stopped).await.unwrap().unwrap());
        running.stop().await;
        assert_eq!(tables(&pool).await, before);
    }
}

#[tokio::test]
async fn case_76_a_projector_killed_anywhere_leaves_no_half_state() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    let mut random = Random::new(76);
    random_log(&mut log, &mut random, 5).await;
    let mut kills = 0;
    let mut reached = Vec::new();
    while kills < 40 {
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        log.commit().await;
        let running = Running::start(&pool);
        // From before the first statement to after the commit of a step.
        tokio::time::sleep(Duration::from_micros(random.below(12_000))).await;
        running.task.abort();
        drop(running.task.await);
        kills += 1;
        assert_whole(&pool).await;
        reached.push(ReadModels::new(pool.clone()).position().await.unwrap());
    }
    assert!(reached.is_sorted(), "{reached:?}");
    project(&pool, log.head.position).await;
    assert_whole(&pool).await;
}

#[tokio::test]
async fn two_projectors_at_once_do_the_work_of_one() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    let running = [Running::start(&pool), Running::start(&pool), Running::start(&pool)];
    random_log(&mut log, &mut Random::new(2), 150).await;
    let head = log.head.position;
    // Those that stand by know how far it is as well.
    for one in &running {
        assert!(wait_for(&one.status, head, PATIENCE).await);
    }
    // The one at work goes; another takes over.
    let mut running = running.into_iter();
    running.next().unwrap().stop().await;
    log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
    let head = log.commit().await;
    for one in running {
        assert!(wait_for(&one.status, head, PATIENCE).await);
        one.stop().await;
    }
    assert_whole(&pool).await;
}

#[tokio::test]
async fn a_lost_connection_is_made_again() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    log.open("wallet:a:INR");
    log.open("wallet:b:INR");
    let running = Running::start(&pool);
    let head = log.commit().await;
    assert!(wait_for(&running.status, head, PATIENCE).await);
    for _ in 0..3 {
        let mut admin = pool.acquire().await.unwrap();
        let killed = sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where pid <> pg_backend_pid() and datname = current_database()
                   and usename = current_user",
        )
        .execute(&mut *admin)
        .await
        .unwrap();
        assert!(killed.rows_affected() >= 1);
        drop(admin.detach());
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        // The pool's own connections were cut as well; the log is written by a fresh one.
        let head = log.commit().await;
        assert!(wait_for(&running.status, head, PATIENCE).await);
    }
    running.stop().await;
    assert_whole(&pool).await;
}

#[tokio::test]
async fn waiting_for_a_position_ends_when_it_is_there_or_time_is_up() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    log.open("wallet:a:INR");
    let head = log.commit().await;
    let reads = ReadModels::new(pool.clone());
    let behind = reads.wait_for(head, Duration::from_millis(30)).await;
    assert!(matches!(behind, Err(ReadError::Behind { wanted: 1, reached: 0 })));

    let running = Running::start(&pool);
    let near = reads.clone().with_projector(running.status.clone());
    for reads in [&reads, &near] {
        assert_eq!(reads.wait_for(head, PATIENCE).await.unwrap(), head);
    }
    let behind = near.wait_for(head + 1, Duration::from_millis(30)).await;
    assert!(matches!(behind, Err(ReadError::Behind { .. })));
    running.stop().await;
    // A projector that is gone is not waited for: another process may be at work.
    assert!(near.wait_for(head + 1, Duration::from_millis(30)).await.is_err());
}

#[tokio::test]
async fn a_nudge_is_followed_without_waiting_for_the_poll() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    log.open("wallet:a:INR");
    log.open("wallet:b:INR");
    let (nudge, nudged) = watch::channel(log.commit().await);
    let projector = projections::Projector::new(pool.clone(), nudged);
    let status = projector.status();
    let task = tokio::spawn(projector.run(std::future::pending()));
    assert!(wait_for(&status, log.head.position, PATIENCE).await);
    let start = std::time::Instant::now();
    for _ in 0..20 {
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        nudge.send_replace(log.commit().await);
        assert!(wait_for(&status, log.head.position, PATIENCE).await);
    }
    // By polling alone it would be 20 times up to 50 ms.
    println!("20 nudged steps in {:?}", start.elapsed());
    let idle = status.borrow().clone();
    assert_eq!((idle.lag_events, idle.lag_ms), (0, 0));
    assert!(idle.is_following());
    task.abort();
}

/// Spoils one batch in the middle of a good log.
async fn assert_stops(name: &str, spoil: fn(&mut TestLog)) {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    for account in ["wallet:a:INR", "wallet:b:INR", "wallet:c:INR"] {
        log.open(account);
    }
    log.transfer("wallet:a:INR", "wallet:b:INR", "5.00");
    let good = log.commit().await;
    log.transfer("wallet:b:INR", "wallet:c:INR", "1.00");
    spoil(&mut log);
    let spoilt = log.commit().await;
    log.transfer("wallet:a:INR", "wallet:b:INR", "2.00");
    log.commit().await;
    let mut running = Running::start(&pool);
    let stopped =
        running.status.wait_for(|status| matches!(status.state, ProjectorState::Stopped { .. }));
    let status = tokio::time::timeout(PATIENCE, stopped).await;
    let status = status.expect(name).unwrap().clone();
    let ProjectorState::Stopped { position, reason } = status.state else {
        panic!("{name}");
    };
    println!("{name}: {reason}");
    assert!(position > good && position <= spoilt, "{name}: stopped at {position}");
    // What came before is there, all of the spoilt batch and what came after is not.
    assert_eq!(ReadModels::new(pool.clone()).position().await.unwrap(), good, "{name}");
    assert_whole(&pool).await;
    running.stop().await;
}

#[tokio::test]
async fn case_77_a_poison_event_stops_the_projector_before_it() {
    assert_stops("undecodable", |log| {
        log.push_raw("account", "wallet:a:INR", "debited", b"{}".to_vec());
    })
    .await;
    assert_stops("unbalanced", |log| {
        let legs = [debit("wallet:a:INR", "1.00"), credit("wallet:b:INR", "1.01")];
        log.post("transfer", &legs, None);
    })
    .await;
    assert_stops("a leg is missing", |log| {
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        log.pending().pop();
    })
    .await;
    assert_stops("a leg is missing in the middle", |log| {
        log.transfer("wallet:a:INR", "wallet:c:INR", "1.00");
        log.pending().pop();
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
    })
    .await;
    assert_stops("another event between legs", |log| {
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        let last = log.pending().pop().unwrap();
        log.freeze("wallet:c:INR", "order-1", None);
        log.pending().push(last);
    })
    .await;
    assert_stops("a wrong balance", |log| {
        log.transfer("wallet:a:INR", "wallet:b:INR", "1.00");
        let last = log.pending().last_mut().unwrap();
        let payload = String::from_utf8(last.payload.clone()).unwrap();
        assert!(payload.contains("\"balance_after\":\"5.00\""), "{payload}");
        last.payload = payload
            .replace("\"balance_after\":\"5.00\"", "\"balance_after\":\"500.00\"")
            .into_bytes();
    })
    .await;
    assert_stops("an account that was never opened", |log| {
        log.pending().last_mut().unwrap().aggregate_id = "wallet:x:INR".to_owned();
    })
    .await;
    assert_stops("a hole in a stream", |log| {
        log.freeze("wallet:c:INR", "order-1", None);
        log.freeze("wallet:c:INR", "order-2", None);
        let last = log.pending_len();
        log.pending().remove(last - 2);
    })
    .await;
}

#[tokio::test]
async fn case_80_unknown_kinds_of_streams_and_events_stop_the_projector() {
    assert_stops("unknown event", |log| {
        log.push_raw("account", "wallet:a:INR", "melted", b"{}".to_vec());
    })
    .await;
    assert_stops("unknown stream", |log| {
        log.push_raw("teapot", "t-1", "boiled", b"{}".to_vec());
    })
    .await;
    assert_stops("unknown version", |log| {
        log.freeze("wallet:c:INR", "order-1", None);
        log.pending().last_mut().unwrap().event_version = "2.0".to_owned();
    })
    .await;
}

#[tokio::test]
async fn case_77_a_hole_in_the_log_stops_the_projector() {
    let pool = database().await;
    let mut log = TestLog::new(&pool);
    log.open("wallet:a:INR");
    let good = log.commit().await;
    // A batch says that it reaches to position 3, and brought only event 3.
    log.open("wallet:b:INR");
    let mut event = log.pending().remove(0);
    event.position = 3;
    event.hash = event.hash_after(&hash::GENESIS);
    log.head.position = 3;
    log.head.batch += 1;
    crate::support::log::append(&pool, &log.head, &[event]).await.unwrap();
    let mut running = Running::start(&pool);
    let stopped =
        running.status.wait_for(|status| matches!(status.state, ProjectorState::Stopped { .. }));
    let status = tokio::time::timeout(PATIENCE, stopped).await.unwrap().unwrap().clone();
    let ProjectorState::Stopped { position, .. } = status.state else {
        panic!("{status:?}");
    };
    assert_eq!((position, status.position), (2, good));
    running.stop().await;
}
