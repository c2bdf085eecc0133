//! Statements as text for a terminal and as CSV for a spreadsheet.

use std::fmt::Write;

use rust_decimal::Decimal;

use super::statement::{Report, Row, Section, Statement};

/// Columns of the file.
const COLUMNS: &str =
    "report,currency,type,class,account,accounts,debits,credits,balance,before,change";

/// The statements as CSV with a header. No field needs quotes: headings, classes and codes are of
/// letters, digits and `: * _ . -`, and none begins like a formula.
pub fn csv(statements: &[Statement]) -> String {
    let mut text = format!("{COLUMNS}\n");
    for statement in statements {
        for section in &statement.sections {
            for row in &section.rows {
                csv_row(&mut text, statement, section, row);
            }
        }
    }
    text
}

fn csv_row(text: &mut String, statement: &Statement, section: &Section, row: &Row) {
    let optional = |amount: Option<Decimal>| amount.map_or_else(String::new, |a| a.to_string());
    let fields = [
        statement.report.name().to_owned(),
        statement.currency.to_string(),
        section.account_type.as_str().to_owned(),
        row.class.clone(),
        row.heading.clone(),
        row.accounts.to_string(),
        row.debits.to_string(),
        row.credits.to_string(),
        row.balance.to_string(),
        optional(row.before),
        optional(row.change()),
    ];
    text.push_str(&fields.join(","));
    text.push('\n');
}

/// The statements as a table for a terminal, with a line feed at the end.
pub fn text(statements: &[Statement]) -> String {
    let mut text = String::new();
    for statement in statements {
        // Writing to a string cannot fail.
        if write_statement(&mut text, statement).is_err() {
            break;
        }
    }
    text
}

fn write_statement(out: &mut String, statement: &Statement) -> std::fmt::Result {
    let compared = statement.result_before.is_some();
    let (title, currency) = (statement.report.title(), statement.currency);
    let columns: &[&str] = match (statement.report, compared) {
        (Report::TrialBalance, false) => &["Debits", "Credits", "Balance"],
        (_, false) => &["Balance"],
        (_, true) => &["Before", "Now", "Change"],
    };
    columns_line(out, &format!("{title}  {currency}"), columns)?;
    for section in &statement.sections {
        let heading = section.account_type.as_str();
        writeln!(out, "{}", heading.to_uppercase())?;
        for row in &section.rows {
            let label = format!("  {}", row.heading);
            let amounts = if statement.report == Report::TrialBalance && !compared {
                vec![row.debits, row.credits, row.balance]
            } else {
                shown(row.balance, row.before)
            };
            line(out, &label, &amounts)?;
        }
        let total = format!("  total {heading}");
        let amounts = if statement.report == Report::TrialBalance && !compared {
            vec![sum(section, |row| row.debits), sum(section, |row| row.credits), section.total]
        } else {
            shown(section.total, section.total_before)
        };
        line(out, &total, &amounts)?;
    }
    if statement.report == Report::TrialBalance {
        let mark = if statement.balanced { "✓" } else { "✗ NOT BALANCED" };
        line(out, &format!("ALL {mark}"), &[statement.debits, statement.credits])?;
    } else {
        line(out, "RESULT", &shown(statement.result, statement.result_before))?;
    }
    writeln!(out)
}

fn sum(section: &Section, of: fn(&Row) -> Decimal) -> Decimal {
    // What could not be summed was refused when the statement was made.
    section.rows.iter().map(of).try_fold(Decimal::ZERO, Decimal::checked_add).unwrap_or_default()
}

/// The amount; or what it was, what it is, and the change.
fn shown(now: Decimal, before: Option<Decimal>) -> Vec<Decimal> {
    match before {
        Some(before) => vec![before, now, now.checked_sub(before).unwrap_or_default()],
        None => vec![now],
    }
}

fn line(out: &mut String, label: &str, amounts: &[Decimal]) -> std::fmt::Result {
    let amounts: Vec<String> = amounts.iter().map(ToString::to_string).collect();
    columns_line(out, label, &amounts)
}

fn columns_line(out: &mut String, label: &str, cells: &[impl AsRef<str>]) -> std::fmt::Result {
    write!(out, "{label:<34}")?;
    for cell in cells {
        write!(out, "{:>20}", cell.as_ref())?;
    }
    writeln!(out)
}
