//! What operators work with beyond the ledger: all of it can be missing.

use crate::{review::ReviewRules, service::SandboxClock, webhooks::Inbox, workers::inbox::Applier};

/// What a service offers to operators.
#[derive(Clone, Default)]
pub struct Operators {
    /// Which withdrawals people look at before they are sent.
    pub review: ReviewRules,
    /// What banks told.
    pub inbox: Option<Inbox>,
    /// Applies it again; nothing in a process that calls no bank.
    pub applier: Option<Applier>,
    /// The switches of the sandbox banks; in the demonstration only.
    pub sandbox: Option<SandboxClock>,
}
