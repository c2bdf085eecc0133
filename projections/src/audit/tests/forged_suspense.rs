//! Lies with sound hashes about what is sent back from suspense: it leaves whoever had it, and goes
//! with the withdrawal that says so, both in one append.

use super::{
    Code, check,
    lies::{ASHA, BINOD, lie, pair, sound_past},
    maker::Maker,
};

/// A deposit with a credit in suspense.
fn aside(m: &mut Maker) -> String {
    let (deposit, transaction) = (m.fresh("dep_"), m.fresh("txn_"));
    let begun = "{\"currency\":\"INR\",\"bank\":\"hdfc\"}";
    m.event("deposit", &deposit, "unsolicited", begun);
    let aside = format!(
        "{{\"number\":1,\"credit\":{{\"bank\":\"hdfc\",\"bank_transaction_id\":\"S1\",\
         \"value_date\":\"2026-11-22\",\"amount\":\"0.70\"}},\"source\":\"enquiry\",\
         \"reason\":\"wallet_unknown\",\"transaction_id\":\"{transaction}\"}}"
    );
    m.event("deposit", &deposit, "put_aside", &aside);
    m.transaction_as(&transaction, "deposit", &pair(ASHA, BINOD, 70), Some(&deposit));
    deposit
}

/// The withdrawal that takes an item.
fn taken(m: &mut Maker, account: &str, item: Option<&str>) -> String {
    let (id, transaction, ba) = (m.fresh("wd_"), m.fresh("txn_"), m.fresh("ba_"));
    let item = item.map(|item| format!("\"item\":\"{item}\",")).unwrap_or_default();
    let payload = format!(
        "{{\"account\":\"{account}\",\"amount\":\"0.70\",\"fee\":\"0.00\",\
         \"tax\":\"0.00\",\"bank_account\":\"{ba}\",\"bank\":\"hdfc\",\"rail\":\"imps\",\
         {item}\"transaction_id\":\"{transaction}\"}}"
    );
    m.event("withdrawal", &id, "requested", &payload);
    m.transaction_as(&transaction, "withdrawal", &pair(ASHA, BINOD, 70), Some(&id));
    id
}

fn given(m: &mut Maker, deposit: &str, withdrawal: &str) {
    let payload = format!("{{\"number\":1,\"withdrawal_id\":\"{withdrawal}\"}}");
    m.event("deposit", deposit, "sent_back", &payload);
}

const SUSPENSE: &str = "suspense:credits:INR";

/// An item that a withdrawal takes and a deposit gives.
fn sent_back(m: &mut Maker) -> String {
    let deposit = aside(m);
    let item = format!("{deposit}.1");
    let id = taken(m, SUSPENSE, Some(&item));
    given(m, &deposit, &id);
    id
}

#[test]
fn what_goes_back_and_is_in_suspense_again_is_sound() {
    let mut past = sound_past();
    let id = sent_back(&mut past);
    past.append();
    let again = taken(&mut past, SUSPENSE, Some(&id));
    let payload = format!("{{\"withdrawal_id\":\"{again}\",\"amount\":\"0.70\"}}");
    past.event("withdrawal", &id, "sent_again", &payload);
    past.append();
    let transaction = past.fresh("txn_");
    let assigned = format!(
        "{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\
         \"transaction_id\":\"{transaction}\"}}"
    );
    past.event("withdrawal", &again, "assigned", &assigned);
    past.transaction_as(&transaction, "deposit", &pair(ASHA, BINOD, 70), Some(&again));
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn nothing_leaves_suspense_by_one_word_alone() {
    use Code::{WithdrawalDiffers, WithdrawalIncomplete};
    // A deposit in suspense is four events.
    const AFTER: i64 = 4;
    lie("taken and not given", AFTER, WithdrawalIncomplete, |m| {
        let item = format!("{}.1", aside(m));
        taken(m, SUSPENSE, Some(&item));
    });
    lie("another credit is taken", AFTER, WithdrawalIncomplete, |m| {
        let deposit = aside(m);
        let id = taken(m, SUSPENSE, Some(&format!("{deposit}.2")));
        given(m, &deposit, &id);
    });
    lie("given to another", AFTER, WithdrawalIncomplete, |m| {
        let deposit = aside(m);
        taken(m, SUSPENSE, Some(&format!("{deposit}.1")));
        let other = m.fresh("wd_");
        given(m, &deposit, &other);
    });
    lie("given in another append", AFTER, WithdrawalIncomplete, |m| {
        let deposit = aside(m);
        let id = taken(m, SUSPENSE, Some(&format!("{deposit}.1")));
        m.append();
        given(m, &deposit, &id);
    });
    lie("taken twice", AFTER + 4, WithdrawalIncomplete, |m| {
        let id = sent_back(m);
        let first = m.open[4].payload.clone();
        let item = first.split("\"item\":\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(!id.is_empty());
        taken(m, SUSPENSE, Some(item));
    });
    lie("no item of suspense", 0, WithdrawalDiffers, |m| {
        taken(m, SUSPENSE, None);
    });
    lie("an item of a wallet", 0, WithdrawalDiffers, |m| {
        let id = m.fresh("wd_");
        taken(m, "wallet:asha:INR", Some(&id));
    });
}
