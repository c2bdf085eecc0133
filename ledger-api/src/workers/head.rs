//! Follows the end of the log, for live tails: one task for all of them.
//!
//! The engine tells of its own appends at once. What other processes append it learns when it
//! appends itself, so while somebody watches, the head is also read from the database.

use std::{sync::Arc, time::Duration};

use ledger_core::log::{self, Position};
use sqlx::PgPool;
use tokio::sync::watch;

use crate::http::Ledger;

/// How often the head is read from the database while somebody watches.
const POLL_EVERY: Duration = Duration::from_millis(250);

/// The end of the log as far as this process knows. Ends when the engine does.
pub fn follow_head(ledger: &Arc<dyn Ledger>, db: PgPool) -> watch::Receiver<Position> {
    let mut status = ledger.status();
    let (sender, receiver) = watch::channel(status.borrow().head.position);
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(POLL_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let position = tokio::select! {
                changed = status.changed() => match changed {
                    Ok(()) => status.borrow_and_update().head.position,
                    Err(_) => return,
                },
                // The state of the API holds one receiver for ever; more are tails.
                _ = tick.tick(), if sender.receiver_count() > 1 => {
                    match log::read::head(&db).await {
                        Ok(head) => head.position,
                        // The tails wait as they would for the next event.
                        Err(error) => {
                            tracing::debug!(%error, "the head could not be read");
                            continue;
                        }
                    }
                }
            };
            sender.send_if_modified(|known| {
                let news = position > *known;
                *known = position.max(*known);
                news
            });
        }
    });
    receiver
}
