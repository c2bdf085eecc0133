//! The bank is a process that somebody kills: what it answered must still be so.
//!
//! The process is this very program, told by a variable to be the bank and nothing else.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use sandbox_bank::{clock::Clock, control::Control};
use serde_json::{Value, json};

use crate::support::{Bank, TOKEN, Wanted, answer, order};

const JOURNAL: &str = "SANDBOX_BANK_TEST_JOURNAL";
const SPEAKS: &str = "the bank is at ";

/// The bank that is killed; without the variable, nothing.
#[tokio::test]
async fn child() {
    let Some(journal) = std::env::var_os(JOURNAL) else {
        return;
    };
    let clock = Clock::running();
    let wanted = Wanted { clock, journal: Some(journal.into()), hooks: None };
    let bank = Bank::start(wanted).await;
    println!("{SPEAKS}{}", bank.url);
    std::future::pending::<()>().await;
}

/// A bank in a process of its own. It is killed when it is dropped.
struct Process {
    child: Child,
    url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        // If it is dead already, that is as good.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Process {
    fn start(journal: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "kills::child", "--nocapture"])
            .env(JOURNAL, journal)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let url = lines.map_while(Result::ok).find_map(|line| {
            // The harness writes the test's name before it, on the same line.
            line.split_once(SPEAKS).map(|(_, url)| url.to_owned())
        });
        Self { child, url: url.expect("an address") }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_that_is_killed_at_any_moment_pays_each_reference_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut answered: BTreeMap<String, Value> = BTreeMap::new();
    let mut sent = 0;
    for round in 0..5 {
        let bank = Process::start(&journal);
        // Everything that was ever sent is sent again: what was answered is answered again, and
        // what was on its way is paid now, if it was not.
        let call = |number: usize| {
            let request = http.post(format!("{}/banks/axis/v1/transfers", bank.url));
            let order = order(&format!("A{number}"), "10.00");
            request.bearer_auth(TOKEN).json(&order).send()
        };
        for (reference, told) in &answered {
            let url = format!("{}/banks/axis/v1/transfers/{reference}", bank.url);
            let (status, now) = answer(http.get(url).bearer_auth(TOKEN)).await;
            assert_eq!((status, &now), (200, told), "round {round}");
        }
        for number in 0..sent {
            // Over the bank's rate, which does no harm: it is sent again in the next round.
            let again = call(number).await.expect("an answer");
            if again.status() == 200 {
                let told: Value = again.json().await.expect("JSON");
                let before = answered.insert(format!("A{number}"), told.clone());
                assert!(before.is_none_or(|before| before == told), "round {round}");
            }
        }
        let calls: Vec<_> = (sent..sent + 40).map(call).collect();
        sent += 40;
        let calls = futures::future::join_all(calls.into_iter().map(|call| async {
            let answer = call.await.ok()?;
            if answer.status() == 200 { answer.json::<Value>().await.ok() } else { None }
        }));
        // It is killed while it answers.
        let pid = bank.child.id();
        let (answers, bank) = tokio::join!(calls, async move {
            tokio::task::spawn_blocking(move || drop(bank)).await.expect("killed");
            pid
        });
        assert_eq!(bank, pid);
        for told in answers.into_iter().flatten() {
            answered.insert(told["reference"].as_str().expect("a reference").to_owned(), told);
        }
    }
    assert!(answered.len() >= 40, "only {} were answered", answered.len());
    let bank = Process::start(&journal);
    for number in 0..sent {
        let url = format!("{}/banks/axis/v1/transfers", bank.url);
        loop {
            let order = order(&format!("A{number}"), "10.00");
            let (status, told) = answer(http.post(&url).bearer_auth(TOKEN).json(&order)).await;
            if status == 200 {
                assert_eq!(told["status"], "paid");
                break;
            }
            assert_eq!(status, 429, "{told}");
            tokio::task::yield_now().await;
        }
    }
    let control = Control::new(&bank.url, Some(TOKEN.to_owned())).expect("a client");
    let books = control.books(sandbox_bank::BankCode::Axis).await.expect("books");
    let sum = json!({ "value": "2000.00", "currency": "INR" });
    assert_eq!(books["transfers"], json!({ "paid": { "count": 200, "sum": sum } }));
    assert_eq!(books["balances"]["escrow"]["value"], "89998000.00");
    assert_eq!(books["balanced"], true);
}
