//! The check at start: is this server, with this role, safe to keep a ledger on?
//!
//! For any server, our own or one named by `DATABASE_URL`. It asks through the application's own
//! pool, so it sees what the application's sessions get: settings may differ by role and database.
//! It reads and changes nothing.
//!
//! Some findings refuse the start always, because the ledger can't work (an old version, a standby,
//! a missing privilege). Some refuse it in production and warn elsewhere, because what is
//! acknowledged could be lost or rewritten; a superuser is one of them, since no grant and no
//! trigger binds it. The rest warn: they cost availability or late detection, not money.

use std::{collections::HashMap, fmt};

use sqlx::PgPool;

use super::find::MAJOR_MIN;

/// What the application appends to, and may neither change nor remove: the log and the inbox.
const LOG_TABLES: [&str; 6] =
    ["events", "batches", "idempotency", "inbox_deliveries", "inbox_conflicts", "inbox_applied"];

/// What to do when a finding is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Refuse, wherever it is.
    Always,
    /// Refuse in production, else warn.
    InProduction,
    /// Warn.
    Warn,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable, for programs: `fsync_off`.
    pub code: &'static str,
    /// What is wrong and what to do about it, for people.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}

/// Why the ledger must not start on this server.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The server or the role is not safe; every reason is in here.
    #[error("this PostgreSQL is refused:\n- {}", in_lines(.0))]
    Refused(Vec<Finding>),
    /// The server did not answer.
    #[error("PostgreSQL could not be asked for its settings")]
    Unavailable(#[from] sqlx::Error),
}

fn in_lines(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n- ")
}

/// Checks the server and the role behind `pool`; what is tolerable comes back as warnings.
pub async fn check_settings(pool: &PgPool, production: bool) -> Result<Vec<Finding>, CheckError> {
    let server = read_server(pool).await?;
    let mut found = judge_server(&server);
    if !server.superuser {
        found.extend(judge_grants(&read_grants(pool).await?, &server.role));
    }
    let (refused, tolerated): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(weight, _)| match weight {
            Weight::Always => true,
            Weight::InProduction => production,
            Weight::Warn => false,
        });
    if refused.is_empty() {
        return Ok(tolerated.into_iter().map(|(_, finding)| finding).collect());
    }
    Err(CheckError::Refused(refused.into_iter().map(|(_, finding)| finding).collect()))
}

/// What the server says of itself and of our session.
#[derive(Debug, Clone)]
struct ServerState {
    settings: HashMap<String, String>,
    in_recovery: bool,
    role: String,
    superuser: bool,
}

impl ServerState {
    fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }
}

async fn read_server(pool: &PgPool) -> Result<ServerState, sqlx::Error> {
    let names = [
        "server_version",
        "server_version_num",
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "synchronous_standby_names",
        "data_checksums",
        "server_encoding",
        "default_transaction_read_only",
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ];
    let settings: Vec<(String, String)> =
        sqlx::query_as("select name, setting from pg_settings where name = any($1)")
            .bind(&names[..])
            .fetch_all(pool)
            .await?;
    let (in_recovery, role, superuser) = sqlx::query_as(
        "select pg_is_in_recovery(), current_user::text, \
                (select rolsuper from pg_roles where rolname = current_user)",
    )
    .fetch_one(pool)
    .await?;
    Ok(ServerState { settings: settings.into_iter().collect(), in_recovery, role, superuser })
}

fn judge_server(server: &ServerState) -> Vec<(Weight, Finding)> {
    let mut found = Vec::new();
    let mut find = |weight: Weight, code: &'static str, message: String| {
        found.push((weight, Finding { code, message }));
    };
    let version: u32 = server.setting("server_version_num").parse().unwrap_or(0);
    if version / 10_000 < MAJOR_MIN {
        let this = server.setting("server_version");
        let text = format!("PostgreSQL {MAJOR_MIN} or newer is needed (this is {this})");
        find(Weight::Always, "version_too_old", text);
    }
    if server.in_recovery {
        find(Weight::Always, "in_recovery", "this server is a standby: name the primary".into());
    } else if server.setting("default_transaction_read_only") == "on" {
        find(Weight::Always, "read_only", "sessions of this role are read-only".into());
    }
    let encoding = server.setting("server_encoding");
    if encoding != "UTF8" {
        let text = format!("the database's encoding is {encoding}: make it with encoding 'UTF8'");
        find(Weight::Always, "encoding_not_utf8", text);
    }
    for (name, code) in [("fsync", "fsync_off"), ("full_page_writes", "full_page_writes_off")] {
        if server.setting(name) != "on" {
            let text = format!("{name} is off: a power cut can destroy the ledger; turn it on");
            find(Weight::InProduction, code, text);
        }
    }
    if let Some((code, text)) = judge_commit(server) {
        find(Weight::InProduction, code, text);
    }
    if server.superuser {
        let text = format!(
            "the role {} is a superuser, whom nothing keeps from rewriting the log: connect as a \
             role of its own that has the privileges of bahi_app",
            server.role
        );
        find(Weight::InProduction, "superuser", text);
    }
    if server.setting("data_checksums") != "on" {
        let text = "data checksums are off: a rotten disk block is not noticed (pg_checksums \
                    turns them on while the server is stopped)";
        find(Weight::Warn, "data_checksums_off", text.into());
    }
    judge_timeouts(server, &mut find);
    found
}

/// `local` is as good as `on` where there is no standby to wait for.
fn judge_commit(server: &ServerState) -> Option<(&'static str, String)> {
    match server.setting("synchronous_commit") {
        "on" | "remote_apply" | "remote_write" => None,
        "local" if server.setting("synchronous_standby_names").is_empty() => None,
        "local" => Some((
            "synchronous_commit_local",
            "synchronous_commit is local: a failover loses acknowledged transfers; set it to on"
                .to_owned(),
        )),
        other => Some((
            "synchronous_commit_off",
            format!(
                "synchronous_commit is {other}: a crash loses acknowledged transfers; set it to on"
            ),
        )),
    }
}

fn judge_timeouts(server: &ServerState, find: &mut impl FnMut(Weight, &'static str, String)) {
    let timeouts = [
        ("statement_timeout", "statement_timeout_unset", "5s"),
        ("lock_timeout", "lock_timeout_unset", "2s"),
        ("idle_in_transaction_session_timeout", "idle_in_transaction_session_timeout_unset", "5s"),
    ];
    for (name, code, value) in timeouts {
        if server.setting(name) == "0" {
            let role = &server.role;
            let text = format!(
                "{name} is not set, so a stuck session can block the ledger: \
                 alter role \"{role}\" set {name} = '{value}'"
            );
            find(Weight::Warn, code, text);
        }
    }
}

/// What the role may do to one table of the log.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Grants {
    table_name: String,
    /// The privileges held, of all there are.
    privileges: Vec<String>,
    /// Whether the role is, or is a member of, the table's owner.
    owner: bool,
}

async fn read_grants(pool: &PgPool) -> Result<Vec<Grants>, sqlx::Error> {
    // UPDATE and REFERENCES can also be granted on single columns, which is as bad.
    sqlx::query_as(
        "select t.name as table_name,
                array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE',
                                                 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as p
                      where has_table_privilege(c.oid, p)
                         or (p in ('UPDATE', 'REFERENCES')
                             and has_any_column_privilege(c.oid, p))) as privileges,
                pg_has_role(c.relowner, 'MEMBER') as owner
         from unnest($1::text[]) as t(name)
         join pg_class c on c.oid = to_regclass(quote_ident(t.name))
         order by t.name",
    )
    .bind(&LOG_TABLES[..])
    .fetch_all(pool)
    .await
}

/// A table that is not there yet is the migrations' business, and is not judged.
fn judge_grants(tables: &[Grants], role: &str) -> Vec<(Weight, Finding)> {
    let mut found = Vec::new();
    for Grants { table_name, privileges, owner } in tables {
        let (needed, excess): (Vec<&str>, Vec<&str>) = privileges
            .iter()
            .map(String::as_str)
            .partition(|privilege| ["SELECT", "INSERT"].contains(privilege));
        if needed.len() < 2 {
            let message = format!(
                "the role {role} needs SELECT and INSERT on {table_name}: \
                 grant select, insert on {table_name} to \"{role}\""
            );
            found.push((Weight::Always, Finding { code: "privilege_missing", message }));
        }
        if *owner {
            let message = format!(
                "the role {role} owns {table_name}, so it can rewrite the past: \
                 let another role own it"
            );
            found.push((Weight::InProduction, Finding { code: "log_owner", message }));
        } else if !excess.is_empty() {
            let excess = excess.join(", ");
            let message = format!(
                "the role {role} has {excess} on {table_name}, which is append-only: \
                 revoke {excess} on {table_name} from \"{role}\""
            );
            found.push((Weight::InProduction, Finding { code: "privilege_excess", message }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, value: &str, in_recovery: bool) -> Vec<(Weight, &'static str)> {
        let good = [
            ("server_version_num", "150018"),
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("synchronous_commit", "on"),
            ("synchronous_standby_names", "ANY 1 (a, b)"),
            ("data_checksums", "on"),
            ("server_encoding", "UTF8"),
            ("default_transaction_read_only", "off"),
            ("statement_timeout", "5000"),
            ("lock_timeout", "2000"),
            ("idle_in_transaction_session_timeout", "5000"),
        ];
        let mut settings: HashMap<String, String> =
            good.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        settings.insert(name.to_owned(), value.to_owned());
        let server =
            ServerState { settings, in_recovery, role: "app".to_owned(), superuser: false };
        judge_server(&server).into_iter().map(|(weight, finding)| (weight, finding.code)).collect()
    }

    #[test]
    fn each_setting_has_its_weight() {
        use Weight::{Always, InProduction, Warn};
        assert_eq!(found("fsync", "on", false), []);
        assert_eq!(found("fsync", "on", true), [(Always, "in_recovery")]);
        let cases = [
            ("server_version_num", "130021", Always, "version_too_old"),
            ("server_encoding", "SQL_ASCII", Always, "encoding_not_utf8"),
            ("default_transaction_read_only", "on", Always, "read_only"),
            ("fsync", "off", InProduction, "fsync_off"),
            ("full_page_writes", "off", InProduction, "full_page_writes_off"),
            ("synchronous_commit", "off", InProduction, "synchronous_commit_off"),
            ("synchronous_commit", "local", InProduction, "synchronous_commit_local"),
            ("data_checksums", "off", Warn, "data_checksums_off"),
            ("lock_timeout", "0", Warn, "lock_timeout_unset"),
        ];
        for (name, value, weight, code) in cases {
            assert_eq!(found(name, value, false), [(weight, code)], "{name}");
        }
        for enough in ["remote_write", "remote_apply"] {
            assert_eq!(found("synchronous_commit", enough, false), [], "{enough}");
        }
    }
}
