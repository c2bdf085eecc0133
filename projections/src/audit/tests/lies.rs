//! How lies are told in tests: after a sound past, in an append of their own.

use super::{
    Code, assert_found, check,
    generator::maker_after,
    maker::{Hold, Leg, Maker, leg},
};

/// Accounts of the generator: INR first, then JPY, then USDT.
pub(super) const CLEARING: usize = 0;
pub(super) const ESCROW: usize = 1;
pub(super) const FEES: usize = 2;
pub(super) const ASHA: usize = 3;
pub(super) const BINOD: usize = 4;
pub(super) const CHITRA: usize = 5;
pub(super) const YEN_ASHA: usize = 9;
pub(super) const USDT_ASHA: usize = 15;

/// Sound books in which everybody has money and nobody is frozen or limited.
pub(super) fn sound_past() -> Maker {
    let mut maker = maker_after(5, 0);
    for wallet in [ASHA, BINOD, CHITRA, YEN_ASHA, USDT_ASHA] {
        maker.deposit(wallet, 10_000);
    }
    maker.transfer(ASHA, BINOD, 500);
    maker.append();
    maker
}

/// Tells a lie in an append of its own; its first event, counted from 0 at `offset`, is found.
#[track_caller]
pub(super) fn lie(what: &str, offset: i64, code: Code, tell: impl FnOnce(&mut Maker)) {
    let mut maker = sound_past();
    let first = i64::try_from(maker.log.rows.len()).unwrap() + 1;
    tell(&mut maker);
    maker.append();
    maker.transfer(CHITRA, BINOD, 5);
    maker.append();
    let report = check(&maker.finish().text());
    assert_found(&report, first + offset, code, what);
}

/// Posts legs, whatever they are.
pub(super) fn post(maker: &mut Maker, legs: &[Leg]) -> String {
    maker.transaction("transfer", legs, None)
}

pub(super) fn pair(from: usize, to: usize, amount: i128) -> [Leg; 2] {
    [leg(from, true, amount, None), leg(to, false, amount, None)]
}

pub(super) fn account_event(maker: &mut Maker, account: usize, event_type: &str, payload: &str) {
    let id = maker.accounts[account].id.clone();
    maker.event("account", &id, event_type, payload);
}

/// Changes the payload of the event before last but `back` in the append under way.
pub(super) fn edit(maker: &mut Maker, back: usize, from: &str, to: &str) {
    let at = maker.open.len() - 1 - back;
    let payload = &mut maker.open[at].payload;
    assert!(payload.contains(from), "{from} is not in {payload}");
    *payload = payload.replacen(from, to, 1);
}

pub(super) fn hold(maker: &mut Maker, account: usize, amount: i128) -> Hold {
    Hold { id: maker.fresh("hold_"), account, amount, expires_at: None }
}

/// Both events of a new hold.
pub(super) fn place(maker: &mut Maker, account: usize, amount: i128) -> Hold {
    let hold = hold(maker, account, amount);
    maker.placed(&hold);
    maker.hold_event("hold_placed", &hold, amount, true);
    hold
}
