//! on from another; of the database or of an export, checked anywhere.

use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use ledger_api::{
    config::Settings,
    proofs::{ProofStore, StoredCheckpoint, consistency_of, proof_of},
};
use projections::audit::{
    ProveError,
    proof::{ConsistencyFile, LogKey, ProofError, ProofFile, SignedCheckpoint, WitnessKey},
    prove_export, prove_export_consistent,
};
use serde::Serialize;
use sqlx::PgPool;

use super::super::{
    Verdict, say,
    work::{Bar, with_reader},
};

/// What is to be proved, and of what.
#[derive(Debug, Args)]
pub(super) struct Prove {
    /// The event's position
    #[arg(required_unless_present_any = ["from", "export"])]
    position: Option<u64>,
    /// Prove instead that the log goes on from the signed checkpoint of this size
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["position", "export"])]
    from: Option<u64>,
    /// The size of the signed checkpoint that it is proved under [default: the last one]
    #[arg(long, conflicts_with = "export")]
    size: Option<u64>,
    /// An export to prove it of, instead of the database
    #[arg(long, value_name = "FILE", requires = "checkpoints")]
    export: Option<PathBuf>,
    /// With --export: the note that it is proved under; without a position two of them, the second
    /// of which goes on from the first
    #[arg(long = "checkpoint", value_name = "FILE", requires = "export")]
    checkpoints: Vec<PathBuf>,
    /// Where to; else to the standard output
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Prove {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<Verdict> {
        if let Some(export) = &self.export {
            return self.of_export(export);
        }
        if let Some(from) = self.from {
            let proof = with_reader(settings, async |pool| self.consistency(pool, from).await);
            return self.tell(proof.await?, "one of these checkpoints was never signed");
        }
        let proof = with_reader(settings, async |pool| self.proof(pool).await).await?;
        self.tell(proof, "no signed checkpoint has an event at that position")
    }

    async fn proof(&self, pool: &PgPool) -> anyhow::Result<Option<ProofFile>> {
        let store = ProofStore::new(pool.clone());
        let (Some(position), Some(checkpoint)) = (self.position, self.under(&store).await?) else {
            return Ok(None);
        };
        Ok(proof_of(&store, position, &checkpoint.note).await?)
    }

    async fn consistency(
        &self,
        pool: &PgPool,
        from: u64,
    ) -> anyhow::Result<Option<ConsistencyFile>> {
        let store = ProofStore::new(pool.clone());
        let (from, to) = (store.of_size(from).await?, self.under(&store).await?);
        let (Some(from), Some(to)) = (from, to) else { return Ok(None) };
        let (old, new) = (from.note.size(), to.note.size());
        ensure!(old <= new, "the checkpoint of {old} events is the larger one");
        let path = consistency_of(&store, old, new).await?;
        Ok(Some(ConsistencyFile::new(&path, &from.note, &to.note)))
    }

    /// The checkpoint that it is proved under.
    async fn under(&self, store: &ProofStore) -> sqlx::Result<Option<StoredCheckpoint>> {
        match self.size {
            Some(size) => store.of_size(size).await,
            None => store.last().await,
        }
    }

    /// Without a database: what was signed decides whether the export is that log.
    fn of_export(&self, log: &Path) -> anyhow::Result<Verdict> {
        let notes: Vec<_> =
            self.checkpoints.iter().map(|file| note(file)).collect::<Result<_, _>>()?;
        let opened = File::open(log).with_context(|| format!("can't read {}", log.display()))?;
        let reader = BufReader::with_capacity(1 << 20, opened);
        let bar = Bar::new("reading");
        let at = |done: projections::audit::Progress| bar.at(done.events, done.of);
        match (self.position, notes.as_slice()) {
            (Some(position), [note]) => {
                let proof = prove_export(reader, position, note, at);
                self.tell_made(proof, log)
            }
            (None, [from, to]) => {
                let proof = prove_export_consistent(reader, (from, to), at);
                self.tell_made(proof, log)
            }
            _ => bail!("give a position and one --checkpoint, or two of them and no position"),
        }
    }

    fn tell_made<P: Serialize>(
        &self,
        proof: Result<P, ProveError>,
        log: &Path,
    ) -> anyhow::Result<Verdict> {
        match proof {
            Ok(proof) => self.tell(Some(proof), ""),
            Err(ProveError::Read(error)) => {
                Err(error).with_context(|| format!("can't read {}", log.display()))
            }
            Err(error) => {
                say::line(format_args!("NOT PROVEN: {error}"));
                Ok(Verdict::No)
            }
        }
    }

    fn tell<P: Serialize>(&self, proof: Option<P>, without: &str) -> anyhow::Result<Verdict> {
        let Some(proof) = proof else {
            say::remark(without);
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
}

fn note(file: &Path) -> anyhow::Result<SignedCheckpoint> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("can't read {}", file.display()))?;
    SignedCheckpoint::parse(&text).with_context(|| format!("no checkpoint in {}", file.display()))
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
        let none = || format!("no proof in {}", self.file.display());
        let checked = if ConsistencyFile::is_one(&json) {
            let proof = ConsistencyFile::from_json(&json).with_context(none)?;
            proof.check(&self.keys, &self.witnesses).map(|(from, to)| self.tell_on(&from, &to))
        } else {
            let proof = ProofFile::from_json(&json).with_context(none)?;
            let checked = proof.check(&self.keys, &self.witnesses);
            checked.map(|checkpoint| self.tell(&proof, &checkpoint))
        };
        match checked {
            Ok(()) => Ok(Verdict::Yes),
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
        self.tell_witnesses(checkpoint);
    }

    fn tell_on(&self, from: &SignedCheckpoint, to: &SignedCheckpoint) {
        say::line(format_args!(
            "PROVEN: {} of {} events goes on from its first {}\n  nothing of them was changed, cut \
             off or put in between",
            to.origin(),
            to.size(),
            from.size()
        ));
        self.tell_witnesses(to);
    }

    fn tell_witnesses(&self, checkpoint: &SignedCheckpoint) {
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
