use proptest::prelude::*;

use super::{
    super::testing::{inr, shown},
    *,
};

const FILE: &str = include_str!("../testdata/hdfc.csv");
const MAPPING: &str = "account=escrow; currency=INR; id=Txn Id; date=Date; value_date=Value Date;
    format=%d/%m/%Y; debit=Withdrawal; credit=Deposit; balance=Balance; thousands=comma;
    narration=Narration; reference=Ref";
const SIGNED: &str = include_str!("../testdata/axis.csv");
const SIGNED_MAPPING: &str = "account=own;currency=INR;id=Id;date=Day;format=%Y-%m-%d;\
    amount=Amount;balance=Balance;separator=semicolon;decimal=comma;thousands=point;\
    last_day=closed";

fn read(bytes: &[u8], mapping: &str) -> Result<Vec<ParsedStatement>, ParseError> {
    let (accounts, mapping) = (super::super::OurNumbers::default(), mapping.parse().unwrap());
    parse(bytes, &Reading { currency: &inr, accounts: &accounts, csv: Some(&mapping) })
}

#[test]
fn debit_and_credit_columns_are_read_with_the_days_between() {
    let days = read(FILE.as_bytes(), MAPPING).unwrap();
    let shape: Vec<_> = days
        .iter()
        .map(|day| format!("{} {} {} {}", day.date, day.opening, day.closing, day.closed))
        .collect();
    assert_eq!(
        shape,
        [
            "2026-11-21 0.00 -1000.00 true",
            "2026-11-22 -1000.00 500.50 true",
            "2026-11-23 500.50 500.50 true",
            "2026-11-24 500.50 500.50 true",
            // It may go on in the next file.
            "2026-11-25 500.50 501.00 false",
        ]
    );
    let lines: Vec<_> = days.iter().flat_map(|day| &day.lines).map(shown).collect();
    assert_eq!(
        lines,
        [
            "B-1 2026-11-21 2026-11-21 debit 1000.00 - BH1A1 IMPS OUT, \"BH1A1\"",
            "B-2 2026-11-22 2026-11-21 credit 1500.50 - - TWO LINES",
            "B-3 2026-11-25 2026-11-25 credit 0.50 - - INT",
        ]
    );
    for day in &days {
        super::super::checks::alone(day).unwrap();
    }
}

#[test]
fn one_signed_column_is_read_with_the_signs_of_the_bank() {
    let [day] = &read(SIGNED.as_bytes(), SIGNED_MAPPING).unwrap()[..] else { panic!("one day") };
    assert!(day.closed);
    let lines: Vec<_> = day.lines.iter().map(shown).collect();
    assert_eq!(
        lines,
        [
            "B-1 2026-11-22 2026-11-22 credit 1000.50 - - ",
            "B-2 2026-11-22 2026-11-22 debit 0.50 - - "
        ]
    );
    assert_eq!(
        (day.opening.to_string(), day.closing.to_string()),
        ("0.00".into(), "1000.00".into())
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let rows = [
        ("Txn Id", "Id", "line 1: there are 0 columns \"Txn Id\""),
        ("Narration,Ref", "Ref,Ref", "line 1: there are 0 columns \"Narration\""),
        ("21/11/2026,21", "11/21/2026,21", "line 2: \"11/21/2026\" is no day"),
        ("25/11/2026,25", "20/11/2026,25", "line 6: the row is of an earlier day"),
        (",501.00", ",502.00", "line 6: the balance does not follow"),
        ("0.00,0.50", "0.10,0.50", "line 6: the row is debit and credit"),
        ("0.00,0.50", "0.00,0.00", "line 6: the amount is zero"),
        ("0.00,0.50", ",", "line 6: the row has no amount"),
        ("0.00,0.50", "0.00,0.501", "line 6: the amount: "),
        ("0.00,0.50", "0.00,1e3", "line 6: the amount: "),
        ("0.00,0.50", "0.50", "line 6: the row has 7 cells"),
        ("B-3", "", "line 6: the line has no number of the bank's"),
        ("\"TWO", "TWO", "line 4: a quote stands within"),
        ("LINES\"", "LINES", "line 3: a quoted cell has no end"),
        (",INT,", ",I\"NT,", "line 6: a quote stands within"),
    ];
    for (from, to, expected) in rows {
        assert!(FILE.contains(from), "{from}");
        let error = read(FILE.replacen(from, to, 1).as_bytes(), MAPPING).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}: {expected}");
    }
    assert_eq!(read(b"", MAPPING).unwrap_err().to_string(), "line 1: the file is empty");
    let header = FILE.lines().next().unwrap();
    assert!(read(header.as_bytes(), MAPPING).unwrap_err().to_string().contains("no balance"));
}

#[test]
fn mappings_that_are_none_are_refused() {
    for (from, to) in [
        ("account=own;", ""),
        ("account=own", "account=till"),
        ("amount=Amount;", ""),
        ("amount=Amount", "amount=Amount;debit=D"),
        ("currency=INR", "currency=rupees"),
        ("separator=semicolon", "separator=x"),
        ("last_day=closed", "last_day=maybe"),
        ("thousands=point", "thousands=comma"),
        ("id=Id", "id=Id;id=Id"),
        ("id=Id", "number=Id"),
    ] {
        assert!(SIGNED_MAPPING.contains(from), "{from}");
        assert!(SIGNED_MAPPING.replacen(from, to, 1).parse::<CsvMapping>().is_err(), "{to}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes, MAPPING).is_err());
    }

    #[test]
    fn no_mapping_makes_it_panic(text in ".{0,60}") {
        prop_assert!(text.parse::<CsvMapping>().is_err());
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic(at in 0..FILE.len(), to in any::<u8>()) {
        let mut bytes = FILE.as_bytes().to_vec();
        bytes[at] = to;
        if let Ok(days) = read(&bytes, MAPPING) {
            prop_assert!(days.len() <= 400);
        }
    }
}
