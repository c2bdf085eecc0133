//! The tree as it is stored: what a proof needs of it, read and no more.
//!
//! A hash that a proof asks for is made from one tile: a complete one, or the one at the right
//! edge, which is made of at most 255 events or 255 roots of tiles below.

use std::collections::{BTreeMap, btree_map::Entry};

use ledger_core::log::{self, LogError, RecordedEvent};
use projections::audit::proof::{
    Hash, LeafEvent, Nodes, ProofFile, ProvenEvent, SignedCheckpoint, TILE_HASHES, Tiler,
    consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof, tile_root,
};

use super::store::ProofStore;

const HASHES: u64 = 256;
/// Events of one reading.
pub(super) const PAGE: u32 = 1_024;

/// Why the tree could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The log could not be read.
    #[error("the log could not be read")]
    Log(#[from] LogError),
    /// The tiles could not be read or written.
    #[error("the tree of the log could not be read or written")]
    Database(#[from] sqlx::Error),
    /// Something of the tree is missing that should be there.
    #[error("the tree of the log has a hole: a tile or an event is missing")]
    Hole,
}

/// Complete and open tiles, as many as somebody asked for.
#[derive(Debug, Default)]
pub struct StoredTree {
    tiles: BTreeMap<(u32, u64), Vec<u8>>,
}

impl Nodes for StoredTree {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let (tile, first, count) = place(level, index);
        let hashes = self.tiles.get(&tile)?;
        Some(tile_root(hashes.get(first * 32..(first + count) * 32)?))
    }
}

/// In which tile a node is: the tile, its first hash there, and of how many it is the root.
fn place(level: u32, index: u64) -> ((u32, u64), usize, usize) {
    let (above, within) = (level / 8, level % 8);
    let at = index << within;
    let first = usize::try_from(at % HASHES).unwrap_or(TILE_HASHES);
    ((above, at / HASHES), first, 1 << within)
}

impl StoredTree {
    /// Reads what these nodes are made from, of the tree of `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`] if that can't be read.
    pub async fn read(
        store: &ProofStore,
        size: u64,
        nodes: impl IntoIterator<Item = (u32, u64)>,
    ) -> Result<Self, TreeError> {
        let mut tree = Self::default();
        for (level, index) in nodes {
            let (tile, _, _) = place(level, index);
            if let Entry::Vacant(place) = tree.tiles.entry(tile) {
                place.insert(hashes_of(store, size, tile).await?);
            }
        }
        Ok(tree)
    }
}

async fn hashes_of(
    store: &ProofStore,
    size: u64,
    (level, number): (u32, u64),
) -> Result<Vec<u8>, TreeError> {
    if let Some(hashes) = store.tile(level, number).await? {
        return Ok(hashes);
    }
    let (from, to) = (number * HASHES, number.saturating_add(1) * HASHES);
    let hashes = match level.checked_sub(1) {
        Some(below) => store.roots(below, (from, to)).await?,
        None => leaves(store, from, to.min(size)).await?,
    };
    Ok(hashes.concat())
}

/// The hashes of leaves, from the events.
async fn leaves(store: &ProofStore, from: u64, to: u64) -> Result<Vec<Hash>, TreeError> {
    let events = log::read::events(store.pool(), from, to, PAGE).await?;
    Ok(events.iter().map(|event| leaf_of(event).1).collect())
}

/// An event as an export has it, and the hash of its leaf.
pub fn leaf_of(event: &RecordedEvent) -> (ProvenEvent, Hash) {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let leaf = LeafEvent {
        position: number(event.position),
        aggregate_type: &event.aggregate_type,
        aggregate_id: &event.aggregate_id,
        sequence: number(event.sequence),
        event_type: &event.event_type,
        event_version: &event.event_version,
        recorded_at: event.recorded_at.timestamp_micros(),
        payload: &event.payload,
        metadata: &event.metadata,
        hash: &event.hash,
    };
    (ProvenEvent::of(&leaf), leaf.leaf_hash())
}

/// The proof that the event at `position` is in the log of a checkpoint. Nothing if the log has no
/// such event, or the checkpoint is older.
///
/// # Errors
/// [`TreeError`] if it can't be made.
pub async fn proof_of(
    store: &ProofStore,
    position: u64,
    checkpoint: &SignedCheckpoint,
) -> Result<Option<ProofFile>, TreeError> {
    let Some(index) = position.checked_sub(1).filter(|index| *index < checkpoint.size()) else {
        return Ok(None);
    };
    let events = log::read::events(store.pool(), index, position, 1).await?;
    let event = events.first().ok_or(TreeError::Hole)?;
    let size = checkpoint.size();
    let tree = StoredTree::read(store, size, inclusion_nodes(index, size)).await?;
    let path = inclusion_proof(index, size, &tree).ok_or(TreeError::Hole)?;
    Ok(Some(ProofFile::new(leaf_of(event).0, &path, checkpoint)))
}

/// The proof that the log of `size` events goes on from that of `old`.
///
/// # Errors
/// [`TreeError`] if it can't be made.
pub async fn consistency_of(
    store: &ProofStore,
    old: u64,
    size: u64,
) -> Result<Vec<Hash>, TreeError> {
    let tree = StoredTree::read(store, size, consistency_nodes(old, size)).await?;
    consistency_proof(old, size, &tree).ok_or(TreeError::Hole)
}

/// Brings the stored tiles up to the log, and gives the tree of exactly `size` leaves.
///
/// # Errors
/// [`TreeError`] if the log can't be read or the tiles not be written.
pub(super) async fn grow(store: &ProofStore, size: u64) -> Result<Tiler, TreeError> {
    let counts = store.complete_tiles().await?;
    let mut levels = vec![(counts.first().copied().unwrap_or(0), Vec::new())];
    for (level, complete) in (0_u32..).zip(&counts) {
        let above = usize::try_from(level).ok().and_then(|level| counts.get(level + 1));
        let above = above.copied().unwrap_or(0);
        levels.push((above, store.roots(level, (above * HASHES, *complete)).await?));
    }
    let mut after = counts.first().copied().unwrap_or(0).saturating_mul(HASHES);
    let mut tiler = Tiler::resume(levels);
    let mut complete = Vec::new();
    while after < size {
        let events = log::read::events(store.pool(), after, size, PAGE).await?;
        let Some(last) = events.last() else { return Err(TreeError::Hole) };
        after = last.position;
        for event in &events {
            tiler.push(leaf_of(event).1, &mut complete);
        }
        store.insert_tiles(&complete).await?;
        complete.clear();
    }
    Ok(tiler)
}
