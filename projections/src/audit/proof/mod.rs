//! Proof over the log: a Merkle tree of its events, heads of it that are signed, and short proofs
//! that an event is in it and that one head goes on from another.
//!
//! The tree is that of RFC 6962 and RFC 9162, a signed head is a checkpoint of C2SP
//! `tlog-checkpoint`, a witness's word a `cosignature/v1` of C2SP `tlog-cosignature`: whoever has
//! tools for these needs none of ours. Pure: no file, no database, no clock, no randomness.
//!
//! What it gives that the chain of hashes does not: one event is shown to be in the log without the
//! log, and two heads are shown to be of one log with a few hashes. Leaf n is the event at position
//! n + 1, so that the size of the tree is the last position.

mod checkpoint;
mod consistency;
mod file;
mod keys;
mod leaf;
mod merkle;
mod note;
mod path;
mod rotation;
mod tiles;

#[cfg(test)]
mod tests;

pub use checkpoint::SignedCheckpoint;
pub use consistency::{CONSISTENCY_FORMAT, ConsistencyFile};
pub use file::{PROOF_FORMAT, ProofError, ProofFile, ProvenEvent};
pub use keys::{KeyError, LogKey, Signer, WitnessKey};
pub use leaf::LeafEvent;
pub use merkle::{Frontier, Hash, empty_root, leaf_hash, node_hash};
pub use note::{Note, NoteError, NoteSignature};
pub use path::{
    Nodes, consistency_nodes, consistency_proof, inclusion_nodes, inclusion_proof, root_at,
    root_nodes, verify_consistency, verify_inclusion,
};
pub use rotation::{rotation_message, verify_rotation};
pub use tiles::{TILE_BYTES, TILE_HASHES, Tile, Tiler, tile_root};
