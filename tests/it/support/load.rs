//! Clients that move money at random, and note what they are told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ledger_core::{
    command::Operation,
    engine::{Engine, SubmitError},
    ids::TransactionId,
    posting::Posting,
};

use super::{
    history::{History, Request, Target, Told},
    ledger::{accepted, command, keyed, opening, transfer},
};

/// How much longer than usual the runs are: ten times with `BAHI_CHAOS=long`.
pub(crate) fn times() -> usize {
    if std::env::var("BAHI_CHAOS").is_ok_and(|value| value == "long") { 10 } else { 1 }
}

static KEYS: AtomicU64 = AtomicU64::new(1);

impl Target for Engine {
    async fn ask(&self, request: &Request, transaction: TransactionId) -> Told {
        let answer = self.submit(keyed(&request.key, 7, post(request, transaction))).await;
        match answer {
            Ok(answer) => Told::Outcome(answer.outcome),
            Err(SubmitError::Overloaded | SubmitError::Unavailable | SubmitError::Halted) => {
                Told::Nothing
            }
            Err(SubmitError::OutcomeUnknown) => Told::Unknown,
            Err(error @ (SubmitError::KeyReused | SubmitError::Corrupt)) => {
                panic!("{}: {error}", request.key)
            }
        }
    }
}

/// The operation of a request.
pub(crate) fn post(request: &Request, transaction: TransactionId) -> Operation {
    let posting = transfer(&request.from, &request.to, &request.amount);
    Operation::Post(vec![Posting { transaction_id: transaction, ..posting }])
}

/// Opens wallets and gives each of them `amount` out of a till.
pub(crate) async fn fund(engine: &Engine, wallets: &[String], amount: &str) {
    let till = "till:fund:INR";
    let opened = engine.submit(command(Operation::OpenAccount(opening(till)))).await.unwrap();
    drop(opened);
    for wallet in wallets {
        accepted(engine.submit(command(Operation::OpenAccount(opening(wallet)))).await);
        let post = Operation::Post(vec![transfer(till, wallet, amount)]);
        accepted(engine.submit(command(post)).await);
    }
}

/// Names of `count` wallets.
pub(crate) fn wallets(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("wallet:w{n}:INR")).collect()
}

/// Numbers that look random and are the same in every run (the generator `SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides.max(1)).unwrap();
        usize::try_from((z ^ (z >> 31)) % sides).unwrap()
    }
}

/// What the clients do.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) wallets: Vec<String>,
    /// How many clients there are for each target.
    pub(crate) clients: usize,
    /// Of ten transfers, how many go to or from the first wallet.
    pub(crate) hot: usize,
    /// The largest amount, in paise.
    pub(crate) amount_max: usize,
}

/// A load that runs.
pub(crate) struct Running {
    stop: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<()>>,
    answers: Vec<Arc<AtomicUsize>>,
}

impl Load {
    /// A mild mix over some wallets.
    pub(crate) fn new(wallets: &[String], clients: usize) -> Self {
        Self { wallets: wallets.to_vec(), clients, hot: 2, amount_max: 500 }
    }

    /// Starts the clients: each asks one target, one request at a time, until told to stop.
    pub(crate) fn start<T: Target>(&self, targets: &[Arc<T>], history: &Arc<History>) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let answers: Vec<_> = targets.iter().map(|_| Arc::new(AtomicUsize::new(0))).collect();
        let mut clients = Vec::new();
        for (target, answers) in targets.iter().zip(&answers) {
            for _ in 0..self.clients {
                let (load, history) = (self.clone(), Arc::clone(history));
                let (target, stop) = (Arc::clone(target), Arc::clone(&stop));
                let answers = Arc::clone(answers);
                clients.push(tokio::spawn(async move {
                    load.client(&*target, &history, &stop, &answers).await;
                }));
            }
        }
        Running { stop, clients, answers }
    }

    async fn client(
        &self,
        target: &impl Target,
        history: &History,
        stop: &AtomicBool,
        answers: &AtomicUsize,
    ) {
        let mut dice = Dice::new(KEYS.fetch_add(1, Ordering::Relaxed));
        let mut last: Option<Request> = None;
        while !stop.load(Ordering::Relaxed) {
            // Now and then a client sends again what was answered already.
            let again = last.take().filter(|_| dice.roll(10) == 0);
            let request = again.unwrap_or_else(|| self.request(&mut dice));
            match history.ask(target, &request).await {
                Told::Outcome(_) => {
                    answers.fetch_add(1, Ordering::Relaxed);
                    last = Some(request);
                }
                // As a client would: a little later. Some never come back.
                Told::Nothing | Told::Unknown => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    last = None;
                }
            }
        }
    }

    fn request(&self, dice: &mut Dice) -> Request {
        let count = self.wallets.len();
        let from = dice.roll(count);
        let to = (from + 1 + dice.roll(count - 1)) % count;
        let (mut from, mut to) = (&self.wallets[from], &self.wallets[to]);
        if dice.roll(10) < self.hot {
            let hot = &self.wallets[0];
            if dice.roll(2) == 0 && to != hot {
                from = hot;
            } else if from != hot {
                to = hot;
            }
        }
        let paise = 1 + dice.roll(self.amount_max);
        Request {
            key: format!("load-{}", KEYS.fetch_add(1, Ordering::Relaxed)),
            from: from.clone(),
            to: to.clone(),
            amount: format!("{}.{:02}", paise / 100, paise % 100),
        }
    }
}

impl Running {
    /// How many answers the clients of each target have got.
    pub(crate) fn answers(&self) -> Vec<usize> {
        self.answers.iter().map(|answers| answers.load(Ordering::Relaxed)).collect()
    }

    /// Waits until the clients have got so many more answers together.
    #[track_caller]
    pub(crate) fn more(&self, count: usize) -> impl Future<Output = Duration> + Send + '_ {
        let before: usize = self.answers().iter().sum();
        let began = Instant::now();
        async move {
            while self.answers().iter().sum::<usize>() < before + count {
                assert!(began.elapsed() < Duration::from_secs(60), "no progress: {before}+{count}");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            began.elapsed()
        }
    }

    /// Lets every client finish what it is at. Says how many answers each target gave.
    pub(crate) async fn stop(self) -> Vec<usize> {
        self.stop.store(true, Ordering::Relaxed);
        let answers = self.answers.clone();
        let all = futures::future::join_all(self.clients);
        let done = tokio::time::timeout(Duration::from_secs(60), all).await;
        for client in done.expect("every client gets an answer in bounded time") {
            client.expect("no client met anything that should not be");
        }
        answers.iter().map(|answers| answers.load(Ordering::Relaxed)).collect()
    }
}
