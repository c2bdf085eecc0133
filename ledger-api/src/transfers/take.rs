//! Claiming and giving up what waits.

use ledger_core::{
    chart::Authority,
    ids::{AccountId, PhoneHash, TransferId},
    transfer::{ClaimTransfer, TransferError, TransferOperation},
};
use serde::Serialize;

use super::{
    WRITE,
    recipient::{phone, phone_hash},
};
use crate::{
    http::{
        ApiState, Problem, codes,
        idempotency::Key,
        reach::{Reach, Reaching as _, nothing},
        reader::{find, known_account},
        writer::{Done, Identity, Writer},
    },
    people::PersonId,
};

/// The keyed hash of the number that a person has proved, if they have.
pub(crate) async fn own_phone_hash(
    state: &ApiState,
    person: PersonId,
) -> Result<Option<PhoneHash>, Problem> {
    let Some(person) = state.people.by_id(person).await? else { return Ok(None) };
    let proved = person.phone.filter(|_| person.phone_verified_at.is_some());
    proved.map(|phone| phone_hash(state, &phone)).transpose()
}

/// What a claim says, beside which transfer it is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    /// Where the money is to go; nothing for the wallet of the person who asks.
    pub(crate) account: Option<&'a AccountId>,
    /// The number that a service has seen proved.
    pub(crate) phone: Option<&'a str>,
}

/// Takes what waits for the caller's number. For a person, a transfer that is not theirs is none.
pub(crate) async fn claim<T: Serialize>(
    writer: &Writer,
    transfer_id: TransferId,
    key: Key,
    claim: Claim<'_>,
    body: &T,
) -> Result<Done, Problem> {
    let reach = writer.caller.reach(WRITE)?;
    let account = reach.account_or_own(claim.account)?;
    let phone_hash = proved(&writer.state, reach, &account, claim.phone).await?;
    let operation =
        TransferOperation::Claim(ClaimTransfer { transfer_id, account, phone_hash, review: None });
    let id = transfer_id.to_string();
    let identity = Identity { key, operation: "claim_transfer", path: &[&id], body };
    let permission = Authority::of_transfers().into();
    let done = writer.submit(identity, permission, operation.into()).await;
    let hidden = [TransferError::NotFound.code(), TransferError::AnotherNumber.code()];
    done.map_err(|problem| {
        let is_hidden = reach.person().is_some() && hidden.contains(&problem.code());
        if is_hidden { nothing() } else { problem }
    })
}

/// The number that stands behind a claim: the person's own, or the one that a service answers for.
async fn proved(
    state: &ApiState,
    reach: Reach,
    account: &AccountId,
    named: Option<&str>,
) -> Result<PhoneHash, Problem> {
    match (reach, named) {
        (Reach::Of(_), Some(_)) => {
            let detail = "People claim by the number that they have verified.";
            Err(Problem::field(codes::INVALID, "/phone", detail))
        }
        // No route of transfers is opened to shops; there is nothing of theirs here.
        (Reach::OfMerchant(..), _) => Err(nothing()),
        (Reach::Of(person), None) => own_phone_hash(state, person).await?.ok_or_else(nothing),
        (Reach::Everything, Some(text)) => phone_hash(state, &phone(text, "/phone")?),
        (Reach::Everything, None) => {
            let owner = known_account(state, account).await?.map(|known| known.owner);
            let person = owner.and_then(|owner| owner.as_str().parse::<PersonId>().ok());
            let hash = match person {
                Some(person) => own_phone_hash(state, person).await?,
                None => None,
            };
            hash.ok_or_else(|| {
                let detail = "The account's owner has verified no number; name the one that was.";
                Problem::field(codes::INVALID, "/phone", detail)
            })
        }
    }
}

/// Gives up what waits. What has gone already does not come back.
pub(crate) async fn cancel<T: Serialize>(
    writer: &Writer,
    transfer_id: TransferId,
    key: Key,
    body: &T,
) -> Result<Done, Problem> {
    let reach = writer.caller.reach(WRITE)?;
    let models = &writer.state.read_models;
    let (_, row) = find(&writer.state, || models.transfer(transfer_id)).await?;
    reach.account(&row.account)?;
    if row.expires_at.is_none() {
        let detail = "The money was theirs at once. Ask them to send it back.";
        return Err(Problem::new(codes::NOT_CANCELLABLE, detail));
    }
    let id = transfer_id.to_string();
    let identity = Identity { key, operation: "cancel_transfer", path: &[&id], body };
    let permission = Authority::of_transfers().into();
    let operation = TransferOperation::Cancel(transfer_id);
    writer.submit(identity, permission, operation.into()).await
}
