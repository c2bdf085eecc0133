use ledger_core::bank_line::HouseAccount;
use proptest::prelude::*;

use super::{
    super::testing::{NUMBERS, inr, shown},
    *,
};

const BATCH: &str = include_str!("../testdata/hdfc-08.xml");
const PLAIN: &str = include_str!("../testdata/axis-02.xml");

fn read(text: &str) -> Result<Vec<ParsedStatement>, ParseError> {
    let accounts = NUMBERS.parse().unwrap();
    parse(text.as_bytes(), &Reading { currency: &inr, accounts: &accounts, csv: None })
}

fn why(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn batches_reversals_and_lumps_are_read_as_what_moved_the_account() {
    let [day] = &read(BATCH).unwrap()[..] else { panic!("one statement") };
    assert_eq!((day.account, day.date.to_string()), (HouseAccount::Escrow, "2026-11-22".into()));
    assert_eq!(
        (day.opening.to_string(), day.closing.to_string()),
        ("1000.00".into(), "1194.10".into())
    );
    assert!(day.closed);
    super::super::checks::alone(day).unwrap();
    let lines: Vec<_> = day.lines.iter().map(shown).collect();
    assert_eq!(
        lines,
        [
            "B-101 2026-11-22 2026-11-22 debit 100.00 HDFC26326001 BH1A1 ",
            // The bank gave it no number of its own.
            "B-100.2 2026-11-22 2026-11-22 debit 200.00 - BH2A1 IMPS OUT",
            "B-101 2026-11-22 2026-11-21 credit 100.00 - BH1A1 ",
            // 400.00 less what the bank kept: only the entry moved the account.
            "B-103 2026-11-22 2026-11-22 credit 394.10 - - GATEWAY LUMP",
        ]
    );
}

#[test]
fn the_old_version_is_read_with_a_balance_below_zero() {
    let [day] = &read(PLAIN).unwrap()[..] else { panic!("one statement") };
    assert_eq!(
        (day.account, day.opening, day.closing.to_string()),
        (HouseAccount::Own, Decimal::ZERO, "-2.50".to_owned())
    );
    super::super::checks::alone(day).unwrap();
    assert_eq!(
        day.lines.iter().map(shown).collect::<Vec<_>>(),
        ["N1 2026-11-22 2026-11-22 debit 2.50 - - CHG & FEES"]
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let broken = |from: &str, to: &str| {
        assert!(BATCH.contains(from), "{from}");
        why(&BATCH.replace(from, to))
    };
    assert!(broken(">394.10<", ">394.101<").starts_with("line 32: the entry: "));
    assert!(broken(">394.10<", ">-394.10<").starts_with("line 32: "));
    assert!(broken(">394.10<", ">0.00<").contains("not above zero"));
    assert!(broken("5010 0012 3456", "77777777").contains("\"7777\" is none of ours"));
    assert!(broken("CLBD", "ITBD").contains("there is no balance CLBD"));
    assert!(broken("<AcctSvcrRef>B-103</AcctSvcrRef>", "").contains("no number of the bank's"));
    assert!(broken("Ccy=\"INR\">394.10", "Ccy=\"USD\">394.10").contains("another currency"));
    assert!(broken("camt.053.001.08", "camt.052.001.08").contains("no camt.053"));
    assert!(broken("2026-11-22T23", "2026-13-22T23").contains("no day of the form"));
    assert!(broken("PDNG", "GONE").contains("its status is none"));
}

#[test]
fn entities_and_deep_documents_are_refused() {
    let dtd = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><d>&b;</d>";
    assert!(why(dtd).starts_with("line 1: "), "{}", why(dtd));
    let outside = "<!DOCTYPE d [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><d>&a;</d>";
    assert!(read(outside).is_err());
    assert!(why("<d>&nbsp;</d>").contains("entity"), "{}", why("<d>&nbsp;</d>"));
    assert!(read(&"<a>".repeat(200_000)).is_err());
    let closed = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(why(&closed).contains("no camt.053"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let accounts = NUMBERS.parse().unwrap();
        let reading = Reading { currency: &inr, accounts: &accounts, csv: None };
        prop_assert!(parse(&bytes, &reading).is_err());
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic(at in 0..BATCH.len(), to in any::<u8>()) {
        let accounts = NUMBERS.parse().unwrap();
        let mut bytes = BATCH.as_bytes().to_vec();
        bytes[at] = to;
        let reading = Reading { currency: &inr, accounts: &accounts, csv: None };
        if let Ok(statements) = parse(&bytes, &reading) {
            prop_assert_eq!(statements.len(), 1);
        }
    }
}

/// An entry of 394.10 with two transactions of 400.00 and these charges.
fn lump(of_entry: &str, of_transaction: &str) -> Option<(String, String)> {
    let text = BATCH.replace(
        "<NtryDtls>\n     <TxDtls><Refs><EndToEndId>dep1",
        &format!("{of_entry}<NtryDtls>\n     <TxDtls><Refs><EndToEndId>dep1"),
    );
    let text =
        text.replace("300.00</Amt></TxDtls>", &format!("300.00</Amt>{of_transaction}</TxDtls>"));
    let days = read(&text).unwrap();
    let line = days[0].lines.last().unwrap();
    assert_eq!((line.amount.to_string(), &line.reference), ("394.10".to_owned(), &None));
    let lump = line.lump.as_ref()?;
    let names: Vec<_> = lump.credits.iter().map(|credit| credit.reference.clone()).collect();
    assert_eq!(names, ["dep1", "dep2"].map(|name| name.parse().ok()));
    Some((lump.charges.to_string(), lump.tax.to_string()))
}

#[test]
fn a_lump_net_of_charges_has_its_parts_if_they_come_to_it() {
    let charge = |name: &str, amount: &str, tax: &str| {
        let tax = if tax.is_empty() {
            String::new()
        } else {
            format!("<Tax><Amt Ccy=\"INR\">{tax}</Amt></Tax>")
        };
        format!("<{name}><Amt Ccy=\"INR\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>{tax}</{name}>")
    };
    let of = |record: String| format!("<Chrgs>{record}</Chrgs>");
    let five = Some(("5.00".to_owned(), "0.90".to_owned()));
    assert_eq!(lump("", ""), None);
    assert_eq!(lump(&charge("Chrgs", "5.00", "0.90"), ""), five);
    // The tax within the charge.
    assert_eq!(lump(&of(charge("Rcrd", "5.90", "0.90")), ""), five);
    assert_eq!(lump("", &of(charge("Rcrd", "5.00", "0.90"))), five);
    let two = of(charge("Rcrd", "5.00", "") + &charge("Rcrd", "0.90", ""));
    assert_eq!(lump(&two, ""), Some(("5.90".to_owned(), "0".to_owned())));
    // A paisa too little, another currency, and what is given back.
    assert_eq!(lump(&charge("Chrgs", "5.00", "0.89"), ""), None);
    let other = charge("Chrgs", "5.00", "0.90").replacen("INR", "USD", 1);
    assert_eq!(lump(&other, ""), None);
    assert_eq!(lump(&charge("Chrgs", "5.00", "0.90").replace("DBIT", "CRDT"), ""), None);
}

#[test]
fn one_transaction_net_of_charges_is_a_lump_of_one() {
    let second = BATCH.find("     <TxDtls><Refs><EndToEndId>dep2").unwrap();
    let end = second + BATCH[second..].find('\n').unwrap();
    let text = format!("{}{}", &BATCH[..second], &BATCH[end + 1..])
        .replace("394.10", "299.00")
        .replace("1194.10", "1099.00")
        .replace(
            "300.00</Amt></TxDtls>",
            "300.00</Amt><Chrgs><Amt Ccy=\"INR\">1.00</Amt></Chrgs></TxDtls>",
        );
    let days = read(&text).unwrap();
    let line = days[0].lines.last().unwrap();
    assert_eq!((line.bank_transaction_id.as_str(), &line.reference), ("B-103", &None));
    let lump = line.lump.clone().unwrap();
    assert_eq!((lump.charges.to_string(), lump.credits.len()), ("1.00".to_owned(), 1));
}
