//! A statement as CSV. What people wrote is kept from being a formula where the file is opened in
//! a spreadsheet.

use ledger_core::words::shown;

use super::Statement;

const COLUMNS: [&str; 12] = [
    "row",
    "date",
    "recorded_at",
    "kind",
    "description",
    "id",
    "in",
    "out",
    "balance",
    "note",
    "position",
    "hash",
];
/// What spreadsheets take for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The statement: a row for what stood before, one for each line, one for what stood after, which
/// names the place in the log and its hash.
pub(crate) fn csv(statement: &Statement) -> String {
    let mut text = String::new();
    push(&mut text, &COLUMNS.map(str::to_owned));
    let none = String::new;
    let (from, to) = (statement.period.from.to_string(), statement.period.to.to_string());
    let opening = statement.opening.amount().to_string();
    push(
        &mut text,
        &[
            "opening".to_owned(),
            from,
            none(),
            none(),
            none(),
            none(),
            none(),
            none(),
            opening,
            none(),
            none(),
            none(),
        ],
    );
    for line in &statement.lines {
        let amount = line.amount.amount().to_string();
        let (money_in, money_out) = if line.is_in { (amount, none()) } else { (none(), amount) };
        push(
            &mut text,
            &[
                "line".to_owned(),
                line.day.to_string(),
                line.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
                line.kind.clone(),
                line.words.clone(),
                line.object.clone(),
                money_in,
                money_out,
                line.balance.amount().to_string(),
                line.note.as_deref().map(|note| shown(note).into_owned()).unwrap_or_default(),
                line.position.to_string(),
                none(),
            ],
        );
    }
    push(
        &mut text,
        &[
            "closing".to_owned(),
            to,
            none(),
            none(),
            none(),
            none(),
            statement.total_in.amount().to_string(),
            statement.total_out.amount().to_string(),
            statement.closing.amount().to_string(),
            none(),
            statement.position.to_string(),
            statement.hash.clone(),
        ],
    );
    text
}

fn push(text: &mut String, cells: &[String; 12]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&quoted(cell));
    }
    text.push_str("\r\n");
}

fn quoted(cell: &str) -> String {
    // A plain number below zero is one, and no formula.
    let is_number = cell.parse::<rust_decimal::Decimal>().is_ok();
    let guard = if cell.starts_with(FORMULA) && !is_number { "'" } else { "" };
    if guard.is_empty() && !cell.contains([',', '"', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_162_no_cell_is_a_formula() {
        assert_eq!(quoted("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        assert_eq!(quoted("@SUM(1+1)"), "\"'@SUM(1+1)\"");
        assert_eq!(quoted("+91 98123"), "\"'+91 98123\"");
        assert_eq!(quoted("-2+3"), "\"'-2+3\"");
        assert_eq!(quoted("\t=1"), "\"'\t=1\"");
        assert_eq!(quoted("-12.50"), "-12.50");
        assert_eq!(quoted("Lunch, \"ours\""), "\"Lunch, \"\"ours\"\"\"");
        assert_eq!(quoted("two\nlines"), "\"two\nlines\"");
        assert_eq!(quoted("₹ für Ärger"), "₹ für Ärger");
    }
}
