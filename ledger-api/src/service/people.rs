//! The service's side of people: how they are let in, and what looks after them.

use std::sync::Arc;

use ledger_core::{clock::System, engine::Engine};
use sqlx::PgPool;

use super::{ServiceError, parts::Wanted};
use crate::{
    http::Operators,
    people::{People, PeopleKeeper, PeopleSettings, PublicUrl, Throttles, Wallets},
    review::ReviewRules,
    sessions::Sessions,
    setup::Secret,
    shops::{ShopAccounts, Shops},
};

impl Wanted {
    /// What operators have of it, but for what needs a database.
    pub(super) fn operators(&self) -> Result<Operators, ServiceError> {
        let review = ReviewRules::from_variables(std::env::vars_os())?;
        let sandbox = self.sandbox.clone();
        Ok(Operators { review, sandbox, ..Operators::default() })
    }

    /// How people are let in: as the variables say, and in the demonstration anybody.
    pub(super) fn people_settings(&self) -> Result<PeopleSettings, ServiceError> {
        let settings = PeopleSettings::from_variables(|name| std::env::var(name).ok())?;
        let settings =
            if self.demo { settings.for_demo(self.address) } else { settings.complete()? };
        let public_url = settings.base().map(PublicUrl::as_str);
        self.logins.returning_to(public_url)?;
        Ok(PeopleSettings { logins: self.logins.clone(), ..settings })
    }
}

/// What looks after people.
pub(super) fn keeper(
    pool: &PgPool,
    secret: &Secret,
    engine: &Engine,
    settings: &PeopleSettings,
) -> PeopleKeeper {
    let people = People::new(pool.clone(), secret.bytes());
    let (clock, ledger) = (Arc::clone(&settings.clock), Arc::new(engine.clone()));
    let wallets = Wallets::new(people.clone(), ledger, Arc::new(System), Arc::clone(&clock));
    PeopleKeeper {
        shops: ShopAccounts::new(Shops::new(pool.clone(), secret.bytes()), wallets.clone()),
        wallets,
        sessions: Sessions::new(pool.clone(), clock),
        throttles: Throttles::new(pool.clone(), people.key().clone()),
        people,
        retention: settings.retention,
    }
}
