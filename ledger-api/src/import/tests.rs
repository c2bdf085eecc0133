//! Files that are taken, and what is said of those that are not.

use ledger_core::{
    book::{BookEvent, Opened},
    money::Currency,
};

use super::*;

fn book() -> Book {
    use cqrs_es::Aggregate as _;
    let mut book = Book::default();
    book.apply(BookEvent::Opened(Opened { time_zone: chrono_tz::Tz::Asia__Kolkata }));
    for (code, scale) in [("INR", 2), ("JPY", 0)] {
        book.apply(BookEvent::CurrencyAdded(Currency { code: code.parse().unwrap(), scale }));
    }
    book
}

fn checked(text: &str, format: Format) -> Result<Checked, Vec<Fault>> {
    check(&read(text, format)?, &book())
}

fn fault(text: &str, format: Format) -> String {
    checked(text, format).unwrap_err()[0].to_string()
}

const GOOD: &str = "account,currency,balance,owner,item\n\
    bank:hdfc:escrow,INR,150.00,,\n\
    wallet:asha,INR,100.00,p_1,\n\
    \"wallet:ravi\",INR,20.5,p_2,\n\
    suspense:credits,INR,29.50,,old-17\n";

#[test]
fn a_file_is_taken_with_every_row_on_its_side() {
    let checked = checked(GOOD, Format::Csv).unwrap();
    let told: Vec<_> = checked
        .rows
        .iter()
        .map(|row| format!("{} {:?} {}", row.account, row.side.unwrap(), row.amount.amount()))
        .collect();
    let expected = [
        "bank:hdfc:escrow:INR Debit 150.00",
        "wallet:asha:INR Credit 100.00",
        "wallet:ravi:INR Credit 20.50",
        "suspense:credits:INR Credit 29.50",
    ];
    assert_eq!(told, expected);
    assert_eq!(checked.sums["INR"].to_string(), "150.00");
    let ndjson = "{\"account\":\"bank:hdfc:escrow\",\"currency\":\"JPY\",\"balance\":\"7\"}\n\
        {\"account\":\"float\",\"currency\":\"JPY\",\"balance\":\"-7\",\"owner\":\"x\",\
         \"type\":\"asset\"}\n";
    let checked = super::tests::checked(ndjson, Format::Ndjson).unwrap();
    assert_eq!(checked.rows[1].side, Some(Direction::Credit));
}

#[test]
fn what_does_not_end_at_zero_is_refused() {
    let short = GOOD.replace("150.00", "149.99");
    assert_eq!(
        fault(&short, Format::Csv),
        "line 0: debits of 149.99 and credits of 150.00 INR: migration:opening would be left with \
         -0.01"
    );
}

#[test]
fn every_fault_is_told_with_its_line() {
    let rows = [
        ("wallet:asha,INR,1.00,", "line 2: the column owner is needed"),
        ("wallet:asha,XTS,1.00,p", "line 2: the book has no currency \"XTS\""),
        ("wallet:asha,INR,-1.00,p", "line 2: wallet:asha may not be below zero"),
        ("wallet:asha,INR,1.001,p", "line 2: \"1.001\":"),
        ("wallet:asha,INR,,p", "line 2: balance is empty"),
        ("wallet:asha,INR,1.00", "line 2: 3 cells where the header has 4"),
        ("bank:hdfc:teapot,INR,1.00,p", "line 2: the chart of accounts has no"),
        ("till:7,INR,1.00,p", "line 2: the column type is needed"),
        ("migration:opening,INR,1.00,p", "line 2: migration:opening is what"),
        ("suspense:credits,INR,1.00,p", "line 2: suspense:credits is kept by item"),
        ("Wallet,INR,1.00,p", "line 2: \"Wallet\":"),
        ("\"wallet:asha,INR,1.00,p", "line 2: a quoted cell has no end"),
    ];
    for (row, expected) in rows {
        let told = fault(&format!("account,currency,balance,owner\n{row}\n"), Format::Csv);
        assert!(told.starts_with(expected), "{row}: {told}");
    }
    let twice = "account,currency,balance,owner\nwallet:a,INR,1,p\nwallet:a,INR,2,p\n";
    assert_eq!(fault(twice, Format::Csv), "line 3: wallet:a:INR stands twice");
    for (header, expected) in [
        ("", "line 1: the file is empty"),
        ("account,balance\n", "line 1: column \"currency\" is missing"),
        ("account,colour\n", "line 1: column \"colour\" is none of"),
        ("account,account\n", "line 1: column \"account\" stands twice"),
        ("account,currency,balance\n", "line 0: the file has no rows"),
    ] {
        assert!(fault(header, Format::Csv).starts_with(expected), "{header}");
    }
    assert!(fault("{\"account\":1}\n", Format::Ndjson).starts_with("line 1: "));
}
