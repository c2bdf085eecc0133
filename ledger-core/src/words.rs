//! Words that people write and others read: what is in none of them.

/// Whether a character turns the direction of the text around it (Unicode Standard Annex 9, its
/// marks, embeddings, overrides and isolates): words with one can look like others.
#[must_use]
pub const fn turns(c: char) -> bool {
    matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether words can be kept and shown: no control character (PostgreSQL's text cannot hold a NUL,
/// and a line of its own in a log is none of theirs), and none that turns the direction of the text.
#[must_use]
pub fn are_plain(words: &str) -> bool {
    !words.chars().any(|c| c.is_control() || turns(c))
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
    }
}
