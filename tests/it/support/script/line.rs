//! One line of a script, as words.

/// A command, its words, and what is expected of it.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    pub(super) verb: &'a str,
    words: Vec<&'a str>,
    pub(super) expected: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Nothing for an empty line or a comment (`#`).
    pub(super) fn parse(source: &'a str) -> Option<Self> {
        let source = source.split('#').next().unwrap_or_default();
        let (command, expected) = match source.split_once("->") {
            Some((command, expected)) => (command, Some(expected.trim())),
            None => (source, None),
        };
        let mut words = command.split_whitespace();
        let verb = words.next()?;
        Some(Self { verb, words: words.collect(), expected })
    }

    /// The word of a number, after the verb.
    pub(super) fn word(&self, index: usize) -> &'a str {
        self.words.get(index).unwrap_or_else(|| panic!("{} lacks word {index}", self.verb))
    }

    /// The words from a number on.
    pub(super) fn from(&self, index: usize) -> &[&'a str] {
        self.words.get(index..).unwrap_or_default()
    }

    /// The words from a number on, two by two.
    pub(super) fn pairs(&self, index: usize) -> impl Iterator<Item = (&'a str, &'a str)> {
        let words = self.from(index);
        assert!(words.len().is_multiple_of(2), "{}: a word without its value", self.verb);
        words.chunks(2).map(|pair| (pair[0], pair[1]))
    }

    /// The words `name=value`, by name.
    pub(super) fn option(&self, name: &str) -> Option<&'a str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Whether a word stands alone.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.words.contains(&name)
    }

    /// The line without a verb before its verb, and whether that was there.
    pub(super) fn without_prefix(&self, prefix: &str) -> (bool, Self) {
        if self.verb != prefix {
            return (false, self.clone());
        }
        let words = self.from(1).to_vec();
        (true, Self { verb: self.word(0), words, expected: self.expected })
    }
}

/// An account's id: a code means rupees if it names no currency; an item follows an `@`.
pub(super) fn account(word: &str) -> String {
    let code = word.split('@').next().unwrap_or_default();
    let currency = code.rsplit(':').next().unwrap_or_default();
    if currency.starts_with(|c: char| c.is_ascii_uppercase()) {
        code.to_owned()
    } else {
        format!("{code}:INR")
    }
}

/// The item of an account's word.
pub(super) fn item(word: &str) -> Option<&str> {
    word.split_once('@').map(|(_, item)| item)
}
