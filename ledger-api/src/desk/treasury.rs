//! A line of a statement is one end of a move between our own accounts, by two persons' word. Both
//! ends have the same item, so what is on its way is an open item.

use ledger_core::{
    bank_line::{BankLineOperation, Part, Purpose, ResolveBankLine},
    chart::Authority,
    ids::{BankLineId, Item, Reference},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::two_persons;
use crate::{
    http::{
        Problem,
        approval::Approver,
        idempotency::Key,
        reader::caught_up,
        writer::{Done, Identity, Permission, Writer},
    },
    statements::stored_line,
};

/// Which move a line is an end of.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TreasuryMove)]
pub(crate) struct MoveIn {
    /// The move's name, the same for both ends.
    #[schema(value_type = String, example = "topup-2026-11-22")]
    pub(crate) item: Item,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "backing_short")]
    pub(crate) reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    pub(crate) evidence_sha256: String,
}

/// Names a line as an end of a move; what was done, and the currency of the line.
pub(crate) async fn name(
    writer: &Writer,
    approver: &Approver,
    id: BankLineId,
    key: Key,
    body: &MoveIn,
) -> Result<(Done, CurrencyCode), Problem> {
    let approval = two_persons(writer, approver, &body.reason, Some(&body.evidence_sha256))?;
    caught_up(&writer.state).await?;
    let line = stored_line(&writer.state.reads, id).await?;
    let line = line.ok_or_else(|| Problem::not_found("There is nothing of this id."))?;
    let currency = writer.state.ledger.status().borrow().book.currency(line.currency);
    let currency = currency.ok_or_else(|| Problem::internal(&"no currency"))?;
    let mut amount: Decimal = line.amount;
    amount.rescale(u32::from(currency.scale));
    let resolve = BankLineOperation::Resolve(ResolveBankLine {
        key: line.key,
        currency,
        parts: vec![Part::of_item(Purpose::Treasury, body.item.clone(), amount)],
        transaction_id: writer.transaction_id(),
    });
    let permission = Permission { authority: Authority::of_statements(), approval: Some(approval) };
    let text = id.to_string();
    let identity = Identity { key, operation: "name_treasury", path: &[&text], body };
    let done = writer.submit(identity, permission, resolve.into()).await?;
    Ok((done, line.currency))
}
