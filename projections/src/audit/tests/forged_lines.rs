//! Lies with sound hashes about lines of banks' statements: only they move what the banks have.

use super::{
    Code, check,
    lies::{ASHA, BINOD, CLEARING, lie, pair, sound_past},
    maker::{Leg, Maker, leg},
};

/// `bank:hdfc:escrow` of the first currency stands behind `bank:hdfc:clearing_in`.
const ESCROW: usize = CLEARING + 1;
const LINE: &str = "bl_d012e6350957816ab864c31f5403cfa8";

/// A line of 0.70 that settles an item of clearing.
fn booked(m: &mut Maker, transaction: &str, item: &str) {
    let payload = format!(
        "{{\"bank\":\"hdfc\",\"account\":\"escrow\",\"direction\":\"credit\",\
         \"booking_date\":\"2026-11-22\",\"value_date\":\"2026-11-22\",\
         \"bank_transaction_id\":\"S1\",\"currency\":\"INR\",\"amount\":\"0.70\",\
         \"parts\":[{{\"purpose\":\"arrival\",\"item\":\"{item}\",\"amount\":\"0.70\"}}],\
         \"transaction_id\":\"{transaction}\"}}"
    );
    m.event("bank_line", LINE, "booked", &payload);
}

fn settled(m: &mut Maker, deposit: &str, transaction: &str) {
    let payload = format!("{{\"number\":1,\"transaction_id\":\"{transaction}\"}}");
    m.event("deposit", deposit, "settled", &payload);
}

fn legs(item: &str) -> [Leg; 2] {
    [leg(ESCROW, true, 70, None), leg(CLEARING, false, 70, Some(item.to_owned()))]
}

/// A deposit that an enquiry has booked, with the item of its credit.
fn confirmed(m: &mut Maker) -> (String, String) {
    let (deposit, transaction) = (m.fresh("dep_"), m.fresh("txn_"));
    let item = format!("{deposit}.1");
    let begun = "{\"currency\":\"INR\",\"bank\":\"hdfc\",\"account\":\"wallet:asha:INR\"}";
    m.event("deposit", &deposit, "unsolicited", begun);
    let credited = format!(
        "{{\"number\":1,\"credit\":{{\"bank\":\"hdfc\",\"bank_transaction_id\":\"S1\",\
         \"value_date\":\"2026-11-22\",\"amount\":\"0.70\"}},\"source\":\"enquiry\",\
         \"transaction_id\":\"{transaction}\"}}"
    );
    m.event("deposit", &deposit, "credited", &credited);
    let arrived = [leg(CLEARING, true, 70, Some(item.clone())), leg(ASHA, false, 70, None)];
    m.transaction_as(&transaction, "deposit", &arrived, Some(&deposit));
    m.event("bank_line", LINE, "expected", &format!("{{\"item\":\"{item}\"}}"));
    m.append();
    (deposit, item)
}

#[test]
fn a_credit_that_its_line_settles_is_sound() {
    let mut past = sound_past();
    let (deposit, item) = confirmed(&mut past);
    let transaction = past.fresh("txn_");
    settled(&mut past, &deposit, &transaction);
    booked(&mut past, &transaction, &item);
    past.transaction_as(&transaction, "bank_line", &legs(&item), Some(LINE));
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn nothing_but_a_line_moves_what_a_bank_has() {
    use Code::{BankLineDiffers, BankLineIncomplete, DepositIncomplete, SequenceDiffers};
    // Positions count from the beginning of the deposit, whose append has a batch's row behind it.
    const AFTER: i64 = 5;
    lie("a deposit moves escrow", AFTER + 1, BankLineIncomplete, |m| {
        let (deposit, item) = confirmed(m);
        let transaction = m.fresh("txn_");
        settled(m, &deposit, &transaction);
        m.transaction_as(&transaction, "deposit", &legs(&item), Some(&deposit));
    });
    lie("a withdrawal moves escrow", 2, BankLineIncomplete, |m| {
        let (id, transaction, ba) = (m.fresh("wd_"), m.fresh("txn_"), m.fresh("ba_"));
        let payload = format!(
            "{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\"fee\":\"0.00\",\
             \"tax\":\"0.00\",\"bank_account\":\"{ba}\",\"bank\":\"hdfc\",\
             \"rail\":\"imps\",\"transaction_id\":\"{transaction}\"}}"
        );
        m.event("withdrawal", &id, "requested", &payload);
        m.transaction_as(&transaction, "withdrawal", &pair(ASHA, ESCROW, 70), Some(&id));
    });
    lie("settled without a line", AFTER, DepositIncomplete, |m| {
        let (deposit, _) = confirmed(m);
        let transaction = m.fresh("txn_");
        settled(m, &deposit, &transaction);
    });
    lie("booked twice", AFTER + 3, BankLineDiffers, |m| {
        let (_, item) = confirmed(m);
        let (first, second) = (m.fresh("txn_"), m.fresh("txn_"));
        booked(m, &first, &item);
        m.transaction_as(&first, "bank_line", &legs(&item), Some(LINE));
        booked(m, &second, &item);
        m.transaction_as(&second, "bank_line", &legs(&item), Some(LINE));
    });
    lie("without its legs", 0, BankLineIncomplete, |m| {
        let transaction = m.fresh("txn_");
        booked(m, &transaction, "x");
    });
    lie("without its cause", 1, BankLineIncomplete, |m| {
        let transaction = m.fresh("txn_");
        booked(m, &transaction, "x");
        m.transaction_as(&transaction, "bank_line", &legs("x"), None);
    });
    lie("resolved before it was booked", 0, BankLineDiffers, |m| {
        let transaction = m.fresh("txn_");
        let payload = format!(
            "{{\"parts\":[{{\"purpose\":\"unknown\",\"amount\":\"0.70\"}}],\
             \"amount\":\"0.70\",\"transaction_id\":\"{transaction}\"}}"
        );
        m.event("bank_line", LINE, "resolved", &payload);
        m.transaction_as(&transaction, "bank_line", &pair(ASHA, BINOD, 70), Some(LINE));
    });
    lie("a gap", AFTER, SequenceDiffers, |m| {
        let (_, item) = confirmed(m);
        m.event("bank_line", LINE, "expected", &format!("{{\"item\":\"{item}\"}}"));
        let last = m.open.len() - 1;
        m.open[last].sequence += 1;
    });
}
