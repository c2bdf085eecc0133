//! What people type to find something in their activity: an id, a bank's reference, somebody's
//! handle, an amount, or about an amount.

use projections::ActivityFilter;
use rust_decimal::Decimal;

use crate::{
    http::{ApiState, Problem},
    people::{Handle, Recipient},
};

/// The most digits before the point that are an amount. Banks' references of digits alone have
/// twelve.
const AMOUNT_DIGITS_MAX: usize = 9;
/// "About" is a tenth less to a tenth more.
const ABOUT: Decimal = Decimal::from_parts(1, 0, 0, false, 1);
/// What may stand before an amount to mean "about".
const ABOUT_WORDS: [&str; 3] = ["~", "about ", "around "];

/// What a text looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sought {
    /// Amounts from one to another.
    Amounts(Decimal, Decimal),
    /// Whoever has this handle, if anybody has; else the text as it is.
    Handle(Handle),
    /// An id or a reference.
    Exactly(String),
}

impl Sought {
    fn read(text: &str) -> Self {
        let text = text.trim();
        if let Some((least, most)) = amounts(text) {
            return Self::Amounts(least, most);
        }
        match text.parse() {
            Ok(handle) => Self::Handle(handle),
            Err(_) => Self::Exactly(text.to_owned()),
        }
    }
}

/// Restricts a filter to what a text looks for.
pub(crate) async fn search(
    state: &ApiState,
    text: &str,
    filter: &mut ActivityFilter,
) -> Result<(), Problem> {
    match Sought::read(text) {
        Sought::Amounts(least, most) => {
            filter.amount_min = filter.amount_min.max(Some(least));
            filter.amount_max = Some(filter.amount_max.map_or(most, |typed| typed.min(most)));
        }
        Sought::Handle(handle) => {
            // Whether nobody is called so or nothing happened with them looks the same.
            let face = state.people.find(&Recipient::Handle(handle)).await?;
            match face {
                Some(face) => {
                    let wallet = face.id.wallet().map_err(|error| Problem::internal(&error))?;
                    filter.counterparty = Some(wallet);
                }
                None => filter.search = Some(text.trim().to_owned()),
            }
        }
        Sought::Exactly(text) => filter.search = Some(text),
    }
    Ok(())
}

fn amounts(text: &str) -> Option<(Decimal, Decimal)> {
    let lower = text.to_lowercase();
    let about = ABOUT_WORDS.iter().find_map(|word| lower.strip_prefix(word));
    let typed = about.unwrap_or(&lower).trim().trim_start_matches('₹');
    let digits: String = typed.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}')).collect();
    let (whole, parts) = digits.split_once('.').unwrap_or((&digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_amount = (1..=AMOUNT_DIGITS_MAX).contains(&whole.len()) && parts.len() <= 8;
    if !is_amount || !all_digits(whole) || !all_digits(parts) {
        return None;
    }
    let amount = Decimal::from_str_exact(digits.trim_end_matches('.')).ok()?;
    let margin = match about {
        Some(_) => amount.checked_mul(ABOUT)?,
        None => Decimal::ZERO,
    };
    Some((amount.checked_sub(margin)?, amount.checked_add(margin)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact_or_about() {
        let amounts = |text| match Sought::read(text) {
            Sought::Amounts(least, most) => {
                format!("{} {}", least.normalize(), most.normalize())
            }
            other @ (Sought::Handle(_) | Sought::Exactly(_)) => format!("{other:?}"),
        };
        for text in ["5000.13", "₹5,000.13", " 5 000.13 "] {
            assert_eq!(amounts(text), "5000.13 5000.13", "{text}");
        }
        for text in ["~500", "~ ₹500", "about 500", "Around ₹ 500"] {
            assert_eq!(amounts(text), "450 550", "{text}");
        }
        assert_eq!(amounts("0"), "0 0");
    }

    #[test]
    fn the_rest_is_a_handle_or_exactly_what_it_is() {
        let handle = Sought::Handle("asha".parse().unwrap());
        assert_eq!(Sought::read("@Asha"), handle);
        assert_eq!(Sought::read(" asha "), handle);
        let id = "tr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
        for text in [id, "HDFC0000000001-1", "412345678901", "5.0.1", "~", "-5", "1e9", "₹", ""] {
            assert_eq!(Sought::read(text), Sought::Exactly(text.to_owned()), "{text}");
        }
    }
}
