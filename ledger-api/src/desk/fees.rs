//! What withdrawals and transfers cost, and what shops can agree to pay: new versions, by two
//! persons.

use ledger_core::{
    book::{Book, DefineFee, DefineTerms},
    chart::Authority,
    clock::Timestamp,
    command::{Approval, Operation},
    fee::Service,
    money::{CurrencyCode, Money},
};
use serde::{Deserialize, Serialize};

use crate::http::{
    Problem, codes,
    idempotency::Key,
    writer::{Done, Identity, Permission, Writer},
};

/// A fee, as it is proposed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FeeChange {
    /// What it is for.
    pub(crate) service: Service,
    /// In which currency.
    pub(crate) currency: CurrencyCode,
    /// What it costs, tax included.
    pub(crate) fee: String,
    /// The rate of the tax in it, in basis points.
    pub(crate) tax_bps: u16,
    /// It is in force from this moment on; nothing: from when it is in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) effective_from: Option<Timestamp>,
    /// The version that this is to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expected_version: Option<u32>,
}

impl FeeChange {
    /// The command that it is; what is wrong with it is said of its field.
    pub(crate) fn define(&self, book: &Book) -> Result<DefineFee, Problem> {
        let currency = book.currency(self.currency).ok_or_else(|| {
            let detail = "The book does not have this currency.";
            Problem::field(codes::CURRENCY_UNKNOWN, "/currency", detail)
        })?;
        let fee = Money::parse(&self.fee, currency).map_err(|error| {
            let detail = format!("An amount such as 10.00 or 0: {error}.");
            Problem::field(codes::INVALID, "/fee", detail)
        })?;
        Ok(DefineFee {
            service: self.service,
            fee,
            tax_bps: self.tax_bps,
            effective_from: self.effective_from,
            expected_version: self.expected_version,
        })
    }
}

/// Fees that shops can agree to, as they are proposed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct TermsChange {
    /// Of a payment, in basis points, tax included.
    pub(crate) fee_bps: u16,
    /// The rate of the tax in the fee, in basis points.
    pub(crate) tax_bps: u16,
    /// The most that a shop may owe us for refunds, in whole rupees.
    #[serde(default)]
    pub(crate) debt_limit: u32,
    /// The version that this is to follow.
    pub(crate) expected_version: Option<u32>,
}

/// Defines the next version of what a service costs. `body` is the request as it was made.
pub(crate) async fn define(
    writer: &Writer,
    approval: Approval,
    (key, body): (Key, &impl Serialize),
    change: &FeeChange,
) -> Result<Done, Problem> {
    let book = writer.state.ledger.status().borrow().book.clone();
    let define = change.define(&book)?;
    let permission = Permission { authority: Authority::NONE, approval: Some(approval) };
    let identity = Identity { key, operation: "define_fee", path: &[], body };
    writer.submit(identity, permission, Operation::DefineFee(Box::new(define))).await
}

/// Defines the next version of what shops can agree to pay. `body` is the request as it was made.
pub(crate) async fn define_terms(
    writer: &Writer,
    approval: Approval,
    (key, body): (Key, &impl Serialize),
    change: &TermsChange,
) -> Result<Done, Problem> {
    let TermsChange { fee_bps, tax_bps, debt_limit, expected_version } = *change;
    let define = DefineTerms { fee_bps, tax_bps, debt_limit, expected_version };
    let operation = Operation::DefineTerms(define);
    let permission = Permission { authority: Authority::NONE, approval: Some(approval) };
    let identity = Identity { key, operation: "define_terms", path: &[], body };
    writer.submit(identity, permission, operation).await
}
