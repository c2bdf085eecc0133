//! Webhooks while the database is away, stalls or is killed, and while intakes are killed: what was
//! acknowledged is in the inbox, what is repeated is in it once, and a bank is never kept waiting.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ledger_api::{
    banks::BankRegistry,
    service::{Role, Roles, Service, ServiceConfig},
};
use reqwest::StatusCode;
use rustix::process::Signal;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::support::{
    database::APP,
    intake::{BODY, Bank, TestIntake, banks, events, fresh_event, settings},
    process::{DATABASE, again, given_database, given_folder},
    server::{Server, send},
    service_process::{ServiceProcess, put},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Repeats an event until it is acknowledged, as a bank does.
async fn insist(bank: &Bank, id: &str) -> usize {
    let began = Instant::now();
    for tries in 1.. {
        if bank.try_send(id, BODY).await == Some(StatusCode::OK) {
            return tries;
        }
        assert!(began.elapsed() < PATIENCE, "{id} is not taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("numbers do not end")
}

/// Sends an event and expects to be told, soon, to come back.
async fn told_not_now(bank: &Bank, id: &str) {
    let began = Instant::now();
    let reply = bank.send(id, BODY).await;
    let elapsed = began.elapsed();
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text);
    assert_eq!(reply.code(), "inbox_unavailable");
    assert_eq!(reply.header("retry-after"), "1");
    // A second, and what a busy machine adds; a statement's own limit is at five.
    assert!(elapsed < Duration::from_millis(2_500), "{elapsed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_121_nothing_is_acknowledged_while_the_database_is_away() {
    let server = Server::start().await;
    let intake = TestIntake::start(&server.url(APP)).await;
    let bank = intake.bank();
    assert!(!bank.send("msg_before", BODY).await.is_duplicate());
    server.kill().await;
    // The intake's own session may outlive the main process by a moment, and still store.
    let mut ids = vec!["msg_before".to_owned()];
    loop {
        let id = fresh_event();
        ids.push(id.clone());
        if bank.try_send(&id, BODY).await != Some(StatusCode::OK) {
            break;
        }
    }
    for id in ["msg_0", "msg_1", "msg_2"] {
        told_not_now(&bank, id).await;
        ids.push(id.to_owned());
    }
    let ready = reqwest::get(format!("{}/readyz", intake.address)).await.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    server.restart().await;
    for id in &ids {
        insist(&bank, id).await;
    }
    assert!(bank.send("msg_before", BODY).await.is_duplicate());
    let pool = sqlx::PgPool::connect_with(server.options(APP)).await.unwrap();
    let rows = events(&pool).await;
    assert!(rows.len() == ids.len() && rows.iter().all(|(_, count)| *count == 1), "{rows:?}");
    pool.close().await;
    intake.stop().await;
}

/// A server whose processes are stopped; they go on when it is dropped, also when a test fails:
/// nobody could end the server otherwise.
struct Stalled<'a> {
    server: &'a Server,
    backends: Vec<i32>,
}

impl<'a> Stalled<'a> {
    async fn stop(server: &'a Server) -> Self {
        let backends = server.backends().await;
        // The main process too: it would take new connections to a database that does not work.
        server.signal(Signal::STOP);
        for backend in &backends {
            send(*backend, Signal::STOP);
        }
        Self { server, backends }
    }
}

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        self.server.signal(Signal::CONT);
        for backend in &self.backends {
            send(*backend, Signal::CONT);
        }
    }
}

/// A database that neither answers nor refuses.
#[tokio::test(flavor = "multi_thread")]
async fn case_56_a_stalled_database_keeps_no_bank_waiting() {
    let server = Server::start().await;
    let intake = TestIntake::start(&server.url(APP)).await;
    let bank = intake.bank();
    assert!(!bank.send("msg_before", BODY).await.is_duplicate());
    let stalled = Stalled::stop(&server).await;
    let (first, second) = (bank.clone(), bank.clone());
    tokio::join!(told_not_now(&first, "msg_1"), told_not_now(&second, "msg_2"));
    told_not_now(&bank, "msg_3").await;
    drop(stalled);
    for id in ["msg_1", "msg_2", "msg_3"] {
        insist(&bank, id).await;
    }
    let pool = sqlx::PgPool::connect_with(server.options(APP)).await.unwrap();
    let rows = events(&pool).await;
    assert!(rows.len() == 4 && rows.iter().all(|(_, count)| *count == 1), "{rows:?}");
    pool.close().await;
    intake.stop().await;
}

/// A bank that sends fresh events to some intakes, each event until it is acknowledged.
struct Sending {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<BTreeSet<String>>>,
    tries: Arc<AtomicUsize>,
    senders: JoinSet<()>,
}

impl Sending {
    fn start(addresses: &Arc<Mutex<Vec<String>>>) -> Self {
        let bank = Bank::new("");
        let mut sending = Self {
            stop: Arc::default(),
            acknowledged: Arc::default(),
            tries: Arc::default(),
            senders: JoinSet::new(),
        };
        for _ in 0..12 {
            let (stop, tries) = (Arc::clone(&sending.stop), Arc::clone(&sending.tries));
            let acknowledged = Arc::clone(&sending.acknowledged);
            let (addresses, bank) = (Arc::clone(addresses), bank.clone());
            sending.senders.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let id = fresh_event();
                    let began = Instant::now();
                    loop {
                        let number = tries.fetch_add(1, Ordering::Relaxed);
                        let address = {
                            let addresses = addresses.lock().unwrap();
                            addresses[number % addresses.len()].clone()
                        };
                        if bank.at(&address).try_send(&id, BODY).await == Some(StatusCode::OK) {
                            break;
                        }
                        assert!(began.elapsed() < PATIENCE, "{id} is not taken");
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                    acknowledged.lock().unwrap().insert(id);
                }
            });
        }
        sending
    }

    /// Waits until so many more were acknowledged.
    async fn more(&self, count: usize) {
        let before = self.acknowledged.lock().unwrap().len();
        let began = Instant::now();
        while self.acknowledged.lock().unwrap().len() < before + count {
            assert!(began.elapsed() < PATIENCE, "nothing is taken any more");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Stops, and compares what was acknowledged with the inbox.
    async fn settle(mut self, server: &Server) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.senders.join_next().await {
            ended.unwrap();
        }
        let pool = sqlx::PgPool::connect_with(server.options(APP)).await.unwrap();
        let rows = events(&pool).await;
        let stored: BTreeSet<String> = rows.iter().map(|(event, _)| event.clone()).collect();
        assert!(rows.iter().all(|(_, count)| *count == 1), "an event is there twice");
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        // All events were repeated until they were taken, so both are equal.
        assert_eq!(stored, acknowledged);
        let bodies: i64 = sqlx::query_scalar(
            "select count(*) from inbox_deliveries d
             join inbox_bodies b using (body_sha256)
             where b.delivery_id = d.id and b.body = convert_to($1, 'UTF8')",
        )
        .bind(BODY)
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(usize::try_from(bodies).unwrap(), acknowledged.len(), "each with its bytes");
        let tries = self.tries.load(Ordering::Relaxed);
        println!("{} events, {tries} deliveries", acknowledged.len());
        assert!(tries > acknowledged.len(), "some had to be repeated");
        pool.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_a_database_that_is_killed_loses_nothing_that_was_acknowledged() {
    let server = Server::start().await;
    let url = server.url(APP);
    let (a, b) = tokio::join!(TestIntake::start(&url), TestIntake::start(&url));
    let addresses = Arc::new(Mutex::new(vec![a.address.clone(), b.address.clone()]));
    let sending = Sending::start(&addresses);
    for _ in 0..3 {
        sending.more(100).await;
        server.kill().await;
        server.restart().await;
    }
    sending.more(100).await;
    sending.settle(&server).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the other test of this file, in a process of its own"]
async fn an_intake_in_a_process_of_its_own() {
    let folder = given_folder().expect("this test is run by another one");
    be_an_intake(&folder).await;
}

async fn be_an_intake(folder: &Path) {
    let (tell, mut told) = watch::channel(false);
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        tell.send_replace(true);
    });
    let data = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = ServiceConfig {
        settings: settings(&data, &given_database().unwrap(), ""),
        roles: Roles::of(&[Role::Webhooks]),
        cache_accounts: None,
        banks: banks(),
        bank_registry: BankRegistry::default(),
        sandbox_clock: None,
        logins: ledger_api::logins::LoginSettings::default(),
        listener: Some(listener),
        metrics: None,
    };
    let Some(service) = Service::start(config, told.clone()).await.expect("an intake") else {
        return;
    };
    put(folder, "address", &format!("http://{address}"));
    ledger_api::shutdown::wait(&mut told).await;
    service.stop().await.expect("it stops in order");
}

async fn intake_process(url: &str) -> ServiceProcess {
    let folder = tempfile::tempdir().unwrap();
    let test = "webhook_faults::an_intake_in_a_process_of_its_own";
    let mut command = again(test, folder.path());
    command.env(DATABASE, url);
    ServiceProcess::run(folder, command).await
}

/// `kill -9` of two intakes in turn, between storing and answering among other places.
#[tokio::test(flavor = "multi_thread")]
async fn case_121_intakes_that_are_killed_acknowledge_nothing_that_is_not_stored() {
    let server = Server::start().await;
    let url = server.url(APP);
    let mut intakes = [intake_process(&url).await, intake_process(&url).await];
    let now = |intakes: &[ServiceProcess]| intakes.iter().map(ServiceProcess::address).collect();
    let addresses = Arc::new(Mutex::new(now(&intakes)));
    let sending = Sending::start(&addresses);
    for round in 0..6 {
        sending.more(60).await;
        intakes[round % 2].kill_and_restart().await;
        *addresses.lock().unwrap() = now(&intakes);
    }
    sending.more(60).await;
    sending.settle(&server).await;
    for intake in intakes {
        intake.stop().await;
    }
}
