//! Random logs from a seed: everything that can happen, in an order that nobody thought of.

use chrono::TimeDelta;
use ledger_core::ids::{HoldId, TransactionId};

use super::{TestLog, credit, debit};

const WALLETS: [&str; 4] = ["wallet:a:INR", "wallet:b:INR", "wallet:c:INR", "wallet:d:INR"];
const BANK: &str = "bank:hdfc:escrow:INR";
const CLEARING: &str = "bank:hdfc:clearing_in:INR";

/// A generator that is the same everywhere (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let length = u64::try_from(from.len()).unwrap();
        &from[usize::try_from(self.below(length)).unwrap()]
    }

    fn amount(&mut self) -> String {
        format!("{}.{:02}", self.below(500), 1 + self.below(99))
    }
}

/// What can still be undone or ended.
#[derive(Default)]
struct Open {
    transactions: Vec<TransactionId>,
    holds: Vec<HoldId>,
    /// Items of the clearing account with what is open on them.
    items: Vec<(String, String)>,
    made: u64,
}

/// Appends the accounts, then `batches` batches of up to six things each.
pub(crate) async fn random_log(log: &mut TestLog, random: &mut Random, batches: u64) {
    let mut open = Open::default();
    for account in WALLETS.into_iter().chain([BANK, CLEARING]) {
        log.open(account);
    }
    log.commit().await;
    for _ in 0..batches {
        for _ in 0..random.below(7) {
            something(log, random, &mut open);
        }
        log.commit().await;
    }
}

fn something(log: &mut TestLog, random: &mut Random, open: &mut Open) {
    open.made += 1;
    match random.below(14) {
        0..=3 => {
            let (from, to) = (*random.pick(&WALLETS), *random.pick(&WALLETS));
            if from != to {
                let amount = random.amount();
                open.transactions.push(log.transfer(from, to, &amount));
            }
        }
        4 => many_legs(log, random, open),
        5 | 6 => item(log, random, open),
        7 if !open.transactions.is_empty() => {
            let index = usize::try_from(random.below(999)).unwrap() % open.transactions.len();
            let original = open.transactions.swap_remove(index);
            log.reverse(original);
        }
        8 | 9 => {
            let expires_at = (random.below(2) == 0).then(|| log.now + TimeDelta::hours(1));
            let wallet = *random.pick(&WALLETS);
            let amount = random.amount();
            open.holds.push(log.hold(wallet, &amount, expires_at));
        }
        10 | 11 if !open.holds.is_empty() => {
            let index = usize::try_from(random.below(999)).unwrap() % open.holds.len();
            end_or_grow(log, random, open, index);
        }
        12 => settings(log, random),
        13 => log.next_day(),
        _ => {}
    }
}

fn many_legs(log: &mut TestLog, random: &mut Random, open: &mut Open) {
    let (one, two) = (random.amount(), random.amount());
    let legs = [
        debit("wallet:a:INR", &one),
        credit("wallet:b:INR", &one),
        debit("wallet:a:INR", &two),
        credit("wallet:c:INR", &two),
    ];
    open.transactions.push(log.post("payment", &legs, None));
}

/// Opens an item, settles one, or moves one past zero and back within a batch.
fn item(log: &mut TestLog, random: &mut Random, open: &mut Open) {
    let wallet = *random.pick(&WALLETS);
    match random.below(3) {
        0 if !open.items.is_empty() => {
            let (item, amount) = open.items.remove(0);
            let clearing = format!("{CLEARING}#{item}");
            log.transfer(&clearing, BANK, &amount);
            // Debit and credit of two assets, the wrong way round: settles nothing.
            log.transfer(BANK, &clearing, &amount);
            log.transfer(BANK, &clearing, &amount);
        }
        1 if !open.items.is_empty() => {
            let (item, amount) = open.items[0].clone();
            let clearing = format!("{CLEARING}#{item}");
            log.transfer(BANK, &clearing, &amount);
            log.transfer(&clearing, BANK, &amount);
        }
        _ => {
            let (item, amount) = (format!("dep-{}", open.made), random.amount());
            log.transfer(&format!("{CLEARING}#{item}"), wallet, &amount);
            open.items.push((item, amount));
        }
    }
}

fn end_or_grow(log: &mut TestLog, random: &mut Random, open: &mut Open, index: usize) {
    match random.below(4) {
        0 => {
            let amount = random.amount();
            log.increase(open.holds[index], &amount);
        }
        1 => {
            log.capture(open.holds.swap_remove(index), BANK, "0.01");
        }
        2 => log.release(open.holds.swap_remove(index)),
        _ => log.expire(open.holds.swap_remove(index)),
    }
}

fn settings(log: &mut TestLog, random: &mut Random) {
    let wallet = *random.pick(&WALLETS);
    match random.below(6) {
        0 => log.freeze(wallet, "order-1", None),
        1 => log.freeze(wallet, "order-2", Some("12.34")),
        2 => log.unfreeze(wallet, "order-1"),
        3 => withdrawal(log, random, wallet),
        4 => deposit(log, random, wallet),
        _ => log.limit(wallet, Some("-50.00"), (random.below(2) == 0).then_some("10.00")),
    }
}

/// A withdrawal, and how far it gets.
fn withdrawal(log: &mut TestLog, random: &mut Random, wallet: &str) {
    let id = log.withdraw(wallet, &random.amount());
    if random.below(3) > 0 {
        log.begin(id);
    }
    // What waits here and there is only said of what was sent.
    if random.below(2) == 0 {
        let sent = log.withdraw(wallet, &random.amount());
        log.begin(sent);
        log.doubt(sent);
    }
}

/// Money that is expected, and does not come in time now and then.
fn deposit(log: &mut TestLog, random: &mut Random, wallet: &str) {
    let id = log.expect_deposit(wallet, &random.amount());
    if random.below(2) == 0 {
        log.expire_deposit(id);
    }
}
