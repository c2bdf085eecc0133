//! Who is signed in for which audience, as types: what the pages of sign-in take, which are the
//! same for all four, and what the pages of the desks take to know who works there.
//!
//! Whether somebody works at a desk was looked at by then (`http::session`): with each request, so
//! that a role that was taken away is gone with the next one.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use serde::de::DeserializeOwned;

use super::{
    ApiState, Problem,
    session::{SignedForm, SignedIn, see_other, signed_in, to_login},
};
use crate::{entry, sessions::Audience, staff::Staff};

/// An audience as a type.
pub(crate) trait Room: Send + Sync + 'static {
    /// Which.
    const AUDIENCE: Audience;
}

/// A person's own wallet.
#[derive(Debug)]
pub(crate) struct InWallet;
/// The shops.
#[derive(Debug)]
pub(crate) struct InShops;
/// The auditors' desk.
#[derive(Debug)]
pub(crate) struct InAudit;
/// The operators' desk.
#[derive(Debug)]
pub(crate) struct InOps;

impl Room for InWallet {
    const AUDIENCE: Audience = Audience::Wallet;
}

impl Room for InShops {
    const AUDIENCE: Audience = Audience::Shop;
}

impl Room for InAudit {
    const AUDIENCE: Audience = Audience::Audit;
}

impl Room for InOps {
    const AUDIENCE: Audience = Audience::Ops;
}

/// Perhaps somebody who is signed in there.
#[derive(Debug)]
pub(crate) struct MaybeWithin<R>(pub(crate) Option<SignedIn>, pub(crate) PhantomData<R>);

/// Somebody who is signed in there. Others are sent to its login, and back from there.
#[derive(Debug)]
pub(crate) struct Within<R>(pub(crate) SignedIn, pub(crate) PhantomData<R>);

/// A form from somebody who is signed in there.
#[derive(Debug)]
pub(crate) struct FormWithin<R, T>(pub(crate) SignedForm<T>, pub(crate) PhantomData<R>);

/// Somebody who works at a desk.
#[derive(Debug)]
pub(crate) struct AtDesk<R> {
    /// Who is signed in.
    pub(crate) who: SignedIn,
    /// As a member of staff.
    pub(crate) staff: Staff,
    room: PhantomData<R>,
}

/// A form from somebody who works at a desk.
#[derive(Debug)]
pub(crate) struct DeskForm<R, T> {
    /// Who sent it.
    pub(crate) at: AtDesk<R>,
    /// What is in it.
    pub(crate) form: T,
}

/// An auditor.
pub(crate) type AuditSignedIn = AtDesk<InAudit>;
/// A form from an auditor.
pub(crate) type AuditForm<T> = DeskForm<InAudit, T>;
/// Somebody at the operators' desk.
pub(crate) type OpsSignedIn = AtDesk<InOps>;
/// A form from somebody at the operators' desk.
pub(crate) type OpsForm<T> = DeskForm<InOps, T>;

impl<R: Room> FromRequestParts<ApiState> for MaybeWithin<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        Ok(Self(signed_in(parts, state, R::AUDIENCE).await?, PhantomData))
    }
}

impl<R: Room> FromRequestParts<ApiState> for Within<R> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        match signed_in(parts, state, R::AUDIENCE).await {
            Ok(Some(who)) => Ok(Self(who, PhantomData)),
            Ok(None) => Err(to_login(parts)),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

impl<R: Room, T: DeserializeOwned> FromRequest<ApiState> for FormWithin<R, T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        Ok(Self(SignedForm::of(request, state, R::AUDIENCE).await?, PhantomData))
    }
}

impl<R: Room> FromRequestParts<ApiState> for AtDesk<R> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        let Within(who, _) = Within::<R>::from_request_parts(parts, state).await?;
        Self::of(state, who).await
    }
}

impl<R: Room, T: DeserializeOwned + Send> FromRequest<ApiState> for DeskForm<R, T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let FormWithin(sent, _) = FormWithin::<R, T>::from_request(request, state).await?;
        Ok(Self { at: AtDesk::of(state, sent.who).await?, form: sent.form })
    }
}

impl<R: Room> AtDesk<R> {
    async fn of(state: &ApiState, who: SignedIn) -> Result<Self, Response> {
        let staff = entry::at_desk(state, &who.person, R::AUDIENCE).await;
        match staff.map_err(Problem::into_response)? {
            Some(staff) => Ok(Self { who, staff, room: PhantomData }),
            // Ended between two looks.
            None => Err(see_other(R::AUDIENCE.login())),
        }
    }
}
