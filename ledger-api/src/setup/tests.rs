//! Setting up on real servers: a private one, and one that is somebody's.

use std::path::Path;

use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::*;
use crate::{
    config::DatabaseUrl,
    postgres::{Options, open_with},
};

fn settings(data: &Path) -> Settings {
    Settings {
        data: data.to_owned(),
        database_url: DatabaseUrl::default(),
        inbox_database_url: DatabaseUrl::default(),
        secret_file: None,
        allow_unsafe_database: false,
        demo: false,
    }
}

fn cluster(folder: &TempDir) -> Cluster {
    let options = Options {
        download: false,
        settings: vec![("shared_buffers".to_owned(), "16MB".to_owned())],
        ..Options::from_env(Mode::Throwaway)
    };
    open_with(&folder.path().join("postgres"), &options).unwrap()
}

async fn superuser(cluster: &Cluster, database: &str) -> PgConnection {
    let url = cluster.url(database, SUPERUSER);
    PgConnection::connect(&url).await.unwrap()
}

/// The options of a login role on a server that is somebody's.
async fn login(cluster: &Cluster, role: &str, grant: bool) -> PgConnectOptions {
    let mut db = superuser(cluster, "bahi").await;
    let sql = format!("create role {role} login");
    db.execute(sql.as_str()).await.unwrap();
    if grant {
        let sql = format!("grant {APP_ROLE} to {role}");
        db.execute(sql.as_str()).await.unwrap();
    }
    cluster.url("bahi", role).parse().unwrap()
}

async fn who(database: &Database) -> String {
    let pool = database.pool(database.app().clone());
    let who = sqlx::query_scalar("select current_user::text");
    who.fetch_one(&pool).await.unwrap()
}

#[tokio::test]
async fn a_private_database_is_made_once_and_used_as_the_application() {
    let folder = tempfile::tempdir().unwrap();
    let first = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    let again = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    assert_eq!(who(&first).await, APP_ROLE);
    assert_eq!(who(&again).await, APP_ROLE);
    assert_eq!(first.close().await.unwrap(), Some(Stopped::StillUsed));
    assert_eq!(again.close().await.unwrap(), Some(Stopped::InOrder));
}

#[tokio::test]
async fn case_62_a_server_that_may_lose_money_is_refused_unless_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    // A throwaway server is unsafe by its nature.
    let database = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    let error = database.check(false).await.unwrap_err();
    let SetupError::Check(CheckError::Refused(findings)) = &error else {
        panic!("{error:?}");
    };
    assert!(findings.iter().any(|finding| finding.code == "fsync_off"), "{findings:?}");
    assert!(!error.is_transient());
    let tolerated = database.check(true).await.unwrap();
    assert!(tolerated.iter().any(|finding| finding.code == "fsync_off"), "{tolerated:?}");
}

#[tokio::test]
async fn case_68_every_session_has_time_outs() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    let found = database.check(true).await.unwrap();
    assert!(found.iter().all(|finding| !finding.code.ends_with("_unset")), "{found:?}");
    let pool = database.pool(database.app().clone());
    for (name, value) in SESSION {
        let sql = "select current_setting($1)";
        let set: String = sqlx::query_scalar(sql).bind(name).fetch_one(&pool).await.unwrap();
        assert_eq!(set, value, "{name}");
    }
}

#[tokio::test]
async fn another_login_role_acts_as_the_application_if_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let private = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    let cluster = private.cluster().unwrap();

    let may = Database::own(&login(cluster, "asha", true).await);
    may.check(true).await.unwrap();
    assert_eq!(who(&may).await, APP_ROLE);

    let may_not = Database::own(&login(cluster, "ravi", false).await);
    let error = may_not.check(true).await.unwrap_err();
    assert!(error.to_string().contains("grant bahi_app to \"ravi\""), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_login_role_that_could_rewrite_the_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let private = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    let url = private.cluster().unwrap().url("bahi", SUPERUSER);
    let superuser = Database::own(&url.parse().unwrap());
    let error = superuser.check(false).await.unwrap_err();
    assert!(matches!(error, SetupError::LoginTooStrong { .. }), "{error:?}");
    assert!(superuser.check(true).await.is_ok());
}

#[tokio::test]
async fn case_45_a_database_without_migrations_is_refused_with_the_line_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = cluster(&folder);
    postgres::create_database(&cluster, "empty", None).await.unwrap();
    let owner: PgConnectOptions = cluster.url("empty", SUPERUSER).parse().unwrap();
    let database = Database::own(&owner);
    let error = database.check(true).await.unwrap_err();
    let SetupError::Migrations(missing @ MigrationError::Missing { .. }) = &error else {
        panic!("{error:?}");
    };
    assert!(missing.to_string().contains("bahi migrate"));

    migrate(&owner).await.unwrap();
    migrate(&owner).await.unwrap();
    database.check(true).await.unwrap();
    let mut db = superuser(&cluster, "empty").await;
    let newer = "insert into _sqlx_migrations
                 values (999, 'from the future', now(), true, '\\x00', 0)";
    db.execute(newer).await.unwrap();
    let error = database.check(true).await.unwrap_err();
    assert!(
        matches!(error, SetupError::Migrations(MigrationError::Newer { newest: 999, .. })),
        "{error:?}"
    );
    assert!(migrate(&owner).await.is_err());
}

#[tokio::test]
async fn case_48_a_server_that_is_not_up_is_worth_waiting_for_and_a_missing_database_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let gone = format!("postgres://bahi_app@localhost/x?host={}", folder.path().display());
    let down = Database::own(&gone.parse().unwrap());
    assert!(down.check(true).await.unwrap_err().is_transient());

    let cluster = cluster(&folder);
    let missing = Database::own(&cluster.url("nowhere", SUPERUSER).parse().unwrap());
    assert!(!missing.check(true).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn case_184_a_database_belongs_to_one_secret() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let database = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    let made = database.secret(&settings).await.unwrap();
    let read = database.secret(&settings).await.unwrap();
    assert_eq!(made.bytes(), read.bytes());

    let file = settings.secret_file();
    std::fs::remove_file(&file).unwrap();
    let error = database.secret(&settings).await.unwrap_err();
    let missing = InstallationError::SecretMissing { id: made.key_id(), file: file.clone() };
    assert!(
        matches!(&error, SetupError::Installation(e) if e.to_string() == missing.to_string()),
        "{error:?}"
    );

    let other = Secret::generate().write_new(&file).unwrap();
    let error = database.secret(&settings).await.unwrap_err();
    assert!(
        matches!(&error, SetupError::Installation(InstallationError::SecretDiffers { found, .. })
            if *found == other.key_id()),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_application_can_set_its_secret_once_only() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    database.secret(&settings(folder.path())).await.unwrap();
    let pool = database.pool(database.app().clone());
    for sql in
        ["update installation set value = 'x'", "delete from installation", "truncate installation"]
    {
        let error = pool.execute(sql).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap();
        assert_eq!(code, "42501", "{sql}");
    }
}

#[tokio::test]
async fn an_auditor_needs_to_read_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let private = Database::of_cluster(cluster(&folder), "bahi").await.unwrap();
    let cluster = private.cluster().unwrap();
    let auditor = Database::own(&login(cluster, "ada", false).await);
    assert!(auditor.check_readable().await.is_err());
    let mut db = superuser(cluster, "bahi").await;
    db.execute("grant select on all tables in schema public to ada").await.unwrap();
    auditor.check_readable().await.unwrap();
    assert!(auditor.check_shape().await.is_err());

    let service = Database::own(&login(cluster, "ravi", true).await);
    let pool = service.pool(service.reader().clone());
    let write = "insert into installation (name, value) values ('a', 'b')";
    let error = pool.execute(write).await.unwrap_err();
    let code = error.as_database_error().unwrap().code().unwrap().into_owned();
    assert_eq!(code, "25006", "a reader can't write, even if its role could");
}
