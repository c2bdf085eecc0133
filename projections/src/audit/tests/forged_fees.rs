//! Lies with sound hashes about what withdrawals cost, and who charged what.

use super::{
    Code, assert_found, check,
    lies::{ASHA, BINOD, FEES, edit, lie, pair, post, sound_past},
    maker::{Leg, Maker, leg},
};

/// A version of what withdrawals of rupees cost, and from when.
fn define(m: &mut Maker, version: u32, fee: &str, from: &str) {
    let payload = format!(
        "{{\"service\":\"withdrawal\",\"currency\":\"INR\",\"version\":{version},\
         \"fee\":\"{fee}\",\"tax_bps\":1800,\"effective_from\":\"{from}\"}}"
    );
    m.event("book", "main", "fee_defined", &payload);
}

/// A moment of the log from which on something is in force.
const SOON: &str = "2026-12-01T00:00:00Z";
const THEN: i64 = 1_796_083_200_000_000;

/// A withdrawal that says what it costs, by which version: its request comes first.
fn charged(m: &mut Maker, fee: &str, tax: &str, version: u32) {
    let (id, transaction, ba) = (m.fresh("wd_"), m.fresh("txn_"), m.fresh("ba_"));
    let payload = format!(
        "{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\"fee\":\"{fee}\",\
         \"tax\":\"{tax}\",\"fee_version\":{version},\"bank_account\":\"{ba}\",\
         \"bank\":\"hdfc\",\"rail\":\"imps\",\"transaction_id\":\"{transaction}\"}}"
    );
    m.event("withdrawal", &id, "requested", &payload);
    m.event("withdrawal", &id, "queued", "{}");
    m.transaction_as(&transaction, "withdrawal", &pair(ASHA, BINOD, 70), Some(&id));
}

#[test]
fn what_is_charged_by_the_version_in_force_is_sound() {
    let mut m = sound_past();
    charged(&mut m, "10.00", "1.53", 1);
    m.append();
    define(&mut m, 2, "12.50", SOON);
    charged(&mut m, "10.00", "1.53", 1);
    m.append();
    m.now = THEN;
    charged(&mut m, "12.50", "1.91", 2);
    m.append();
    define(&mut m, 3, "0.00", "2027-01-01T00:00:00Z");
    charged(&mut m, "12.50", "1.91", 2);
    m.append();
    let report = check(&m.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn what_is_charged_otherwise_is_found() {
    use Code::WithdrawalDiffers;
    lie("another fee than the first", 0, WithdrawalDiffers, |m| charged(m, "10.01", "1.53", 1));
    lie("another tax", 0, WithdrawalDiffers, |m| charged(m, "10.00", "1.52", 1));
    lie("a version that is not there", 0, WithdrawalDiffers, |m| charged(m, "10.00", "1.53", 2));
    lie("before its moment", 1, WithdrawalDiffers, |m| {
        define(m, 2, "12.50", SOON);
        charged(m, "12.50", "1.91", 2);
    });
    lie("the version that gave way", 1, WithdrawalDiffers, |m| {
        m.now = THEN;
        define(m, 2, "12.50", SOON);
        charged(m, "10.00", "1.53", 1);
    });
}

#[test]
fn versions_that_are_none() {
    use Code::BookDiffers;
    lie("a version too far", 0, BookDiffers, |m| define(m, 3, "12.50", SOON));
    lie("the first one again", 0, BookDiffers, |m| define(m, 1, "12.50", SOON));
    lie("below zero", 0, BookDiffers, |m| define(m, 2, "-0.01", SOON));
    lie("for the past", 0, BookDiffers, |m| define(m, 2, "12.50", "2020-01-01T00:00:00Z"));
    lie("from no moment", 0, BookDiffers, |m| define(m, 2, "12.50", "soon"));
    for (from, to, what) in [
        ("\"withdrawal\"", "\"deposit\"", "of nothing that has a fee"),
        ("\"INR\"", "\"XAU\"", "in no currency of the book"),
        ("1800", "10001", "of more than the whole"),
    ] {
        lie(what, 0, BookDiffers, |m| {
            define(m, 2, "12.50", SOON);
            edit(m, 0, from, to);
        });
    }
}

#[test]
fn a_transfer_that_waits_is_charged_by_its_version_too() {
    let mut m = sound_past();
    let first = i64::try_from(m.log.rows.len()).unwrap() + 1;
    let (id, hold) = (m.fresh("tr_"), m.fresh("hold_"));
    let payload = format!(
        "{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\"fee\":\"0.10\",\
         \"tax\":\"0.02\",\"fee_version\":1,\"phone_hash\":\"{}\",\"hold_id\":\"{hold}\",\
         \"expires_at\":\"2027-01-01T00:00:00Z\"}}",
        "0a".repeat(32)
    );
    m.event("transfer", &id, "held", &payload);
    m.append();
    assert_found(&check(&m.finish().text()), first, Code::TransferDiffers, "charged for nothing");
}

/// A version of what transfers of rupees cost, without a tax in it.
fn define_transfer(m: &mut Maker, version: u32, fee: &str) {
    let payload = format!(
        "{{\"service\":\"transfer\",\"currency\":\"INR\",\"version\":{version},\
         \"fee\":\"{fee}\",\"tax_bps\":0,\"effective_from\":\"{SOON}\"}}"
    );
    m.event("book", "main", "fee_defined", &payload);
}

/// A transfer at once of 1.00 with so many paise of a fee, whose first leg names a version.
fn at_once(m: &mut Maker, fee: i128, version: u32) {
    let mut legs: Vec<Leg> = vec![leg(ASHA, true, 100 + fee, None), leg(BINOD, false, 100, None)];
    legs.extend((fee > 0).then(|| leg(FEES, false, fee, None)));
    post(m, &legs);
    let named = format!("\"leg\":1,\"fee_version\":{version},");
    edit(m, legs.len() - 1, "\"leg\":1,", &named);
}

#[test]
fn a_transfer_at_once_that_names_what_it_was_charged_by_is_sound() {
    let mut m = sound_past();
    define_transfer(&mut m, 2, "0.25");
    m.append();
    m.now = THEN;
    at_once(&mut m, 25, 2);
    // One of before transfers named it.
    post(&mut m, &pair(ASHA, BINOD, 70));
    m.append();
    m.event(
        "book",
        "main",
        "fee_defined",
        "{\"service\":\"transfer\",\"currency\":\"INR\",\"version\":3,\"fee\":\"0.00\",\
         \"tax_bps\":0,\"effective_from\":\"2027-01-01T00:00:00Z\"}",
    );
    at_once(&mut m, 25, 2);
    m.append();
    let report = check(&m.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn a_transfer_at_once_that_was_charged_otherwise_is_found() {
    use Code::{LegDiffers, TransferDiffers};
    let charged = |fee, version| {
        move |m: &mut Maker| {
            m.now = THEN;
            define_transfer(m, 2, "0.25");
            at_once(m, fee, version);
        }
    };
    lie("more than it costs", 1, TransferDiffers, charged(26, 2));
    lie("less", 1, TransferDiffers, charged(24, 2));
    lie("nothing", 1, TransferDiffers, charged(0, 2));
    lie("the version that gave way", 1, TransferDiffers, charged(25, 1));
    lie("a version that is not there", 1, TransferDiffers, charged(25, 3));
    lie("where the book has none", 0, TransferDiffers, |m| at_once(m, 0, 2));
    lie("on another leg", 1, LegDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 0, "\"leg\":2,", "\"leg\":2,\"fee_version\":1,");
    });
    lie("on what is no transfer", 0, LegDiffers, |m| {
        at_once(m, 0, 1);
        edit(m, 1, "\"transfer\"", "\"payment_x\"");
        edit(m, 0, "\"transfer\"", "\"payment_x\"");
    });
}
