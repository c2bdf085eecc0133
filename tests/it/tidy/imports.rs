//! Which module may know which: read off the `use` lines.

/// The paths that a file's `use` lines bring in, one per leaf: `use a::{b, c::d};` has two.
pub(super) fn paths(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = Vec::new();
    for statement in code.split(';') {
        let Some(tree) = use_tree(statement) else {
            continue;
        };
        let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
        flatten("", &tree, &mut found);
    }
    found
}

/// What follows `use` where a line of the statement starts with it, after any visibility.
fn use_tree(statement: &str) -> Option<&str> {
    let starts = statement.match_indices("use ").find(|(at, _)| {
        let line = statement.get(..*at).unwrap_or_default();
        let before = line.rsplit('\n').next().unwrap_or_default().trim();
        before.is_empty() || before.starts_with("pub")
    });
    starts.and_then(|(at, word)| statement.get(at + word.len()..))
}

fn flatten(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    match tree.split_once('{') {
        Some((head, rest)) => {
            let inner = rest.strip_suffix('}').unwrap_or(rest);
            let prefix = format!("{prefix}{}", head.trim());
            for part in parts(inner) {
                flatten(&prefix, part, found);
            }
        }
        None if tree.is_empty() => {}
        None => {
            let path = tree.split(" as ").next().unwrap_or_default();
            found.push(format!("{prefix}{path}"));
        }
    }
}

/// Splits at the commas that stand in no inner braces.
fn parts(list: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    list.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

/// Who (by path) may not know whom (by the start of an imported path).
const FORBIDDEN: [(&str, &[&str]); 13] = [
    ("ledger-core/", &["projections", "ledger_api"]),
    ("ledger-core/", &["axum", "hyper", "tower", "utoipa"]),
    ("projections/", &["ledger_api", "axum", "hyper", "tower"]),
    ("projections/", &["ledger_core::engine"]),
    // Case 78: who replays the log can send nothing to anybody.
    ("projections/", &["reqwest", "std::net", "std::process", "tokio::net", "tokio::process"]),
    // The auditor must not inherit a mistake of what it audits.
    ("projections/src/audit/", &["crate::projector"]),
    // What a bank is tested against must not share its mistakes.
    ("tests/sandbox-bank/", &["ledger_core", "projections", "ledger_api"]),
    (
        "tests/sandbox-bank/src/conformance/",
        &["crate::accounts", "crate::bank", "crate::money", "crate::sandbox", "crate::wire"],
    ),
    ("ledger-core/src/money.rs", &["crate::"]),
    ("ledger-core/src/clock.rs", &["crate::"]),
    ("ledger-core/src/ids.rs", &["crate::account", "crate::book"]),
    ("ledger-core/src/log/", &["crate::engine"]),
    ("ledger-core/src/account/", &["crate::engine"]),
];

/// The folders of ledger-core that may do I/O. All else there is pure.
const WITH_IO: [&str; 2] = ["ledger-core/src/log/", "ledger-core/src/engine/"];

/// What the pure modules may not know.
const IO: [&str; 4] = ["sqlx", "tokio", "std::fs", "std::net"];

/// The only part of ledger-core that the auditor may use: reading rows.
const AUDITOR_MAY: &str = "ledger_core::log";

/// The imports of the file at `path` that point upwards.
pub(super) fn upward(path: &str, imports: &[String]) -> Vec<String> {
    let in_crate = |import: &str, start: &str| {
        import
            .strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || start.ends_with(':'))
    };
    let mut found = Vec::new();
    for import in imports {
        let forbidden = FORBIDDEN.iter().any(|(who, whom)| {
            path.starts_with(who) && whom.iter().any(|start| in_crate(import, start))
        });
        let io = path.starts_with("ledger-core/src/")
            && !WITH_IO.iter().any(|folder| path.starts_with(folder))
            && IO.iter().any(|start| in_crate(import, start));
        let audit = path.starts_with("projections/src/audit/")
            && import.starts_with("ledger_core")
            && !in_crate(import, AUDITOR_MAY);
        if forbidden || io || audit {
            found.push(format!("must not import {import}"));
        }
    }
    found
}

#[test]
fn use_lines_are_read_leaf_by_leaf() {
    let text = "
        // use commented::out;
        use a::b;
        pub(crate) use c::{d, e::{self, f as g}};
        use {
            h,
            i::*,
        };
        fn main() { let used = x; }
    ";
    assert_eq!(paths(text), ["a::b", "c::d", "c::e::self", "c::e::f", "h", "i::*"]);
}

#[test]
fn an_import_that_points_upwards_is_found() {
    let cases = [
        ("ledger-core/src/account/mod.rs", "sqlx::PgPool", 1),
        ("ledger-core/src/account/mod.rs", "crate::engine::Engine", 1),
        ("ledger-core/src/log/read.rs", "sqlx::PgPool", 0),
        ("ledger-core/src/log/read.rs", "crate::engine", 1),
        ("ledger-core/src/money.rs", "crate::ids::Owner", 1),
        ("ledger-core/src/engine/mod.rs", "axum::Router", 1),
        ("projections/src/accounts.rs", "ledger_core::engine::Engine", 1),
        ("projections/src/accounts.rs", "ledger_core::log::read", 0),
        ("projections/src/accounts.rs", "tokio::net::TcpStream", 1),
        ("projections/src/audit/verify.rs", "ledger_core::money::Money", 1),
        ("projections/src/audit/verify.rs", "ledger_core::log::read", 0),
        ("ledger-api/src/main.rs", "ledger_core::engine::Engine", 0),
        ("tests/sandbox-bank/src/bank.rs", "ledger_core::money::Money", 1),
        ("tests/sandbox-bank/src/conformance/client.rs", "crate::money::Amount", 1),
    ];
    for (path, import, findings) in cases {
        let found = upward(path, &[import.to_owned()]);
        assert_eq!(found.len(), findings, "{path} imports {import}");
    }
}
