//! `kill -9` of the real process in the midst of payments, refunds, settlement and payouts: what it
//! acknowledged is there, what it did not is there once after it was asked again, a day is settled
//! and paid out once, and the books are equal.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ledger_api::shops::{MerchantId, NewMerchant, PayoutSchedule, Shops};
use ledger_core::clock::{Clock as _, Ids as _, System};
use reqwest::{Client, Method, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};

use super::{id, rupees};
use crate::support::{
    load::Dice,
    process,
    sandbox::{Sandbox, TOKEN, noon},
    service_process::ServiceProcess,
};

const PAYERS: usize = 6;
const KILLS: usize = 8;
const DAY_SECONDS: u64 = 86_400;
/// How long all of it may take.
const BOUND: Duration = Duration::from_secs(180);

/// Whoever uses the service, and asks again until it is told.
struct Clients {
    http: Client,
    address: Mutex<String>,
    key: String,
    answers: AtomicUsize,
    lost: AtomicUsize,
    stop: AtomicBool,
}

impl Clients {
    async fn try_once(
        &self,
        method: Method,
        path: &str,
        once: (&str, &Value),
    ) -> Option<(StatusCode, Value)> {
        let url = format!("{}{path}", self.address.lock().unwrap());
        let mut request = self.http.request(method.clone(), url).bearer_auth(&self.key);
        if method != Method::GET {
            request = request.header("idempotency-key", once.0).json(once.1);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let body = answer.json().await.ok()?;
        (!status.is_server_error()).then_some((status, body))
    }

    /// Asks under one key until there is a definite answer.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let began = Instant::now();
        loop {
            if let Some(answer) = self.try_once(method.clone(), path, (key, body)).await {
                self.answers.fetch_add(1, Ordering::Relaxed);
                return answer;
            }
            self.lost.fetch_add(1, Ordering::Relaxed);
            assert!(began.elapsed() < BOUND, "{path}: no answer");
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let (status, body) = self.ask(Method::POST, path, key, body).await;
        assert!(status.is_success(), "{path} {status}: {body}");
        body
    }

    /// Pays, and has every third payment given back in part, until it is told to stop: the ids of
    /// what was paid.
    async fn shop(&self, number: usize, shop: &str) -> Vec<String> {
        let mut dice = Dice::new(u64::try_from(number).unwrap());
        let mut paid = Vec::new();
        for n in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let amount = format!("{}.{:02}", 20 + dice.roll(60), dice.roll(100));
            let body = json!({"account": wallet(number), "merchant": shop,
                "amount": rupees(&amount)});
            let payment = self.post("/v1/payments", &format!("pay-{number}-{n}"), &body).await;
            let payment = id(&payment).to_owned();
            if n % 3 == 0 {
                let path = format!("/v1/payments/{payment}/refunds");
                let back = json!({"amount": rupees("10")});
                let key = format!("back-{number}-{n}");
                // It may not be on the list yet when it is given back.
                while self.ask(Method::POST, &path, &key, &back).await.0 == StatusCode::NOT_FOUND {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            paid.push(payment);
        }
        paid
    }

    async fn more(&self, count: usize) {
        let before = self.answers.load(Ordering::Relaxed);
        let began = Instant::now();
        while self.answers.load(Ordering::Relaxed) < before + count {
            assert!(began.elapsed() < Duration::from_secs(60), "no answers");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn wallet(number: usize) -> String {
    format!("wallet:payer{number}:INR")
}

/// The service in a process, with the banks and the clock of a sandbox.
async fn service_with(sandbox: &Sandbox) -> ServiceProcess {
    let folder = tempfile::tempdir().unwrap();
    let test = "service_kills::a_service_in_a_process_of_its_own";
    let mut command = process::again(test, folder.path());
    command.env("BAHI_SANDBOX_CLOCK", &sandbox.address).env("BAHI_SANDBOX_TOKEN", TOKEN);
    for (name, code) in [("HDFC", "hdfc"), ("AXIS", "axis")] {
        command.env(format!("BAHI_BANK_{name}_URL"), format!("{}/banks/{code}", sandbox.address));
        command.env(format!("BAHI_BANK_{name}_TOKEN"), TOKEN);
    }
    ServiceProcess::run(folder, command).await
}

/// A shop that is paid out every day, with its accounts and its bank account.
async fn open_shop(service: &ServiceProcess, clients: &Clients, pool: &PgPool) -> MerchantId {
    let secret = std::fs::read_dir(service.file("data")).unwrap().find_map(|file| {
        let path = file.unwrap().path();
        path.file_name()?.to_str()?.contains("secret").then_some(path)
    });
    let secret = std::fs::read_to_string(secret.expect("a secret")).unwrap();
    let secret: [u8; 32] = hex::decode(secret.trim()).unwrap().try_into().unwrap();
    let shops = Shops::new(pool.clone(), &secret);
    let owner = System.fresh();
    // Who owns it has no part in this: a row is enough.
    sqlx::query("alter table merchant_members disable trigger all").execute(pool).await.unwrap();
    let shop = MerchantId::from_uuid(System.fresh());
    let new = NewMerchant {
        id: shop,
        handle: "chai".parse().unwrap(),
        legal_name: "Asha Rao".parse().unwrap(),
        display_name: "Chai".parse().unwrap(),
        category: "5814".parse().unwrap(),
        owner: ledger_api::people::PersonId::from_uuid(owner),
        terms_version: 1,
        at: System.now(),
    };
    shops.create(&new).await.unwrap();
    for room in ["unsettled", "available"] {
        let body = json!({"code": format!("merchant:{}:{room}", shop.segment()),
            "currency": "INR", "owner": shop.to_string()});
        clients.post("/v1/accounts", room, &body).await;
    }
    shops.note_opened(shop, System.now()).await.unwrap();
    let bank = json!({"owner": shop.to_string(), "account_number": "001234567890",
        "ifsc": "HDFC0000001", "name": "Asha Rao"});
    let bank = clients.post("/v1/bank-accounts", "bank", &bank).await;
    let path = format!("/v1/bank-accounts/{}/verify", id(&bank));
    let checked = clients.post(&path, "verify", &json!({"bank": "hdfc"})).await;
    assert_eq!(checked["status"], "verified", "{checked}");
    let daily = (PayoutSchedule::every(1).unwrap(), Some(id(&bank).parse().unwrap()));
    let today = ledger_api::payments::BankCalendar::day_at(noon());
    shops.set_payouts(shop, daily, today).await.unwrap();
    shop
}

async fn fund(clients: &Clients) {
    let till = json!({"code": "till:fund", "currency": "INR", "owner": "test", "type": "asset"});
    clients.post("/v1/accounts", "till", &till).await;
    for number in 0..PAYERS {
        let code = format!("wallet:payer{number}");
        let body = json!({"code": code, "currency": "INR", "owner": "test"});
        clients.post("/v1/accounts", &code, &body).await;
        let funding = json!({"kind": "transfer", "debit": "till:fund:INR",
            "credit": wallet(number), "amount": rupees("100000.00")});
        clients.post("/v1/transactions", &format!("fund-{number}"), &funding).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_killed_in_the_midst_of_payments_settlement_and_payouts_nothing_is_twice() {
    let sandbox = Sandbox::start().await;
    let mut service = service_with(&sandbox).await;
    let http = Client::builder().timeout(Duration::from_secs(15)).no_proxy().build().unwrap();
    let clients = Arc::new(Clients {
        http,
        address: Mutex::new(service.address()),
        key: service.key(),
        answers: AtomicUsize::new(0),
        lost: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let (cluster, superuser) = service.look().await;
    let pool = PgPoolOptions::new().max_connections(2).connect_with(superuser).await;
    let pool = pool.unwrap();
    fund(&clients).await;
    let shop = open_shop(&service, &clients, &pool).await;
    let running: Vec<_> = (0..PAYERS)
        .map(|number| {
            let (clients, shop) = (Arc::clone(&clients), shop.to_string());
            tokio::spawn(async move { clients.shop(number, &shop).await })
        })
        .collect();
    for kill in 0..KILLS {
        clients.more(20 + 3 * kill).await;
        // A new day is settled and paid out; the kill comes while that is done.
        sandbox.advance(DAY_SECONDS).await;
        clients.more(kill * 2).await;
        service.kill_and_restart().await;
        end_lanes(&pool).await;
        *clients.address.lock().unwrap() = service.address();
    }
    clients.stop.store(true, Ordering::Relaxed);
    let mut paid = Vec::new();
    for one in running {
        paid.extend(one.await.unwrap());
    }
    // Days on which nobody dies, until all is settled and paid out.
    let began = Instant::now();
    while !is_over(&pool).await {
        assert!(began.elapsed() < BOUND, "it is not settled and paid out");
        sandbox.advance(DAY_SECONDS / 4).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    check(&pool, &paid).await;
    let options = projections::audit::Options::default();
    let report = projections::audit::verify_database(&pool, &options, |_| {}).await;
    let report = report.expect("a log");
    assert!(report.verified, "{report}");
    let lost = clients.lost.load(Ordering::Relaxed);
    println!("{KILLS} kills: {} payments, {lost} answers lost", paid.len());
    assert!(lost >= KILLS, "{lost} answers were lost");
    pool.close().await;
    tokio::task::spawn_blocking(move || drop(cluster)).await.unwrap();
    service.stop().await;
    sandbox.stop().await;
}

/// Lets the time pass for which a dead process keeps others from its work.
async fn end_lanes(pool: &PgPool) {
    let sql = "update worker_lanes set expires_at = now() - interval '1 second'";
    sqlx::query(sql).execute(pool).await.unwrap();
}

/// Whether every payment is settled, of what that brought less is left than goes by itself, and
/// what went is noted: the lane of one that was killed ends after a while.
async fn is_over(pool: &PgPool) -> bool {
    let sql = "select (select count(*) from read.payments where settlement_id is null) = 0
        and (select count(*) from read.refunds where status = 'pending') = 0
        and coalesce((select credits_posted - debits_posted < 110 from read.accounts
             where id like 'merchant:%:available:INR'), false)
        and (select count(*) from merchant_payouts where withdrawal_id is not null)
            = (select count(*) from events
               where aggregate_type = 'withdrawal' and event_type = 'requested')";
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// What is in the log: each acknowledged payment once and no other, each settled once, one payout a
/// day, and what was paid is what went back, to the bank, to us, and what is left.
async fn check(pool: &PgPool, paid: &[String]) {
    let count = async |sql: &str| -> i64 { sqlx::query_scalar(sql).fetch_one(pool).await.unwrap() };
    let events = "select count(*) from events where aggregate_type = 'payment'";
    let made = count(&format!("{events} and event_type = 'completed'")).await;
    assert_eq!(made, i64::try_from(paid.len()).unwrap(), "a payment that nobody was told of");
    let settled = count(&format!("{events} and event_type = 'settled'")).await;
    assert_eq!(settled, made, "each once");
    let twice = "select count(*) from (select aggregate_id from events
        where aggregate_type = 'payment' and event_type = 'settled'
        group by 1 having count(*) > 1) twice";
    assert_eq!(count(twice).await, 0);
    let payouts = count(
        "select count(*) from events
         where aggregate_type = 'withdrawal' and event_type = 'requested'",
    );
    let noted = count("select count(*) from merchant_payouts where withdrawal_id is not null");
    let (payouts, noted) = (payouts.await, noted.await);
    assert!(payouts > 1 && payouts == noted, "{payouts} payouts, {noted} noted");
    let sum = async |sql: &str| -> Decimal {
        let text: String = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
        text.parse().unwrap()
    };
    let gross = sum("select sum(gross)::text from read.payments").await;
    let fees = sum("select sum(fee + tax)::text from read.payments").await;
    let back =
        sum("select coalesce(sum(amount), 0)::text from read.refunds where status = 'completed'");
    let rooms = sum("select sum(credits_posted - debits_posted)::text from read.accounts
         where id like 'merchant:%'");
    let out = sum("select sum((payload::jsonb ->> 'amount')::numeric
             + (payload::jsonb ->> 'fee')::numeric)::text
         from (select convert_from(payload, 'UTF8') as payload from events
               where aggregate_type = 'withdrawal' and event_type = 'requested') asked");
    let (back, rooms, out) = (back.await, rooms.await, out.await);
    assert_eq!(gross, fees + back + rooms + out, "{gross}: {fees} {back} {rooms} {out}");
}
