//! Who is paid: the number of an account, its branch and its owner's name.
//!
//! Personal data. It lives in an erasable table and in the call to the bank, nowhere else; so
//! `Debug` hides it, and an error says which part is wrong and never what it was.

use std::fmt;

/// The fewest and the most digits of an account's number.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 6..=18;
/// The most characters of a name.
const NAME_CHARS_MAX: usize = 140;

/// Why something is no payee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayeeError {
    /// The number is none.
    #[error("an account number is 6 to 18 digits")]
    AccountNumber,
    /// The branch's code is none.
    #[error("an IFSC is four upper-case letters, a zero, and six upper-case letters or digits")]
    Ifsc,
    /// The name is none.
    #[error("a name is 1 to {NAME_CHARS_MAX} characters on one line, without spaces around it")]
    Name,
}

macro_rules! hidden_text {
    ($(#[$doc:meta])* $name:ident, $error:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text: for the call to the bank and for the table, not for a log.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = PayeeError;

            fn from_str(text: &str) -> Result<Self, PayeeError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err($error) }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

hidden_text!(
    /// The number of an account at a bank.
    AccountNumber,
    PayeeError::AccountNumber,
    |text| NUMBER_DIGITS.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
);
hidden_text!(
    /// The code of a bank's branch.
    Ifsc,
    PayeeError::Ifsc,
    |text| match text.as_bytes() {
        [bank @ .., b'0', _, _, _, _, _, _] if bank.len() == 4 => {
            let branch = text.get(5..).unwrap_or_default();
            bank.iter().all(u8::is_ascii_uppercase)
                && branch.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        }
        _ => false,
    }
);
hidden_text!(
    /// A person's or a company's name.
    PayeeName,
    PayeeError::Name,
    |text| {
        let length = text.chars().count();
        (1..=NAME_CHARS_MAX).contains(&length)
            && text.trim() == text
            && !text.contains(char::is_control)
    }
);

impl AccountNumber {
    /// The last four digits: enough for a person to know which account is meant.
    pub fn last_four(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(4)..).unwrap_or_default()
    }
}

/// Who is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payee {
    /// The account.
    pub account_number: AccountNumber,
    /// Its branch.
    pub ifsc: Ifsc,
    /// Its owner.
    pub name: PayeeName,
}

impl Payee {
    /// Checks and takes the three.
    ///
    /// # Errors
    /// [`PayeeError`] with the first that is wrong.
    pub fn parse(account_number: &str, ifsc: &str, name: &str) -> Result<Self, PayeeError> {
        Ok(Self {
            account_number: account_number.parse()?,
            ifsc: ifsc.parse()?,
            name: name.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payee_is_checked_part_by_part() {
        assert!(Payee::parse("001234567890", "TEST0000001", "Asha Rao").is_ok());
        assert!(Payee::parse("123456", "HDFC0ABC12Z", "अशा राव").is_ok());
        for bad in
            ["", "12345", "1234567890123456789", "12345a", "-123456", "１２３４５６", "1 23456"]
        {
            let refused = Payee::parse(bad, "TEST0000001", "A");
            assert_eq!(refused, Err(PayeeError::AccountNumber), "{bad}");
        }
        let bad = [
            "",
            "TEST000001",
            "TEST00000011",
            "TEST1000001",
            "test0000001",
            "TES00000001",
            "TEST000000é",
            "TÉST000001",
        ];
        for bad in bad {
            let refused = Payee::parse("123456", bad, "A");
            assert_eq!(refused, Err(PayeeError::Ifsc), "{bad}");
        }
        for bad in ["", " ", " A", "A ", "A\nB", "A\0", &"a".repeat(141)] {
            assert_eq!(Payee::parse("123456", "TEST0000001", bad), Err(PayeeError::Name), "{bad}");
        }
    }

    #[test]
    fn nothing_of_a_payee_is_shown() {
        let payee = Payee::parse("001234567890", "TEST0000001", "Asha Rao").unwrap();
        let shown = format!("{payee:?}");
        for secret in ["1234", "TEST0", "Asha"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_eq!(payee.account_number.last_four(), "7890");
    }
}
