//! The check itself: a source of the log, the chain and the books, and the report.
//!
//! The chain (hashing) and the books (payloads) look at the same rows and need nothing of each
//! other, so that each has a thread. An export is read by the one that hashes.

use std::{io::BufRead, sync::mpsc, thread, time::Instant};

use sqlx::{PgConnection, PgPool};
use tokio::task::spawn_blocking;

use super::{
    AuditError, Options, Progress,
    books::{Balance, Books, Days, Totals, Until},
    chain::Chain,
    database::LogReader,
    finding::{Code, Findings},
    lines::Lines,
    macs,
    read_models::{self, compare_read_models},
    record::Chunk,
    report::{ControlFigures, MacFigures, Report, Source},
    safeguarding,
    snapshots::Snapshots,
    stored_proofs,
    tree::TreeCheck,
};
use crate::reports::{Control, ControlError, controls};

/// How many chunks may wait for a slower thread.
const CHUNKS_WAITING_MAX: usize = 4;

/// Checks an export; no database is needed.
///
/// # Errors
/// [`AuditError`] if it cannot be read, or has no line of an export. What is wrong with an export
/// that can be read stands in the report.
pub fn verify_export(
    reader: impl BufRead,
    options: &Options,
    progress: impl FnMut(Progress),
) -> Result<Report, AuditError> {
    check_export(reader, options, None, progress).map(|(report, _)| report)
}

/// The balances at the place that somebody asked for, and the last position in them.
pub(crate) type Asked = (i64, Option<Vec<Balance>>);
/// The place that somebody asks about, and of which days.
pub(crate) type Question = (Until, Option<Days>);

/// [`verify_export`], and the balances that `until` asks for.
pub(crate) fn check_export(
    reader: impl BufRead,
    options: &Options,
    until: Option<Question>,
    mut progress: impl FnMut(Progress),
) -> Result<(Report, Asked), AuditError> {
    let started = Instant::now();
    let mut chain = Chain::new(options.findings_max, options.checkpoint.clone());
    let mut tree = TreeCheck::new(&options.notes, &options.keys, &options.witnesses);
    let books = Books::new(options.findings_max, until, None);
    let mut lines = Lines::new(reader);
    let mut totals = thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(CHUNKS_WAITING_MAX);
        let bookkeeper = scope.spawn(move || keep_books(books, receive.into_iter()));
        while let Some(chunk) = lines.next_chunk()? {
            check_chain(&mut chain, &mut tree, &chunk);
            progress(Progress { events: u64::try_from(chain.events).unwrap_or(0), of: None });
            send.send(chunk).map_err(|_| AuditError::Stopped)?;
        }
        drop(send);
        bookkeeper.join().map_err(|_| AuditError::Stopped)
    })?;
    chain.finish(Source::Export);
    let tree = tree.finish(&mut chain.findings);
    let asked = (totals.balances_at, totals.balances.take());
    let chain = (chain, tree);
    let report = Report::new(Source::Export, chain, totals, (None, None), started.elapsed());
    Ok((report, asked))
}

/// Checks the log of a database, and its read models if it has them.
///
/// # Errors
/// [`AuditError`] if the log cannot be read to its end: a connection that breaks is an error, never
/// a shorter log. What is wrong with it stands in the report.
pub async fn verify_database(
    pool: &PgPool,
    options: &Options,
    progress: impl FnMut(Progress),
) -> Result<Report, AuditError> {
    check_database(pool, options, None, progress).await.map(|(report, _)| report)
}

/// [`verify_database`], and the balances that `until` asks for; the read models are then not
/// compared. Without it they are, and what is given are the balances where they are.
pub(crate) async fn check_database(
    pool: &PgPool,
    options: &Options,
    until: Option<Question>,
    mut progress: impl FnMut(Progress),
) -> Result<(Report, Asked), AuditError> {
    let started = Instant::now();
    let mut log = LogReader::open(pool).await?;
    let (send, mut receive) = tokio::sync::mpsc::channel(CHUNKS_WAITING_MAX);
    let mut chain = Chain::new(options.findings_max, options.checkpoint.clone());
    let mut tree = TreeCheck::new(&options.notes, &options.keys, &options.witnesses);
    let mut about_tables = Findings::new(options.findings_max);
    tree.expect_stored(stored_proofs::notes(log.connection(), &mut about_tables).await?);
    let compares = options.read_models && until.is_none();
    let reflected = if compares { read_models::position(log.connection()).await? } else { None };
    let asked = until.or_else(|| reflected.map(|position| (Until::Exactly(position), None)));
    let stored = Snapshots::read(log.connection(), options.findings_max).await?;
    let books = Books::new(options.findings_max, asked, stored);
    let (hand_on, handed_on) = mpsc::sync_channel(CHUNKS_WAITING_MAX);
    let bookkeeper = spawn_blocking(move || keep_books(books, handed_on.into_iter()));
    let chain = spawn_blocking(move || {
        while let Some(chunk) = receive.blocking_recv() {
            check_chain(&mut chain, &mut tree, &chunk);
            if hand_on.send(chunk).is_err() {
                break;
            }
        }
        chain.finish(Source::Database);
        let figures = tree.finish(&mut chain.findings);
        (chain, tree, figures)
    });
    let mut events = 0_u64;
    while let Some(chunk) = log.next_chunk().await? {
        events += chunk.events();
        progress(Progress { events, of: Some(log.last_position) });
        if send.send(chunk).await.is_err() {
            break;
        }
    }
    drop(send);
    let (chain, tree, figures) = chain.await.map_err(|_| AuditError::Stopped)?;
    let mut totals = bookkeeper.await.map_err(|_| AuditError::Stopped)?;
    let read_models = match (reflected, &totals.balances) {
        (Some(position), Some(balances)) => {
            let (connection, findings) = (log.connection(), &mut totals.findings);
            Some(compare_read_models(connection, position, balances, findings).await?)
        }
        _ => None,
    };
    let mut macs = None;
    if chain.findings.is_empty() {
        let connection = log.connection();
        safeguarding::compare(connection, &mut totals.findings).await?;
        stored_proofs::compare(connection, &tree.blocks, &mut about_tables).await?;
        macs = compare_macs(connection, options, &mut about_tables).await?;
    }
    totals.findings.append(about_tables);
    let controls = match &read_models {
        Some(_) => Some(compare_controls(log.connection(), &mut totals.findings).await?),
        None => None,
    };
    let in_order = chain.findings.is_empty() && totals.findings.is_empty();
    let snapshots = totals.snapshots.take().filter(|_| in_order).map(|compared| {
        totals.findings.append(compared.findings);
        compared.figures
    });
    log.close().await?;
    let caches = (read_models, snapshots);
    let chain = (chain, figures);
    let asked = (totals.balances_at, totals.balances.take());
    let mut report = Report::new(Source::Database, chain, totals, caches, started.elapsed());
    (report.controls, report.macs) = (controls, macs);
    Ok((report, asked))
}

/// The MACs of batches, where somebody gave the key.
async fn compare_macs(
    connection: &mut PgConnection,
    options: &Options,
    findings: &mut Findings,
) -> Result<Option<MacFigures>, AuditError> {
    let Some(key) = &options.mac_key else { return Ok(None) };
    macs::compare(connection, key, findings).await.map(Some)
}

/// Control totals, where the database has what they are made of. Only what is made of the log alone
/// can break it.
async fn compare_controls(
    connection: &mut PgConnection,
    findings: &mut Findings,
) -> Result<ControlFigures, AuditError> {
    let mut figures = ControlFigures { compared: 0, differing: 0 };
    let all = controls(connection).await.map_err(|ControlError(error)| error)?;
    for control in all.into_iter().filter(Control::is_of_the_log) {
        figures.compared += 1;
        if !control.holds() {
            figures.differing += 1;
            let Control { control, subject, currency, ledger, counted, .. } = control;
            let words = format!("{control}: the ledger has {ledger} {currency}, counted {counted}");
            findings.stream(format!("account {subject}"), Code::ControlDiffers, words);
        }
    }
    Ok(figures)
}

fn keep_books(mut books: Books, chunks: impl Iterator<Item = Chunk>) -> Totals {
    for chunk in chunks {
        check_books(&mut books, &chunk);
    }
    books.finish()
}

fn check_chain(chain: &mut Chain, tree: &mut TreeCheck, chunk: &Chunk) {
    for item in chunk.items() {
        chain.item(&item);
        tree.item(&item, &mut chain.findings);
    }
}

fn check_books(books: &mut Books, chunk: &Chunk) {
    for item in chunk.items() {
        books.item(&item);
    }
}
