//! Lies with sound hashes about holds, reversals, the book, and the shape of events.

use super::{
    Code, check,
    lies::{
        ASHA, BINOD, CHITRA, CLEARING, FEES, account_event, edit, hold, lie, pair, place, post,
        sound_past,
    },
    maker::{Leg, Maker, leg},
};

/// The events that end a hold, in both streams.
fn end(maker: &mut Maker, hold: &super::maker::Hold, end: &str) {
    maker.event("hold", &hold.id, end, "{}");
    maker.hold_event(&format!("hold_{end}"), hold, hold.amount, false);
}

#[test]
fn i8_holds_that_their_two_streams_tell_differently() {
    use Code::HoldSidesDiffer;
    lie("not in the account", 0, HoldSidesDiffer, |m| {
        let hold = hold(m, ASHA, 30);
        m.placed(&hold);
    });
    lie("only in the account", 0, HoldSidesDiffer, |m| {
        let hold = hold(m, ASHA, 30);
        m.hold_event("hold_placed", &hold, 30, true);
    });
    lie("other amounts", 0, HoldSidesDiffer, |m| {
        let hold = hold(m, ASHA, 30);
        m.placed(&hold);
        m.hold_event("hold_placed", &hold, 31, true);
    });
    lie("other accounts", 0, HoldSidesDiffer, |m| {
        let mut hold = hold(m, ASHA, 30);
        m.placed(&hold);
        hold.account = BINOD;
        m.hold_event("hold_placed", &hold, 30, true);
    });
    lie("other times", 0, HoldSidesDiffer, |m| {
        let mut hold = hold(m, ASHA, 30);
        m.placed(&hold);
        hold.expires_at = Some(m.now + 1);
        m.hold_event("hold_placed", &hold, 30, true);
    });
    lie("other ends", 2, HoldSidesDiffer, |m| {
        let hold = place(m, ASHA, 30);
        m.append();
        m.event("hold", &hold.id, "released", "{}");
        m.hold_event("hold_expired", &hold, 30, false);
    });
    lie("an end in the account only", 2, HoldSidesDiffer, |m| {
        let hold = place(m, ASHA, 30);
        m.append();
        m.hold_event("hold_released", &hold, 30, false);
    });
}

#[test]
fn i8_holds_whose_life_makes_no_sense() {
    use Code::{HoldAmountDiffers, HoldEnded, HoldExpiredEarly, HoldRepeated, HoldUnknown};
    lie("placed twice", 2, HoldRepeated, |m| {
        let hold = place(m, ASHA, 30);
        m.placed(&hold);
    });
    lie("placed on no account", 0, Code::AccountUnknown, |m| {
        let hold = hold(m, ASHA, 30);
        m.placed(&hold);
        edit(m, 0, "wallet:asha:INR", "wallet:asha:EUR");
    });
    lie("never placed", 0, HoldUnknown, |m| {
        let hold = hold(m, ASHA, 30);
        m.event("hold", &hold.id, "released", "{}");
    });
    lie("no hold of the account", 0, HoldUnknown, |m| {
        let hold = hold(m, ASHA, 30);
        m.hold_event("hold_released", &hold, 30, false);
    });
    lie("ended twice in one append", 4, HoldEnded, |m| {
        let hold = place(m, ASHA, 30);
        end(m, &hold, "released");
        m.event("hold", &hold.id, "released", "{}");
    });
    lie("ended twice", 4, HoldEnded, |m| {
        let hold = place(m, ASHA, 30);
        end(m, &hold, "released");
        m.append();
        end(m, &hold, "released");
    });
    lie("a sum that is none", 2, HoldAmountDiffers, |m| {
        let mut hold = place(m, ASHA, 30);
        hold.amount = 42;
        m.increased(&hold, 10);
        m.hold_event("hold_increased", &hold, 10, true);
    });
    lie("an end of a part", 3, HoldAmountDiffers, |m| {
        let hold = place(m, ASHA, 30);
        m.event("hold", &hold.id, "released", "{}");
        m.hold_event("hold_released", &hold, 20, false);
    });
    lie("an end before its time", 2, HoldExpiredEarly, |m| {
        let mut hold = hold(m, ASHA, 30);
        hold.expires_at = Some(m.now + 1);
        m.placed(&hold);
        m.hold_event("hold_placed", &hold, 30, true);
        end(m, &hold, "expired");
    });
    lie("an end without a time", 2, HoldExpiredEarly, |m| {
        let hold = place(m, ASHA, 30);
        end(m, &hold, "expired");
    });
    lie("no hold's id", 0, Code::IdMalformed, |m| {
        m.event("hold", "hold_7", "released", "{}");
    });
    lie("a gap in its stream", 2, Code::SequenceDiffers, |m| {
        let hold = place(m, ASHA, 30);
        end(m, &hold, "released");
        m.open[2].sequence = 3;
    });
}

#[test]
fn captures_and_what_they_post() {
    use Code::{CaptureDiffers, HoldAmountDiffers};
    let capture = |m: &mut Maker, amount: i128, legs: &[Leg]| {
        let hold = place(m, ASHA, 30);
        let transaction = m.fresh("txn_");
        m.captured(&hold, amount, &transaction);
        m.hold_event("hold_captured", &hold, hold.amount, false);
        if !legs.is_empty() {
            m.transaction_as(&transaction, "payment", legs, Some(&hold.id));
        }
    };
    lie("no transaction", 2, CaptureDiffers, |m| capture(m, 20, &[]));
    lie("another amount", 2, CaptureDiffers, |m| {
        capture(m, 20, &pair(ASHA, BINOD, 21));
    });
    lie("another account", 2, CaptureDiffers, |m| {
        capture(m, 20, &pair(CHITRA, BINOD, 20));
    });
    lie("the other side", 2, CaptureDiffers, |m| {
        capture(m, 20, &pair(BINOD, ASHA, 20));
    });
    lie("in the next append", 2, CaptureDiffers, |m| {
        capture(m, 20, &pair(ASHA, BINOD, 20));
        let legs = m.open.split_off(4);
        m.append();
        m.open = legs;
        let now = m.now;
        m.open.iter_mut().for_each(|row| row.recorded_at = now);
    });
    lie("more than was held", 2, HoldAmountDiffers, |m| {
        capture(m, 20, &pair(ASHA, BINOD, 20));
        edit(m, 3, "\"released\":\"0.10\"", "\"released\":\"0.11\"");
    });
    lie("less than nothing released", 2, HoldAmountDiffers, |m| {
        capture(m, 31, &pair(ASHA, BINOD, 31));
    });
}

#[test]
fn reversals_that_are_none() {
    use Code::{ReversalDiffers, ReversalIncomplete, ReversalRepeated, ReversalUnknown};
    let reverse = |m: &mut Maker, original: &str, cause: &str, legs: &[Leg]| {
        let by = m.fresh("txn_");
        m.event("reversal", original, "reversed", &format!("{{\"by\":\"{by}\"}}"));
        if !legs.is_empty() {
            m.transaction_as(&by, "reversal", legs, Some(cause));
        }
    };
    let mut past = sound_past();
    let original = post(&mut past, &pair(ASHA, BINOD, 70));
    reverse(&mut past, &original, &original, &pair(BINOD, ASHA, 70));
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");

    lie("another amount", 3, ReversalDiffers, |m| {
        let original = post(m, &pair(ASHA, BINOD, 70));
        reverse(m, &original, &original, &pair(BINOD, ASHA, 69));
    });
    lie("another account", 3, ReversalDiffers, |m| {
        let original = post(m, &pair(ASHA, BINOD, 70));
        reverse(m, &original, &original, &pair(BINOD, CHITRA, 70));
    });
    lie("the same side", 3, ReversalDiffers, |m| {
        let original = post(m, &pair(ASHA, BINOD, 70));
        reverse(m, &original, &original, &pair(ASHA, BINOD, 70));
    });
    lie("another item", 3, ReversalDiffers, |m| {
        let item = |name: &str| Some(name.to_owned());
        let legs = [leg(CLEARING, true, 9, item("a")), leg(BINOD, false, 9, None)];
        let original = post(m, &legs);
        let legs = [leg(CLEARING, false, 9, item("b")), leg(BINOD, true, 9, None)];
        reverse(m, &original, &original, &legs);
    });
    lie("another cause", 3, ReversalDiffers, |m| {
        let original = post(m, &pair(ASHA, BINOD, 70));
        let by = m.fresh("txn_");
        reverse(m, &original, &by, &pair(BINOD, ASHA, 70));
    });
    lie("twice", 5, ReversalRepeated, |m| {
        let original = post(m, &pair(ASHA, BINOD, 70));
        reverse(m, &original, &original, &pair(BINOD, ASHA, 70));
        reverse(m, &original, &original, &pair(BINOD, ASHA, 70));
    });
    lie("of nothing", 0, ReversalUnknown, |m| {
        let original = m.fresh("txn_");
        reverse(m, &original, &original, &pair(BINOD, ASHA, 70));
    });
    lie("without legs", 2, ReversalIncomplete, |m| {
        let original = post(m, &pair(ASHA, BINOD, 70));
        reverse(m, &original, &original, &[]);
    });
    lie("without a stream", 2, ReversalIncomplete, |m| {
        let original = post(m, &pair(ASHA, BINOD, 70));
        m.transaction("reversal", &pair(BINOD, ASHA, 70), Some(&original));
    });
    lie("no transaction's id", 0, Code::IdMalformed, |m| {
        reverse(m, "txn_7", "txn_7", &[]);
    });
}

#[test]
fn books_accounts_and_currencies_that_contradict_each_other() {
    use Code::{BookDiffers, CurrencyRepeated, CurrencyUnknown, ScaleDiffers};
    lie("the book twice", 0, BookDiffers, |m| {
        m.event("book", "main", "opened", "{\"time_zone\":\"Asia/Kolkata\"}");
    });
    lie("another book", 0, Code::SequenceDiffers, |m| {
        m.event("book", "other", "currency_added", "{\"code\":\"EUR\",\"scale\":2}");
    });
    lie("a currency twice", 0, CurrencyRepeated, |m| {
        m.event("book", "main", "currency_added", "{\"code\":\"INR\",\"scale\":2}");
    });
    lie("a currency that is none", 0, Code::PayloadUnreadable, |m| {
        m.event("book", "main", "currency_added", "{\"code\":\"eur\",\"scale\":2}");
    });
    lie("an account in no currency", 0, CurrencyUnknown, |m| {
        m.open_account("wallet:new", "EUR", 2, "liability", false, Some(0));
    });
    lie("another scale", 0, ScaleDiffers, |m| {
        m.open_account("wallet:new", "INR", 3, "liability", false, Some(0));
    });
    lie("opened twice", 0, Code::AccountRepeated, |m| {
        m.open_account("wallet:asha", "INR", 2, "liability", false, Some(0));
        m.open[0].sequence = 9;
    });
    lie("another account in the payload", 0, Code::AccountDiffers, |m| {
        m.open_account("wallet:new", "INR", 2, "liability", false, Some(0));
        edit(m, 0, "wallet:new", "wallet:old");
    });
    lie("a floor at another scale", 0, Code::AmountMalformed, |m| {
        m.open_account("wallet:new", "INR", 2, "liability", false, Some(0));
        edit(m, 0, "\"floor\":\"0.00\"", "\"floor\":\"0\"");
    });
    lie("never opened", 0, Code::AccountUnknown, |m| {
        let payload = "{\"floor\":null,\"ceiling\":null}";
        m.event("account", "wallet:nobody:INR", "limits_changed", payload);
    });
}

fn requested(m: &mut Maker, id: &str, transaction: &str) {
    let ba = m.fresh("ba_");
    let payload = format!(
        "{{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\"fee\":\"0.00\",\
         \"tax\":\"0.00\",\"bank_account\":\"{ba}\",\"bank\":\"hdfc\",\
         \"rail\":\"imps\",\"transaction_id\":\"{transaction}\"}}"
    );
    m.event("withdrawal", id, "requested", &payload);
}

/// A withdrawal that waits for its bank.
fn begin(m: &mut Maker) -> (String, String) {
    let (id, transaction) = (m.fresh("wd_"), m.fresh("txn_"));
    requested(m, &id, &transaction);
    m.event("withdrawal", &id, "queued", "{}");
    m.transaction_as(&transaction, "withdrawal", &pair(ASHA, BINOD, 70), Some(&id));
    (id, transaction)
}

#[test]
fn withdrawals_that_are_none() {
    use Code::{IdMalformed, PayloadUnreadable, SequenceDiffers};
    use Code::{WithdrawalDiffers, WithdrawalIncomplete};
    let mut past = sound_past();
    begin(&mut past);
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");

    lie("no request", 0, WithdrawalDiffers, |m| {
        let id = m.fresh("wd_");
        m.event("withdrawal", &id, "queued", "{}");
    });
    lie("two requests", 4, WithdrawalDiffers, |m| {
        let (id, _) = begin(m);
        let second = m.fresh("txn_");
        requested(m, &id, &second);
        m.transaction_as(&second, "withdrawal", &pair(ASHA, BINOD, 70), Some(&id));
    });
    lie("a gap", 4, SequenceDiffers, |m| {
        let (id, _) = begin(m);
        m.event("withdrawal", &id, "approved", "{}");
        let last = m.open.len() - 1;
        m.open[last].sequence += 1;
    });
    lie("without its transaction", 0, WithdrawalIncomplete, |m| {
        let (id, transaction) = (m.fresh("wd_"), m.fresh("txn_"));
        requested(m, &id, &transaction);
    });
    lie("without its cause", 1, WithdrawalIncomplete, |m| {
        let (id, transaction) = (m.fresh("wd_"), m.fresh("txn_"));
        requested(m, &id, &transaction);
        m.transaction_as(&transaction, "withdrawal", &pair(ASHA, BINOD, 70), None);
    });
    lie("not named", 0, WithdrawalIncomplete, |m| {
        let id = m.fresh("wd_");
        m.transaction("withdrawal", &pair(ASHA, BINOD, 70), Some(&id));
    });
    lie("no transaction's id", 0, IdMalformed, |m| {
        let id = m.fresh("wd_");
        requested(m, &id, "txn_7");
    });
    lie("a field too many", 4, PayloadUnreadable, |m| {
        let (id, _) = begin(m);
        m.event("withdrawal", &id, "approved", "{\"by\":\"ravi\"}");
    });
    lie("no withdrawal's id", 0, IdMalformed, |m| {
        m.event("withdrawal", "wd_7", "approved", "{}");
    });
}

#[test]
fn withdrawals_in_parts_that_are_none() {
    use Code::WithdrawalDiffers;
    let paid = |m: &mut Maker, id: &str, amount: &str| {
        let transaction = m.fresh("txn_");
        let payload = format!(
            "{{\"attempt\":1,\"bank_reference\":\"S1\",\"amount\":\"{amount}\",\
             \"source\":\"statement\",\"transaction_id\":\"{transaction}\"}}"
        );
        m.event("withdrawal", id, "paid_in_part", &payload);
        m.transaction_as(&transaction, "withdrawal", &pair(ASHA, BINOD, 20), Some(id));
    };
    let failed = |m: &mut Maker, id: &str, total: &str| {
        let transaction = m.fresh("txn_");
        let payload = format!("{{\"total\":\"{total}\",\"transaction_id\":\"{transaction}\"}}");
        m.event("withdrawal", id, "failed", &payload);
        m.transaction_as(&transaction, "withdrawal", &pair(BINOD, ASHA, 50), Some(id));
    };
    let mut past = sound_past();
    let (id, _) = begin(&mut past);
    paid(&mut past, &id, "0.20");
    failed(&mut past, &id, "0.50");
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
    lie("a part that is the whole", 4, WithdrawalDiffers, |m| {
        let (id, _) = begin(m);
        paid(m, &id, "0.70");
    });
    lie("more given back than is left", 7, WithdrawalDiffers, |m| {
        let (id, _) = begin(m);
        paid(m, &id, "0.20");
        failed(m, &id, "0.70");
    });
}

const BEGUN: &str = "{\"account\":\"wallet:asha:INR\",\"amount\":\"0.70\",\
                     \"bank\":\"hdfc\",\"expires_at\":\"2026-11-22T14:30:00Z\"}";

fn credited(m: &mut Maker, id: &str, transaction: &str) {
    let payload = format!(
        "{{\"number\":1,\"credit\":{{\"bank\":\"hdfc\",\"bank_transaction_id\":\"S1\",\
         \"value_date\":\"2026-11-22\",\"amount\":\"0.70\"}},\"source\":\"enquiry\",\
         \"transaction_id\":\"{transaction}\"}}"
    );
    m.event("deposit", id, "credited", &payload);
}

#[test]
fn deposits_that_are_none() {
    use Code::{
        DepositDiffers, DepositIncomplete, IdMalformed, PayloadUnreadable, SequenceDiffers,
    };
    let begin = |m: &mut Maker| {
        let (id, transaction) = (m.fresh("dep_"), m.fresh("txn_"));
        m.event("deposit", &id, "begun", BEGUN);
        credited(m, &id, &transaction);
        m.transaction_as(&transaction, "deposit", &pair(ASHA, BINOD, 70), Some(&id));
        (id, transaction)
    };
    let mut past = sound_past();
    begin(&mut past);
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");

    lie("no beginning", 0, DepositDiffers, |m| {
        let id = m.fresh("dep_");
        m.event("deposit", &id, "cancelled", "{}");
    });
    lie("two beginnings", 4, DepositDiffers, |m| {
        let (id, _) = begin(m);
        m.event("deposit", &id, "unsolicited", "{\"currency\":\"INR\",\"bank\":\"hdfc\"}");
    });
    lie("a gap", 4, SequenceDiffers, |m| {
        let (id, _) = begin(m);
        m.event("deposit", &id, "expired", "{}");
        let last = m.open.len() - 1;
        m.open[last].sequence += 1;
    });
    lie("without its transaction", 1, DepositIncomplete, |m| {
        let (id, transaction) = (m.fresh("dep_"), m.fresh("txn_"));
        m.event("deposit", &id, "begun", BEGUN);
        credited(m, &id, &transaction);
    });
    lie("without its cause", 2, DepositIncomplete, |m| {
        let (id, transaction) = (m.fresh("dep_"), m.fresh("txn_"));
        m.event("deposit", &id, "begun", BEGUN);
        credited(m, &id, &transaction);
        m.transaction_as(&transaction, "deposit", &pair(ASHA, BINOD, 70), None);
    });
    lie("not named", 0, DepositIncomplete, |m| {
        let id = m.fresh("dep_");
        m.transaction("deposit", &pair(ASHA, BINOD, 70), Some(&id));
    });
    lie("another object's", 2, DepositIncomplete, |m| {
        let (id, transaction, other) = (m.fresh("dep_"), m.fresh("txn_"), m.fresh("wd_"));
        m.event("deposit", &id, "begun", BEGUN);
        credited(m, &id, &transaction);
        m.transaction_as(&transaction, "deposit", &pair(ASHA, BINOD, 70), Some(&other));
    });
    lie("no transaction's id", 1, IdMalformed, |m| {
        let id = m.fresh("dep_");
        m.event("deposit", &id, "begun", BEGUN);
        credited(m, &id, "txn_7");
    });
    lie("a field too many", 4, PayloadUnreadable, |m| {
        let (id, _) = begin(m);
        m.event("deposit", &id, "cancelled", "{\"by\":\"ravi\"}");
    });
    lie("no deposit's id", 0, IdMalformed, |m| {
        m.event("deposit", "dep_7", "cancelled", "{}");
    });
}

#[test]
fn events_that_are_none() {
    use Code::{EventTypeUnknown, EventVersionUnknown, MetadataUnreadable, PayloadUnreadable};
    lie("a kind of stream", 0, EventTypeUnknown, |m| {
        m.event("purse", "p", "opened", "{}");
    });
    for kind in ["account", "hold", "reversal", "withdrawal", "deposit", "transfer", "book"] {
        lie(kind, 0, EventTypeUnknown, |m| {
            let id = match kind {
                "account" => m.accounts[FEES].id.clone(),
                "hold" => m.fresh("hold_"),
                "reversal" => m.fresh("txn_"),
                "withdrawal" => m.fresh("wd_"),
                "deposit" => m.fresh("dep_"),
                "transfer" => m.fresh("tr_"),
                _ => "main".to_owned(),
            };
            m.event(kind, &id, "melted", "{}");
        });
    }
    lie("a version", 1, EventVersionUnknown, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        m.open[1].event_version = "2.0".into();
    });
    lie("a field too many", 0, PayloadUnreadable, |m| {
        account_event(m, FEES, "closed", "{\"why\":\"x\"}");
    });
    lie("a field too few", 0, PayloadUnreadable, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 1, "\"kind\":\"transfer\",", "");
    });
    lie("a field twice", 0, PayloadUnreadable, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 1, "\"leg\":1,", "\"leg\":1,\"leg\":1,");
    });
    for metadata in ["[]", "{\"actor\":1}", "null", "7"] {
        lie(metadata, 0, MetadataUnreadable, |m| {
            post(m, &pair(ASHA, BINOD, 70));
            m.open[0].metadata = metadata.into();
        });
    }
    lie("metadata on a second leg", 1, MetadataUnreadable, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        m.open[1].metadata = m.open[0].metadata.clone();
    });
    lie("a gap in an account's stream", 0, Code::SequenceDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        m.open[0].sequence += 1;
    });
    lie("recorded before what came before", 0, Code::TimeFalls, |m| {
        m.now -= 60_000_000;
        post(m, &pair(ASHA, BINOD, 70));
    });
    lie("two moments in one append", 1, Code::BatchTimeDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        m.open[1].recorded_at += 1;
        m.now += 1;
    });
}
