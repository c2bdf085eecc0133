//! Making a file, beside the requests.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_core::{clock::Timestamp, log::Position};
use tokio::{sync::watch, time};

use super::{FileState, KEPT_FOR, StatementFile};
use crate::{
    http::{ApiState, Problem},
    routes::rendered_statement,
    shutdown, wallet,
};

/// How often it is said how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// After how long without a word another process takes over.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// Starts to make a file, unless this process is at it already or has enough to do: whoever looks
/// at it again starts it then.
pub(super) fn start(state: &ApiState, file: &StatementFile) {
    let now = state.sessions.now();
    if !file.is_left(now) {
        return;
    }
    if let Some(under_way) = state.statement_files.begin(file.id) {
        let (state, file) = (state.clone(), file.clone());
        tokio::spawn(async move {
            if let Err(problem) = make(&state, &file).await {
                tracing::warn!(file = %file.id, code = problem.code(), "a statement waits");
            }
            drop(under_way);
        });
    }
}

/// Makes it when its turn has come; nothing if another process is at it, or it is time to stop.
async fn make(state: &ApiState, file: &StatementFile) -> Result<(), Problem> {
    let files = &state.statement_files;
    let mut stopping = state.stopping.clone();
    let turn = tokio::select! {
        turn = Arc::clone(&files.slot).acquire_owned() => turn,
        () = shutdown::wait(&mut stopping) => return Ok(()),
    };
    let _turn = turn.map_err(|error| Problem::internal(&error))?;
    let now = state.sessions.now();
    if !files.take(file.id, now, later(now, LEASE)).await? {
        return Ok(());
    }
    let (tell, told) = watch::channel(0);
    let making = made(state, file, &tell);
    tokio::pin!(making);
    let mut tick = time::interval(TELL_EVERY);
    tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let made = loop {
        tokio::select! {
            made = &mut making => break made,
            () = shutdown::wait(&mut stopping) => {
                return Ok(files.let_go(file.id, FileState::Waiting).await?);
            }
            _ = tick.tick() => {
                let (done, now) = (*told.borrow(), state.sessions.now());
                files.note(file.id, done, later(now, LEASE)).await?;
            }
        }
    };
    let kept = match made {
        Ok((bytes, position)) => {
            let expires_at = later(state.sessions.now(), KEPT_FOR);
            files.finish(file, (&bytes, position), expires_at).await
        }
        Err(problem) => Err(problem),
    };
    if let Err(problem) = kept {
        tracing::warn!(file = %file.id, code = problem.code(), "a statement was not made");
        files.let_go(file.id, FileState::Failed).await?;
    }
    Ok(())
}

fn later(now: Timestamp, delta: TimeDelta) -> Timestamp {
    now.checked_add_signed(delta).unwrap_or(now)
}

/// The file, and the place in the log that it reflects.
async fn made(
    state: &ApiState,
    file: &StatementFile,
    tell: &watch::Sender<u64>,
) -> Result<(Vec<u8>, Position), Problem> {
    let account = file.person.wallet().map_err(|error| Problem::internal(&error))?;
    let mut statement = wallet::long_statement(state, &account, file.period, tell).await?;
    let owner = state.people.by_id(file.person).await?;
    statement.owner = owner.map(|person| person.name.expose().to_owned());
    let position = statement.position;
    Ok((rendered_statement(statement, file.format).await?, position))
}
