//! A report of the books as PDF, with the place in the log and its hash on each page. Nothing on it
//! says when it was made: the same question of the same log gives the same bytes.

use ledger_core::money::Currency;
use projections::reports::{Report, Row, Section, Statement};
use rust_decimal::Decimal;

use super::Books;
use crate::{
    http::Problem,
    pages::ui::money_text,
    wallet::{self, Sheet, paper, shortened},
};

const LEFT: u16 = 40;
const RIGHT: u16 = 555;
const TOP: u16 = 140;
const ROW: u16 = 16;
/// How many lines fit on a page.
const LINES_MAX: usize = 40;
/// The room of a figure.
const FIGURE: u16 = 82;
/// How many characters of a heading fit before five figures.
const NAME_CHARS_MAX: usize = 34;

/// A line on paper.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    name: String,
    /// Right-aligned; as many as there are columns, or none of a title.
    figures: Vec<String>,
    bold: bool,
}

/// The report as a file. Made beside the requests: a long one takes a while.
pub(super) async fn pdf(books: Books, hash: String) -> Result<Vec<u8>, Problem> {
    let made = tokio::task::spawn_blocking(move || made(&books, &hash)).await;
    made.map_err(|error| Problem::internal(&error))?
        .ok_or_else(|| Problem::internal(&"a report that cannot be made into pages"))
}

fn made(books: &Books, hash: &str) -> Option<Vec<u8>> {
    let columns = columns(books);
    let mut lines = Vec::new();
    for statement in &books.statements {
        lines.extend(lines_of(statement)?);
    }
    let mut pages: Vec<&[Line]> = lines.chunks(LINES_MAX).collect();
    if pages.is_empty() {
        pages.push(&[]);
    }
    paper(format!("{}. {}", books.report.title(), books.of), pages.len(), |sheet, index| {
        head(sheet, books, &columns);
        let mut y = TOP;
        for line in pages.get(index).copied().unwrap_or_default() {
            draw(sheet, line, y);
            y = y.saturating_add(ROW);
        }
        let place = format!("As of event {} of the log, whose hash is", books.position);
        sheet.text((LEFT, 808), 7, false, &place);
        sheet.text((LEFT, 820), 7, false, hash);
        let number = format!("{} of {}", index.saturating_add(1), pages.len());
        sheet.text_to((RIGHT, 820), 7, false, &number);
    })
}

/// The names of the figures.
fn columns(books: &Books) -> Vec<&'static str> {
    let mut names = match books.report {
        Report::TrialBalance => vec!["Debits", "Credits", "Balance"],
        Report::BalanceSheet | Report::ProfitAndLoss => vec!["Balance"],
    };
    if books.statements.iter().any(|statement| statement.result_before.is_some()) {
        names.extend(["Before", "Change"]);
    }
    names
}

/// Where the figures of a line end.
fn ends(count: usize) -> impl Iterator<Item = u16> {
    let after = (0..count).rev().map(|after| u16::try_from(after).unwrap_or(u16::MAX));
    after.map(|after| RIGHT.saturating_sub(after.saturating_mul(FIGURE)))
}

fn head(sheet: &mut Sheet<'_, '_>, books: &Books, columns: &[&'static str]) {
    sheet.text((LEFT, 60), 20, true, "Bahi");
    sheet.text_to((RIGHT, 60), 12, false, books.report.title());
    sheet.text((LEFT, 92), 10, false, &shortened(&books.of, 100));
    let y = TOP.saturating_sub(20);
    for (end, name) in ends(columns.len()).zip(columns) {
        sheet.text_to((end, y), 8, true, name);
    }
    if books.statements.is_empty() {
        sheet.text((LEFT, TOP), 10, false, "Nothing moved then.");
    }
}

fn draw(sheet: &mut Sheet<'_, '_>, line: &Line, y: u16) {
    sheet.text((LEFT, y), 8, line.bold, &shortened(&line.name, NAME_CHARS_MAX));
    for (end, figure) in ends(line.figures.len()).zip(&line.figures) {
        sheet.text_to((end, y), 7, line.bold, figure);
    }
}

/// The lines of one currency. Nothing if one of its sums is none of its currency.
fn lines_of(statement: &Statement) -> Option<Vec<Line>> {
    let full = statement.report == Report::TrialBalance;
    // A report without rows has sums, and those have the decimals of the currency.
    let sums = [statement.debits.scale(), statement.credits.scale(), statement.result.scale()];
    let rows = statement.sections.iter().flat_map(|section| &section.rows);
    let scale = rows.map(|row| row.debits.scale()).chain(sums).max().unwrap_or_default();
    let currency = Currency { code: statement.currency, scale: u8::try_from(scale).ok()? };
    let shown = |amount: Decimal| Some(money_text(&wallet::money(amount, currency).ok()?));
    let beside = |now: Decimal, before: Option<Decimal>| -> Option<Vec<String>> {
        let Some(before) = before else { return Some(vec![shown(now)?]) };
        Some(vec![shown(now)?, shown(before)?, shown(now.checked_sub(before)?)?])
    };
    let word = if statement.balanced { "debits are credits" } else { "NOT BALANCED" };
    let name = format!("{}, {word}", statement.currency);
    let mut lines = vec![Line { name, figures: Vec::new(), bold: true }];
    for section in &statement.sections {
        for row in &section.rows {
            lines.push(line(row, full, &shown, &beside)?);
        }
        if !full {
            lines.push(total(section, &beside)?);
        }
    }
    let (name, figures) = if full {
        ("All", vec![shown(statement.debits)?, shown(statement.credits)?, String::new()])
    } else {
        ("Result", beside(statement.result, statement.result_before)?)
    };
    let mut figures = figures;
    if full && statement.result_before.is_some() {
        figures.extend([String::new(), String::new()]);
    }
    lines.push(Line { name: name.to_owned(), figures, bold: true });
    Some(lines)
}

fn line(
    row: &Row,
    full: bool,
    shown: &impl Fn(Decimal) -> Option<String>,
    beside: &impl Fn(Decimal, Option<Decimal>) -> Option<Vec<String>>,
) -> Option<Line> {
    let mut figures = Vec::new();
    if full {
        figures.extend([shown(row.debits)?, shown(row.credits)?]);
    }
    figures.extend(beside(row.balance, row.before)?);
    Some(Line { name: row.heading.clone(), figures, bold: false })
}

fn total(
    section: &Section,
    beside: &impl Fn(Decimal, Option<Decimal>) -> Option<Vec<String>>,
) -> Option<Line> {
    let figures = beside(section.total, section.total_before)?;
    Some(Line { name: format!("All {}", section.account_type.as_str()), figures, bold: true })
}

#[cfg(test)]
mod tests {
    use ledger_core::chart::AccountType;
    use projections::{At, reports::Sheet as BooksSheet};

    use super::*;

    fn sheet(headings: usize, credits: i64) -> At<BooksSheet> {
        let mut sheet = BooksSheet::default();
        for number in 0..headings {
            let (account_type, debits, credits) = match number % 2 {
                0 => (AccountType::Asset, 123_456_789, 0),
                _ => (AccountType::Liability, 0, credits),
            };
            let line = projections::reports::Line {
                currency: "INR".parse().unwrap(),
                account_type,
                class: "open".to_owned(),
                heading: format!("bank:number-{number}:*"),
                accounts: 1,
                debits: Decimal::new(debits, 2),
                credits: Decimal::new(credits, 2),
            };
            sheet.add(line).unwrap();
        }
        At { position: 48_213, value: sheet }
    }

    fn books(report: Report, headings: usize, beside: bool) -> Books {
        let then = beside.then(|| sheet(headings, 100));
        let of = "As of event 48213".to_owned();
        Books::of(report, &sheet(headings, 123_456_789), then.as_ref(), of).unwrap()
    }

    #[test]
    fn a_report_becomes_pages_and_always_the_same_bytes() {
        for report in [Report::TrialBalance, Report::BalanceSheet, Report::ProfitAndLoss] {
            for (headings, beside) in [(0, false), (2, true), (40, false), (200, true)] {
                let books = books(report, headings, beside);
                let bytes = made(&books, "00ff").unwrap();
                assert!(bytes.starts_with(b"%PDF-"), "{report:?} {headings}");
                assert_eq!(made(&books, "00ff").unwrap(), bytes, "{report:?} {headings}");
                let other = Books { position: books.position + 1, ..books };
                assert_ne!(made(&other, "00ff").unwrap(), bytes, "the place is on it");
            }
        }
    }

    #[test]
    fn every_heading_and_every_sum_is_on_a_line() {
        let trial = books(Report::TrialBalance, 4, false);
        let lines = lines_of(&trial.statements[0]).unwrap();
        assert_eq!(lines.len(), 6, "{lines:?}");
        assert_eq!(lines[0].name, "INR, debits are credits");
        assert_eq!(lines[1].figures, ["₹12,34,567.89", "₹0.00", "₹12,34,567.89"]);
        assert_eq!(lines[5].figures, ["₹24,69,135.78", "₹24,69,135.78", ""]);

        let sheet = books(Report::BalanceSheet, 4, true);
        let lines = lines_of(&sheet.statements[0]).unwrap();
        let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
        assert!(names.ends_with(&["All equity", "Result"]), "{names:?}");
        let all = lines.iter().find(|line| line.name == "All liability").unwrap();
        assert_eq!(all.figures, ["₹24,69,135.78", "₹2.00", "₹24,69,133.78"]);

        let mut wrong = trial;
        wrong.statements[0].balanced = false;
        let lines = lines_of(&wrong.statements[0]).unwrap();
        assert_eq!(lines[0].name, "INR, NOT BALANCED");
        assert_eq!(columns(&wrong).len(), lines[1].figures.len());
        assert_eq!(ends(3).collect::<Vec<_>>(), [391, 473, 555]);
    }
}
