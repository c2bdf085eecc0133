//! What a session is for. It is begun for one of the two and stays that: the token of the one opens
//! nothing of the other, and each has a cookie of its own.

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person's own wallet.
    Wallet,
    /// The shops that somebody works for.
    Shop,
}

/// Where the pages of shops are.
const SHOP_PAGES: &str = "/merchant";

impl Audience {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Shop => "shop",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Wallet, Self::Shop].into_iter().find(|audience| audience.as_str() == text)
    }

    /// Whose page a path of ours is: a login that leads there is for them.
    pub fn of_path(path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let rest = path.strip_prefix(SHOP_PAGES);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            Self::Shop
        } else {
            Self::Wallet
        }
    }

    /// Where they are at home.
    pub const fn home(self) -> &'static str {
        match self {
            Self::Wallet => "/app",
            Self::Shop => SHOP_PAGES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_shops_or_a_wallets() {
        for shop in ["/merchant", "/merchant/team", "/merchant?x=/app", "/merchant#x"] {
            assert_eq!(Audience::of_path(shop), Audience::Shop, "{shop}");
        }
        for wallet in ["/app", "/", "", "/merchants", "/app?return_to=/merchant", "/Merchant"] {
            assert_eq!(Audience::of_path(wallet), Audience::Wallet, "{wallet}");
        }
        assert_eq!(Audience::parse("shop"), Some(Audience::Shop));
        assert_eq!(Audience::parse("admin"), None);
    }
}
