//! What has become of a movement of money: one vocabulary for pages, lists and files.

use std::fmt::{self, Display};

use askama::{Template, filters::HtmlSafe};
use projections::ActivityStatus;

/// A status, as people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Somebody else has to do something first.
    Waiting,
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Processing,
    /// Nobody knows yet whether it happened.
    Unknown,
    /// It happened.
    Done,
    /// It did not happen, and the money is back.
    Failed,
    /// It was called off.
    Cancelled,
    /// A person said no.
    Rejected,
    /// It happened and came back.
    Returned,
    /// A person looks at it.
    InReview,
    /// Its time ran out.
    Expired,
}

impl Status {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Waiting,
        Self::Queued,
        Self::Processing,
        Self::Unknown,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
        Self::Rejected,
        Self::Returned,
        Self::InReview,
        Self::Expired,
    ];

    /// Its name in addresses and files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
            Self::InReview => "in_review",
            Self::Expired => "expired",
        }
    }

    /// What people read.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Queued => "Queued",
            Self::Processing => "Processing",
            Self::Unknown => "Bank hasn’t confirmed",
            Self::Done => "Done",
            Self::Failed => "Failed – money back",
            Self::Cancelled => "Cancelled",
            Self::Rejected => "Rejected",
            Self::Returned => "Returned",
            Self::InReview => "In review",
            Self::Expired => "Expired",
        }
    }

    /// The colours.
    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::Waiting | Self::InReview => "waiting",
            Self::Queued | Self::Processing => "info",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Failed | Self::Rejected | Self::Returned => "failed",
            Self::Cancelled | Self::Expired => "calm",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::Waiting | Self::Expired => "clock",
            Self::Queued => "layers",
            Self::Processing => "spin",
            Self::Unknown => "ask",
            Self::Done => "check",
            Self::Failed => "cross",
            Self::Cancelled | Self::Rejected => "stop",
            Self::Returned => "back",
            Self::InReview => "eye",
        }
    }
}

impl From<ActivityStatus> for Status {
    fn from(status: ActivityStatus) -> Self {
        match status {
            ActivityStatus::Waiting => Self::Waiting,
            ActivityStatus::Queued => Self::Queued,
            ActivityStatus::Processing => Self::Processing,
            ActivityStatus::Unknown => Self::Unknown,
            ActivityStatus::InReview => Self::InReview,
            ActivityStatus::Done => Self::Done,
            ActivityStatus::Returned => Self::Returned,
            ActivityStatus::Failed => Self::Failed,
            ActivityStatus::Rejected => Self::Rejected,
            ActivityStatus::Cancelled => Self::Cancelled,
            ActivityStatus::Expired => Self::Expired,
        }
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "{%- import \"ui/icons.html\" as icons -%}\
              <span class=\"chip {{ tone }}\" data-status=\"{{ name }}\">\
              {%- call icons::icon(icon) -%}{%- endcall -%}{{ word }}</span>"
)]
struct Chip {
    tone: &'static str,
    name: &'static str,
    icon: &'static str,
    word: &'static str,
}

impl HtmlSafe for Status {}

impl Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tone, name) = (self.tone(), self.name());
        let chip = Chip { tone, name, icon: self.icon(), word: self.word() };
        chip.render_into(f).map_err(|_| fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_says_it_in_words_and_with_an_icon() {
        for status in Status::ALL {
            let chip = status.to_string();
            assert!(chip.contains(status.word()), "{chip}");
            assert!(chip.contains("<svg class=\"ic\""), "{chip}");
            assert!(chip.contains("<path") || chip.contains("<circle"), "{chip}");
        }
        // What nobody knows has a colour of its own: it is neither waiting nor failed.
        let same = Status::ALL.iter().filter(|status| status.tone() == "unknown").count();
        assert_eq!(same, 1);
    }
}
