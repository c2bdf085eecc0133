//! The service's side of people and of shops: how people are let in, what looks after them, and
//! what pays shops out.

use std::{sync::Arc, time::Duration};

use ledger_core::{clock::System, engine::Engine};
use sqlx::PgPool;

use super::{
    ServiceError,
    parts::{Parts, Wanted},
    tasks,
};
use crate::{
    http::Operators,
    people::{People, PeopleKeeper, PeopleSettings, PublicUrl, Throttles, Wallets},
    review::ReviewRules,
    sessions::Sessions,
    setup::{Database, Secret},
    shops::{ShopAccounts, Shops},
    workers::{PayoutKeeper, PayoutParts},
};

/// How often what goes by days is looked for where days are made to pass.
const SANDBOX_LOOK: Duration = Duration::from_millis(100);

impl Wanted {
    /// How often settlements and payouts are looked for, if not as often as usual: in a sandbox a
    /// day passes in a moment.
    pub(super) fn look_every(&self) -> Option<Duration> {
        self.sandbox.is_some().then_some(SANDBOX_LOOK)
    }

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

impl Parts {
    /// Starts to look after people.
    pub(super) fn start_people(
        &mut self,
        database: &Database,
        secret: &Secret,
        engine: &Engine,
        wanted: &Wanted,
    ) -> Result<(), ServiceError> {
        let pool = self.kept(database.pool(database.app().clone()));
        let settings = wanted.people_settings()?;
        let keeper = keeper(&pool, secret, engine, &settings);
        self.tasks.push(("the people", tasks::keep_people(&keeper, &self.stop.subscribe())));
        Ok(())
    }

    /// Starts to pay out what goes by itself; without a bank nothing goes.
    pub(super) fn start_payouts(
        &mut self,
        database: &Database,
        secret: &Secret,
        engine: &Engine,
        wanted: &Wanted,
    ) -> Result<(), ServiceError> {
        if wanted.bank_registry.is_empty() {
            return Ok(());
        }
        let pool = self.kept(database.pool(database.app().clone()));
        let keeper = PayoutKeeper::new(PayoutParts {
            ledger: Arc::new(engine.clone()),
            read_models: self.read_models(pool.clone()),
            pool: pool.clone(),
            secret: secret.bytes(),
            banks: Arc::clone(&wanted.bank_registry),
            review: ReviewRules::from_variables(std::env::vars_os())?,
            clock: Arc::clone(&wanted.clock),
            ids: Arc::new(System),
        });
        let mut keeper = keeper.map_err(ServiceError::Principal)?;
        if let Some(look_every) = wanted.look_every() {
            keeper = keeper.looking_every(look_every);
        }
        let paying = tasks::keep_payouts(&keeper, &pool, &self.stop.subscribe());
        self.tasks.push(("the payouts", paying));
        Ok(())
    }
}

/// What looks after people.
fn keeper(
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
