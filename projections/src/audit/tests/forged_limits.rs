//! Lies with sound hashes about tiers and what counts against their limits.

use super::{
    Code, assert_found, check,
    lies::{ASHA, BINOD, YEN_ASHA, account_event, edit, lie, pair, post, sound_past},
    maker::Maker,
};

/// 24 November 2026, 23:59:59.999999 in India.
const LAST_OF_THE_DAY: i64 = 1_795_544_999_999_999;

fn define(maker: &mut Maker, version: u32, limits: &str) {
    let payload = format!(
        "{{\"tier\":\"small\",\"currency\":\"INR\",\"version\":{version},\"limits\":{limits}}}"
    );
    maker.event("book", "main", "tier_defined", &payload);
}

fn put_on(maker: &mut Maker, account: usize, version: u32) {
    let payload = format!("{{\"tier\":\"small\",\"version\":{version}}}");
    account_event(maker, account, "tier_set", &payload);
}

/// Asha on a tier with these limits from 24 November on: two events.
fn with(maker: &mut Maker, limits: &str) {
    maker.now = LAST_OF_THE_DAY;
    define(maker, 1, limits);
    put_on(maker, ASHA, 1);
}

/// Asha gives an amount, counted on a day: two events.
fn give(maker: &mut Maker, amount: i128, on: &str) {
    post(maker, &pair(ASHA, BINOD, amount));
    counted(maker, 1, on);
}

/// The leg before the last but `back` of the append counts on a day.
fn counted(maker: &mut Maker, back: usize, on: &str) {
    let day = format!("\"effective_on\":\"2026-11-22\",\"counted_on\":\"{on}\"");
    edit(maker, back, "\"effective_on\":\"2026-11-22\"", &day);
}

const TODAY: &str = "2026-11-24";
const PER_DAY: &str = "{\"in\":{},\"out\":{\"per_day\":\"1.00\"}}";

#[test]
fn movements_beyond_the_limits_in_force() {
    use Code::AboveLimit;
    for period in ["per_transaction", "per_day", "per_month", "per_year"] {
        let limits = format!("{{\"in\":{{}},\"out\":{{\"{period}\":\"1.00\"}}}}");
        lie(period, 2, AboveLimit, |m| {
            with(m, &limits);
            give(m, 101, TODAY);
        });
    }
    lie("the second of a day", 4, AboveLimit, |m| {
        with(m, PER_DAY);
        give(m, 60, TODAY);
        give(m, 41, TODAY);
    });
    lie("in", 3, AboveLimit, |m| {
        with(m, "{\"in\":{\"per_day\":\"1.00\"},\"out\":{}}");
        post(m, &pair(BINOD, ASHA, 101));
        counted(m, 0, TODAY);
    });
    lie("held", 3, AboveLimit, |m| {
        with(m, "{\"balance\":\"1.00\",\"in\":{},\"out\":{}}");
        post(m, &pair(BINOD, ASHA, 1));
        counted(m, 0, TODAY);
    });
    lie("under a later version", 5, AboveLimit, |m| {
        with(m, PER_DAY);
        give(m, 60, TODAY);
        define(m, 2, "{\"in\":{},\"out\":{\"per_day\":\"0.60\"}}");
        give(m, 1, TODAY);
    });
}

#[test]
fn legs_that_count_on_no_day_or_another_one() {
    use Code::CountedDiffers;
    lie("on no tier", 0, CountedDiffers, |m| give(m, 1, "2026-11-22"));
    lie("on no day", 2, CountedDiffers, |m| {
        with(m, PER_DAY);
        post(m, &pair(ASHA, BINOD, 1));
    });
    for on in ["2026-11-23", "2026-11-25", "24 November"] {
        lie(on, 2, CountedDiffers, |m| {
            with(m, PER_DAY);
            give(m, 1, on);
        });
    }
    lie("an exempt kind", 2, CountedDiffers, |m| {
        with(m, PER_DAY);
        give(m, 1, TODAY);
        edit(m, 1, "\"transfer\"", "\"refund\"");
        edit(m, 0, "\"transfer\"", "\"refund\"");
    });
}

#[test]
fn tiers_that_are_none() {
    use Code::{AmountMalformed, PayloadUnreadable, TierDiffers};
    lie("another version", 0, TierDiffers, |m| define(m, 2, PER_DAY));
    lie("the same again", 1, TierDiffers, |m| {
        define(m, 1, PER_DAY);
        define(m, 1, PER_DAY);
    });
    lie("not in force", 0, TierDiffers, |m| put_on(m, ASHA, 1));
    lie("an old version", 2, TierDiffers, |m| {
        define(m, 1, PER_DAY);
        define(m, 2, PER_DAY);
        put_on(m, ASHA, 1);
    });
    lie("another currency", 1, TierDiffers, |m| {
        define(m, 1, PER_DAY);
        put_on(m, YEN_ASHA, 1);
    });
    lie("below zero", 0, AmountMalformed, |m| {
        define(m, 1, "{\"balance\":\"-1.00\",\"in\":{},\"out\":{}}");
    });
    lie("another scale", 0, AmountMalformed, |m| {
        define(m, 1, "{\"balance\":\"1\",\"in\":{},\"out\":{}}");
    });
    lie("a field too many", 0, PayloadUnreadable, |m| {
        define(m, 1, "{\"in\":{},\"out\":{},\"x\":1}");
    });
}

#[test]
fn sound_limits_are_sound() {
    let mut maker = sound_past();
    with(&mut maker, PER_DAY);
    give(&mut maker, 100, TODAY);
    let exempt = pair(ASHA, BINOD, 500);
    maker.transaction("withdrawal_late", &exempt, None);
    maker.append();
    // A microsecond later it is tomorrow in India.
    maker.now = LAST_OF_THE_DAY + 1;
    give(&mut maker, 100, "2026-11-25");
    define(&mut maker, 2, "{\"in\":{},\"out\":{\"per_day\":\"2.00\"}}");
    give(&mut maker, 100, "2026-11-25");
    account_event(&mut maker, ASHA, "tier_set", "{\"tier\":null,\"version\":null}");
    post(&mut maker, &pair(ASHA, BINOD, 500));
    maker.append();
    let sound = maker.log.rows.len();
    put_on(&mut maker, ASHA, 2);
    // Off the tier, what was counted is forgotten: only this is too much.
    give(&mut maker, 201, "2026-11-25");
    maker.append();
    let report = check(&maker.finish().text());
    assert_found(&report, i64::try_from(sound).unwrap() + 2, Code::AboveLimit, "the last");
}
