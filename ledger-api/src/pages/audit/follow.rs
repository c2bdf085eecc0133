//!
//! A page that follows asks for its own text again at each event, so nothing that was not on the
//! page is in here. The stream ends with the last check, when the service stops, and after a minute
//! in any case: whoever comes back shows their session again. Without a script the page has a link.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::response::{
    IntoResponse as _, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, stream};
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep},
};

use super::visitor::Auditor;
use crate::{
    auditing::{AuditRuns, Run, RunState},
    http::{Problem, codes},
};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After how long the session is shown again.
const LASTS: Duration = Duration::from_secs(60);
/// Checks that are looked at: of each kind one can go on.
const LOOKED_AT: u32 = 8;

/// How far a check is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Far {
    id: String,
    kind: String,
    goes_on: bool,
    events_done: i64,
    events_of: Option<i64>,
}

impl From<&Run> for Far {
    fn from(run: &Run) -> Self {
        Self {
            id: run.id.simple().to_string(),
            kind: run.kind.clone(),
            goes_on: matches!(run.state, RunState::Asked | RunState::Running),
            events_done: run.events_done,
            events_of: run.events_of,
        }
    }
}

struct Follower {
    runs: AuditRuns,
    stopping: watch::Receiver<bool>,
    until: Instant,
    /// What was said last; nothing before the first look.
    said: Option<Vec<Far>>,
    /// Keeps one of the places.
    _permit: OwnedSemaphorePermit,
}

/// The stream.
pub(super) async fn stream(auditor: Auditor) -> Result<Response, Problem> {
    let Ok(permit) = Arc::clone(&auditor.reads.followers).try_acquire_owned() else {
        let detail = "This process serves as many live streams as it can.";
        return Err(Problem::new(codes::OVERLOADED, detail).retry_after(5));
    };
    let follower = Follower {
        runs: auditor.reads.runs.clone(),
        stopping: auditor.stopping,
        until: Instant::now() + LASTS,
        said: None,
        _permit: permit,
    };
    let events = events(follower);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

fn events(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(Some(follower), async |follower| {
        let mut follower = follower?;
        let far = follower.next().await?;
        let event = Event::default().event("run").json_data(&far).ok()?;
        // After the last check there is nothing more to say.
        let goes_on = far.iter().any(|far| far.goes_on);
        Some((Ok(event), goes_on.then_some(follower)))
    })
}

impl Follower {
    /// What is otherwise than it was; nothing when the stream ends.
    async fn next(&mut self) -> Option<Vec<Far>> {
        loop {
            if *self.stopping.borrow() || Instant::now() >= self.until {
                return None;
            }
            let far: Vec<Far> = match self.runs.list(LOOKED_AT).await {
                Ok(runs) => runs.iter().map(Far::from).collect(),
                Err(error) => {
                    tracing::warn!(%error, "a stream of checks ended");
                    return None;
                }
            };
            if self.said.as_ref() != Some(&far) {
                self.said = Some(far.clone());
                return Some(far);
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                _ = self.stopping.wait_for(|stop| *stop) => return None,
            }
        }
    }
}
