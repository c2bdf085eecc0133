//! What a process does: one role, several, or all.

/// What a process of the service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything.
    All,
    /// Answers requests.
    Api,
    /// Keeps the read models up to the log. Of several, one works and the others wait.
    Projector,
    /// Does what is due without being asked: ends holds whose time has come.
    Worker,
    /// Takes webhooks from banks into the inbox. Needs nothing else of the service.
    Webhooks,
}

/// The roles of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set of roles")]
pub struct Roles {
    /// Whether it answers requests.
    pub api: bool,
    /// Whether it keeps the read models.
    pub projector: bool,
    /// Whether it does what is due.
    pub worker: bool,
    /// Whether it takes webhooks.
    pub webhooks: bool,
}

impl Roles {
    /// Those in the list; all of them if it says so or says nothing.
    pub fn of(roles: &[Role]) -> Self {
        let has = |role| roles.is_empty() || roles.contains(&Role::All) || roles.contains(&role);
        Self {
            api: has(Role::Api),
            projector: has(Role::Projector),
            worker: has(Role::Worker),
            webhooks: has(Role::Webhooks),
        }
    }

    /// Whether any of them works on the ledger.
    pub const fn ledger(self) -> bool {
        self.api || self.projector || self.worker
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_is_every_role() {
        let all = Roles { api: true, projector: true, worker: true, webhooks: true };
        assert_eq!(Roles::of(&[]), all);
        assert_eq!(Roles::of(&[Role::All]), all);
        assert_eq!(
            Roles::of(&[Role::Api, Role::Worker]),
            Roles { api: true, projector: false, worker: true, webhooks: false }
        );
        assert!(!Roles::of(&[Role::Webhooks]).ledger());
    }
}
