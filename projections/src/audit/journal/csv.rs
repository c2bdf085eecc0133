//! Entries as CSV: one row per leg, for spreadsheets.

use std::io::Write;

use super::{AuditError, Entry, Opened, time};

const COLUMNS: &str = "position,transaction_id,leg,legs,kind,recorded_at,effective_on,value_date,\
account,currency,type,class,debit,credit,balance_after,item,cause";
/// What spreadsheets take for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(super) fn header(out: &mut impl Write) -> Result<(), AuditError> {
    Ok(writeln!(out, "{COLUMNS}")?)
}

pub(super) fn transaction(
    out: &mut impl Write,
    legs: &[(&Entry, &Opened)],
) -> Result<(), AuditError> {
    for (entry, account) in legs {
        let (debit, credit) =
            if entry.debit { (entry.amount.as_str(), "") } else { ("", entry.amount.as_str()) };
        writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{debit},{credit},{},{},{}",
            entry.position,
            field(&entry.transaction),
            entry.leg,
            entry.legs,
            field(&entry.kind),
            time::text(entry.recorded_at),
            entry.effective_on,
            field(entry.value_date.as_deref().unwrap_or_default()),
            field(&account.code),
            field(&account.currency),
            account.account_type.name(),
            field(&account.class),
            entry.balance_after,
            field(entry.item.as_deref().unwrap_or_default()),
            field(entry.cause.as_deref().unwrap_or_default()),
        )?;
    }
    Ok(())
}

/// A text in quotes where it needs them. Items and causes come from outside: one that begins like a
/// formula gets an apostrophe, so that no spreadsheet works it out.
fn field(text: &str) -> String {
    let guarded = if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_field_and_no_formula() {
        for (text, expected) in [
            ("dep_1", "dep_1"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@a,b", "\"'@a,b\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
