//! Everything that is folded from the log: read models, and the projector that keeps them.
//!
//! The log is the truth; a read model is a view of it up to a position. The [`Projector`] follows
//! the log and writes; [`ReadModels`] answers questions and always says which position an answer
//! reflects; [`rebuild`] makes the tables again from the log beside live traffic, and
//! [`replay_beside`] makes them once more only to compare. Nothing here ever decides about money,
//! and nothing here knows the engine.

pub mod audit;
mod beside;
mod error;
mod models;
mod projector;
mod reads;
mod rebuild;
pub mod reports;

pub use beside::{Comparison, TableComparison, clear_replay, replay_beside};
pub use error::{Poison, PoisonReason, ProjectionError, ReadError, describe};
pub use models::{ActivityStatus, ReadModel, UnknownReadModel};
pub use projector::{Projector, ProjectorState, ProjectorStatus, wait_for};
pub use reads::*;
pub use rebuild::{RebuildReport, rebuild};
