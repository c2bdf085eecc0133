//! Proofs: that a leaf is in a tree, and that a tree goes on from a smaller one.
//!
//! Made from the roots of complete subtrees, whoever keeps those; checked with nothing but the
//! proof. Which subtrees a proof needs can be asked beforehand, so that they can be fetched first.
//! Both are of the logarithm of the size.

use super::merkle::{Hash, empty_root, node_hash};

/// Who knows the roots of complete subtrees: of 2^`level` leaves, the `index`th of its kind.
pub trait Nodes {
    /// The root; nothing if it is not known.
    fn node(&self, level: u32, index: u64) -> Option<Hash>;
}

/// A stretch of leaves: from, to. `from` is a multiple of the least power of two that it fits in.
type Stretch = (u64, u64);

/// The largest power of two below `n`, which is 2 at least.
fn split(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

/// The stretches whose roots are PATH(index, D[size]) of the RFC, in its order.
fn inclusion_stretches(index: u64, size: u64) -> Vec<Stretch> {
    let (mut from, mut to) = (0, size);
    let mut stretches = Vec::new();
    while index < size && to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            stretches.push((middle, to));
            to = middle;
        } else {
            stretches.push((from, middle));
            from = middle;
        }
    }
    stretches.reverse();
    stretches
}

/// The stretches whose roots are PROOF(old, D[size]) of the RFC, in its order.
fn consistency_stretches(old: u64, size: u64) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    if old == 0 || old >= size {
        return stretches;
    }
    let (mut from, mut to) = (0, size);
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            stretches.push((middle, to));
            to = middle;
        } else {
            stretches.push((from, middle));
            from = middle;
        }
    }
    if from > 0 {
        stretches.push((from, to));
    }
    stretches.reverse();
    stretches
}

/// The complete subtrees that a stretch consists of, the largest first: level, index.
fn subtrees((mut from, to): Stretch) -> Vec<(u32, u64)> {
    let mut subtrees = Vec::new();
    while from < to {
        let level = u64::BITS - 1 - (to - from).leading_zeros();
        subtrees.push((level, from >> level));
        from += 1 << level;
    }
    subtrees
}

fn root_of(stretch: Stretch, nodes: &impl Nodes) -> Option<Hash> {
    let mut root: Option<Hash> = None;
    for (level, index) in subtrees(stretch).into_iter().rev() {
        let left = nodes.node(level, index)?;
        root = Some(root.map_or(left, |right| node_hash(&left, &right)));
    }
    root
}

fn nodes_of(stretches: &[Stretch]) -> Vec<(u32, u64)> {
    stretches.iter().flat_map(|stretch| subtrees(*stretch)).collect()
}

/// The subtrees that [`inclusion_proof`] asks for.
pub fn inclusion_nodes(index: u64, size: u64) -> Vec<(u32, u64)> {
    nodes_of(&inclusion_stretches(index, size))
}

/// The subtrees that [`consistency_proof`] asks for.
pub fn consistency_nodes(old: u64, size: u64) -> Vec<(u32, u64)> {
    nodes_of(&consistency_stretches(old, size))
}

/// The subtrees that [`root_at`] asks for.
pub fn root_nodes(size: u64) -> Vec<(u32, u64)> {
    subtrees((0, size))
}

/// The root of the first `size` leaves; nothing if a subtree is not known.
pub fn root_at(size: u64, nodes: &impl Nodes) -> Option<Hash> {
    if size == 0 { Some(empty_root()) } else { root_of((0, size), nodes) }
}

/// The proof that leaf `index` is in the tree of `size` leaves. Nothing if it is not, or if a
/// subtree is not known.
pub fn inclusion_proof(index: u64, size: u64, nodes: &impl Nodes) -> Option<Vec<Hash>> {
    if index >= size {
        return None;
    }
    inclusion_stretches(index, size).into_iter().map(|s| root_of(s, nodes)).collect()
}

/// The proof that the tree of `size` leaves begins with that of `old`. Nothing if it is smaller, or
/// if a subtree is not known.
pub fn consistency_proof(old: u64, size: u64, nodes: &impl Nodes) -> Option<Vec<Hash>> {
    if old > size {
        return None;
    }
    consistency_stretches(old, size).into_iter().map(|s| root_of(s, nodes)).collect()
}

/// Whether the proof shows that the leaf with this hash is leaf `index` of the tree of `size`
/// leaves with this root (RFC 9162, 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            // Levels at which the right edge has no sibling.
            let skipped = at.trailing_zeros();
            at = at.checked_shr(skipped).unwrap_or(0);
            last = last.checked_shr(skipped).unwrap_or(0);
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the proof shows that the tree of `size` leaves with root `root` begins with the tree of
/// `old` leaves with root `old_root` (RFC 9162, 2.1.4.2). Every tree begins with the empty one.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (size, root): (u64, &Hash),
    proof: &[Hash],
) -> bool {
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    if old > size {
        return false;
    }
    let mut hashes = proof.iter();
    // A complete subtree of old leaves is a node of the new tree, and the proof leaves it out.
    let first = if old.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let Some(first) = first else { return false };
    let skipped = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> skipped, (size - 1) >> skipped);
    let (mut old_hash, mut hash) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            hash = node_hash(sibling, &hash);
            let skipped = at.trailing_zeros();
            at = at.checked_shr(skipped).unwrap_or(0);
            last = last.checked_shr(skipped).unwrap_or(0);
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && hash == *root
}
