//! `/audit/reconciliation`: what banks state and what we have: what is the same, what only one side
//! has, and since when.

use askama::Template;
use axum::response::Response;

use super::visitor::Auditor;
use crate::{
    http::Problem,
    pages::{
        Layout, respond,
        ui::{Cell, Column, DataTable},
    },
    statements::{self, Break, Stated},
};

#[derive(Template)]
#[template(path = "audit/reconciliation.html")]
struct ReconciliationView {
    layout: Layout,
    stated: DataTable,
    nothing_stated: bool,
    kinds: Vec<KindRow>,
}

/// What is otherwise in one way.
struct KindRow {
    words: &'static str,
    count: usize,
    table: DataTable,
}

/// A kind of exception in words.
pub(super) fn kind_words(kind: &str) -> &'static str {
    match kind {
        "only_ours" => "Only in our books",
        "only_theirs" => "Only at the bank",
        "amount_differs" => "Another amount",
        "vanished" => "Gone from a later statement",
        "changed" => "Changed by a later statement",
        _ => "Otherwise",
    }
}

/// The page.
pub(super) async fn page(auditor: Auditor) -> Result<Response, Problem> {
    let stated = statements::stated(&auditor.reads.pool).await?;
    let breaks = statements::breaks(&auditor.reads.pool, auditor.now).await?;
    let mut kinds: Vec<&str> = breaks.iter().map(|found| found.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut rows = Vec::new();
    for kind in kinds {
        let of: Vec<&Break> = breaks.iter().filter(|found| found.kind == kind).collect();
        let (words, count) = (kind_words(kind), of.len());
        rows.push(KindRow { words, count, table: table(&auditor, words, &of)? });
    }
    Ok(respond::page(&ReconciliationView {
        layout: auditor.layout("Reconciliation", "reconciliation"),
        nothing_stated: stated.is_empty(),
        stated: stated_table(&auditor, &stated)?,
        kinds: rows,
    }))
}

fn stated_table(auditor: &Auditor, stated: &[Stated]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("Account"),
        Column::words("Last day"),
        Column::numbers("The bank states"),
        Column::numbers("We have"),
        Column::words("Matched"),
    ];
    let mut rows = Vec::new();
    for one in stated {
        let code = one.currency.parse().map_err(|error| Problem::internal(&error))?;
        let closed = if one.closed { "" } else { ", open" };
        let same = if one.stated == one.booked { "✓ matched" } else { "differs" };
        rows.push(vec![
            Cell::Link(one.account.clone(), format!("/audit/accounts/{}", one.account)),
            format!("{}{closed}", one.day).into(),
            auditor.shown(one.stated, code)?.into(),
            auditor.shown(one.booked, code)?.into(),
            same.into(),
        ]);
    }
    Ok(DataTable::new("Our accounts at banks", &columns, rows))
}

fn table(auditor: &Auditor, words: &str, breaks: &[&Break]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("Since"),
        Column::words("Age"),
        Column::words("Account"),
        Column::words("Item"),
        Column::numbers("Amount"),
        Column::words("What is known"),
    ];
    let mut rows = Vec::new();
    for found in breaks {
        let code = found.currency.parse().map_err(|error| Problem::internal(&error))?;
        let known = [&found.bank_transaction_id, &found.reference, &found.detail];
        let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
        rows.push(vec![
            auditor.when(found.since).into(),
            age(auditor.now.signed_duration_since(found.since)).into(),
            Cell::Link(found.account.clone(), format!("/audit/accounts/{}", found.account)),
            found.item.clone().into(),
            auditor.shown(found.amount, code)?.into(),
            known.join(", ").into(),
        ]);
    }
    Ok(DataTable::new(words, &columns, rows))
}

/// How old something is, in the unit that tells most.
fn age(span: chrono::TimeDelta) -> String {
    match (span.num_days(), span.num_hours()) {
        (0, 0) => format!("{} min", span.num_minutes().max(0)),
        (0, hours) => format!("{hours} h"),
        (days, _) => format!("{days} d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_in_the_unit_that_tells_most() {
        let age_of = |minutes| age(chrono::TimeDelta::minutes(minutes));
        assert_eq!([age_of(5), age_of(125), age_of(4000)], ["5 min", "2 h", "2 d"]);
        assert_eq!(age_of(-3), "0 min");
    }
}
