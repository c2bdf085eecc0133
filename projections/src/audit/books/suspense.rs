//! What is sent back from suspense: the withdrawal that takes an item says whose it is, and whoever
//! had the item says in the same append that this withdrawal takes it. So nothing is assigned and
//! sent back both.

use super::super::finding::{Code, Findings, Place};

/// That an item leaves suspense with a withdrawal, by one of the two who have to say so.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    item: String,
    withdrawal: String,
    position: i64,
}

/// What the append that is read says of items that leave.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    taken: Vec<Said>,
    given: Vec<Said>,
}

impl Leaving {
    /// A withdrawal says that it takes an item.
    pub(super) fn takes(&mut self, place: Place<'_>, item: &str) {
        let withdrawal = place.aggregate_id.to_owned();
        self.taken.push(Said { item: item.to_owned(), withdrawal, position: place.position });
    }

    /// Whoever had the item says so.
    pub(super) fn gives(&mut self, place: Place<'_>, item: String, withdrawal: &str) {
        let withdrawal = withdrawal.to_owned();
        self.given.push(Said { item, withdrawal, position: place.position });
    }

    /// An append is over: both have said the same.
    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        for taken in self.taken.drain(..) {
            let same =
                |given: &Said| given.item == taken.item && given.withdrawal == taken.withdrawal;
            if let Some(at) = self.given.iter().position(same) {
                self.given.swap_remove(at);
            } else {
                let words = format!("{} does not say that it is sent back", taken.item);
                findings.position(taken.position, Code::WithdrawalIncomplete, words);
            }
        }
        for given in self.given.drain(..) {
            let words = format!("{} does not take {}", given.withdrawal, given.item);
            findings.position(given.position, Code::WithdrawalIncomplete, words);
        }
    }
}
