//! What a session is for. It is begun for one of these and stays that: the token of the one opens
//! nothing of the others, and each has a cookie of its own.

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person's own wallet.
    Wallet,
    /// The shops that somebody works for.
    Shop,
    /// The auditors' desk.
    Audit,
    /// The operators' desk.
    Ops,
}

impl Audience {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Wallet, Self::Shop, Self::Audit, Self::Ops];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Shop => "shop",
            Self::Audit => "audit",
            Self::Ops => "ops",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.as_str() == text)
    }

    /// Whether it is a desk: for those who were appointed, and by password only.
    pub const fn is_staff(self) -> bool {
        match self {
            Self::Wallet | Self::Shop => false,
            Self::Audit | Self::Ops => true,
        }
    }

    /// Whose page a path of ours is: a login that leads there is for them.
    pub fn of_path(path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let is_below = |home: &str| {
            let rest = path.strip_prefix(home);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let others = [Self::Shop, Self::Audit, Self::Ops];
        others.into_iter().find(|audience| is_below(audience.home())).unwrap_or(Self::Wallet)
    }

    /// Where they are at home.
    pub const fn home(self) -> &'static str {
        match self {
            Self::Wallet => "/app",
            Self::Shop => "/merchant",
            Self::Audit => "/audit",
            Self::Ops => "/ops",
        }
    }

    /// Where they log in.
    pub const fn login(self) -> &'static str {
        match self {
            Self::Wallet => "/login",
            Self::Shop => "/merchant/login",
            Self::Audit => "/audit/login",
            Self::Ops => "/ops/login",
        }
    }

    /// Where they log out.
    pub const fn logout(self) -> &'static str {
        match self {
            Self::Wallet => "/logout",
            Self::Shop => "/merchant/logout",
            Self::Audit => "/audit/logout",
            Self::Ops => "/ops/logout",
        }
    }

    /// Where they give their password again.
    pub const fn confirm(self) -> &'static str {
        match self {
            Self::Wallet => "/app/confirm",
            Self::Shop => "/merchant/confirm",
            Self::Audit => "/audit/confirm",
            Self::Ops => "/ops/confirm",
        }
    }

    /// A path of theirs; their home for all others. `path` is one of ours.
    pub fn home_or(self, path: &str) -> &str {
        if Self::of_path(path) == self { path } else { self.home() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_of_one_audience() {
        for shop in ["/merchant", "/merchant/team", "/merchant?x=/app", "/merchant#x"] {
            assert_eq!(Audience::of_path(shop), Audience::Shop, "{shop}");
        }
        for wallet in ["/app", "/", "", "/merchants", "/app?return_to=/merchant", "/Merchant"] {
            assert_eq!(Audience::of_path(wallet), Audience::Wallet, "{wallet}");
        }
        for (path, audience) in [
            ("/audit", Audience::Audit),
            ("/audit/events?x", Audience::Audit),
            ("/auditors", Audience::Wallet),
            ("/ops/banks", Audience::Ops),
            ("/opsx", Audience::Wallet),
        ] {
            assert_eq!(Audience::of_path(path), audience, "{path}");
        }
        assert_eq!(Audience::parse("shop"), Some(Audience::Shop));
        assert_eq!(Audience::parse("admin"), None);
    }

    #[test]
    fn each_audience_stays_in_its_own_rooms() {
        for audience in Audience::ALL {
            for path in [audience.home(), audience.confirm()] {
                assert_eq!(Audience::of_path(path), audience, "{path}");
            }
            if audience != Audience::Wallet {
                assert_eq!(Audience::of_path(audience.login()), audience);
                assert_eq!(audience.home_or("/app"), audience.home());
            }
            assert_eq!(audience.home_or(audience.home()), audience.home());
        }
    }
}
