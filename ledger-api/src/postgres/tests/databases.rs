//! Databases from templates.

use super::*;

#[tokio::test]
async fn databases_are_copied_from_a_template_and_dropped_while_in_use() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    create_database(&cluster, "template", None).await.unwrap();
    tell(&cluster, "template", "create table t (n int); insert into t values (3)").await;
    create_database(&cluster, "a \"copy\"", Some("template")).await.unwrap();

    let url = cluster.url("a \"copy\"", SUPERUSER);
    let mut user = PgConnection::connect(&url).await.unwrap();
    let n: i32 = sqlx::query_scalar("select n from t").fetch_one(&mut user).await.unwrap();
    assert_eq!(n, 3);

    let again = create_database(&cluster, "template", None).await;
    assert!(matches!(again, Err(DatabaseError::Exists(_))), "{again:?}");
    let of_nothing = create_database(&cluster, "x", Some("no such one")).await;
    assert!(matches!(of_nothing, Err(DatabaseError::NoTemplate(_))), "{of_nothing:?}");

    drop_database(&cluster, "a \"copy\"").await.unwrap();
    sqlx::query("select 1").execute(&mut user).await.unwrap_err();
    drop_database(&cluster, "a \"copy\"").await.unwrap();
    let left = ask(&cluster, "select count(*)::text from pg_database where datname like 'a %'");
    assert_eq!(left.await, "0");
}

#[tokio::test]
async fn of_several_that_want_a_database_one_makes_it() {
    let dir = fresh();
    let cluster = throwaway(dir.path());
    let made = futures::future::join_all((0..5).map(|_| ensure_database(&cluster, "bahi"))).await;
    let made: Vec<bool> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert!(!ensure_database(&cluster, "bahi").await.unwrap());
}
