//! Exports of a database: byte for byte what docs/events.md says, and the same log when read.

use super::{
    super::{AuditError, Options, export, verify_database, verify_export},
    Code, assert_found, check,
    database::store,
    server::Database,
    sound_log,
};

async fn exported(database: &Database) -> String {
    let mut out = Vec::new();
    export(&database.pool, &mut out, |_| {}).await.expect("an export");
    String::from_utf8(out).expect("text")
}

#[tokio::test]
async fn an_export_is_byte_for_byte_the_documented_one() {
    let database = Database::new().await;
    let log = sound_log();
    store(&database.pool, &log).await;
    let text = exported(&database).await;
    assert!(text == log.text(), "the export differs from the documented form");
    assert!(check(&text).verified);
}

#[tokio::test]
async fn an_export_of_an_empty_log_has_its_last_line() {
    let database = Database::new().await;
    let text = exported(&database).await;
    let head = "0".repeat(64);
    let end = format!("{{\"end\":{{\"events\":0,\"batches\":0,\"head_hash\":\"{head}\"}}}}\n");
    assert_eq!(text, end);
    assert!(check(&text).verified);
}

#[tokio::test]
async fn what_somebody_changed_is_exported_as_it_is_and_found_in_the_export() {
    let changes = [
        ("payload = payload || ' '::bytea", true),
        ("payload = ' '::bytea || payload", true),
        ("payload = '{}\n'::bytea", true),
        ("payload = ''::bytea", true),
        ("payload = '\\xff00'::bytea", true),
        ("payload = '{'::bytea", true),
        ("payload = 'null'::bytea", false),
        ("payload = '{\"a\": [1,  2]}'::bytea", false),
        ("metadata = metadata || '\n'::bytea", true),
        ("metadata = 'null'::bytea", false),
    ];
    for (change, base64) in changes {
        let database = Database::new().await;
        let log = super::generator::generate(7, 20);
        store(&database.pool, &log).await;
        let position = log.rows[log.rows.len() / 2].position;
        database
            .execute(&format!(
                "alter table events disable trigger all;
                 update events set {change} where position = {position}"
            ))
            .await;
        let text = exported(&database).await;
        assert_eq!(text.contains("_base64\":\""), base64, "{change}");
        let of_export = check(&text);
        assert_found(&of_export, position, Code::HashDiffers, change);
        let of_database =
            verify_database(&database.pool, &Options::default(), |_| {}).await.unwrap();
        assert_eq!(of_database.findings, of_export.findings, "{change}");
    }
}

#[tokio::test]
async fn an_output_that_refuses_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let database = Database::new().await;
    store(&database.pool, &super::generator::generate(7, 5)).await;
    let refused = export(&database.pool, Full, |_| {}).await;
    assert!(matches!(refused, Err(AuditError::Io(_))), "{refused:?}");
}

#[test]
fn an_input_that_breaks_is_an_error_and_not_a_shorter_log() {
    struct Breaking(usize);
    impl std::io::Read for Breaking {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let text = sound_log().text();
            let rest = &text.as_bytes()[self.0..text.len() / 2];
            if rest.is_empty() {
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            self.0 += length;
            Ok(length)
        }
    }
    let reader = std::io::BufReader::with_capacity(1 << 20, Breaking(0));
    let broken = verify_export(reader, &Options::default(), |_| {});
    assert!(matches!(broken, Err(AuditError::Io(_))), "{broken:?}");
}
