//! What happens on one's own wallet, as it happens, as server-sent events.
//!
//! A message's id is the position of the change, so whoever comes back with the last id misses
//! nothing; of a thing that changed several times meanwhile they see how it is now. The stream
//! looks when the log has grown, at most a few times a second, and ends when the service stops,
//! when the session is over, and when the read models cannot be asked; the client comes back.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use ledger_core::{ids::AccountId, log::Position};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::IntoParams;

use super::{READ, body::ActivityOut};
use crate::{
    http::{Problem, codes, query::Params, reader::Reader, session::refuse_foreign_origin},
    routes::events::last_event_id,
    wallet,
};

/// How often the connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often it is looked whether the session is alive.
const SESSION_CHECK: Duration = Duration::from_secs(15);
/// How long news are gathered before they are looked at.
const GATHERING: Duration = Duration::from_millis(250);
/// Things that are read at once.
const READ_ROWS: u32 = 50;

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LiveQuery {
    /// What changed after this position; from now on if left out. The header `Last-Event-ID`, as
    /// browsers send it, goes before.
    after: Option<u64>,
}

/// Follow one's own wallet
///
/// Server-sent events: `activity` with a thing that changed, `balances` when money moved. The id
/// is the position: send it as `Last-Event-ID` to go on without a gap.
#[utoipa::path(
    get,
    path = "/v1/me/events",
    tag = "Wallet",
    params(LiveQuery),
    responses((status = 200, description = "A stream that does not end.",
        content_type = "text/event-stream", body = String)),
)]
pub(super) async fn stream(
    reader: Reader,
    headers: HeaderMap,
    Params(query): Params<LiveQuery>,
) -> Result<Response, Problem> {
    let (person, _) = reader.admit_person(READ, None).await?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    follow(reader, &headers, query.after, Followed { account, is_quiet: false }).await
}

/// What a stream is about.
pub(crate) struct Followed {
    /// Which account.
    pub(crate) account: AccountId,
    /// Whether it says only that something was paid, and no amount: for eyes that see no balance.
    pub(crate) is_quiet: bool,
}

/// The stream of an account that whoever asks may see.
pub(crate) async fn follow(
    reader: Reader,
    headers: &HeaderMap,
    after: Option<Position>,
    followed: Followed,
) -> Result<Response, Problem> {
    refuse_foreign_origin(headers, &reader.state)?;
    let after = match last_event_id(headers)?.or(after) {
        Some(after) => after,
        None => reader.state.read_models.position().await?,
    };
    let Ok(permit) = Arc::clone(&reader.state.own_tails).try_acquire_owned() else {
        let detail = "This process serves as many live streams as it can.";
        return Err(Problem::new(codes::OVERLOADED, detail).retry_after(5));
    };
    let (head, stopping) = (reader.state.head.clone(), reader.state.stopping.clone());
    let Followed { account, is_quiet } = followed;
    let own = Own { reader, account, is_quiet, head, stopping, after, buffer: VecDeque::new() };
    Ok(Sse::new(messages(own, permit))
        .keep_alive(KeepAlive::new().interval(HEARTBEAT))
        .into_response())
}

struct Own {
    reader: Reader,
    account: AccountId,
    is_quiet: bool,
    head: watch::Receiver<Position>,
    stopping: watch::Receiver<bool>,
    /// Everything up to here was sent, or is in the buffer.
    after: Position,
    buffer: VecDeque<Event>,
}

fn messages(
    own: Own,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((own, permit), async |(mut own, permit)| {
        let event = own.next().await?;
        Some((Ok(event), (own, permit)))
    })
}

impl Own {
    /// The next message; nothing when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if let Some(event) = self.buffer.pop_front() {
                return Some(event);
            }
            if !self.reader.is_still_allowed().await {
                return None;
            }
            let head = *self.head.borrow_and_update();
            if self.after < head && self.read().await? {
                continue;
            }
            self.wait().await?;
        }
    }

    /// Reads what changed; whether anything did. Nothing if it cannot be read.
    async fn read(&mut self) -> Option<bool> {
        match self.changes().await {
            Ok(events) => {
                self.buffer.extend(events);
                Some(!self.buffer.is_empty())
            }
            Err(problem) => {
                tracing::warn!(code = problem.code(), "a live stream ended");
                None
            }
        }
    }

    async fn changes(&mut self) -> Result<Vec<Event>, Problem> {
        let state = &self.reader.state;
        let changed = wallet::changes(state, &self.account, self.after, READ_ROWS).await?;
        let mut events = Vec::new();
        let mut last = self.after;
        for item in changed.items {
            last = item.row.last_position;
            events.push(message("activity", last, &ActivityOut::from(item))?);
        }
        // With a full page there is more: the rest is read next.
        let is_all = u32::try_from(events.len()).is_ok_and(|count| count < READ_ROWS);
        if is_all && changed.has_moved && self.is_quiet {
            events.push(message("paid", changed.position, &serde_json::json!({}))?);
        } else if is_all && changed.has_moved {
            let balances = wallet::balances(state, &self.account).await?;
            let body = super::balances::BalancesOut::from(balances);
            events.push(message("balances", changed.position, &body)?);
        }
        self.after = if is_all { changed.position } else { last };
        Ok(events)
    }

    /// Waits for news, the stop, or the time to look at the session again.
    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            changed = self.head.changed() => {
                changed.ok()?;
                tokio::time::sleep(GATHERING).await;
                Some(())
            }
            changed = self.stopping.changed() => changed.ok(),
            () = tokio::time::sleep(SESSION_CHECK) => Some(()),
        }
    }
}

fn message(name: &str, id: Position, body: &impl serde::Serialize) -> Result<Event, Problem> {
    let event = Event::default().id(id.to_string()).event(name);
    event.json_data(body).map_err(|error| Problem::internal(&error))
}
