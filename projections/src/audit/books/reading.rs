//! Payloads as events have them.

use serde::Deserialize;

use super::super::{
    finding::{Code, Findings, Place},
    payload as shape,
    record::Event,
};

const VERSION: &str = "1.0";

/// The payload of an event, if its version and shape are known.
pub(super) fn read<'a, T: Deserialize<'a>>(
    place: Place<'_>,
    event: &Event<'a>,
    findings: &mut Findings,
) -> Option<T> {
    if event.event_version != VERSION {
        let words = format!("version {:?}; this check knows {VERSION}", event.event_version);
        findings.event(place, Code::EventVersionUnknown, words);
        return None;
    }
    match shape::read(event.payload) {
        Ok(payload) => Some(payload),
        Err(error) => {
            findings.event(place, Code::PayloadUnreadable, error);
            None
        }
    }
}
