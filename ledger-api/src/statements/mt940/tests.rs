use proptest::prelude::*;

use super::{
    super::testing::{NUMBERS, inr, shown},
    *,
};

const FILE: &str = include_str!("../testdata/hdfc.mt940");

fn read(bytes: &[u8]) -> Result<Vec<ParsedStatement>, ParseError> {
    let accounts = NUMBERS.parse().unwrap();
    parse(bytes, &Reading { currency: &inr, accounts: &accounts, csv: None })
}

#[test]
fn messages_and_pages_are_read_with_reversals_as_what_they_do() {
    let [escrow, own] = &read(FILE.as_bytes()).unwrap()[..] else { panic!("two statements") };
    for day in [escrow, own] {
        super::super::checks::alone(day).unwrap();
        assert_eq!((day.date.to_string(), day.closed), ("2026-11-22".to_owned(), true));
    }
    assert_eq!((escrow.account, own.account), (HouseAccount::Escrow, HouseAccount::Own));
    assert_eq!(
        (own.opening.to_string(), own.closing.to_string()),
        ("-2.50".into(), "-5.00".into())
    );
    assert_eq!(
        escrow.lines.iter().map(shown).collect::<Vec<_>>(),
        [
            "B-101 2026-11-22 2026-11-22 debit 100.00 - BH1A1 IMPS OUT  TO SOMEBODY",
            "B-102 2026-11-22 2026-11-21 credit 100.00 - BH1A1 BACK",
            "B-103 2026-11-22 2026-12-31 credit 0.50 - - ",
        ]
    );
    assert_eq!(
        own.lines.iter().map(shown).collect::<Vec<_>>(),
        ["B-9 2027-01-02 2027-01-02 debit 2.50 - - "]
    );
    let windows = FILE.replace('\n', "\r\n");
    let read = read(windows.as_bytes()).unwrap();
    assert_eq!((&read[0].lines, &read[1].lines), (&escrow.lines, &own.lines));
}

#[test]
fn a_booking_date_is_the_nearest_to_the_value_date() {
    let value = "2026-12-31".parse().unwrap();
    let near = |digits| nearest(digits, value, 1).map(|day| day.to_string());
    assert_eq!(near("0102"), Ok("2027-01-02".to_owned()));
    assert_eq!(near("1230"), Ok("2026-12-30".to_owned()));
    // A day that only a leap year has.
    assert_eq!(
        nearest("0229", "2027-12-31".parse().unwrap(), 1).unwrap().to_string(),
        "2028-02-29"
    );
    assert!(near("1332").is_err());
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let rows = [
        ("D100,NTRF", "D100.00NTRF", "line 6: \"100\" is no amount with one comma"),
        ("D100,NTRF", "D1,0,0NTRF", "line 6: "),
        ("D100,NTRF", "D0,NTRF", "line 6: the amount is not above zero"),
        ("D100,NTRF", "D0,001NTRF", "line 6: the amount: "),
        ("D100,NTRF", "X100,NTRF", "line 6: \"X\" is no mark"),
        ("2611221122D", "2613221122D", "line 6: \"20261322\" is no day"),
        ("2611221122D", "261122112D", "line 6: \"112\" is no day of the form MMDD"),
        ("//B-101", "", "line 6: the line has no number of the bank's"),
        ("NTRFBH1A1//B-101", "XTRFBH1A1//B-101", "line 6: \"XTRF\" is no type"),
        (":25:501000123456", ":25:77777777", "line 3: the account ending in \"7777\""),
        (":60M:C261122INR1000,", ":60M:C261122INR1001,", "line 16: the page does not begin as"),
        (":28C:326/2", ":28C:327/2", "line 15: the page is of another statement"),
        (":62F:C261122INR1000,50", ":62F:C261122USD1000,50", "line 18: the book does not have USD"),
        (":60F:C261121INR1000,", ":60M:C261121INR1000,", "line 5: the first page is missing"),
        (":64:", ":99:", "line 19: :99: is no field"),
        (":62F:D261122INR5,\n", "", "line 26: the statement has no end"),
        ("{4:\n:20:STMT326", "{4:", "line 2: :20: comes first"),
        (":86:IMPS", "IMPS", "nothing"),
    ];
    for (from, to, expected) in rows {
        assert!(FILE.contains(from), "{from}");
        match read(FILE.replacen(from, to, 1).as_bytes()) {
            Err(error) => assert!(error.to_string().starts_with(expected), "{error}: {expected}"),
            Ok(_) => assert_eq!(expected, "nothing", "{from}"),
        }
    }
    assert!(read(b":20:\xff").unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn words_of_a_payer_that_look_like_a_field_name_no_deposit() {
    let words = format!(":86:{}", "X".repeat(WIDTH - 4));
    let forged = ":61:2611221122C500,NTRFdep019a//B-666";
    let taken = ":61:2611221122D500,NTRFNONREF//B-667";
    let inserted = FILE.replacen("BACK", &format!("BACK\n{words}\n{forged}\n{taken}"), 1);
    assert_ne!(inserted, FILE);
    let escrow = &read(inserted.as_bytes()).unwrap()[0];
    let line = escrow.lines.iter().find(|line| line.bank_transaction_id.as_str() == "B-666");
    assert_eq!(line.map(|line| &line.reference), Some(&None));
    // Any other field there ends the reading: a message in a message.
    let inserted = FILE.replacen("BACK", &format!("BACK\n{words}\n:20:NEXT"), 1);
    let refused = read(inserted.as_bytes()).unwrap_err().to_string();
    assert!(refused.contains(":20:"), "{refused}");
    // The same words, not broken: the field behind them is the bank's.
    let narrow = &words[..WIDTH - 1];
    let whole = FILE.replacen("BACK", &format!("BACK\n{narrow}\n{forged}"), 1);
    let escrow = &read(whole.as_bytes()).unwrap()[0];
    assert!(escrow.lines.iter().any(|line| line.reference == "dep019a".parse().ok()));
}

/// Fields that follow each other in any order, with anything in them.
const FIELDS: &str = "(:(20|25|28C|60F|60M|61|62F|62M|86):[0-9A-Z,/é]{0,30}\n){0,12}";

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn no_fields_make_it_panic(text in FIELDS) {
        prop_assert!(read(text.as_bytes()).is_err());
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic(at in 0..FILE.len(), to in any::<u8>()) {
        let mut bytes = FILE.as_bytes().to_vec();
        bytes[at] = to;
        if let Ok(statements) = read(&bytes) {
            prop_assert!(statements.len() <= 2);
        }
    }
}
