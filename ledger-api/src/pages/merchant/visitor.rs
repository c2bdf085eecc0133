//! Somebody who is signed in and looks at a page of a shop that they work for.
//!
//! The type says which roles the page is opened to: `ShopVisitor<Owners>` is nobody but an owner.

use std::{marker::PhantomData, ops::Deref};

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use serde::de::DeserializeOwned;

use crate::{
    http::{
        ApiState, Problem, codes,
        session::{SignedIn, see_other},
        shop_session::{ShopForm, ShopSignedIn, membership},
    },
    pages::{
        Visitor,
        visitor::{AtShop, page_parts},
    },
    shops::Role,
};

/// Where somebody goes who works for no shop yet.
const NO_SHOP_YET: &str = "/merchant/new";

/// Which roles a page is opened to.
pub(crate) trait Need: Send {
    /// Whether it is opened to this one.
    fn admits(role: Role) -> bool;
}

/// Whoever works there.
pub(crate) struct Anybody;
/// Who may see balances, payouts and settings: owners and accountants.
pub(crate) struct MoneyEyes;
/// Who takes payments: owners and cashiers.
pub(crate) struct Tills;
/// Who decides: owners.
pub(crate) struct Owners;

impl Need for Anybody {
    fn admits(_: Role) -> bool {
        true
    }
}

impl Need for MoneyEyes {
    fn admits(role: Role) -> bool {
        role.sees_money()
    }
}

impl Need for Tills {
    fn admits(role: Role) -> bool {
        role.takes_payments()
    }
}

impl Need for Owners {
    fn admits(role: Role) -> bool {
        role.decides()
    }
}

/// Who looks at a page of a shop, in a role that it is opened to.
pub(crate) struct ShopVisitor<N> {
    visitor: Visitor,
    /// For which shop.
    pub(crate) at: AtShop,
    need: PhantomData<N>,
}

impl<N> Deref for ShopVisitor<N> {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl<N> ShopVisitor<N> {
    /// Whether they proved a short while ago who they are.
    pub(crate) fn is_recent(&self) -> bool {
        self.who.session.is_recent(self.state.sessions.now())
    }
}

/// A form of a page of a shop, from somebody in a role that it is opened to.
pub(crate) struct ShopSent<N, T> {
    /// Who sent it.
    pub(crate) visitor: ShopVisitor<N>,
    /// What is in it.
    pub(crate) form: T,
}

impl<N: Need> FromRequestParts<ApiState> for ShopVisitor<N> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        let ShopSignedIn(who) = ShopSignedIn::from_request_parts(parts, state).await?;
        visitor(parts, state, who).await
    }
}

impl<N: Need, T: DeserializeOwned + Send> FromRequest<ApiState> for ShopSent<N, T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let with = parts.clone();
        let request = Request::from_parts(parts, body);
        let ShopForm(sent) = ShopForm::from_request(request, state).await?;
        parts = with;
        let visitor = visitor(&mut parts, state, sent.who).await?;
        Ok(Self { visitor, form: sent.form })
    }
}

async fn visitor<N: Need>(
    parts: &mut Parts,
    state: &ApiState,
    who: SignedIn,
) -> Result<ShopVisitor<N>, Response> {
    let at = at_shop(state, &who).await.map_err(Problem::into_response)?;
    let Some(at) = at else { return Err(see_other(NO_SHOP_YET)) };
    if !N::admits(at.role) {
        return Err(refused(at.role).into_response());
    }
    let with = page_parts(parts, state).await?;
    let visitor = Visitor::of_shop(state.clone(), who, at.clone(), with);
    let visitor = visitor.map_err(Problem::into_response)?;
    Ok(ShopVisitor { visitor, at, need: PhantomData })
}

fn refused(role: Role) -> Problem {
    let detail = format!("This is not for the role {role}. An owner of the shop can change yours.");
    Problem::new(codes::FORBIDDEN, detail)
}

/// The shop that somebody is signed in for, with the accounts that it should have. If the ledger
/// does not answer they come in all the same, and the next request tries again.
async fn at_shop(state: &ApiState, who: &SignedIn) -> Result<Option<AtShop>, Problem> {
    let Some(membership) = membership(state, &who.session).await? else { return Ok(None) };
    let Some(shop) = state.shops.by_id(membership.merchant).await? else { return Ok(None) };
    if let Err(error) = state.shop_accounts.settle(&shop).await {
        let error = projections::describe(&error);
        tracing::warn!(%error, merchant = %shop.id, "a shop's accounts are not as they should be");
    }
    let has_others = state.shops.memberships(who.person.id).await?.len() > 1;
    Ok(Some(AtShop { shop, role: membership.role, has_others }))
}
