//! The auditor's check of a whole log, in a process of its own, so that its memory is its own.

use std::process::{Command, Stdio};

use anyhow::Context;

use crate::{
    ACCOUNTS, Plan, Spread, books,
    callers::Load,
    memory::Memory,
    naive::per_second,
    report::Table,
    stand::{self, Stand},
};

/// The word that makes this program the verifier.
pub(crate) const WORD: &str = "verify-for-the-bench";
/// What it is called; `verifier:5000000` makes a log of that many events.
const NAME: &str = "verifier";
const CALLERS: u64 = 1_024;

/// Takes the row.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    let wanted = plan.scaled(NAME, 0).or_else(|| plan.has(NAME).then_some(0));
    let Some(wanted) = wanted else { return Ok(()) };
    let (url, database) = stand.ledger_url().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    // Read models are compared as well, so they must be there.
    let projecting = stand::project(database, &load.engine).await?;
    loop {
        load.drive(Spread::Uniform, CALLERS, plan.time).await?;
        if load.engine.status().borrow().head.position >= wanted {
            break;
        }
    }
    load.engine.shutdown().await;
    projecting.stop(load.engine.status().borrow().head.position).await?;

    let verify = move || -> anyhow::Result<_> {
        let mut verifier = Command::new(std::env::current_exe()?);
        Ok(verifier.args([WORD, &url]).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?)
    };
    let output = tokio::task::spawn_blocking(verify).await??;
    anyhow::ensure!(output.status.success(), "the verifier ended with {}", output.status);
    let line = String::from_utf8(output.stdout)?;
    let (rate, memory) = line.trim().split_once(' ').context("a rate and a memory")?;
    let what =
        format!("verifier: events checked by the auditor's check (at most {memory} of memory)");
    table.row(&what, rate.parse()?, &[], None);
    Ok(())
}

/// What the process does.
#[expect(clippy::print_stdout, reason = "how the parent learns of it")]
pub(crate) async fn verify(database: &str) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    let report = books::verified(database.parse()?).await?;
    let rate = per_second(u64::try_from(report.events)?, began.elapsed());
    println!("{rate} {}", Memory::most_of(std::process::id()));
    Ok(())
}
