//! Somebody who is signed in and looks at a page of their wallet.

use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use ledger_core::{
    ids::{AccountId, Owner},
    money::{CurrencyCode, Money},
};
use rust_decimal::Decimal;

use super::{Layout, Nav, PageContext, Viewer, layout::ShopBar, ui::When};
use crate::{
    http::{
        ApiState, Problem,
        context::RequestContext,
        session::{SignedIn, SignedInPage},
        writer::Writer,
    },
    sessions::Audience,
    shops::{Membership, Merchant, Role},
    wallet,
};

/// The zone that times are shown in. People of other zones are for later: a wallet in rupees is
/// used in India, and the book's days are India's too.
const ZONE: Tz = Tz::Asia__Kolkata;

/// Who looks at a page, with what the page needs of the request.
pub(crate) struct Visitor {
    /// What all handlers share.
    pub(crate) state: ApiState,
    /// Who it is.
    pub(crate) who: SignedIn,
    /// The wallet.
    pub(crate) wallet: AccountId,
    /// The zone that they read times in.
    pub(crate) zone: Tz,
    /// The shop that they look at it for; nothing for what is their own.
    pub(crate) shop: Option<AtShop>,
    context: PageContext,
    request: RequestContext,
}

/// For which shop somebody looks at a page.
#[derive(Debug, Clone)]
pub(crate) struct AtShop {
    /// The shop.
    pub(crate) shop: Merchant,
    /// What they may do there.
    pub(crate) role: Role,
    /// Whether they work for others too.
    pub(crate) has_others: bool,
}

impl Visitor {
    /// Who sent a form, with the request that it came with.
    pub(crate) fn new(
        state: ApiState,
        who: SignedIn,
        (context, request): (PageContext, RequestContext),
    ) -> Result<Self, Problem> {
        let wallet = who.person.id.wallet().map_err(|error| Problem::internal(&error))?;
        Ok(Self { state, who, wallet, zone: ZONE, shop: None, context, request })
    }

    /// Who looks at a page of a shop: what they see as their account is what the shop can spend.
    pub(crate) fn of_shop(
        state: ApiState,
        who: SignedIn,
        at: AtShop,
        (context, request): (PageContext, RequestContext),
    ) -> Result<Self, Problem> {
        let wallet = at.shop.id.available().map_err(|error| Problem::internal(&error))?;
        Ok(Self { state, who, wallet, zone: ZONE, shop: Some(at), context, request })
    }

    /// Whose things they look at: their own, or the shop's.
    pub(crate) fn owner(&self) -> Result<Owner, Problem> {
        let owner = match &self.shop {
            Some(at) => at.shop.id.owner(),
            None => self.who.person.id.owner(),
        };
        owner.map_err(|error| Problem::internal(&error))
    }

    /// The address of a page of theirs: `at("/banks")`.
    pub(crate) fn at(&self, rest: &str) -> String {
        let audience = if self.shop.is_some() { Audience::Shop } else { Audience::Wallet };
        format!("{}{rest}", audience.home())
    }

    /// The layout of a page of theirs.
    pub(crate) fn layout(&self, title: impl Into<String>, nav: Nav) -> Layout {
        let shop = self.shop.as_ref().map(|at| ShopBar {
            name: at.shop.display_name.expose().to_owned(),
            role: at.role,
            has_others: at.has_others,
        });
        Layout { shop, ..self.context.layout(title, nav, Some(self.viewer())) }
    }

    fn viewer(&self) -> Viewer {
        Viewer {
            name: self.who.person.name.expose().to_owned(),
            handle: self.who.person.handle.to_string(),
            csrf: self.who.csrf(&self.state),
        }
    }

    /// The address of the page, with its query.
    pub(crate) fn path(&self) -> &str {
        &self.context.path
    }

    /// The moment that the page is made at.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.state.clock.now()
    }

    /// A moment as they read it.
    pub(crate) fn when(&self, at: DateTime<Utc>) -> When {
        When::new(at, self.now(), self.zone)
    }

    /// An amount of the read models: those keep a zero without decimals.
    pub(crate) fn money(&self, amount: Decimal, code: CurrencyCode) -> Result<Money, Problem> {
        let book = self.state.ledger.status().borrow().book.clone();
        let currency = book.currency(code).ok_or_else(crate::http::reach::nothing)?;
        wallet::money(amount, currency).map_err(|error| Problem::internal(&error))
    }

    /// What changes something in their name, as a request to the API would. Their form was checked
    /// when it came in.
    pub(crate) fn writer(&self) -> Result<Writer, Problem> {
        match &self.shop {
            None => Writer::of_signed_in(&self.state, &self.who, &self.request),
            Some(at) => {
                let membership = Membership { merchant: at.shop.id, role: at.role };
                Writer::of_member(&self.state, &self.who, membership, &self.request)
            }
        }
    }

    /// Something fresh that makes a form's request one: sent twice, it is the same.
    pub(crate) fn nonce(&self) -> String {
        self.state.ids.fresh().simple().to_string()
    }
}

impl FromRequestParts<ApiState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        let SignedInPage(who) = SignedInPage::from_request_parts(parts, state).await?;
        let (context, request) = page_parts(parts, state).await?;
        Self::new(state.clone(), who, (context, request))
            .map_err(axum::response::IntoResponse::into_response)
    }
}

pub(super) async fn page_parts(
    parts: &mut Parts,
    state: &ApiState,
) -> Result<(PageContext, RequestContext), Response> {
    let context = match PageContext::from_request_parts(parts, state).await {
        Ok(context) => context,
        Err(never) => match never {},
    };
    let request = RequestContext::from_request_parts(parts, state).await;
    Ok((context, request.map_err(axum::response::IntoResponse::into_response)?))
}

/// A form of a page of theirs.
pub(crate) struct Sent<T> {
    /// Who sent it.
    pub(crate) visitor: Visitor,
    /// What is in it.
    pub(crate) form: T,
}

impl<T: serde::de::DeserializeOwned> axum::extract::FromRequest<ApiState> for Sent<T> {
    type Rejection = Response;

    async fn from_request(
        request: axum::extract::Request,
        state: &ApiState,
    ) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let both = page_parts(&mut parts, state).await?;
        let request = axum::extract::Request::from_parts(parts, body);
        let signed = crate::http::session::SignedForm::from_request(request, state).await?;
        let visitor = Visitor::new(state.clone(), signed.who, both);
        let visitor = visitor.map_err(axum::response::IntoResponse::into_response)?;
        Ok(Self { visitor, form: signed.form })
    }
}
