//! What the desk does to somebody's account: freezing it at once, and closing it. Lifting a freeze
//! takes two ([`super::carrying_out`]).

use ledger_core::{
    account::FreezeMode,
    chart::{self, Authority, PostingClass},
    command::{FreezeAccount, Operation},
    ids::{AccountId, Reference},
};

use super::{acts::Act, check_reason};
use crate::{
    entry,
    http::{
        Problem,
        idempotency::Key,
        writer::{Done, Identity, Writer},
    },
    people::PersonId,
    routes::Empty,
};

/// Lets nothing more out of an account, or in, until the freeze is lifted; under a reference of
/// the order behind it.
pub(crate) async fn freeze(
    writer: &Writer,
    account: &AccountId,
    (reference, mode): (Reference, FreezeMode),
    (key, why): (Key, &str),
) -> Result<Done, Problem> {
    check_reason(why)?;
    let class = chart::lookup(&account.code()).map_or(PostingClass::Open, |entry| entry.class);
    let (account_id, named) = (account.to_string(), reference.to_string());
    let operation = Operation::Freeze(FreezeAccount {
        account: account.clone(),
        reference,
        mode,
        amount: None,
    });
    let path = [account_id.as_str(), named.as_str()];
    let body = &Empty {};
    let identity = Identity { key, operation: "desk_freeze", path: &path, body };
    let done = writer.submit(identity, Authority::of(&[class]).into(), operation).await?;
    if !done.replayed {
        Act::new("account_frozen", &account_id, why).keep(writer).await?;
    }
    Ok(done)
}

/// Closes a person's account: only empty, and with nothing on its way.
pub(crate) async fn close(writer: &Writer, person: PersonId, why: &str) -> Result<(), Problem> {
    check_reason(why)?;
    entry::close_for(&writer.state, person, writer.caller.principal.clone()).await?;
    Act::new("account_closed", &person.to_string(), why).keep(writer).await
}
