//! What commands print.

use std::io::{self, Write};

/// A line on the standard output. If nobody reads it any more (`| head`), that is no error.
pub(super) fn line(text: impl std::fmt::Display) {
    writeln!(io::stdout(), "{text}").ok();
}

/// What went wrong and why, on the standard error: the whole chain, once.
pub(super) fn failure(error: &anyhow::Error) {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    writeln!(io::stderr(), "bahi: {}", chain.join(": ")).ok();
}

/// A remark on the standard error.
pub(super) fn remark(text: impl std::fmt::Display) {
    writeln!(io::stderr(), "bahi: {text}").ok();
}
