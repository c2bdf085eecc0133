//! Payments to shops: asking to be paid, paying, giving back, and when the money can be spent.
//!
//! Pages and the API do it by the same functions. Whether money moves is decided by the ledger
//! alone. What is asked of tables here (which shop a handle is, what it agreed to, which store a
//! terminal stands in) is said to the ledger with the command and kept in the payment.

mod calendar;
mod calendars;
mod dispute;
mod link;
mod pay;
mod payouts;
mod proof;
mod refund;
mod refund_state;
mod requests;
mod shop;
mod terms;
mod words;

pub use calendar::{BankCalendar, CalendarError};
pub use calendars::Calendars;
pub(crate) use dispute::{
    DecisionIn, DisputeIn, EvidenceIn, OPEN as DISPUTE, SAY, Winner, check as check_party,
    decide as decide_dispute, is_in_time as may_dispute, open as open_dispute, say,
};
pub(crate) use link::{drawing, handle_of, is_ours};
pub(crate) use pay::{PayIn, pay};
pub(crate) use payouts::composition;
pub(crate) use proof::own_leg;
pub(crate) use refund::{RefundIn, cancel as cancel_refund, refund};
pub(crate) use refund_state::{RefundAt, RefundState};
pub(crate) use requests::{
    RequestIn, close as close_request, create as create_request, currency, link_of,
};
pub(crate) use shop::{check_shop, code_of, listed_shop, own_shop, shop_of, shop_or_none};
pub(crate) use terms::debt_limit;
pub use words::{DisputeWords, Said, Side};

use crate::identity::Scope;

/// What asking to be paid and paying take.
pub(crate) const WRITE: &[Scope] = &[Scope::PaymentsWrite, Scope::LedgerWrite];
/// What giving back takes.
pub(crate) const REFUND: &[Scope] = &[Scope::RefundsWrite, Scope::LedgerWrite];
/// What reading takes.
pub(crate) const READ: &[Scope] = &[Scope::LedgerRead, Scope::PaymentsWrite, Scope::RefundsWrite];
