//! Lies with sound hashes: whoever holds the code and the database can seal anything. What he
//! writes must then still make sense, and here it does not. Each lie is told after the same sound
//! past, and is found at the event that tells it.

use super::{
    Code, check,
    lies::{
        ASHA, BINOD, CHITRA, CLEARING, ESCROW, FEES, USDT_ASHA, YEN_ASHA, account_event, edit, lie,
        pair, place, post, sound_past,
    },
    maker::{decimal, leg},
};

#[test]
fn the_past_of_all_lies_is_sound() {
    let report = check(&sound_past().finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn case_159_transactions_that_do_not_balance() {
    use Code::TransactionUnbalanced;
    lie("one side is more", 0, TransactionUnbalanced, |m| {
        post(m, &[leg(ASHA, true, 70, None), leg(BINOD, false, 71, None)]);
    });
    lie("one leg", 0, TransactionUnbalanced, |m| {
        post(m, &[leg(BINOD, false, 71, None)]);
    });
    lie("across currencies", 0, TransactionUnbalanced, |m| {
        post(m, &pair(ASHA, YEN_ASHA, 70));
    });
    lie("in one currency of two", 0, TransactionUnbalanced, |m| {
        let mut legs = pair(ASHA, BINOD, 70).to_vec();
        legs.extend([leg(13, true, 9, None), leg(USDT_ASHA, false, 10, None)]);
        post(m, &legs);
    });
}

#[test]
fn i15_amounts_that_are_none() {
    for amount in ["0.00", "-0.70", "0.7", "0.700", "7e-1", "+0.70", "00.70", "", "NaN"] {
        lie(amount, 1, Code::AmountMalformed, |m| {
            post(m, &pair(ASHA, BINOD, 70));
            edit(m, 0, "\"amount\":\"0.70\"", &format!("\"amount\":\"{amount}\""));
        });
    }
    lie("a number", 1, Code::PayloadUnreadable, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 0, "\"amount\":\"0.70\"", "\"amount\":0.70");
    });
}

#[test]
fn legs_that_do_not_belong_together() {
    use Code::{LegDiffers, LegOutOfPlace, TransactionIncomplete, TransactionRepeated};
    lie("a leg is missing", 1, TransactionIncomplete, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        m.open.pop();
    });
    lie("the first leg is missing", 0, LegOutOfPlace, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        m.open.remove(0);
    });
    lie("legs in the wrong order", 0, LegOutOfPlace, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        m.open.swap(0, 1);
        for row in &mut m.open {
            row.metadata = "{}".into();
        }
    });
    lie("something in between", 1, TransactionIncomplete, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        account_event(m, FEES, "limits_changed", "{\"floor\":null,\"ceiling\":null}");
        m.open.swap(1, 2);
    });
    lie("another transaction in between", 1, TransactionIncomplete, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        post(m, &pair(CHITRA, FEES, 70));
        m.open.swap(1, 2);
    });
    lie("a leg in the next append", 1, TransactionIncomplete, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        let last = m.open.pop().unwrap();
        let now = m.now;
        m.append();
        m.now = now;
        m.open.push(last);
    });
    lie("another number of legs", 1, LegDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 0, "\"legs\":2", "\"legs\":3");
    });
    lie("another kind", 1, LegDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 0, "\"kind\":\"transfer\"", "\"kind\":\"gift\"");
    });
    lie("another day", 1, LegDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 0, "2026-11-22", "2026-11-23");
    });
    lie("no day", 0, Code::PayloadUnreadable, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 1, "2026-11-22", "2026-11-31");
        edit(m, 0, "2026-11-22", "2026-11-31");
    });
    lie("no bank's day", 0, Code::PayloadUnreadable, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 1, "\"effective_on\"", "\"value_date\":\"today\",\"effective_on\"");
    });
    lie("an id that was there", 0, TransactionRepeated, |m| {
        let id = m.reversible[0].0.clone();
        m.transaction_as(&id, "transfer", &pair(ASHA, BINOD, 70), None);
    });
    lie("no id", 0, Code::IdMalformed, |m| {
        m.transaction_as("txn_7", "transfer", &pair(ASHA, BINOD, 70), None);
    });
    lie("both sides", 1, Code::AccountOnBothSides, |m| {
        post(m, &pair(ASHA, ASHA, 70));
    });
}

#[test]
fn balances_that_are_not_what_the_events_come_to() {
    lie("balance", 1, Code::BalanceDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        let stated = format!("\"balance_after\":\"{}\"", decimal(m.balance(BINOD), 2));
        let other = format!("\"balance_after\":\"{}\"", decimal(m.balance(BINOD) + 1, 2));
        edit(m, 0, &stated, &other);
    });
    lie("held, where nothing is", 0, Code::HeldDiffers, |m| {
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 1, "\"effective_on\"", "\"held_after\":\"0.01\",\"effective_on\"");
    });
    lie("nothing held, where something is", 2, Code::HeldDiffers, |m| {
        place(m, ASHA, 30);
        post(m, &pair(ASHA, BINOD, 70));
        edit(m, 1, ",\"held_after\":\"0.30\"", "");
    });
    lie("balance at a hold", 1, Code::BalanceDiffers, |m| {
        place(m, ASHA, 30);
        let stated = format!("\"balance_after\":\"{}\"", decimal(m.balance(ASHA), 2));
        edit(m, 0, &stated, "\"balance_after\":\"1.00\"");
    });
}

#[test]
fn i2_limits_freezes_and_the_end_of_an_account() {
    use Code::{AboveCeiling, AccountClosed, BelowFloor, FrozenMoved};
    let floor = "{\"floor\":\"9000000.00\",\"ceiling\":null}";
    let ceiling = "{\"floor\":\"0.00\",\"ceiling\":\"1.00\"}";
    lie("more than there is", 0, BelowFloor, |m| {
        let all = m.balance(ASHA);
        post(m, &pair(ASHA, BINOD, all + 1));
    });
    lie("what a hold reserves", 2, BelowFloor, |m| {
        let all = m.balance(ASHA);
        place(m, ASHA, 1);
        post(m, &pair(ASHA, BINOD, all));
    });
    lie("what a lien keeps", 1, BelowFloor, |m| {
        let all = m.balance(ASHA);
        let lien = "{\"reference\":\"o\",\"mode\":\"lien\",\"amount\":\"0.01\"}";
        account_event(m, ASHA, "frozen", lien);
        post(m, &pair(ASHA, BINOD, all));
    });
    lie("a hold of more than there is", 1, BelowFloor, |m| {
        let all = m.balance(ASHA);
        place(m, ASHA, all + 1);
    });
    lie("below a raised floor", 1, BelowFloor, |m| {
        account_event(m, ASHA, "limits_changed", floor);
        post(m, &pair(ASHA, BINOD, 1));
    });
    lie("above a lowered ceiling", 2, AboveCeiling, |m| {
        account_event(m, BINOD, "limits_changed", ceiling);
        post(m, &pair(ASHA, BINOD, 1));
    });
    for (mode, offset) in [("debit", 1), ("both", 1)] {
        lie(mode, offset, FrozenMoved, |m| {
            let freeze = format!("{{\"reference\":\"o\",\"mode\":\"{mode}\"}}");
            account_event(m, ASHA, "frozen", &freeze);
            post(m, &pair(ASHA, BINOD, 1));
        });
    }
    lie("credit", 2, FrozenMoved, |m| {
        account_event(m, BINOD, "frozen", "{\"reference\":\"o\",\"mode\":\"credit\"}");
        post(m, &pair(ASHA, BINOD, 1));
    });
    lie("a freeze twice", 1, Code::FreezeDiffers, |m| {
        for _ in 0..2 {
            account_event(m, FEES, "frozen", "{\"reference\":\"o\",\"mode\":\"both\"}");
        }
    });
    lie("a lien of nothing", 0, Code::FreezeDiffers, |m| {
        account_event(m, FEES, "frozen", "{\"reference\":\"o\",\"mode\":\"lien\"}");
    });
    lie("no freeze to lift", 0, Code::FreezeUnknown, |m| {
        account_event(m, FEES, "unfrozen", "{\"reference\":\"o\"}");
    });
    lie("closed with money", 0, Code::ClosedNotEmpty, |m| {
        account_event(m, ASHA, "closed", "{}");
    });
    lie("alive after its end", 2, AccountClosed, |m| {
        m.open_account("wallet:late", "INR", 2, "liability", false, Some(0));
        account_event(m, m.accounts.len() - 1, "closed", "{}");
        let freeze = "{\"reference\":\"o\",\"mode\":\"both\"}";
        account_event(m, m.accounts.len() - 1, "frozen", freeze);
    });
}

#[test]
fn a_limit_below_the_balance_alone_is_no_lie() {
    let mut maker = sound_past();
    let floor = "{\"floor\":\"9000000.00\",\"ceiling\":\"1.00\"}";
    account_event(&mut maker, ASHA, "limits_changed", floor);
    account_event(&mut maker, BINOD, "limits_changed", "{\"floor\":null,\"ceiling\":\"1.00\"}");
    post(&mut maker, &pair(BINOD, FEES, 1));
    maker.append();
    let report = check(&maker.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn items_of_itemised_accounts() {
    let mut maker = sound_past();
    post(&mut maker, &pair(CLEARING, BINOD, 1));
    maker.append();
    let report = check(&maker.finish().text());
    let account = Some("account bank:hdfc:clearing_in:INR");
    let items = |f: &&super::super::Finding| f.code == Code::ItemsDiffer;
    let found = report.findings.iter().find(items).expect("open items that lack one");
    assert_eq!(found.stream.as_deref(), account);
    lie("no item", 0, Code::ItemDiffers, |m| {
        post(m, &pair(CLEARING, BINOD, 1));
    });
    lie("an item elsewhere", 1, Code::ItemDiffers, |m| {
        let item = Some("dep_1".to_owned());
        let legs = [leg(CLEARING, true, 1, item.clone()), leg(BINOD, false, 1, item)];
        post(m, &legs);
    });
    lie("closed with open items that come to zero", 5, Code::ClosedNotEmpty, |m| {
        m.open_account("bank:new:clearing_in", "INR", 2, "asset", true, None);
        let new = m.accounts.len() - 1;
        let item = |name: &str| Some(name.to_owned());
        post(m, &[leg(ESCROW, true, 1, None), leg(new, false, 1, item("a"))]);
        post(m, &[leg(new, true, 1, item("b")), leg(ESCROW, false, 1, None)]);
        account_event(m, new, "closed", "{}");
    });
}
