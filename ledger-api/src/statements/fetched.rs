//! A statement that a bank's adapter answered, as one that was read from a file.

use std::fmt::Write as _;

use ledger_core::{
    bank_line::{HouseAccount, LineDirection},
    money::{Currency, Money},
};
use rust_decimal::Decimal;

use super::{
    LINES_MAX, Lump, LumpCredit, ParseError, ParsedLine, ParsedStatement, reading::narration,
    sha256,
};
use crate::banks::{BankStatement, Direction, StatedLump};

impl ParsedStatement {
    /// The statement of an adapter's answer; `currency` is the book's.
    ///
    /// # Errors
    /// [`ParseError`] if it is of an account that is none of ours, has amounts that the currency
    /// does not have, or too many lines.
    pub fn fetched(statement: &BankStatement, currency: Currency) -> Result<Self, ParseError> {
        let wrong = |what: String| ParseError { line: 1, what };
        let account = match statement.account.as_str() {
            "escrow" => HouseAccount::Escrow,
            "own" => HouseAccount::Own,
            other => return Err(wrong(format!("{other:?} is no account of ours"))),
        };
        if statement.lines.len() > LINES_MAX {
            return Err(wrong(format!("a statement has at most {LINES_MAX} lines")));
        }
        // The bank's scale may be another than the book's.
        let amount = |name: &str, money: Money| {
            let same = money.currency().code == currency.code;
            let text = same.then(|| money.amount().to_string());
            let parsed = text.map(|text| Money::parse_signed(&text, currency));
            match parsed {
                Some(Ok(money)) => Ok(money.amount()),
                Some(Err(error)) => Err(wrong(format!("{name}: {error}"))),
                None => Err(wrong(format!("{name} is in another currency"))),
            }
        };
        let mut lines = Vec::with_capacity(statement.lines.len());
        for line in &statement.lines {
            let net = amount("amount", line.amount)?;
            let direction = match line.direction {
                Direction::Credit => LineDirection::Credit,
                Direction::Debit => LineDirection::Debit,
            };
            let lump = line.lump.as_ref().map(|lump| lump_of(lump, amount)).transpose()?;
            lines.push(ParsedLine {
                bank_transaction_id: line.bank_transaction_id.clone(),
                booking_date: line.booking_date,
                value_date: line.value_date,
                direction,
                amount: net,
                utr: line.utr.clone(),
                reference: line.reference.clone(),
                narration: narration(&line.narration),
                lump: lump.and_then(|lump| Lump::of(net, direction, lump)),
            });
        }
        let mut parsed = Self {
            account,
            date: statement.date,
            currency: currency.code,
            opening: amount("opening", statement.opening)?,
            closing: amount("closing", statement.closing)?,
            lines,
            closed: statement.closed,
            file_sha256: [0; 32],
        };
        parsed.file_sha256 = sha256(parsed.words().as_bytes());
        Ok(parsed)
    }

    /// All of it as text: what is hashed where there was no file. A line feed stands between the
    /// parts, and none of them can hold one.
    fn words(&self) -> String {
        let (account, date, currency) = (self.account.as_str(), self.date, self.currency);
        let (opening, closing, closed) = (self.opening, self.closing, self.closed);
        let mut words = format!("{account}\n{date}\n{currency}\n{opening}\n{closing}\n{closed}\n");
        for line in &self.lines {
            let utr = line.utr.as_ref().map_or("", |utr| utr.as_str());
            let reference = line.reference.as_ref().map_or("", |reference| reference.as_str());
            // Writing to a String does not fail.
            let written = write!(
                words,
                "{}\n{}\n{}\n{}\n{}\n{utr}\n{reference}\n{}\n",
                line.bank_transaction_id,
                line.booking_date,
                line.value_date,
                line.direction.as_str(),
                line.amount,
                line.narration
            );
            debug_assert!(written.is_ok());
            words.extend(line.lump.iter().map(Lump::words));
        }
        words
    }
}

fn lump_of(
    lump: &StatedLump,
    amount: impl Fn(&str, Money) -> Result<Decimal, ParseError>,
) -> Result<Lump, ParseError> {
    let kept = |name: &str, money: Option<Money>| match money {
        Some(money) => amount(name, money),
        None => Ok(Decimal::ZERO),
    };
    let mut credits = Vec::with_capacity(lump.credits.len());
    for credit in &lump.credits {
        credits.push(LumpCredit {
            amount: amount("lump.credits.amount", credit.amount)?,
            bank_transaction_id: credit.bank_transaction_id.clone(),
            utr: credit.utr.clone(),
            reference: credit.reference.clone(),
        });
    }
    let (charges, tax) = (kept("lump.charges", lump.charges)?, kept("lump.tax", lump.tax)?);
    Ok(Lump { charges, tax, credits })
}
