//! What is due without being asked: wallets and shops that a crash left unopened, sessions, codes
//! and prepared statements that ended, people whose retention ended.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::{sync::watch, time};

use super::{People, PeopleError, Throttles, Wallets};
use crate::{sessions::Sessions, shops::ShopAccounts, shutdown};

const PAUSE: Duration = Duration::from_secs(60);
const AT_ONCE: u32 = 100;

/// Looks after people.
#[derive(Clone)]
pub struct PeopleKeeper {
    /// Who they are.
    pub people: People,
    /// What opens wallets.
    pub wallets: Wallets,
    /// What opens the accounts of shops.
    pub shops: ShopAccounts,
    /// Who is signed in; by their clock everything here goes.
    pub sessions: Sessions,
    /// How fast things may be tried.
    pub throttles: Throttles,
    /// How long what is known of somebody is kept after they left.
    pub retention: TimeDelta,
}

impl PeopleKeeper {
    /// Works until it is told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                let error = projections::describe(&error);
                tracing::warn!(%error, "people were not looked after");
            }
            tokio::select! {
                () = time::sleep(PAUSE) => {}
                () = shutdown::wait(&mut stop) => return,
            }
        }
    }

    /// Does all that is due now.
    ///
    /// # Errors
    /// [`PeopleError`]; the rest is done in the next round.
    pub async fn round(&self) -> Result<(), PeopleError> {
        let now = self.sessions.now();
        for id in self.people.unfinished(AT_ONCE).await? {
            let Some(person) = self.people.by_id(id).await? else { continue };
            match self.wallets.settle(&person).await {
                Ok(()) => tracing::info!(person = %id, "a wallet was opened that was missing"),
                Err(error) => {
                    let error = projections::describe(&error);
                    tracing::warn!(%error, person = %id, "a wallet is still missing");
                }
            }
        }
        if let Err(error) = self.shops.finish(AT_ONCE).await {
            let error = projections::describe(&error);
            tracing::warn!(%error, "shops were not looked after");
        }
        let due = now.checked_sub_signed(self.retention).unwrap_or(chrono::DateTime::UNIX_EPOCH);
        for id in self.people.to_erase(due, AT_ONCE).await? {
            self.people.erase(id, now).await?;
            tracing::info!(person = %id, "what was known of somebody was erased");
        }
        self.sessions.sweep().await?;
        self.people.sweep_codes(now).await?;
        self.people.sweep_statements(now).await?;
        self.throttles.sweep(now).await?;
        Ok(())
    }
}
