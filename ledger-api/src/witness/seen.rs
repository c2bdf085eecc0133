//! What a witness has seen, and its judgement on what it is shown.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use projections::audit::proof::{
    Hash, LogKey, NoteSignature, SignedCheckpoint, Signer, empty_root, verify_consistency,
};

use crate::setup::write_private;

/// The most hashes of a proof.
const PROOF_LINES_MAX: usize = 63;

/// Why a witness cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum SeenError {
    /// Its file can't be read.
    #[error("what was seen ({}) can't be read", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its file says something else.
    #[error("{} is not what a witness has seen", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Why a witness does not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no request: old size, proof, note.
    #[error("the request is malformed")]
    Malformed,
    /// It does not watch this log.
    #[error("the log is not one of this witness")]
    UnknownLog,
    /// None of the log's keys has signed the checkpoint.
    #[error("the checkpoint is not signed by the log's key")]
    Unsigned,
    /// It has seen another size than the request goes on from, or another root of this size.
    #[error("{0} events of this log were seen last")]
    Conflict(u64),
    /// The checkpoint does not go on from what was seen.
    #[error("the checkpoint does not go on from what was seen")]
    Inconsistent,
    /// What is to be remembered could not be written.
    #[error("the state could not be written")]
    NotKept,
}

/// A witness's memory and key.
pub struct WitnessBook {
    name: String,
    signer: Signer,
    logs: BTreeMap<String, Vec<LogKey>>,
    file: PathBuf,
    /// The last note of each log.
    seen: Mutex<BTreeMap<String, String>>,
}

/// What was asked.
struct Request {
    old: u64,
    proof: Vec<Hash>,
    note: SignedCheckpoint,
}

impl WitnessBook {
    /// A witness of these logs, by their names, with what its file says that it has seen.
    ///
    /// # Errors
    /// [`SeenError`] if the file can't be read: it does not start afresh.
    pub fn open(
        (name, signer): (String, Signer),
        logs: BTreeMap<String, Vec<LogKey>>,
        file: PathBuf,
    ) -> Result<Self, SeenError> {
        let seen = match std::fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(SeenError::File { file, source }),
            Ok(json) => match serde_json::from_slice(&json) {
                Ok(seen) => seen,
                Err(source) => return Err(SeenError::Malformed { file, source }),
            },
        };
        Ok(Self { name, signer, logs, file, seen: Mutex::new(seen) })
    }

    /// Judges a request at `now`, in seconds since 1970. A signature is given only after what it
    /// says is on the disk.
    ///
    /// # Errors
    /// [`Refusal`] if it does not sign.
    pub fn add(&self, body: &str, now: u64) -> Result<NoteSignature, Refusal> {
        let request = Request::parse(body).ok_or(Refusal::Malformed)?;
        let note = &request.note;
        let keys = self.logs.get(note.origin()).ok_or(Refusal::UnknownLog)?;
        if !keys.iter().any(|key| note.is_signed_by(*key)) {
            return Err(Refusal::Unsigned);
        }
        if request.old > note.size() {
            return Err(Refusal::Malformed);
        }
        // Held until it is on the disk: of two that ask at once, the second is judged by the first.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let last = seen.get(note.origin()).and_then(|text| SignedCheckpoint::parse(text).ok());
        let (size, root) = last.map_or((0, empty_root()), |last| (last.size(), *last.root()));
        let same_size = size == note.size();
        if request.old != size || (same_size && root != *note.root()) {
            return Err(Refusal::Conflict(size));
        }
        if !verify_consistency((size, &root), (note.size(), note.root()), &request.proof) {
            return Err(Refusal::Inconsistent);
        }
        let mut next = seen.clone();
        next.insert(note.origin().to_owned(), note.to_string());
        let json = serde_json::to_string_pretty(&next).map_err(|_| Refusal::NotKept)?;
        if let Err(error) = write_private(&self.file, &json, true) {
            tracing::error!(%error, "what was seen could not be written");
            return Err(Refusal::NotKept);
        }
        *seen = next;
        Ok(self.signer.cosign(&self.name, note.text(), now))
    }
}

impl Request {
    fn parse(body: &str) -> Option<Self> {
        let (head, note) = body.split_once("\n\n")?;
        let mut lines = head.lines();
        let old = lines.next()?.strip_prefix("old ")?;
        let size: u64 = old.parse().ok().filter(|size: &u64| size.to_string() == old)?;
        let hash = |line| BASE64_STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok());
        let proof: Vec<Hash> = lines.map(hash).collect::<Option<_>>()?;
        let note = SignedCheckpoint::parse(note).ok()?;
        (proof.len() <= PROOF_LINES_MAX).then_some(Self { old: size, proof, note })
    }
}

#[cfg(test)]
mod tests {
    use projections::audit::proof::{
        Nodes, Signer, consistency_proof, leaf_hash, node_hash, root_at,
    };

    use super::*;

    const ORIGIN: &str = "bahi.example/log";

    /// A log of numbers, `shade` of which there can be several.
    struct Log(u8);

    impl Nodes for Log {
        fn node(&self, level: u32, index: u64) -> Option<Hash> {
            if level == 0 {
                return Some(leaf_hash(&[&[self.0][..], &index.to_be_bytes()].concat()));
            }
            let (left, right) =
                (self.node(level - 1, 2 * index)?, self.node(level - 1, 2 * index + 1)?);
            Some(node_hash(&left, &right))
        }
    }

    fn log_key() -> Signer {
        Signer::of(&[1; 32])
    }

    fn note(log: &Log, size: u64, signer: &Signer) -> SignedCheckpoint {
        let root = root_at(size, log).unwrap();
        SignedCheckpoint::sign(ORIGIN, size, &root, signer).unwrap()
    }

    fn request(log: &Log, (old, size): (u64, u64)) -> String {
        let proof = consistency_proof(old, size, log).unwrap_or_default();
        let lines: Vec<String> =
            proof.iter().map(|hash| BASE64_STANDARD.encode(hash) + "\n").collect();
        format!("old {old}\n{}\n{}", lines.concat(), note(log, size, &log_key()))
    }

    struct Stand {
        _folder: tempfile::TempDir,
        file: PathBuf,
        book: WitnessBook,
    }

    fn open(file: &std::path::Path) -> Result<WitnessBook, SeenError> {
        let logs = [(ORIGIN.to_owned(), vec![log_key().public()])].into();
        WitnessBook::open(("w.example".to_owned(), Signer::of(&[2; 32])), logs, file.to_owned())
    }

    fn stand() -> Stand {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seen.json");
        Stand { book: open(&file).unwrap(), file, _folder: folder }
    }

    #[test]
    fn it_signs_what_goes_on_from_what_it_saw_also_after_a_restart() {
        let stand = stand();
        let line = stand.book.add(&request(&Log(0), (0, 5)), 7).unwrap();
        let mut signed = note(&Log(0), 5, &log_key());
        signed.add(line);
        let key = Signer::of(&[2; 32]).witness("w.example").unwrap();
        assert_eq!(signed.cosigned_at(&key), Some(7));
        drop(stand.book);
        let book = open(&stand.file).unwrap();
        assert_eq!(book.add(&request(&Log(0), (0, 9)), 8).unwrap_err(), Refusal::Conflict(5));
        assert!(book.add(&request(&Log(0), (5, 9)), 8).is_ok());
        assert!(book.add(&request(&Log(0), (9, 9)), 9).is_ok(), "asked again, it says it again");
    }

    #[test]
    fn case_174_of_two_versions_of_a_log_it_signs_one() {
        let stand = stand();
        stand.book.add(&request(&Log(0), (0, 5)), 7).unwrap();
        let refused = |body: &str| stand.book.add(body, 8).unwrap_err();
        assert_eq!(refused(&request(&Log(1), (5, 5))), Refusal::Conflict(5), "another log");
        assert_eq!(refused(&request(&Log(1), (5, 9))), Refusal::Inconsistent, "rewritten");
        assert_eq!(refused(&request(&Log(1), (0, 9))), Refusal::Conflict(5), "from the start");
        assert_eq!(refused(&request(&Log(0), (4, 4))), Refusal::Conflict(5), "cut short");
        let cut = request(&Log(0), (5, 5)).replace("old 5", "old 6");
        assert_eq!(refused(&cut), Refusal::Malformed);
        assert!(stand.book.add(&request(&Log(0), (5, 9)), 8).is_ok(), "the true one goes on");
    }

    #[test]
    fn strangers_and_strange_requests_are_refused() {
        let stand = stand();
        let good = request(&Log(0), (0, 5));
        let refused = |body: &str| stand.book.add(body, 8).unwrap_err();
        assert_eq!(refused(&good.replace(ORIGIN, "other/log")), Refusal::UnknownLog);
        let forged = note(&Log(0), 5, &Signer::of(&[3; 32]));
        assert_eq!(refused(&format!("old 0\n\n{forged}")), Refusal::Unsigned);
        for bad in [
            "",
            "old 0",
            &good.replace("old 0", "old 00"),
            &good.replace("old 0", "old -1"),
            &good.replace("old 0\n", "old 0\nabc\n"),
            &good.replace("old 0\n\n", "old 0\n"),
            &format!("old 0\n{}\n{forged}", (BASE64_STANDARD.encode([0; 32]) + "\n").repeat(64)),
        ] {
            assert_eq!(refused(bad), Refusal::Malformed, "{bad}");
        }
        assert!(!stand.file.exists(), "nothing was remembered");
    }

    #[test]
    fn a_witness_that_cannot_remember_does_not_sign_or_start() {
        let stand = stand();
        std::fs::create_dir_all(&stand.file).unwrap();
        assert_eq!(stand.book.add(&request(&Log(0), (0, 5)), 7).unwrap_err(), Refusal::NotKept);
        assert!(open(&stand.file).is_err());
        std::fs::remove_dir(&stand.file).unwrap();
        std::fs::write(&stand.file, "{").unwrap();
        assert!(matches!(open(&stand.file), Err(SeenError::Malformed { .. })));
    }
}
