//! Staff: auditors, and those who work the desk.
//!
//! A member of staff is a person like every other, with an appointment to a role for a time. They
//! log in apart from their wallet, at the desk that the role opens; no session opens another desk.
//! Every appointment and every end of one is in the access log, in the same transaction.
//!
//! Knows no HTTP, and nothing of what the roles' pages do.

mod demo;
mod role;
mod store;

pub use demo::{DEMO_STAFF, DemoStaff};
pub use role::{StaffRole, StaffRoles, UnknownStaffRole};
pub use store::{Appointment, NewAppointment, StaffStore};

use ledger_core::clock::Timestamp;

use crate::people::{Name, PersonId};

/// Somebody who works at a desk now.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Who.
    pub person: PersonId,
    /// What they are called.
    pub name: Name,
    /// What they may do at this desk.
    pub roles: StaffRoles,
    /// When the last of the roles ends by itself.
    pub until: Timestamp,
}
