//! The demonstration's people: fully verified, each with a wallet, made once.

use std::sync::Arc;

use anyhow::Context as _;
use ledger_api::{
    people::{DEMO_PASSWORD, DEMO_PEOPLE, NewPerson, Passwords, People, PersonId, Phone, Wallets},
    setup::{Database, Secret},
};
use ledger_core::{
    clock::{Clock as _, Ids as _, System},
    engine::Engine,
};

/// Makes those who are not there.
pub(super) async fn settle(
    database: &Database,
    secret: &Secret,
    engine: &Engine,
) -> anyhow::Result<()> {
    let pool = database.pool(database.app().clone());
    let people = People::new(pool.clone(), secret.bytes());
    let wallets =
        Wallets::new(people.clone(), Arc::new(engine.clone()), Arc::new(System), Arc::new(System));
    let passwords = Passwords::default();
    for (number, (handle, name)) in DEMO_PEOPLE.into_iter().enumerate() {
        if people.find(&handle.parse()?).await?.is_some() {
            continue;
        }
        let (id, now) = (PersonId::from_uuid(System.fresh()), System.now());
        let phone: Phone = format!("+9198100000{:02}", number + 1).parse()?;
        let new = NewPerson {
            id,
            handle: handle.parse()?,
            name: name.parse()?,
            email: format!("{handle}@demo.example").parse()?,
            phone: Some(phone.clone()),
            password: Some(passwords.hash(DEMO_PASSWORD.parse()?).await?),
            email_is_proved: true,
            at: now,
        };
        people.create(&new).await.with_context(|| format!("{handle} was not made"))?;
        people.note_phone_proved(id, &people.key().phone(&phone), now).await?;
        people.note_papers_seen(id, now).await?;
        if let Some(person) = people.by_id(id).await? {
            wallets.settle(&person).await.with_context(|| format!("no wallet for {handle}"))?;
        }
    }
    pool.close().await;
    Ok(())
}
