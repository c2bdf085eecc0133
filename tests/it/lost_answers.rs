//! Answers that get lost between the engine and PostgreSQL. The append may have landed or not, or
//! may land later: the engine finds out before it answers anybody.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ledger_core::engine::{Engine, EngineState};

use crate::support::{
    checker::{self, Figures},
    database::{APP, Database, SUPERUSER},
    history::{History, Request, Told},
    ledger::config,
    load::{Dice, Load, fund, times, wallets},
    proxy::{Fault, Proxy},
};

/// A database with a proxy before it, and an engine behind the proxy.
struct Behind {
    database: Database,
    proxy: Proxy,
    engine: Arc<Engine>,
    wallets: Vec<String>,
    history: Arc<History>,
}

impl Behind {
    async fn start() -> Self {
        let database = Database::create().await;
        let proxy = Proxy::start(database.socket_dir());
        let engine = behind(&database, &proxy).await;
        let wallets = wallets(6);
        fund(&engine, &wallets, "100.00").await;
        Self { database, proxy, engine, wallets, history: Arc::default() }
    }

    /// Ends the faults, has everything that is not known asked again, and checks it all.
    async fn settle(&self) -> (usize, Figures) {
        self.proxy.heal();
        running(&self.engine).await;
        let unknown = self.history.resolve(&*self.engine).await;
        let figures = checker::check_with(&self.database.options(SUPERUSER), &self.history).await;
        (unknown, figures)
    }

    fn request(&self, key: &str, amount: &str) -> Request {
        Request {
            key: key.to_owned(),
            from: self.wallets[0].clone(),
            to: self.wallets[1].clone(),
            amount: amount.to_owned(),
        }
    }
}

async fn behind(database: &Database, proxy: &Proxy) -> Arc<Engine> {
    let through = database.options(APP).socket(proxy.socket_dir());
    let config = ledger_core::engine::EngineConfig { database: through, ..config(database) };
    Arc::new(Engine::start(config).await.unwrap())
}

async fn running(engine: &Engine) {
    let mut status = engine.status();
    let running = status.wait_for(|status| status.state == EngineState::Running);
    let patience = Duration::from_secs(30);
    drop(tokio::time::timeout(patience, running).await.expect("it recovers").unwrap());
}

/// One in `n` appends meets a fault.
fn one_in(n: usize, dice: &mut Dice) -> Fault {
    if dice.roll(n) > 0 {
        return Fault::None;
    }
    let millis = |n: usize| Duration::from_millis(u64::try_from(n).unwrap());
    match dice.roll(6) {
        0 => Fault::CutAfter,
        1 => Fault::CutBefore,
        2 => Fault::CutHalf,
        3 => Fault::Late(millis(dice.roll(30))),
        4 => Fault::Shorten(1 + dice.roll(60)),
        _ => Fault::Delay(millis(dice.roll(30))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_51_and_27_random_cuts_under_load_lose_nothing_and_do_nothing_twice() {
    let ledger = Behind::start().await;
    ledger.proxy.plan(|dice| one_in(4, dice));
    let load = Load::new(&ledger.wallets, 32);
    let running = load.start(&[Arc::clone(&ledger.engine)], &ledger.history);
    while ledger.proxy.faults() < 150 * times() {
        running.more(20).await;
    }
    running.stop().await;
    let (unknown, figures) = ledger.settle().await;
    let (landed, fenced) = (ledger.engine.counts().landed(), ledger.engine.counts().fenced());
    println!("{unknown} unknown, {landed} landed, {fenced} fenced off, {figures:?}");
    assert!(landed > 10 && fenced > 10, "both ways were met: {landed}, {fenced}");
    // The log says so too: each fence that won is a batch without events.
    assert!(figures.empty_batches > 10, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_51_two_engines_each_behind_a_bad_line() {
    let ledger = Behind::start().await;
    let other_proxy = Proxy::start(ledger.database.socket_dir());
    let other = behind(&ledger.database, &other_proxy).await;
    ledger.proxy.plan(|dice| one_in(5, dice));
    other_proxy.plan(|dice| one_in(5, dice));
    let engines = [Arc::clone(&ledger.engine), Arc::clone(&other)];
    let running = Load::new(&ledger.wallets, 16).start(&engines, &ledger.history);
    while ledger.proxy.faults() < 60 || other_proxy.faults() < 60 {
        running.more(20).await;
    }
    let answers = running.stop().await;
    other_proxy.heal();
    let (unknown, figures) = ledger.settle().await;
    println!("{answers:?} answers, {unknown} unknown, {figures:?}");
    for engine in engines {
        let (landed, fenced) = (engine.counts().landed(), engine.counts().fenced());
        assert!(landed > 0 && fenced > 0, "both ways were met: {landed}, {fenced}");
    }
}

/// One engine is near the database, the other one far away: what it decides is always a little old.
/// It gets its turn all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_with_a_slow_line_is_not_starved() {
    let ledger = Behind::start().await;
    ledger.proxy.plan(|_| Fault::Slow(Duration::from_millis(25)));
    let near = Arc::new(Engine::start(config(&ledger.database)).await.unwrap());
    let engines = [Arc::clone(&ledger.engine), Arc::clone(&near)];
    let running = Load::new(&ledger.wallets, 16).start(&engines, &ledger.history);
    let began = Instant::now();
    while running.answers()[0] < 300 {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", running.answers());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answers = running.stop().await;
    println!("far and near: {answers:?} answers in {:?}", began.elapsed());
    println!("far {:?}, near {:?}", ledger.engine.counts(), near.counts());
    let all: usize = answers.iter().sum();
    assert!(answers[0] * 10 > all, "{answers:?}");
    ledger.settle().await;
}

/// Batches in which everything is rejected have no events that could be looked for.
#[tokio::test(flavor = "multi_thread")]
async fn case_27_rejections_whose_answer_got_lost_are_given_once() {
    let ledger = Behind::start().await;
    for (round, fault) in [Fault::CutAfter, Fault::CutBefore, Fault::Shorten(6)].iter().enumerate()
    {
        for again in 0..5 {
            let mut faults = vec![*fault];
            ledger.proxy.plan(move |_| faults.pop().unwrap_or(Fault::None));
            let requests: Vec<Request> = (0..8)
                .map(|n| ledger.request(&format!("no-{round}-{again}-{n}"), "1000.00"))
                .collect();
            let ask = requests.iter().map(|r| ledger.history.ask(&*ledger.engine, r));
            for told in futures::future::join_all(ask).await {
                // Those that waited while the outcome was being found out were refused.
                let fine = matches!(told, Told::Outcome(_) | Told::Nothing);
                assert!(fine, "{told:?}");
            }
            running(&ledger.engine).await;
        }
    }
    let counts = ledger.engine.counts();
    // None of them can be told from a fence by its hash; their keys tell.
    assert_eq!((counts.landed(), counts.fenced()), (0, 15));
    assert_eq!(ledger.proxy.faults(), 15);
    let (_, figures) = ledger.settle().await;
    println!("{figures:?}");
    assert!(figures.rejected >= 15 && figures.accepted == 0, "{figures:?}");
    assert!(figures.empty_batches >= 15, "{figures:?}");
}

/// The append is on its way while the engine has given it up; the fence keeps it out.
#[tokio::test(flavor = "multi_thread")]
async fn case_56_an_append_that_arrives_after_the_fence_does_not_land() {
    let ledger = Behind::start().await;
    let mut faults = vec![Fault::Stall];
    ledger.proxy.plan(move |_| faults.pop().unwrap_or(Fault::None));
    let began = Instant::now();
    let told = ledger.history.ask(&*ledger.engine, &ledger.request("late", "1.00")).await;
    println!("answered after {:?}", began.elapsed());
    assert!(matches!(told, Told::Outcome(_)), "{told:?}");
    assert_eq!(ledger.engine.counts().fenced(), 1);
    // Now the first sending of it reaches the server, and has no effect.
    ledger.proxy.heal();
    let (_, figures) = ledger.settle().await;
    assert_eq!(figures.accepted, 1);
    assert!(began.elapsed() < Duration::from_secs(20), "a stalled line is given up in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_55_while_no_connection_can_be_made_everything_is_refused_at_once() {
    let ledger = Behind::start().await;
    ledger.proxy.refuse();
    let (history, engine) = (Arc::clone(&ledger.history), Arc::clone(&ledger.engine));
    let request = ledger.request("first", "1.00");
    let first = tokio::spawn(async move { history.ask(&*engine, &request).await });
    let mut status = ledger.engine.status();
    drop(status.wait_for(|status| status.state == EngineState::Recovering).await.unwrap());
    // The connection was found dead when something was sent on it: what became of that cannot be
    // known before the database is back. Those who come meanwhile are refused, quickly.
    let began = Instant::now();
    for n in 0..20 {
        let request = ledger.request(&format!("while-{n}"), "1.00");
        let told = ledger.history.ask(&*ledger.engine, &request).await;
        assert!(matches!(told, Told::Nothing), "{told:?}");
    }
    let took = began.elapsed();
    println!("twenty refused in {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!first.is_finished(), "what is not known is not answered");
    ledger.proxy.heal();
    assert!(matches!(first.await.unwrap(), Told::Outcome(_)));
    let (_, figures) = ledger.settle().await;
    assert!(figures.given_up >= 20, "{figures:?}");
    let told = ledger.history.ask(&*ledger.engine, &ledger.request("after", "1.00")).await;
    assert!(matches!(told, Told::Outcome(_)), "{told:?}");
}
