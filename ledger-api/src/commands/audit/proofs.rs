//! `bahi audit signed` and `rotate-key`: what was signed, and the key behind it.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use ledger_api::{
    config::Settings,
    proofs::{ProofSettings, ProofStore, key_in_force, read_key},
    setup::{Secret, write_private},
};
use ledger_core::{
    book::CheckpointKeyRotated, chart::Authority, command::Operation, engine::Engine,
    ids::Principal,
};
use projections::audit::proof::{LogKey, Signer, rotation_message};
use sqlx::PgPool;

use super::super::{
    Verdict, say,
    work::{submit, with_engine_on, with_reader},
};

/// Where to.
#[derive(Debug, Args)]
pub(super) struct Signed {
    /// The size of the checkpoint [default: the last one]
    #[arg(long)]
    size: Option<u64>,
    /// A new file; else to the standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Signed {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        let found = with_reader(settings, async |pool| {
            let store = ProofStore::new(pool.clone());
            Ok(match self.size {
                Some(size) => store.of_size(size).await?,
                None => store.last().await?,
            })
        })
        .await?;
        let Some(found) = found else {
            say::remark(format_args!("no such checkpoint was signed yet"));
            return Ok(Verdict::No);
        };
        say::remark(format_args!(
            "{} events, signed by {}",
            found.note.size(),
            hex::encode(&found.public_key)
        ));
        match &self.out {
            None => say::line(found.note.to_string().trim_end()),
            Some(file) => write_new(file, &found.note.to_string())?,
        }
        Ok(Verdict::Yes)
    }
}

/// Writes a file that is not there yet: what it replaced would be what it is kept for.
pub(super) fn write_new(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut opened = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .with_context(|| format!("can't make the new file {}", file.display()))?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    Ok(())
}

/// By whom.
#[derive(Debug, Args)]
pub(super) struct RotateKey {
    /// Who does it; stands in the log
    #[arg(long = "as", default_value = "operator", value_name = "NAME")]
    principal: Principal,
}

impl RotateKey {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        let file = ProofSettings::from_environment(&settings.data)?.key_file;
        with_engine_on(settings, async |database, engine| {
            let pool = database.pool(database.app().clone());
            let done = self.rotate(&pool, engine, &file).await;
            pool.close().await;
            done
        })
        .await
    }

    /// The next key is on the disk before the log says that it is in force, and in its place after:
    /// whatever breaks off in between, the next call goes on from there.
    async fn rotate(&self, pool: &PgPool, engine: &Engine, file: &Path) -> anyhow::Result<Verdict> {
        let mut next_file = file.as_os_str().to_owned();
        next_file.push(".next");
        let next_file = PathBuf::from(next_file);
        let next = match Secret::read(&next_file)? {
            Some(secret) => secret,
            None => Secret::generate().write_new(&next_file)?,
        };
        let new = Signer::of(next.bytes()).public();
        let in_force = key_in_force(pool, u64::MAX).await?;
        if in_force.is_none_or(|force| force.key != new) {
            let old = Secret::read(file)?.map(|secret| Signer::of(secret.bytes()));
            let Some(old) = old else { bail!("there is no key in {} yet", file.display()) };
            let rotated = rotation(&old, new)?;
            let operation = Operation::RotateCheckpointKey(Box::new(rotated));
            let done = submit(engine, &self.principal, None, Authority::NONE, operation).await?;
            if let Err(rejection) = done {
                say::remark(format_args!("{} [{}]", rejection.detail, rejection.code));
                return Ok(Verdict::No);
            }
        }
        let force = key_in_force(pool, u64::MAX).await?;
        let Some(force) = force.filter(|force| force.key == new) else {
            bail!("the log does not say that the new key is in force");
        };
        write_private(file, &format!("{}\n", hex::encode(next.bytes())), true)?;
        ensure!(read_key(file)?.public() == new, "the new key did not come into its file");
        std::fs::remove_file(&next_file)?;
        say::line(format_args!("{} signs from position {} on", new.hex(), force.since));
        Ok(Verdict::Yes)
    }
}

fn rotation(old: &Signer, new: LogKey) -> anyhow::Result<CheckpointKeyRotated> {
    let signature = old.sign_bytes(&rotation_message(old.public(), new));
    let signature = <[u8; 64]>::try_from(signature.as_slice());
    Ok(CheckpointKeyRotated {
        old_key: old.public().to_bytes(),
        new_key: new.to_bytes(),
        signature: signature.context("a signature has 64 bytes")?,
    })
}
