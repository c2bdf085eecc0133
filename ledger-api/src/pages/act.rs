//! From a form to a write of the API, and from its refusal to words beside the fields.
//!
//! A form has a nonce. With the fields it makes the request's idempotency key: a second click, a
//! reload or the back button sends the same request again and gets the first one's answer; another
//! amount is another request.

use chrono::NaiveDate;
use ledger_core::{ids::IdempotencyKey, money::Money};
use sha2::{Digest as _, Sha256};

use super::{FormErrors, ui::money_text};
use crate::{
    http::{Problem, idempotency::Key, limit::LimitState},
    wallet::Balances,
};

/// How often one sheet is refused before it stays so.
const REFUSALS_MAX: u32 = 20;

/// The request's key, from the form's nonce and its fields.
pub(crate) fn key(operation: &str, nonce: &str, fields: &[&str]) -> Result<Key, Problem> {
    let mut hasher = Sha256::new();
    for part in [operation, nonce].iter().chain(fields) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hasher.update(length.to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let key: Result<IdempotencyKey, _> = format!("form-{}", hex::encode(hasher.finalize())).parse();
    key.map(Key).map_err(|error| Problem::internal(&error))
}

/// The keys that a sheet's button asks under. Pressed again it gets the answer of before, if that
/// was a yes. What was refused before is asked for anew, under a key that follows from the one
/// that was refused: the reason may be gone, and two presses at once still meet at one key.
pub(crate) struct Presses<'a> {
    operation: &'static str,
    nonce: String,
    fields: &'a [&'a str],
    refusals: u32,
}

impl<'a> Presses<'a> {
    /// Those of the sheet with this nonce.
    pub(crate) fn of(operation: &'static str, nonce: &str, fields: &'a [&'a str]) -> Self {
        Self { operation, nonce: nonce.to_owned(), fields, refusals: 0 }
    }

    /// The key to ask under now.
    pub(crate) fn key(&self) -> Result<Key, Problem> {
        key(self.operation, &self.nonce, self.fields)
    }

    /// Whether to ask again, under the next key.
    pub(crate) fn go_on(&mut self, refusal: &Problem) -> bool {
        let again = refusal.is_replay() && self.refusals < REFUSALS_MAX;
        if again {
            self.refusals = self.refusals.saturating_add(1);
            self.nonce.push('+');
        }
        again
    }
}

/// What a refusal means for the form, beside the field that it is about. What is no matter of the
/// form (the ledger does not answer, somebody else's thing) stays a problem.
pub(crate) fn refused(problem: Problem, balances: &Balances) -> Result<FormErrors, Problem> {
    let is_unproved = problem.code() == "verification_needed";
    if problem.status() != 422 && problem.status() != 409 && !is_unproved {
        return Err(problem);
    }
    let body = problem.body();
    if let Some(text) = body.limit.as_ref().and_then(|limit| over(limit, balances)) {
        return Ok(FormErrors::one("amount", text));
    }
    if let Some(text) = words(&body.code, balances) {
        let field = if is_about_amount(&body.code) { "amount" } else { "" };
        return Ok(FormErrors::one(field, text));
    }
    let mut errors = FormErrors::none();
    for error in &body.errors {
        errors.add(field(&error.pointer), error.detail.clone());
    }
    if errors.is_empty() {
        errors.add("", format!("{} · {}", body.title, body.detail));
    }
    Ok(errors)
}

/// The name of the form's field that a pointer into a request's body means.
fn field(pointer: &str) -> &'static str {
    match pointer.split('/').nth(1).unwrap_or_default() {
        "amount" | "bank" | "rail" => "amount",
        "to" => "to",
        "note" => "note",
        "bank_account" => "bank_account",
        "account_number" => "account_number",
        "ifsc" => "ifsc",
        "name" => "name",
        _ => "",
    }
}

/// What a limit leaves, and until when: "Over your monthly limit. ₹18,000.00 left until 1 Dec."
fn over(limit: &LimitState, balances: &Balances) -> Option<String> {
    let said = serde_json::to_value(limit).ok()?;
    let left = said["left"]["value"].as_str()?;
    let left = money_text(&Money::parse(left, balances.currency).ok()?);
    let until = said["resets_on"].as_str().and_then(|day| day.parse::<NaiveDate>().ok());
    let until = until.map(|day| day.format(" until %-d %b").to_string()).unwrap_or_default();
    Some(match said["limit"].as_str()? {
        "day" => format!("Over your daily limit. {left} left{until}."),
        "month" => format!("Over your monthly limit. {left} left{until}."),
        "year" => format!("Over your yearly limit. {left} left{until}."),
        "transaction" => format!("Too much at once: at most {left}."),
        _ => format!("More than your wallet may hold. There is room for {left}."),
    })
}

fn is_about_amount(code: &str) -> bool {
    code.starts_with("insufficient") || code.starts_with("limit")
}

/// The texts that say what to do next.
fn words(code: &str, balances: &Balances) -> Option<String> {
    let available = money_text(&balances.available);
    Some(match code {
        "insufficient_funds" if balances.on_its_way_out.is_positive() => format!(
            "Not enough available. You have {available}; {} is on its way out.",
            money_text(&balances.on_its_way_out)
        ),
        "insufficient_funds" => format!("Not enough available. You have {available}."),
        "recipient_unknown" => {
            "We couldn’t find them. Check the handle, or use their phone number: it then waits \
             for them for 7 days."
                .to_owned()
        }
        "verification_needed" => {
            "Prove who you are first, under Settings. Until then your wallet takes money in and \
             sends none."
                .to_owned()
        }
        "fee_changed" => {
            "What it costs has changed since you were shown it. Nothing has moved: look at it \
             once more."
                .to_owned()
        }
        "same_account" => "That is you. Choose somebody else.".to_owned(),
        "receiver_blocked" => "They can’t receive this right now. Nothing has moved.".to_owned(),
        "bank_account_unverified" => {
            "The bank has not confirmed this account’s name yet. Check it under Bank accounts."
                .to_owned()
        }
        "idempotency_key_reused" => {
            "This form was sent before with something else in it. Check it and send it again."
                .to_owned()
        }
        _ => return None,
    })
}

/// What somebody typed as an amount, as the API takes it: without the sign, the separators and the
/// spaces that people write.
pub(crate) fn amount_typed(text: &str) -> String {
    let kept = text.trim().trim_start_matches('₹');
    kept.chars().filter(|letter| !matches!(letter, ',' | ' ' | '\u{a0}')).collect()
}

/// The amount in the wallet's currency.
pub(crate) fn amount(text: &str, balances: &Balances) -> Result<Money, FormErrors> {
    let typed = amount_typed(text);
    match Money::parse(&typed, balances.currency) {
        Ok(money) if money.is_positive() => Ok(money),
        _ if typed.is_empty() => Err(FormErrors::one("amount", "Enter an amount.")),
        Ok(_) => Err(FormErrors::one("amount", "Enter an amount above zero.")),
        Err(ledger_core::money::MoneyError::Scale) => {
            Err(FormErrors::one("amount", "Rupees have two decimals, such as 99.50."))
        }
        Err(_) => Err(FormErrors::one("amount", "Enter an amount such as 250 or 99.50.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::codes;
    use ledger_core::money::Currency;

    fn balances() -> Balances {
        let currency = Currency { code: "INR".parse().unwrap(), scale: 2 };
        let rupees = |text| Money::parse(text, currency).unwrap();
        Balances {
            account: "wallet:asha:INR".parse().unwrap(),
            currency,
            available: rupees("1200"),
            on_its_way_in: rupees("0"),
            on_its_way_out: rupees("5000"),
            held: rupees("0"),
            total: rupees("6200"),
            owed: rupees("0"),
            position: 7,
        }
    }

    #[test]
    fn a_second_click_is_the_same_request_and_another_amount_is_not() {
        let key = |nonce, fields: &[&str]| key("send", nonce, fields).unwrap().0;
        assert_eq!(key("n", &["@asha", "250"]), key("n", &["@asha", "250"]));
        assert_ne!(key("n", &["@asha", "250"]), key("n", &["@asha", "251"]));
        assert_ne!(key("n", &["@asha", "250"]), key("m", &["@asha", "250"]));
        assert_ne!(key("n", &["ab", "c"]), key("n", &["a", "bc"]));
    }

    #[test]
    fn amounts_are_taken_as_people_type_them_and_nothing_else_is() {
        let typed = |text| amount(text, &balances()).map(|money| money.amount().to_string());
        for (text, taken) in [("250", "250.00"), (" ₹1,23,456.5 ", "123456.50"), ("0.01", "0.01")]
        {
            assert_eq!(typed(text).unwrap(), taken, "{text}");
        }
        for bad in ["", "0", "-1", "1e3", "NaN", "1.", ".5", "1.001", "٣", "0x10", "<b>"] {
            assert!(!typed(bad).unwrap_err().of("amount").is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_limit_says_what_it_leaves_and_until_when() {
        let over = |limit: &str, resets_on: Option<&str>| {
            let state = serde_json::json!({"tier": "full", "flow": "out", "limit": limit,
                "maximum": {"value": "200000.00", "currency": "INR"},
                "left": {"value": "18000.00", "currency": "INR"}, "resets_on": resets_on});
            super::over(&serde_json::from_value(state).unwrap(), &balances()).unwrap()
        };
        assert_eq!(
            over("month", Some("2026-12-01")),
            "Over your monthly limit. ₹18,000.00 left until 1 Dec."
        );
        assert_eq!(over("transaction", None), "Too much at once: at most ₹18,000.00.");
        assert!(over("balance", None).starts_with("More than your wallet may hold."));
    }

    #[test]
    fn refusals_stand_beside_their_fields_and_say_what_to_do() {
        let short = Problem::new(codes::find("insufficient_funds").unwrap(), "No.");
        let errors = refused(short, &balances()).unwrap();
        assert_eq!(
            errors.of("amount"),
            "Not enough available. You have ₹1,200.00; ₹5,000.00 is on its way out."
        );
        let wrong = Problem::field(codes::INVALID, "/to/phone", "Ten digits.");
        assert_eq!(refused(wrong, &balances()).unwrap().of("to"), "Ten digits.");
        let other = Problem::not_found("Nothing here.");
        assert_eq!(refused(other, &balances()).unwrap_err().status(), 404);
        assert!(refused(Problem::outcome_unknown(), &balances()).is_err());
    }
}
