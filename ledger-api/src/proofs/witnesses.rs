//! Asks witnesses to countersign, as C2SP `tlog-witness` has it.
//!
//! A witness that answers wrongly or not at all holds up nothing: the checkpoint stands without its
//! word, and it is asked again a little later. One that says that it saw another log is told of as
//! loudly as one that is away: which of the two it is, a person has to see.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use projections::audit::proof::{NoteSignature, SignedCheckpoint};
use reqwest::{Client, StatusCode, Url, redirect::Policy};
use tokio::{sync::OnceCell, time::Instant};

use super::{ProofStore, Witness, consistency_of, maker::MakeError};

/// How long a witness may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one that failed is left alone.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Why a witness did not countersign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// It can't be reached.
    #[error("the witness can't be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It saw a larger log, or another one of the same size.
    #[error("the witness has seen {seen} events of a log of this name, and this one has {size}")]
    Ahead {
        /// What it has seen.
        seen: u64,
        /// What it was asked to sign.
        size: u64,
    },
    /// It does not believe that the log goes on from what it saw.
    #[error("the witness says that the log does not go on from what it saw: it was rewritten")]
    Inconsistent,
    /// It does not know the log, or its key.
    #[error("the witness refuses the checkpoint with status {0}")]
    Refused(u16),
    /// Its answer is no signature of its key.
    #[error("the witness's answer is no signature of its key")]
    Answer,
}

/// Those who are asked.
#[derive(Debug, Clone)]
pub struct Witnesses {
    all: Arc<[Asked]>,
    client: Arc<OnceCell<Client>>,
}

#[derive(Debug)]
struct Asked {
    witness: Witness,
    again_at: std::sync::Mutex<Option<Instant>>,
}

impl Witnesses {
    /// Those of a list.
    pub fn new(list: Vec<Witness>) -> Self {
        let asked = |witness| Asked { witness, again_at: std::sync::Mutex::new(None) };
        Self { all: list.into_iter().map(asked).collect(), client: Arc::default() }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Asks everybody who has not signed the note; whether it has more signatures now.
    ///
    /// # Errors
    /// [`MakeError`] if the tree can't be read or an answer not be stored. What is wrong with a
    /// witness is told and is no error.
    pub async fn cosign(
        &self,
        store: &ProofStore,
        note: &mut SignedCheckpoint,
    ) -> Result<bool, MakeError> {
        let mut more = false;
        for asked in self.all.iter() {
            let witness = &asked.witness;
            if note.cosigned_at(&witness.key).is_some() || asked.rests() {
                continue;
            }
            match self.ask(store, witness, note).await? {
                Ok(line) => {
                    store.cosigned(note.size(), &line).await?;
                    note.add(line);
                    more = true;
                }
                Err(error) => {
                    asked.rest();
                    let (name, reason) = (witness.key.name(), projections::describe(&error));
                    metrics::counter!("bahi_witness_failures_total", "witness" => name.to_owned())
                        .increment(1);
                    tracing::warn!(witness = name, reason, "a checkpoint was not cosigned");
                }
            }
        }
        Ok(more)
    }

    /// Asks one, and once more if it says that it stands elsewhere than we thought.
    async fn ask(
        &self,
        store: &ProofStore,
        witness: &Witness,
        note: &SignedCheckpoint,
    ) -> Result<Result<NoteSignature, WitnessError>, MakeError> {
        let mut old = store.seen_by(witness.key.name()).await?.min(note.size());
        for last in [false, true] {
            let proof = consistency_of(store, old, note.size()).await?;
            let body = request_body(old, &proof, note);
            match self.post(witness, body).await {
                Ok(Told::Signed(text)) => return Ok(signature(&text, witness, note)),
                Ok(Told::Stands(seen)) if last || seen >= note.size() => {
                    return Ok(Err(WitnessError::Ahead { seen, size: note.size() }));
                }
                Ok(Told::Stands(seen)) => old = seen,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Err(WitnessError::Answer))
    }

    async fn post(&self, witness: &Witness, body: String) -> Result<Told, WitnessError> {
        let client =
            self.client.get_or_try_init(client).await.map_err(WitnessError::Unreachable)?;
        let url = endpoint(&witness.url);
        let sent = client.post(url).body(body).send().await;
        let mut response = sent.map_err(WitnessError::Unreachable)?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(WitnessError::Unreachable)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(WitnessError::Answer);
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).map_err(|_| WitnessError::Answer)?;
        match status {
            StatusCode::OK => Ok(Told::Signed(text)),
            StatusCode::CONFLICT => {
                text.trim_end().parse().map(Told::Stands).map_err(|_| WitnessError::Answer)
            }
            StatusCode::UNPROCESSABLE_ENTITY => Err(WitnessError::Inconsistent),
            status => Err(WitnessError::Refused(status.as_u16())),
        }
    }
}

/// What a witness said.
enum Told {
    Signed(String),
    /// It has seen another size than the request said.
    Stands(u64),
}

impl Asked {
    fn rests(&self) -> bool {
        self.again_at.lock().is_ok_and(|at| at.is_some_and(|at| Instant::now() < at))
    }

    fn rest(&self) {
        if let Ok(mut at) = self.again_at.lock() {
            *at = Some(Instant::now() + AGAIN_AFTER);
        }
    }
}

async fn client() -> Result<Client, reqwest::Error> {
    Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build()
}

fn endpoint(url: &Url) -> String {
    format!("{}/add-checkpoint", url.as_str().trim_end_matches('/'))
}

/// What a witness is asked: the size that it saw, the proof from there, the note.
fn request_body(old: u64, proof: &[[u8; 32]], note: &SignedCheckpoint) -> String {
    let lines: Vec<String> =
        proof.iter().map(|hash| format!("{}\n", BASE64_STANDARD.encode(hash))).collect();
    format!("old {old}\n{}\n{note}", lines.concat())
}

/// The line of the answer that is this witness's, and true.
fn signature(
    text: &str,
    witness: &Witness,
    note: &SignedCheckpoint,
) -> Result<NoteSignature, WitnessError> {
    let lines = text.lines().filter_map(|line| NoteSignature::parse(line).ok());
    let mut true_ones = lines.filter(|line| {
        let mut with = note.clone();
        with.add(line.clone());
        with.cosigned_at(&witness.key).is_some()
    });
    true_ones.next().ok_or(WitnessError::Answer)
}
