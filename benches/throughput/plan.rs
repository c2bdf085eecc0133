//! What to measure: the words of the command line.

use std::time::Duration;

use crate::report::Place;

/// What takes longer than the rest together: only when it is named.
pub(crate) const LONG: [&str; 3] = ["soak", "snapshot", "crash"];
/// The word for what tells in a minute whether something has become much slower.
const SHORT: &str = "short";
/// What it stands for.
const SHORT_WORDS: [&str; 5] = ["naive", "ceiling", "1024 callers", "http", "drained"];

/// Which measurements to take, and for how long.
pub(crate) struct Plan {
    words: Vec<String>,
    /// Of each measurement.
    pub(crate) time: Duration,
}

impl Plan {
    /// A number is the seconds of each measurement, any other word a part of the names of the
    /// measurements to take.
    pub(crate) fn new(args: &[String]) -> Self {
        let seconds = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(5);
        let mut words = Vec::new();
        for word in args.iter().filter(|arg| arg.parse::<u64>().is_err()) {
            if word == SHORT {
                words.extend(SHORT_WORDS.map(str::to_owned));
            } else {
                words.push(word.clone());
            }
        }
        Self { words, time: Duration::from_secs(seconds) }
    }

    /// All but the long ones, unless words were given. Says what it is about to measure.
    pub(crate) fn has(&self, name: &str) -> bool {
        let named = self.words.iter().any(|word| name.contains(word.as_str()));
        let chosen = named || (self.words.is_empty() && !LONG.contains(&name));
        if chosen {
            eprintln!("measuring {name} …");
        }
        chosen
    }

    /// How large a measurement is to be that runs only when it is named: as it is usually, or as
    /// the word says (`pages:1000`).
    pub(crate) fn scaled(&self, name: &str, usually: u64) -> Option<u64> {
        let of = |word: &String| match word.split_once(':') {
            Some((before, size)) if before == name => size.parse().ok(),
            _ => (word == name).then_some(usually),
        };
        let size = self.words.iter().find_map(of);
        if let Some(size) = size {
            eprintln!("measuring {name}, {size} …");
        }
        size
    }

    /// Where its table belongs in the page, which shows whole runs only.
    pub(crate) fn place(&self) -> Option<Place> {
        let given = |word: &&str| self.words.iter().any(|given| given == word);
        if self.words.is_empty() {
            Some(Place::Measured)
        } else if self.words.len() == LONG.len() && LONG.iter().all(given) {
            Some(Place::Soak)
        } else if self.words == [crate::pages::WORD] {
            Some(Place::Pages)
        } else {
            None
        }
    }
}
