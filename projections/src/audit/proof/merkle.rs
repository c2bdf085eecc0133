//! The hashes of RFC 6962, section 2.1, and the right edge of a tree that grows.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// The hash of a leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The hash of two neighbours.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    let (_, hashes) = bytes.split_at_mut(1);
    let (to_left, to_right) = hashes.split_at_mut(32);
    to_left.copy_from_slice(left);
    to_right.copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root of the tree without a leaf.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// What has to be known of a tree to let it grow: the roots of its complete subtrees, the largest
/// first. There are as many as the size has bits that are set, so that a leaf costs two hashes on
/// average and a root at most 63, however long the log is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf, by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The root of the tree as it is.
    pub fn root(&self) -> Hash {
        let peaks = self.peaks.iter().rev().copied();
        peaks.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}
