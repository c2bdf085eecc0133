//! Signing up.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Arrival, Entered, begin, both, throttle, with_wallet, wrong_name, wrong_password};
use crate::{
    http::{ApiState, Problem},
    people::{NewPerson, Password, Person, PersonId, Rate},
    sessions::Audience,
};

/// Who wants to sign up.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignUpInput)]
pub(crate) struct SignUpIn {
    /// What others see: 1 to 80 characters.
    #[schema(example = "Asha Rao")]
    pub(crate) name: String,
    /// What others find them by: 3 to 20 of a to z, 0 to 9 and `_`.
    #[schema(example = "asha")]
    pub(crate) handle: String,
    /// The e-mail address.
    #[schema(example = "asha@example.com")]
    pub(crate) email: String,
    /// The phone number; without a country's code it is an Indian one.
    #[serde(default)]
    #[schema(example = "+919812345678")]
    pub(crate) phone: Option<String>,
    /// The password: 8 to 1024 bytes.
    #[schema(example = "a long sentence is best")]
    pub(crate) password: String,
}

/// Makes a person with a wallet and signs them in.
pub(crate) async fn sign_up(
    state: &ApiState,
    arrival: &Arrival,
    (wanted, audience): (&SignUpIn, Audience),
) -> Result<Entered, Problem> {
    if !state.people_settings.sign_up {
        return Err(Problem::not_found("Nobody can sign up here."));
    }
    throttle(state, Rate::SIGN_UP, &arrival.client.counted()).await?;
    let (new, password) = checked(state, wanted)?;
    // Hashing is the dear part: not for a handle that is taken.
    state.people.check_free(&new.handle, &new.email).await?;
    let password = Some(state.passwords.hash(password).await?);
    let id = new.id;
    admit(state, NewPerson { password, ..new }).await?;
    begin(state, arrival, (id, audience)).await
}

/// Makes a person with a wallet, however they proved who they are.
pub(crate) async fn admit(state: &ApiState, new: NewPerson) -> Result<Person, Problem> {
    state.people.create(&new).await?;
    tracing::info!(person = %new.id, "somebody signed up");
    let person = state.people.by_id(new.id).await?.ok_or_else(super::gone)?;
    Ok(with_wallet(state, person).await)
}

fn checked(state: &ApiState, wanted: &SignUpIn) -> Result<(NewPerson, Password), Problem> {
    let name = wanted.name.parse().map_err(|error| wrong_name("/name", error));
    let handle = wanted.handle.parse().map_err(|error| wrong_name("/handle", error));
    let email = wanted.email.parse().map_err(|error| wrong_name("/email", error));
    let phone = wanted.phone.as_deref().filter(|phone| !phone.trim().is_empty());
    let phone = phone.map(str::parse).transpose().map_err(|error| wrong_name("/phone", error));
    let own = [wanted.name.trim(), wanted.handle.trim(), wanted.email.trim()];
    let password: Result<Password, _> = wanted.password.parse();
    let password = password.and_then(|password| password.unlike(&own));
    let password = password.map_err(|error| wrong_password("/password", error));
    let ((((name, handle), email), phone), password) =
        both(both(both(both(name, handle), email), phone), password)?;
    let new = NewPerson {
        id: PersonId::from_uuid(state.ids.fresh()),
        handle,
        name,
        email,
        phone,
        password: None,
        email_is_proved: false,
        at: state.sessions.now(),
    };
    Ok((new, password))
}
