//! The model's commands: small numbers that stand for accounts, holds and transactions, so that a
//! failing run shrinks to a few lines. Many of them make no sense on purpose.

use proptest::{collection::vec, option, prelude::*};

use super::{HOLDS, SLOTS};

/// A run: which accounts are opened first, the commands, and questions asked at its end.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) opened: Vec<usize>,
    pub(crate) commands: Vec<Cmd>,
    pub(crate) questions: Vec<Cmd>,
}

/// A command.
#[derive(Debug, Clone)]
pub(crate) struct Cmd {
    pub(crate) what: What,
    /// Whether it comes from somebody who may move accounts of class `open` only.
    pub(crate) open_only: bool,
}

/// What is asked. Accounts and holds are slots, amounts are minor units.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Open {
        account: usize,
        scale_too_fine: bool,
    },
    Transfer {
        from: usize,
        to: usize,
        amount: i128,
        item: u8,
        condition: Option<Condition>,
    },
    Split {
        legs: Vec<(usize, bool, i128)>,
        item: u8,
    },
    Batch(Vec<(usize, usize, i128)>),
    Hold {
        slot: usize,
        account: usize,
        amount: i128,
        minutes: Option<i64>,
        same_id: bool,
    },
    Increase {
        slot: usize,
        by: i128,
    },
    Capture {
        slot: usize,
        amount: Option<i128>,
        to: usize,
        rest: Option<(usize, i128)>,
        item: u8,
    },
    Release {
        slot: usize,
    },
    Expire {
        slot: usize,
    },
    Limits {
        account: usize,
        floor: Option<i128>,
        ceiling: Option<i128>,
    },
    Freeze {
        account: usize,
        reference: u8,
        mode: u8,
        amount: i128,
    },
    Unfreeze {
        account: usize,
        reference: u8,
    },
    Close {
        account: usize,
    },
    Reverse {
        back: usize,
    },
    /// Not a command: time passes.
    Wait {
        minutes: i64,
    },
}

/// What must hold of one side of a transfer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    pub(crate) of_sender: bool,
    /// How far the expected sequence is from the real one.
    pub(crate) off: Option<u64>,
    pub(crate) minimum: Option<i128>,
}

fn account() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0_usize), 10 => 1..5_usize, 5 => 0..SLOTS]
}

/// Also those that mostly stay empty.
fn any_account() -> impl Strategy<Value = usize> {
    prop_oneof![8 => account(), 2 => 6..SLOTS]
}

/// Two accounts, mostly different ones of one currency.
fn pair() -> impl Strategy<Value = (usize, usize)> {
    let rupees = (0..6_usize, 1..6_usize).prop_map(|(from, step)| (from, (from + step) % 6));
    let tills = (Just(0_usize), 1..5_usize);
    prop_oneof![
        10 => rupees,
        4 => tills,
        3 => prop_oneof![2 => Just((6, 7)), 1 => Just((7, 6))],
        1 => (account(), account()),
    ]
}

fn amount() -> impl Strategy<Value = i128> {
    prop_oneof![12 => 1..4_000_i128, 4 => 1..20_000_i128, 2 => 1..4_i128, 1 => -1..1_i128]
}

fn hold() -> impl Strategy<Value = usize> {
    0..HOLDS
}

fn condition() -> impl Strategy<Value = Condition> {
    let off = option::weighted(0.7, prop_oneof![3 => Just(0_u64), 1 => 1..3_u64]);
    let minimum = option::weighted(0.5, -1_000..10_000_i128);
    (any::<bool>(), off, minimum).prop_map(|(of_sender, off, minimum)| Condition {
        of_sender,
        off,
        minimum,
    })
}

fn transfer() -> impl Strategy<Value = What> {
    let condition = option::weighted(0.1, condition());
    (pair(), amount(), 1..40_u8, condition).prop_map(|((from, to), amount, item, condition)| {
        What::Transfer { from, to, amount, item: item % 39, condition }
    })
}

fn placing() -> impl Strategy<Value = What> {
    let minutes = option::weighted(0.5, 0..30_i64);
    (hold(), any_account(), amount(), minutes, prop::bool::weighted(0.1)).prop_map(
        |(slot, account, amount, minutes, same_id)| What::Hold {
            slot,
            account,
            amount,
            minutes,
            same_id,
        },
    )
}

fn capture() -> impl Strategy<Value = What> {
    let amount_of = option::weighted(0.6, amount());
    let rest = option::weighted(0.2, (account(), amount()));
    (hold(), amount_of, account(), rest, 0..20_u8)
        .prop_map(|(slot, amount, to, rest, item)| What::Capture { slot, amount, to, rest, item })
}

fn batch() -> impl Strategy<Value = Vec<(usize, usize, i128)>> {
    vec((pair(), amount()).prop_map(|((from, to), amount)| (from, to, amount)), 0..5)
}

/// Legs of one debit and some credits that balance, if the currency is one; or any legs.
fn split() -> impl Strategy<Value = Vec<(usize, bool, i128)>> {
    let balanced = (0..6_usize, any::<bool>(), vec((0..6_usize, 1..20_00_i128), 2..4)).prop_map(
        |(one, debit, others)| {
            let sum = others.iter().map(|(_, amount)| amount).sum();
            let others = others.into_iter().map(|(slot, amount)| (slot, !debit, amount));
            std::iter::once((one, debit, sum)).chain(others).collect()
        },
    );
    prop_oneof![3 => balanced, 1 => vec((account(), any::<bool>(), amount()), 0..5)]
}

fn what() -> impl Strategy<Value = What> {
    let limit = || option::weighted(0.7, -6_000..40_000_i128);
    let split = (split(), 1..40_u8);
    prop_oneof![
        45 => transfer(),
        5 => split.prop_map(|(legs, item)| What::Split { legs, item: item % 39 }),
        4 => batch().prop_map(What::Batch),
        11 => placing(),
        3 => (hold(), amount()).prop_map(|(slot, by)| What::Increase { slot, by }),
        11 => capture(),
        3 => hold().prop_map(|slot| What::Release { slot }),
        3 => hold().prop_map(|slot| What::Expire { slot }),
        2 => (account(), limit(), limit())
            .prop_map(|(account, floor, ceiling)| What::Limits { account, floor, ceiling }),
        1 => (any_account(), 0..2_u8, 0..5_u8, amount()).prop_map(
            |(account, reference, mode, amount)| What::Freeze { account, reference, mode, amount }
        ),
        6 => (account(), 0..2_u8)
            .prop_map(|(account, reference)| What::Unfreeze { account, reference }),
        1 => any_account().prop_map(|account| What::Close { account }),
        5 => (0..super::MEMORY).prop_map(|back| What::Reverse { back }),
        2 => (account(), prop::bool::weighted(0.2))
            .prop_map(|(account, scale_too_fine)| What::Open { account, scale_too_fine }),
        1 => (1..20_i64).prop_map(|minutes| What::Wait { minutes }),
    ]
}

fn cmd() -> impl Strategy<Value = Cmd> {
    (what(), prop::bool::weighted(0.1)).prop_map(|(what, open_only)| Cmd { what, open_only })
}

/// Runs of so many commands.
pub(crate) fn case(commands: usize) -> impl Strategy<Value = Case> {
    let all: Vec<usize> = (0..SLOTS).collect();
    let opened = prop::sample::subsequence(all, SLOTS - 2..=SLOTS);
    (opened, vec(cmd(), commands), vec(cmd(), 20)).prop_map(|(opened, commands, questions)| Case {
        opened,
        commands,
        questions,
    })
}
