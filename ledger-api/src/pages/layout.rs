//! What all pages have around them. A view holds it as `layout`; its template starts with
//! `{% extends "layout.html" %}`.

use super::{assets, theme::Theme};
use crate::{sessions::Audience, shops::Role};

/// Which entry of the navigation is the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nav {
    /// None of them.
    None,
    /// The dashboard.
    Home,
    /// Move money.
    Move,
    /// Activity.
    Activity,
    /// Statements.
    Statements,
    /// What belongs to the person: bank accounts, security, settings.
    Account,
    /// An entry of a shop's or a desk's rail, by its name.
    Shop(&'static str),
}

/// Who looks at the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Viewer {
    /// The person's name.
    pub(crate) name: String,
    /// The handle, without the at sign.
    pub(crate) handle: String,
    /// The token that the forms of this session carry.
    pub(crate) csrf: String,
}

impl Viewer {
    /// The letters that stand for the person in a small circle.
    pub(crate) fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// The first letters of the first and the last word of a name.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next();
    let letters = first.into_iter().chain(words.next_back());
    letters.flat_map(char::to_uppercase).collect()
}

/// What stands around the pages of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShopBar {
    /// The name over its door.
    pub(crate) name: String,
    /// What the viewer is there.
    pub(crate) role: Role,
    /// Whether the viewer works for others too.
    pub(crate) has_others: bool,
}

/// What stands around the pages of a desk.
#[derive(Debug, Clone)]
pub(crate) struct DeskBar {
    /// What the viewer is there.
    pub(crate) roles: String,
    /// The desk's pages.
    pub(crate) rail: &'static [RailEntry],
}

/// An entry of a shop's or a desk's rail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RailEntry {
    /// What it is called in [`Nav::Shop`].
    pub(crate) name: &'static str,
    /// Where it leads.
    pub(crate) href: &'static str,
    /// Its icon.
    pub(crate) icon: &'static str,
    /// Its word.
    pub(crate) word: &'static str,
    allowed: fn(Role) -> bool,
}

/// All entries; each is shown to the roles that its page is opened to.
pub(crate) const RAIL: [RailEntry; 13] = [
    entry("home", "/merchant", "home", "Home", |_| true),
    entry("accept", "/merchant/accept", "plus", "Accept", Role::takes_payments),
    entry("counter", "/merchant/counter", "clock", "Counter", |_| true),
    entry("payments", "/merchant/payments", "list", "Payments", |_| true),
    entry("settlements", "/merchant/settlements", "swap", "Settlements", Role::sees_money),
    entry("payouts", "/merchant/payouts", "bank", "Payouts", Role::sees_money),
    entry("withdraw", "/merchant/withdraw", "out", "Withdraw", Role::decides),
    entry("banks", "/merchant/banks", "layers", "Bank accounts", Role::sees_money),
    entry("reports", "/merchant/reports", "doc", "Reports", Role::sees_money),
    entry("stores", "/merchant/stores", "qr", "Stores", |_| true),
    entry("team", "/merchant/team", "person", "Team", Role::sees_money),
    entry("developers", "/merchant/developers", "book", "Developers", Role::decides),
    entry("settings", "/merchant/settings", "gear", "Settings", Role::sees_money),
];

/// An entry of a desk's rail: whoever works there sees it.
pub(crate) const fn desk_entry(
    name: &'static str,
    href: &'static str,
    icon: &'static str,
    word: &'static str,
) -> RailEntry {
    entry(name, href, icon, word, |_| true)
}

const fn entry(
    name: &'static str,
    href: &'static str,
    icon: &'static str,
    word: &'static str,
    allowed: fn(Role) -> bool,
) -> RailEntry {
    RailEntry { name, href, icon, word, allowed }
}

/// What stands around a page.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The page's title.
    pub(crate) title: String,
    /// The present entry of the navigation.
    pub(crate) nav: Nav,
    /// Who looks at it, if known.
    pub(crate) viewer: Option<Viewer>,
    /// The shop that they look at it for.
    pub(crate) shop: Option<ShopBar>,
    /// The desk that they look at it from.
    pub(crate) desk: Option<DeskBar>,
    /// The colours.
    pub(crate) theme: Theme,
    /// Whether this is the demonstration.
    pub(crate) demo: bool,
    /// The page's own address.
    pub(crate) path: String,
}

impl Layout {
    /// Where the browser finds a file.
    #[expect(clippy::unused_self, reason = "templates reach functions through values only")]
    pub(crate) fn asset(&self, name: &str) -> String {
        assets::url(name)
    }

    /// The entries of the rail that the viewer may see.
    pub(crate) fn rail(&self) -> Vec<RailEntry> {
        if let Some(desk) = &self.desk {
            return desk.rail.to_vec();
        }
        let Some(shop) = &self.shop else { return Vec::new() };
        RAIL.into_iter().filter(|entry| (entry.allowed)(shop.role)).collect()
    }

    /// Whether the page has a rail.
    pub(crate) fn is_framed(&self) -> bool {
        self.shop.is_some() || self.desk.is_some()
    }

    fn audience(&self) -> Audience {
        Audience::of_path(&self.path)
    }

    /// Whose look the page has.
    pub(crate) fn surface(&self) -> &'static str {
        match self.audience() {
            Audience::Wallet => "user",
            Audience::Shop => "merchant",
            Audience::Audit => "auditor",
            Audience::Ops => "operator",
        }
    }

    /// What the name of the service is followed by; empty for the wallet.
    pub(crate) fn place(&self) -> &'static str {
        match self.audience() {
            Audience::Wallet => "",
            Audience::Shop => "for shops",
            Audience::Audit => "audit",
            Audience::Ops => "operations",
        }
    }

    /// Whether it is a page of a desk.
    pub(crate) fn is_staff(&self) -> bool {
        self.audience().is_staff()
    }

    /// Where its viewer logs out.
    pub(crate) fn logout(&self) -> &'static str {
        self.audience().logout()
    }

    /// Whether it is a page of shops.
    pub(crate) fn is_shops(&self) -> bool {
        self.audience() == Audience::Shop
    }

    /// Where the viewer is at home; what their pages begin with.
    pub(crate) fn base(&self) -> &'static str {
        self.audience().home()
    }

    /// The stream that their pages follow.
    pub(crate) fn stream(&self) -> &'static str {
        if self.is_shops() { "/merchant/events" } else { "/v1/me/events" }
    }

    /// Whether `nav` names the present entry.
    pub(crate) fn at(&self, nav: &str) -> bool {
        let name = match self.nav {
            Nav::None => return false,
            Nav::Home => "home",
            Nav::Move => "move",
            Nav::Activity => "activity",
            Nav::Statements => "statements",
            Nav::Account => "account",
            Nav::Shop(name) => name,
        };
        name == nav
    }

    /// The token of the viewer's session; empty where nobody is signed in.
    pub(crate) fn csrf(&self) -> &str {
        self.viewer.as_ref().map_or("", |viewer| &viewer.csrf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Asha Rao"), "AR");
        assert_eq!(initials("  asha  devi   rao "), "AR");
        assert_eq!(initials("Ravi"), "R");
        assert_eq!(initials(""), "");
        assert_eq!(initials("ß"), "SS");
    }
}
