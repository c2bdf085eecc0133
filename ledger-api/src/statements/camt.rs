//! ISO 20022 `camt.053`, versions 02 and 08: the bank's statement of a booked day, as XML.
//!
//! A document with a DTD is refused, so there are no entities but those of XML itself; the nodes
//! are counted while it is read. Elements that are not known are passed over; those that are known
//! must be right. Only entries with the status `BOOK` are lines. The direction of an entry is how
//! it was booked, so that a reversal needs no rule of its own: what takes a debit back is a
//! credit.
//!
//! An entry that lists several transactions is a batch. If each has its amount and they come to
//! the entry's, each is a line of its own; if not, the entry is one line without a reference, for
//! only the entry is what moved the account. If they come to it less the charges that it states
//! (`Chrgs`), they are its parts: a lump ([`lump`]).

mod lump;

use chrono::NaiveDate;
use ledger_core::{
    bank_line::LineDirection,
    money::{Currency, CurrencyCode},
};
use roxmltree::{Document, Node, ParsingOptions};
use rust_decimal::Decimal;

use super::{
    LINES_MAX, ParseError, ParsedLine, ParsedStatement,
    reading::{self, Reading, amount, check_count, line_id, positive, reference, wrong},
    sha256,
};

const NAMESPACES: [&str; 2] = [
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08",
];
/// The most nodes of a document: some thirty for each line.
const NODES_MAX: u32 = 4_000_000;

pub(super) fn parse(
    bytes: &[u8],
    reading: &Reading<'_>,
) -> Result<Vec<ParsedStatement>, ParseError> {
    let text = reading::text(bytes)?;
    let options = ParsingOptions { nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let line = usize::try_from(error.pos().row).unwrap_or(usize::MAX);
        wrong(line, error.to_string())
    })?;
    let root = document.root_element();
    let known = root.tag_name().namespace().is_some_and(|name| NAMESPACES.contains(&name));
    if root.tag_name().name() != "Document" || !known {
        let what = "the document is no camt.053.001.02 or camt.053.001.08".to_owned();
        return Err(wrong(1, what));
    }
    let file = File { document: &document, reading, sha256: sha256(bytes) };
    let message = file.one(root, "BkToCstmrStmt")?;
    let statements: Result<Vec<_>, _> =
        children(message, "Stmt").map(|node| file.statement(node)).collect();
    let statements = statements?;
    if statements.is_empty() {
        return Err(file.wrong(message, "there is no statement"));
    }
    Ok(statements)
}

struct File<'a> {
    document: &'a Document<'a>,
    reading: &'a Reading<'a>,
    sha256: [u8; 32],
}

/// What the entries of a statement have in common.
struct Day {
    date: NaiveDate,
    currency: Currency,
}

fn children<'a>(node: Node<'a, 'a>, name: &str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    children(node, name).next()
}

/// The text at the end of a path, if all of it is there.
fn at<'a>(node: Node<'a, 'a>, path: &[&str]) -> Option<&'a str> {
    let last = path.iter().try_fold(node, |node, name| child(node, name))?;
    last.text().map(str::trim).filter(|text| !text.is_empty())
}

impl<'a> File<'a> {
    fn line(&self, node: Node<'_, '_>) -> usize {
        let row = self.document.text_pos_at(node.range().start).row;
        usize::try_from(row).unwrap_or(usize::MAX)
    }

    fn wrong(&self, node: Node<'_, '_>, what: &str) -> ParseError {
        wrong(self.line(node), format!("{}: {what}", node.tag_name().name()))
    }

    fn one(&self, node: Node<'a, 'a>, name: &str) -> Result<Node<'a, 'a>, ParseError> {
        let mut found = children(node, name);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(self.wrong(node, &format!("there is no {name}"))),
            (Some(_), Some(second)) => Err(self.wrong(second, "there are several")),
        }
    }

    fn statement(&self, node: Node<'a, 'a>) -> Result<ParsedStatement, ParseError> {
        let account = self.one(node, "Acct")?;
        let number = at(account, &["Id", "IBAN"]).or_else(|| at(account, &["Id", "Othr", "Id"]));
        let number = number.ok_or_else(|| self.wrong(account, "there is no number"))?;
        let house = self.reading.account(number, self.line(account))?;
        let (opening, code, _) = self.balance(node, &["OPBD", "PRCD"])?;
        let (closing, other, date) = self.balance(node, &["CLBD"])?;
        let own = at(account, &["Ccy"]).unwrap_or(code);
        if other != code || own != code {
            return Err(self.wrong(node, "its balances are in several currencies"));
        }
        let currency = self.reading.currency(code, self.line(node))?;
        let day = Day { date, currency };
        let opening = self.balance_amount(opening, &day)?;
        let closing = self.balance_amount(closing, &day)?;
        let mut lines = Vec::new();
        for entry in children(node, "Ntry") {
            self.entry(entry, &day, &mut lines)?;
            check_count(lines.len())?;
        }
        Ok(ParsedStatement {
            account: house,
            date,
            currency: currency.code,
            opening,
            closing,
            lines,
            // It is sent when the day is over: `camt.052` is what is sent before.
            closed: true,
            file_sha256: self.sha256,
        })
    }

    /// The only balance of one of these types, its currency, and its day.
    fn balance(
        &self,
        statement: Node<'a, 'a>,
        types: &[&str],
    ) -> Result<(Node<'a, 'a>, &'a str, NaiveDate), ParseError> {
        let mut of_type = children(statement, "Bal").filter(|balance| {
            at(*balance, &["Tp", "CdOrPrtry", "Cd"]).is_some_and(|code| types.contains(&code))
        });
        let missing = || self.wrong(statement, &format!("there is no balance {}", types.join("/")));
        let balance = of_type.next().ok_or_else(missing)?;
        if let Some(second) = of_type.next() {
            return Err(self.wrong(second, "there are several of its type"));
        }
        let code = self.one(balance, "Amt")?.attribute("Ccy");
        let code = code.ok_or_else(|| self.wrong(balance, "its amount has no currency"))?;
        Ok((balance, code, self.day(balance, "Dt")?))
    }

    fn balance_amount(&self, balance: Node<'a, 'a>, day: &Day) -> Result<Decimal, ParseError> {
        let node = self.amount_node(balance, day.currency.code)?;
        let text = node.text().unwrap_or_default().trim();
        let value = amount(text, day.currency, self.line(node), "the balance")?;
        Ok(reading::signed(value, self.direction(balance)?))
    }

    /// The element's amount, which is in the statement's currency.
    fn amount_node(
        &self,
        node: Node<'a, 'a>,
        currency: CurrencyCode,
    ) -> Result<Node<'a, 'a>, ParseError> {
        let amount = self.one(node, "Amt")?;
        if amount.attribute("Ccy") != Some(currency.as_str()) {
            return Err(self.wrong(amount, "it is in another currency than the account"));
        }
        Ok(amount)
    }

    fn direction(&self, node: Node<'a, 'a>) -> Result<LineDirection, ParseError> {
        match at(node, &["CdtDbtInd"]) {
            Some("CRDT") => Ok(LineDirection::Credit),
            Some("DBIT") => Ok(LineDirection::Debit),
            Some(_) | None => Err(self.wrong(node, "CdtDbtInd is neither CRDT nor DBIT")),
        }
    }

    /// A day, or the day of a moment as the bank wrote it.
    fn day(&self, node: Node<'a, 'a>, name: &str) -> Result<NaiveDate, ParseError> {
        let date = self.one(node, name)?;
        let moment = at(date, &["DtTm"]).and_then(|text| text.get(..10));
        let text = at(date, &["Dt"]).or(moment);
        let text = text.ok_or_else(|| self.wrong(date, "there is no day"))?;
        reading::day(text, "%Y-%m-%d", self.line(date))
    }

    fn entry(
        &self,
        entry: Node<'a, 'a>,
        day: &Day,
        lines: &mut Vec<ParsedLine>,
    ) -> Result<(), ParseError> {
        let status = at(entry, &["Sts", "Cd"]).or_else(|| at(entry, &["Sts"]));
        match status {
            Some("BOOK") => {}
            // What is not booked is in no balance.
            Some("PDNG" | "INFO" | "FUTR") => return Ok(()),
            Some(_) | None => return Err(self.wrong(entry, "its status is none")),
        }
        let node = self.amount_node(entry, day.currency.code)?;
        let text = node.text().unwrap_or_default().trim();
        let total = positive(text, day.currency, self.line(node), "the entry")?;
        let has = |name| child(entry, name).is_some();
        let booking_date = if has("BookgDt") { self.day(entry, "BookgDt")? } else { day.date };
        let value_date = if has("ValDt") { self.day(entry, "ValDt")? } else { booking_date };
        let one = Entry {
            direction: self.direction(entry)?,
            booking_date,
            value_date,
            id: at(entry, &["AcctSvcrRef"]).or_else(|| at(entry, &["NtryRef"])),
            words: at(entry, &["AddtlNtryInf"]),
        };
        let details: Vec<_> = children(entry, "NtryDtls")
            .flat_map(|details| children(details, "TxDtls"))
            .take(LINES_MAX.saturating_add(1))
            .collect();
        if let [_, _, ..] = details[..]
            && let Some(amounts) = self.amounts(&details, &one, day)?
            && amounts.iter().copied().fold(Decimal::ZERO, Decimal::saturating_add) == total
        {
            let numbered = details.iter().zip(amounts).zip(1_usize..);
            for ((detail, amount), number) in numbered {
                lines.push(self.one_line(&one, entry, Some((*detail, number)), amount)?);
            }
            return Ok(());
        }
        let only = if let [only] = details[..] { Some((only, 0)) } else { None };
        let mut line = self.one_line(&one, entry, only, total)?;
        if let Some(lump) = self.lump(entry, &details, (total, &one), day) {
            // What names a part names no line.
            (line.reference, line.utr, line.lump) = (None, None, Some(lump));
        }
        lines.push(line);
        Ok(())
    }

    /// The amounts of a batch, if each transaction has one.
    fn amounts(
        &self,
        details: &[Node<'a, 'a>],
        entry: &Entry<'_>,
        day: &Day,
    ) -> Result<Option<Vec<Decimal>>, ParseError> {
        let mut amounts = Vec::with_capacity(details.len());
        for detail in details {
            let inner = child(*detail, "AmtDtls").and_then(|amounts| child(amounts, "TxAmt"));
            let holder = if child(*detail, "Amt").is_some() { Some(*detail) } else { inner };
            let Some(holder) = holder else { return Ok(None) };
            let opposite = child(*detail, "CdtDbtInd").is_some()
                && self.direction(*detail)? != entry.direction;
            if opposite {
                return Ok(None);
            }
            let node = self.amount_node(holder, day.currency.code)?;
            let text = node.text().unwrap_or_default().trim();
            amounts.push(positive(text, day.currency, self.line(node), "the transaction")?);
        }
        Ok(Some(amounts))
    }

    fn one_line(
        &self,
        entry: &Entry<'_>,
        node: Node<'a, 'a>,
        detail: Option<(Node<'a, 'a>, usize)>,
        amount: Decimal,
    ) -> Result<ParsedLine, ParseError> {
        let place = self.line(node);
        let of = |path: &[&str]| detail.and_then(|(detail, _)| at(detail, path));
        let own = of(&["Refs", "AcctSvcrRef"]);
        let id = match (own, entry.id, detail) {
            // The number of one transaction of a batch, else its place in the entry.
            (Some(own), _, Some((_, 1..))) => own.to_owned(),
            (None, Some(id), Some((_, number @ 1..))) => format!("{id}.{number}"),
            (own, id, _) => id.or(own).unwrap_or_default().to_owned(),
        };
        let words = of(&["RmtInf", "Ustrd"]).or_else(|| of(&["AddtlTxInf"])).or(entry.words);
        let utr = of(&["Refs", "TxId"]).or_else(|| of(&["Refs", "ClrSysRef"]));
        Ok(ParsedLine {
            bank_transaction_id: line_id(&id, place)?,
            booking_date: entry.booking_date,
            value_date: entry.value_date,
            direction: entry.direction,
            amount,
            utr: reference(utr),
            reference: reference(of(&["Refs", "EndToEndId"])),
            narration: reading::narration(words.unwrap_or_default()),
            lump: None,
        })
    }
}

/// What the lines of an entry have in common.
struct Entry<'a> {
    direction: LineDirection,
    booking_date: NaiveDate,
    value_date: NaiveDate,
    id: Option<&'a str>,
    words: Option<&'a str>,
}

#[cfg(test)]
mod tests;
