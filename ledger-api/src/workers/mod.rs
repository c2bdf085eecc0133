//! Work that nobody asks for by a request.

mod head;

pub use head::follow_head;
