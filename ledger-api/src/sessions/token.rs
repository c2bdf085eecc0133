//! The token in the cookie: 256 random bits. What is stored is its SHA-256.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A secret that is told once, to a browser or in a letter.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// A text that is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token")]
pub struct TokenError;

impl Token {
    /// Fresh and random.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// The text to hand out.
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored of it.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?;
        bytes.try_into().map(Self).map_err(|_| TokenError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_text_and_hides() {
        let token = Token::generate();
        assert_eq!(token.reveal().parse(), Ok(token.clone()));
        assert_eq!(token.reveal().len(), 43);
        assert_ne!(token, Token::generate());
        assert_eq!(format!("{token:?}"), "Token(hidden)");
        for bad in ["", "a", &"!".repeat(43), &"A".repeat(44), &"_".repeat(43)] {
            assert_eq!(bad.parse::<Token>(), Err(TokenError), "{bad}");
        }
    }
}
