//! SWIFT MT940: fields `:20:` to `:62F:` line by line, several messages and pages in one file.
//!
//! Pages of one statement (`:28C:326/1`, `326/2`) are put together: a page that ends with `:62M:`
//! is gone on with by the next message, which begins with the same balance in `:60M:`. The marks
//! `RC` and `RD` take a credit or a debit back, and are read as what they do to the account. A
//! line without a number of the bank's is refused: nothing could tell it from another one.
//!
//! Words of `:86:` are the payer's, and a bank breaks them where they are as wide as a line can be.
//! What stands there next may look like a field and be the payer's too. So behind such a line only
//! what a statement needs is read, and an entry keeps no reference of ours: people look at it.

use chrono::{Datelike as _, NaiveDate};
use ledger_core::{
    bank_line::{HouseAccount, LineDirection},
    money::Currency,
};
use rust_decimal::Decimal;

use super::{
    ParseError, ParsedLine, ParsedStatement,
    reading::{self, Reading, amount, check_count, line_id, positive, reference, wrong},
    sha256,
};

/// One field: `:61:…`, its further lines included.
struct Field<'a> {
    line: usize,
    tag: &'a str,
    /// Whether the line before is one that a bank may have broken in the middle of words.
    after_break: bool,
    /// The first line is what follows the tag.
    lines: Vec<&'a str>,
}

/// How wide a line can be in SWIFT's messages.
const WIDTH: usize = 65;

/// A balance: whose, at the end of which day, how much.
#[derive(Clone, Copy, PartialEq)]
struct Balance {
    currency: Currency,
    day: NaiveDate,
    amount: Decimal,
}

/// A statement under way: from `:20:` until its last page is over.
struct Page {
    account: Option<HouseAccount>,
    number: Option<String>,
    opening: Option<Balance>,
    /// What the page before has ended with, if there is one.
    carried: Option<Balance>,
    lines: Vec<ParsedLine>,
    /// Whether `:86:` belongs to the last line.
    words_follow: bool,
}

pub(super) fn parse(
    bytes: &[u8],
    reading: &Reading<'_>,
) -> Result<Vec<ParsedStatement>, ParseError> {
    let fields = fields(reading::text(bytes)?)?;
    let mut statements = Vec::new();
    let mut page: Option<Page> = None;
    for field in &fields {
        if field.tag == "20" && !field.after_break {
            page = Some(begun(page.take(), field.line)?);
            continue;
        }
        let current = page.as_mut();
        let current = current.ok_or_else(|| wrong(field.line, ":20: comes first".to_owned()))?;
        if let Some(closing) = current.field(field, reading)? {
            let ended = page.take();
            statements.extend(ended.map(|page| page.ended(closing, field, bytes)).transpose()?);
            page = Some(Page::after_the_end());
        }
    }
    let last = fields.last().map_or(1, |field| field.line);
    match page {
        Some(page) if page.account.is_some() => {
            Err(wrong(last, "the statement has no end (:62F:)".to_owned()))
        }
        _ if statements.is_empty() => Err(wrong(last, "there is no statement".to_owned())),
        _ => Ok(statements),
    }
}

/// The page that a message begins, given the one before.
fn begun(before: Option<Page>, line: usize) -> Result<Page, ParseError> {
    match before {
        Some(page) if page.carried.is_some() => Ok(page),
        Some(page) if page.account.is_some() => {
            Err(wrong(line, "the statement before has no end (:62F:)".to_owned()))
        }
        _ => Ok(Page::after_the_end()),
    }
}

fn fields(text: &str) -> Result<Vec<Field<'_>>, ParseError> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut after_break = false;
    // A bare carriage return ends no line, and belongs to none.
    for (line, words) in (1_usize..).zip(text.lines().map(|line| line.trim_end_matches('\r'))) {
        let words = header_off(words);
        if words.is_empty() || words == "-" || words.starts_with("-}") {
            continue;
        }
        let tagged = words.strip_prefix(':').and_then(|rest| rest.split_once(':'));
        let tagged = tagged.filter(|(tag, _)| is_tag(tag));
        match (tagged, fields.last_mut()) {
            (Some((tag, rest)), _) => {
                fields.push(Field { line, tag, after_break, lines: vec![rest] });
            }
            (None, Some(field)) if matches!(field.tag, "61" | "86") => field.lines.push(words),
            (None, _) => {
                return Err(wrong(line, "the line begins with no tag such as :61:".to_owned()));
            }
        }
        // The first line of :61: may be wide by itself, unless it is the payer's already.
        let plain =
            fields.last().is_some_and(|f| f.tag == "61" && f.line == line && !f.after_break);
        after_break = words.chars().count() >= WIDTH && !plain;
    }
    Ok(fields)
}

/// The line without SWIFT's own blocks before the text: `{1:…}{2:…}{4:`.
fn header_off(words: &str) -> &str {
    if !words.starts_with('{') {
        return words;
    }
    words.rsplit_once("{4:").map_or("", |(_, text)| text)
}

fn is_tag(tag: &str) -> bool {
    let (digits, letter) = tag.split_at_checked(2).unwrap_or((tag, ""));
    digits.len() == 2
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (letter.is_empty() || (letter.len() == 1 && letter.as_bytes()[0].is_ascii_uppercase()))
}

impl Page {
    const fn after_the_end() -> Self {
        Self {
            account: None,
            number: None,
            opening: None,
            carried: None,
            lines: Vec::new(),
            words_follow: false,
        }
    }

    /// Takes a field in; the closing balance, if it is that.
    fn field(
        &mut self,
        field: &Field<'_>,
        reading: &Reading<'_>,
    ) -> Result<Option<Balance>, ParseError> {
        let first = field.lines.first().copied().unwrap_or_default();
        let words_follow = std::mem::take(&mut self.words_follow);
        if field.after_break && !matches!(field.tag, "61" | "62F" | "62M" | "86") {
            let what = format!(":{}: stands where words of :86: may go on", field.tag);
            return Err(wrong(field.line, what));
        }
        match field.tag {
            "25" => self.same_account(reading.account(first, field.line)?, field.line)?,
            "28" | "28C" => self.same_number(first, field.line)?,
            "60F" | "60M" => self.begin(field, balance(field, reading)?)?,
            "61" => {
                let opening = self.opening;
                let opening = opening
                    .ok_or_else(|| wrong(field.line, "a balance (:60F:) comes first".to_owned()))?;
                self.lines.push(entry(field, opening.currency)?);
                check_count(self.lines.len())?;
                self.words_follow = true;
            }
            "86" if words_follow => {
                if let Some(line) = self.lines.last_mut() {
                    line.narration = reading::narration(&field.lines.join(" "));
                }
            }
            "62M" => self.carried = Some(balance(field, reading)?),
            "62F" => return balance(field, reading).map(Some),
            // Words about the whole, related references, and balances that are no booked ones.
            "86" | "21" | "13D" | "64" | "65" | "90C" | "90D" => {}
            tag => return Err(wrong(field.line, format!(":{tag}: is no field of an MT940"))),
        }
        Ok(None)
    }

    fn same_account(&mut self, account: HouseAccount, line: usize) -> Result<(), ParseError> {
        match self.account.replace(account) {
            Some(before) if before != account => {
                Err(wrong(line, "the page is of another account".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn same_number(&mut self, text: &str, line: usize) -> Result<(), ParseError> {
        let number = text.split('/').next().unwrap_or_default();
        match self.number.replace(number.to_owned()) {
            Some(before) if before != number => {
                Err(wrong(line, "the page is of another statement".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn begin(&mut self, field: &Field<'_>, balance: Balance) -> Result<(), ParseError> {
        match (self.carried.take(), self.opening) {
            (None, None) if field.tag == "60F" => {
                self.opening = Some(balance);
                Ok(())
            }
            (None, None) => Err(wrong(field.line, "the first page is missing".to_owned())),
            (Some(carried), Some(_)) if field.tag == "60M" && carried == balance => Ok(()),
            (Some(_), _) => {
                Err(wrong(field.line, "the page does not begin as the one before ended".to_owned()))
            }
            (None, Some(_)) => Err(wrong(field.line, "there are several openings".to_owned())),
        }
    }

    fn ended(
        self,
        closing: Balance,
        field: &Field<'_>,
        bytes: &[u8],
    ) -> Result<ParsedStatement, ParseError> {
        let missing = |what: &str| wrong(field.line, format!("the statement has no {what}"));
        let account = self.account.ok_or_else(|| missing("account (:25:)"))?;
        let opening = self.opening.ok_or_else(|| missing("opening balance (:60F:)"))?;
        if self.carried.is_some() {
            return Err(missing("page that goes on (:60M:)"));
        }
        if opening.currency != closing.currency {
            return Err(wrong(field.line, "its balances are in several currencies".to_owned()));
        }
        Ok(ParsedStatement {
            account,
            date: closing.day,
            currency: closing.currency.code,
            opening: opening.amount,
            closing: closing.amount,
            lines: self.lines,
            // It is sent when the day is over: MT942 is what is sent before.
            closed: true,
            file_sha256: sha256(bytes),
        })
    }
}

/// What is left of a text to read, which must be ASCII.
struct Rest<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> Rest<'a> {
    fn of(text: &'a str, line: usize) -> Result<Self, ParseError> {
        if text.is_ascii() {
            Ok(Self { text, line })
        } else {
            Err(wrong(line, "there is a character that MT940 does not have".to_owned()))
        }
    }

    fn take(&mut self, count: usize, what: &str) -> Result<&'a str, ParseError> {
        let split = self.text.split_at_checked(count);
        let (taken, rest) = split.ok_or_else(|| wrong(self.line, format!("there is no {what}")))?;
        self.text = rest;
        Ok(taken)
    }

    /// What is there of the beginning that fits.
    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let end = self.text.bytes().position(|byte| !fits(byte)).unwrap_or(self.text.len());
        let (taken, rest) = self.text.split_at(end);
        self.text = rest;
        taken
    }

    fn amount_text(&mut self) -> Result<String, ParseError> {
        let digits = self.take_while(|byte| byte.is_ascii_digit() || byte == b',');
        match digits.split_once(',') {
            Some((whole, "")) => Ok(whole.to_owned()),
            Some((whole, fraction)) if !fraction.contains(',') => Ok(format!("{whole}.{fraction}")),
            Some(_) | None => {
                Err(wrong(self.line, format!("{digits:?} is no amount with one comma")))
            }
        }
    }

    fn day(&mut self) -> Result<NaiveDate, ParseError> {
        let digits = self.take(6, "day")?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong(self.line, format!("{digits:?} is no day of the form YYMMDD")));
        }
        reading::day(&format!("20{digits}"), "%Y%m%d", self.line)
    }
}

fn balance(field: &Field<'_>, reading: &Reading<'_>) -> Result<Balance, ParseError> {
    let text = field.lines.first().copied().unwrap_or_default();
    let mut rest = Rest::of(text.trim_end(), field.line)?;
    let direction = match rest.take(1, "mark")? {
        "C" => LineDirection::Credit,
        "D" => LineDirection::Debit,
        other => return Err(wrong(field.line, format!("{other:?} is no mark of a balance"))),
    };
    let day = rest.day()?;
    let currency = reading.currency(rest.take(3, "currency")?, field.line)?;
    let text = rest.amount_text()?;
    if !rest.text.is_empty() {
        return Err(wrong(field.line, "something stands behind the amount".to_owned()));
    }
    let amount = amount(&text, currency, field.line, "the balance")?;
    Ok(Balance { currency, day, amount: reading::signed(amount, direction) })
}

/// `:61:` value date, entry date, mark, funds code, amount, type, reference `//` bank's reference.
fn entry(field: &Field<'_>, currency: Currency) -> Result<ParsedLine, ParseError> {
    let line = field.line;
    let text = field.lines.first().copied().unwrap_or_default();
    let mut rest = Rest::of(text.trim_end(), line)?;
    let value_date = rest.day()?;
    let booked = rest.take_while(|byte| byte.is_ascii_digit());
    let booking_date = match booked.len() {
        0 => value_date,
        4 => nearest(booked, value_date, line)?,
        _ => return Err(wrong(line, format!("{booked:?} is no day of the form MMDD"))),
    };
    let mark = rest.take_while(|byte| byte.is_ascii_uppercase());
    // A letter behind the mark is the third one of the currency.
    let direction = match mark {
        "C" | "RD" => Some(LineDirection::Credit),
        "D" | "RC" => Some(LineDirection::Debit),
        _ => match mark.split_at_checked(mark.len().saturating_sub(1)) {
            Some(("C" | "RD", _)) => Some(LineDirection::Credit),
            Some(("D" | "RC", _)) => Some(LineDirection::Debit),
            Some(_) | None => None,
        },
    };
    let direction = direction.ok_or_else(|| wrong(line, format!("{mark:?} is no mark")))?;
    let text = rest.amount_text()?;
    let amount = positive(&text, currency, line, "the amount")?;
    let kind = rest.take(4, "type")?;
    if !matches!(kind.as_bytes().first(), Some(b'N' | b'F' | b'S')) {
        return Err(wrong(line, format!("{kind:?} is no type of a transaction")));
    }
    let (own, banks) = rest.text.split_once("//").unwrap_or((rest.text, ""));
    let own = (!field.after_break).then_some(own);
    let further = field.lines.iter().skip(1).copied().collect::<Vec<_>>().join(" ");
    Ok(ParsedLine {
        bank_transaction_id: line_id(banks.trim(), line)?,
        booking_date,
        value_date,
        direction,
        amount,
        // It has none but the bank's own number.
        utr: None,
        reference: reference(own),
        narration: reading::narration(&further),
        lump: None,
    })
}

/// The day of this form that is nearest to the value date: a year's end may lie between.
fn nearest(digits: &str, value_date: NaiveDate, line: usize) -> Result<NaiveDate, ParseError> {
    let year = value_date.year();
    let years = [year, year.saturating_sub(1), year.saturating_add(1)];
    let days = years.map(|year| NaiveDate::parse_from_str(&format!("{year}{digits}"), "%Y%m%d"));
    let distance = |day: &NaiveDate| day.signed_duration_since(value_date).num_days().abs();
    let nearest = days.into_iter().flatten().min_by_key(distance);
    nearest.ok_or_else(|| wrong(line, format!("{digits:?} is no day of the form MMDD")))
}

#[cfg(test)]
mod tests;
