//! Who looks at a page of the auditors' desk, and all that the page is given.
//!
//! The pages beside this file know neither the engine nor the stores of the application: what they
//! read comes from [`AuditReads`], by a role that can write nothing, so no page can change anything
//! by mistake. Who it is was looked up before, by the service's own hand.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::Response,
};
use chrono::{DateTime, Utc};
use ledger_core::{
    book::Book,
    log::{self, Position},
    money::{Currency, CurrencyCode, Money},
};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use uuid::Uuid;

use super::RAIL;
use crate::{
    access_log::Entry,
    auditing::AuditReads,
    http::{
        ApiState, Problem,
        rooms::{AuditForm, AuditSignedIn},
    },
    pages::{
        Layout, Nav, PageContext, Viewer,
        coming::viewer,
        layout::DeskBar,
        ui::{MoneyView, When},
        visitor::page_parts,
    },
    staff::Staff,
    wallet,
};

/// An auditor, with what a page of theirs needs.
pub(super) struct Auditor {
    /// Everything that they read.
    pub(super) reads: AuditReads,
    /// Who it is.
    pub(super) staff: Staff,
    /// The moment that the page is made at.
    pub(super) now: DateTime<Utc>,
    /// An id for what a form of theirs makes.
    pub(super) fresh: Uuid,
    /// Turns true when the service is to stop.
    pub(super) stopping: watch::Receiver<bool>,
    book: Arc<Book>,
    viewer: Viewer,
    context: PageContext,
}

/// A form of theirs.
pub(super) struct AuditorSent<T> {
    /// Who sent it.
    pub(super) auditor: Auditor,
    /// What is in it.
    pub(super) form: T,
}

impl Auditor {
    fn new(state: &ApiState, at: &AuditSignedIn, context: PageContext) -> Self {
        Self {
            reads: state.audit.clone(),
            staff: at.staff.clone(),
            now: state.clock.now(),
            fresh: state.ids.fresh(),
            stopping: state.stopping.clone(),
            book: Arc::clone(&state.ledger.status().borrow().book),
            viewer: viewer(state, &at.who),
            context,
        }
    }

    /// The layout of a page of theirs.
    pub(super) fn layout(&self, title: impl Into<String>, entry: &'static str) -> Layout {
        let until = self.when(self.staff.until).day();
        let roles = format!("{} until {until}", self.staff.roles);
        let desk = Some(DeskBar { roles, rail: &RAIL });
        let viewer = Some(self.viewer.clone());
        Layout { desk, ..self.context.layout(title, Nav::Shop(entry), viewer) }
    }

    /// A moment as they read it.
    pub(super) fn when(&self, at: DateTime<Utc>) -> When {
        When::new(at, self.now, self.book.time_zone()).exact()
    }

    /// The book's rules of days and currencies.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// An amount of the read models.
    pub(super) fn money(&self, amount: Decimal, currency: CurrencyCode) -> Result<Money, Problem> {
        let currency = self.book.currency(currency);
        exact(amount, currency.ok_or_else(crate::http::reach::nothing)?)
    }

    /// An amount as pages show it.
    pub(super) fn shown(
        &self,
        amount: Decimal,
        currency: CurrencyCode,
    ) -> Result<MoneyView, Problem> {
        self.money(amount, currency).map(MoneyView::plain)
    }

    /// The end of the log.
    pub(super) async fn head(&self) -> Result<Position, Problem> {
        Ok(log::read::head(&self.reads.pool).await?.position)
    }

    /// Writes down what they are about to see, before they see it.
    pub(super) async fn record(
        &self,
        what: &'static str,
        subject: &str,
        reason: &str,
    ) -> Result<(), Problem> {
        let who = self.staff.person.to_string();
        let entry = Entry { who: &who, what, subject, reason };
        Ok(self.reads.access_log.record(&entry).await?)
    }
}

/// An amount at its currency's scale.
pub(super) fn exact(amount: Decimal, currency: Currency) -> Result<Money, Problem> {
    wallet::money(amount, currency).map_err(|error| Problem::internal(&error))
}

impl FromRequestParts<ApiState> for Auditor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        let at = AuditSignedIn::from_request_parts(parts, state).await?;
        let (context, _) = page_parts(parts, state).await?;
        Ok(Self::new(state, &at, context))
    }
}

impl<T: DeserializeOwned + Send> FromRequest<ApiState> for AuditorSent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let (context, _) = page_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let sent = AuditForm::<T>::from_request(request, state).await?;
        Ok(Self { auditor: Auditor::new(state, &sent.at, context), form: sent.form })
    }
}
