//! The keys of the shop's own programs: made with as few scopes as they need, shown once, revoked.
//!
//! A key acts for the shop and owns nothing: what it made is the shop's and stays when it is
//! revoked, webhook endpoints too.

use axum::{extract::Path, response::Response};
use serde::Deserialize;

use super::{NoFields, PATH, after, check_recent, principal};
use crate::{
    http::{Problem, codes, reach::nothing, session::see_other},
    identity::{self, KeyEnvironment, NewKey, Scope, ScopeSet},
    pages::merchant::{Owners, ShopSent, ShopVisitor},
};

/// How many scopes a shop's key can have.
pub(super) const MAY: usize = 5;

/// What a key may do: a box on the form.
#[derive(Debug, Clone, Copy)]
pub(super) struct May {
    /// The field.
    pub(super) name: &'static str,
    pub(super) scope: Scope,
    pub(super) words: &'static str,
    /// Whether it is chosen unless somebody says no.
    pub(super) usual: bool,
}

/// All that an owner may, one by one.
pub(super) const fn may() -> [May; MAY] {
    const fn may(name: &'static str, scope: Scope, words: &'static str) -> May {
        May { name, scope, words, usual: matches!(scope, Scope::BalancesRead) }
    }
    [
        may(
            "balances_read",
            Scope::BalancesRead,
            "See payments, balances, payouts and settlements",
        ),
        may("payments_write", Scope::PaymentsWrite, "Ask for payments"),
        may("refunds_write", Scope::RefundsWrite, "Give payments back"),
        may("withdrawals_write", Scope::WithdrawalsWrite, "Withdraw to the bank, unasked"),
        may("webhooks_write", Scope::WebhooksWrite, "Look after webhook endpoints"),
    ]
}

/// The form. A box that is not chosen is not sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyForm {
    label: String,
    balances_read: Option<String>,
    payments_write: Option<String>,
    refunds_write: Option<String>,
    withdrawals_write: Option<String>,
    webhooks_write: Option<String>,
}

impl KeyForm {
    fn scopes(&self) -> Vec<Scope> {
        let chosen = [
            &self.balances_read,
            &self.payments_write,
            &self.refunds_write,
            &self.withdrawals_write,
            &self.webhooks_write,
        ];
        let chosen = chosen.into_iter().zip(may()).filter(|(box_, _)| box_.is_some());
        chosen.map(|(_, may)| may.scope).collect()
    }
}

/// Makes a key, and shows it.
pub(super) async fn add(
    ShopSent { visitor, form }: ShopSent<Owners, KeyForm>,
) -> Result<Response, Problem> {
    let done = make(&visitor, &form).await;
    after(&visitor, done.map(|token| Some(("Your new key", token)))).await
}

async fn make(visitor: &ShopVisitor<Owners>, form: &KeyForm) -> Result<String, Problem> {
    check_recent(visitor)?;
    let scopes = form.scopes();
    if scopes.is_empty() {
        return Err(Problem::field(codes::INVALID, "/may", "Choose what the key may do."));
    }
    let demo = visitor.state.demo;
    let new = NewKey {
        principal: principal(visitor)?,
        label: form.label.trim().to_owned(),
        scopes: ScopeSet::of(&scopes),
        environment: if demo { KeyEnvironment::Test } else { KeyEnvironment::Live },
    };
    match identity::create_key(&visitor.state.reads, &new).await {
        Ok((_, token)) => Ok(token.reveal().to_owned()),
        Err(identity::IdentityError::Label) => {
            let detail = "Say in a few words what it is for.";
            Err(Problem::field(codes::INVALID, "/label", detail))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

/// Ends a key of the shop's.
pub(super) async fn revoke(
    Path(id): Path<String>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let own = identity::keys_of(&visitor.state.reads, &principal(&visitor)?).await;
    let own = own.map_err(|error| Problem::internal(&error))?;
    if !own.iter().any(|key| key.id == id) {
        return Err(nothing());
    }
    match identity::revoke_key(&visitor.state.reads, &id).await {
        Ok(()) | Err(identity::IdentityError::NoSuchKey(_)) => Ok(see_other(PATH)),
        Err(error) => Err(Problem::internal(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shops::Role;

    #[test]
    fn the_boxes_are_what_an_owner_may_and_each_is_its_own_scope() {
        let scopes = may().map(|may| may.scope);
        assert_eq!(scopes, Role::Owner.scopes());
        for one in may() {
            let sent = format!("label=till&{}=on", one.name);
            let form: KeyForm = serde_urlencoded::from_str(&sent).unwrap();
            assert_eq!(form.scopes(), [one.scope], "{}", one.name);
        }
        assert!(serde_urlencoded::from_str::<KeyForm>("label=till&admin=on").is_err());
        assert!(KeyForm::default().scopes().is_empty());
    }
}
