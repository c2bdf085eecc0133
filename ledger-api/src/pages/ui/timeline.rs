//! The steps of a movement of money: those behind it, the present one, those to come.

use askama::{Template, filters::HtmlSafe};

use super::When;

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepState {
    /// Behind.
    Done,
    /// The present one.
    Now,
    /// The present one, and nobody knows its outcome yet.
    Unknown,
    /// It ended it, and not well.
    Failed,
    /// Still to come.
    Todo,
}

impl StepState {
    const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Todo => "todo",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Done => "Done: ",
            Self::Now => "Now: ",
            Self::Unknown => "Not known yet: ",
            Self::Failed => "Ended: ",
            Self::Todo => "Still to come: ",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::Done => "check",
            Self::Unknown => "ask",
            Self::Failed => "cross",
            Self::Now | Self::Todo => "none",
        }
    }
}

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    state: StepState,
    what: String,
    when: Option<When>,
    facts: String,
    text: String,
}

impl Step {
    /// A step in a few words.
    pub(crate) fn new(state: StepState, what: impl Into<String>) -> Self {
        let (facts, text) = (String::new(), String::new());
        Self { state, what: what.into(), when: None, facts, text }
    }

    /// When it happened.
    pub(crate) fn at(self, when: When) -> Self {
        Self { when: Some(when.exact()), ..self }
    }

    /// References and who did it.
    pub(crate) fn facts(self, facts: impl Into<String>) -> Self {
        Self { facts: facts.into(), ..self }
    }

    /// What it means, and what happens next.
    pub(crate) fn text(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }
}

/// All steps, in order.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/timeline.html")]
pub(crate) struct Timeline {
    steps: Vec<Step>,
}

impl Timeline {
    /// The steps.
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }
}

impl HtmlSafe for Timeline {}
