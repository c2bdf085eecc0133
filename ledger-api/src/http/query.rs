//! Query parameters: typed, and an unknown one is an error, since a filter that is silently
//! ignored shows somebody more than they asked for.

use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};

use super::{ApiState, Problem, json::named_field};

/// The query of a request as a `T`.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

/// A query without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

impl<T: DeserializeOwned + Send> FromRequestParts<ApiState> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let deserializer = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        let name = named_field(&message).unwrap_or(path.trim_matches('.'));
        let message = if is_about_digits(&message) { "not a whole number" } else { &message };
        Problem::parameter(name, format!("{message}."))
    })
}

/// Whether the message is the standard library's about a number, which names its own types.
fn is_about_digits(message: &str) -> bool {
    ["invalid digit", "number too", "cannot parse integer"]
        .iter()
        .any(|start| message.starts_with(start))
}

/// Leaves a parameter out of what a list's cursors are bound to, as `skip_serializing_if`: how many
/// and where to go on are no filters. (With `skip_serializing` it would be in no document either.)
pub(crate) const fn not_a_filter<T>(_: &T) -> bool {
    true
}

/// The years that a request may name. Some programs can hold others, and a database then refuses
/// to compare with them.
pub(crate) const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;

/// A business date, as `deserialize_with`.
pub(crate) fn date<'de, D: Deserializer<'de>>(given: D) -> Result<Option<NaiveDate>, D::Error> {
    let date: Option<NaiveDate> = String::deserialize(given)?.parse().ok();
    match date.filter(|date| YEARS.contains(&date.year())) {
        Some(date) => Ok(Some(date)),
        None => Err(D::Error::custom("not a date between the years 1900 and 9999")),
    }
}

/// A moment, as `deserialize_with`.
pub(crate) fn moment<'de, D: Deserializer<'de>>(
    given: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let moment: Option<DateTime<Utc>> = String::deserialize(given)?.parse().ok();
    match moment.filter(|moment| YEARS.contains(&moment.year())) {
        Some(moment) => Ok(Some(moment)),
        None => Err(D::Error::custom("not a time of RFC 3339 between the years 1900 and 9999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Eq)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        limit: Option<u32>,
        owner: Option<String>,
        #[serde(default, deserialize_with = "date")]
        on: Option<NaiveDate>,
        #[serde(default, deserialize_with = "moment")]
        at: Option<DateTime<Utc>>,
    }

    #[test]
    fn case_164_unknown_twice_given_and_ill_typed_parameters_are_refused() {
        let good: Filter = parse("limit=3&owner=a%20b").unwrap();
        assert_eq!(good.owner.as_deref(), Some("a b"));
        for (bad, pointer) in [
            ("limit=-1", "?limit"),
            ("limit=1e9", "?limit"),
            ("limit=", "?limit"),
            ("nope=1", "?nope"),
            ("limit=1&limit=2", "?limit"),
            ("on=2026-02-30", "?on"),
            ("on=-262143-01-01", "?on"),
            ("on=%2B10000-01-01", "?on"),
            ("on=", "?on"),
            ("on=2026-01-01&on=2026-01-02", "?on"),
            ("at=2026-01-01", "?at"),
            ("at=-262143-01-01T00:00:00Z", "?at"),
        ] {
            let problem = parse::<Filter>(bad).unwrap_err();
            assert_eq!(problem.status(), 422, "{bad}");
            assert_eq!(problem.body().errors[0].pointer, pointer, "{bad}");
        }
        let detail = |query| parse::<Filter>(query).unwrap_err().body().detail.clone();
        assert_eq!(detail("limit=-1"), "not a whole number.");
        assert_eq!(detail("limit=99999999999"), "not a whole number.");
        assert_eq!(detail("on=tomorrow"), "not a date between the years 1900 and 9999.");
    }

    #[test]
    fn dates_and_moments_are_read() {
        let good: Filter = parse("on=2026-11-22&at=2026-11-22T10:00:00%2B05:30").unwrap();
        assert_eq!(good.on, NaiveDate::from_ymd_opt(2026, 11, 22));
        assert_eq!(good.at.unwrap().to_rfc3339(), "2026-11-22T04:30:00+00:00");
        assert_eq!(parse::<Filter>("").unwrap().on, None);
    }
}
