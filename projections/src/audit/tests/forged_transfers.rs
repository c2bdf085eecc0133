//! Lies with sound hashes about transfers that wait to be claimed.

use super::{
    Code, check,
    lies::{ASHA, BINOD, CHITRA, FEES, hold, lie, pair, sound_past},
    maker::{Hold, Leg, Maker, leg},
};

/// A transfer of 0.70 that costs 0.05, with its hold.
struct Sent {
    id: String,
    transaction: String,
    hold: Hold,
}

fn sent(m: &mut Maker) -> Sent {
    let id = m.fresh("tr_");
    let digits = id.trim_start_matches("tr_").to_owned();
    let mut hold = hold(m, ASHA, 75);
    hold.id = format!("hold_{digits}");
    Sent { transaction: format!("txn_{digits}"), id, hold }
}

fn tell_held(m: &mut Maker, sent: &Sent) {
    let held = format!(
        "{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\"fee\":\"0.05\",\
         \"tax\":\"0.01\",\"phone_hash\":\"{}\",\"hold_id\":\"{}\",\
         \"expires_at\":\"2026-11-29T14:30:00Z\"}}",
        "0a".repeat(32),
        sent.hold.id
    );
    m.event("transfer", &sent.id, "held", &held);
}

fn tell_placed(m: &mut Maker, sent: &Sent) {
    let placed = format!(
        "{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.75\",\"cause\":\"{}\"}}",
        sent.id
    );
    m.event("hold", &sent.hold.id, "placed", &placed);
    m.hold_event("hold_placed", &sent.hold, 75, true);
}

/// Three events.
fn begin(m: &mut Maker) -> Sent {
    let sent = sent(m);
    tell_held(m, &sent);
    tell_placed(m, &sent);
    sent
}

fn tell_completed(m: &mut Maker, sent: &Sent, account: &str) {
    let (transaction, id) = (&sent.transaction, &sent.id);
    let payload = format!("{{\"account\":\"{account}\",\"transaction_id\":\"{transaction}\"}}");
    m.event("transfer", id, "completed", &payload);
}

fn tell_captured(m: &mut Maker, sent: &Sent) {
    m.captured(&sent.hold, 75, &sent.transaction);
    m.hold_event("hold_captured", &sent.hold, 75, false);
}

fn paid_to(receiver: usize, amount: i128) -> Vec<Leg> {
    vec![
        leg(ASHA, true, 75, None),
        leg(receiver, false, amount, None),
        leg(FEES, false, 75 - amount, None),
    ]
}

fn complete(m: &mut Maker, sent: &Sent) {
    tell_completed(m, sent, "wallet:binod:INR");
    tell_captured(m, sent);
    m.transaction_as(&sent.transaction, "transfer", &paid_to(BINOD, 70), Some(&sent.id));
}

fn release(m: &mut Maker, sent: &Sent) {
    m.event("hold", &sent.hold.id, "released", "{}");
    m.hold_event("hold_released", &sent.hold, 75, false);
}

fn cancel(m: &mut Maker, sent: &Sent) {
    m.event("transfer", &sent.id, "cancelled", "{}");
    release(m, sent);
}

#[test]
fn transfers_that_are_sound() {
    let mut past = sound_past();
    let (first, second) = (begin(&mut past), begin(&mut past));
    past.append();
    complete(&mut past, &first);
    cancel(&mut past, &second);
    past.append();
    let third = begin(&mut past);
    let review = "{\"account\":\"wallet:binod:INR\",\"reason\":\"account_cannot_take\"}";
    past.event("transfer", &third.id, "claim_in_review", review);
    past.append();
    past.now += 8 * 24 * 3600 * 1_000_000;
    past.event("transfer", &third.id, "expired", "{}");
    release(&mut past, &third);
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn transfers_that_break_their_own_terms() {
    use Code::{AccountUnknown, TransferDiffers};
    lie("no beginning", 0, TransferDiffers, |m| {
        let id = m.fresh("tr_");
        m.event("transfer", &id, "cancelled", "{}");
    });
    lie("two beginnings", 3, TransferDiffers, |m| {
        let sent = begin(m);
        tell_held(m, &sent);
    });
    lie("after its end", 6, TransferDiffers, |m| {
        let sent = begin(m);
        m.append();
        cancel(m, &sent);
        m.append();
        m.event("transfer", &sent.id, "expired", "{}");
    });
    lie("before its time", 3, TransferDiffers, |m| {
        let sent = begin(m);
        m.event("transfer", &sent.id, "expired", "{}");
        release(m, &sent);
    });
    lie("after its time", 3, TransferDiffers, |m| {
        let sent = begin(m);
        m.append();
        m.now += 8 * 24 * 3600 * 1_000_000;
        complete(m, &sent);
    });
    lie("its own receiver", 3, TransferDiffers, |m| {
        let sent = begin(m);
        let review = "{\"account\":\"wallet:asha:INR\",\"reason\":\"x\"}";
        m.event("transfer", &sent.id, "claim_in_review", review);
    });
    lie("no receiver", 3, AccountUnknown, |m| {
        let sent = begin(m);
        let review = "{\"account\":\"wallet:zora:INR\",\"reason\":\"x\"}";
        m.event("transfer", &sent.id, "claim_in_review", review);
    });
    lie("a tax above its fee", 0, TransferDiffers, |m| {
        let sent = sent(m);
        tell_held(m, &sent);
        super::lies::edit(m, 0, "\"tax\":\"0.01\"", "\"tax\":\"0.06\"");
        tell_placed(m, &sent);
    });
    lie("another transaction", 3, TransferDiffers, |m| {
        let sent = begin(m);
        let transaction = m.fresh("txn_");
        let other = Sent { transaction, ..sent };
        tell_completed(m, &other, "wallet:binod:INR");
        release(m, &other);
    });
    lie("undone", 9, TransferDiffers, |m| {
        let sent = begin(m);
        m.append();
        complete(m, &sent);
        m.append();
        let by = m.fresh("txn_");
        m.event("reversal", &sent.transaction, "reversed", &format!("{{\"by\":\"{by}\"}}"));
        let back: Vec<Leg> =
            paid_to(BINOD, 70).into_iter().map(|l| Leg { debit: !l.debit, ..l }).collect();
        m.transaction_as(&by, "reversal", &back, Some(&sent.transaction));
    });
}

#[test]
fn transfers_that_cannot_be_read() {
    use Code::{IdMalformed, PayloadUnreadable, SequenceDiffers};
    lie("a gap", 3, SequenceDiffers, |m| {
        let sent = begin(m);
        cancel(m, &sent);
        m.open[3].sequence += 1;
    });
    lie("a field too many", 3, PayloadUnreadable, |m| {
        let sent = begin(m);
        m.event("transfer", &sent.id, "cancelled", "{\"by\":\"ravi\"}");
        release(m, &sent);
    });
    lie("no transfer's id", 0, IdMalformed, |m| {
        m.event("transfer", "tr_7", "cancelled", "{}");
    });
}

#[test]
fn transfers_without_what_belongs_to_them() {
    use Code::TransferIncomplete;
    lie("without its hold", 0, TransferIncomplete, |m| {
        let sent = sent(m);
        tell_held(m, &sent);
    });
    lie("a hold without its transfer", 0, TransferIncomplete, |m| {
        let sent = sent(m);
        tell_placed(m, &sent);
    });
    lie("a hold of another amount", 0, TransferIncomplete, |m| {
        let mut sent = sent(m);
        tell_held(m, &sent);
        sent.hold.amount = 70;
        let (id, hold) = (&sent.id, &sent.hold.id);
        let placed =
            format!("{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\"cause\":\"{id}\"}}");
        m.event("hold", hold, "placed", &placed);
        m.hold_event("hold_placed", &sent.hold, 70, true);
    });
    lie("a hold that ends alone", 3, TransferIncomplete, |m| {
        let sent = begin(m);
        m.append();
        release(m, &sent);
    });
    lie("an end that leaves its hold", 3, TransferIncomplete, |m| {
        let sent = begin(m);
        m.append();
        m.event("transfer", &sent.id, "cancelled", "{}");
    });
    lie("given up and captured", 3, TransferIncomplete, |m| {
        let sent = begin(m);
        m.append();
        m.event("transfer", &sent.id, "cancelled", "{}");
        tell_captured(m, &sent);
        m.transaction_as(&sent.transaction, "transfer", &pair(ASHA, BINOD, 75), None);
    });
    lie("less than promised", 3, TransferIncomplete, |m| {
        let sent = begin(m);
        m.append();
        tell_completed(m, &sent, "wallet:binod:INR");
        tell_captured(m, &sent);
        m.transaction_as(&sent.transaction, "transfer", &paid_to(BINOD, 60), Some(&sent.id));
    });
    lie("to somebody else", 3, TransferIncomplete, |m| {
        let sent = begin(m);
        m.append();
        tell_completed(m, &sent, "wallet:binod:INR");
        tell_captured(m, &sent);
        m.transaction_as(&sent.transaction, "transfer", &paid_to(CHITRA, 70), Some(&sent.id));
    });
    lie("without its cause", 6, TransferIncomplete, |m| {
        let sent = begin(m);
        m.append();
        tell_completed(m, &sent, "wallet:binod:INR");
        tell_captured(m, &sent);
        m.transaction_as(&sent.transaction, "transfer", &paid_to(BINOD, 70), None);
    });
    lie("not named", 0, TransferIncomplete, |m| {
        let id = m.fresh("tr_");
        m.transaction("transfer", &pair(ASHA, BINOD, 70), Some(&id));
    });
}
