//! The binary `bahi`. What it does is in `commands`; what that stands on, in the library.

mod commands;

use std::process::ExitCode;

/// The engine makes and drops many small things on several threads (docs/decisions, 6).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run()
}
