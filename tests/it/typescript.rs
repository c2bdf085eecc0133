//! The client for frontends: made from the OpenAPI document, and type-checked.
//!
//! It takes Node.js and the packages of `docs/client/package.json`. Where either is not to be had
//! the test says so and ends: the rest of the tests say nothing of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const FILES: [&str; 3] = ["package.json", "tsconfig.json", "wallet.ts"];

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Option<Output> {
    Command::new(program).args(arguments).current_dir(folder).output().ok()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_frontends_first_calls_fit_the_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("client");
    fs::create_dir_all(&folder).unwrap();
    for file in FILES {
        fs::copy(root.join("docs/client").join(file), folder.join(file)).unwrap();
    }
    if !run(&folder, "npm", &["--version"]).is_some_and(|npm| npm.status.success()) {
        return eprintln!("NOT TESTED: there is no npm, so the TypeScript client was not checked");
    }
    let install = ["install", "--no-audit", "--no-fund", "--ignore-scripts"];
    let installed = run(&folder, "npm", &install).unwrap();
    if !installed.status.success() {
        let why = said(&installed);
        return eprintln!("NOT TESTED: the packages of the TypeScript client are not here: {why}");
    }
    let document = root.join("docs/openapi.json");
    let document = document.to_str().unwrap();
    let generate = ["openapi-typescript", document, "-o", "schema.d.ts"];
    let made = run(&folder, "npx", &generate).unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let checked = run(&folder, "npx", &["tsc", "--noEmit"]).unwrap();
    assert!(checked.status.success(), "{}", said(&checked));

    // It is checked at all: an amount that is a number is an error.
    let example = fs::read_to_string(folder.join("wallet.ts")).unwrap();
    let wrong = example.replace("amount: { value, ", "amount: { value: 5, ");
    assert_ne!(wrong, example);
    fs::write(folder.join("wallet.ts"), wrong).unwrap();
    let checked = run(&folder, "npx", &["tsc", "--noEmit"]).unwrap();
    assert!(!checked.status.success(), "a number was taken for an amount");
}
