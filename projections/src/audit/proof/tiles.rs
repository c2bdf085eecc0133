//! Tiles: how the tree is kept, so that a proof of any size of it is a few reads.
//!
//! A tile is 256 neighbouring hashes of one level; a level of tiles stands eight levels of the tree
//! above the one below, as in C2SP `tlog-tiles`. Only complete tiles are kept: they never change,
//! so that they are only ever inserted. What stands at the right edge is made from the events and
//! from the tiles below, of which there are fewer than 256 each.

use super::merkle::{Hash, empty_root, node_hash};

/// How many hashes a tile has.
pub const TILE_HASHES: usize = 256;
/// How many bytes that is.
pub const TILE_BYTES: usize = TILE_HASHES * 32;

/// A complete tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its level: 0 is that of the leaves.
    pub level: u32,
    /// The which of its level, from 0.
    pub number: u64,
    /// Its hashes, one after the other.
    pub hashes: Vec<u8>,
    /// The root of its subtree, which is one hash of a tile of the next level.
    pub root: Hash,
}

/// Makes leaves into tiles, in order, from wherever the complete ones end.
#[derive(Debug, Clone, Default)]
pub struct Tiler {
    levels: Vec<Level>,
}

/// A tile that is not complete.
#[derive(Debug, Clone, Default)]
struct Level {
    number: u64,
    hashes: Vec<u8>,
}

impl Tiler {
    /// A tiler that goes on: for each level how many complete tiles there are, and the hashes that
    /// wait at its right edge.
    pub fn resume(levels: impl IntoIterator<Item = (u64, Vec<Hash>)>) -> Self {
        let levels = levels.into_iter();
        let levels = levels.map(|(number, hashes)| Level { number, hashes: hashes.concat() });
        Self { levels: levels.collect() }
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.levels.iter().rev().fold(0, |above, level| {
            let waiting = u64::try_from(level.hashes.len() / 32).unwrap_or(0);
            above.saturating_mul(256).saturating_add(waiting)
        })
    }

    /// The root of the tree as it is.
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        // From the right edge up: on each level the hashes that wait, in complete subtrees.
        for level in &self.levels {
            let mut rest = level.hashes.as_slice();
            let mut subtrees = Vec::new();
            while let Some(log) = (rest.len() / 32).checked_ilog2() {
                let (subtree, behind) = rest.split_at(32 << log);
                subtrees.push(tile_root(subtree));
                rest = behind;
            }
            for left in subtrees.into_iter().rev() {
                root = Some(root.map_or(left, |right| node_hash(&left, &right)));
            }
        }
        root.unwrap_or_else(empty_root)
    }

    /// Takes the next leaf, by its hash; hands over the tiles that it completes.
    pub fn push(&mut self, leaf: Hash, complete: &mut Vec<Tile>) {
        let mut hash = leaf;
        for level in 0_u32.. {
            let Ok(index) = usize::try_from(level) else { return };
            if index == self.levels.len() {
                self.levels.push(Level::default());
            }
            let Some(open) = self.levels.get_mut(index) else { return };
            open.hashes.extend_from_slice(&hash);
            if open.hashes.len() < TILE_BYTES {
                return;
            }
            let hashes = std::mem::take(&mut open.hashes);
            let number = open.number;
            open.number = open.number.saturating_add(1);
            hash = tile_root(&hashes);
            complete.push(Tile { level, number, hashes, root: hash });
        }
    }
}

/// The root over the hashes of a tile or of a stretch of one: a power of two of them.
pub fn tile_root(hashes: &[u8]) -> Hash {
    let mut nodes: Vec<Hash> = hashes.chunks_exact(32).map(to_hash).collect();
    while nodes.len() > 1 {
        nodes = nodes.chunks(2).map(pair).collect();
    }
    nodes.first().copied().unwrap_or_default()
}

fn pair(nodes: &[Hash]) -> Hash {
    match nodes {
        [left, right] => node_hash(left, right),
        [alone, ..] => *alone,
        [] => Hash::default(),
    }
}

fn to_hash(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap_or_default()
}
