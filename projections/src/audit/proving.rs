//! Proofs made of an export, by whoever has one: without the database, and without believing the
//! export. The root of what was read must be the one that was signed, else there is no proof.
//!
//! The log is read once. Of the tree only the subtrees are kept that the proof asks for, so that
//! memory grows with the logarithm of the log.

use std::io::BufRead;

use super::{
    AuditError, Progress,
    lines::Lines,
    proof::{
        ConsistencyFile, Frontier, Hash, LeafEvent, Nodes, ProofFile, ProvenEvent,
        SignedCheckpoint, consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof,
    },
    record::Item,
};

/// Why no proof could be made of an export.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// It could not be read.
    #[error("the export could not be read")]
    Read(#[from] AuditError),
    /// The checkpoint is of fewer events.
    #[error("the checkpoint of {size} events has none at position {position}")]
    Outside {
        /// The checkpoint's.
        size: u64,
        /// Of the event.
        position: u64,
    },
    /// The smaller checkpoint comes second.
    #[error("the first checkpoint is of more events than the second")]
    Backwards,
    /// Some events are missing, or out of order.
    #[error("the export is not whole: after position {after} another one follows than the next")]
    Gap {
        /// The last one that was in order.
        after: u64,
    },
    /// The export ends before the checkpoint.
    #[error("the export ends after {events} events, before the checkpoint of {size}")]
    Short {
        /// In the export.
        events: u64,
        /// The checkpoint's.
        size: u64,
    },
    /// It is another log than what was signed.
    #[error("the export is not what was signed at {size} events")]
    Differs {
        /// The checkpoint's.
        size: u64,
    },
}

/// The roots that a proof asks for, while the leaves go by.
struct Wanted {
    nodes: Vec<((u32, u64), Frontier)>,
}

impl Wanted {
    fn of(nodes: Vec<(u32, u64)>) -> Self {
        Self { nodes: nodes.into_iter().map(|node| (node, Frontier::default())).collect() }
    }

    fn leaf(&mut self, index: u64, leaf: Hash) {
        for ((level, number), frontier) in &mut self.nodes {
            if index.checked_shr(*level) == Some(*number) {
                frontier.push(leaf);
            }
        }
    }
}

impl Nodes for Wanted {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let (_, frontier) = self.nodes.iter().find(|(node, _)| *node == (level, index))?;
        let whole = 1_u64.checked_shl(level)?;
        (frontier.size() == whole).then(|| frontier.root())
    }
}

/// The proof that the event at `position` is in the log of a checkpoint.
///
/// # Errors
/// [`ProveError`], if the export is not the log that was signed, or cannot be read.
pub fn prove_export(
    reader: impl BufRead,
    position: u64,
    note: &SignedCheckpoint,
    progress: impl FnMut(Progress),
) -> Result<ProofFile, ProveError> {
    let size = note.size();
    let outside = ProveError::Outside { size, position };
    let Some(index) = position.checked_sub(1).filter(|index| *index < size) else {
        return Err(outside);
    };
    let mut wanted = Wanted::of(inclusion_nodes(index, size));
    let mut proven = None;
    read(reader, &[note], progress, |at, leaf| {
        wanted.leaf(at, leaf.leaf_hash());
        if at == index {
            proven = Some(ProvenEvent::of(leaf));
        }
    })?;
    match (proven, inclusion_proof(index, size, &wanted)) {
        (Some(event), Some(path)) => Ok(ProofFile::new(event, &path, note)),
        _ => Err(outside),
    }
}

/// The proof that the log of one checkpoint goes on from that of another.
///
/// # Errors
/// [`ProveError`], if the export is not the log that was signed, or cannot be read.
pub fn prove_export_consistent(
    reader: impl BufRead,
    (from, to): (&SignedCheckpoint, &SignedCheckpoint),
    progress: impl FnMut(Progress),
) -> Result<ConsistencyFile, ProveError> {
    if from.size() > to.size() {
        return Err(ProveError::Backwards);
    }
    let mut wanted = Wanted::of(consistency_nodes(from.size(), to.size()));
    read(reader, &[from, to], progress, |at, leaf| wanted.leaf(at, leaf.leaf_hash()))?;
    let path = consistency_proof(from.size(), to.size(), &wanted);
    let path = path.ok_or(ProveError::Differs { size: to.size() })?;
    Ok(ConsistencyFile::new(&path, from, to))
}

/// Reads the events up to the last of the notes, which are in the order of their sizes, and holds
/// the root at each note against it.
fn read(
    reader: impl BufRead,
    notes: &[&SignedCheckpoint],
    mut progress: impl FnMut(Progress),
    mut each: impl FnMut(u64, &LeafEvent<'_>),
) -> Result<(), ProveError> {
    let last = notes.last().map_or(0, |note| note.size());
    let mut tree = Frontier::default();
    let meets = |tree: &Frontier| {
        let differs =
            |note: &&&SignedCheckpoint| note.size() == tree.size() && *note.root() != tree.root();
        match notes.iter().find(differs) {
            Some(note) => Err(ProveError::Differs { size: note.size() }),
            None => Ok(()),
        }
    };
    meets(&tree)?;
    let mut lines = Lines::new(reader);
    while tree.size() < last {
        let Some(chunk) = lines.next_chunk()? else {
            return Err(ProveError::Short { events: tree.size(), size: last });
        };
        for item in chunk.items() {
            let Item::Event(event) = &item else { continue };
            if tree.size() == last {
                break;
            }
            let next = tree.size().saturating_add(1);
            if u64::try_from(event.position).ok() != Some(next) {
                return Err(ProveError::Gap { after: tree.size() });
            }
            let leaf = LeafEvent::from(event);
            each(tree.size(), &leaf);
            tree.push(leaf.leaf_hash());
            // Only where a note is: a root costs some hashes.
            if notes.iter().any(|note| note.size() == tree.size()) {
                meets(&tree)?;
            }
        }
        progress(Progress { events: tree.size(), of: Some(last) });
    }
    Ok(())
}
