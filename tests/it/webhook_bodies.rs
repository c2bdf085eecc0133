//! The bytes of webhooks: sealed where they lie, and forgotten with whom they are about.

use ledger_api::{
    vault::SubjectKeys,
    webhooks::{Erased, Inbox},
};
use ledger_core::ids::Owner;
use sqlx::PgPool;

use crate::support::{
    bahi::PATIENCE,
    database::{APP, Database},
    intake::{BODY, TestIntake, inbox},
    town::Town,
};

/// A row of bodies.
type Row = (i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<String>);

async fn id(pool: &PgPool, event: &str) -> i64 {
    let sql = "select id from inbox_deliveries where event_id = $1";
    sqlx::query_scalar(sql).bind(event).fetch_one(pool).await.unwrap()
}

async fn until(what: &str, reached: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !reached().await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "in vain until {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_the_inbox_is_sealed_and_opens_with_the_secret_alone() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let other = BODY.replace("0001", "0002");
    for (event, body) in [("msg_1", BODY), ("msg_1", &other), ("msg_2", BODY)] {
        intake.bank().send(event, body).await.made();
    }
    let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("select body, key from inbox_bodies").fetch_all(&pool).await.unwrap();
    assert_eq!(rows.len(), 3);
    for (body, key) in &rows {
        assert!(!body.windows(4).any(|window| window == b"HDFC"), "it can be read");
        assert!(key.as_ref().is_some_and(|key| key.len() == 61));
    }
    assert_eq!(
        rows.iter().map(|(body, _)| body).collect::<std::collections::BTreeSet<_>>().len(),
        3
    );
    let delivery = id(&pool, "msg_1").await;
    let ours = inbox(&pool);
    let found = ours.find(delivery).await.unwrap().unwrap();
    assert_eq!((found.body.as_deref(), found.is_unreadable), (Some(BODY.as_bytes()), false));
    let conflicts = ours.conflicts(9).await.unwrap();
    assert_eq!(conflicts[0].other_body.as_deref(), Some(other.as_bytes()));
    let theirs = Inbox::new(pool.clone(), SubjectKeys::new(pool.clone(), &[7; 32]));
    let found = theirs.find(delivery).await.unwrap().unwrap();
    assert_eq!((found.body, found.is_unreadable), (None, true));

    // Moved to another delivery it is not that delivery's.
    let mut owner = database.superuser().await;
    let second = id(&pool, "msg_2").await;
    let sql = "delete from inbox_bodies where delivery_id = $1";
    sqlx::query(sql).bind(second).execute(&mut owner).await.unwrap();
    let sql = "insert into inbox_bodies (delivery_id, body_sha256, body, key)
               select $2, b.body_sha256, b.body, b.key
               from inbox_bodies b join inbox_deliveries d on d.id = b.delivery_id
               where d.id = $1 and d.body_sha256 = b.body_sha256";
    sqlx::query(sql).bind(delivery).bind(second).execute(&mut owner).await.unwrap();
    assert!(ours.find(second).await.unwrap().unwrap().is_unreadable);
    intake.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_opens_while_its_subject_has_a_key_and_never_again() {
    let database = Database::create().await;
    let pool = database.pool().await;
    let intake = TestIntake::start(&database.url(APP)).await;
    let other = BODY.replace("0001", "0002");
    for (event, body) in [("msg_1", BODY), ("msg_1", &other), ("msg_2", BODY), ("msg_3", BODY)] {
        intake.bank().send(event, body).await.made();
    }
    let (asha, ravi): (Owner, Owner) = ("usr_asha".parse().unwrap(), "usr_ravi".parse().unwrap());
    let inbox = inbox(&pool);
    let [first, second, third] =
        [id(&pool, "msg_1").await, id(&pool, "msg_2").await, id(&pool, "msg_3").await];
    assert!(inbox.assign(first, &asha).await.unwrap());
    assert!(!inbox.assign(first, &ravi).await.unwrap(), "it is asha's");
    assert!(inbox.assign(second, &ravi).await.unwrap());
    let opens = async |delivery| inbox.find(delivery).await.unwrap().unwrap().body.is_some();
    assert!(opens(first).await && opens(second).await && opens(third).await);
    assert!(inbox.conflicts(9).await.unwrap()[0].other_body.is_some());
    // What a copy of the database has from before.
    let copy: Vec<Row> = sqlx::query_as(
        "select delivery_id, body_sha256, body, key, subject from inbox_bodies
         where delivery_id = $1",
    )
    .bind(first)
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(copy.len(), 2);

    let erased = inbox.erase_subject(&asha).await.unwrap();
    assert_eq!(erased, Erased { had_key: true, bodies: 2 });
    let again = inbox.erase_subject(&asha).await.unwrap();
    assert_eq!(again, Erased { had_key: false, bodies: 0 });
    for (delivery, sha, body, key, subject) in copy {
        let sql = "insert into inbox_bodies (delivery_id, body_sha256, body, key, subject)
                   values ($1, $2, $3, $4, $5)";
        let query = sqlx::query(sql).bind(delivery).bind(sha).bind(body).bind(key).bind(subject);
        query.execute(&pool).await.unwrap();
    }
    assert!(!opens(first).await, "a copy from before opens");
    assert!(opens(second).await && opens(third).await);
    // What turns out to be about her later is not kept.
    assert!(inbox.assign(third, &asha).await.unwrap());
    let left = inbox.find(third).await.unwrap().unwrap();
    assert_eq!((left.body, left.is_unreadable, left.body_sha256.len()), (None, false, 32));
    intake.stop().await;
}

/// Through the whole service: the bank's webhook is the payer's, and is forgotten with the payer.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_bank_told_of_somebody_is_theirs_and_goes_with_them() {
    let town = Town::start().await;
    let pool = town.database.pool().await;
    let to = town.bank_account("test").await;
    let id = town.withdraw("hdfc", &to, "700.00").await;
    town.wait_for(&id, "completed").await;
    let owner: String =
        sqlx::query_scalar("select owner from read.accounts where id = 'wallet:a:INR'")
            .fetch_one(&pool)
            .await
            .unwrap();
    let of_nobody = async || -> i64 {
        let sql = "select count(*) from inbox_bodies where subject is distinct from $1";
        sqlx::query_scalar(sql).bind(&owner).fetch_one(&pool).await.unwrap()
    };
    let told = async || -> i64 {
        let sql = "select count(*) from inbox_applied where outcome <> 'parked'";
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    };
    until("it is theirs", async || told().await > 0 && of_nobody().await == 0).await;
    let inbox = inbox(&pool);
    let deliveries = inbox.list(None, None, 9).await.unwrap();
    let first = deliveries[0].id;
    assert!(inbox.find(first).await.unwrap().unwrap().body.is_some());
    let erased = inbox.erase_subject(&owner.parse().unwrap()).await.unwrap();
    assert!(erased.had_key && erased.bodies > 0, "{erased:?}");
    assert_eq!(inbox.find(first).await.unwrap().unwrap().body, None);

    let before = told().await;
    let id = town.withdraw("hdfc", &to, "800.00").await;
    town.wait_for(&id, "completed").await;
    let bodies = async || -> i64 {
        sqlx::query_scalar("select count(*) from inbox_bodies").fetch_one(&pool).await.unwrap()
    };
    until("it is forgotten", async || told().await > before && bodies().await == 0).await;
    crate::audit_engine::verified(&town.stop().await).await;
}
