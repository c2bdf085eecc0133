//! The way of every read: who asks, from which position on, and a page of which size.

use std::{fmt::Display, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use ledger_core::{ids::AccountId, log::Position};
use projections::{Account, At, ReadError, ReadModels};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ApiState, Problem,
    auth::{self, Require as _},
    cursor,
    reach::{self, Reach, Reaching as _},
    reply::Reply,
};
use crate::{
    identity::{Caller, Scope},
    people::PersonId,
    sessions::Session,
    shops::Membership,
};

/// How long a read waits for `min_position`.
const WAIT_MAX: Duration = Duration::from_secs(2);
const LIMIT_DEFAULT: u32 = 25;
const LIMIT_MAX: u32 = 100;

/// A caller who wants to know something.
pub(crate) struct Reader {
    /// What all handlers share.
    pub(crate) state: ApiState,
    caller: Caller,
    uri: Uri,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = List)]
pub(crate) struct Listed<T> {
    /// The items.
    pub(crate) data: Vec<T>,
    /// Whether there are more.
    pub(crate) has_more: bool,
    /// What to send as `cursor` for the next page; nothing if this is the last.
    pub(crate) next_cursor: Option<String>,
}

impl FromRequestParts<ApiState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Ok(Self { state: state.clone(), caller, uri: parts.uri.clone() })
    }
}

impl Reader {
    /// Somebody who is signed in for a shop, on a page of it.
    pub(crate) fn of_member(
        state: &ApiState,
        session: &Session,
        shop: Membership,
        uri: &Uri,
    ) -> Result<Self, Problem> {
        let caller = auth::of_member(session, shop)?;
        Ok(Self { state: state.clone(), caller, uri: uri.clone() })
    }

    /// Goes on only if the key has one of `scopes`, and the read models have reached
    /// `min_position`.
    pub(crate) async fn admit(
        &self,
        scopes: &[Scope],
        min_position: Option<Position>,
    ) -> Result<&ReadModels, Problem> {
        self.caller.require_read(scopes)?;
        self.reached(min_position).await
    }

    /// As [`Self::admit`], of what is opened to people: also says how far the caller reaches.
    pub(crate) async fn admit_reach(
        &self,
        scopes: &[Scope],
        min_position: Option<Position>,
    ) -> Result<(Reach, &ReadModels), Problem> {
        let reach = self.caller.reach_read(scopes)?;
        Ok((reach, self.reached(min_position).await?))
    }

    /// As [`Self::admit_reach`], of what is opened to shops too.
    pub(crate) async fn admit_shop(
        &self,
        scopes: &[Scope],
        min_position: Option<Position>,
    ) -> Result<(Reach, &ReadModels), Problem> {
        let reach = self.caller.reach_shop_read(scopes)?;
        Ok((reach, self.reached(min_position).await?))
    }

    /// As [`Self::admit`], of what only people have: also says who asks.
    pub(crate) async fn admit_person(
        &self,
        scopes: &[Scope],
        min_position: Option<Position>,
    ) -> Result<(PersonId, &ReadModels), Problem> {
        let person = self.caller.person(scopes)?;
        Ok((person, self.reached(min_position).await?))
    }

    async fn reached(&self, min_position: Option<Position>) -> Result<&ReadModels, Problem> {
        let read_models = &self.state.read_models;
        if let Some(position) = min_position {
            read_models.wait_for(position, WAIT_MAX).await?;
        }
        Ok(read_models)
    }

    /// Whether the key or session that the request came with is still in force.
    pub(crate) async fn is_still_allowed(&self) -> bool {
        auth::is_in_force(&self.caller, &self.state).await
    }

    /// The answer to a question about one thing. If the read models do not know it, they are
    /// asked again when they have reached what the engine knows: who has just made it sees it.
    pub(crate) async fn find<T, F>(&self, ask: impl Fn() -> F) -> Result<(Position, T), Problem>
    where
        F: Future<Output = Result<At<Option<T>>, ReadError>>,
    {
        find(&self.state, ask).await
    }

    /// What the cursors of a list are bound to.
    pub(crate) fn list<'a, F>(&'a self, name: &'static str, filters: &'a F) -> cursor::List<'a, F> {
        cursor::List { secret: &self.state.fingerprint_key, name, filters }
    }

    /// A page of `list` as it is answered; `next` is what the next one goes on from.
    pub(crate) fn page<F: Serialize, T: Serialize>(
        &self,
        list: &cursor::List<'_, F>,
        data: Vec<T>,
        next: Option<impl Display>,
        position: Position,
    ) -> Result<Reply<Listed<T>>, Problem> {
        let next_cursor = next.map(|item| list.seal(item)).transpose()?;
        let link = next_cursor.as_deref().map(|cursor| self.next_address(cursor));
        let has_more = next_cursor.is_some();
        let page = Listed { data, has_more, next_cursor };
        Ok(Reply::ok(page).at(position).next_link(link.as_deref()))
    }

    /// The address of this request with another cursor.
    pub(crate) fn next_address(&self, cursor: &str) -> String {
        let query = self.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .append_pair("cursor", cursor)
            .finish();
        format!("{}?{query}", self.uri.path())
    }
}

/// As [`Reader::find`], for those who are to change what they find.
pub(crate) async fn find<T, F>(
    state: &ApiState,
    ask: impl Fn() -> F,
) -> Result<(Position, T), Problem>
where
    F: Future<Output = Result<At<Option<T>>, ReadError>>,
{
    let mut answer = ask().await?;
    let head = state.ledger.status().borrow().head.position;
    if answer.value.is_none() && answer.position < head {
        state.read_models.wait_for(head, WAIT_MAX).await?;
        answer = ask().await?;
    }
    let value = answer.value.ok_or_else(reach::nothing)?;
    Ok((answer.position, value))
}

/// An account, as soon as the read models have what the engine has: who has just opened it sees it.
pub(crate) async fn known_account(
    state: &ApiState,
    id: &AccountId,
) -> Result<Option<Account>, Problem> {
    let known = state.read_models.account(id).await?.value;
    if known.is_some() {
        return Ok(known);
    }
    Ok(caught_up(state).await?.account(id).await?.value)
}

/// The read models, once they have what the engine has.
pub(crate) async fn caught_up(state: &ApiState) -> Result<&ReadModels, Problem> {
    let head = state.ledger.status().borrow().head.position;
    state.read_models.wait_for(head, WAIT_MAX).await?;
    Ok(&state.read_models)
}

/// How many items a page may have.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::parameter("limit", format!("1 to {LIMIT_MAX}."))),
    }
}
