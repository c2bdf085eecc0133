//! Work that nobody asks for by a request.

pub mod clerk;
mod head;
mod holds;
pub mod inbox;
pub mod lanes;
mod statements;
pub mod withdrawals;

pub use head::follow_head;
pub use holds::Sweeper;
pub use statements::{FetchError, StatementFetcher, statements_principal};
