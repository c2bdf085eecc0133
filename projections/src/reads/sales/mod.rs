//! What a shop's books need of its payments: one with all that happened to it, sums of a whole
//! filter, and figures by day and month.
//!
//! Sums are of all rows that a filter matches or they are none: a sum of a part looks like a sum.

mod counts;
mod history;
mod mark;
mod report;
mod totals;

pub use counts::{PAYMENTS_COUNTED_MAX, PaymentCounts};
pub use history::{PaymentFact, PaymentHistory};
pub use mark::SalesMark;
pub use report::{SalesLine, SalesReport, SalesUnit};
pub use totals::PaymentTotals;
