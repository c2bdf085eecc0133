//! The house rules that a compiler cannot hold, as tests over the repository's own text.
//!
//! Each rule is a pure function from a file's text to what is wrong with it, so that each is tested
//! on bad input too: a rule that can't fail is no rule. What a rule forgives stands in a list here,
//! with the reason, and a forgiveness that is no longer needed fails as well.

mod files;
mod imports;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use files::{SourceFile, repository};

/// Longer than the rule allows, each for a reason that outweighs it.
const LONG_FILES: [(&str, &str); 0] = [];

/// Names each finding with its file, and fails if there are any.
#[track_caller]
fn check(files: &[SourceFile], rule: impl Fn(&SourceFile) -> Vec<String>) {
    let findings: Vec<String> = files
        .iter()
        .flat_map(|file| rule(file).into_iter().map(|finding| format!("{}: {finding}", file.path)))
        .collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn lines_have_at_most_100_columns() {
    let code = repository(&["rs", "sql", "sh", "service"]);
    check(&code, |file| rules::long_lines(&file.text));
}

#[test]
fn files_are_short_enough_to_read_in_one_sitting() {
    let forgiven: BTreeMap<&str, &str> = LONG_FILES.into();
    let mut needed = BTreeSet::new();
    let mut findings = Vec::new();
    for file in repository(&["rs"]) {
        let Some(finding) = rules::too_long(&file.path, &file.text) else {
            continue;
        };
        match forgiven.get_key_value(file.path.as_str()) {
            Some((path, _)) => drop(needed.insert(*path)),
            None => findings.push(format!("{}: {finding}", file.path)),
        }
    }
    let stale = forgiven.keys().filter(|path| !needed.contains(*path));
    findings.extend(stale.map(|path| format!("{path}: needs no forgiveness any more")));
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn nothing_is_left_unfinished() {
    let code = repository(&["rs", "sql", "sh"]);
    check(&code, |file| rules::unfinished(&file.text));
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let all = repository(&["rs", "sql", "sh", "md", "toml", "json", "service", ""]);
    check(&all, |file| rules::machine_paths(&file.text));
}

#[test]
fn modules_depend_downwards() {
    let code = repository(&["rs"]);
    check(&code, |file| imports::upward(&file.path, &imports::paths(&file.text)));
}

#[test]
fn only_the_log_inserts_events() {
    let code = repository(&["rs"]);
    check(&code, |file| {
        // Tests make logs of their own; a bench measures what an append could cost at best.
        let may = ["ledger-core/src/", "tests/", "benches/"]
            .iter()
            .any(|folder| file.path.contains(folder));
        if may { Vec::new() } else { rules::inserts_into_log(&file.text) }
    });
}

#[test]
fn every_source_file_is_part_of_a_crate() {
    let code = repository(&["rs"]);
    let texts: BTreeMap<&str, &str> =
        code.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    check(&code, |file| {
        if rules::is_reached(&file.path, &texts) {
            Vec::new()
        } else {
            vec!["no `mod` line leads here".to_owned()]
        }
    });
}

#[test]
fn links_between_pages_lead_somewhere() {
    let pages = repository(&["md"]);
    check(&pages, |page| {
        rules::links(&page.text)
            .into_iter()
            .filter(|link| !files::exists_beside(&page.path, link))
            .map(|link| format!("{link} does not exist"))
            .collect()
    });
}

#[test]
fn decisions_are_numbered_and_say_what_follows() {
    let decisions: Vec<SourceFile> = repository(&["md"])
        .into_iter()
        .filter(|file| file.path.starts_with("docs/decisions/"))
        .collect();
    assert!(!decisions.is_empty());
    let names: Vec<&str> = decisions.iter().map(SourceFile::name).collect();
    assert_eq!(rules::badly_numbered(&names, 4, '-'), Vec::<String>::new());
    check(&decisions, |file| rules::missing_headings(&file.text));
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    let migrations: Vec<SourceFile> = repository(&["sql"])
        .into_iter()
        .filter(|file| file.path.starts_with("migrations/"))
        .collect();
    assert!(!migrations.is_empty());
    let names: Vec<&str> = migrations.iter().map(SourceFile::name).collect();
    assert_eq!(rules::badly_numbered(&names, 1, '_'), Vec::<String>::new());
}

#[test]
fn every_member_takes_lints_and_versions_from_the_workspace() {
    let manifests: Vec<SourceFile> = repository(&["toml"])
        .into_iter()
        .filter(|file| file.name() == "Cargo.toml" && file.path != "Cargo.toml")
        .collect();
    assert!(manifests.len() >= 3);
    check(&manifests, |file| rules::own_versions(&file.text));
}

#[test]
fn the_tour_of_the_readme_is_the_tour_that_is_run() {
    let pages = repository(&["md", "sh"]);
    let text = |path: &str| pages.iter().find(|page| page.path == path).map(|page| &*page.text);
    let readme = text("README.md").expect("a readme");
    let tour = text("docs/tour.sh").expect("a tour");
    let section = readme.split("\n## ").find(|section| section.starts_with("Five minutes"));
    let lines = rules::code(section.expect("the tour's section"), "sh");
    assert!(lines.len() > 20, "{lines:?}");
    // How the address and the key are found is the script's own.
    for line in lines.iter().filter(|line| !line.starts_with("BAHI=")) {
        assert!(tour.contains(line.trim()), "docs/tour.sh does not run: {line}");
    }
}
