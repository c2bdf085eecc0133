//! Passwords: what may be one, how it is kept, how it is checked.
//!
//! Kept as argon2id with 19 MiB and two passes. Each check takes that memory, so there are at most
//! twice as many at once as processors; the rest wait their turn. Who is not known is checked
//! against a hash of nobody's, so that the time tells nothing.
//!
//! No rules of composition: they make passwords worse. Length counts, and what everybody knows is
//! refused.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use tokio::sync::Semaphore;

/// The most common passwords of published breaches that are long enough to be typed here.
const BREACHED: &str = include_str!("breached.txt");
const BYTES_MIN: usize = 8;
/// Hashed whole, never cut short; a bound all the same, for hashing takes time with length.
const BYTES_MAX: usize = 1024;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Why a text is no password to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("a password has at least 8 characters")]
    Short,
    /// Too long.
    #[error("a password has at most 1024 bytes")]
    Long,
    /// Everybody knows it.
    #[error("this password is one of those that attackers try first, choose another")]
    Breached,
    /// It is the handle or the address.
    #[error("a password must not be your handle, your name or your e-mail address")]
    Own,
}

/// A password that somebody chose.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

impl FromStr for Password {
    type Err = PasswordError;

    fn from_str(text: &str) -> Result<Self, PasswordError> {
        if text.len() < BYTES_MIN {
            return Err(PasswordError::Short);
        }
        if text.len() > BYTES_MAX {
            return Err(PasswordError::Long);
        }
        let lower = text.to_lowercase();
        let one_letter = lower.chars().all(|c| lower.starts_with(c));
        if one_letter || BREACHED.lines().any(|known| known == lower) {
            return Err(PasswordError::Breached);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Password {
    /// The same, unless it is one of the words that everybody knows of its owner.
    ///
    /// # Errors
    /// [`PasswordError::Own`].
    pub fn unlike(self, words: &[&str]) -> Result<Self, PasswordError> {
        let same = |word: &&str| word.eq_ignore_ascii_case(&self.0);
        if words.iter().any(same) { Err(PasswordError::Own) } else { Ok(self) }
    }
}

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub(super) const fn stored(phc: String) -> Self {
        Self(phc)
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It is the password.
    Right {
        /// Whether it is kept in a way that is out of date.
        is_outdated: bool,
    },
    /// It is not.
    Wrong,
}

/// The work of hashing failed; nothing is known of the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed")]
pub struct HashingError;

/// Hashes and checks, so many at once and no more; cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    nobodys: Arc<OnceLock<PasswordHash>>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let permits = Arc::new(Semaphore::new(cores.saturating_mul(2)));
        Self { permits, nobodys: Arc::default() }
    }
}

impl Passwords {
    /// A password as it is kept.
    ///
    /// # Errors
    /// [`HashingError`].
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashingError> {
        self.work(move || hash(password.0.as_bytes())).await?
    }

    /// Whether a text is the password that is kept. Takes as long if there is none.
    ///
    /// # Errors
    /// [`HashingError`].
    pub async fn check(
        &self,
        text: &str,
        kept: Option<&PasswordHash>,
    ) -> Result<Checked, HashingError> {
        if text.len() > BYTES_MAX {
            return Ok(Checked::Wrong);
        }
        let (text, kept, nobodys) = (text.to_owned(), kept.cloned(), Arc::clone(&self.nobodys));
        self.work(move || {
            let Some(kept) = kept else {
                let nobodys = if let Some(hash) = nobodys.get() {
                    hash.clone()
                } else {
                    let made = hash(b"nobody's password")?;
                    nobodys.get_or_init(|| made).clone()
                };
                check(&text, &nobodys)?;
                return Ok(Checked::Wrong);
            };
            check(&text, &kept)
        })
        .await?
    }

    /// Makes the hash that unknown people are checked against, so that the first of them does not
    /// wait for it.
    ///
    /// # Errors
    /// [`HashingError`].
    pub async fn warm(&self) -> Result<(), HashingError> {
        self.check("", None).await.map(drop)
    }

    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| HashingError)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work and not by who waits for it: who gives up frees no memory.
            let _permit = permit;
            job()
        });
        done.await.map_err(|_| HashingError)
    }
}

fn hasher() -> Result<Argon2<'static>, HashingError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashingError)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8]) -> Result<PasswordHash, HashingError> {
    let hashed = hasher()?.hash_password(password).map_err(|_| HashingError)?;
    Ok(PasswordHash(hashed.to_string()))
}

fn check(text: &str, kept: &PasswordHash) -> Result<Checked, HashingError> {
    let parsed = phc::PasswordHash::new(&kept.0).map_err(|_| HashingError)?;
    let hasher = hasher()?;
    if hasher.verify_password(text.as_bytes(), &parsed).is_err() {
        return Ok(Checked::Wrong);
    }
    let params = Params::try_from(&parsed).map_err(|_| HashingError)?;
    let is_outdated = (params.m_cost(), params.t_cost(), params.p_cost())
        != (MEMORY_KIB, PASSES, LANES)
        || parsed.algorithm.as_str() != "argon2id";
    Ok(Checked::Right { is_outdated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_and_what_everybody_knows_is_refused() {
        let parse = |text: &str| text.parse::<Password>().map(drop);
        assert!(parse("correct horse battery").is_ok());
        assert!(parse("पासवर्ड").is_ok());
        assert_eq!(parse("7 bytes"), Err(PasswordError::Short));
        assert_eq!(parse(&"ab".repeat(513)), Err(PasswordError::Long));
        for known in ["password1", "Password1", "qwertyuiop", "aaaaaaaaaa", "12345678"] {
            assert_eq!(parse(known), Err(PasswordError::Breached), "{known}");
        }
        let own: Password = "asha.rao@example.com".parse().unwrap();
        assert_eq!(own.unlike(&["Asha.Rao@example.com"]), Err(PasswordError::Own));
        assert!(BREACHED.lines().all(|line| line == line.to_lowercase() && line.len() >= 8));
    }

    #[tokio::test]
    async fn case_125_a_password_is_hashed_whole_and_checked() {
        let passwords = Passwords::default();
        let long = "x".repeat(1023) + "y";
        let hash = passwords.hash(long.parse().unwrap()).await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let right = Checked::Right { is_outdated: false };
        assert_eq!(passwords.check(&long, Some(&hash)).await, Ok(right));
        let other = "x".repeat(1023) + "z";
        assert_eq!(passwords.check(&other, Some(&hash)).await, Ok(Checked::Wrong));
        assert_eq!(passwords.check(&(long + "y"), Some(&hash)).await, Ok(Checked::Wrong));
        assert_eq!(passwords.check("nobody's password", None).await, Ok(Checked::Wrong));
        assert_eq!(format!("{hash:?}"), "PasswordHash(hidden)");
    }

    #[tokio::test]
    async fn a_weaker_hash_of_old_is_right_and_outdated() {
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let old = PasswordHash(weaker.hash_password(b"correct horse").unwrap().to_string());
        let checked = Passwords::default().check("correct horse", Some(&old)).await;
        assert_eq!(checked, Ok(Checked::Right { is_outdated: true }));
    }
}
