//! The staff of the demonstration.

use super::StaffRole;

/// Somebody who works for the demonstration. They log in with the password of all demo people.
#[derive(Debug, Clone, Copy)]
pub struct DemoStaff {
    /// What they are called.
    pub name: &'static str,
    /// What they log in by.
    pub handle: &'static str,
    /// What they are appointed to.
    pub roles: &'static [StaffRole],
}

/// An auditor, and two at the desk, so that one can approve what the other proposes.
pub const DEMO_STAFF: [DemoStaff; 3] = [
    DemoStaff { name: "Usha Ramanathan", handle: "usha", roles: &[StaffRole::Auditor] },
    DemoStaff {
        name: "Omar Siddiqui",
        handle: "omar",
        roles: &[StaffRole::Operator, StaffRole::Approver],
    },
    DemoStaff {
        name: "Tara Bose",
        handle: "tara",
        roles: &[StaffRole::Operator, StaffRole::Approver],
    },
];
