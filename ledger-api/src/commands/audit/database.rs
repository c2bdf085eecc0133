//! The check of a database, with the key of the batches' MACs where the machine has it.

use anyhow::{Context as _, ensure};
use ledger_api::{
    config::Settings,
    proofs::ProofSettings,
    setup::{Secret, noted_secret},
};
use projections::audit::{self, MacKey, Options, Report};
use sqlx::PgPool;

use super::super::{
    say,
    work::{Bar, with_reader},
};

/// Checks the log of a database, and what the database has beside it.
pub(super) async fn verify(settings: &Settings, options: &Options) -> anyhow::Result<Report> {
    with_reader(settings, async |pool| {
        let options = Options { mac_key: key(settings, pool).await, ..options.clone() };
        let bar = Bar::new("verifying");
        let report = audit::verify_database(pool, &options, |done| bar.at(done.events, done.of));
        report.await.context("can't verify the database")
    })
    .await
}

/// The key, if the secret of the ledger is here. Without it the check is made all the same, and its
/// report has no line of MACs; why is said.
async fn key(settings: &Settings, pool: &PgPool) -> Option<MacKey> {
    match derived(settings, pool).await {
        Ok(key) => key,
        Err(error) => {
            say::remark(format_args!("the MACs of batches are not checked: {error:#}"));
            None
        }
    }
}

async fn derived(settings: &Settings, pool: &PgPool) -> anyhow::Result<Option<MacKey>> {
    let file = settings.secret_file();
    let Some(secret) = Secret::read(&file)? else { return Ok(None) };
    let noted = noted_secret(pool).await.context("which secret it has could not be read")?;
    let same = noted.as_ref().is_none_or(|noted| *noted == secret.key_id());
    ensure!(same, "the secret in {} is of another ledger", file.display());
    Ok(Some(ProofSettings::from_environment(&settings.data)?.mac_key(&secret)))
}
