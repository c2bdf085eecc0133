//! The rules about text.

use std::collections::BTreeMap;

const LINE_COLUMNS_MAX: usize = 100;
/// The most lines of a file of the program, without the tests at its end.
const FILE_LINES_MAX: usize = 400;
/// The most lines of a file of tests: a table of cases is long, and no better in two.
const TEST_LINES_MAX: usize = 600;

fn in_lines(text: &str, wrong: impl Fn(&str) -> Option<String>) -> Vec<String> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| wrong(line).map(|why| format!("line {}: {why}", index + 1)))
        .collect()
}

pub(super) fn long_lines(text: &str) -> Vec<String> {
    in_lines(text, |line| {
        let columns = line.chars().count();
        (columns > LINE_COLUMNS_MAX).then(|| format!("{columns} columns"))
    })
}

pub(super) fn too_long(path: &str, text: &str) -> Option<String> {
    let is_test = path.contains("tests/") || path.ends_with("tests.rs");
    let (lines, most) = if is_test {
        (text.lines().count(), TEST_LINES_MAX)
    } else {
        (text.lines().take_while(|line| *line != "#[cfg(test)]").count(), FILE_LINES_MAX)
    };
    (lines > most).then(|| format!("{lines} lines, of {most} at most"))
}

/// Words that mean that something is missing. Put together here, so as not to find themselves.
pub(super) fn unfinished(text: &str) -> Vec<String> {
    let macros = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!"));
    let marks = [["TO", "DO"], ["FIX", "ME"]].map(|parts| parts.concat());
    in_lines(text, |line| {
        let mut words = macros.iter().chain(&marks);
        words.find(|word| line.contains(*word)).cloned()
    })
}

/// Places that exist on somebody's machine only.
pub(super) fn machine_paths(text: &str) -> Vec<String> {
    let places = ["work", "root", "home", "Users"].map(|name| format!("/{name}/"));
    in_lines(text, |line| {
        // Homebrew's folder on Linux is the same on every machine.
        let line = line.replace("/home/linuxbrew/", "");
        // Such a folder inside a relative path is no place of a machine; only a path that starts
        // there is.
        let at = |place: &String| {
            line.match_indices(place.as_str()).any(|(at, _)| {
                let before = line.get(..at).and_then(|l| l.chars().next_back());
                !before.is_some_and(|c| c.is_alphanumeric() || "_.-}>)".contains(c))
            })
        };
        places.iter().find(|place| at(place)).cloned()
    })
}

/// Statements that append to the log, which is the engine's alone.
pub(super) fn inserts_into_log(text: &str) -> Vec<String> {
    let tables = ["events", "batches", "idempotency"];
    in_lines(text, |line| {
        let line = line.to_lowercase();
        let (_, rest) = line.split_once("insert into ")?;
        let table = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        tables.contains(&table).then(|| format!("inserts into {table}"))
    })
}

/// Whether a `mod` line in the file above leads to the one at `path`.
pub(super) fn is_reached(path: &str, texts: &BTreeMap<&str, &str>) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let module = name.trim_end_matches(".rs");
    let is_root = ["lib", "main"].contains(&module)
        || (module == "build" && !folder.contains('/'))
        || folder == "benches"
        || folder.ends_with("/bin");
    if is_root {
        return true;
    }
    // `a/b/mod.rs` and `a/b.rs` are both the module b of a.
    let (folder, module) = if module == "mod" {
        folder.rsplit_once('/').unwrap_or(("", folder))
    } else {
        (folder, module)
    };
    let parents = [
        format!("{folder}/mod.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}.rs"),
    ];
    let declared = |parent: &String| {
        texts.get(parent.as_str()).is_some_and(|text| {
            text.lines().any(|line| {
                let line = line.trim();
                let line = line
                    .strip_prefix("pub")
                    .map_or(line, |rest| rest.trim_start_matches(|c| c != ' ').trim_start());
                line == format!("mod {module};")
            })
        })
    };
    parents.iter().any(declared)
}

/// The targets of a page's links that are files of the repository.
pub(super) fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        let targets = line.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split([')', ' ']).next());
        found.extend(
            targets
                .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
                .map(str::to_owned),
        );
    }
    found
}

/// The lines of a page's blocks of code in one language.
pub(super) fn code<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut block = None;
    for line in text.lines() {
        match (block, line.strip_prefix("```")) {
            (None, Some(opened)) => block = Some(opened),
            (Some(_), Some(_)) => block = None,
            (Some(opened), None) if opened == language => found.push(line),
            (Some(_) | None, None) => {}
        }
    }
    found
}

/// What is wrong with a row of names that should start with 1, 2, 3 … in `digits` digits or more.
pub(super) fn badly_numbered(names: &[&str], digits: usize, separator: char) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut found = Vec::new();
    for name in names {
        let number = name.split(separator).next().unwrap_or_default();
        match number.parse::<usize>() {
            Ok(n) if number.len() >= digits => numbers.push((n, *name)),
            _ => found.push(format!("{name} has no number")),
        }
    }
    numbers.sort_unstable();
    for (expected, (number, name)) in (1..).zip(numbers) {
        if number != expected {
            found.push(format!("{name} should be number {expected}"));
        }
    }
    found
}

/// What a decision record lacks.
pub(super) fn missing_headings(text: &str) -> Vec<String> {
    ["Context", "Decision", "Consequences"]
        .iter()
        .filter(|heading| !text.contains(*heading))
        .map(|heading| format!("has no {heading}"))
        .collect()
}

/// Dependencies with a version of their own, and a missing line for the common lints.
pub(super) fn own_versions(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !manifest.contains("[lints]\nworkspace = true") {
        found.push("does not take the workspace's lints".to_owned());
    }
    let mut dependencies = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            dependencies = line.contains("dependencies");
        } else if dependencies && line.contains('=') && !line.contains("workspace") {
            found.push(format!("has a version of its own: {line}"));
        }
    }
    found
}

#[test]
fn each_rule_finds_what_it_forbids() {
    assert_eq!(long_lines(&"x".repeat(101)).len(), 1);
    assert_eq!(long_lines(&"é".repeat(100)).len(), 0);
    let long = "x\n".repeat(401);
    assert!(too_long("a/src/b.rs", &long).is_some());
    assert!(too_long("a/src/tests.rs", &long).is_none());
    assert!(too_long("a/src/b.rs", &format!("#[cfg(test)]\n{long}")).is_none());
    let unfinished_line = format!("{}!()", ["to", "do"].concat());
    assert_eq!(unfinished(&unfinished_line).len(), 1);
    for (line, findings) in [("\"/PLACE/x\"", 1), ("a/PLACE/b", 0), ("see /PLACE/", 1)] {
        let line = line.replace("PLACE", "work");
        assert_eq!(machine_paths(&line).len(), findings, "{line}");
    }
    assert_eq!(inserts_into_log("INSERT INTO events (position)").len(), 1);
    assert_eq!(inserts_into_log("insert into events_seen values").len(), 0);
    assert_eq!(own_versions("[lints]\nworkspace = true\n").len(), 0);
    let own = "[dependencies]\nserde = \"1\"\nsqlx.workspace = true\n";
    assert_eq!(own_versions(own).len(), 2);
    assert_eq!(missing_headings("## Context\n## Decision\n").len(), 1);
    let page = "[a](b.md#c) [d](https://e) ![f](g.svg)\n```\n[no](code)\n```\n";
    assert_eq!(links(page), ["b.md#c", "g.svg"]);
    assert_eq!(code("a\n```sh\nb\n```\nc\n```\nd\n```\n", "sh"), ["b"]);
}

#[test]
fn numbers_run_from_one_without_a_gap() {
    assert_eq!(badly_numbered(&["0001-a.md", "0002-b.md"], 4, '-').len(), 0);
    assert_eq!(badly_numbered(&["0001-a.md", "0003-b.md"], 4, '-').len(), 1);
    assert_eq!(badly_numbered(&["0001-a.md", "0001-b.md"], 4, '-').len(), 1);
    assert_eq!(badly_numbered(&["1-a.md"], 4, '-').len(), 1);
    assert_eq!(badly_numbered(&["1_a.sql", "2_b.sql", "10_c.sql"], 1, '_').len(), 1);
}

#[test]
fn a_file_without_a_mod_line_is_found() {
    let texts: BTreeMap<&str, &str> = [
        ("x/src/lib.rs", "pub mod a;\n#[cfg(test)]\nmod b;\n"),
        ("x/src/a/mod.rs", "pub(crate) mod c;\n"),
        ("x/src/b.rs", "mod d;"),
    ]
    .into();
    for reached in ["x/src/lib.rs", "x/src/a/mod.rs", "x/src/a/c.rs", "x/src/b/d.rs"] {
        assert!(is_reached(reached, &texts), "{reached}");
    }
    for lost in ["x/src/e.rs", "x/src/a/b.rs", "x/src/a/d.rs"] {
        assert!(!is_reached(lost, &texts), "{lost}");
    }
}
