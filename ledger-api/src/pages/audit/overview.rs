//! `/audit`: whether all is well, on one page.

use askama::Template;
use axum::response::Response;
use projections::CurrencyBalance;

use super::{checkpoints, checks::RunRow, visitor::Auditor};
use crate::{
    auditing::Run,
    http::Problem,
    pages::{
        Layout, respond,
        ui::{Cell, Column, DataTable, Pair, Pairs, When},
    },
    statements::{self, Break},
};

/// The ages by which exceptions are counted, in hours, and their words.
const AGES: [(i64, &str); 4] = [
    (24, "Up to a day"),
    (72, "One to three days"),
    (168, "Three to seven days"),
    (i64::MAX, "Over a week"),
];

#[derive(Template)]
#[template(path = "audit/overview.html")]
struct OverviewView {
    layout: Layout,
    balanced: bool,
    books: DataTable,
    position: u64,
    signed_to: String,
    chain: Option<ChainRow>,
    backing: Vec<BackingRow>,
    ages: DataTable,
    exceptions: usize,
    signed: Option<Pairs>,
    checkpoint: Option<Pairs>,
}

/// The last check of the chain.
struct ChainRow {
    row: RunRow,
    at: When,
}

/// Customers' money in one currency.
struct BackingRow {
    currency: String,
    pairs: Pairs,
    short: bool,
}

/// The page.
pub(super) async fn page(auditor: Auditor) -> Result<Response, Problem> {
    let reads = &auditor.reads;
    let trial = reads.read_models.trial_balance().await?;
    let breaks = statements::breaks(&reads.pool, auditor.now).await?;
    let chain = reads.runs.last_done().await?;
    Ok(respond::page(&OverviewView {
        layout: auditor.layout("Overview", "overview"),
        balanced: trial.value.currencies.iter().all(|currency| currency.balanced),
        books: books(&auditor, &trial.value.currencies)?,
        position: trial.position,
        signed_to: checkpoints::signed_words(&auditor, auditor.head().await?).await?,
        chain: chain.map(|run| chain_row(&auditor, &run)),
        backing: backing(&auditor).await?,
        exceptions: breaks.len(),
        ages: ages(&auditor, &breaks),
        signed: signed(&auditor).await?,
        checkpoint: checkpoint(&auditor).await?,
    }))
}

fn books(auditor: &Auditor, currencies: &[CurrencyBalance]) -> Result<DataTable, Problem> {
    let columns = [
        Column::words("Currency"),
        Column::numbers("Debits"),
        Column::numbers("Credits"),
        Column::words("Same"),
    ];
    let row = |sum: &CurrencyBalance| -> Result<Vec<Cell>, Problem> {
        Ok(vec![
            sum.currency.to_string().into(),
            auditor.shown(sum.debits, sum.currency)?.into(),
            auditor.shown(sum.credits, sum.currency)?.into(),
            if sum.balanced { "✓ yes" } else { "✗ NO" }.into(),
        ])
    };
    let rows = currencies.iter().map(row).collect::<Result<_, _>>()?;
    Ok(DataTable::new("All debits and all credits", &columns, rows))
}

fn chain_row(auditor: &Auditor, run: &Run) -> ChainRow {
    let at = auditor.when(run.ended_at.unwrap_or(run.asked_at));
    ChainRow { at, row: RunRow::of(auditor, run) }
}

async fn backing(auditor: &Auditor) -> Result<Vec<BackingRow>, Problem> {
    let mut rows = Vec::new();
    for one in statements::backing(&auditor.reads.pool).await? {
        let code = one.currency.parse().map_err(|error| Problem::internal(&error))?;
        let shown = |amount| auditor.shown(amount, code);
        let pairs = Pairs::new(vec![
            Pair::new("Escrow, as the banks state it", shown(one.escrow_stated)?),
            Pair::new("Less paid and on no statement yet", shown(one.clearing_out)?),
            Pair::new("Less all that is owed to customers", shown(one.liabilities)?),
            Pair::new("Headroom", shown(one.headroom())?).total(),
        ]);
        rows.push(BackingRow { currency: one.currency.clone(), pairs, short: one.is_short() });
    }
    Ok(rows)
}

/// How many exceptions of which kind are how old.
fn ages(auditor: &Auditor, breaks: &[Break]) -> DataTable {
    let mut kinds: Vec<&str> = breaks.iter().map(|found| found.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut columns = vec![Column::words("What")];
    columns.extend(AGES.map(|(_, word)| Column::numbers(word)));
    let row = |kind: &&str| {
        let mut cells: Vec<Cell> = vec![super::reconciliation::kind_words(kind).into()];
        let mut from = i64::MIN;
        for (upto, _) in AGES {
            let is_of = |found: &&Break| {
                let hours = auditor.now.signed_duration_since(found.since).num_hours();
                found.kind == **kind && hours >= from && hours < upto
            };
            cells.push(breaks.iter().filter(is_of).count().to_string().into());
            from = upto;
        }
        cells
    };
    DataTable::new("Exceptions by age", &columns, kinds.iter().map(row).collect())
}

/// What was signed last about customers' money.
async fn signed(auditor: &Auditor) -> Result<Option<Pairs>, Problem> {
    let found = projections::audit::safeguarding(&auditor.reads.pool, None).await;
    let found = found.map_err(|error| Problem::internal(&error))?;
    let Some((last, faults)) = found.last() else { return Ok(None) };
    let Some(certificate) = &last.certificate else { return Ok(None) };
    let holds = if faults.is_empty() { "✓ holds".to_owned() } else { faults.join("; ") };
    Ok(Some(Pairs::new(vec![
        Pair::new("Bank day", certificate.day.to_string()),
        Pair::new(
            "As of event",
            Cell::Link(
                format!("#{}", certificate.position),
                format!("/audit/events?show={}", certificate.position),
            ),
        ),
        Pair::new("Signature and figures", holds),
        Pair::new("Signed by", hex::encode(&last.public_key)),
    ])))
}

/// The head of the log that was signed last.
async fn checkpoint(auditor: &Auditor) -> Result<Option<Pairs>, Problem> {
    let Some(last) = auditor.reads.proofs.last().await? else { return Ok(None) };
    let size = last.note.size();
    Ok(Some(Pairs::new(vec![
        Pair::new(
            "Up to event",
            Cell::Link(format!("#{size}"), format!("/audit/events?show={size}")),
        ),
        Pair::new("Signed", auditor.when(last.made_at)),
        Pair::new("Root of the tree", hex::encode(last.note.root())),
        Pair::new("Key", hex::encode(&last.public_key)),
        Pair::new("Cosigned by", checkpoints::witnesses(&last)),
    ])))
}
