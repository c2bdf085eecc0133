//! What a member of staff may do.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::sessions::Audience;

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StaffRole {
    /// Reads everything and changes nothing.
    Auditor,
    /// Works the desk: resolves, assigns, pauses.
    Operator,
    /// Works the desk, and is the second person of what takes two.
    Approver,
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role of staff is auditor, operator or approver")]
pub struct UnknownStaffRole;

impl StaffRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auditor, Self::Operator, Self::Approver];

    /// The word in the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Approver => "approver",
        }
    }

    /// The desk that it opens.
    pub const fn desk(self) -> Audience {
        match self {
            Self::Auditor => Audience::Audit,
            Self::Operator | Self::Approver => Audience::Ops,
        }
    }
}

impl fmt::Display for StaffRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StaffRole {
    type Err = UnknownStaffRole;

    fn from_str(text: &str) -> Result<Self, UnknownStaffRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownStaffRole)
    }
}

/// The roles that somebody has at one desk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaffRoles(BTreeSet<StaffRole>);

impl StaffRoles {
    /// Whether this is one of them.
    pub fn has(&self, role: StaffRole) -> bool {
        self.0.contains(&role)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<StaffRole> for StaffRoles {
    fn from_iter<I: IntoIterator<Item = StaffRole>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}

impl fmt::Display for StaffRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.0.iter().enumerate() {
            write!(f, "{}{role}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_word_and_one_desk() {
        for role in StaffRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert!(role.desk().is_staff());
        }
        assert_eq!("admin".parse::<StaffRole>(), Err(UnknownStaffRole));
        let both: StaffRoles = [StaffRole::Approver, StaffRole::Operator].into_iter().collect();
        assert_eq!(both.to_string(), "operator, approver");
        assert!(both.has(StaffRole::Approver) && !both.has(StaffRole::Auditor));
    }
}
