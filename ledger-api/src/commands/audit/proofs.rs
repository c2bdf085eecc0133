//! `bahi audit prove`, `check`, `signed` and `rotate-key`: proofs and the key behind them.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use ledger_api::{
    config::Settings,
    proofs::{ProofSettings, ProofStore, key_in_force, proof_of, read_key},
    setup::{Secret, write_private},
};
use ledger_core::{
    book::CheckpointKeyRotated, chart::Authority, command::Operation, engine::Engine,
    ids::Principal,
};
use projections::audit::proof::{
    LogKey, ProofError, ProofFile, SignedCheckpoint, Signer, WitnessKey, rotation_message,
};
use sqlx::PgPool;

use super::super::{
    Verdict, say,
    work::{submit, with_engine_on, with_reader},
};

/// Which event, under which checkpoint.
#[derive(Debug, Args)]
pub(super) struct Prove {
    /// The event's position
    position: u64,
    /// The size of the signed checkpoint that it is proved under [default: the last one]
    #[arg(long)]
    size: Option<u64>,
    /// Where to; else to the standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Prove {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        let proof = with_reader(settings, async |pool| self.proof(pool).await).await?;
        let Some(proof) = proof else {
            say::remark(format_args!(
                "no signed checkpoint has an event at position {}",
                self.position
            ));
            return Ok(Verdict::No);
        };
        let json = serde_json::to_string_pretty(&proof)?;
        match &self.out {
            None => say::line(json),
            Some(file) => std::fs::write(file, json + "\n")
                .with_context(|| format!("can't write {}", file.display()))?,
        }
        Ok(Verdict::Yes)
    }

    async fn proof(&self, pool: &PgPool) -> anyhow::Result<Option<ProofFile>> {
        let store = ProofStore::new(pool.clone());
        let checkpoint = match self.size {
            Some(size) => store.of_size(size).await?,
            None => store.last().await?,
        };
        let Some(checkpoint) = checkpoint else { return Ok(None) };
        Ok(proof_of(&store, self.position, &checkpoint.note).await?)
    }
}

/// Which proof, with whose keys.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// A proof, as `bahi audit prove` or the service gave it
    file: PathBuf,
    /// The log's key, in hexadecimal or as NAME+ID+BASE64; several are those that it had in turn
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<LogKey>,
    /// The key of a witness that must have cosigned the checkpoint
    #[arg(long = "witness", value_name = "KEY")]
    witnesses: Vec<WitnessKey>,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<Verdict> {
        let json = std::fs::read(&self.file)
            .with_context(|| format!("can't read {}", self.file.display()))?;
        let proof = ProofFile::from_json(&json)
            .with_context(|| format!("no proof in {}", self.file.display()))?;
        match proof.check(&self.keys, &self.witnesses) {
            Ok(checkpoint) => {
                self.tell(&proof, &checkpoint);
                Ok(Verdict::Yes)
            }
            Err(error @ (ProofError::Json(_) | ProofError::Format)) => Err(error.into()),
            Err(error) => {
                say::line(format_args!("NOT PROVEN: {}", projections::describe(&error)));
                Ok(Verdict::No)
            }
        }
    }

    fn tell(&self, proof: &ProofFile, checkpoint: &SignedCheckpoint) {
        let event = &proof.event;
        say::line(format_args!(
            "PROVEN: position {} of {} is in the log\n  {} {} #{}  {}  {}",
            event.position,
            checkpoint.origin(),
            event.aggregate_type,
            event.aggregate_id,
            event.sequence,
            event.event_type,
            event.recorded_at
        ));
        if let Some(payload) = &event.payload {
            say::line(format_args!("  {payload}"));
        }
        say::line(format_args!("  in the signed checkpoint of {} events", checkpoint.size()));
        for witness in &self.witnesses {
            if let Some(time) = checkpoint.cosigned_at(witness) {
                let when =
                    i64::try_from(time).ok().and_then(|t| chrono::DateTime::from_timestamp(t, 0));
                let when = when.map_or_else(|| time.to_string(), |when| when.to_rfc3339());
                say::line(format_args!("  cosigned by {} at {when}", witness.name()));
            }
        }
    }
}

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
