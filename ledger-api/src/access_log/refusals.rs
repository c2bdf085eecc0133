//! Who was turned away by the API: keys that are not in force, and requests that a key or session
//! may not make. Written down in the access log, however many there are, in few lines.
//!
//! Anybody can be refused as often as they like, so a line is not a refusal. Alike are those of one
//! network with one kind of key, or of one caller at one route. The first of a minute is written at
//! once; those that follow are counted, and at the minute's end one line says how many they were.
//! Of each kind of refusal [`ALIKE_MAX`] such lines are kept apart, all others are one together. So
//! a process writes at most `2 * ALIKE_MAX + 1` lines a minute of each kind. What is counted when
//! a process ends is lost; the first of each is not.
//!
//! Addresses are cut down to networks: what stands here names nobody, and there are fewer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{AccessLog, Entry, KEY_REFUSED, REQUEST_REFUSED};

/// For how long refusals that are alike are counted together.
const WINDOW: Duration = Duration::from_secs(60);
/// How many that are not alike are told apart within that time, of each kind.
const ALIKE_MAX: usize = 20;
/// Who stands for all that are not told apart.
const OTHERS: &str = "others";

/// What refusals are alike in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Refusal {
    /// Who: a network, or a principal.
    pub(crate) who: String,
    /// By what they were turned away.
    pub(crate) subject: String,
    /// Why.
    pub(crate) reason: String,
}

/// The refusals of one kind since the window was opened.
#[derive(Debug, Default)]
struct Window {
    /// Each with how many came after the first.
    alike: BTreeMap<Refusal, u64>,
    others: u64,
}

impl Window {
    /// Takes one in. Whether it is to be written down at once.
    fn note(&mut self, refusal: &Refusal) -> bool {
        if let Some(more) = self.alike.get_mut(refusal) {
            *more = more.saturating_add(1);
            return false;
        }
        if self.alike.len() >= ALIKE_MAX {
            self.others = self.others.saturating_add(1);
            return false;
        }
        self.alike.insert(refusal.clone(), 0);
        true
    }

    /// What is to be written down at its end.
    fn counted(self) -> Vec<Refusal> {
        let more = self.alike.into_iter().filter(|(_, more)| *more > 0).map(|(refusal, more)| {
            let reason = format!("{}; {more} more within the minute", refusal.reason);
            Refusal { reason, ..refusal }
        });
        let mut lines: Vec<Refusal> = more.collect();
        if self.others > 0 {
            lines.push(Refusal {
                who: OTHERS.to_owned(),
                subject: OTHERS.to_owned(),
                reason: format!("{} more, of many kinds, within the minute", self.others),
            });
        }
        lines
    }
}

/// What writes refusals down; cheap to clone.
#[derive(Clone)]
pub(crate) struct Refusals {
    log: AccessLog,
    keys: Arc<Mutex<Option<Window>>>,
    requests: Arc<Mutex<Option<Window>>>,
}

impl Refusals {
    /// That of a log.
    pub(crate) fn new(log: AccessLog) -> Self {
        Self { log, keys: Arc::default(), requests: Arc::default() }
    }

    /// A key that is not in force.
    pub(crate) fn key(&self, refusal: &Refusal) {
        self.note(&self.keys, KEY_REFUSED, refusal);
    }

    /// A request that its caller may not make.
    pub(crate) fn request(&self, refusal: &Refusal) {
        self.note(&self.requests, REQUEST_REFUSED, refusal);
    }

    fn note(&self, kept: &Arc<Mutex<Option<Window>>>, what: &'static str, refusal: &Refusal) {
        let mut window = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = window.is_none();
        let first = window.get_or_insert_default().note(refusal);
        drop(window);
        // Beside the answer: who is turned away does not wait for it.
        if first {
            let (log, refusal) = (self.log.clone(), refusal.clone());
            tokio::spawn(async move { write(&log, what, &refusal).await });
        }
        if opened {
            let (log, kept) = (self.log.clone(), Arc::clone(kept));
            tokio::spawn(async move {
                tokio::time::sleep(WINDOW).await;
                let window = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
                for refusal in window.map(Window::counted).unwrap_or_default() {
                    write(&log, what, &refusal).await;
                }
            });
        }
    }
}

async fn write(log: &AccessLog, what: &'static str, refusal: &Refusal) {
    let Refusal { who, subject, reason } = refusal;
    if let Err(error) = log.record(&Entry { who, what, subject, reason }).await {
        tracing::warn!(%error, "a refusal was not written down");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(network: usize) -> Refusal {
        Refusal {
            who: format!("network 203.0.{network}.0/24"),
            subject: "bahi_live_…".to_owned(),
            reason: "no key in force".to_owned(),
        }
    }

    #[test]
    fn case_177_refusals_without_end_are_few_lines() {
        let mut window = Window::default();
        let mut at_once = 0;
        for number in 0..100_000 {
            at_once += usize::from(window.note(&refusal(number % 250)));
        }
        assert_eq!(at_once, ALIKE_MAX);
        let counted = window.counted();
        assert_eq!(counted.len(), ALIKE_MAX + 1);
        // None is forgotten: what was written at once, and what the lines count.
        let count = |line: &Refusal| -> usize {
            let words = line.reason.replace("no key in force; ", "");
            words.split(' ').next().unwrap().parse().unwrap()
        };
        assert_eq!(at_once + counted.iter().map(count).sum::<usize>(), 100_000);
        assert_eq!(counted.last().unwrap().who, OTHERS);
    }

    #[test]
    fn case_177_one_that_comes_once_is_one_line() {
        let mut window = Window::default();
        assert!(window.note(&refusal(1)) && window.note(&refusal(2)));
        assert!(!window.note(&refusal(2)));
        let counted = window.counted();
        assert_eq!(counted.len(), 1, "{counted:?}");
        assert_eq!(counted[0].who, refusal(2).who);
        assert_eq!(counted[0].reason, "no key in force; 1 more within the minute");
    }
}
