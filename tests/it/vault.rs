//! Personal data that can be forgotten: the keys of persons.

use ledger_api::vault::{SubjectKeys, VaultError};
use ledger_core::ids::Owner;
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::support::database::{Database, SUPERUSER};

const SECRET: [u8; 32] = [42; 32];

fn owner(id: &str) -> Owner {
    id.parse().unwrap()
}

async fn keys() -> (Database, PgPool, SubjectKeys) {
    let database = Database::create().await;
    let pool = database.pool().await;
    let keys = SubjectKeys::new(pool.clone(), &SECRET);
    (database, pool, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_for_somebody_opens_until_they_are_erased() {
    let (_database, pool, keys) = keys().await;
    let (asha, ravi) = (owner("usr_asha"), owner("usr_ravi"));
    let name = keys.seal(&asha, "name", b"Asha Rao").await.unwrap();
    let phone = keys.seal(&asha, "phone", b"+91 98").await.unwrap();
    let other = keys.seal(&ravi, "name", b"Ravi").await.unwrap();
    // Another process, with the same secret.
    let elsewhere = SubjectKeys::new(pool.clone(), &SECRET);
    assert_eq!(elsewhere.open(&asha, "name", &name).await.unwrap(), b"Asha Rao");
    let all = [(&asha, "phone", &phone[..]), (&ravi, "name", &other), (&ravi, "name", &name)];
    let opened = keys.open_all(&all).await.unwrap();
    assert_eq!(opened[0].as_ref().unwrap(), b"+91 98");
    assert_eq!(opened[1].as_ref().unwrap(), b"Ravi");
    assert!(matches!(opened[2], Err(VaultError::Tampered)), "another person's");
    for (subject, field) in [(&asha, "phone"), (&ravi, "name")] {
        let error = keys.open(subject, field, &name).await.unwrap_err();
        assert!(matches!(error, VaultError::Tampered), "{subject} {field}: {error:?}");
    }
    let thief = SubjectKeys::new(pool, &[41; 32]);
    let error = thief.open(&asha, "name", &name).await.unwrap_err();
    assert!(matches!(error, VaultError::Tampered), "another secret: {error:?}");

    assert!(keys.erase(&asha).await.unwrap());
    assert!(!keys.erase(&asha).await.unwrap(), "twice is once");
    for keys in [&keys, &elsewhere] {
        let error = keys.open(&asha, "name", &name).await.unwrap_err();
        assert!(matches!(error, VaultError::Erased), "{error:?}");
        let error = keys.seal(&asha, "name", b"Asha again").await.unwrap_err();
        assert!(matches!(error, VaultError::Erased), "kept again: {error:?}");
    }
    let opened = keys.open_all(&all).await.unwrap();
    assert!(matches!(opened[0], Err(VaultError::Erased)));
    assert_eq!(keys.open(&ravi, "name", &other).await.unwrap(), b"Ravi");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_erased_before_anything_was_kept_is_not_kept() {
    let (_database, _pool, keys) = keys().await;
    let asha = owner("usr_asha");
    assert!(!keys.is_erased(&asha).await.unwrap());
    assert!(!keys.erase(&asha).await.unwrap(), "there was nothing");
    assert!(keys.is_erased(&asha).await.unwrap());
    let error = keys.seal(&asha, "name", b"Asha Rao").await.unwrap_err();
    assert!(matches!(error, VaultError::Erased), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_seal_under_one_key() {
    let (_database, pool, keys) = keys().await;
    let asha = owner("usr_asha");
    let sealing = (0..32_u8).map(|n| {
        let (keys, asha) = (keys.clone(), asha.clone());
        tokio::spawn(async move { (n, keys.seal(&asha, "name", &[n]).await.unwrap()) })
    });
    for sealed in futures::future::join_all(sealing).await {
        let (n, sealed) = sealed.unwrap();
        assert_eq!(keys.open(&asha, "name", &sealed).await.unwrap(), [n]);
    }
    let made: i64 =
        sqlx::query_scalar("select count(*) from subject_keys").fetch_one(&pool).await.unwrap();
    assert_eq!(made, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_erased_or_it_stays_whoever_tries() {
    let (database, pool, keys) = keys().await;
    let (asha, ravi) = (owner("usr_asha"), owner("usr_ravi"));
    keys.seal(&asha, "name", b"Asha").await.unwrap();
    keys.seal(&ravi, "name", b"Ravi").await.unwrap();
    keys.erase(&ravi).await.unwrap();
    let stored: Vec<Option<Vec<u8>>> =
        sqlx::query_scalar("select wrapped from subject_keys order by subject")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert!(stored[0].as_ref().is_some_and(|wrapped| wrapped.len() == 61));
    assert_eq!(stored[1], None, "the key is still there");
    let changes = [
        "update subject_keys set wrapped = 'x' where subject = 'usr_asha'",
        "update subject_keys set wrapped = 'x', erased_at = null where subject = 'usr_ravi'",
        "update subject_keys set erased_at = now() where subject = 'usr_ravi'",
    ];
    let mut owner = PgConnection::connect(&database.url(SUPERUSER)).await.unwrap();
    for sql in changes {
        let error = sqlx::query(sql).execute(&pool).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "23001", "{sql}");
    }
    for sql in ["delete from subject_keys", "truncate subject_keys"] {
        let error = sqlx::query(sql).execute(&pool).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42501", "{sql}");
        let error = sqlx::query(sql).execute(&mut owner).await.unwrap_err();
        assert_eq!(error.as_database_error().unwrap().code().unwrap(), "23000", "{sql}");
    }
}
