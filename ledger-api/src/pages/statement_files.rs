//! `/app/statements/files/{id}`: a long statement while it is prepared, and then to be had. The
//! page follows by events; without a script its link loads it again.

use std::{convert::Infallible, sync::Arc, time::Duration};

use askama::Template;
use axum::{
    Router,
    extract::Path,
    http::HeaderMap,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use chrono::NaiveDate;
use futures::{Stream, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};

use super::{
    FormErrors, Layout, Nav, Visitor,
    landing::grouped,
    respond,
    statements::{heading, of_days},
    ui::LiveDot,
    visitor::Sent,
};
use crate::{
    http::{
        ApiState, Problem, codes,
        session::{refuse_foreign_origin, see_other},
    },
    people::PersonId,
    shutdown,
    statement_files::{self, FileId, FileState, Format, StatementFile},
    wallet::Period,
};

const PATH: &str = "/app/statements/files";
/// How often the stream looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often the connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After how long the session is shown again.
const LASTS: Duration = Duration::from_secs(60);

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/app/statements/files", get(back).post(ask))
        .route("/app/statements/files/{id}", get(page))
        .route("/app/statements/files/{id}/events", get(events))
}

#[derive(Template)]
#[template(path = "app/statement_file.html")]
struct FileView {
    layout: Layout,
    live: LiveDot,
    id: String,
    title: &'static str,
    heading: String,
    state: FileState,
    is_over: bool,
    /// The form for people, and as it is asked for.
    form: String,
    format: &'static str,
    from: NaiveDate,
    to: NaiveDate,
    percent: u64,
    lines_done: String,
    lines_of: String,
    position: u64,
    expires: String,
}

/// Who loads the address of the form again finds the statements.
async fn back() -> Response {
    see_other("/app/statements")
}

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskForm {
    from: NaiveDate,
    to: NaiveDate,
    format: Format,
}

/// Has one prepared, and leads to its page.
async fn ask(Sent { visitor, form }: Sent<AskForm>) -> Result<Response, Problem> {
    let AskForm { from, to, format } = form;
    let period = Period { from, to };
    if !period.is_allowed() {
        return of_days(&visitor, period, FormErrors::none()).await;
    }
    let said = [codes::STATEMENT_PREPARING, codes::STATEMENT_TOO_LONG, codes::TOO_MANY_TRIES];
    match statement_files::ask(&visitor.state, visitor.who.person.id, period, format).await {
        Ok(file) => Ok(see_other(&format!("{PATH}/{}", file.id))),
        Err(problem) if said.iter().any(|code| code.name == problem.code()) => {
            let errors = FormErrors::one("", problem.body().detail.into_owned());
            of_days(&visitor, period, errors).await
        }
        Err(problem) => Err(problem),
    }
}

async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    let file = statement_files::find(&visitor.state, visitor.who.person.id, known(&id)?).await?;
    let title = match file.state {
        FileState::Waiting | FileState::Making => "Preparing your statement",
        FileState::Ready => "Your statement is ready",
        FileState::Failed => "We couldn’t make this statement",
    };
    let view = FileView {
        layout: visitor.layout(title, Nav::Statements),
        live: LiveDot::new(visitor.path()),
        id: file.id.to_string(),
        title,
        heading: heading(file.period),
        state: file.state,
        is_over: file.state.is_over(),
        form: file.format.as_str().to_uppercase(),
        format: file.format.as_str(),
        from: file.period.from,
        to: file.period.to,
        percent: percent(&file),
        lines_done: grouped(file.lines_done),
        lines_of: grouped(file.lines_of),
        position: file.position.unwrap_or_default(),
        expires: visitor.when(file.expires_at).inside(),
    };
    Ok(respond::page(&view))
}

fn known(id: &str) -> Result<FileId, Problem> {
    id.parse().map_err(|_| crate::http::reach::nothing())
}

fn percent(file: &StatementFile) -> u64 {
    let done = file.lines_done.saturating_mul(100).checked_div(file.lines_of);
    done.unwrap_or(100).min(100)
}

/// What follows one file.
struct Follower {
    state: ApiState,
    person: PersonId,
    id: FileId,
    until: Instant,
    /// What was said last; nothing before the first look.
    said: Option<(FileState, u64)>,
    /// Keeps one of the places.
    _permit: OwnedSemaphorePermit,
}

/// The stream: how far it is, whenever that has changed. It ends with the file, when the service
/// stops, and after a minute in any case: whoever comes back shows their session again.
async fn events(
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (state, person, id) = (visitor.state, visitor.who.person.id, known(&id)?);
    refuse_foreign_origin(&headers, &state)?;
    statement_files::find(&state, person, id).await?;
    let Ok(permit) = Arc::clone(&state.own_tails).try_acquire_owned() else {
        let detail = "This process serves as many live streams as it can.";
        return Err(Problem::new(codes::OVERLOADED, detail).retry_after(5));
    };
    let until = Instant::now() + LASTS;
    let follower = Follower { state, person, id, until, said: None, _permit: permit };
    let told = Sse::new(messages(follower));
    Ok(told.keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

fn messages(follower: Follower) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(Some(follower), async |follower| {
        let mut follower = follower?;
        let file = follower.next().await?;
        let far = json!({"state": file.state, "lines_done": file.lines_done,
            "lines_of": file.lines_of});
        let event = Event::default().event("file").json_data(far).ok()?;
        Some((Ok(event), (!file.state.is_over()).then_some(follower)))
    })
}

impl Follower {
    /// The file when it is otherwise than it was; nothing when the stream ends.
    async fn next(&mut self) -> Option<StatementFile> {
        let mut stopping = self.state.stopping.clone();
        loop {
            if *stopping.borrow() || Instant::now() >= self.until {
                return None;
            }
            let file = statement_files::find(&self.state, self.person, self.id).await.ok()?;
            let far = (file.state, file.lines_done);
            if self.said != Some(far) {
                self.said = Some(far);
                return Some(file);
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = shutdown::wait(&mut stopping) => return None,
            }
        }
    }
}
