//! Lies with sound hashes about periods: nothing belongs to a closed day, and a closed year leaves
//! nothing behind.

use super::{
    Code, check,
    lies::{ASHA, BINOD, FEES, edit, lie, pair, sound_past},
    maker::{Maker, leg},
};

const TODAY: &str = "\"effective_on\":\"2026-11-22\"";

fn closed(m: &mut Maker, until: &str) {
    m.event("book", "main", "period_closed", &format!("{{\"until\":\"{until}\"}}"));
}

fn reopened(m: &mut Maker, from: &str, reason: &str) {
    let payload = format!("{{\"from\":\"{from}\",\"reason\":\"{reason}\"}}");
    m.event("book", "main", "period_reopened", &payload);
}

fn year(m: &mut Maker, until: &str, transaction: &str) {
    let payload = format!("{{\"until\":\"{until}\",\"transaction_id\":\"{transaction}\"}}");
    m.event("book", "main", "year_closed", &payload);
}

/// A transaction of two legs that belongs to `day`.
fn posted_on(m: &mut Maker, day: &str, kind: &str, (from, to): (usize, usize), amount: i128) {
    let id = m.fresh("txn_");
    posted_as(m, &id, day, kind, (from, to), amount);
}

fn posted_as(
    m: &mut Maker,
    id: &str,
    day: &str,
    kind: &str,
    (from, to): (usize, usize),
    amount: i128,
) {
    m.transaction_as(
        id,
        kind,
        &[leg(from, true, amount, None), leg(to, false, amount, None)],
        None,
    );
    let then = format!("\"effective_on\":\"{day}\"");
    edit(m, 0, TODAY, &then);
    edit(m, 1, TODAY, &then);
}

/// Opens what results lie in; gives its place.
fn retained(m: &mut Maker) -> usize {
    m.open_account("equity:retained", "INR", 2, "equity", false, None);
    m.accounts.len() - 1
}

#[test]
fn periods_that_are_closed_opened_again_and_closed_with_their_year_are_sound() {
    let mut m = sound_past();
    posted_on(&mut m, "2026-10-15", "fee", (ASHA, FEES), 50);
    m.append();
    closed(&mut m, "2026-10-31");
    m.append();
    m.transfer(ASHA, BINOD, 5);
    reopened(&mut m, "2026-10-01", "late");
    posted_on(&mut m, "2026-10-31", "fee", (ASHA, FEES), 20);
    closed(&mut m, "2026-10-31");
    // Of an open day: the close of the year leaves it where it is.
    m.transaction("fee", &pair(ASHA, FEES, 7), None);
    m.append();
    let retained = retained(&mut m);
    let id = m.fresh("txn_");
    year(&mut m, "2026-10-31", &id);
    posted_as(&mut m, &id, "2026-10-31", "year_close", (FEES, retained), 70);
    m.append();
    let report = check(&m.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn nothing_belongs_to_a_closed_day() {
    use Code::{PeriodClosed, PeriodDiffers};
    lie("posted on its last day", 1, PeriodClosed, |m| {
        closed(m, "2026-10-31");
        posted_on(m, "2026-10-31", "transfer", (ASHA, BINOD), 5);
    });
    lie("posted long before", 1, PeriodClosed, |m| {
        closed(m, "2026-10-31");
        posted_on(m, "2020-01-01", "transfer", (ASHA, BINOD), 5);
    });
    lie("closed before it is over", 0, PeriodDiffers, |m| {
        closed(m, "2026-11-30");
        reopened(m, "2026-11-01", "x");
    });
    lie("closed twice", 1, PeriodDiffers, |m| {
        closed(m, "2026-10-31");
        closed(m, "2026-10-31");
    });
    lie("closed back", 1, PeriodDiffers, |m| {
        closed(m, "2026-10-31");
        closed(m, "2026-09-30");
    });
    lie("closed within a month", 0, PeriodDiffers, |m| closed(m, "2026-10-30"));
    lie("opened though it is open", 0, PeriodDiffers, |m| reopened(m, "2026-10-01", "x"));
    lie("opened within a month", 1, PeriodDiffers, |m| {
        closed(m, "2026-10-31");
        reopened(m, "2026-10-02", "x");
    });
    lie("opened without a reason", 1, PeriodDiffers, |m| {
        closed(m, "2026-10-31");
        reopened(m, "2026-10-01", "");
    });
}

#[test]
fn a_closed_year_leaves_nothing_behind() {
    use Code::YearDiffers;
    lie("of a year that is open", 2, YearDiffers, |m| {
        posted_on(m, "2026-10-15", "fee", (ASHA, FEES), 50);
        let id = m.fresh("txn_");
        year(m, "2026-10-31", &id);
        posted_as(m, &id, "2026-10-31", "year_close", (FEES, ASHA), 50);
    });
    lie("without its transaction", 1, YearDiffers, |m| {
        closed(m, "2026-10-31");
        let id = m.fresh("txn_");
        year(m, "2026-10-31", &id);
    });
    lie("before a later one", 7, YearDiffers, |m| {
        posted_on(m, "2026-10-15", "fee", (ASHA, FEES), 50);
        closed(m, "2026-10-31");
        let retained = retained(m);
        let (first, second) = (m.fresh("txn_"), m.fresh("txn_"));
        year(m, "2026-10-31", &first);
        posted_as(m, &first, "2026-10-31", "year_close", (FEES, retained), 50);
        year(m, "2026-09-30", &second);
        posted_as(m, &second, "2026-09-30", "year_close", (retained, BINOD), 1);
    });
    lie("without the book", 0, YearDiffers, |m| {
        m.transaction("year_close", &pair(ASHA, BINOD, 5), None);
    });
    lie("with something left", 4, YearDiffers, |m| {
        posted_on(m, "2026-10-15", "fee", (ASHA, FEES), 50);
        closed(m, "2026-10-31");
        let retained = retained(m);
        let id = m.fresh("txn_");
        year(m, "2026-10-31", &id);
        posted_as(m, &id, "2026-10-31", "year_close", (FEES, retained), 49);
    });
}
