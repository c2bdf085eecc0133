//! The JSON of docs/banks.md. Fields that are not known are passed over, as in every answer of a
//! bank; those that are known must be right.

use chrono::NaiveDate;
use ledger_core::{
    bank_line::{HouseAccount, LineDirection},
    money::{Currency, CurrencyCode, Money},
};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{
    LINES_MAX, Lump, LumpCredit, ParseError, ParsedLine, ParsedStatement, reading::narration,
    sha256,
};

#[derive(Deserialize)]
struct Statement {
    account: HouseAccount,
    date: NaiveDate,
    closed: bool,
    opening: Amount,
    closing: Amount,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Amount {
    value: String,
    currency: CurrencyCode,
}

#[derive(Deserialize)]
struct Line {
    bank_transaction_id: String,
    booking_date: NaiveDate,
    value_date: NaiveDate,
    direction: LineDirection,
    amount: Amount,
    #[serde(default)]
    utr: Option<String>,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    narration: String,
    #[serde(default)]
    lump: Option<RawLump>,
}

#[derive(Deserialize)]
struct RawLump {
    #[serde(default)]
    charges: Option<Amount>,
    #[serde(default)]
    tax: Option<Amount>,
    credits: Vec<RawCredit>,
}

#[derive(Deserialize)]
struct RawCredit {
    amount: Amount,
    #[serde(default)]
    bank_transaction_id: Option<String>,
    #[serde(default)]
    utr: Option<String>,
    #[serde(default)]
    reference: Option<String>,
}

pub(super) fn parse(
    bytes: &[u8],
    currency: &dyn Fn(CurrencyCode) -> Option<Currency>,
) -> Result<ParsedStatement, ParseError> {
    let file: Statement = serde_json::from_slice(bytes)
        .map_err(|error| ParseError { line: error.line().max(1), what: error.to_string() })?;
    let code = file.opening.currency;
    let wrong = |what: String| ParseError { line: 1, what };
    let Some(currency) = currency(code) else {
        return Err(wrong(format!("the book does not have {code}")));
    };
    if file.lines.len() > LINES_MAX {
        return Err(wrong(format!("a statement has at most {LINES_MAX} lines")));
    }
    let balance = |name: &str, amount: &Amount| {
        if amount.currency != code {
            return Err(wrong(format!("{name} is in another currency than opening")));
        }
        Money::parse_signed(&amount.value, currency)
            .map_err(|error| wrong(format!("{name}.value: {error}")))
    };
    let opening = balance("opening", &file.opening)?;
    let closing = balance("closing", &file.closing)?;
    let mut lines = Vec::with_capacity(file.lines.len());
    for (index, line) in file.lines.into_iter().enumerate() {
        let at = |what: String| wrong(format!("lines[{index}].{what}"));
        lines.push(parsed(line, currency).map_err(at)?);
    }
    Ok(ParsedStatement {
        account: file.account,
        date: file.date,
        currency: code,
        opening: opening.amount(),
        closing: closing.amount(),
        lines,
        closed: file.closed,
        file_sha256: sha256(bytes),
    })
}

fn parsed(line: Line, currency: Currency) -> Result<ParsedLine, String> {
    let amount = above_zero("amount", &line.amount, currency)?;
    let lump = line.lump.map(|lump| lump_of(lump, currency)).transpose()?;
    Ok(ParsedLine {
        bank_transaction_id: line
            .bank_transaction_id
            .parse()
            .map_err(|error| format!("bank_transaction_id: {error}"))?,
        booking_date: line.booking_date,
        value_date: line.value_date,
        direction: line.direction,
        amount,
        // What is no reference of ours, or of a bank that we could have stored, matches nothing.
        utr: line.utr.and_then(|utr| utr.parse().ok()),
        reference: line.reference.and_then(|reference| reference.parse().ok()),
        narration: narration(&line.narration),
        lump: lump.and_then(|lump| Lump::of(amount, line.direction, lump)),
    })
}

fn above_zero(name: &str, amount: &Amount, currency: Currency) -> Result<Decimal, String> {
    if amount.currency != currency.code {
        return Err(format!("{name} is in another currency than opening"));
    }
    let money = Money::parse(&amount.value, currency);
    let money = money.map_err(|error| format!("{name}.value: {error}"))?;
    if !money.is_positive() {
        return Err(format!("{name}.value is not above zero"));
    }
    Ok(money.amount())
}

fn lump_of(lump: RawLump, currency: Currency) -> Result<Lump, String> {
    let kept = |name: &str, amount: Option<Amount>| match amount {
        Some(amount) => above_zero(name, &amount, currency),
        None => Ok(Decimal::ZERO),
    };
    let mut credits = Vec::with_capacity(lump.credits.len());
    for (index, credit) in lump.credits.into_iter().enumerate() {
        let name = format!("lump.credits[{index}].amount");
        let parsed = |text: Option<String>| text.and_then(|text| text.parse().ok());
        credits.push(LumpCredit {
            amount: above_zero(&name, &credit.amount, currency)?,
            bank_transaction_id: parsed(credit.bank_transaction_id),
            utr: parsed(credit.utr),
            reference: parsed(credit.reference),
        });
    }
    let (charges, tax) = (kept("lump.charges", lump.charges)?, kept("lump.tax", lump.tax)?);
    Ok(Lump { charges, tax, credits })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOLDEN: &str = include_str!("testdata/hdfc-2026-11-22.json");

    fn inr(code: CurrencyCode) -> Option<Currency> {
        (code.as_str() == "INR").then_some(Currency { code, scale: 2 })
    }

    fn why(text: &str) -> String {
        parse(text.as_bytes(), &inr).unwrap_err().to_string()
    }

    #[test]
    fn a_statement_of_the_protocol_is_read() {
        let statement = parse(GOLDEN.as_bytes(), &inr).unwrap();
        assert_eq!(statement.account, HouseAccount::Escrow);
        assert_eq!(statement.date.to_string(), "2026-11-22");
        assert_eq!(statement.opening.to_string(), "-1.00");
        assert_eq!(statement.closing.to_string(), "-5000.63");
        assert!(!statement.closed);
        let [paid, interest] = &statement.lines[..] else { panic!("two lines") };
        assert_eq!(paid.direction, LineDirection::Debit);
        assert_eq!(paid.amount.to_string(), "5000.13");
        assert_eq!(
            paid.reference.as_ref().map(ledger_core::ids::Reference::as_str),
            Some("BH0199A1")
        );
        // What cannot be a reference of ours matches nothing, and is no reason to refuse a day.
        assert_eq!((&interest.reference, &interest.utr), (&None, &None));
        assert_eq!(interest.amount.to_string(), "0.50");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let broken = |from: &str, to: &str| why(&GOLDEN.replace(from, to));
        assert!(broken("\"5000.13\"", "5000.13").starts_with("line 8: "));
        assert!(broken("\"5000.13\"", "\"5000.131\"").contains("lines[0].amount.value"));
        assert!(broken("\"5000.13\"", "\"-5000.13\"").contains("lines[0].amount.value"));
        assert!(broken("\"5000.13\"", "\"0.00\"").contains("not above zero"));
        assert!(broken("S0000000042", "S 42").contains("lines[0].bank_transaction_id"));
        assert!(broken("\"escrow\"", "\"till\"").starts_with("line 1: "));
        assert!(broken("INR", "USD").contains("the book does not have USD"));
        assert!(broken("2026-11-22", "2026-13-22").contains("line 1"));
    }

    #[test]
    fn a_lump_names_its_credits_and_one_that_does_not_add_up_is_one_line() {
        let lump = r#""lump": {"charges": {"value": "0.40", "currency": "INR"},
            "tax": {"value": "0.10", "currency": "INR"}, "credits": [
            {"amount": {"value": "0.75", "currency": "INR"}, "utr": "U1"},
            {"amount": {"value": "0.25", "currency": "INR"}, "reference": "dep1"}]},"#;
        let with = |lump: &str| {
            let at = GOLDEN.rfind("\"narration\"").unwrap();
            format!("{}{lump}{}", &GOLDEN[..at], &GOLDEN[at..])
        };
        let read = parse(with(lump).as_bytes(), &inr).unwrap();
        let found = read.lines[1].lump.clone().unwrap();
        assert_eq!(
            (found.charges.to_string(), found.tax.to_string()),
            ("0.40".into(), "0.10".into())
        );
        assert_eq!(found.credits[0].utr, "U1".parse().ok());
        assert_eq!(found.credits[1].reference, "dep1".parse().ok());
        let other = parse(with(&lump.replace("0.75", "0.76")).as_bytes(), &inr).unwrap();
        assert_eq!(other.lines[1].lump, None);
        assert!(why(&with(&lump.replace("\"0.75\"", "\"0\""))).contains("lump.credits[0].amount"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(parse(&bytes, &inr).is_err());
        }

        #[test]
        fn no_change_of_a_byte_makes_it_panic(at in 0..GOLDEN.len(), to in any::<u8>()) {
            let mut bytes = GOLDEN.as_bytes().to_vec();
            bytes[at] = to;
            if let Ok(statement) = parse(&bytes, &inr) {
                prop_assert_eq!(statement.lines.len(), 2);
            }
        }
    }
}
