//! Checks of statements: that they add up, follow each other, and say what is final.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Checked,
    client::{Client, paise},
    require,
};

pub(super) async fn add_up(bank: &Client) -> Checked {
    let contract = bank.contract().await?;
    let accounts = contract.get("accounts").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut days = bank.days().await?;
    days.reverse();
    for account in &accounts {
        let account = account.get("name").and_then(Value::as_str).unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut before: Option<(String, i64)> = None;
        for day in &days {
            let statement = bank.statement(day, account).await?;
            let named = statement.get("date").and_then(Value::as_str) == Some(day);
            require(named, "the date that was asked for", &statement)?;
            let opening = paise(statement.get("opening"))?;
            if let Some((day_before, closing)) = &before {
                let expected = format!("the closing balance of {day_before}: {closing} paise");
                require(opening == *closing, &expected, opening)?;
            }
            let closing = sum(&statement, &mut seen)?;
            let stated = paise(statement.get("closing"))?;
            require(stated == closing, &format!("a closing balance of {closing}"), stated)?;
            let closed = statement.get("closed").and_then(Value::as_bool);
            let is_last = days.last() == Some(day);
            require(closed == Some(!is_last), "every day but today closed", &statement["closed"])?;
            before = Some((day.clone(), stated));
        }
    }
    Ok(())
}

/// The opening balance and all lines; each line is looked at.
fn sum(statement: &Value, seen: &mut BTreeSet<String>) -> Result<i64, super::Stop> {
    let mut balance = paise(statement.get("opening"))?;
    let lines = statement.get("lines").and_then(Value::as_array).cloned().unwrap_or_default();
    for line in &lines {
        let amount = paise(line.get("amount"))?;
        require(amount > 0, "an amount above zero", line)?;
        let direction = line.get("direction").and_then(Value::as_str).unwrap_or_default();
        balance = match direction {
            "credit" => balance.saturating_add(amount),
            "debit" => balance.saturating_sub(amount),
            _ => {
                require(false, "credit or debit", line)?;
                balance
            }
        };
        let id = line.get("bank_transaction_id").and_then(Value::as_str).unwrap_or_default();
        let fresh = !id.is_empty() && seen.insert(format!("{id}/{direction}"));
        require(fresh, "a bank_transaction_id of its own", line)?;
        let dated = line.get("booking_date") == statement.get("date");
        require(dated, "lines of that day", line)?;
        let valued = line.get("value_date").is_some_and(Value::is_string);
        require(valued, "a value_date", line)?;
    }
    Ok(balance)
}

pub(super) async fn none(bank: &Client) -> Checked {
    for (path, status) in [
        ("v1/statements/9999-01-01", 404),
        ("v1/statements/1999-01-01", 404),
        ("v1/statements/yesterday", 422),
        ("v1/statements/2026-02-30", 422),
    ] {
        bank.asked(path).await?.is_problem(status, None)?;
    }
    let today = bank.days().await?.first().cloned().unwrap_or_default();
    let path = format!("v1/statements/{today}?account=nobodys");
    bank.asked(&path).await?.is_problem(422, None)
}
