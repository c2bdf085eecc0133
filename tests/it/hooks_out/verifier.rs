//! Another program's implementation of Standard Webhooks: the package `standardwebhooks` of Python.
//!
//! Where it is not to be had the test says so and goes on, but not on the machines that decide
//! whether a change is good (`CI`).

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Mutex,
};

use serde_json::json;

use super::receiver::Got;

const SCRIPT: &str = "
import json, sys
from standardwebhooks import Webhook
told = json.load(sys.stdin)
hook = Webhook(told['secret'])
for got in told['got']:
    hook.verify(got['body'], got['headers'])
    try:
        hook.verify(got['body'] + ' ', got['headers'])
    except Exception:
        continue
    sys.exit('another body was taken')
print(len(told['got']))
";

/// One at a time makes the environment.
static MAKING: Mutex<()> = Mutex::new(());

/// Goes on only if each of these was signed with the secret.
pub(crate) fn verify(secret: &str, got: &[Got]) {
    if let Some(output) = run(secret, got) {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), got.len().to_string());
    }
}

/// Whether none of these was signed with the secret.
pub(crate) fn refuses(secret: &str, got: &[Got]) -> bool {
    got.iter().all(|got| {
        let output = run(secret, std::slice::from_ref(got));
        output.is_none_or(|output| {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            !output.status.success() && said.contains("No matching signature")
        })
    })
}

fn run(secret: &str, got: &[Got]) -> Option<Output> {
    let python = python()?;
    let got: Vec<_> =
        got.iter().map(|got| json!({"headers": got.headers, "body": got.body})).collect();
    let told = json!({"secret": secret, "got": got}).to_string();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), told).unwrap();
    let input = std::fs::File::open(file.path()).unwrap();
    Some(Command::new(python).args(["-c", SCRIPT]).stdin(input).output().unwrap())
}

/// Python with the package, in an environment of its own.
fn python() -> Option<PathBuf> {
    let _one = MAKING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standardwebhooks");
    let python = folder.join("bin/python");
    let works = |python: &Path| {
        let asked = Command::new(python).args(["-c", "import standardwebhooks"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    if works(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
    let install = ["-m", "pip", "install", "--quiet", "standardwebhooks==1.0.1"];
    let installed = Command::new(&python).args(install).output();
    if works(&python) {
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "no verifier: {made:?} {installed:?}");
    eprintln!("NOT TESTED: Python's standardwebhooks is not here, so signatures were not checked");
    None
}
