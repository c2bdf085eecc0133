//! What can happen to the book: the rules that every account stands under.

use chrono_tz::Tz;
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::{log::event_names, money::Currency, tier::Tier};

/// One fact of the book's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BookEvent {
    /// The book exists from here on.
    Opened(Opened),
    /// A currency can be used from here on. Its scale never changes.
    CurrencyAdded(Currency),
    /// A tier has these limits from here on, in a new version.
    TierDefined(Box<Tier>),
}

/// The book's fixed properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The time zone whose days are the book's days (IANA name).
    pub time_zone: Tz,
}

event_names!(BookEvent {
    Opened(_) => "opened",
    CurrencyAdded(_) => "currency_added",
    TierDefined(_) => "tier_defined",
});

impl DomainEvent for BookEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
