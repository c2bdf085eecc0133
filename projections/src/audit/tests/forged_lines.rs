//! Lies with sound hashes about lines of banks' statements: only they move what the banks have.

use super::{
    Code, check,
    lies::{ASHA, BINOD, CLEARING, edit, lie, pair, sound_past},
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
    let made = confirmed_as(m, Some(LINE), "S1");
    m.append();
    made
}

/// The same, with the line that is expected for it, if any is, and the bank's number.
fn confirmed_as(m: &mut Maker, line: Option<&str>, number: &str) -> (String, String) {
    let (deposit, transaction) = (m.fresh("dep_"), m.fresh("txn_"));
    let item = format!("{deposit}.1");
    let begun = "{\"currency\":\"INR\",\"bank\":\"hdfc\",\"account\":\"wallet:asha:INR\"}";
    m.event("deposit", &deposit, "unsolicited", begun);
    let credited = format!(
        "{{\"number\":1,\"credit\":{{\"bank\":\"hdfc\",\"bank_transaction_id\":\"{number}\",\
         \"value_date\":\"2026-11-22\",\"amount\":\"0.70\"}},\"source\":\"enquiry\",\
         \"transaction_id\":\"{transaction}\"}}"
    );
    m.event("deposit", &deposit, "credited", &credited);
    let arrived = [leg(CLEARING, true, 70, Some(item.clone())), leg(ASHA, false, 70, None)];
    m.transaction_as(&transaction, "deposit", &arrived, Some(&deposit));
    if let Some(line) = line {
        m.event("bank_line", line, "expected", &format!("{{\"item\":\"{item}\"}}"));
    }
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
    lie("booked twice", AFTER + 4, BankLineDiffers, |m| {
        let (deposit, item) = confirmed(m);
        let (first, second) = (m.fresh("txn_"), m.fresh("txn_"));
        settled(m, &deposit, &first);
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

/// Two deposits of 0.70, a line that is the lump of both less 0.05, and what moves.
struct Lumped {
    transaction: String,
    deposits: [String; 2],
    amounts: [i128; 2],
    parts: [i128; 2],
}

impl Lumped {
    /// Two deposits that an enquiry has booked.
    fn of(m: &mut Maker) -> Self {
        let deposits = ["S1", "S2"].map(|number| {
            let (deposit, item) = confirmed_as(m, None, number);
            assert_eq!(item, format!("{deposit}.1"));
            deposit
        });
        m.append();
        let transaction = m.fresh("txn_");
        Self { transaction, deposits, amounts: [70, 70], parts: [70, 70] }
    }

    fn items(&self) -> [String; 2] {
        self.deposits.clone().map(|deposit| format!("{deposit}.1"))
    }

    fn parts(&self) -> String {
        let named = self.items().into_iter().zip(self.parts).map(|(item, amount)| {
            format!("{{\"purpose\":\"arrival\",\"item\":\"{item}\",\"amount\":\"0.{amount}\"}},")
        });
        format!("{}{{\"purpose\":\"charges\",\"amount\":\"0.05\"}}", named.collect::<String>())
    }

    /// The line, without the deposits' word.
    fn book(&self, m: &mut Maker) {
        let payload = format!(
            "{{\"bank\":\"hdfc\",\"account\":\"escrow\",\"direction\":\"credit\",\
             \"booking_date\":\"2026-11-22\",\"value_date\":\"2026-11-22\",\
             \"bank_transaction_id\":\"L1\",\"currency\":\"INR\",\"amount\":\"1.35\",\
             \"parts\":[{}],\"transaction_id\":\"{}\"}}",
            self.parts(),
            self.transaction
        );
        m.event("bank_line", LINE, "booked", &payload);
        self.moves(m, ESCROW, None, LINE);
    }

    /// What it moves: from where, and by whom.
    fn moves(&self, m: &mut Maker, from: usize, item: Option<String>, cause: &str) {
        let [first, second] = self.items().map(Some);
        let legs = [
            leg(from, true, 135, item),
            leg(CLEARING, false, self.amounts[0], first),
            leg(CLEARING, false, self.amounts[1], second),
            leg(BINOD, true, 5, None),
        ];
        m.transaction_as(&self.transaction, "bank_line", &legs, Some(cause));
    }

    /// The deposits' word.
    fn settle(&self, m: &mut Maker) {
        for deposit in &self.deposits {
            settled(m, deposit, &self.transaction);
        }
    }
}

#[test]
fn a_line_that_is_the_lump_of_several_deposits_is_sound() {
    let mut past = sound_past();
    let lump = Lumped::of(&mut past);
    lump.settle(&mut past);
    lump.book(&mut past);
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
}

#[test]
fn of_a_lump_all_deposits_are_settled_whole_or_none() {
    use Code::{BankLineDiffers, BankLineIncomplete, DepositDiffers, DepositIncomplete};
    // Two deposits with their four events each.
    const AFTER: i64 = 8;
    lie("one deposit does not say so", AFTER + 4, DepositIncomplete, |m| {
        let lump = Lumped::of(m);
        settled(m, &lump.deposits[0], &lump.transaction);
        lump.book(m);
    });
    lie("a credit that it has not says so", AFTER, DepositIncomplete, |m| {
        let lump = Lumped::of(m);
        let second = format!("{{\"number\":2,\"transaction_id\":\"{}\"}}", lump.transaction);
        m.event("deposit", &lump.deposits[0], "settled", &second);
        lump.settle(m);
        lump.book(m);
    });
    lie("one gives what another gets", AFTER + 4, DepositDiffers, |m| {
        let lump = Lumped { amounts: [60, 80], parts: [60, 80], ..Lumped::of(m) };
        lump.settle(m);
        lump.book(m);
    });
    lie("the line names another amount", AFTER + 4, BankLineDiffers, |m| {
        let lump = Lumped { parts: [60, 80], ..Lumped::of(m) };
        lump.settle(m);
        lump.book(m);
    });
    lie("a part that nothing settles", AFTER + 2, BankLineIncomplete, |m| {
        let lump = Lumped::of(m);
        lump.settle(m);
        lump.book(m);
        let named = lump.items()[1].replace(".1", ".2");
        let part = format!("{{\"purpose\":\"arrival\",\"item\":\"{named}\",\"amount\":\"0.70\"}},");
        edit(m, 4, "{\"purpose\":\"charges\"", &format!("{part}{{\"purpose\":\"charges\""));
    });
}

/// A credit that was the lump of others, by two persons' word: without a line of its own.
#[test]
fn a_lump_that_is_divided_settles_its_deposits_as_a_line_does() {
    let divided = |m: &mut Maker, word: bool, all: bool| {
        let lump = Lumped::of(m);
        let from = m.fresh("dep_");
        m.event("deposit", &from, "unsolicited", "{\"currency\":\"INR\",\"bank\":\"hdfc\"}");
        let payload = format!(
            "{{\"number\":1,\"parts\":[{}],\"transaction_id\":\"{}\"}}",
            lump.parts(),
            lump.transaction
        );
        if word {
            m.event("deposit", &from, "divided", &payload);
        }
        settled(m, &lump.deposits[0], &lump.transaction);
        if all {
            settled(m, &lump.deposits[1], &lump.transaction);
        }
        lump.moves(m, ASHA, None, &from);
    };
    let mut past = sound_past();
    divided(&mut past, true, true);
    past.append();
    let report = check(&past.finish().text());
    assert!(report.verified, "{report}");
    lie("one deposit does not say so", 8 + 5, Code::DepositIncomplete, |m| divided(m, true, false));
    lie("by nobody's word", 8 + 3, Code::DepositIncomplete, |m| divided(m, false, true));
}
