//! The JSON of docs/banks.md. Fields that are not known are passed over, as in every answer of a
//! bank; those that are known must be right.

use chrono::NaiveDate;
use ledger_core::{
    bank_line::{HouseAccount, LineDirection},
    money::{Currency, CurrencyCode, Money},
};
use serde::Deserialize;

use super::{LINES_MAX, ParseError, ParsedLine, ParsedStatement, narration, sha256};

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
    if line.amount.currency != currency.code {
        return Err("amount is in another currency than opening".to_owned());
    }
    let amount = Money::parse(&line.amount.value, currency)
        .map_err(|error| format!("amount.value: {error}"))?;
    if !amount.is_positive() {
        return Err("amount.value is not above zero".to_owned());
    }
    Ok(ParsedLine {
        bank_transaction_id: line
            .bank_transaction_id
            .parse()
            .map_err(|error| format!("bank_transaction_id: {error}"))?,
        booking_date: line.booking_date,
        value_date: line.value_date,
        direction: line.direction,
        amount: amount.amount(),
        // What is no reference of ours, or of a bank that we could have stored, matches nothing.
        utr: line.utr.and_then(|utr| utr.parse().ok()),
        reference: line.reference.and_then(|reference| reference.parse().ok()),
        narration: narration(&line.narration),
    })
}
