//! Money as people read it: `₹12,34,567.80`, with Indian grouping for rupees, and U+2212 for minus.

use std::fmt::{self, Display};

use askama::filters::HtmlSafe;
use ledger_core::money::Money;

/// Whether a plus is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A minus where it is below zero, nothing above.
    Plain,
    /// A plus: it comes in.
    In,
    /// A minus: it goes out.
    Out,
}

/// How large it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Text,
    Big,
    Hero,
}

/// An amount on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MoneyView {
    money: Money,
    sign: Sign,
    size: Size,
    /// Which balance it is, so that it can be told apart when it changes.
    live: Option<&'static str>,
}

impl MoneyView {
    /// A balance: a minus below zero, no sign above.
    pub(crate) fn plain(money: Money) -> Self {
        Self { money, sign: Sign::Plain, size: Size::Text, live: None }
    }

    /// An amount that comes in.
    pub(crate) fn incoming(money: Money) -> Self {
        Self { sign: Sign::In, ..Self::plain(money) }
    }

    /// An amount that goes out.
    pub(crate) fn outgoing(money: Money) -> Self {
        Self { sign: Sign::Out, ..Self::plain(money) }
    }

    /// The same in a headline.
    pub(crate) fn big(self) -> Self {
        Self { size: Size::Big, ..self }
    }

    /// The same as the largest thing on the page.
    pub(crate) fn hero(self) -> Self {
        Self { size: Size::Hero, ..self }
    }

    /// The same with a name, by which a message about a change finds it.
    pub(crate) fn live(self, name: &'static str) -> Self {
        Self { live: Some(name), ..self }
    }
}

impl HtmlSafe for MoneyView {}

impl Display for MoneyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, tone) = match self.sign {
            Sign::Plain => ("", ""),
            Sign::In => ("+", " plus"),
            Sign::Out => ("\u{2212}", ""),
        };
        let size = match self.size {
            Size::Text => "",
            Size::Big => " big",
            Size::Hero => " hero",
        };
        write!(f, "<data class=\"money{tone}{size}\" value=\"{}\"", self.money.amount())?;
        if let Some(name) = self.live {
            write!(f, " data-balance=\"{name}\"")?;
        }
        let text = text(&self.money);
        if self.size == Size::Text {
            return write!(f, ">{sign}{text}</data>");
        }
        // In a headline the paise stand back.
        match text.split_once('.') {
            Some((whole, fraction)) => {
                write!(f, ">{sign}{whole}<small>.{fraction}</small></data>")
            }
            None => write!(f, ">{sign}{text}</data>"),
        }
    }
}

/// The amount as text: for sentences, titles and files.
pub(crate) fn text(money: &Money) -> String {
    let amount = money.amount();
    let minus = if amount.is_sign_negative() && !amount.is_zero() { "\u{2212}" } else { "" };
    let digits = amount.abs().to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let code = money.currency().code;
    let groups = if code.as_str() == "INR" { indian(whole) } else { grouped(whole, 3) };
    let point = if fraction.is_empty() { "" } else { "." };
    let number = format!("{groups}{point}{fraction}");
    match symbol(code.as_str()) {
        Some(symbol) => format!("{minus}{symbol}{number}"),
        None => format!("{minus}{number}\u{a0}{code}"),
    }
}

fn symbol(code: &str) -> Option<&'static str> {
    match code {
        "INR" => Some("₹"),
        "USD" => Some("$"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        "JPY" => Some("¥"),
        _ => None,
    }
}

/// The last three digits, and before them pairs: thousands, lakhs, crores.
pub(crate) fn indian(digits: &str) -> String {
    match digits.len().checked_sub(3) {
        Some(at) if at > 0 => {
            let (head, tail) = digits.split_at(at);
            format!("{},{tail}", grouped(head, 2))
        }
        _ => digits.to_owned(),
    }
}

fn grouped(digits: &str, size: usize) -> String {
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(size) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_core::money::Currency;

    fn money(text: &str, code: &str, scale: u8) -> Money {
        Money::parse_signed(text, Currency { code: code.parse().unwrap(), scale }).unwrap()
    }

    #[test]
    fn rupees_are_grouped_by_thousand_lakh_and_crore() {
        let cases = [
            ("0", "₹0.00"),
            ("0.05", "₹0.05"),
            ("999.9", "₹999.90"),
            ("1000", "₹1,000.00"),
            ("12345", "₹12,345.00"),
            ("123456.78", "₹1,23,456.78"),
            ("1234567.8", "₹12,34,567.80"),
            ("123456789", "₹12,34,56,789.00"),
            ("-250", "\u{2212}₹250.00"),
        ];
        for (amount, shown) in cases {
            assert_eq!(text(&money(amount, "INR", 2)), shown);
        }
    }

    #[test]
    fn other_currencies_have_groups_of_three_and_their_own_decimals() {
        assert_eq!(text(&money("1234567.5", "USD", 2)), "$1,234,567.50");
        assert_eq!(text(&money("1234567", "JPY", 0)), "¥1,234,567");
        assert_eq!(text(&money("1234.5", "USDT", 6)), "1,234.500000\u{a0}USDT");
    }

    #[test]
    fn a_sign_says_which_way_it_goes() {
        let rupees = money("250", "INR", 2);
        assert_eq!(
            MoneyView::outgoing(rupees).to_string(),
            "<data class=\"money\" value=\"250.00\">\u{2212}₹250.00</data>"
        );
        assert_eq!(
            MoneyView::incoming(rupees).to_string(),
            "<data class=\"money plus\" value=\"250.00\">+₹250.00</data>"
        );
        assert_eq!(
            MoneyView::plain(rupees).hero().live("available").to_string(),
            "<data class=\"money hero\" value=\"250.00\" data-balance=\"available\">₹250\
             <small>.00</small></data>"
        );
    }
}
