//! Who is signed in for a shop: the shops' cookie, and what their pages take to know it.
//!
//! Somebody is signed in as a person, and works for one shop at a time: the one that they chose,
//! or the first that they joined. Their role is read with every request.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use super::{
    ApiState, Problem,
    session::{SignedForm, SignedIn, signed_in, to_login},
};
use crate::{
    sessions::{Audience, Session},
    shops::{Membership, ShopError},
};

/// Somebody who is signed in for shops, be it for none yet: for pages. Others are sent to the
/// shops' login, and back from there.
#[derive(Debug, Clone)]
pub(crate) struct ShopSignedIn(pub(crate) SignedIn);

/// A form of one of the shops' pages, from somebody who is signed in for them.
#[derive(Debug)]
pub(crate) struct ShopForm<T>(pub(crate) SignedForm<T>);

/// The shop that a session is in the name of, and what its owner may do there now.
pub(crate) async fn membership(
    state: &ApiState,
    session: &Session,
) -> Result<Option<Membership>, Problem> {
    if session.audience != Audience::Shop {
        return Ok(None);
    }
    if let Some(merchant) = session.merchant
        && let Some(role) = state.shops.role_of(merchant, session.person).await?
    {
        return Ok(Some(Membership { merchant, role }));
    }
    Ok(state.shops.memberships(session.person).await?.into_iter().next())
}

impl From<ShopError> for Problem {
    fn from(error: ShopError) -> Self {
        match error {
            ShopError::Database(error) => error.into(),
            ShopError::HandleTaken => Self::field(
                super::codes::HANDLE_TAKEN,
                "/handle",
                "Another shop has this handle already.",
            ),
            ShopError::Gone => Self::not_found("There is no such shop, or nothing of it."),
            ShopError::Vault(_) | ShopError::Malformed(_) => {
                Self::internal(&projections::describe(&error))
            }
        }
    }
}

impl FromRequestParts<ApiState> for ShopSignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        match signed_in(parts, state, Audience::Shop).await {
            Ok(Some(who)) => Ok(Self(who)),
            Ok(None) => Err(to_login(parts)),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for ShopForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        SignedForm::of(request, state, Audience::Shop).await.map(Self)
    }
}
