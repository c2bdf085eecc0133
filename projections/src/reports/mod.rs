//! What accountants read: trial balance, balance sheet, profit and loss, at any place of the log
//! and for any days, and two of them beside each other.
//!
//! A [`Sheet`] is what all accounts sum to, by headings of the chart; a [`Statement`] is a sheet as
//! somebody wants to see it. Both are pure: a sheet comes from the read models
//! ([`crate::ReadModels::sheet`]) or from the auditor's replay ([`crate::audit::replay_export`]),
//! and the statements of both must be the same. Nobody decides about money from them.

mod controls;
mod heading;
mod render;
mod replay;
mod sheet;
mod statement;

pub use controls::{Control, ControlError, controls};
pub(crate) use heading::SQL as HEADING_SQL;
pub use heading::heading;
pub use render::{csv, text};
pub use replay::{Replay, ReplayedAccount, replay_database, replay_export};
pub use sheet::{Line, Sheet};
pub use statement::{Report, Row, Section, Statement, statements};
