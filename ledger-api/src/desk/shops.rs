//! What the desk does to a shop: ending it, and what is agreed with it. Freezing is as of any
//! account ([`super::accounts`]).

use ledger_core::{
    chart::{Authority, PostingClass},
    command::{Operation, Outcome},
    ids::AccountId,
};
use serde::{Deserialize, Serialize};

use super::{acts::Act, caught_up, check_reason};
use crate::{
    http::{Problem, codes, writer::Writer},
    shops::{MerchantId, SettlementLag, Unfinished},
};

/// What is to be agreed with a shop: it holds from the next payment on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Agreement {
    /// The version of the fees.
    pub(crate) terms_version: u32,
    /// How many bank days a payment settles.
    pub(crate) settlement_days: u8,
}

impl Agreement {
    /// Goes on only with a version that there is, and a time that there can be.
    pub(crate) fn check(self, writer: &Writer) -> Result<SettlementLag, Problem> {
        let book = writer.state.ledger.status().borrow().book.clone();
        let invalid =
            |field: &str, detail: String| Problem::field(codes::INVALID, field.to_owned(), detail);
        if book.terms(self.terms_version).is_none() {
            let detail = format!("There are no terms of version {}.", self.terms_version);
            return Err(invalid("/terms_version", detail));
        }
        SettlementLag::new(self.settlement_days)
            .map_err(|error| invalid("/settlement_days", format!("{error}.")))
    }
}

/// Has a shop pay by another version of the fees, or wait otherwise for its money; two agreed.
pub(crate) async fn agree(
    writer: &Writer,
    id: MerchantId,
    agreement: Agreement,
    why: &str,
) -> Result<(), Problem> {
    let lag = agreement.check(writer)?;
    writer.state.shops.agree(id, (agreement.terms_version, lag)).await?;
    Act::new("shop_terms_agreed", &id.to_string(), why).keep(writer).await
}

/// What stands in the way of a shop's end, up to now.
pub(crate) async fn unfinished(writer: &Writer, id: MerchantId) -> Result<Unfinished, Problem> {
    caught_up(&writer.state).await?;
    Ok(writer.state.shops.unfinished_business(id).await?)
}

/// Ends a shop: only with empty accounts, and with nothing on its way. Done twice, it is done once.
pub(crate) async fn close(writer: &Writer, id: MerchantId, why: &str) -> Result<(), Problem> {
    check_reason(why)?;
    let left = unfinished(writer, id).await?;
    if !left.is_nothing() {
        let left = left.all().into_iter().filter(|(_, count)| *count > 0);
        let left: Vec<String> = left.map(|(what, count)| format!("{count} {what}")).collect();
        let detail = format!("There are still {}.", left.join(", "));
        return Err(Problem::new(codes::ACCOUNT_IN_USE, detail));
    }
    let internal = |error: ledger_core::ids::IdError| Problem::internal(&error);
    // What is paid comes in at the first: once that is closed, the second gets nothing more.
    for account in [id.unsettled().map_err(internal)?, id.available().map_err(internal)?] {
        close_account(writer, account).await?;
    }
    writer.state.shops.close(id).await?;
    tracing::warn!(merchant = %id, principal = %writer.caller.principal, "a shop was closed");
    Act::new("shop_closed", &id.to_string(), why).keep(writer).await
}

async fn close_account(writer: &Writer, account: AccountId) -> Result<(), Problem> {
    // A refusal would stand for ever under a key; closing twice is closing once.
    let permission = Authority::of(&[PostingClass::Open]).into();
    let command = writer.command(permission, Operation::CloseAccount { account });
    let answer = writer.state.ledger.submit(command).await?;
    match &answer.outcome {
        Outcome::Rejected(rejection)
            if !["account_closed", "account_not_found"].contains(&rejection.code.as_str()) =>
        {
            Err(Problem::rejected(rejection, &answer))
        }
        Outcome::Accepted(_) | Outcome::Rejected(_) => Ok(()),
    }
}
