//! What a proposal says, for whoever decides it: what changes from what to what, what a file
//! states, else each of its fields.

use ledger_core::book::{Book, ShopTerms};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{OpsVisitor, Part, fees, limits, lumps, service_fees};
use crate::{
    desk::{
        carrying_out::TierChange,
        fees::{FeeChange, TermsChange},
        proposals::{Kind, Proposal},
        statements::StatementFile,
    },
    pages::ui::{Cell, Column, Pair},
};

/// The fields of a request that are shown by another name, or are of no use to people.
const NOT_SAID: [&str; 4] = ["evidence_sha256", "reason", "expected_version", "days"];

/// What it says: in pairs, and as a table with its columns.
pub(super) struct Proposed {
    pub(super) pairs: Vec<Pair>,
    table: Option<Table>,
}

struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    nothing: &'static str,
}

impl Proposed {
    /// What a proposal says. What this release cannot read is shown field by field.
    pub(super) fn of(visitor: &OpsVisitor, proposal: &Proposal) -> Self {
        let book = visitor.state.ledger.status().borrow().book.clone();
        let known = match proposal.kind() {
            Some(Kind::SettleLump) => lumps::proposed(visitor, proposal).map(|lump| Self {
                pairs: lump.pairs,
                table: Some(Table {
                    columns: vec![Column::words("Credit"), Column::numbers("All of it")],
                    rows: lump.rows,
                    nothing: "It names no credit.",
                }),
            }),
            Some(Kind::DefineTier) => read(proposal).and_then(|change| tier(&book, &change)),
            Some(Kind::DefineTerms) => read(proposal).map(|change| terms(&book, change)),
            Some(Kind::DefineFee) => read(proposal).and_then(|change| fee(visitor, &book, &change)),
            Some(Kind::ImportStatement) => read(proposal).map(|file| statement(&file)),
            _ => None,
        };
        known.unwrap_or_else(|| Self::fields(&proposal.body))
    }

    /// Every field of the request; what is not said is left out.
    fn fields(body: &Value) -> Self {
        let mut pairs = Vec::new();
        put("", body, &mut pairs);
        Self { pairs, table: None }
    }

    /// What changes, from what to what.
    fn changes(rows: Vec<(String, String, String)>) -> Self {
        let differ = rows.into_iter().filter(|(_, was, to_be)| was != to_be);
        let rows = differ.map(|(what, was, to_be)| vec![what.into(), was.into(), to_be.into()]);
        let columns =
            vec![Column::words("What"), Column::numbers("Now"), Column::numbers("Proposed")];
        let nothing = "It would change nothing of what is in force now.";
        Self { pairs: Vec::new(), table: Some(Table { columns, rows: rows.collect(), nothing }) }
    }

    /// Puts the table on a part, if there is one.
    pub(super) fn table_on(self, part: Part) -> Part {
        match self.table {
            Some(table) => part.table(&table.columns, table.rows, table.nothing),
            None => part,
        }
    }
}

fn read<T: DeserializeOwned>(proposal: &Proposal) -> Option<T> {
    serde_json::from_value(proposal.body.clone()).ok()
}

fn tier(book: &Book, change: &TierChange) -> Option<Proposed> {
    let now = book.tiers().get(&change.tier).filter(|tier| tier.currency == change.currency)?;
    let currency = book.currency(change.currency)?;
    let rows = limits::compared(currency, &now.limits, &change.limits);
    let mut proposed = Proposed::changes(rows);
    proposed.pairs.push(Pair::new("Currency", change.currency.to_string()));
    Some(proposed)
}

fn terms(book: &Book, change: TermsChange) -> Proposed {
    let TermsChange { fee_bps, tax_bps, debt_limit, .. } = change;
    let now = book.terms_now();
    let said = |terms: ShopTerms| {
        let rates = [terms.fee_bps, terms.tax_bps].map(|bps| format!("{} %", fees::percent(bps)));
        let [fee, tax] = rates;
        [fee, tax, format!("₹{}", terms.debt_limit)]
    };
    let names = ["Fee of a payment", "Tax in the fee", "May owe us"].map(str::to_owned);
    let to_be = said(ShopTerms { fee_bps, tax_bps, debt_limit, ..now });
    let rows = names.into_iter().zip(said(now)).zip(to_be);
    Proposed::changes(rows.map(|((what, was), to_be)| (what, was, to_be)).collect())
}

fn fee(visitor: &OpsVisitor, book: &Book, change: &FeeChange) -> Option<Proposed> {
    let (was, to_be) = service_fees::compared(book, change, visitor.now())?;
    let what = service_fees::words(change.service).to_owned();
    let mut proposed = Proposed::changes(vec![(what, was, to_be)]);
    let from: Cell = match change.effective_from {
        Some(from) => visitor.when(from).into(),
        None => "when it is approved".into(),
    };
    proposed.pairs.push(Pair::new("In force from", from));
    Some(proposed)
}

fn statement(file: &StatementFile) -> Proposed {
    let rows = file.days.iter().map(|day| {
        let words = [day.account.clone(), day.date.to_string()].map(Cell::from);
        let numbers = [&day.opening, &day.came, &day.went, &day.closing];
        let lines = Cell::from(day.lines.to_string());
        let state = if day.closed { "closed" } else { "open" };
        let amounts = numbers.map(|amount| format!("{amount} {}", day.currency).into());
        words.into_iter().chain([lines]).chain(amounts).chain([state.into()]).collect()
    });
    let columns = vec![
        Column::words("Account"),
        Column::words("Day"),
        Column::numbers("Lines"),
        Column::numbers("Opening"),
        Column::numbers("Came"),
        Column::numbers("Went"),
        Column::numbers("Closing"),
        Column::words("The day is"),
    ];
    let mut pairs =
        vec![Pair::new("Bank", file.bank.to_string()), Pair::new("Format", file.format.clone())];
    let said = [("Account numbers", &file.accounts), ("Columns", &file.mapping)];
    pairs.extend(said.into_iter().filter_map(|(name, text)| Some(Pair::new(name, text.clone()?))));
    let nothing = "What it states was not written down with it.";
    Proposed { pairs, table: Some(Table { columns, rows: rows.collect(), nothing }) }
}

/// Puts a value's parts under their names, one line for each that is a word or a number.
fn put(name: &str, value: &Value, pairs: &mut Vec<Pair>) {
    match value {
        Value::Object(fields) if fields.len() == 2 && fields.contains_key("currency") => {
            let word = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
            pairs.push(Pair::new(name.to_owned(), [word("value"), word("currency")].join(" ")));
        }
        Value::Object(fields) => {
            for (field, value) in fields.iter().filter(|(name, _)| !NOT_SAID.contains(&&***name)) {
                put(&called(name, &field.replace('_', " ")), value, pairs);
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                put(&called(name, &place.saturating_add(1).to_string()), value, pairs);
            }
        }
        Value::Null => {}
        Value::String(text) => pairs.push(Pair::new(name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => {
            pairs.push(Pair::new(name.to_owned(), value.to_string()));
        }
    }
}

/// A part's name behind that of the whole; a whole begins with a capital.
fn called(whole: &str, part: &str) -> String {
    if !whole.is_empty() {
        return format!("{whole}, {part}");
    }
    let mut letters = part.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use askama::Template as _;
    use serde_json::json;

    use super::*;
    use crate::pages::ui::Pairs;

    #[test]
    fn fields_are_said_one_by_one_and_never_as_json() {
        let body = json!({
            "account": "wallet:asha:INR",
            "amount": {"value": "12.50", "currency": "INR"},
            "limits": {"in": {"per_day": "100"}, "out": {}},
            "parts": [{"name": "a"}, {"name": "b"}],
            "bank_reference": null, "reason": "said elsewhere", "notify": true,
        });
        let html = Pairs::new(Proposed::fields(&body).pairs).render().unwrap();
        for said in ["Account", "wallet:asha:INR", "12.50 INR", "Limits, in, per day", "Notify"] {
            assert!(html.contains(said), "{said} in {html}");
        }
        for name in ["Parts, 1, name", "Parts, 2, name"] {
            assert!(html.contains(name), "{name} in {html}");
        }
        for unsaid in ["{", "Bank reference", "said elsewhere", "&quot;"] {
            assert!(!html.contains(unsaid), "{unsaid} in {html}");
        }
    }
}
