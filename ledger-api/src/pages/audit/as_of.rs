//! "As of": a place in the log, as somebody writes it: `48213` or `#48213`, a moment, or a day,
//! which stands for its end.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeZone as _, Utc};
use ledger_core::log::Position;
use projections::AsOf;

use super::visitor::Auditor;
use crate::http::{Problem, query::YEARS};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Position(Position),
    Moment(DateTime<Utc>),
    /// The end of this day, of the book.
    Day(NaiveDate),
}

fn read(text: &str) -> Option<Written> {
    let number = text.strip_prefix('#').unwrap_or(text);
    if let Ok(position) = number.parse() {
        return Some(Written::Position(position));
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(Written::Moment(moment.with_timezone(&Utc)));
    }
    let day: Option<NaiveDate> = text.parse().ok();
    // Years that the database can compare with.
    day.filter(|day| YEARS.contains(&day.year())).map(Written::Day)
}

/// The place that a text names; nothing for none. A position that the log has not reached is its
/// end, so that a slider need not know it.
pub(super) async fn position(auditor: &Auditor, text: &str) -> Result<Option<Position>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let written = read(text).ok_or_else(|| {
        Problem::parameter("as_of", "An event’s number, a day like 2026-11-22, or a moment.")
    })?;
    let head = auditor.head().await?;
    let moment = match written {
        Written::Position(position) => return Ok(Some(position.min(head))),
        Written::Moment(moment) => moment,
        Written::Day(day) => {
            let next = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
            let zone = auditor.book().time_zone();
            let end = zone.from_local_datetime(&next).earliest();
            // The last microsecond of the day: what is recorded at midnight is of the next one.
            let end = end.map_or_else(|| next.and_utc(), |end| end.with_timezone(&Utc));
            end.checked_sub_signed(chrono::TimeDelta::microseconds(1)).unwrap_or(end)
        }
    };
    Ok(Some(auditor.reads.read_models.recorded_by(moment).await?.min(head)))
}

/// The same for a report: with `effective` a day is a business date, whenever what belongs to it
/// was recorded.
pub(super) async fn report(
    auditor: &Auditor,
    text: &str,
    effective: bool,
) -> Result<Option<AsOf>, Problem> {
    if effective && !text.trim().is_empty() {
        let day = match read(text.trim()) {
            Some(Written::Day(day)) => day,
            Some(Written::Position(_) | Written::Moment(_)) | None => {
                let detail = "By business date, as of is a day like 2026-11-22.";
                return Err(Problem::parameter("as_of", detail));
            }
        };
        return Ok(Some(AsOf::Day(day)));
    }
    Ok(position(auditor, text).await?.map(AsOf::Position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_number_a_moment_or_a_day() {
        assert_eq!(read("48213"), Some(Written::Position(48_213)));
        assert_eq!(read("#7"), Some(Written::Position(7)));
        let moment = "2026-11-22T10:00:00Z".parse().unwrap();
        assert_eq!(read("2026-11-22T15:30:00+05:30"), Some(Written::Moment(moment)));
        assert_eq!(read("2026-11-22"), Some(Written::Day("2026-11-22".parse().unwrap())));
        for bad in ["yesterday", "-1", "22.11.2026", "#", "-262143-01-01"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
