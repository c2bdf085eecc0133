//! Work that nobody asks for by a request.

mod head;
mod holds;

pub use head::follow_head;
pub use holds::Sweeper;
