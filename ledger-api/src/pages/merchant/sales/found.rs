//! The payments that match: those that the shop has, and those that come from other banks or go
//! back there, as one list by the moment at which they were paid or first told of.
//!
//! The two are of two places, so where a list goes on is a place in each.

use std::fmt;

use ledger_core::{clock::Timestamp, ids::PaymentId, log::Position};
use projections::{PaymentCounts, PaymentFilter, PaymentRow, ReadError, ReadModels};

use crate::deposits::{Incoming, IncomingCounts, IncomingFilter, Outside};

/// One of them.
#[derive(Debug)]
pub(super) enum Found {
    /// The shop has it.
    Paid(PaymentRow),
    /// It comes, or goes back.
    Coming(Incoming),
}

/// After which of each a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    paid: Option<Position>,
    coming: Option<PaymentId>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(paid) = self.paid {
            write!(f, "{paid}")?;
        }
        if let Some(coming) = self.coming {
            write!(f, "~{coming}")?;
        }
        Ok(())
    }
}

impl Place {
    /// The place of an address; what means nothing is the beginning.
    pub(super) fn of(text: &str) -> Self {
        let (paid, coming) = text.split_once('~').unwrap_or((text, ""));
        Self { paid: paid.parse().ok(), coming: coming.parse().ok() }
    }
}

/// What is looked for; nothing of a kind of which none can match.
#[derive(Debug, Clone, Default)]
pub(super) struct Sought {
    pub(super) paid: Option<PaymentFilter>,
    pub(super) coming: Option<IncomingFilter>,
    /// Of those that come or go back, only for the tabs' counts.
    pub(super) counted: Option<IncomingFilter>,
}

impl Sought {
    /// A page of both, and where the next one begins.
    pub(super) async fn page(
        &self,
        (models, outside): (&ReadModels, &Outside),
        place: Place,
        limit: u32,
    ) -> Result<(Vec<Found>, Option<Place>), ReadError> {
        let (mut paid, mut more) = (Vec::new(), false);
        if let Some(filter) = &self.paid {
            let filter = PaymentFilter { before: place.paid, ..filter.clone() };
            let page = models.payments(&filter, limit).await?;
            (paid, more) = (page.items, page.next.is_some());
        }
        let mut coming = Vec::new();
        if let Some(filter) = &self.coming {
            let filter = IncomingFilter { before: place.coming, ..filter.clone() };
            coming = outside.listed(&filter, limit).await?;
            more |= u32::try_from(coming.len()).unwrap_or(limit) >= limit;
        }
        let all = paid.len().saturating_add(coming.len());
        let both = merged(paid, coming);
        let shown: Vec<Found> = both.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        let goes_on = (more || shown.len() < all) && !shown.is_empty();
        let next = goes_on.then(|| after(place, &shown));
        Ok((shown, next))
    }

    /// How many there are in each status.
    pub(super) async fn counts(
        &self,
        (models, outside): (&ReadModels, &Outside),
        filter: Option<&PaymentFilter>,
    ) -> Result<(PaymentCounts, IncomingCounts), ReadError> {
        let paid = match filter {
            Some(filter) => models.payment_counts(filter).await?.value,
            None => PaymentCounts { is_whole: true, ..PaymentCounts::default() },
        };
        let coming = match &self.counted {
            Some(filter) => outside.counted(filter).await?,
            None => IncomingCounts { is_whole: true, ..IncomingCounts::default() },
        };
        Ok((paid, coming))
    }
}

/// Both, the newest first.
fn merged(paid: Vec<PaymentRow>, coming: Vec<Incoming>) -> impl Iterator<Item = Found> {
    let (mut paid, mut coming) = (paid.into_iter().peekable(), coming.into_iter().peekable());
    std::iter::from_fn(move || {
        let at = (paid.peek().map(|row| row.paid_at), coming.peek().map(|one| one.told_at));
        if comes_first(at) {
            coming.next().map(Found::Coming)
        } else {
            paid.next().map(Found::Paid)
        }
    })
}

const fn comes_first(at: (Option<Timestamp>, Option<Timestamp>)) -> bool {
    match at {
        (Some(_) | None, None) => false,
        (None, Some(_)) => true,
        (Some(paid), Some(told)) => told.timestamp_micros() > paid.timestamp_micros(),
    }
}

/// The place behind these.
fn after(place: Place, shown: &[Found]) -> Place {
    let mut place = place;
    for one in shown {
        match one {
            Found::Paid(row) => place.paid = Some(row.paid_position),
            Found::Coming(one) => place.coming = Some(one.payment),
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_both_is_written_and_read_back() {
        let coming = "pay_01935c3a5e7c8d3e8f00a1b2c3d4e5f6".parse().ok();
        for place in [
            Place::default(),
            Place { paid: Some(17), coming: None },
            Place { paid: None, coming },
            Place { paid: Some(17), coming },
        ] {
            assert_eq!(Place::of(&place.to_string()), place);
        }
        // As it was written before there were two.
        assert_eq!(Place::of("17"), Place { paid: Some(17), coming: None });
        assert_eq!(Place::of("x~y"), Place::default());
    }

    #[test]
    fn the_newest_comes_first_wherever_it_is() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let (early, late) = (at("2026-11-22T10:00:00Z"), at("2026-11-22T10:00:01Z"));
        assert!(comes_first((early, late)) && comes_first((None, early)));
        assert!(!comes_first((late, early)) && !comes_first((late, None)));
        assert!(!comes_first((early, early)) && !comes_first((None, None)));
    }
}
