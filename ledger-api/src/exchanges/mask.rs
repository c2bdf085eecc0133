//! An exchange's body as the desk sees it: without account numbers and names.
//!
//! Only JSON can be masked for sure, so only JSON is shown. What else a bank answered, and what was
//! cut off, is opened whole or not at all.

use serde_json::Value;

use super::sealed::Body;

/// How much of an account number is shown.
const LAST: usize = 4;
const HIDDEN: &str = "••••";

/// A body as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// There was none.
    Nothing,
    /// JSON, masked, in lines.
    Json(Value),
    /// Not shown, for this reason.
    Not(&'static str),
}

/// A body without what names people. `bytes` is how long it was.
pub fn masked(body: &Body, bytes: i32) -> Shown {
    let Body::Bytes(kept) = body else {
        return match body {
            Body::Erased => Shown::Not("erased with whom it was about"),
            Body::Unreadable => Shown::Not("not what was sealed when it was written"),
            Body::Bytes(_) => Shown::Nothing,
        };
    };
    if kept.is_empty() {
        return Shown::Nothing;
    }
    if i32::try_from(kept.len()) != Ok(bytes) {
        return Shown::Not("too large to be kept whole; an auditor can open its beginning");
    }
    match serde_json::from_slice::<Value>(kept) {
        Ok(mut value) => {
            hide(&mut value);
            Shown::Json(value)
        }
        Err(_) => Shown::Not("not JSON; an auditor can open it"),
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match (name.as_str(), &*value) {
                    ("account_number", Value::String(number)) => *value = last_of(number).into(),
                    ("account_number" | "ifsc", Value::Null) => {}
                    ("account_number" | "ifsc", _) => *value = HIDDEN.into(),
                    (name, Value::String(_)) if name.ends_with("name") => *value = HIDDEN.into(),
                    _ => hide(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn last_of(number: &str) -> String {
    let count = number.chars().count();
    // Of a short one nothing: four of six would be most of it.
    let shown = if count >= 2 * LAST { LAST } else { 0 };
    let last: String = number.chars().skip(count.saturating_sub(shown)).collect();
    format!("{HIDDEN}{last}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(text: &str) -> Shown {
        let bytes = i32::try_from(text.len()).unwrap();
        masked(&Body::Bytes(text.as_bytes().to_vec()), bytes)
    }

    #[test]
    fn names_and_numbers_are_hidden_wherever_they_stand() {
        let body = json!({
            "reference": "BH1-1", "amount": {"value": "5.00", "currency": "INR"},
            "beneficiary": {"account_number": "50100012345678", "ifsc": "HDFC0000001",
                            "name": "Asha Rao"},
            "more": [{"registered_name": "ASHA RAO", "account_number": 50_100_012_345_678_u64,
                      "short": {"account_number": "123456"}}],
        });
        let Shown::Json(seen) = shown(&body.to_string()) else { panic!("it is JSON") };
        let text = seen.to_string();
        for hidden in ["5010001", "Asha", "ASHA", "123456", "HDFC0000001"] {
            assert!(!text.contains(hidden), "{text}");
        }
        assert_eq!(seen["beneficiary"]["account_number"], "••••5678");
        assert_eq!(seen["reference"], "BH1-1");
        assert_eq!(seen["amount"]["value"], "5.00");
    }

    #[test]
    fn what_cannot_be_masked_is_not_shown() {
        assert!(matches!(shown("<html>Asha</html>"), Shown::Not(_)));
        assert!(matches!(masked(&Body::Bytes(b"{}".to_vec()), 3), Shown::Not(_)));
        assert!(matches!(masked(&Body::Erased, 3), Shown::Not(_)));
        assert!(matches!(masked(&Body::Unreadable, 3), Shown::Not(_)));
        assert_eq!(shown(""), Shown::Nothing);
    }
}
