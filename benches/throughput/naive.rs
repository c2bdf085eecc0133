//! The yardstick: the classic SQL transfer, prepared statements, each client on its own connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use crate::{ACCOUNTS, Spread, WIDE, stand::Stand};

const SCHEMA: [&str; 4] = [
    "create table balances (id bigint primary key, balance numeric(28, 2) not null)",
    "create table transfers (id bigserial primary key, debit bigint, credit bigint,
                             amount numeric(28, 2), at timestamptz default now())",
    "create table entries (id bigserial primary key, transfer bigint, account bigint,
                           amount numeric(28, 2))",
    "insert into balances select n, 1000000 from generate_series(0, 9999) n",
];

/// Transfers a second with so many connections.
pub(crate) async fn measure(
    stand: &Stand,
    spread: Spread,
    connections: u64,
    time: Duration,
) -> anyhow::Result<u64> {
    let database = stand.empty().await?;
    let mut db = PgConnection::connect_with(&database).await?;
    for sql in SCHEMA {
        sqlx::query(sql).execute(&mut db).await?;
    }
    sqlx::query("vacuum analyze").execute(&mut db).await?;
    db.close().await?;
    let done = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let end = started + time;
    let mut clients = Vec::new();
    for client in 0..connections {
        let (database, done) = (database.clone(), Arc::clone(&done));
        clients.push(tokio::spawn(run(database, spread, client, end, done)));
    }
    for client in clients {
        client.await??;
    }
    Ok(per_second(done.load(Ordering::Relaxed), started.elapsed()))
}

pub(crate) fn per_second(count: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000) / millis
}

/// A pair of accounts, pseudo-random and the same in every run.
pub(crate) fn pair(spread: Spread, state: &mut u64) -> (u64, u64) {
    let mut next = || {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    };
    let accounts = if spread == Spread::Wide { WIDE } else { ACCOUNTS };
    let from = 1 + next() % (accounts - 1);
    match spread {
        Spread::Hot => (from, 0),
        Spread::Uniform | Spread::Wide => {
            let to = next() % accounts;
            (from, if to == from { (to + 1) % accounts } else { to })
        }
    }
}

async fn run(
    database: PgConnectOptions,
    spread: Spread,
    client: u64,
    end: Instant,
    done: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut db = PgConnection::connect_with(&database).await?;
    let mut state = client + 1;
    while Instant::now() < end {
        let (from, to) = pair(spread, &mut state);
        transfer(&mut db, i64::try_from(from)?, i64::try_from(to)?).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    db.close().await?;
    Ok(())
}

async fn transfer(db: &mut PgConnection, from: i64, to: i64) -> anyhow::Result<()> {
    let mut db_tx = db.begin().await?;
    // Locks in one order, so that opposite transfers do not meet head-on.
    for id in [from.min(to), from.max(to)] {
        sqlx::query("select balance from balances where id = $1 for update")
            .bind(id)
            .execute(&mut *db_tx)
            .await?;
    }
    for (id, sign) in [(from, -1), (to, 1)] {
        sqlx::query("update balances set balance = balance + $2 where id = $1")
            .bind(id)
            .bind(sign)
            .execute(&mut *db_tx)
            .await?;
    }
    let transfer: i64 = sqlx::query_scalar(
        "insert into transfers (debit, credit, amount) values ($1, $2, 1) returning id",
    )
    .bind(from)
    .bind(to)
    .fetch_one(&mut *db_tx)
    .await?;
    for (id, sign) in [(from, -1), (to, 1)] {
        sqlx::query("insert into entries (transfer, account, amount) values ($1, $2, $3)")
            .bind(transfer)
            .bind(id)
            .bind(sign)
            .execute(&mut *db_tx)
            .await?;
    }
    db_tx.commit().await?;
    Ok(())
}
