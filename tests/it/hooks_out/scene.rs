//! A service with what makes and sends webhooks, once or several times, on a clock that can be
//! moved.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_api::{
    db,
    hooks_out::{Client, Maker, Sender, guard::Outreach},
};
use ledger_core::clock::{Clock, Ids, ShiftedClock, System};
use projections::ReadModels;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

use crate::support::{
    bahi::{Actor, PATIENCE, Set, TestBahi, amount, fresh_key, send},
    database::{APP, Database},
};

pub(super) const ASHA: &str = "wallet:asha:INR";
pub(super) const RAVI: &str = "wallet:ravi:INR";

/// The installation's secret of a test's service.
const SECRET: [u8; 32] = [42; 32];

pub(super) struct Scene {
    pub(super) bahi: TestBahi,
    pub(super) admin: Actor,
    pub(super) database: Database,
    clock: Arc<ShiftedClock>,
    tell: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Scene {
    /// With two wallets, and so many who make and send.
    pub(super) async fn start(workers: usize) -> Self {
        let clock = Arc::new(ShiftedClock::default());
        let database = Database::create().await;
        let bahi = TestBahi::on(&database, Set { clock: clock.clone(), ..Set::default() }).await;
        let admin = bahi.admin().await;
        admin.wallet(ASHA, "1000.00").await;
        admin.open(RAVI).await.made();
        let (tell, told) = watch::channel(false);
        let mut scene = Self { bahi, admin, database, clock, tell, tasks: Vec::new() };
        for _ in 0..workers {
            scene.work(&told);
        }
        scene
    }

    fn work(&mut self, told: &watch::Receiver<bool>) {
        self.tasks.extend(make_and_send(&self.database, self.clock.clone(), told));
    }

    /// Makes an endpoint; as it was answered.
    pub(super) async fn endpoint(&self, url: &str, types: &[&str]) -> Value {
        let body = json!({"url": url, "event_types": types});
        self.admin.post("/v1/webhook-endpoints", &body).await.made()
    }

    pub(super) async fn patch(&self, id: &str, body: &Value) -> Value {
        let path = format!("/v1/webhook-endpoints/{id}");
        let request = self.admin.request(Method::PATCH, &path);
        send(request.header("idempotency-key", fresh_key()).json(body)).await.made()
    }

    /// Waits until the endpoint is as it should be.
    pub(super) async fn endpoint_until(&self, id: &str, status: &str) -> Value {
        self.until(&format!("/v1/webhook-endpoints/{id}"), status).await
    }

    /// Waits until the delivery is as it should be.
    pub(super) async fn delivery_until(&self, id: &str, status: &str) -> Value {
        self.until(&format!("/v1/deliveries/{id}"), status).await
    }

    async fn until(&self, path: &str, status: &str) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE * 2;
        loop {
            let seen = self.admin.get(path).await.made();
            if seen["status"] == status {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "not {status}: {seen:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the newest delivery of an endpoint was sent so often; as it is then.
    pub(super) async fn attempts_until(&self, endpoint: &str, count: usize) -> Value {
        let path = format!("/v1/webhook-endpoints/{endpoint}/deliveries?limit=1");
        let deadline = tokio::time::Instant::now() + PATIENCE * 2;
        loop {
            let seen = self.admin.get(&path).await.made()["data"][0].clone();
            if seen["attempts"].as_array().is_some_and(|attempts| attempts.len() >= count) {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "not {count}: {seen:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets time pass.
    pub(super) fn pass(&self, by: TimeDelta) {
        self.clock.be_ahead(self.clock.ahead() + by);
    }

    /// A transfer that is done at once; its id as a transfer.
    pub(super) async fn transfer(&self) -> String {
        let made = self.admin.transfer(ASHA, RAVI, "1.00").await.made();
        made["id"].as_str().unwrap().replace("txn_", "tr_")
    }

    /// A transfer that waits to be claimed; its id.
    pub(super) async fn held(&self) -> String {
        let body = json!({"account": ASHA, "to": {"phone": "+919812345678"},
            "amount": amount(ASHA, "2.50"), "note": "Tea", "confirm_duplicate": true});
        let made = self.admin.post("/v1/transfers", &body).await.made();
        made["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn cancel(&self, id: &str) {
        let path = format!("/v1/transfers/{id}/cancel");
        self.admin.post(&path, &json!({})).await.made();
    }

    /// Stops it all in order.
    pub(super) async fn finish(self) {
        self.tell.send_replace(true);
        for task in self.tasks {
            tokio::time::timeout(PATIENCE, task).await.expect("it stops").unwrap();
        }
        self.bahi.finish().await;
    }
}

/// Somebody who makes messages of what the log says, and somebody who sends them.
pub(crate) fn make_and_send(
    database: &Database,
    clock: Arc<dyn Clock>,
    told: &watch::Receiver<bool>,
) -> [JoinHandle<()>; 2] {
    let pool = db::read_pool(database.options(APP), 4);
    let ids: Arc<dyn Ids> = Arc::new(System);
    let with = (pool.clone(), ReadModels::new(pool.clone()));
    let maker = Maker::new(with, &SECRET, Arc::clone(&clock), Arc::clone(&ids));
    let client = Client::new(Outreach::PublicAndLoopback).unwrap();
    let sender = Sender::new(pool, &SECRET, client, clock, ids);
    // Nobody tells this one of the log's end, as in a process that only works.
    let (nudge, head) = watch::channel(0);
    let making = maker.run(head, told.clone());
    let making = tokio::spawn(async move {
        making.await;
        drop(nudge);
    });
    [making, tokio::spawn(sender.run(told.clone()))]
}
