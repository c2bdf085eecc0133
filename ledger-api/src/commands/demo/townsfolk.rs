//! Moves the cast in: each signs up as anybody does, with a wallet, and has proved everything.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ledger_api::{
    http::ApiState,
    people::{
        DEMO_PASSWORD, Email, Handle, NewPerson, Password, Person, PersonId, Phone, Recipient,
    },
};

use super::{
    caller::Caller,
    cast::{CAST, Character},
    days::Resident,
    payee::{self, Payee},
};

/// All of them; who lives here already is found.
pub(super) async fn move_in(
    state: &ApiState,
    caller: &Caller,
) -> anyhow::Result<BTreeMap<&'static str, Resident>> {
    let mut residents = BTreeMap::new();
    for character in &CAST {
        let person = match found(state, character).await? {
            Some(person) => person,
            None => sign_up(state, character).await?,
        };
        let owner = person.id.to_string();
        let payee = Payee {
            owner: &owner,
            number: character.bank_account,
            name: character.name,
            ifsc: payee::TEST_IFSC,
        };
        let payee = payee::bank_account(caller, &payee).await?;
        let wallet = person.id.wallet()?;
        residents.insert(character.handle, Resident { character, id: person.id, wallet, payee });
    }
    Ok(residents)
}

async fn found(state: &ApiState, character: &Character) -> anyhow::Result<Option<Person>> {
    let handle = Recipient::Handle(character.handle.parse()?);
    let Some(face) = state.people.find(&handle).await? else { return Ok(None) };
    let Some(person) = state.people.by_id(face.id).await? else { return Ok(None) };
    // Whoever was called so before the demo is somebody else.
    let email: Email = character.email().parse()?;
    anyhow::ensure!(person.email == email, "{} is somebody else", character.handle);
    prove(state, person.id, character).await.map(Some)
}

async fn sign_up(state: &ApiState, character: &Character) -> anyhow::Result<Person> {
    let password: Password = DEMO_PASSWORD.parse()?;
    let handle: Handle = character.handle.parse()?;
    let new = NewPerson {
        id: PersonId::from_uuid(state.ids.fresh()),
        handle,
        name: character.name.parse()?,
        email: character.email().parse()?,
        phone: Some(character.phone.parse()?),
        password: Some(state.passwords.hash(password).await?),
        email_is_proved: true,
        at: state.clock.now(),
    };
    state.people.create(&new).await?;
    prove(state, new.id, character).await
}

/// As if they had typed the codes in, and shown their papers; each once.
async fn prove(state: &ApiState, id: PersonId, character: &Character) -> anyhow::Result<Person> {
    let person = state.people.by_id(id).await?.context("somebody who just moved in")?;
    if !person.is_verified() {
        let (people, now) = (&state.people, state.clock.now());
        let (email, phone): (Email, Phone) = (character.email().parse()?, character.phone.parse()?);
        people.note_email_proved(id, &people.key().email(&email), now).await?;
        people.note_phone_proved(id, &people.key().phone(&phone), now).await?;
        people.note_papers_seen(id, now).await?;
    }
    let person = state.people.by_id(id).await?.context("somebody who just moved in")?;
    state.wallets.settle(&person).await?;
    Ok(person)
}
