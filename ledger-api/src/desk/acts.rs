//! What was done at the desk beside what the log has of it, and what was refused there: a line of
//! the access log each, with who, when, what, on what, and why.

use crate::{
    access_log::Entry,
    http::{Problem, writer::Writer},
};

/// Something that somebody did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<'a> {
    what: &'a str,
    subject: &'a str,
    reason: &'a str,
}

impl<'a> Act<'a> {
    /// What was done to what, and why.
    pub(crate) const fn new(what: &'a str, subject: &'a str, reason: &'a str) -> Self {
        Self { what, subject, reason }
    }

    /// What was done to what, where nobody is asked why: it lets something go on, or looks again.
    pub(crate) const fn without_reason(what: &'a str, subject: &'a str) -> Self {
        Self { what, subject, reason: "none is asked for" }
    }

    /// Writes it down, in the name of whoever does it.
    pub(crate) async fn keep(self, writer: &Writer) -> Result<(), Problem> {
        let Self { what, subject, reason } = self;
        let entry = Entry { who: writer.caller.principal.as_str(), what, subject, reason };
        Ok(writer.state.access_log.record(&entry).await?)
    }
}
