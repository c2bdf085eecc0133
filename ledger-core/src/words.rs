//! Words that people write and others read.
//!
//! Names have no character that makes them look like another; a note is kept as it was written, and
//! such characters are left out where it is shown.

use std::borrow::Cow;

/// Whether a character turns the direction of the text around it (Unicode Standard Annex 9, its
/// marks, embeddings, overrides and isolates): words with one can look like others.
#[must_use]
pub const fn turns(c: char) -> bool {
    matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether words can be kept and shown: no control character (PostgreSQL's text cannot hold a NUL,
/// and no line of a log is theirs), and none that turns the direction of the text.
#[must_use]
pub fn are_plain(words: &str) -> bool {
    !words.chars().any(|c| c.is_control() || turns(c))
}

/// Words as they are shown among others: without what would turn the direction of the text.
#[must_use]
pub fn shown(words: &str) -> Cow<'_, str> {
    if words.contains(turns) { words.replace(turns, "").into() } else { words.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_script_are_plain_and_those_that_look_like_others_are_not() {
        for plain in ["", "rent for May", "किराया", "إيجار", "👩‍🚀 7 %"] {
            assert!(are_plain(plain), "{plain}");
        }
        for odd in ["a\0b", "a\nb", "pay\u{202e}me", "\u{2067}x\u{2069}", "\u{200f}x", "\u{9b}"] {
            assert!(!are_plain(odd), "{odd:?}");
        }
        assert_eq!(shown("pay \u{202e}00.1\u{202c} to me"), "pay 00.1 to me");
        assert_eq!(shown("إيجار"), "إيجار");
    }
}
