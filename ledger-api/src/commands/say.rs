//! What commands print.

use std::io::{self, Write};

/// A line on the standard output. If nobody reads it any more (`| head`), that is no error.
pub(super) fn line(text: impl std::fmt::Display) {
    writeln!(io::stdout(), "{text}").ok();
}

/// What went wrong and why, on the standard error.
pub(super) fn failure(error: &anyhow::Error) {
    writeln!(io::stderr(), "bahi: {}", told(error)).ok();
}

/// The whole chain, once: some errors of libraries end with their source's words.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.ends_with(&cause) {
            told.push_str(": ");
            told.push_str(&cause);
        }
    }
    told
}

/// A remark on the standard error.
pub(super) fn remark(text: impl std::fmt::Display) {
    writeln!(io::stderr(), "bahi: {text}").ok();
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow!("refused").context("no answer: refused").context("no database");
        assert_eq!(told(&error), "no database: no answer: refused");
        assert_eq!(told(&anyhow!("refused").context("no database")), "no database: refused");
    }
}
