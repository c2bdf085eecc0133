//! Closed periods: nothing belongs to a day that was closed when it was recorded, but what closes a
//! year; and after that no account of income or expense has anything left up to the year's end,
//! by the days of all its legs.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};

use super::{
    super::{
        finding::{Code, Findings, Place},
        payload::{self as shape, Leg, PeriodClosed, PeriodReopened, YearClosed},
        record::Event,
        time,
    },
    read,
};

/// The kind of a transaction that closes a year.
const CLOSING: &str = "year_close";

#[derive(Debug, Default)]
pub(super) struct Periods {
    closed_until: Option<NaiveDate>,
    year_closed: Option<NaiveDate>,
    /// Years that this append closes.
    closing: Vec<Closing>,
    /// Debits less credits of accounts of income and expense, by account and day.
    results: HashMap<usize, BTreeMap<NaiveDate, i128>>,
}

#[derive(Debug)]
struct Closing {
    position: i64,
    until: NaiveDate,
    transaction: u128,
}

impl Periods {
    /// An event of the book's, recorded on its day `today`.
    pub(super) fn event(
        &mut self,
        place: Place<'_>,
        event: &Event<'_>,
        today: Option<NaiveDate>,
        findings: &mut Findings,
    ) {
        match event.event_type {
            "period_closed" => {
                if let Some(closed) = read::<PeriodClosed<'_>>(place, event, findings) {
                    self.close(place, &closed, today, findings);
                }
            }
            "period_reopened" => {
                if let Some(reopened) = read::<PeriodReopened<'_>>(place, event, findings) {
                    self.reopen(place, &reopened, findings);
                }
            }
            _ => {
                if let Some(closed) = read::<YearClosed<'_>>(place, event, findings) {
                    self.year(place, &closed, findings);
                }
            }
        }
    }

    fn is_closed(&self, day: NaiveDate) -> bool {
        self.closed_until.is_some_and(|until| day <= until)
    }

    fn close(
        &mut self,
        place: Place<'_>,
        closed: &PeriodClosed<'_>,
        today: Option<NaiveDate>,
        findings: &mut Findings,
    ) {
        let Some(until) = time::date(&closed.until).filter(|day| ends_a_month(*day)) else {
            let words = format!("{:?} is not the last day of a month", &*closed.until);
            return findings.event(place, Code::PeriodDiffers, words);
        };
        if self.is_closed(until) {
            let words = format!("{until} is closed already");
            findings.event(place, Code::PeriodDiffers, words);
        }
        if today.is_none_or(|today| until >= today) {
            let words = format!("{until} was not over yet");
            findings.event(place, Code::PeriodDiffers, words);
        }
        self.closed_until = Some(until);
    }

    fn reopen(&mut self, place: Place<'_>, reopened: &PeriodReopened<'_>, findings: &mut Findings) {
        let from = time::date(&reopened.from).filter(|day| day.day() == 1);
        let Some(from) = from.filter(|_| !reopened.reason.is_empty()) else {
            let words = "a period is opened again from the first day of a month, with a reason";
            return findings.event(place, Code::PeriodDiffers, words);
        };
        if !self.is_closed(from) {
            let words = format!("{from} is not closed");
            findings.event(place, Code::PeriodDiffers, words);
        }
        self.closed_until = from.pred_opt();
    }

    fn year(&mut self, place: Place<'_>, closed: &YearClosed<'_>, findings: &mut Findings) {
        let until = time::date(&closed.until).filter(|day| ends_a_month(*day));
        let transaction = shape::id(&closed.transaction_id, "txn_");
        let (Some(until), Some(transaction)) = (until, transaction) else {
            let words = "a year ends with a month, and a transaction closes it";
            return findings.event(place, Code::YearDiffers, words);
        };
        if !self.is_closed(until) {
            let words = format!("{until} is not closed");
            findings.event(place, Code::YearDiffers, words);
        }
        if self.year_closed.is_some_and(|last| until < last) {
            let words = "a later year was closed before";
            findings.event(place, Code::YearDiffers, words);
        }
        self.year_closed = Some(until);
        self.closing.push(Closing { position: place.position, until, transaction });
    }

    /// A leg. `earned`: on an account of income or expense, its index, side and amount.
    pub(super) fn leg(
        &mut self,
        place: Place<'_>,
        leg: &Leg<'_>,
        earned: Option<(usize, bool, i128)>,
        findings: &mut Findings,
    ) {
        let closes = &*leg.kind == CLOSING;
        if self.closed_until.is_none() && earned.is_none() && !closes {
            return;
        }
        // What is no day is found where the transaction is looked at.
        let Some(day) = time::date(&leg.effective_on) else { return };
        let named = shape::id(&leg.transaction_id, "txn_").filter(|_| closes);
        let closing = self.closing.iter().position(|closing| Some(closing.transaction) == named);
        if closes {
            let until = closing.and_then(|index| self.closing.get(index)).map(|c| c.until);
            if until != Some(day) {
                let words = "no event of the book in this append closes that year by it";
                findings.event(place, Code::YearDiffers, words);
            }
        } else if self.is_closed(day) {
            let until = self.closed_until.map(|until| until.to_string()).unwrap_or_default();
            let words = format!("it belongs to {day}, and all is closed up to {until}");
            findings.event(place, Code::PeriodClosed, words);
        }
        if let Some((account, debit, amount)) = earned {
            let sum = self.results.entry(account).or_default().entry(day).or_default();
            *sum = sum.saturating_add(if debit { amount } else { -amount });
        }
        if let Some(index) = closing.filter(|_| leg.leg >= leg.legs) {
            let closing = self.closing.swap_remove(index);
            self.nothing_left(&closing, findings);
        }
    }

    fn nothing_left(&self, closing: &Closing, findings: &mut Findings) {
        let left = self.results.values().filter(|days| {
            let upto = days.range(..=closing.until).map(|(_, sum)| *sum);
            upto.fold(0_i128, i128::saturating_add) != 0
        });
        let left = left.count();
        if left > 0 {
            let until = closing.until;
            let words = format!("{left} accounts of income or expense have a rest at {until}");
            findings.position(closing.position, Code::YearDiffers, words);
        }
    }

    pub(super) fn batch_ends(&mut self, findings: &mut Findings) {
        for closing in std::mem::take(&mut self.closing) {
            let words = "the transaction that closes the year is not in the same append";
            findings.position(closing.position, Code::YearDiffers, words);
        }
    }
}

fn ends_a_month(day: NaiveDate) -> bool {
    day.succ_opt().is_some_and(|next| next.day() == 1)
}
