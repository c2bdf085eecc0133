//! Proof over the log, on our side: keeps the Merkle tree of the events, signs heads of it, has
//! them countersigned, hands out proofs.
//!
//! What a tree, a note and a proof are is `projections::audit::proof`, which an auditor uses
//! without any of this. Here is what needs a database, a file or a network. Nothing here is on the
//! way of a commit: a checkpoint is made of what is in the log already, and the ledger works
//! without one.

mod kept;
mod maker;
mod rotation;
mod settings;
mod store;
mod tree;
mod witnesses;

pub use kept::{KeptNotes, read_key};
pub use maker::{CheckpointMaker, MakeError, default_origin};
pub use rotation::{KeyInForce, key_in_force};
pub use settings::{ProofSettings, ProofSettingsError, Witness};
pub use store::{ProofStore, StoredCheckpoint};
pub use tree::{StoredTree, TreeError, consistency_of, leaf_of, proof_of};
pub use witnesses::{WitnessError, Witnesses};
