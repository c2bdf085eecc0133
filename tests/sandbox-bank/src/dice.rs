//! Chance, repeatable: every draw is a hash of the seed and of what the draw is about.
//!
//! So it depends on no order: two requests that arrive together draw the same as one after the
//! other, and a replay draws what was drawn before. A generator with a state would not.

use sha2::{Digest as _, Sha256};

/// One bank's dice.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    seed: u64,
    bank: String,
}

impl Dice {
    pub(crate) fn new(seed: u64, bank: &str) -> Self {
        Self { seed, bank: bank.to_owned() }
    }

    pub(crate) fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    fn digest(&self, purpose: &str, about: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.to_be_bytes());
        for part in [self.bank.as_str(), purpose, about] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        hasher.finalize().into()
    }

    /// A number, evenly drawn.
    pub(crate) fn roll(&self, purpose: &str, about: &str) -> u64 {
        let digest = self.digest(purpose, about);
        digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }

    /// Whether something of this likelihood happens.
    pub(crate) fn happens(&self, percent: u8, purpose: &str, about: &str) -> bool {
        self.roll(purpose, about) % 100 < u64::from(percent)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64, purpose: &str, about: &str) -> u64 {
        let span = high.saturating_sub(low).saturating_add(1);
        low + self.roll(purpose, about) % span
    }

    /// An id that nobody can guess who doesn't know the seed.
    pub(crate) fn id(&self, purpose: &str, about: &str) -> String {
        hex::encode(self.digest(purpose, about).get(..12).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_depend_on_everything_that_they_are_about() {
        let dice = Dice::new(7, "hdfc");
        assert_eq!(dice.roll("a", "b"), Dice::new(7, "hdfc").roll("a", "b"));
        let others = [
            Dice::new(8, "hdfc").roll("a", "b"),
            Dice::new(7, "axis").roll("a", "b"),
            dice.roll("b", "b"),
            dice.roll("a", "c"),
            dice.roll("ab", ""),
        ];
        assert!(others.iter().all(|other| *other != dice.roll("a", "b")));
    }

    #[test]
    fn likelihoods_are_about_right_and_exact_at_both_ends() {
        let dice = Dice::new(1, "hdfc");
        let happened = |percent| {
            (0..1000).filter(|n: &i32| dice.happens(percent, "test", &n.to_string())).count()
        };
        assert_eq!(happened(0), 0);
        assert_eq!(happened(100), 1000);
        assert!((250..350).contains(&happened(30)), "{}", happened(30));
        assert!((0..100).all(|n: i32| (3..=5).contains(&dice.between(3, 5, "b", &n.to_string()))));
    }
}
