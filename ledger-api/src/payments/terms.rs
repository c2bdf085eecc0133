//! What is agreed with every shop alike. The fees are versions in the book ([`Book::terms`]), and
//! which of them a shop agreed to stands in its row.
//!
//! [`Book::terms`]: ledger_core::book::Book::terms

use rust_decimal::Decimal;

/// What a shop may owe us for refunds: nothing. A refund that it is short of waits.
pub(crate) const RECEIVABLE_LIMIT: Decimal = Decimal::ZERO;
