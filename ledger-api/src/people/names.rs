//! How a person can be named and reached: handle, e-mail address, phone number, name.
//!
//! Each type has one form: what is parsed is also what is hashed, so that two spellings of one
//! address are one person. All but the handle are personal data: their `Debug` shows nothing.

use std::{fmt, str::FromStr};

use super::PersonId;

/// Why a text is no handle, address, number or name; in words for the one who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a handle.
    #[error("a handle has 3 to 20 letters a-z, digits or _, and starts with a letter")]
    Handle,
    /// A word that we keep for ourselves.
    #[error("this handle is reserved, choose another")]
    HandleReserved,
    /// Not an address.
    #[error("this is not an e-mail address")]
    Email,
    /// Not a number.
    #[error("this is not a phone number: ten digits for India, or + and the country's code")]
    Phone,
    /// Not a name.
    #[error("a name has 1 to 80 characters, and letters among them")]
    Name,
}

/// A handle with our name in it could pass for us, whatever else it says.
const OURS: &str = "bahi";
/// Words that could pass for us, or that are addresses of ours.
const RESERVED: [&str; 47] = [
    "about",
    "account",
    "admin",
    "administrator",
    "api",
    "app",
    "audit",
    "auditor",
    "bahi",
    "bank",
    "billing",
    "compliance",
    "contact",
    "customer_care",
    "demo",
    "docs",
    "finance",
    "fraud",
    "help",
    "helpdesk",
    "hooks",
    "info",
    "kyc",
    "legal",
    "login",
    "logout",
    "mail",
    "me",
    "merchant",
    "moderator",
    "null",
    "official",
    "operator",
    "ops",
    "payments",
    "police",
    "rbi",
    "refund",
    "refunds",
    "root",
    "security",
    "settings",
    "signup",
    "staff",
    "support",
    "system",
    "undefined",
];

/// What others find a person by: `asha`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(String);

impl Handle {
    /// The handle without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that somebody has already, whatever words were reserved since.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        is_handle(text).then(|| Self(text.to_owned()))
    }
}

fn is_handle(text: &str) -> bool {
    let starts = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let letters = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
    (3..=20).contains(&text.len()) && starts && text.bytes().all(letters)
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes capitals and one leading `@`: people type both.
impl FromStr for Handle {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let text = text.strip_prefix('@').unwrap_or(text).to_ascii_lowercase();
        if !is_handle(&text) {
            return Err(NameError::Handle);
        }
        if RESERVED.contains(&text.as_str()) || text.contains(OURS) {
            return Err(NameError::HandleReserved);
        }
        Ok(Self(text))
    }
}

macro_rules! personal {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text, for whoever may see it.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

personal!(
    /// An e-mail address in lower case.
    Email
);
personal!(
    /// A phone number as E.164 writes it: `+919812345678`.
    Phone
);
personal!(
    /// What a person is called, by their own word.
    Name
);

/// The longest address that a mail server takes.
const EMAIL_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;

/// Plain addresses only: no quotes, no comments, no address literals. Lower case throughout,
/// because no provider of note tells two mailboxes apart by it.
impl FromStr for Email {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(NameError::Email)?;
        let of_local = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b);
        let local_ok = (1..=LOCAL_BYTES_MAX).contains(&local.len())
            && local.bytes().all(of_local)
            && local.split('.').all(|part| !part.is_empty());
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let top = domain.rsplit('.').next().unwrap_or_default();
        let domain_ok = domain.contains('.')
            && domain.split('.').all(label_ok)
            && top.len() >= 2
            && top.bytes().any(|b| b.is_ascii_alphabetic());
        let fits = text.len() <= EMAIL_BYTES_MAX;
        if fits && local_ok && domain_ok { Ok(Self(text)) } else { Err(NameError::Email) }
    }
}

/// Spaces, hyphens and brackets are how people write numbers; without `+` it is an Indian one.
impl FromStr for Phone {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let spaced = |c: &char| !matches!(c, ' ' | '-' | '(' | ')' | '.');
        let text: String = text.trim().chars().filter(spaced).collect();
        let (given, digits) = match text.strip_prefix('+') {
            Some(digits) => (true, digits),
            None => (false, text.trim_start_matches('0')),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NameError::Phone);
        }
        let digits = if given || (digits.len() == 12 && digits.starts_with("91")) {
            digits.to_owned()
        } else {
            format!("91{digits}")
        };
        let indian = digits.strip_prefix("91").is_none_or(|rest| {
            rest.len() == 10 && rest.bytes().next().is_some_and(|b| matches!(b, b'6'..=b'9'))
        });
        let well_formed = (8..=15).contains(&digits.len()) && !digits.starts_with('0') && indian;
        if well_formed { Ok(Self(format!("+{digits}"))) } else { Err(NameError::Phone) }
    }
}

impl Phone {
    /// All but the last four digits hidden, for a page that only reminds.
    pub fn masked(&self) -> String {
        let tail = self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default();
        format!("••••••{tail}")
    }
}

const NAME_CHARS_MAX: usize = 80;

/// Any script; no control characters, and none that turn the direction of the text around them.
impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = ledger_core::words::are_plain(&text);
        let named = text.chars().any(char::is_alphabetic);
        let fits = text.chars().count() <= NAME_CHARS_MAX;
        if shown && named && fits { Ok(Self(text)) } else { Err(NameError::Name) }
    }
}

/// Whom money goes to, as the sender names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// By handle.
    Handle(Handle),
    /// By a phone number that they have verified.
    Phone(Phone),
    /// By id.
    Id(PersonId),
}

/// `@asha`, `asha`, `usr_…`, `+91 98123 45678`: each form is exactly one of the three.
impl FromStr for Recipient {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let first = text.chars().next().unwrap_or(' ');
        if first == '+' || first == '(' || first.is_ascii_digit() {
            return text.parse().map(Self::Phone);
        }
        // A reserved word is simply nobody's.
        text.parse().map(Self::Handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_short_plain_and_not_ours() {
        assert_eq!("@Asha_7".parse::<Handle>().unwrap().as_str(), "asha_7");
        for bad in ["", "ab", "7asha", "_asha", "as ha", "as-ha", "अशा", "@@asha", &"a".repeat(21)]
        {
            assert_eq!(bad.parse::<Handle>(), Err(NameError::Handle), "{bad}");
        }
        for ours in ["admin", "@Support", "bahi", "bahi_support", "thebahi"] {
            assert_eq!(ours.parse::<Handle>(), Err(NameError::HandleReserved), "{ours}");
        }
    }

    #[test]
    fn addresses_have_one_form() {
        let email = |text: &str| text.parse::<Email>().map(|email| email.expose().to_owned());
        assert_eq!(email(" Asha.Rao+x@Example.COM "), Ok("asha.rao+x@example.com".to_owned()));
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "asha",
            "@example.com",
            "a@b",
            "a b@example.com",
            "a@-x.com",
            "a..b@example.com",
            ".a@example.com",
            "a@example.com\r\nBcc: x@y.zz",
            "a@[127.0.0.1]",
            "a@1.2",
            "é@x.com",
            &long,
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_have_one_form_and_are_indian_unless_they_say_so() {
        let phone = |text: &str| text.parse::<Phone>().map(|phone| phone.expose().to_owned());
        for same in ["9812345678", "098123 45678", "+91 98123-45678", "919812345678"] {
            assert_eq!(phone(same), Ok("+919812345678".to_owned()), "{same}");
        }
        assert_eq!(phone("+1 (415) 555-0100"), Ok("+14155550100".to_owned()));
        for bad in [
            "",
            "+",
            "12345",
            "5812345678",
            "+91981234567",
            "98123x5678",
            "+0123456789",
            "++919812345678",
            "+1234567890123456",
            "٩٨١٢٣٤٥٦٧٨",
        ] {
            assert!(bad.parse::<Phone>().is_err(), "{bad}");
        }
        assert_eq!("9812345678".parse::<Phone>().unwrap().masked(), "••••••5678");
    }

    #[test]
    fn case_162_names_are_of_any_script_and_hide_nothing() {
        let name = |text: &str| text.parse::<Name>().map(|name| name.expose().to_owned());
        assert_eq!(name("  Asha   Rao "), Ok("Asha Rao".to_owned()));
        assert!(name("आशा राव").is_ok() && name("O'Neil-D'Souza").is_ok());
        for bad in ["", "  ", "123", "a\u{202e}b", "a\0b", "a\u{1b}[31m", &"a".repeat(81)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_recipient_is_one_of_three() {
        let parse = |text: &str| text.parse::<Recipient>().unwrap();
        assert!(matches!(parse("@asha"), Recipient::Handle(_)));
        assert!(matches!(parse("98123 45678"), Recipient::Phone(_)));
        assert!(matches!(parse("usr_00000000000000000000000000000007"), Recipient::Id(_)));
        for bad in ["", "  ", "7", "a@b.com", "+91"] {
            assert!(bad.parse::<Recipient>().is_err(), "{bad}");
        }
    }

    #[test]
    fn case_178_personal_data_hide_from_debug() {
        let email: Email = "asha@example.com".parse().unwrap();
        let shown = format!("{email:?} {:?}", "9812345678".parse::<Phone>().unwrap());
        assert_eq!(shown, "Email(hidden) Phone(hidden)");
    }
}
