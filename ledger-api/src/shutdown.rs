//! Being told to stop: by Ctrl-C or SIGTERM, once politely, twice at once.

use std::{future::Future, io, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// What a shell reports of a process that was ended by an interrupt.
const ENDED_BY_SIGNAL: i32 = 130;

/// Turns true at the first signal. The second ends the process where it stands: nothing
/// acknowledged is lost by that, because nothing is acknowledged before it is in the log.
///
/// # Errors
/// What the system says if signals can't be received.
pub fn on_signal() -> io::Result<watch::Receiver<bool>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        for time in 1.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if time > 1 {
                tracing::warn!("told to stop twice: ending at once");
                std::process::exit(ENDED_BY_SIGNAL);
            }
            tracing::info!("told to stop: finishing what is under way (once more: end at once)");
            tell.send_replace(true);
        }
    });
    Ok(told)
}

/// Turns true when the standard input ends: with whoever holds its other end.
pub fn on_end_of_stdin() -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    std::thread::spawn(move || {
        // However it ends.
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        tell.send_replace(true);
    });
    told
}

/// Waits until `told` is true; also when the one who would tell is gone.
pub async fn wait(told: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as good as being told.
    drop(told.wait_for(|stop| *stop).await);
}

/// Waits for `job`, but not longer than `deadline`; whether it ended.
pub async fn within(deadline: Duration, what: &str, job: impl Future<Output = ()>) -> bool {
    let ended = within_quietly(deadline, job).await;
    if !ended {
        tracing::warn!(what, ?deadline, "did not end in time");
    }
    ended
}

/// [`within`], where it is no matter if the job does not end in time.
pub async fn within_quietly(deadline: Duration, job: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(deadline, job).await.is_ok()
}
