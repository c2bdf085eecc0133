//! Who is called so: the verified name behind a handle, a number or an id, before money is sent.
//!
//! Names are personal data, so the question is counted per person and per address of the network.
//! Nobody and somebody are answered after the same time.

use std::time::Duration;

use ledger_core::ids::IdError;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};
use utoipa::{IntoParams, ToSchema};

use super::body::FaceOut;
use crate::{
    entry::throttle,
    http::{Problem, codes, peer::ClientAddress, query::Params, reader::Reader, reply::Reply},
    identity::Scope,
    people::{NameError, PublicFace, Rate, Recipient},
};

/// By one person.
const BY_PERSON: Rate = Rate { name: "lookup-person", burst: 20, seconds: 3 };
/// From one address of the network.
const BY_ADDRESS: Rate = Rate { name: "lookup-address", burst: 60, seconds: 1 };
/// After which time everybody is answered: longer than a look takes.
const ANSWERED_AFTER: Duration = Duration::from_millis(60);

/// Whom to look for: exactly one of these.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LookupQuery {
    /// By handle: `asha`.
    handle: Option<String>,
    /// By phone number, if they have proved that it is theirs.
    phone: Option<String>,
    /// By id: `usr_…`.
    id: Option<String>,
}

/// Somebody to send money to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = RecipientFound)]
pub(super) struct RecipientOut {
    /// Always `recipient`.
    #[schema(example = "recipient")]
    object: String,
    /// Who it is.
    #[serde(flatten)]
    face: FaceOut,
    /// Whether it is who asks: nobody sends money to themselves.
    is_self: bool,
}

/// Look a recipient up
///
/// The name of the person whom money would go to. 404 if nobody is found by this; a phone number
/// that nobody has proved can still be sent to, and is claimed by who proves it.
#[utoipa::path(
    get,
    path = "/v1/recipients/lookup",
    tag = "Wallet",
    params(LookupQuery),
    responses((status = 200, description = "Who it is.", body = RecipientOut)),
)]
pub(super) async fn lookup(
    reader: Reader,
    client: ClientAddress,
    Params(query): Params<LookupQuery>,
) -> Result<Reply<RecipientOut>, Problem> {
    let (person, _) = reader.admit_person(&[Scope::TransfersWrite], None).await?;
    let named = query.named()?;
    let answered_at = Instant::now() + ANSWERED_AFTER;
    throttle(&reader.state, BY_PERSON, person.uuid().as_bytes()).await?;
    throttle(&reader.state, BY_ADDRESS, &client.counted()).await?;
    let found: Result<Option<PublicFace>, Problem> =
        reader.state.people.find(&named).await.map_err(Problem::from);
    sleep_until(answered_at).await;
    let face = found?
        .ok_or_else(|| Problem::new(codes::RECIPIENT_NOT_FOUND, "Nobody here is found by this."))?;
    let is_self = face.id == person;
    let face = face.into();
    Ok(Reply::ok(RecipientOut { object: "recipient".to_owned(), face, is_self }))
}

impl LookupQuery {
    fn named(&self) -> Result<Recipient, Problem> {
        let name = |error: NameError| format!("{error}.");
        match (&self.handle, &self.phone, &self.id) {
            (Some(handle), None, None) => {
                let handle = handle.parse().map(Recipient::Handle);
                handle.map_err(|error| Problem::parameter("handle", name(error)))
            }
            (None, Some(phone), None) => {
                let phone = phone.parse().map(Recipient::Phone);
                phone.map_err(|error| Problem::parameter("phone", name(error)))
            }
            (None, None, Some(id)) => {
                let id = id.parse().map(Recipient::Id);
                id.map_err(|error: IdError| Problem::parameter("id", format!("{error}.")))
            }
            _ => Err(Problem::parameter("handle", "Exactly one of handle, phone and id.")),
        }
    }
}
