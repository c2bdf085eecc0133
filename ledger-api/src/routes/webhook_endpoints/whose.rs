//! Whose an endpoint is, and whose events it may get: a shop's gets the shop's, and the one of a
//! service, which reaches everything, those of all accounts.

use crate::{
    hooks_out::{Endpoint, EndpointId},
    http::{
        ApiState, Problem,
        auth::{Require as _, missing},
        codes,
        reach::{Reach, Reaching as _, nothing},
    },
    identity::{Caller, Scope},
    shops::MerchantId,
};

/// Who owns endpoints.
pub(crate) struct Whose {
    /// As whom.
    pub(crate) owner: String,
    /// What the codes of their accounts begin with; nothing for all accounts.
    pub(crate) account_prefix: Option<String>,
}

impl Whose {
    /// A shop.
    pub(crate) fn shop(shop: MerchantId) -> Self {
        let account_prefix = Some(format!("merchant:{}:", shop.segment()));
        Self { owner: shop.to_string(), account_prefix }
    }
}

/// Whose endpoints a caller works on.
pub(super) fn whose(caller: &Caller) -> Result<Whose, Problem> {
    match caller.reach_shop(&[Scope::WebhooksWrite])? {
        Reach::Everything => {
            Ok(Whose { owner: caller.principal.to_string(), account_prefix: None })
        }
        Reach::OfMerchant(shop, _) => Ok(Whose::shop(shop)),
        Reach::Of(_) => Err(Problem::new(codes::FORBIDDEN, "People have no webhooks.")),
    }
}

/// As [`whose`], of who says what is sent where: that shows whatever it shows, so whoever has it
/// sent must be allowed to read it.
pub(super) fn whose_to_read(caller: &Caller) -> Result<Whose, Problem> {
    let whose = whose(caller)?;
    if whose.account_prefix.is_none() {
        caller.require_read(&[Scope::LedgerRead])?;
    } else if !caller.may(Scope::BalancesRead) {
        return Err(missing(&[Scope::BalancesRead]));
    }
    Ok(whose)
}

/// An endpoint of the caller's.
pub(crate) async fn own(
    state: &ApiState,
    whose: &Whose,
    id: EndpointId,
) -> Result<Endpoint, Problem> {
    state.webhook_endpoints.get(&whose.owner, id).await?.ok_or_else(nothing)
}
