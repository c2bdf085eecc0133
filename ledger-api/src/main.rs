//! The binary `bahi`. What it does is in `commands`; what that stands on, in the library.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run()
}
