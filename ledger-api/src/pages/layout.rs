//! What all pages have around them. A view holds it as `layout`; its template starts with
//! `{% extends "layout.html" %}`.

use super::{assets, theme::Theme};

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

/// What stands around a page.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The page's title.
    pub(crate) title: String,
    /// The present entry of the navigation.
    pub(crate) nav: Nav,
    /// Who looks at it, if known.
    pub(crate) viewer: Option<Viewer>,
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

    /// Whether `nav` names the present entry.
    pub(crate) fn at(&self, nav: &str) -> bool {
        let name = match self.nav {
            Nav::None => return false,
            Nav::Home => "home",
            Nav::Move => "move",
            Nav::Activity => "activity",
            Nav::Statements => "statements",
            Nav::Account => "account",
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
