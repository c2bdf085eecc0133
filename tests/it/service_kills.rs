//! `kill -9` of the whole service under load: HTTP, engine, projector and all, with the private
//! PostgreSQL that users get. Every acknowledged transfer is in the log exactly once; what was not
//! answered is sent again with the same key, and is there exactly once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    checker::{self, Books, Log},
    load::{Dice, times, wallets},
    process,
    service_process::{self, PRINCIPAL, ServiceProcess},
};

const CLIENTS: usize = 24;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the other test of this file, in a process of its own"]
async fn a_service_in_a_process_of_its_own() {
    let folder = process::given_folder().expect("this test is run by another one");
    service_process::be_a_service(&folder).await;
}

/// What a client knows of a transfer that it asked for.
#[derive(Debug, Clone)]
struct Asked {
    body: Value,
    /// The transaction's id or the code of the refusal, and the position.
    known: Option<(Result<String, String>, i64)>,
}

/// Clients of the service.
struct Clients {
    http: Client,
    address: Mutex<String>,
    key: String,
    asked: Mutex<BTreeMap<String, Asked>>,
    answers: AtomicUsize,
    lost: AtomicUsize,
    stop: AtomicBool,
}

impl Clients {
    async fn post(&self, path: &str, key: &str, body: &Value) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.address.lock().unwrap());
        let request = self.http.post(url).bearer_auth(&self.key).json(body);
        request.header("idempotency-key", key).send().await
    }

    /// Asks once; true if there was a definite answer.
    async fn ask(&self, key: &str, body: &Value) -> bool {
        {
            let mut asked = self.asked.lock().unwrap();
            let entry = || Asked { body: body.clone(), known: None };
            asked.entry(key.to_owned()).or_insert_with(entry);
        }
        let answered = match self.post("/v1/transactions", key, body).await {
            Ok(response) => read(response).await,
            Err(_) => None,
        };
        let Some(answer) = answered else {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        let mut asked = self.asked.lock().unwrap();
        let known = &mut asked.get_mut(key).unwrap().known;
        if let Some(known) = known {
            assert_eq!(known.0, answer.0, "{key}: two answers");
        }
        *known = Some(answer);
        self.answers.fetch_add(1, Ordering::Relaxed);
        true
    }

    async fn run(&self, number: usize, wallets: &[String]) {
        let mut dice = Dice::new(u64::try_from(number).unwrap());
        for n in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let from = dice.roll(wallets.len());
            let to = (from + 1 + dice.roll(wallets.len() - 1)) % wallets.len();
            let value = format!("{}.{:02}", dice.roll(9), 1 + dice.roll(99));
            let body = transfer(&wallets[from], &wallets[to], &value);
            let key = format!("kill-{number}-{n}");
            while !self.ask(&key, &body).await {
                // As a client would: a little later. One in two leaves it at that.
                tokio::time::sleep(Duration::from_millis(50)).await;
                if number % 2 == 1 || self.stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    }

    async fn more(&self, count: usize) {
        let before = self.answers.load(Ordering::Relaxed);
        let began = Instant::now();
        while self.answers.load(Ordering::Relaxed) < before + count {
            assert!(began.elapsed() < Duration::from_secs(30), "no answers");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn transfer(from: &str, to: &str, value: &str) -> Value {
    let amount = json!({"value": value, "currency": "INR"});
    json!({"kind": "transfer", "debit": from, "credit": to, "amount": amount})
}

/// A definite answer, if it is one: made, or refused by a rule.
async fn read(response: Response) -> Option<(Result<String, String>, i64)> {
    let status = response.status();
    let position = response.headers().get("ledger-position").cloned();
    let body: Value = serde_json::from_str(&response.text().await.ok()?).ok()?;
    let position = || position.unwrap().to_str().unwrap().parse().unwrap();
    match status {
        StatusCode::CREATED | StatusCode::OK => {
            Some((Ok(body["id"].as_str().unwrap().to_owned()), position()))
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            Some((Err(body["code"].as_str().unwrap().to_owned()), 0))
        }
        StatusCode::SERVICE_UNAVAILABLE => None,
        other => panic!("{other}: {body}"),
    }
}

async fn fund(clients: &Clients, wallets: &[String]) {
    let till = json!({"code": "till:fund", "currency": "INR", "owner": "test", "type": "asset"});
    let opened = clients.post("/v1/accounts", "till", &till).await.unwrap();
    assert!(opened.status().is_success(), "{}", opened.text().await.unwrap());
    for wallet in wallets {
        let (code, currency) = wallet.rsplit_once(':').unwrap();
        let body = json!({"code": code, "currency": currency, "owner": "test"});
        let opened = clients.post("/v1/accounts", wallet, &body).await.unwrap();
        assert!(opened.status().is_success(), "{}", opened.text().await.unwrap());
        let funding = transfer("till:fund:INR", wallet, "200.00");
        assert!(clients.ask(&format!("fund-{wallet}"), &funding).await);
    }
}

/// Holds what the clients were told against the log.
fn check(log: &Log, books: &Books, asked: &BTreeMap<String, Asked>) -> (usize, usize) {
    let ours = log.stored.iter().filter(|stored| stored.principal == PRINCIPAL);
    let stored: BTreeMap<&str, &Value> = ours.map(|s| (s.key.as_str(), &s.outcome)).collect();
    let (mut made, mut refused) = (0, 0);
    for (key, asked) in asked {
        let (answer, position) = asked.known.as_ref().expect("all are resolved");
        let outcome = stored.get(key.as_str()).unwrap_or_else(|| panic!("{key} is not in the log"));
        match answer {
            Ok(id) => {
                let accepted = &outcome["accepted"];
                assert_eq!(accepted["receipt"]["posted"]["transactions"], json!([id]), "{key}");
                assert_eq!(accepted["position"], json!(position), "{key}");
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let leg = |account: &str, side: &str| {
                    let amount = text(&asked.body["amount"]["value"]);
                    (text(&asked.body[account]), side.to_owned(), amount)
                };
                let legs = [leg("debit", "debited"), leg("credit", "credited")];
                assert_eq!(books.transactions[id].legs, legs, "{key}");
                made += 1;
            }
            Err(code) => {
                assert_eq!(outcome["rejected"]["code"], json!(code), "{key}");
                refused += 1;
            }
        }
    }
    assert_eq!(books.transactions.len(), made, "a transaction that nobody was told of");
    (made, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_the_whole_service_is_killed_twenty_times_under_load() {
    let kills = 20 * times();
    let mut service = ServiceProcess::start().await;
    let http = Client::builder().timeout(Duration::from_secs(15)).build().unwrap();
    let clients = Arc::new(Clients {
        http,
        address: Mutex::new(service.address()),
        key: service.key(),
        asked: Mutex::default(),
        answers: AtomicUsize::new(0),
        lost: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let wallets = wallets(6);
    fund(&clients, &wallets).await;
    let running: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (clients, wallets) = (Arc::clone(&clients), wallets.clone());
            tokio::spawn(async move { clients.run(number, &wallets).await })
        })
        .collect();
    let (began, mut slowest) = (Instant::now(), Duration::ZERO);
    for kill in 0..kills {
        clients.more(30 + 5 * (kill % 20)).await;
        let killed = Instant::now();
        service.kill_and_restart().await;
        slowest = slowest.max(killed.elapsed());
        *clients.address.lock().unwrap() = service.address();
    }
    clients.more(50).await;
    clients.stop.store(true, Ordering::Relaxed);
    for client in running {
        client.await.unwrap();
    }
    // Whatever was never answered is asked again.
    let open: Vec<(String, Value)> = {
        let asked = clients.asked.lock().unwrap();
        let open = asked.iter().filter(|(_, asked)| asked.known.is_none());
        open.map(|(key, asked)| (key.clone(), asked.body.clone())).collect()
    };
    let resolve = open.iter().map(async |(key, body)| while !clients.ask(key, body).await {});
    futures::future::join_all(resolve).await;
    let (cluster, superuser) = service.look().await;
    checker::check(&superuser).await;
    let log = Log::read(&superuser).await;
    let books = Books::check(&log);
    let asked = clients.asked.lock().unwrap().clone();
    let (made, refused) = check(&log, &books, &asked);
    let lost = clients.lost.load(Ordering::Relaxed);
    println!(
        "{kills} kills in {:?}, restarts of {slowest:?} at most: {made} made, {refused} refused, \
         {lost} answers lost, {} asked again at the end",
        began.elapsed(),
        open.len()
    );
    assert!(lost >= kills, "{lost} answers were lost");
    tokio::task::spawn_blocking(move || drop(cluster)).await.unwrap();
    service.stop().await;
}
