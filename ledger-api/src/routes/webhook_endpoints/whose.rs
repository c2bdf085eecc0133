//! Whose an endpoint is, and whose events it may get.

use crate::{
    hooks_out::{Endpoint, EndpointId},
    http::{ApiState, Problem, auth::Require as _, reach::nothing},
    identity::{Caller, Scope},
};

/// Who owns endpoints.
pub(super) struct Whose {
    /// As whom.
    pub(super) owner: String,
    /// What the codes of their accounts begin with; nothing for all accounts.
    pub(super) account_prefix: Option<String>,
}

/// Whose endpoints a caller works on.
pub(super) fn whose(caller: &Caller) -> Result<Whose, Problem> {
    caller.require(&[Scope::WebhooksWrite])?;
    Ok(Whose { owner: caller.principal.to_string(), account_prefix: None })
}

/// As [`whose`], of who says what is sent where: that shows whatever it shows, so whoever has it
/// sent must be allowed to read it.
pub(super) fn whose_to_read(caller: &Caller) -> Result<Whose, Problem> {
    let whose = whose(caller)?;
    if whose.account_prefix.is_none() {
        caller.require_read(&[Scope::LedgerRead])?;
    }
    Ok(whose)
}

/// An endpoint of the caller's.
pub(super) async fn own(
    state: &ApiState,
    whose: &Whose,
    id: EndpointId,
) -> Result<Endpoint, Problem> {
    state.webhook_endpoints.get(&whose.owner, id).await?.ok_or_else(nothing)
}
