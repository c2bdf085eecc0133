//! Somebody who is signed in at the operators' desk and looks at a page of it.

use std::collections::{BTreeSet, HashMap};

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use ledger_core::money::{CurrencyCode, Money};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;

use super::RAIL;
use crate::{
    http::{
        ApiState, Problem, codes,
        context::RequestContext,
        rooms::{OpsForm, OpsSignedIn},
        session::{SignedIn, see_other},
        writer::Writer,
    },
    pages::{
        Layout, Nav, PageContext, Viewer,
        layout::DeskBar,
        ui::{Cell, MoneyView, When},
        visitor::page_parts,
    },
    people::PersonId,
    staff::{Staff, StaffRole},
    wallet,
};

/// The zone of the desk: banks' days are India's.
const ZONE: Tz = Tz::Asia__Kolkata;

/// Who looks at a page of the desk.
pub(super) struct OpsVisitor {
    /// What all handlers share.
    pub(super) state: ApiState,
    /// Who it is.
    pub(super) who: SignedIn,
    /// As a member of staff.
    pub(super) staff: Staff,
    /// The names of whoever is or was at a desk, by their ids.
    colleagues: HashMap<String, String>,
    context: PageContext,
    request: RequestContext,
}

/// A form of a page of the desk.
pub(super) struct OpsSent<T> {
    /// Who sent it.
    pub(super) visitor: OpsVisitor,
    /// What is in it.
    pub(super) form: T,
}

impl OpsVisitor {
    /// The layout of a page of the desk.
    pub(super) fn layout(&self, title: impl Into<String>, entry: &'static str) -> Layout {
        let viewer = Viewer {
            name: self.staff.name.expose().to_owned(),
            handle: self.who.person.handle.to_string(),
            csrf: self.who.csrf(&self.state),
        };
        // The last entry is for the demonstration.
        let rail = if self.state.demo { &RAIL[..] } else { &RAIL[..RAIL.len() - 1] };
        let desk = DeskBar { roles: self.staff.roles.to_string(), rail };
        let layout = self.context.layout(title, Nav::Shop(entry), Some(viewer));
        Layout { desk: Some(desk), ..layout }
    }

    /// Whether they are the second person of what takes two.
    pub(super) fn may_approve(&self) -> bool {
        self.staff.roles.has(StaffRole::Approver)
    }

    /// Whether they proposed it, or did whatever it was.
    pub(super) fn is(&self, principal: &str) -> bool {
        self.who.person.id.to_string() == principal
    }

    /// Goes on only for an approver who proved a short while ago who they are.
    pub(super) async fn check_approver(&self, what: &str) -> Result<(), Problem> {
        if !self.may_approve() {
            let detail = "This takes somebody with the role approver.";
            let problem = Problem::new(codes::FORBIDDEN, detail);
            self.refused(what, problem.code()).await?;
            return Err(problem);
        }
        self.check_recent()
    }

    /// Goes on only if they proved a short while ago who they are.
    pub(super) fn check_recent(&self) -> Result<(), Problem> {
        if self.who.session.is_recent(self.state.sessions.now()) {
            return Ok(());
        }
        Err(Problem::new(codes::STEP_UP_NEEDED, "This takes your password again."))
    }

    /// Writes down that they were refused something, and by which code.
    pub(super) async fn refused(&self, what: &str, code: &str) -> Result<(), Problem> {
        let act = crate::desk::acts::Act::new("operator_refused", what, code);
        act.keep(&self.writer()?).await
    }

    /// What changes something in their name. Their form was checked when it came in.
    pub(super) fn writer(&self) -> Result<Writer, Problem> {
        Writer::of_staff(&self.state, &self.who.session, self.may_approve(), &self.request)
    }

    /// The moment that the page is made at.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.state.clock.now()
    }

    /// A moment as they read it.
    pub(super) fn when(&self, at: DateTime<Utc>) -> When {
        When::new(at, self.now(), ZONE)
    }

    /// How long ago something was, in a few letters.
    pub(super) fn age(&self, since: DateTime<Utc>) -> String {
        age(self.now().signed_duration_since(since).num_seconds())
    }

    /// An amount of the read models, in a currency of the book.
    pub(super) fn money(&self, amount: Decimal, code: CurrencyCode) -> Result<MoneyView, Problem> {
        self.amount(amount, code).map(MoneyView::plain)
    }

    fn amount(&self, amount: Decimal, code: CurrencyCode) -> Result<Money, Problem> {
        let currency = self.state.ledger.status().borrow().book.currency(code);
        let currency = currency.ok_or_else(crate::http::reach::nothing)?;
        wallet::money(amount, currency).map_err(|error| Problem::internal(&error))
    }

    /// Who acted: a colleague by name, with the way to them; a key by what it belongs to.
    pub(super) fn who_is(&self, principal: &str) -> Cell {
        match self.colleagues.get(principal) {
            Some(name) => Cell::Link(name.clone(), format!("/ops/people/{principal}")),
            None => principal.to_owned().into(),
        }
    }

    /// The same, of somebody if there is one.
    pub(super) fn who_was(&self, principal: Option<&str>) -> Cell {
        principal.map_or_else(|| "".into(), |principal| self.who_is(principal))
    }

    /// The same as words.
    pub(super) fn called(&self, principal: &str) -> String {
        match self.colleagues.get(principal) {
            Some(name) => format!("{name} ({principal})"),
            None => principal.to_owned(),
        }
    }

    /// Something fresh that makes a form's request one: sent twice, it is the same.
    pub(super) fn nonce(&self) -> String {
        self.state.ids.fresh().simple().to_string()
    }
}

/// The names of all who were ever appointed, and are still known.
async fn colleagues(state: &ApiState) -> Result<HashMap<String, String>, Problem> {
    let appointed = state.staff.list().await?;
    let ids: BTreeSet<PersonId> = appointed.iter().map(|one| one.person).collect();
    let faces = state.people.faces(&Vec::from_iter(ids)).await?;
    let named = faces.into_iter().map(|(id, face)| (id.to_string(), face.name.expose().to_owned()));
    Ok(named.collect())
}

/// So many seconds, as they are said: two units at most.
pub(super) fn age(seconds: i64) -> String {
    match seconds {
        ..=0 => "now".to_owned(),
        1..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

impl FromRequestParts<ApiState> for OpsVisitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        let at = OpsSignedIn::from_request_parts(parts, state).await?;
        let (context, request) = page_parts(parts, state).await?;
        let colleagues = colleagues(state).await.map_err(Problem::into_response)?;
        let (state, who, staff) = (state.clone(), at.who, at.staff);
        Ok(Self { state, who, staff, colleagues, context, request })
    }
}

impl<T: DeserializeOwned + Send> FromRequest<ApiState> for OpsSent<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let (context, ids) = page_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let sent = OpsForm::<T>::from_request(request, state).await?;
        let state = state.clone();
        let colleagues = colleagues(&state).await.map_err(Problem::into_response)?;
        let (who, staff) = (sent.at.who, sent.at.staff);
        let visitor = OpsVisitor { state, who, staff, colleagues, context, request: ids };
        Ok(Self { visitor, form: sent.form })
    }
}

/// What came of a form: on to `to`, to the password if that is missing, or the page again with
/// what is wrong.
pub(super) async fn after(
    done: Result<(), Problem>,
    to: &str,
    again: impl AsyncFnOnce(crate::pages::FormErrors) -> Result<super::Board, Problem>,
) -> Result<Response, Problem> {
    let problem = match done {
        Ok(()) => return Ok(see_other(to)),
        Err(problem) => problem,
    };
    if problem.code() == codes::STEP_UP_NEEDED.name {
        let back: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
        return Ok(see_other(&format!("/ops/confirm?return_to={back}")));
    }
    let status = problem.status();
    let errors = crate::pages::people::errors_of(problem, &[])?;
    let board = again(errors).await?;
    Ok(crate::pages::people::shown_again(status, &board).into_response())
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn an_age_is_said_in_the_units_that_matter() {
        let said = [0, 5, 119, 120, 7_199, 7_200, 90_061, 172_800].map(age);
        let right =
            ["now", "5 s", "119 s", "2 min", "119 min", "2 h 0 min", "25 h 1 min", "2 days"];
        assert_eq!(said, right);
    }
}
