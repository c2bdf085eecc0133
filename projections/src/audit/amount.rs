//! Amounts as whole minor units, by a parser of our own: the check shares no money code with what
//! it checks. No rounding, no second way to write a number.

/// The most digits that an amount may have. A hundred million of the largest add without overflow.
const DIGITS_MAX: usize = 30;

/// The minor units of `text`, a plain decimal with exactly `scale` decimals.
pub(super) fn parse(text: &str, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if scale > 0 => (whole, fraction),
        None if scale == 0 => (digits, ""),
        _ => return None,
    };
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    let length = whole.len().checked_add(fraction.len())?;
    if whole.is_empty() || leading_zero || length > DIGITS_MAX {
        return None;
    }
    if fraction.len() != usize::from(scale) {
        return None;
    }
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i128::from(byte - b'0');
    }
    match (negative, value) {
        (true, 0) => None,
        (true, _) => Some(-value),
        (false, _) => Some(value),
    }
}

/// The text of `value` minor units at `scale`.
pub(super) fn text(value: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let sign = if value < 0 { "-" } else { "" };
    let mut digits = value.unsigned_abs().to_string();
    if digits.len() <= scale {
        digits = format!("{digits:0>width$}", width = scale + 1);
    }
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}

/// Whether two decimals are the same number, however many zeros they end in.
pub(super) fn same_number(a: &str, b: &str) -> bool {
    trimmed(a) == trimmed(b)
}

fn trimmed(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_per_amount() {
        let good = [
            ("0.00", 2, 0),
            ("0.01", 2, 1),
            ("-0.50", 2, -50),
            ("1234.56", 2, 123_456),
            ("7", 0, 7),
            ("0.000001", 6, 1),
            ("999999999999.123456789012345678", 18, 999_999_999_999_123_456_789_012_345_678),
        ];
        for (written, scale, value) in good {
            assert_eq!(parse(written, scale), Some(value), "{written}");
            assert_eq!(text(value, scale), written);
        }
    }

    #[test]
    fn case_152_everything_else_is_refused() {
        let bad = [
            "",
            "-",
            ".",
            "1",
            "1.",
            "1.0",
            "1.000",
            ".50",
            "+1.00",
            "01.00",
            "1e2",
            "1_0.00",
            "-0.00",
            " 1.00",
            "1.00 ",
            "1,00",
            "NaN",
            "--1.00",
            "1.-0",
            "٣.00",
            "99999999999999999999999999999.99",
        ];
        for written in bad {
            assert_eq!(parse(written, 2), None, "{written:?}");
        }
        assert_eq!(parse("1.0", 0), None);
        assert_eq!(parse("1.", 0), None);
    }
}
